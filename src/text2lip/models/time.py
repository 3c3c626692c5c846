"""When tokens begin and end."""

import torch


def token_times(durations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Start and end of tokens that follow each other, seconds: two tensors of the shape of `durations`."""
    end = durations.cumsum(-1)
    return end - durations, end
