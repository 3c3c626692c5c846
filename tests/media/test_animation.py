"""Animated pictures are films, still ones aren't."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from text2lip.media.animation import animation_frames, pictures_in
from text2lip.media.decoded import to_rgb
from text2lip.media.images import load_image
from text2lip.media.video import is_film, read_frames, video_info


def shades(*values):
    return [Image.new("RGB", (16, 12), (value, 0, 255 - value)) for value in values]


def save(path, pictures, duration, **more):
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=duration, lossless=True, **more)
    return path


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.avif", "film.mp4", "portrait.jpg"])
def test_animations_have_times(tmp_path, name):
    kind = {"film.mp4": "GIF", "portrait.jpg": "WEBP"}.get(name)
    path = save(tmp_path / name, shades(0, 120, 240), [40, 200, 60], **({"format": kind} if kind else {}))
    shown = list(animation_frames(path))
    assert [frame.seconds for frame in shown] == pytest.approx([0, 0.04, 0.24])
    assert [frame.lasts for frame in shown] == pytest.approx([0.04, 0.2, 0.06])
    assert [int(to_rgb(frame)[5, 5, 0]) for frame in shown] == pytest.approx([0, 120, 240], abs=3)
    assert is_film(path)
    info = video_info(path)
    assert (info.fps, info.seconds, info.width, info.height) == (pytest.approx(10), pytest.approx(0.3), 16, 12)
    assert [frame.shape for frame in read_frames(path)] == [(12, 16, 3)] * 3


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.jpg", "a.tif", "a.ico"])
def test_still_pictures_are_none(tmp_path, name):
    shades(90)[0].resize((32, 32)).save(tmp_path / name)  # smaller ones are no icons to some Pillows
    assert pictures_in(tmp_path / name) == 1
    assert not is_film(tmp_path / name)


def test_too_large_a_picture_is_no_film(tmp_path, monkeypatch):
    shades(90)[0].save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 16)
    assert pictures_in(tmp_path / "a.png") == 1


def test_pages_are_no_animation(tmp_path):
    save(tmp_path / "a.tif", shades(0, 100), 40)
    assert pictures_in(tmp_path / "a.tif") == 1


def test_what_is_no_picture(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG and no more")
    (tmp_path / "a.m1v").write_bytes(b"\x00\x00\x01\xb3" + bytes(40))  # the start of a film without a container
    assert pictures_in(tmp_path / "a.png") is None
    assert pictures_in(tmp_path / "a.m1v") is None


@pytest.mark.parametrize("duration", [0, 10])
def test_a_gif_without_times_has_those_that_browsers_give_it(tmp_path, duration):
    path = save(tmp_path / "a.gif", shades(0, 100, 200), duration)
    assert [frame.lasts for frame in animation_frames(path)] == [0.1] * 3


def test_the_picture_before_a_png_animation_is_left_out(tmp_path):
    path = save(tmp_path / "a.png", shades(0, 100, 200), 40, default_image=True)
    assert [int(to_rgb(shown)[5, 5, 0]) for shown in animation_frames(path)] == [100, 200]


def test_clear_pictures_lie_on_grey(tmp_path):
    clear = [Image.new("RGBA", (16, 12), (200, 0, 0, value)) for value in (0, 255)]
    path = save(tmp_path / "a.webp", clear, 40)
    assert [to_rgb(shown)[5, 5].tolist() for shown in animation_frames(path)] == [[128] * 3, [200, 0, 0]]


def test_a_broken_animation_says_so(tmp_path):
    rows = np.random.default_rng(0).integers(0, 255, (3, 64, 64, 3)).astype(np.uint8)
    data = save(tmp_path / "a.webp", [Image.fromarray(row) for row in rows], 40).read_bytes()
    (tmp_path / "b.webp").write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match="damaged|cut short|can't be opened"):
        list(read_frames(tmp_path / "b.webp"))


@pytest.mark.parametrize("read", [pictures_in, load_image])
def test_reading_never_changes_the_filters_of_warnings(tmp_path, monkeypatch, read):
    """They belong to the whole process: two threads that change them and back may leave them changed."""
    shades(90)[0].save(tmp_path / "a.png")
    open_picture, during = Image.open, []
    monkeypatch.setattr(Image, "open", lambda path: during.append(list(warnings.filters)) or open_picture(path))
    before = list(warnings.filters)
    read(tmp_path / "a.png")
    assert during == [before]


@pytest.mark.parametrize("module", ["text2lip.media.animation", "text2lip.media.images"])
def test_large_pictures_are_read_without_a_warning(tmp_path, module):
    save(tmp_path / "a.gif", shades(0, 100), 40)
    lines = [
        f"from {module} import *; from PIL import Image; Image.MAX_IMAGE_PIXELS = 150",
        "f = globals().get('load_image') or (lambda path: (pictures_in(path), list(animation_frames(path))))",
        f"f({str(tmp_path / 'a.gif')!r})",
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    assert done.stderr == ""
