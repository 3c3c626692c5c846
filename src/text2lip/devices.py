"""Where a model computes, and in which type: not always where, and as what, its weights are kept."""

from contextlib import AbstractContextManager, nullcontext

import torch
from diffusers.models.modeling_utils import get_parameter_device, get_parameter_dtype
from torch import nn


def execution_device(model: nn.Module) -> torch.device:
    """The device on which a model wants its inputs, and gives its outputs.

    That of its weights; or, while they are offloaded, where accelerate's hooks (`enable_model_cpu_offload`,
    `enable_sequential_cpu_offload`, a device map) or diffusers' (`enable_group_offload`) will bring them. What is no
    module has a `device`.
    """
    if not isinstance(model, nn.Module):
        return model.device
    for module in model.modules():
        hook = getattr(module, "_hf_hook", None)
        for part in getattr(hook, "hooks", (hook,)):
            device = getattr(part, "execution_device", None)
            if device is not None:
                return torch.device(device)
    return get_parameter_device(model)


def compute_dtype(model: nn.Module) -> torch.dtype:
    """The type in which a model computes: that of its weights, or that of `enable_layerwise_casting`."""
    return get_parameter_dtype(model) if isinstance(model, nn.Module) else model.dtype


def inference_autocast(model: nn.Module) -> AbstractContextManager:
    """A context in which a network is asked: float32 weights compute in bfloat16 on a CPU that multiplies in it.

    That is quicker there, with three digits or so; other CPUs would only imitate it, more slowly. Elsewhere, and for
    other weights, nothing is done: not even to an autocast of the caller's.
    """
    able = execution_device(model).type == "cpu" and getattr(torch.cpu, "_is_avx512_bf16_supported", bool)()
    return torch.autocast("cpu", torch.bfloat16) if able and compute_dtype(model) == torch.float32 else nullcontext()


def usable_device(name: str) -> torch.device:
    """The torch device `name`, if this machine has it.

    Raises:
        ValueError: it is no device, or not here.
    """
    try:
        if torch.device(name).type == "meta":
            raise NotImplementedError("tensors have no data there")
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError, NotImplementedError) as error:  # AssertionError: torch without CUDA
        why = str(error).splitlines()[0]
        raise ValueError(f"device: {name!r} can't be used ({why}); leave it out for the processor.") from error
