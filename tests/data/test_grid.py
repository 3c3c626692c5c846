import pytest

from text2lip.data.grid import grid_clips, pronounced, read_align, sentence


def test_sentence():
    assert sentence("bbaf2n") == "bin blue at f two now"
    assert sentence("swwzza") == "set white with z zero again"
    for code in ("bbaf2", "xbaf2n", "bbaw2n", ""):
        with pytest.raises(ValueError, match="no GRID file name"):
            sentence(code)


def test_letters_are_said_by_their_names():
    assert pronounced("place red at a nine please") == "place red at eigh nine please"
    assert pronounced("bin blue at f two now") == "bin blue at F two now"


def test_read_align(tmp_path):
    path = tmp_path / "a.align"
    path.write_text("0 23750 sil\n23750 29500 bin\n29500 34000 sp\n34000 35500 at\n")
    assert read_align(path) == [("bin", 0.95, 1.18), ("at", 1.36, 1.42)]
    path.write_text("0 23750\n")
    with pytest.raises(ValueError, match="line 1"):
        read_align(path)


@pytest.fixture
def published(tmp_path):
    """The corpus as it is published: video/mpg_6000/*.mpg beside align/*.align."""
    for code in ("bbaf2n", "lrwq7p"):
        for folder, suffix in (("video/mpg_6000", "mpg"), ("align", "align")):
            path = tmp_path / "s1" / folder / f"{code}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    return tmp_path


def test_published_layout(published):
    clips = grid_clips(published)
    assert [clip.name for clip in clips] == ["s1/bbaf2n", "s1/lrwq7p"]
    assert all(clip.align is not None and clip.align.exists() for clip in clips)


def test_nothing_there(tmp_path, published):
    with pytest.raises(ValueError, match="no GRID video"):
        grid_clips(tmp_path / "s1")
    with pytest.raises(ValueError, match="split"):
        grid_clips(published, "train")


def test_real_corpus(data_root):
    assert len(grid_clips(data_root, "test")) == 50
    clips = {clip.name: clip for clip in grid_clips(data_root)}
    assert clips["s2/swwp2s_hq720x576"].text == "set white with p two soon"
    words = [word.label for word in read_align(clips["s1/bbaf2n"].align)]
    assert " ".join(words) == clips["s1/bbaf2n"].text
