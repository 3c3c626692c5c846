"""Which renderer draws the frames, and what it is made of."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch


RENDERERS = ("auto", "geometric", "unet")
SAMPLED = ("reference_unet", "landmark_encoder", "vae", "scheduler")
"""Components that a renderer which samples needs beside its `unet`."""


def renderer_kind(pipe: Any, renderer: str | None = None) -> str:
    """What stands behind a renderer's name.

    Args:
        pipe ([`Text2LipPipeline`]): its components decide.
        renderer (`str`, *optional*): "auto" (the best there is), "geometric" or "unet"; the pipeline's own choice by
            default.

    Returns:
        `str`: "geometric", "learned" (a [`LandmarkGuidedUNet`]) or "echomimic" (an [`EchoMimicUNet`], which samples).

    Raises:
        ValueError: an unknown name, or components that it needs are missing.
    """
    renderer = pipe.config.renderer if renderer is None else renderer
    if renderer not in RENDERERS:
        raise ValueError(f"renderer: {renderer!r}; choose one of {RENDERERS}.")
    if renderer == "unet" and pipe.unet is None:
        raise ValueError("renderer: 'unet', but this pipeline has no unet; choose 'geometric'.")
    if renderer == "geometric" or pipe.unet is None:
        return "geometric"
    from text2lip.models.landmark_unet import LandmarkGuidedUNet

    if isinstance(pipe.unet, LandmarkGuidedUNet):
        return "learned"
    from text2lip.models.echomimic_unet import EchoMimicUNet

    if not isinstance(pipe.unet, EchoMimicUNet):
        raise ValueError(
            f"unet: {type(pipe.unet).__name__} is no renderer; load a LandmarkGuidedUNet or an EchoMimicUNet, or "
            "choose renderer='geometric'."
        )
    for name in SAMPLED:
        if getattr(pipe, name) is None:
            raise ValueError(f"{name}: None, but an EchoMimicUNet needs it; load it, or choose renderer='geometric'.")
    return "echomimic"


def make_renderer(pipe: Any, renderer: str | None = None, **sampler: Any):
    """The [`Renderer`] of that name; `sampler` are the arguments of one that samples."""
    kind = renderer_kind(pipe, renderer)
    if kind == "geometric":
        from text2lip.renderers.geometric import GeometricRenderer

        return GeometricRenderer()
    if kind == "learned":
        from text2lip.renderers.learned import LearnedRenderer

        return LearnedRenderer(pipe.unet)
    from text2lip.renderers.echomimic import EchoMimicRenderer
    from text2lip.renderers.sampling import SamplingOptions

    options = SamplingOptions(**sampler, quiet=bool(getattr(pipe, "_progress_bar_config", {}).get("disable")))
    return EchoMimicRenderer(pipe.unet, *(getattr(pipe, name) for name in SAMPLED), options=options, pipe=pipe)


def add_life(
    frames: Iterable[np.ndarray],
    landmarks: np.ndarray,
    face: np.ndarray,
    strength: float,
    generator: Any = None,
    **clip,
) -> tuple[Iterator[np.ndarray], np.ndarray]:
    """Blinks and head sway over a clip, seeded by `generator`; without one every call gives the same.

    Args:
        frames (iterable of `np.ndarray`): uint8 (height, width, 3).
        landmarks (`np.ndarray`): float32 (frames, 478, 2), normalised.
        face (`np.ndarray`): (478, 2), the portrait's own.
        strength (`float`): 0 to 2.
        generator (`torch.Generator`, *optional*): chooses the motion.
        clip: `fps`, and `size` as height and width in pixels.

    Returns:
        `tuple`: frames and landmarks with the motion.
    """
    from text2lip.renderers.idle import add_idle, idle_landmarks

    seed = 0 if generator is None else int(torch.randint(2**31, (), generator=generator, device=generator.device))
    life = {"fps": clip["fps"], "strength": strength, "seed": seed}
    return add_idle(frames, face, **life), idle_landmarks(landmarks, face, size=clip["size"], **life)
