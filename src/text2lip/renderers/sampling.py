"""What a call asks of a sampler, and what callbacks may read and set of it, by the names that diffusers has."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import RLock


STATE = ("_guidance_scale", "_num_timesteps", "_interrupt")
_LENDING = RLock()


@dataclass(frozen=True)
class SamplingOptions:
    """What a call asks of a renderer that samples.

    Attributes:
        num_inference_steps (`int`, *optional*): steps of the sampler; the denoiser's own number by default.
        guidance_scale (`float`, *optional*): classifier-free guidance, off up to 1; the denoiser's own by default.
        callback_on_step_end (`Callable`, *optional*): `(pipe, step, timestep, tensors) -> tensors`, after each step of
            each piece; or a `PipelineCallback` of diffusers. What it may read and set of `pipe`: [`Sampling`].
        callback_on_step_end_tensor_inputs (`list[str]`, *optional*): which tensors it gets, "latents" by default, and
            may give back changed: "latents", float32 (1, channels, frames, height, width); "prompt_embeds", the sound,
            (rows, frames, tokens, width), with guidance two rows, of which the first is "no sound".
        quiet (`bool`): no progress bar and no estimate.
    """

    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    callback_on_step_end: Callable | None = None
    callback_on_step_end_tensor_inputs: list[str] | None = None
    quiet: bool = False


class Sampling:
    """State of a sampler; a `PipelineCallback` of diffusers works on it.

    A callback may set `_guidance_scale`, which holds from the next step to the end of the piece, and `_interrupt`,
    which leaves out all steps that are left of the clip.
    """

    _callback_tensor_inputs = ["latents", "prompt_embeds"]
    _guidance_scale: float | None = None
    _num_timesteps: int | None = None
    _interrupt = False

    def begin(self, num_timesteps: int, guidance_scale: float):
        """Note what a piece of a clip begins with."""
        self._num_timesteps, self._guidance_scale = num_timesteps, guidance_scale

    @contextmanager
    def lent(self, owner: "Sampling") -> Iterator[None]:
        """Inside, this has the state of `owner`, the sampler of one clip; what is set here is the owner's afterwards.

        One thread at a time: a pipeline that samples in several shows each callback the state of its own clip.
        """
        with _LENDING:
            for name in STATE:
                setattr(self, name, getattr(owner, name))
            yield
            for name in STATE:
                setattr(owner, name, getattr(self, name))

    @property
    def guidance_scale(self) -> float | None:
        """Strength of classifier-free guidance, off up to 1; None before anything was sampled."""
        return self._guidance_scale

    @property
    def num_timesteps(self) -> int | None:
        """Steps of the sampler; None before anything was sampled."""
        return self._num_timesteps

    @property
    def interrupt(self) -> bool:
        """Whether the steps that are left are left out."""
        return self._interrupt
