"""Models of a pipeline that are on the accelerator only while they work."""

import inspect
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from diffusers.hooks import apply_group_offloading


class Offloading:
    """What [`Text2LipPipeline`] adds to diffusers' offloading."""

    def enable_group_offload(self, *args, **kwargs) -> None:
        """As in [`DiffusionPipeline`]; with `offload_to_disk_path` each model has a folder of its own there.

        In one folder, as diffusers has it, layers of the same name in two models would share a file.

        Raises:
            ValueError: a name in `exclude_modules` that no component has; or `offload_to_disk_path` holds files, which
                diffusers would take for those of this pipeline.
        """
        arguments = inspect.signature(super().enable_group_offload).bind(*args, **kwargs).arguments
        folder = arguments.get("offload_to_disk_path")
        if folder is None:
            return super().enable_group_offload(**arguments)
        excluded = arguments.pop("exclude_modules", None) or ()
        excluded = (excluded,) if isinstance(excluded, str) else excluded
        models = {name: model for name, model in self.components.items() if isinstance(model, torch.nn.Module)}
        if unknown := set(excluded) - set(self.components):
            raise ValueError(f"exclude_modules: {sorted(unknown)} are no components; choose among {sorted(models)}.")
        if os.path.isdir(folder) and os.listdir(folder):
            raise ValueError(
                f"offload_to_disk_path: {os.fspath(folder)!r} holds files, and weights found there are taken for this "
                "pipeline's; give a new folder."
            )
        for name, model in models.items():
            if name in excluded:
                model.to(arguments["onload_device"])
                continue
            arguments["offload_to_disk_path"] = os.path.join(folder, name)
            getattr(model, "enable_group_offload", partial(apply_group_offloading, model))(**arguments)

    def enable_sequential_cpu_offload(self, gpu_id: int | None = None, device: torch.device | str | None = None):
        """As in [`DiffusionPipeline`].

        Raises:
            ValueError: the device is the processor, from which accelerate could not take the weights back.
        """
        if device is not None and torch.device(device).type == "cpu":
            raise ValueError(f"device: '{device}' is where the weights wait; give an accelerator, or don't offload.")
        super().enable_sequential_cpu_offload(gpu_id, device)

    @contextmanager
    def _freed_hooks(self) -> Iterator[None]:
        """Whatever happens inside, models that `enable_model_cpu_offload` has brought to a device leave it."""
        try:
            yield
        finally:
            self.maybe_free_model_hooks()

    def _freeing(self, items: Iterable[Any]) -> Iterator[Any]:
        """The items, and models leave the device after the last, when no more are wanted, and on an error."""
        with self._freed_hooks():
            yield from items
