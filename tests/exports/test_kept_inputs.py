"""What a clip is made of is never replaced by it."""

import os

import pytest

from text2lip.exports.kept_inputs import check_inputs_kept, inputs_of
from text2lip.exports.picture_label import letters_of
from text2lip.pipelines.request import Text2LipRequest


@pytest.fixture
def files(tmp_path):
    made = {name: tmp_path / name for name in ("ann.webp", "who.jpg", "a.png", "faces/0003.png")}
    (tmp_path / "faces").mkdir()
    for path in made.values():
        path.write_bytes(b"mine")
    return made


def test_faces_of_speakers_and_of_who_speaks_are_inputs(files):
    speakers = {"Ann": {"face_index": str(files["ann.webp"])}, "Bob": {"face_index": 0}}
    asked = Text2LipRequest("Hi.", [files["a.png"]], speakers=speakers, face_index=files["who.jpg"])
    assert set(inputs_of(asked, None, "no-such-file")) == {files[n] for n in ("ann.webp", "who.jpg", "a.png")}
    with pytest.raises(ValueError, match="output: .* would replace the input"):
        check_inputs_kept(files["ann.webp"], inputs_of(asked))


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_a_link_to_a_numbered_picture_keeps_it(files, tmp_path):
    (tmp_path / "link.png").symlink_to(files["faces/0003.png"])
    with pytest.raises(ValueError, match="output: .* would replace the input"):
        check_inputs_kept(f"{tmp_path}/faces/", [tmp_path / "link.png"])
    check_inputs_kept(f"{tmp_path}/faces/", [files["a.png"]])


def test_a_label_may_hold_any_space():
    assert letters_of("a\u00a0b c", 12)
