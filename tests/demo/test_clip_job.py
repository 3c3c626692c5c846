"""A clip in a thread of its own: how far it is, and that it stops."""

import threading
import time
import warnings
from types import SimpleNamespace

import pytest

from text2lip.demo.clip_job import PREPARING, ClipJob
from text2lip.faces.mouth_trust import MouthWarning


def until(condition):
    for _ in range(400):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come to that")


def test_it_is_told_how_far_it_is_and_how_long_it_takes(gate, make_stream):
    job = ClipJob(lambda: make_stream([]))
    until(lambda: job.done == 3)
    share, words = job.progress()
    assert share == 3 / 50 and words.startswith("Frame 3 of 50, about ") and words.endswith(" s left")
    assert job.running
    gate.set()
    job.wait(20)
    assert not job.running and job.error is None and job.video.stat().st_size > 500
    assert job.progress() == (1.0, "Frame 50 of 50, writing the file …")
    job.clean()
    job.clean()
    assert not job.folder.exists()


def test_stopping_draws_no_more_frames_and_leaves_no_file(gate, make_stream):
    drawn = []
    job = ClipJob(lambda: make_stream(drawn))
    until(lambda: job.done == 3)
    job.stop()
    gate.set()
    job.wait(20)
    assert job.stopped and job.error is None and len(drawn) <= 4
    assert list(job.folder.iterdir()) == []
    job.clean()


def test_stopping_before_the_first_frame(gate, make_stream):
    drawn = []

    def make():
        gate.wait(20)
        return make_stream(drawn)

    job = ClipJob(make)
    assert job.progress() == (0.0, PREPARING)
    job.stop()
    gate.set()
    job.clean()
    assert drawn == [] and job.error is None


def test_warnings_and_errors_are_kept(gate, make_stream):
    def make():
        warnings.warn("image: a moustache.", MouthWarning, stacklevel=1)
        warnings.warn("of a library", UserWarning, stacklevel=1)
        gate.set()
        return make_stream([])

    job = ClipJob(make)
    job.wait(20)
    assert job.notes[0] == "image: a moustache." and job.error is None
    assert "of a library" not in job.notes
    job.clean()
    job = ClipJob(lambda: SimpleNamespace().nothing)
    job.wait(20)
    assert isinstance(job.error, AttributeError)
    job.clean()


def test_in_a_line_one_is_made_after_the_other(gate, make_stream):
    line, drawn = [], {name: [] for name in "abc"}
    first, second, third = (ClipJob(lambda name=name: make_stream(drawn[name]), line=line) for name in "abc")
    until(lambda: first.done == 3)
    assert second.progress() == (0.0, "One other video is made before yours …")
    assert third.progress() == (0.0, "2 other videos are made before yours …")
    second.stop()
    second.wait(20)
    assert second.progress() == (0.0, "Stopping …")
    second.clean()
    assert third.progress()[1].startswith("One") and first.running
    gate.set()
    first.clean()
    third.wait(20)
    assert third.done == len(drawn["c"]) == 50 and drawn["b"] == []
    third.clean()
    assert line == []


def test_a_thread_that_can_t_be_started_holds_up_nobody(tmp_path, monkeypatch):
    def fail(thread):
        raise RuntimeError("can't start new thread")

    line = []
    monkeypatch.setattr(threading.Thread, "start", fail)
    with pytest.raises(RuntimeError):
        ClipJob(lambda: None, str(tmp_path), line)
    assert line == [] and list(tmp_path.iterdir()) == []


def test_many_leave_the_line_at_once(gate, make_stream):
    line = []
    jobs = [ClipJob(lambda: make_stream([]), line=line) for _ in range(12)]
    leaving = [threading.Thread(target=job.clean) for job in jobs[:-1] * 2]
    gate.set()
    for one in leaving:
        one.start()
    for one in leaving:
        one.join(20)
    jobs[-1].wait(20)
    assert line == jobs[-1:] and jobs[-1].done == 50 and jobs[0].progress() == (0.0, "Stopping …")
    jobs[-1].clean()


def test_what_a_long_text_costs_is_told_from_the_start(gate, make_stream):
    job = ClipJob(lambda: gate.wait(20) and make_stream([]), preparing="It takes about 5 min.")
    assert job.progress() == (0.0, "It takes about 5 min.")
    job.stop()
    gate.set()
    job.clean()
