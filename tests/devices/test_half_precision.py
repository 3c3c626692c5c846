"""The whole pipeline with weights of other types: nearly the frames of float32."""

import numpy as np
import pytest
import torch


CALL = {"prompt": "Bob.", "voice": None, "num_frames": 6}
NETWORKS = ("viseme_encoder", "pseudo_audio", "lip_decoder", "unet")
LANDMARKS = 5e-4  # of the picture's side, where lips move by 0.01 and more; measured: up to 7e-5
ROUNDED = 2e-3  # where the face landmarker's weights or the networks' are kept in 8 bits or fewer; measured: 9e-4
DECIBELS = 45.0  # PSNR of frames in the box around the mouth, where the still portrait has 27; measured: 52 and more
KINDS = {
    "to bfloat16": lambda load: load().to(torch.bfloat16),
    "to float16": lambda load: load().to(torch.float16),
    "bfloat16": lambda load: load(dtype=torch.bfloat16),
    "float16": lambda load: load(dtype=torch.float16),
    "some float16": lambda load: some(load()),
    "float16 kept, float32": lambda load: kept(load(), torch.float16, torch.float32),
    "float16 kept, bfloat16": lambda load: kept(load(dtype=torch.bfloat16), torch.float16, torch.bfloat16),
    "float8 kept, float32": lambda load: kept(load(), torch.float8_e4m3fn, torch.float32),
}


def some(pipe):
    for name in ("pseudo_audio", "unet"):
        getattr(pipe, name).to(torch.float16)
    return pipe


def kept(pipe, storage: torch.dtype, compute: torch.dtype):
    for name in NETWORKS:
        getattr(pipe, name).enable_layerwise_casting(storage, compute)
    return pipe


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return 10 * np.log10(255**2 / max(np.square(one.astype(float) - other).mean(), 1e-9))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_frames_are_nearly_those_of_float32(pipe, fresh, portrait, kind):
    want = pipe.stream(image=portrait, **CALL)
    frames = np.stack(list(want))
    stream = KINDS[kind](fresh).stream(image=portrait, **CALL)
    got = np.stack(list(stream))
    rows, columns = (np.flatnonzero(np.ptp(frames, 0).any((axis, 2))) for axis in (1, 0))
    box = (slice(None), slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    still = psnr(np.broadcast_to(portrait, frames.shape)[box], frames[box])
    apart, near = np.abs(stream.landmarks - want.landmarks).max(), psnr(got[box], frames[box])
    assert still < 30 and near > DECIBELS
    assert apart < (ROUNDED if kind in ("to bfloat16", "float8 kept, float32") else LANDMARKS)
