"""Long clips in short windows: which frames a denoiser sees at once, as EchoMimic or as FreeNoise has them."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.models.attention import FreeNoiseTransformerBlock
from diffusers.pipelines.free_noise_utils import AnimateDiffFreeNoiseMixin


ROTATION = 3  # frames by which the windows move on from one step to the next


@dataclass(frozen=True)
class ContextWindows:
    """How long clips are cut.

    Attributes:
        context_frames (`int`): frames of a window; 12 as EchoMimic has them.
        context_overlap (`int`): frames that neighbouring windows, and pieces, share; 3 as EchoMimic has them.
        chunk_frames (`int`): longest piece; up to EchoMimic's 240 frames a clip is one, as it is there.
    """

    context_frames: int = 12
    context_overlap: int = 3
    chunk_frames: int = 240


def windows(num_frames: int, step: int, context: int = 12, overlap: int = 3, closed: bool = True) -> list[list[int]]:
    """The windows of one step, each a list of frames; every frame is in one at least.

    `closed` is EchoMimic's way (`src/pipelines/context.py` and `pipeline_echo_mimic_pose.py` of antgroup/echomimic):
    windows begin every `context - overlap` frames, move on by 3 frames with each step so that seams wander, and go on
    from the clip's end to its start. Open windows, for a piece of a longer clip, stay within it.

    Args:
        num_frames (`int`): frames; up to `context` of them are one window.
        step (`int`): step of the sampler, from 0.
        context (`int`): frames of a window.
        overlap (`int`): frames that neighbours share.
        closed (`bool`): from the end on to the start.
    """
    if num_frames <= context:
        return [list(range(num_frames))]
    stride = context - overlap
    if closed:
        starts = range(ROTATION * step, ROTATION * step + num_frames, stride)
        return [[(start + i) % num_frames for i in range(context)] for start in starts]
    starts = range(ROTATION * step % stride - stride, num_frames - overlap, stride)
    starts = sorted({min(max(start, 0), num_frames - context) for start in starts})
    return [list(range(start, start + context)) for start in starts]


def pieces(num_frames: int, longest: int, overlap: int) -> list[range]:
    """A clip in pieces of about equal length, none over `longest` frames, neighbours sharing `overlap` frames."""
    if num_frames <= longest:
        return [range(num_frames)]
    count = math.ceil((num_frames - overlap) / (longest - overlap))
    edges = [overlap + (num_frames - overlap) * i // count for i in range(count + 1)]
    return [range(start - overlap, stop) for start, stop in zip(edges, edges[1:])]


class FreeNoise(AnimateDiffFreeNoiseMixin):
    """Diffusers' FreeNoise (arXiv 2310.15169) for a denoiser by itself.

    Windows are cut inside of the motion modules, and noise is shuffled copies of the first window's: the clip keeps
    together over long spans, for the memory of as many frames as are denoised at once.

    Args:
        unet ([`EchoMimicUNet`]): changed in place; it stays so until [`disable_free_noise`].
    """

    def __init__(self, unet: torch.nn.Module):
        self.unet = self.motion_adapter = unet
        self.device, self.dtype = unet.device, unet.dtype


def shuffle_noise(noise: torch.Tensor, length: int, stride: int, generator: torch.Generator) -> torch.Tensor:
    """FreeNoise's noise, in place: past the first window, `stride` frames are those of `length` before in other order.

    Args:
        noise (`torch.Tensor`): (1, channels, frames, height, width).
        length, stride (`int`): of the windows, frames.
        generator (`torch.Generator`): on the CPU.
    """
    frames = noise.shape[2]
    for first in range(length, frames, stride):
        order = first - length + torch.randperm(stride, generator=generator)
        noise[:, :, first : first + stride] = noise[:, :, order[: frames - first]]
    return noise


def enable_free_noise(unet: torch.nn.Module, context_frames: int = 12, context_overlap: int = 3) -> None:
    """Let the motion modules of `unet` cut windows by themselves, until [`disable_free_noise`].

    Args:
        unet ([`EchoMimicUNet`]): the denoiser; to be called before hooks or a compiler are put on it.
        context_frames (`int`): frames of a window.
        context_overlap (`int`): frames that neighbours share.
    """
    FreeNoise(unet).enable_free_noise(context_frames, context_frames - context_overlap)


def disable_free_noise(unet: torch.nn.Module) -> None:
    """Undo [`enable_free_noise`]."""
    FreeNoise(unet).disable_free_noise()


def free_noise_block(unet: Any) -> FreeNoiseTransformerBlock | None:
    """A block of a motion module that cuts windows, None where FreeNoise is off."""
    blocks = (module for module in unet.modules() if isinstance(module, FreeNoiseTransformerBlock))
    return next(blocks, None)
