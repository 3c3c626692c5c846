"""Every metric takes tensors of a device and bfloat16, and its judge may be there too."""

import inspect

import numpy as np
import pytest
import torch
from stand_in import StandIn

from text2lip import metrics as M
from text2lip.metrics.i3d import I3DModel
from text2lip.metrics.inception import InceptionModel
from text2lip.metrics.sync import sync_features
from text2lip.text.timing import Segment


RNG = np.random.default_rng(0)
LIPS = RNG.normal(0, 0.1, (2, 40, 57, 2)).cumsum(1).astype(np.float32) / 8
FILMS = RNG.integers(0, 256, (2, 3, 64, 64, 3)).astype(np.uint8)
MOUTHS = (64 * RNG.random((2, 3, 40, 2))).astype(np.float32)  # lips in pixels of those frames
VOICE = RNG.normal(0, 0.1, 40 * 640).astype(np.float32)
PHONES = [Segment("", 0.0, 0.4), Segment("p", 0.4, 0.6), Segment("a", 0.6, 1.2), Segment("", 1.2, 1.6)]
TEXT = {"bleu", "edit_distance", "slot_accuracy", "wer", "duration_error"}  # of words and times, no tensors
ABOUT = {"Tally", "mean_of", "pooled", "MissingWeights", "available_metrics", "weights_folder", "LipNet"}
ABOUT |= {"LipReader", "LipReaderOutput", "builtin_reader"}  # with the models
JUDGES = {"LPIPSModel": (), "SyncNet": (), "I3DModel": (), "InceptionModel": (), "SyncScorer": (16, 8)}


def seeded(model_class: type) -> torch.nn.Module:
    torch.manual_seed(0)
    return model_class(*JUDGES[model_class.__name__]).eval()


CASES = {  # of each metric: arrays or tensors, other arguments, and its judge
    "closure": ((LIPS[0],), {"phones": PHONES, "fps": 25}),
    "stillness": ((LIPS[0],), {"phones": PHONES, "fps": 25}),
    "jerk": ((LIPS[0],), {}),
    **{name: (tuple(LIPS), {}) for name in ("lmd", "lmd_centred", "gap_r", "width_r", "jerk_ratio", "dtw")},
    **{name: (tuple(FILMS), {}) for name in ("ssim", "psnr", "flicker")},
    "cpbd": ((FILMS[0],), {}),
    "inner_lip_polygon": None,  # of numpy arrays
    "inner_mouth_psnr": ((*FILMS, 64 * RNG.random((3, 8, 2)), np.ones(3)), {}),
    "inner_lpips": ((*FILMS, MOUTHS[0]), {}, M.LPIPSModel),
    **{name: ((*FILMS, *MOUTHS), {}) for name in ("inner_sharpness", "lip_edge", "lip_border", "lip_colour")},
    "identity": (tuple(FILMS), {"embed": lambda frames: torch.as_tensor(frames).double().flatten(1)[:, :9]}),
    "frechet_distance": (tuple(RNG.normal(size=(2, 6, 4)).astype(np.float32)), {}),
    "sync_scores": (tuple(RNG.normal(size=(2, 9, 4)).astype(np.float32)), {}),
    "lpips": (tuple(FILMS), {}, M.LPIPSModel),
    "video_features": ((RNG.integers(0, 256, (1, 9, 24, 24, 3)).astype(np.uint8),), {}, I3DModel),
    "image_features": ((FILMS[0][:1],), {}, InceptionModel),
    "lse": (
        (RNG.integers(0, 256, (7, 224, 224, 3)).astype(np.uint8), RNG.normal(0, 0.1, 7 * 640)),
        {"fps": 25, "sampling_rate": 16000},
        M.SyncNet,
    ),
    "sync_of_lips": ((RNG.normal(0, 0.02, (40, 40, 2)).astype(np.float32), VOICE), {"fps": 25}, M.SyncScorer),
    "sync_of_pictures": ((RNG.integers(0, 256, (40, 96, 96, 3)).astype(np.uint8), VOICE), {"fps": 25}, M.SyncScorer),
    "lipnet_reading": None,  # of numpy arrays
    "syncnet_faces": None,
    "fid": None,  # `image_features` and `frechet_distance`
    "fvd": None,
}


def measure(name: str, move=lambda x: x) -> np.ndarray:
    values, options, *judge = CASES[name]
    if judge:
        options = options | {"model": move(seeded(judge[0]))}
    function = sync_features if name == "lse" else getattr(M, name)  # random weights: what it sees says more
    made = function(*(move(value) for value in values), **options)
    return np.concatenate([np.ravel(getattr(x, "value", x)) for x in (made if isinstance(made, tuple) else (made,))])


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case])
def test_of_tensors_on_a_device(name):
    want = measure(name)
    with StandIn("mps" if name not in ("inner_mouth_psnr", "lse") else "cuda") as there:

        def move(value):
            return (
                value.to(there.device)
                if isinstance(value, torch.nn.Module)
                else torch.as_tensor(value, device=there.device)
            )

        got = measure(name, move)
    assert np.isfinite(want).all() and np.array_equal(got, want)


def test_bfloat16_is_taken():
    lips = torch.from_numpy(LIPS).bfloat16()
    assert M.lmd(*lips) == pytest.approx(M.lmd(*LIPS), rel=0.02)


def test_every_metric_is_among_them():
    assert set(M.__all__) >= ABOUT | TEXT
    assert set(M.__all__) - TEXT - ABOUT - JUDGES.keys() == CASES.keys()
    judges = {case[2].__name__ for case in CASES.values() if case and len(case) > 2}
    assert judges == JUDGES.keys() and all(
        inspect.isclass(getattr(M, name)) for name in ("LPIPSModel", "SyncNet", "SyncScorer")
    )
