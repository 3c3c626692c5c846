"""What the networks that judge clips have in common: published weights, read once."""

from functools import lru_cache
from pathlib import Path
from typing import Self

from safetensors.torch import load_file
from torch import nn

from text2lip.metrics.weights import find_weights


class Judge(nn.Module):
    """A network with published weights.

    Attributes:
        metric (`str`): whose weights they are, for [`find_weights`].
    """

    metric: str

    @classmethod
    def load(cls, path: str | Path | None = None) -> Self:
        """Read the weights from `path`, ready to judge; arguments and errors as [`find_weights`]."""
        model = cls()
        model.load_state_dict(load_file(find_weights(cls.metric, path)))
        return model.eval().requires_grad_(False)

    @classmethod
    def published(cls) -> Self:
        """That of the weights folder, read once. Raises as [`load`]."""
        return _published(cls, find_weights(cls.metric))


@lru_cache(maxsize=4)
def _published(kind: type[Judge], file: Path) -> Judge:
    return kind.load(file)
