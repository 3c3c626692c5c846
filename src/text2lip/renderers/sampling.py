"""What callbacks may read and set of a pipeline while it samples, by the names that diffusers' pipelines have."""


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
