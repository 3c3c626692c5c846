"""EchoMimic V1 (arXiv 2407.08136) as a renderer: it paints the whole head by diffusion, led by drawn landmarks."""

import inspect
import sys
import time
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers.callbacks import MultiPipelineCallbacks, PipelineCallback
from diffusers.utils.torch_utils import randn_tensor
from tqdm import tqdm

from text2lip.devices import execution_device
from text2lip.faces.crop import crop, paste_back
from text2lip.faces.drawing import draw_landmarks
from text2lip.faces.geometry import to_pixels
from text2lip.renderers.base import check_landmarks, check_portrait
from text2lip.renderers.sampling import Sampling, SamplingOptions
from text2lip.renderers.windows import ContextWindows, free_noise_block, pieces, shuffle_noise, windows


# Upstream's, but for the feather, chosen by eye, and the number of passes.
DILATION = 0.5  # of the face's box on each side, before a square is cut (`facecrop_dilation_ratio` upstream)
FEATHER = 0.06  # of the square's side, over which the painting fades into the portrait
LATENT_SIZE = 64  # rows and columns that the published weights were trained on
SEED = 420  # upstream's, where no generator is given
WORTH_MEASURING = 50  # passes of the denoiser
TIMESTEP: ContextVar = ContextVar("timestep", default=None)


def current_timestep() -> torch.Tensor | None:
    """The timestep that is being sampled: `current_timestep_callback` of a `PyramidAttentionBroadcastConfig`."""
    return TIMESTEP.get()


