"""A mark in the sound itself, which nobody hears: Perth (Resemble AI, MIT), its network in plain torch.

The encoder changes the loudness of what lies below 2 kHz by a pattern that the decoder finds again, also after the
sound was compressed or resampled. It holds no message: it is there or not. Source: `resemble-perth` 1.0.1, *implicit*.
"""

import math

import torch
from torch import nn
from torch.nn import functional


RATE = 32_000  # Hz
N_FFT, WATERMARK_HOP = 2048, 320
TOP = 2000  # Hz up to which the sound is marked
WATERMARK_WIDTH = 256
LEAST_LEVEL, HEADROOM = -180.0, 15.0  # dB
QUIET_SHARE = 0.05  # of the loudest moment: what is softer holds no mark
BRANCHES = {"slow_layers": 1.25, "normal_layers": 1.0, "fast_layers": 0.75}
BANDS = round((N_FFT // 2 + 1) * TOP / (RATE / 2))


class SoundWatermark(nn.Module):
    """Perth's encoder and decoder; sound is float (batch, samples) at `RATE`, 32 kHz."""

    def __init__(self):
        super().__init__()
        self.encoder = _stack(BANDS)
        self.decoder = nn.ModuleDict({name: _stack(2) for name in BRANCHES})

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        """What is to be added to `sound`, of at least 1025 samples, to mark it: the same shape."""
        level, phase = _spectrum(sound)
        change = self.encoder(level[:, :BANDS]) * _loud(level)
        marked = torch.cat([level[:, :BANDS] + change, level[:, BANDS:]], 1)
        return _sound(marked, phase, sound.shape[1]) - _sound(level, phase, sound.shape[1])

    def detect(self, sound: torch.Tensor) -> torch.Tensor:
        """How surely `sound`, of at least 1025 samples, is marked: (batch,) in [0, 1]."""
        level, _ = _spectrum(sound)
        mask, bands = _loud(level), level[:, :BANDS]
        found = []
        for name, scale in BRANCHES.items():
            moments = int(bands.shape[2] * scale)
            seen = functional.interpolate(bands, moments, mode="linear", align_corners=True) if scale != 1 else bands
            share = functional.interpolate(mask, moments, mode="nearest")
            found.append((self.decoder[name](seen) * share).sum(2) / share.sum(2))
        trust, mark = torch.stack(found, -1).unbind(1)
        return (mark * trust.softmax(-1)).sum(-1).clip(0, 1)


def published_names(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The published weights under the names of [`SoundWatermark`]."""
    renamed = {}
    for name, value in weights.items():
        if name.startswith(("encoder.", "decoder.")):
            *place, number, _, kind = name.replace("encoder.layers.", "encoder.").split(".")
            renamed[".".join([*place, str(2 * int(number)), kind])] = value  # ours count the activations too
    return renamed


def _stack(outputs: int) -> nn.Sequential:
    layers = [nn.Conv1d(BANDS, WATERMARK_WIDTH, 1), nn.LeakyReLU()]
    for _ in range(5):
        layers += [nn.Conv1d(WATERMARK_WIDTH, WATERMARK_WIDTH, 7, padding=3), nn.LeakyReLU()]
    return nn.Sequential(*layers, nn.Conv1d(WATERMARK_WIDTH, outputs, 1))


def _window(sound: torch.Tensor) -> torch.Tensor:
    return torch.hann_window(N_FFT, device=sound.device, dtype=sound.dtype)


def _spectrum(sound: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Level, 0 at -180 dB and 1 at 15, and phase: (batch, frequencies, moments)."""
    spectrum = torch.stft(sound, N_FFT, WATERMARK_HOP, window=_window(sound), return_complex=True)
    level = 20 * spectrum.abs().clip(10 ** (LEAST_LEVEL / 20)).log10()
    return (level - LEAST_LEVEL) / (HEADROOM - LEAST_LEVEL), spectrum.angle()


def _sound(level: torch.Tensor, phase: torch.Tensor, samples: int) -> torch.Tensor:
    decibels = level * (HEADROOM - LEAST_LEVEL) + LEAST_LEVEL
    spectrum = torch.polar(torch.exp((decibels / 20).clip(max=10) * math.log(10)), phase)
    return torch.istft(spectrum, N_FFT, WATERMARK_HOP, window=_window(level), length=samples)


def _loud(level: torch.Tensor) -> torch.Tensor:
    """1 where a moment is loud enough to hold the mark: (batch, 1, moments)."""
    loudness = level.sum(1, keepdim=True)
    return (loudness > QUIET_SHARE * loudness.amax(2, keepdim=True)).to(level.dtype)
