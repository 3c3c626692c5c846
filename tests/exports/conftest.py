"""A clip for the writers."""

import pytest

from text2lip.exports import Clip
from text2lip.text.timing import Word


@pytest.fixture
def clip():
    """Makes clips of two frames at 25 a second."""

    def make(frames=(), **given) -> Clip:
        values = {"num_frames": 2, "fps": 25.0, "size": (32, 32), "times_from": "voice"}
        values["words"] = [Word("Hi", 0.0, 0.08)]
        nothing = dict.fromkeys(("audio", "sampling_rate", "landmarks", "visemes", "phones", "motion_plan"))
        return Clip(frames=frames, **nothing | values | given)

    return make