class FaceSquare:
    """The square around a face that EchoMimic sees, and the way back.

    Args:
        portrait (`np.ndarray`): `(height, width, 3)` uint8.
        landmarks (`np.ndarray`): `(478, 2)` normalised; their box stands in for upstream's face detector (MTCNN).
        size (`int`): pixels of the square that is painted.
    """

    def __init__(self, portrait: np.ndarray, landmarks: np.ndarray, size: int):
        self.portrait, self.size = portrait, size
        self.edge = np.array(portrait.shape[1::-1])  # width, height
        points = to_pixels(landmarks.astype(np.float64), *portrait.shape[:2])
        low, high = points.min(0), points.max(0)
        spare = DILATION * (high - low)
        low, high = np.floor((low - spare).clip(0)), np.ceil(np.minimum(high + spare, self.edge))
        side = max(int((high - low).min()), 1)
        corner = np.clip((low + high - side) // 2, 0, np.maximum(self.edge - side, 0))
        scale = size / side
        self.transform = np.array([[scale, 0, -scale * corner[0]], [0, scale, -scale * corner[1]]])
        ramp = (np.arange(size) / (FEATHER * size)).clip(0, 1)  # 0 on the edge itself
        ramp = ramp * ramp[::-1]
        self.mask = ramp[:, None] * ramp

    @property
    def picture(self) -> np.ndarray:
        """What is seen: `(size, size, 3)` uint8."""
        return crop(self.portrait, self.transform, self.size)

    def place(self, landmarks: np.ndarray) -> np.ndarray:
        """Landmarks `(frames, 478, 2)` over the portrait as landmarks over the square."""
        scale, shift = self.transform[0, 0], self.transform[:, 2]
        return (landmarks * self.edge * scale + shift) / self.size

    def paste(self, painted: np.ndarray) -> np.ndarray:
        """The portrait with `painted`, `(size, size, 3)` uint8, in its place, softly edged."""
        return paste_back(self.portrait, painted, self.transform, self.mask)


@dataclass
class Conditions:
    """What leads the denoiser: landmarks `(frames, 478, 2)` over the square, sound tokens `(frames, tokens, width)` or
    None, and the reference's states."""

    landmarks: np.ndarray
    sound: torch.Tensor | None
    reference: dict[str, torch.Tensor]

    def part(self, frames: range) -> "Conditions":
        rows = slice(frames.start, frames.stop)
        return Conditions(self.landmarks[rows], None if self.sound is None else self.sound[rows], self.reference)


class EchoMimicRenderer(Sampling):
    """Paints a talking head with EchoMimic's networks.

    One step of the sampler goes through all windows of a piece of the clip and averages what they predict where they
    overlap. A clip of up to `chunk_frames` is one piece, as upstream. A longer one is made piece by piece: the frames
    that two pieces share follow the path through all steps that the first piece took, so the second grows out of it,
    and memory does not depend on the clip's length.

    Everything of diffusers that works on its parts works here: other schedulers, `AutoencoderTiny` as `vae`, half
    precision, offloading, attention backends, compiled blocks. [`enable_free_noise`] on `unet` takes the place of the
    windows. Pyramid attention broadcast needs all frames in one pass: a clip of one window, or FreeNoise.

    Args:
        unet ([`EchoMimicUNet`]): the denoiser.
        reference_unet ([`EchoMimicReferenceUNet`]): looks at the portrait, once for each clip.
        landmark_encoder ([`LandmarkEncoder`]): looks at the drawn landmarks.
        vae (`AutoencoderKL` or `AutoencoderTiny`): decodes frame by frame.
        scheduler: any of diffusers' for the denoiser's `prediction_type`; copied, so it may be shared.
        options ([`SamplingOptions`], *optional*): steps, guidance, callbacks, progress.
        context ([`ContextWindows`], *optional*): how long windows and pieces are.
        pipe ([`Sampling`], *optional*): the pipeline that callbacks are given; the renderer itself by default.

    Raises:
        ValueError: a value that can't be used.
    """

    takes_references, hears_sound, samples = False, True, True

    def __init__(
        self,
        unet: Any,
        reference_unet: Any,
        landmark_encoder: Any,
        vae: Any,
        scheduler: Any,
        *,
        options: SamplingOptions | None = None,
        context: ContextWindows | None = None,
        pipe: Sampling | None = None,
    ):
        self.unet, self.reference_unet, self.landmark_encoder, self.vae = unet, reference_unet, landmark_encoder, vae
        options, self.context = options or SamplingOptions(), context or ContextWindows()
        self.scheduler, self.quiet = scheduler, options.quiet
        steps, scale = options.num_inference_steps, options.guidance_scale
        self.num_inference_steps = unet.config.num_inference_steps if steps is None else steps
        self.initial_guidance_scale = unet.config.guidance_scale if scale is None else scale
        self.pipe = self if pipe is None else pipe
        self.callback, self.callback_inputs = options.callback_on_step_end, options.callback_on_step_end_tensor_inputs
        if isinstance(self.callback, (PipelineCallback, MultiPipelineCallbacks)):
            self.callback_inputs = self.callback.tensor_inputs
        elif self.callback_inputs is None:
            self.callback_inputs = ["latents"]
        self._check()
        self._begin(self.num_inference_steps)

    def _begin(self, steps: int):
        self.begin(steps, self.initial_guidance_scale)
        if self.pipe is not self:
            self.pipe.begin(steps, self.initial_guidance_scale)

    def _check(self):
        if not isinstance(self.num_inference_steps, int) or self.num_inference_steps < 1:
            raise ValueError(f"num_inference_steps: {self.num_inference_steps!r}; wants a whole number from 1 on.")
        scale = self.initial_guidance_scale
        if not isinstance(scale, (int, float)) or not 0 <= scale < float("inf"):
            raise ValueError(f"guidance_scale: {scale!r}; wants a number, 1 is no guidance.")
        if self.callback is not None and not callable(self.callback):
            raise ValueError(f"callback_on_step_end: got {type(self.callback).__name__}; wants a function.")
        unknown = set(self.callback_inputs) - set(self._callback_tensor_inputs)
        if unknown:
            raise ValueError(
                f"callback_on_step_end_tensor_inputs: {sorted(unknown)} can't be had; choose among "
                f"{list(self._callback_tensor_inputs)}."
            )
        longest, context = self.unet.config.motion_max_seq_length, self.context
        if not 0 <= context.context_overlap < context.context_frames <= longest:
            raise ValueError(
                f"context_frames, context_overlap: {context.context_frames}, {context.context_overlap}; a window has "
                f"up to {longest} frames, more than it shares."
            )
        if context.chunk_frames < 2 * context.context_frames:
            raise ValueError(f"chunk_frames: {context.chunk_frames}; wants at least two windows.")

    def render(
        self,
        portrait: np.ndarray,
        landmarks: np.ndarray,
        *,
        source_landmarks: np.ndarray,
        fps: float = 25,
        audio_features: torch.Tensor | np.ndarray | None = None,
        references: Any = None,
        generator: torch.Generator | None = None,
        tongue: np.ndarray | None = None,
    ) -> Iterator[np.ndarray]:
        """Yield one frame for each row of `landmarks`; see [`Renderer`] for shapes.

        Args:
            audio_features (`torch.Tensor` or `np.ndarray`, *optional*): float (frames, tokens, width), for published
                weights (frames, 50, 384) of [`~text2lip.speech.whisper.whisper_windows`]. None is "no sound", which
                guidance was trained on.
            generator (`torch.Generator`, *optional*): of the noise; by default every call gives the same.

        Raises:
            ValueError: shapes that don't fit, or a cache of attention with several windows.
        """
        portrait, landmarks = check_portrait(portrait), check_landmarks(landmarks, "landmarks", 3)
        source = check_landmarks(source_landmarks, "source_landmarks", 2)
        square = FaceSquare(portrait, source, self.size)
        sound = self._check_sound(audio_features, len(landmarks))
        generator = generator or torch.Generator().manual_seed(SEED)
        self._check_mode(len(landmarks), generator)
        return self._frames(square, landmarks, sound, generator)

    @property
    def size(self) -> int:
        """Pixels of the square that is painted: 512 for published weights."""
        return self._latent_size * 2 ** (len(self.vae.config.block_out_channels) - 1)

    @property
    def _latent_size(self) -> int:
        return self.unet.config.sample_size or LATENT_SIZE

    def _check_sound(self, sound, frames: int) -> torch.Tensor | None:
        if sound is None:
            return None
        sound, width = torch.as_tensor(sound), self.unet.config.cross_attention_dim
        if sound.ndim != 3 or len(sound) != frames or sound.shape[2] != width:
            raise ValueError(
                f"audio_features: has shape {tuple(sound.shape)}; wants ({frames}, tokens, {width}), as of "
                "whisper_windows."
            )
        return sound

    def _check_mode(self, frames: int, generator: torch.Generator):
        block = free_noise_block(self.unet)
        if block is not None and generator.device.type != "cpu":
            raise ValueError(f"generator: on {generator.device}, but FreeNoise wants one on the CPU.")
        if block is not None and frames < block.context_length:
            raise ValueError(
                f"landmarks: {frames} frames, but FreeNoise cuts windows of {block.context_length}; make the clip "
                "longer or call disable_free_noise."
            )
        if self.unet.is_cache_enabled and block is None and frames > self.context.context_frames:
            raise ValueError(
                f"unet: its attention cache is on, which mixes up the windows of {frames} frames; call "
                "unet.disable_cache(), or enable_free_noise(unet)."
            )

    @torch.no_grad()
    def _frames(self, square: FaceSquare, landmarks, sound, generator) -> Iterator[np.ndarray]:
        conditions = Conditions(square.place(landmarks), sound, self.look(square.picture))
        for latents in self._sample(conditions, generator):
            yield square.paste(self.decode(latents))

    def look(self, picture: np.ndarray) -> dict[str, torch.Tensor]:
        """What the denoiser is told of the portrait's square, `(size, size, 3)` uint8: 16 states."""
        device = execution_device(self.vae)
        pixels = torch.from_numpy(picture).permute(2, 0, 1)[None].to(device, self.vae.dtype) / 127.5 - 1
        encoded = self.vae.encode(pixels)
        latents = encoded.latents if hasattr(encoded, "latents") else encoded.latent_dist.mean
        latents = (latents * self.vae.config.scaling_factor).to(self.reference_unet.dtype)
        return self.reference_unet(latents, return_dict=False)[0]

    def decode(self, latents: torch.Tensor) -> np.ndarray:
        """One frame, `(size, size, 3)` uint8, from float (1, channels, height, width)."""
        latents = (latents / self.vae.config.scaling_factor).to(self.vae.dtype)
        pixels = self.vae.decode(latents, return_dict=False)[0][0].float()
        return ((pixels / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()

    def _sample(self, conditions: Conditions, generator: torch.Generator) -> Iterator[torch.Tensor]:
        """Clean latents of each frame, float32 (1, channels, height, width), piece by piece."""
        parts = pieces(len(conditions.landmarks), self.context.chunk_frames, self.context.context_overlap)
        shared, path = 0, None
        with self._progress(parts, conditions) as bar:
            for part in parts:
                latents, path = self._piece(conditions.part(part), len(parts) == 1, path, generator, bar)
                for frame in range(shared, len(part)):
                    yield latents[:, :, frame]
                shared = self.context.context_overlap

    def _piece(self, conditions: Conditions, whole: bool, path, generator, bar) -> tuple[torch.Tensor, list]:
        """Sample one piece; its first frames take `path`, a tensor for each step.

        Returns:
            `tuple`: latents (1, channels, frames, height, width), and the path of the frames that the next one shares.
        """
        scheduler = self._scheduler()
        self._begin(len(scheduler.timesteps))
        if self.unet.is_cache_enabled:
            self.unet._reset_stateful_cache()
        latents = self._noise(len(conditions.landmarks), generator) * scheduler.init_noise_sigma
        extra = {"generator": generator} if "generator" in inspect.signature(scheduler.step).parameters else {}
        embeds = self._embeds(conditions, latents.device)
        shared, shared_path = self.context.context_overlap, []
        for step, timestep in enumerate(scheduler.timesteps):
            TIMESTEP.set(timestep)
            if path:
                latents[:, :, :shared] = path[step]
            shared_path.append(latents[:, :, -shared:].clone() if shared else None)
            if self.interrupt:
                continue
            total, count = torch.zeros_like(latents), latents.new_zeros(latents.shape[2])
            for window in self._windows(len(conditions.landmarks), step, whole):
                noisy = scheduler.scale_model_input(latents[:, :, window], timestep)
                total[:, :, window] += self.predict(noisy, timestep, conditions, window, embeds).to(total)
                count[window] += 1
                bar.update()
            prediction = total / count[:, None, None]
            latents = scheduler.step(prediction, timestep, latents, **extra, return_dict=False)[0]
            latents, embeds = self._call_back(step, timestep, latents, embeds)
        return latents, shared_path if shared else None

    def predict(
        self,
        noisy: torch.Tensor,
        timestep,
        conditions: Conditions,
        window: list[int],
        embeds: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """What the denoiser says of a window, guided.

        Args:
            noisy (`torch.Tensor`): (1, channels, frames, height, width).
            timestep: of the scheduler.
            conditions ([`Conditions`]): of the piece.
            window (`list[int]`): its frames.
            embeds (`torch.Tensor`, *optional*): the piece's sound as callbacks see it, (rows, frames, tokens, width).
        """
        embeds = self._embeds(conditions, noisy.device) if embeds is None else embeds
        dtype, scale = self.unet.dtype, self.guidance_scale
        features = self._landmark_features(conditions.landmarks[window]).to(dtype)
        sound, noisy = embeds[:, window].to(dtype), noisy.to(dtype)
        if scale <= 1:
            return self.unet(noisy, timestep, sound[-1:], features, conditions.reference, return_dict=False)[0]
        if len(sound) == 1:
            sound = torch.cat([torch.zeros_like(sound), sound])
        noisy, features = torch.cat([noisy, noisy]), torch.cat([torch.zeros_like(features), features])
        both = self.unet(noisy, timestep, sound, features, conditions.reference, return_dict=False)[0].float()
        without, led = both.chunk(2)
        return without + scale * (led - without)

    def _embeds(self, conditions: Conditions, device: torch.device) -> torch.Tensor:
        """The sound of a piece, (rows, frames, tokens, width); one token of zeros where there is none."""
        sound = conditions.sound
        if sound is None:
            sound = torch.zeros(len(conditions.landmarks), 1, self.unet.config.cross_attention_dim)
        sound = sound[None].to(device, self.unet.dtype)
        return sound if self.guidance_scale <= 1 else torch.cat([torch.zeros_like(sound), sound])

    def _landmark_features(self, landmarks: np.ndarray) -> torch.Tensor:
        """Drawn and encoded anew for each pass: features of a minute would fill 8 GB, and cost 1 % of a pass."""
        pictures = np.stack([draw_landmarks(row, self.size, self.size) for row in landmarks])
        pictures = torch.from_numpy(pictures).to(execution_device(self.vae), self.landmark_encoder.dtype) / 255
        return self.landmark_encoder(pictures.permute(3, 0, 1, 2)[None])

    def _windows(self, frames: int, step: int, whole: bool) -> list[list[int]]:
        if free_noise_block(self.unet) is not None:
            return [list(range(frames))]
        return windows(frames, step, self.context.context_frames, self.context.context_overlap, closed=whole)

    def _noise(self, frames: int, generator: torch.Generator) -> torch.Tensor:
        shape = (1, self.unet.config.in_channels, frames, self._latent_size, self._latent_size)
        noise = randn_tensor(shape, generator=generator, device=execution_device(self.vae), dtype=torch.float32)
        block = free_noise_block(self.unet)
        return noise if block is None else shuffle_noise(noise, block.context_length, block.context_stride, generator)

    def _scheduler(self) -> Any:
        scheduler = type(self.scheduler).from_config(self.scheduler.config)
        scheduler.set_timesteps(self.num_inference_steps, device=execution_device(self.vae))
        return scheduler

    def _call_back(self, step: int, timestep, latents: torch.Tensor, embeds: torch.Tensor) -> tuple:
        if self.callback is None:
            return latents, embeds
        tensors = {"latents": latents, "prompt_embeds": embeds}
        asked = {name: tensors[name] for name in self.callback_inputs}
        with self.pipe.lent(self):  # the state is this clip's: another thread may sample with the same pipeline
            tensors |= self.callback(self.pipe, step, timestep, asked) or {}
        return tensors["latents"], tensors["prompt_embeds"]

    def _progress(self, parts: list[range], conditions: Conditions) -> tqdm:
        """A bar over all passes; before it, in words, how many they are and how long they will take."""
        steps, whole = len(self._scheduler().timesteps), len(parts) == 1
        passes = sum(len(self._windows(len(part), step, whole)) for part in parts for step in range(steps))
        if not self.quiet and passes >= WORTH_MEASURING:
            tqdm.write(self._estimate(passes, steps, conditions.part(parts[0])), file=sys.stderr)
        return tqdm(total=passes, desc="EchoMimic", unit="pass", disable=self.quiet)

    def _estimate(self, passes: int, steps: int, conditions: Conditions) -> str:
        window = self._windows(len(conditions.landmarks), 0, True)[0]
        noisy = self._noise(len(window), torch.Generator().manual_seed(SEED))
        timestep = self._scheduler().timesteps[0]
        TIMESTEP.set(timestep)
        began = time.perf_counter()
        self.predict(noisy, timestep, conditions, window).sum().item()  # waits for the device
        seconds = time.perf_counter() - began
        whole = time.strftime("%H:%M:%S", time.gmtime(seconds * passes))
        return (
            f"EchoMimic: {passes // steps} windows x {steps} steps of {seconds:.2f} s: about {whole} (h:min:s), and "
            "the decoding."
        )
