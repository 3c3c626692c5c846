"""Which arithmetic a run uses: half precision only where the processor has it."""

import os

import torch


BF16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16", "arm_bf16")  # of torch.cpu.get_capabilities()
PRECISIONS = ("auto", "no", "bf16", "fp16")


def has_bf16(device: torch.device) -> bool | None:
    """Whether `device` multiplies bfloat16 itself; elsewhere it is emulated, many times slower than float32.

    None where torch can't tell.
    """
    if device.type == "cpu":
        able = getattr(torch.cpu, "get_capabilities", dict)()  # older torch doesn't tell
        return any(able.get(name) for name in BF16_INSTRUCTIONS)
    supported = getattr(getattr(torch, device.type, None), "is_bf16_supported", None)
    return None if supported is None else supported(including_emulation=False)


def choose_precision(asked: str, device: torch.device) -> tuple[str, str]:
    """The precision of a run.

    Args:
        asked (`str`): the setting `mixed_precision`: "auto", "no", "bf16" or "fp16".
        device (`torch.device`): that trains.

    Returns:
        `tuple[str, str]`: "no", "bf16" or "fp16", and who chose it. What was asked for wins; "auto" is what
        `accelerate launch --mixed_precision` says unless that is "no", else bf16 where [`has_bf16`].

    Raises:
        ValueError: an unknown precision.
    """
    if asked not in PRECISIONS:
        raise ValueError(f"mixed_precision: {asked!r}; choose one of {PRECISIONS}.")
    launched = os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
    if asked != "auto":
        over = f", over accelerate's {launched!r}" if launched not in ("no", asked) else ""
        slow = "; WARNING: this processor has no bf16 arithmetic, 'no' is faster"
        return asked, f"as set{over}" + (slow if asked == "bf16" and has_bf16(device) is False else "")
    if launched in PRECISIONS[2:]:
        return launched, "as `accelerate launch` says"
    able = has_bf16(device)
    if able is None:
        return "no", f"torch can't tell whether this {device.type} has bf16"
    return ("bf16", f"this {device.type} has it") if able else ("no", f"this {device.type} has no bf16")
