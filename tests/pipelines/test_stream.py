"""Frames one at a time: equal to a call, at constant memory."""

import tracemalloc
from threading import Event, Thread

import numpy as np
import pytest

from text2lip import memory
from text2lip.media.video_writer import write_video
from text2lip.pipelines.output import within_memory


def test_stream_equals_call(pipe, portrait):
    called = pipe("Papa.", portrait)
    stream = pipe.stream("Papa.", portrait)
    frames = list(stream)
    assert len(frames) == len(stream) == len(called.frames[0])
    assert all(frame.dtype == np.uint8 and frame.shape == portrait.shape for frame in frames)
    assert all(np.array_equal(a, np.asarray(b)) for a, b in zip(frames, called.frames[0]))
    assert np.array_equal(stream.audio, called.audio[0])
    assert (stream.sampling_rate, stream.fps) == (called.sampling_rate, called.fps)
    assert (stream.phones, stream.visemes, stream.words) == (called.phones[0], called.visemes[0], called.words[0])
    assert np.array_equal(stream.landmarks, called.landmarks[0])


def test_a_long_recording_stays_in_its_file(pipe, portrait, tmp_path, monkeypatch):
    sound = np.random.default_rng(0).uniform(-0.1, 0.1, (2, 16_000)).astype(np.float32)
    write_video(tmp_path / "a.mp4", [portrait] * 25, audio=sound, sampling_rate=16_000)
    asked = {"audio": str(tmp_path / "a.mp4"), "timings": [("a", 0.1, 0.3)], "motion": "articulatory"}
    short = pipe.stream(None, portrait, num_frames=20, **asked)
    monkeypatch.setattr(memory, "IN_MEMORY", 50_000)
    stream = pipe.stream(None, portrait, num_frames=20, **asked)
    assert memory.in_file(stream.audio) and not memory.in_file(short.audio)
    assert np.array_equal(stream.audio, short.audio) and np.array_equal(stream.sound(24_000), short.sound(24_000))


def test_frames_are_not_kept(pipe, portrait):
    stream = pipe.stream("One two three four five.", portrait, num_frames=60)
    for _ in range(5):
        next(stream)
    tracemalloc.start()
    for _ in stream:
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert stream.num_done == 60
    assert peak < 60 * portrait.nbytes  # 55 frames were made; the working set of a few is about 41


def test_stream_saves_itself(pipe, portrait, tmp_path):
    from text2lip.media.video import read_frames

    stream = pipe.stream("Hi.", portrait, num_frames=4)
    assert stream.save(tmp_path / "a.mp4") == 4
    assert len(list(read_frames(tmp_path / "a.mp4"))) == 4


def test_half_used_stream_is_not_saved_out_of_step(pipe, portrait, tmp_path):
    stream = pipe.stream("Hi.", portrait, num_frames=4)
    next(stream)
    with pytest.raises(ValueError, match="1 frames are gone"):
        stream.save(tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())


def test_error_while_saving_leaves_nothing(pipe, portrait, tmp_path):
    def broken(frames):
        yield next(frames)
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        pipe.stream("Hi.", portrait, num_frames=4).save(tmp_path / "a.mp4", progress=broken)
    assert not list(tmp_path.iterdir())


def test_two_streams_do_not_disturb_each_other(pipe, portrait):
    first, second = pipe.stream("Papa.", portrait, num_frames=9), pipe.stream("Who?", portrait, num_frames=9)
    mixed = list(zip(first, second))
    alone = list(pipe.stream("Papa.", portrait, num_frames=9)), list(pipe.stream("Who?", portrait, num_frames=9))
    for index, pair in enumerate(mixed):
        assert all(np.array_equal(frame, clip[index]) for frame, clip in zip(pair, alone))


def test_closing_from_another_thread_ends_the_frame_that_is_made(pipe, portrait):
    stream, ended, begun, go_on = pipe.stream("Hi.", portrait, num_frames=4), [], Event(), Event()

    def frames():
        try:
            begun.set()
            go_on.wait(10)
            yield portrait
        finally:
            ended.append(True)

    stream.frames = frames()
    taking = Thread(target=next, args=[stream])  # and asks for no more
    taking.start()
    begun.wait(10)
    stream.close()
    go_on.set()
    taking.join()
    assert ended == [True] and list(stream) == []


def test_frames_with_alpha_count_four_bytes_a_pixel(pipe, portrait, monkeypatch):
    stream = pipe.stream("Hi.", portrait, num_frames=4)
    monkeypatch.setattr("text2lip.pipelines.output.free_memory", lambda: 4 * 2 * portrait.nbytes)
    assert within_memory([stream], "pil") == [stream]
    with pytest.raises(ValueError, match="GB of memory"):
        within_memory([stream], "pil", 4)


def test_a_stream_that_is_closed_while_it_is_saved_leaves_no_file(pipe, portrait, tmp_path):
    stream = pipe.stream("Hi.", portrait, num_frames=4, renderer="geometric")

    def cancel(frames):
        for number, frame in enumerate(frames):
            if number == 1:
                stream.close()
            yield frame

    with pytest.raises(ValueError, match="stream: closed after 2 of 4 frames; nothing was written"):
        stream.save(tmp_path / "a.mp4", subtitles=tmp_path / "a.srt", progress=cancel)
    assert list(tmp_path.iterdir()) == []
    with pipe.stream("Hi.", portrait, num_frames=4, renderer="geometric") as other:
        next(other)
    assert other.closed and list(other) == []
    with pytest.raises(ValueError, match="stream: 1 frames are gone already"):
        other.save(tmp_path / "a.mp4")
