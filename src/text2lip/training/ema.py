"""Exponential moving average of a network's parameters."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn


class EMA:
    """Average of parameters over steps, float32; its memory grows with the steps done, up to `decay`.

    It goes where the parameters go: a module may be moved to a device after its average was begun.

    Args:
        module (`nn.Module`): whose trainable parameters are averaged.
        decay (`float`): in [0, 1); of the average at each step, min(decay, (1 + steps) / (10 + steps)).
    """

    def __init__(self, module: nn.Module, decay: float = 0.999):
        if not 0 <= decay < 1:
            raise ValueError(f"decay: {decay} is outside [0, 1).")
        self.decay, self.steps = decay, 0
        self.average = {name: p.detach().float().clone() for name, p in module.named_parameters() if p.requires_grad}

    @torch.no_grad()
    def update(self, module: nn.Module):
        """Take one step towards the parameters of `module`."""
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        self.steps += 1
        parameters = dict(module.named_parameters())
        for name, average in self.average.items():
            parameter = parameters[name].detach().float()
            self.average[name] = average.to(parameter.device).lerp_(parameter, 1 - decay)

    @contextmanager
    def applied(self, module: nn.Module) -> Iterator[None]:
        """Inside, `module` has the average for parameters; afterwards its own again."""
        parameters = dict(module.named_parameters())
        originals = {name: parameters[name].detach().clone() for name in self.average}
        self._set(parameters, self.average)
        try:
            yield
        finally:
            self._set(parameters, originals)

    @staticmethod
    @torch.no_grad()
    def _set(parameters, values):
        for name, value in values.items():
            parameters[name].copy_(value)

    def save(self, path: str | Path):
        """Write a safetensors file."""
        from safetensors.torch import save_file

        save_file(self.average, str(path), {"steps": str(self.steps)})

    def load(self, path: str | Path):
        """Read what [`save`] wrote for the same network.

        Raises:
            ValueError: the file is of another network.
        """
        from safetensors import safe_open

        with safe_open(str(path), framework="pt") as file:
            names = set(file.keys())
            if names != set(self.average):
                raise ValueError(f"path: {str(path)!r} holds the average of another network.")
            for name in names:
                self.average[name].copy_(file.get_tensor(name))
            self.steps = int(file.metadata()["steps"])
