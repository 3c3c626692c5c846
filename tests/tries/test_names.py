"""Files with names that something else than a file could be meant by."""

import os

import numpy as np
import pytest

from text2lip.files import local_path, replaced_file
from text2lip.media.video import read_frames
from text2lip.media.video_writer import write_video
from text2lip.speech import load_audio, read_timings


NAMES = [
    "in:1.mp4", "sp:1.mov", "pipe:1.mkv", "http:.mp4", "concat:a|b.mp4", "-o.mp4", "a%03d.mp4", "50%.mp4", "a b .mp4",
    "~.mp4", "né\n.mp4", "日本.mp4", "😀.mp4", "x" * 251 + ".mp4", "日" * 83 + ".mp4", "A.MP4", "'q\".mp4", "..mp4",
    "[x].mp4", "{y}.mp4",
]  # fmt: skip


@pytest.mark.skipif(os.name != "posix", reason="Windows forbids some of these names")
@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_a_file_whatever_its_name(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frames = [np.full((32, 32, 3), 60 * index, np.uint8) for index in range(3)]
    write_video(name, frames, fps=25, audio=np.full(1920, 0.1, np.float32), sampling_rate=16_000)
    assert os.listdir() == [name]
    assert len(list(read_frames(name))) == 3
    assert load_audio(name)[1] == 16_000


def test_an_address_is_no_file():
    for address in ("https://example.org/a.wav", "rtsp://camera/1", "file:///a.mp4"):
        with pytest.raises(ValueError, match="audio: .* is an address; download it first"):
            load_audio(address)
    with pytest.raises(ValueError, match="audio: no file 'a:b.wav'; check the name"):
        local_path("a:b.wav", "audio")


@pytest.mark.parametrize("name", ["[take2].json", "{a}.json", "a\nb.json"])
def test_timings_in_a_file_whose_name_looks_like_content(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text('[["m", 0, 0.1], ["a", 0.1, 0.3]]')
    assert [phone.label for phone in read_timings(name)] == ["m", "a"]


@pytest.mark.skipif(os.name != "posix", reason="Windows links need a right")
def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path):
    for target in ("there.txt", "new.txt"):
        (tmp_path / "there.txt").write_text("old")
        link = tmp_path / f"to_{target}"
        link.symlink_to(target)
        with replaced_file(link) as temporary:
            temporary.write_text("new")
        assert link.is_symlink() and (tmp_path / target).read_text() == "new"
    assert sorted(os.listdir(tmp_path)) == ["new.txt", "there.txt", "to_new.txt", "to_there.txt"]


def test_a_link_whose_file_can_not_be_written_stays(tmp_path):
    link = tmp_path / "a.txt"
    link.symlink_to(tmp_path / "no" / "a.txt")
    with pytest.raises(ValueError, match="output: can't write to"), replaced_file(link):
        pass
    assert os.listdir(tmp_path) == ["a.txt"] and link.is_symlink()


@pytest.mark.parametrize("output", ["a.mp4.", "a.mp4 ", ".mp4", "/dev/stdout", "-", "a", "nul\0.mp4"])
def test_outputs_that_are_no_film_are_refused(output):
    with pytest.raises(ValueError, match="output: "):
        write_video(output, [np.zeros((32, 32, 3), np.uint8)])


def test_a_piper_voice_is_looked_for_and_never_run(tmp_path, monkeypatch):
    from text2lip.speech.voices.piper import PiperSynthesizer

    (tmp_path / "evil_voice.py").write_text("raise SystemExit('run')")
    (tmp_path / "evil_package").mkdir()
    (tmp_path / "evil_package" / "__init__.py").write_text("raise SystemExit('run')")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("evil_voice", "evil_package", "antigravity", "os.path", "..", "nobody"):
        with pytest.raises(ValueError, match="neither a Piper model .* nor an installed package that has one"):
            PiperSynthesizer(name)
