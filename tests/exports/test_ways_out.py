"""Every kind of file of the table, written and read again."""

import os

import av
import numpy as np
import pytest
from PIL import Image

from text2lip.exports import SaveOptions, inspect_file, write_clip, writer_for
from text2lip.exports.frame_size import read_size, resized, side_by_side
from text2lip.exports.notebook import notebook_video
from text2lip.exports.picture_files import where_pictures_go
from text2lip.exports.writers import as_asked
from text2lip.media.codecs import CODECS, choose_codec


SIZE = 64


def pictures(count=6, clear=False):
    """A ring of soft edge that goes right; colours by place."""
    y, x = np.mgrid[:SIZE, :SIZE]
    for number in range(count):
        share = np.clip((16 - np.hypot(x - 24 - 2 * number, y - 32)) / 4, 0, 1)
        frame = np.stack([4 * x, 4 * y, 255 * share, 255 * share], -1).astype(np.uint8)
        yield frame if clear else frame[..., :3]


def decoded(path, clear=False):
    """All frames as uint8 (count, height, width, 3 or 4)."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = container.decode(stream)
        if clear and stream.codec_context.name == "vp9":  # FFmpeg's own decoder leaves alpha out
            decoder = av.codec.CodecContext.create("libvpx-vp9", "r")
            frames = (frame for packet in container.demux(stream) for frame in decoder.decode(packet))
        return np.stack([frame.to_ndarray(format="rgba" if clear else "rgb24") for frame in frames])


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [(".webm", None), (".webm", "av1"), (".mp4", "h265"), (".mp4", "vp9"), (".mov", "prores"), (".mkv", "av1")],
)
def test_videos(tmp_path, clip, suffix, codec):
    path = tmp_path / f"a{suffix}"
    sound = np.sin(np.arange(5292) * 0.05).astype(np.float32) / 2
    made = clip(pictures(), num_frames=6, audio=sound, sampling_rate=22_050)
    assert write_clip(path, made, SaveOptions(codec=codec)) == 6
    difference = np.abs(decoded(path).astype(int) - np.stack(list(pictures())))
    assert len(difference) == 6 and difference.mean() < 3
    with av.open(str(path)) as container:
        heard = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], -1)
        assert abs(heard.shape[-1] / container.streams.audio[0].rate - 0.24) < 0.05 and np.abs(heard).max() > 0.3
    assert inspect_file(path).synthetic


@pytest.mark.parametrize("suffix", [".mov", ".webm", ".mkv"])
def test_alpha_in_videos(tmp_path, clip, suffix):
    write_clip(tmp_path / f"a{suffix}", clip(pictures(clear=True), num_frames=6))
    wanted = np.stack(list(pictures(clear=True))).astype(int)
    difference = np.abs(decoded(tmp_path / f"a{suffix}", clear=True) - wanted)
    assert difference[..., 3].mean() < 1 and difference[wanted[..., 3] == 255].mean() < 3


def test_quality_is_that_of_the_codec_that_alpha_chooses(tmp_path, clip):
    assert write_clip(tmp_path / "a.mkv", clip(pictures(2, clear=True)), SaveOptions(crf=60)) == 2
    with pytest.raises(ValueError, match="crf: 30, but prores has no choice"):
        write_clip(tmp_path / "a.mov", clip(pictures(2, clear=True)), SaveOptions(crf=30))


def test_alpha_where_there_is_no_place_for_it(tmp_path, clip):
    with pytest.raises(ValueError, match="no place for transparency; choose .mov, .webm"):
        write_clip(tmp_path / "a.mp4", clip(pictures(clear=True)))
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("clear", [False, True])
@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_animations(tmp_path, clip, suffix, clear):
    path = tmp_path / f"a{suffix}"
    assert write_clip(path, clip(pictures(clear=clear), num_frames=6)) == 6
    wanted = np.stack(list(pictures(clear=clear))).astype(int)
    with Image.open(path) as shown:
        assert shown.n_frames == 6 and shown.info["loop"] == 0
        for number in range(6):
            shown.seek(number)
            frame = np.asarray(shown.convert("RGBA" if clear else "RGB")).astype(int)
            assert shown.info["duration"] == 40
            inside = wanted[number, ..., 3] > 250 if clear else np.ones((SIZE, SIZE), bool)
            assert np.abs(frame - wanted[number])[inside].mean() < 8, number
            if clear:
                sure = (wanted[number, ..., 3] < 5) | inside
                assert np.abs(frame - wanted[number])[sure, 3].mean() < 3
    found = inspect_file(path)
    assert found.synthetic and found.by_text2lip and (found.manifest is None or found.manifest["state"] == "Valid")


def test_a_gif_is_not_faster_than_browsers_show_it(tmp_path, clip):
    with pytest.raises(ValueError, match="fps: 60"):
        write_clip(tmp_path / "a.gif", clip(pictures(), fps=60.0))


@pytest.mark.parametrize("name", ["face_%03d.png", "faces/"])
def test_numbered_pictures(tmp_path, clip, name):
    wanted = list(pictures(clear=True))
    assert write_clip(f"{tmp_path}/{name}", clip(iter(wanted), num_frames=6)) == 6
    folder = tmp_path / "faces" if name.endswith("/") else tmp_path
    names = sorted(os.listdir(folder))
    assert names == [("face_%03d.png" if folder == tmp_path else "%04d.png") % i for i in range(6)]
    for number, name in enumerate(names):
        with Image.open(folder / name) as shown:
            np.testing.assert_array_equal(np.asarray(shown), wanted[number])
    found = inspect_file(folder / names[0])
    assert found.synthetic and set(found.metadata) == {"comment", "xmp"}


def test_numbered_pictures_come_all_or_none(tmp_path, clip):
    def broken():
        yield from pictures(2)
        raise ValueError("no")

    for name in ("face_%d.png", "faces/"):
        with pytest.raises(ValueError, match="no"):
            write_clip(f"{tmp_path}/{name}", clip(broken()))
        assert not os.listdir(tmp_path)
    for name, message in (("a.png", "no place for a number"), ("no/a%d.png", "no folder"), ("no/no/", "no folder")):
        with pytest.raises(ValueError, match=f"output: .*{message}"):
            write_clip(f"{tmp_path}/{name}", clip(pictures()))


def test_numbered_pictures_of_another_clip_are_left_alone(tmp_path, clip):
    for name in ("face_%03d.png", "faces/"):
        write_clip(f"{tmp_path}/{name}", clip(pictures(3), num_frames=3))
        write_clip(f"{tmp_path}/{name}", clip(pictures(4), num_frames=4))  # all of the three are replaced
        with pytest.raises(ValueError, match="output: .*02.png' is there of a longer clip"):
            write_clip(f"{tmp_path}/{name}", clip(pictures(2)))
    assert len(list(tmp_path.glob("**/*.png"))) == 8


def test_a_folder_of_pictures_that_is_a_link_or_none(tmp_path, clip, monkeypatch):
    (tmp_path / "disk").mkdir()
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "faces").symlink_to(tmp_path / "disk")
    (tmp_path / "note.txt").write_text("mine")
    move = os.replace

    def between_disks(source, target):
        assert os.path.realpath(source).startswith(f"{tmp_path}/disk"), "EXDEV"
        move(source, target)

    monkeypatch.setattr(os, "replace", between_disks)
    assert write_clip(f"{tmp_path}/here/faces/", clip(pictures(2))) == 2
    assert sorted(os.listdir(tmp_path / "disk")) == ["0000.png", "0001.png"]
    with pytest.raises(ValueError, match="output: .*note.txt/' is a file; name a folder"):
        where_pictures_go(f"{tmp_path}/note.txt/")


def test_sound_alone(tmp_path, clip):
    sound = np.stack([np.linspace(-1, 1, 1000), np.zeros(1000)]).astype(np.float32)
    assert write_clip(tmp_path / "a.wav", clip(audio=sound, sampling_rate=16_000)) == 2
    with av.open(str(tmp_path / "a.wav")) as container:
        heard = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], -1)
    np.testing.assert_allclose(heard.reshape(-1, 2).T / 32767, sound, atol=1e-4)
    assert inspect_file(tmp_path / "a.wav").synthetic
    with pytest.raises(ValueError, match=f"output: '{tmp_path}/a.wav', but the clip is silent"):
        write_clip(tmp_path / "a.wav", clip())


def test_sizes(tmp_path, clip):
    assert read_size("512") == 512 and read_size("1080x1920") == (1080, 1920) and read_size(64) == 64
    for size in ("big", "0", "12x", "99999", True, "12x12x12"):
        with pytest.raises(ValueError, match="size: "):
            SaveOptions(size=size)
    wide = [np.full((20, 40, 3), 200, np.uint8)]
    assert next(resized(wide, 80)).shape == (40, 80, 3)
    (fitted,) = resized(wide, (40, 60))
    assert fitted.shape == (60, 40, 3) and (fitted[20:40] == 200).all() and not fitted[:20].any()
    write_clip(tmp_path / "a.mp4", clip(pictures()), SaveOptions(size="48x96"))
    assert decoded(tmp_path / "a.mp4").shape[1:3] == (96, 48)


def test_hidden_colours_do_not_come_through_when_frames_shrink():
    frame = np.zeros((32, 32, 4), np.uint8)
    frame[..., 0], frame[8:24, 8:24] = 255, (0, 0, 255, 255)  # clear red around solid blue
    (small,) = resized([frame], 21)
    seen = small[..., 3] > 8
    assert small[seen][:, 0].max() < 20 and small[seen][:, 2].min() > 235


def test_before_and_after(tmp_path, clip):
    before = [np.full((SIZE, SIZE, 3), 9, np.uint8)] * 6
    made = clip(pictures(), num_frames=6, before=lambda count: iter(before[:count]))
    write_clip(tmp_path / "b.mp4", made, SaveOptions(compare=True, label=True))
    assert abs(decoded(tmp_path / "b.mp4")[0, :, : SIZE - 4].mean() - 9) < 3  # the label is on what was made
    made = clip(pictures(), num_frames=6, before=lambda count: iter(before[:count]))
    assert write_clip(tmp_path / "a.mp4", made, SaveOptions(compare=True)) == 6
    frames = decoded(tmp_path / "a.mp4")
    assert frames.shape == (6, SIZE, 2 * SIZE, 3) and abs(frames[:, :, : SIZE - 4].mean() - 9) < 3
    (first,) = side_by_side(before[:1], pictures(1, clear=True))
    assert first.shape == (SIZE, 2 * SIZE, 4) and (first[:, :SIZE, 3] == 255).all()
    with pytest.raises(ValueError, match="compare: "):
        write_clip(tmp_path / "b.mp4", clip(pictures()), SaveOptions(compare=True))


def test_a_label_can_be_read_after_the_frames_shrink(clip):
    plain = [np.full((512, 512, 3), 120, np.uint8)]
    for compare in (False, True):
        made = clip(plain, num_frames=1, size=(512, 512), before=lambda count: iter(plain))
        options = SaveOptions(size=128 if compare else 96, label="KI", compare=compare)
        (small,) = as_asked(made, options)
        rows = (np.abs(small.astype(int) - 120).max((1, 2)) > 8).sum()
        assert rows >= 16, "letters of 11 pixels, and room around them"


def test_codecs_that_do_not_fit():
    for name, suffix, message in (("h264", ".webm", "doesn't go into .webm"), ("mpeg2", ".mp4", "choose one of h264")):
        with pytest.raises(ValueError, match=f"codec: .*{message}"):
            choose_codec(name, suffix)
    with pytest.raises(ValueError, match="codec: 'mpeg2'"):
        SaveOptions(codec="mpeg2")
    with pytest.raises(ValueError, match="crf: 60; wants a whole number from 0 .best. to 51"):
        choose_codec(None, ".mkv", crf=60)
    assert choose_codec(None, ".mkv", clear=True, crf=60) is CODECS["vp9"]
    with pytest.raises(ValueError, match="crf: 9, but prores has no choice of quality; leave it out"):
        choose_codec("prores", ".mov", crf=9)
    assert all(suffix == "/" or writer_for(f"a{suffix}") for codec in CODECS.values() for suffix in codec.suffixes)


def test_a_notebook_plays_it(clip):
    shown = notebook_video(clip(pictures(), num_frames=6, size=(SIZE, SIZE)), SaveOptions(size=32))
    assert (shown.width, shown.height) == (32, 32) and 'width="32"' in shown._repr_html_()
    assert shown.data[4:8] == b"ftyp" and "<video controls" in shown._repr_html_() and "b'" not in repr(shown)
