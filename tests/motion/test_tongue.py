import numpy as np
import pytest

from text2lip.motion.tongue import POSES, tongue_poses
from text2lip.text.timing import Timeline


def poses(*phones, frames=25, fps=25):
    return tongue_poses(Timeline.from_phones(phones, duration=max(frames / fps, phones[-1][2])), frames, fps)


@pytest.mark.parametrize(
    "label, pose",
    [("t", "up"), ("ð", "between"), ("ˈθ", "between"), ("k", "back"), ("ˈuː", "back"), ("dʒ", "up"), ("t͡ʃ", "up")],
)
def test_a_phone_puts_the_tongue_in_its_place(label, pose):
    shares = poses((label, 0.4, 0.6))
    assert shares.shape == (25, 3) and shares[12].tolist() == [float(p == pose) for p in POSES]
    assert shares[:7].max() == 0 and shares[-8:].max() == 0
    assert (np.diff(shares[:12].max(1)) >= 0).all()


@pytest.mark.parametrize("label", ["", "p", "ˈiː", "f", "ə"])
def test_it_rests_else(label):
    assert poses((label, 0.2, 0.8)).max() == 0


def test_neighbours_share_a_frame():
    shares = poses(("t", 0.0, 0.5), ("θ", 0.5, 1.0), fps=50, frames=50)
    assert shares.sum(1).max() <= 1 + 1e-6 and 0.2 < shares[25, 0] < 0.8 and 0.2 < shares[24, 1] < 0.8


def test_vowels_beside_a_short_dental_do_not_hide_it():
    """The tongue of "Do you think?" is between the teeth for more than one frame."""
    shares = poses(("u", 0.42, 0.4725), ("θ", 0.4725, 0.5475), ("ɪ", 0.5475, 0.6))
    assert (shares[[12, 13], 1] > 0.8).all() and shares[11, 1] > 0.55 and shares.sum(1).max() <= 1 + 1e-6


def test_phones_beyond_the_clip():
    assert poses(("t", 3.0, 3.2)).max() == 0
