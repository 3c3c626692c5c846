import os

import av
import numpy as np
import pytest

from text2lip.video import read_frames, replaced_file, video_info, write_video


def frames(count=10, height=64, width=48):
    return [np.full((height, width, 3), (20 * i % 256, 100, 200), np.uint8) for i in range(count)]


def test_round_trip_keeps_pictures_sound_and_rate(tmp_path):
    path = tmp_path / "a.mp4"
    sound = (0.5 * np.sin(np.arange(16000) * 2 * np.pi * 440 / 16000)).astype(np.float32)
    assert write_video(path, iter(frames(25)), fps=25, audio=sound, sampling_rate=16000) == 25
    assert video_info(path).fps == 25
    read = list(read_frames(path))
    assert len(read) == 25
    assert np.abs(read[7].astype(int) - frames(25)[7]).max() <= 4
    with av.open(str(path)) as container:
        heard = np.concatenate([block.to_ndarray().mean(0) for block in container.decode(audio=0)])
    assert abs(len(heard) - 16000) <= 2048
    assert 0.3 < np.sqrt(np.mean(heard[2000:14000] ** 2)) < 0.4


def test_ntsc_rate_is_exact(tmp_path):
    write_video(tmp_path / "a.mp4", frames(5), fps=30000 / 1001)
    assert video_info(tmp_path / "a.mp4").fps == pytest.approx(29.97003, abs=1e-5)


def test_odd_side_gains_one_edge_pixel(tmp_path):
    write_video(tmp_path / "a.mp4", frames(3, 51, 49))
    info = video_info(tmp_path / "a.mp4")
    assert (info.height, info.width) == (52, 50)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 96000, 12345])
def test_any_sampling_rate(tmp_path, rate):
    sound = np.full(rate, 0.1, np.float32)
    write_video(tmp_path / "a.mp4", frames(25), audio=sound, sampling_rate=rate)
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.audio[0]
        assert abs(float(stream.duration * stream.time_base) - 1) < 0.1


def test_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"old")

    def broken():
        yield from frames(3)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video(path, broken())
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.mp4"]


@pytest.mark.parametrize(
    ("name", "match"), [("a.txt", "should end in"), ("missing/a.mp4", "choose another place"), (".mp4", "should end")]
)
def test_bad_output_is_refused(tmp_path, name, match):
    with pytest.raises(ValueError, match=match):
        write_video(tmp_path / name, frames(2))


def test_no_frames_and_changing_size(tmp_path):
    with pytest.raises(ValueError, match="at least one"):
        write_video(tmp_path / "a.mp4", [])
    with pytest.raises(ValueError, match="another size"):
        write_video(tmp_path / "a.mp4", [*frames(1), *frames(1, 32, 32)])
    assert os.listdir(tmp_path) == []


def test_reading_what_is_no_video(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"not a video")
    with pytest.raises(ValueError, match="can't be opened"):
        list(read_frames(tmp_path / "a.mp4"))
    with pytest.raises(ValueError, match="can't be opened"):
        video_info(tmp_path / "missing.mp4")


def test_replaced_file_has_ordinary_permissions(tmp_path):
    with replaced_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("x")
    (tmp_path / "b.txt").write_text("x")
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "b.txt").stat().st_mode


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"fps": float("nan")}, "fps: nan; wants"),
        ({"fps": 0}, "fps: 0; wants"),
        ({"audio": np.zeros(9)}, "sampling_rate: None"),
        ({"audio": np.full(9, np.nan), "sampling_rate": 8000}, "audio: holds NaN"),
        ({"frames": [np.zeros((8, 8, 3))]}, r"frames: got float64 \(8, 8, 3\); wants uint8"),
        ({"frames": [np.zeros((8, 8), np.uint8)]}, r"frames: got uint8 \(8, 8\)"),
        ({"frames": ["a.png"]}, "frames: got str"),
    ],
)
def test_what_no_video_can_hold(tmp_path, arguments, match):
    with pytest.raises(ValueError, match=match):
        write_video(tmp_path / "a.mp4", **{"frames": frames(2), **arguments})
    assert os.listdir(tmp_path) == []


def test_a_name_as_long_as_names_may_be(tmp_path):
    name = "n" * 251 + ".mp4"
    write_video(tmp_path / name, frames(2))
    assert os.listdir(tmp_path) == [name]


def test_sound_ends_within_a_frame_of_the_picture(tmp_path):
    for count in (1, 13, 40):
        write_video(tmp_path / "a.mp4", frames(count), fps=25, audio=np.zeros(count * 640), sampling_rate=16000)
        with av.open(str(tmp_path / "a.mp4")) as container:
            ends = [float(stream.duration * stream.time_base) for stream in container.streams]
        assert abs(ends[0] - ends[1]) < 0.065  # AAC comes in blocks of 1024 samples
