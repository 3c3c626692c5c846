"""A clip in a thread of its own: how far it is, and that it stops."""

import threading
import time
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from text2lip.demo.clip_job import PREPARING, ClipJob
from text2lip.faces.mouth_trust import MouthWarning
from text2lip.pipelines.output import Text2LipStream


@pytest.fixture
def gate():
    """What holds the frames back until it is set."""
    gate = threading.Event()
    yield gate
    gate.set()


def stream(gate, drawn, num_frames=50):
    def frames():
        for number in range(num_frames):
            if number == 3:
                gate.wait(20)
            drawn.append(number)
            yield np.full((32, 32, 3), 5 * number, np.uint8)

    lists = {name: [] for name in ("visemes", "phones", "words", "turns", "confidence", "doubts")}
    more = {"audio": None, "sampling_rate": None, "landmarks": np.zeros((num_frames, 478, 2)), "times_from": "voice"}
    return Text2LipStream(frames(), num_frames, 25.0, motion_plan=None, size=(32, 32), **lists, **more)


def until(condition):
    for _ in range(400):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come to that")


def test_it_is_told_how_far_it_is_and_how_long_it_takes(gate):
    job = ClipJob(lambda: stream(gate, []))
    until(lambda: job.done == 3)
    share, words = job.progress()
    assert share == 3 / 50 and words.startswith("Frame 3 of 50, about ") and words.endswith(" s left")
    assert job.running
    gate.set()
    job.wait(20)
    assert not job.running and job.error is None and job.video.stat().st_size > 500
    assert job.progress() == (1.0, "Frame 50 of 50, writing the file …")
    job.clean()
    assert not job.folder.exists()


def test_stopping_draws_no_more_frames_and_leaves_no_file(gate):
    drawn = []
    job = ClipJob(lambda: stream(gate, drawn))
    until(lambda: job.done == 3)
    job.stop()
    gate.set()
    job.wait(20)
    assert job.stopped and job.error is None and len(drawn) <= 4
    assert list(job.folder.iterdir()) == []
    job.clean()


def test_stopping_before_the_first_frame(gate):
    drawn = []

    def make():
        gate.wait(20)
        return stream(gate, drawn)

    job = ClipJob(make)
    assert job.progress() == (0.0, PREPARING)
    job.stop()
    gate.set()
    job.clean()
    assert drawn == [] and job.error is None


def test_warnings_and_errors_are_kept(gate):
    def make():
        warnings.warn("image: a moustache.", MouthWarning, stacklevel=1)
        warnings.warn("of a library", UserWarning, stacklevel=1)
        gate.set()
        return stream(gate, [])

    job = ClipJob(make)
    job.wait(20)
    assert job.notes[0] == "image: a moustache." and job.error is None
    assert "of a library" not in job.notes
    job.clean()
    job = ClipJob(lambda: SimpleNamespace().nothing)
    job.wait(20)
    assert isinstance(job.error, AttributeError)
    job.clean()
