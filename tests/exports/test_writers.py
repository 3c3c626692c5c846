"""One table of files by suffix."""

import numpy as np
import pytest

from text2lip.exports import WRITERS, SaveOptions, Writer, write_clip, writer_for


NEEDS = {"frames", "sound", "words", "motion"}


@pytest.fixture
def undrawn():
    """Frames that nobody may take."""

    def frames():
        pytest.fail("a frame was drawn")
        yield

    return frames()


def test_every_row_says_what_it_needs():
    assert all(suffix[0] in "./" and suffix == suffix.lower() for suffix in WRITERS)
    assert all(set(writer.needs) <= NEEDS and writer.kind for writer in WRITERS.values())


def test_an_unknown_suffix_lists_all_that_there_are():
    with pytest.raises(ValueError, match="output: 'a.doc' should end in .mp4") as error:
        writer_for("a.doc")
    assert all(suffix in str(error.value) for suffix in WRITERS)
    with pytest.raises(ValueError, match="subtitles: 'a.mp4' should end in .srt or .vtt.$"):
        writer_for("a.mp4", "subtitles", "subtitles")


def test_a_new_row_is_a_new_kind_of_file(clip, tmp_path, monkeypatch, undrawn):
    def count(path, clip, options):
        path.write_text(str(clip.num_frames))
        return clip.num_frames

    monkeypatch.setitem(WRITERS, ".count", Writer("count", ("motion",), count))
    assert write_clip(tmp_path / "a.count", clip(undrawn)) == 2 and (tmp_path / "a.count").read_text() == "2"
    with pytest.raises(ValueError, match=r"\.count for count"):
        writer_for("a.doc")


def test_words_without_a_frame_drawn(clip, tmp_path, undrawn):
    assert write_clip(tmp_path / "a.VTT", clip(undrawn)) == 2
    assert (tmp_path / "a.VTT").read_text().splitlines()[0] == "WEBVTT"
    with pytest.raises(ValueError, match="output: .* no words are known"):
        write_clip(tmp_path / "b.srt", clip(undrawn, times_from="sound"))
    with pytest.raises(ValueError, match="subtitles: .* no words are known"):
        write_clip(tmp_path / "b.mp4", clip(undrawn, times_from="sound"), subtitles=tmp_path / "b.srt")
    assert [path.name for path in tmp_path.iterdir()] == ["a.VTT"]


def test_quality(clip, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    sizes = []
    for crf in (0, 40):
        write_clip(tmp_path / "a.mp4", clip(iter(noise)), SaveOptions(crf=crf))
        sizes.append((tmp_path / "a.mp4").stat().st_size)
    assert sizes[0] > 3 * sizes[1]
    with pytest.raises(ValueError, match="crf: 52"):
        write_clip(tmp_path / "a.mp4", clip(iter(noise)), SaveOptions(crf=52))
    with pytest.raises(TypeError, match="no option 'quality'; there are crf"):
        SaveOptions.of(quality=3)


@pytest.mark.parametrize(
    "name, options, remedy",
    [
        (
            "a.srt",
            {"size": 96},
            "size: 96 changes nothing in subtitles; .* or write .mp4, .mov, .mkv or .webm or pictures",
        ),
        ("a.csv", {"label": True}, "label: True changes nothing in ARKit weights; leave it out"),
        ("a.wav", {"compare": True}, "compare: True changes nothing in sound"),
        (
            "a.gif",
            {"crf": 0},
            "crf: 0 changes nothing in animation; leave it out, or write .mp4, .mov, .mkv or .webm.$",
        ),
        ("%d.png", {"codec": "h265"}, "codec: 'h265' changes nothing in numbered pictures"),
    ],
)
def test_an_option_that_would_change_nothing_is_refused(clip, tmp_path, undrawn, name, options, remedy):
    with pytest.raises(ValueError, match=remedy):
        write_clip(tmp_path / name, clip(undrawn), SaveOptions(**options))
    assert list(tmp_path.iterdir()) == []
    assert write_clip(tmp_path / "a.srt", clip(undrawn), SaveOptions(mark=False)) == 2
