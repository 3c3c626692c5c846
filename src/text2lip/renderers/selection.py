"""Which renderer draws the frames: by name from a pipeline's networks, or the caller's own."""

import os
from collections.abc import Mapping
from typing import Any

from text2lip.models.echomimic_unet import EchoMimicUNet
from text2lip.models.landmark_unet import LandmarkGuidedUNet
from text2lip.renderers.base import Renderer
from text2lip.renderers.echomimic import EchoMimicRenderer
from text2lip.renderers.geometric import GeometricRenderer
from text2lip.renderers.learned import LearnedRenderer
from text2lip.renderers.sampling import Sampling, SamplingOptions


RENDERERS = ("auto", "geometric", "learned", "echomimic")
UNETS = {LandmarkGuidedUNet: "learned", EchoMimicUNet: "echomimic"}
"""The network in a pipeline's slot `unet` -> the renderer that it is for."""
ECHOMIMIC = ("unet", "reference_unet", "landmark_encoder", "vae", "scheduler")
SAMPLER_ARGUMENTS = (
    "num_inference_steps",
    "guidance_scale",
    "callback_on_step_end",
    "callback_on_step_end_tensor_inputs",
)
ABILITIES = ("takes_references", "hears_sound", "samples")


def choose_renderer(
    renderer: str | Renderer,
    networks: Mapping[str, Any],
    options: SamplingOptions | None = None,
    pipe: Sampling | None = None,
) -> Renderer:
    """The renderer of that name.

    Args:
        renderer (`str` or [`Renderer`]): "auto" (the best that the networks make), "geometric", "learned",
            "echomimic"; or an object, which is checked and given back.
        networks (`Mapping`): a pipeline's components; `unet` may be a [`LandmarkGuidedUNet`], an [`EchoMimicUNet`] or
            None.
        options ([`SamplingOptions`], *optional*): for a renderer that samples.
        pipe ([`Sampling`], *optional*): the pipeline that callbacks are given.

    Raises:
        ValueError: an unknown name, an object that is no renderer, networks that it needs are missing, or steps and
            the like for a renderer that doesn't sample.
    """
    options = options or SamplingOptions()
    if not isinstance(renderer, str):
        chosen = _checked(renderer)
    elif renderer not in RENDERERS:
        hint = "; 'unet' is called 'learned' or 'echomimic', as the network is" if renderer == "unet" else ""
        raise ValueError(f"renderer: {renderer!r}; choose one of {RENDERERS}, or give an object that draws{hint}.")
    else:
        name = _best(networks["unet"]) if renderer == "auto" else renderer
        if name == "echomimic":
            return EchoMimicRenderer(*_networks_of_echomimic(networks), options=options, pipe=pipe)
        chosen = GeometricRenderer() if name == "geometric" else LearnedRenderer(_network(name, networks["unet"]))
    for name in SAMPLER_ARGUMENTS:
        if getattr(options, name) is not None:
            why = "an object has its own settings" if chosen is renderer else "this renderer takes no steps"
            raise ValueError(f"{name}: {getattr(options, name)!r}, but {why}; leave it out.")
    return chosen


def check_references(reference: Any, renderer: Renderer) -> None:
    """Refuse other pictures of the person, if there are any, for a renderer that takes none; ValueError."""
    if reference is not None and not renderer.takes_references:
        value = repr(reference) if isinstance(reference, (str, os.PathLike)) else f"got {type(reference).__name__}"
        raise ValueError(f"reference: {value}, but this renderer takes no reference; leave it out.")


def _checked(renderer: Any) -> Renderer:
    if isinstance(renderer, type):
        raise ValueError(f"renderer: the class {renderer.__name__}; give an object of it.")
    missing = [name for name in ("render", *ABILITIES) if not hasattr(renderer, name)]
    if missing:
        raise ValueError(
            f"renderer: {type(renderer).__name__} has no {', '.join(missing)}; choose one of {RENDERERS}, or give an "
            "object with the members of text2lip.renderers.Renderer."
        )
    return renderer


def _best(unet: Any) -> str:
    if unet is None:
        return "geometric"
    for kind, name in UNETS.items():
        if isinstance(unet, kind):
            return name
    raise ValueError(
        f"unet: {type(unet).__name__} is no renderer; load a LandmarkGuidedUNet or an EchoMimicUNet, or choose "
        "renderer='geometric'."
    )


def _network(name: str, unet: Any) -> Any:
    wanted = next(kind for kind, renderer in UNETS.items() if renderer == name)
    if not isinstance(unet, wanted):
        what = "no unet" if unet is None else f"a unet of the class {type(unet).__name__}"
        raise ValueError(f"renderer: {name!r} wants a {wanted.__name__}, but this pipeline has {what}; choose 'auto'.")
    return unet


def _networks_of_echomimic(networks: Mapping[str, Any]) -> list[Any]:
    _network("echomimic", networks["unet"])
    for name in ECHOMIMIC:
        if networks[name] is None:
            raise ValueError(f"{name}: None, but an EchoMimicUNet needs it; load it, or choose renderer='geometric'.")
    return [networks[name] for name in ECHOMIMIC]
