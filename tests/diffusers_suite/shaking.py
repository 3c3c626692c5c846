"""Weights that say something, where networks begin with zeros."""

import zlib

import torch


def shake(model: torch.nn.Module):
    """Fill what starts at zero: else a network says nothing, and any comparison of it passes."""
    for name, parameter in model.named_parameters():
        if not parameter.is_meta and not parameter.any():
            generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
            parameter.data.copy_(0.1 * torch.randn(parameter.shape, generator=generator))
