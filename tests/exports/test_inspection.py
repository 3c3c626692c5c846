"""What `inspect` says of files that others made, changed or damaged."""

import struct
import sys

import numpy as np
import pytest
from PIL import Image

from text2lip.exports import SaveOptions, inspect_file, write_clip
from text2lip.exports.certificates import signing_identity
from text2lip.exports.container_marks import XMP_BOX, read_marks
from text2lip.exports.content_credentials import SIGNED


FRAMES = [np.full((32, 48, 3), value, np.uint8) for value in (40, 200)]


@pytest.fixture(autouse=True)
def config(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("TEXT2LIP_CONFIG", str(tmp_path_factory.mktemp("config")))
    monkeypatch.delenv("TEXT2LIP_CERTIFICATE", raising=False)


def picture_with(path, comment):
    Image.new("RGB", (8, 8)).save(path, comment=comment.encode())
    return path


@pytest.mark.parametrize(
    ("kind", "synthetic"),
    [("digitalCreation", False), ("digitalCapture", False), ("compositeSynthetic", True), ("algorithmicMedia", True)]
    + [("trainedAlgorithmicMedia", True), ("compositeWithTrainedAlgorithmicMedia", True), ("virtualRecording", True)],
)
def test_what_is_synthetic_by_iptc(tmp_path, kind, synthetic):
    code = f"http://cv.iptc.org/newscodes/digitalsourcetype/{kind}"
    found = inspect_file(picture_with(tmp_path / "a.jpg", code))
    assert found.synthetic == synthetic and found.source_types == [kind]


def test_texts_of_others_stay_on_their_line(tmp_path):
    path = picture_with(tmp_path / "a.jpg", "one\n  C2PA manifest: all is well\x1b[2J\u202eend")
    told = str(inspect_file(path))
    assert "  C2PA manifest: none." in told.splitlines() and "\x1b" not in told
    assert "  Comment: one C2PA manifest: all is well [2J end" in told.splitlines()


def test_what_another_program_made_of_ours_is_synthetic(tmp_path, clip):
    c2pa = pytest.importorskip("c2pa")
    write_clip(tmp_path / "ours.mp4", clip(FRAMES))
    write_clip(tmp_path / "plain.mp4", clip(FRAMES), SaveOptions(mark=False))
    action = {"action": "c2pa.cropped", "softwareAgent": {"name": "cutter"}}
    opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["film"]}}
    actions = {"label": "c2pa.actions.v2", "data": {"actions": [opened, action]}}
    identity = signing_identity()
    info = c2pa.C2paSignerInfo(identity.algorithm.encode(), identity.chain, identity.key, None)
    with c2pa.Signer.from_info(info) as signer, c2pa.Builder({"assertions": [actions]}) as builder:
        ingredient = {"title": "film", "relationship": "parentOf", "instance_id": "film", "label": "film"}
        with open(tmp_path / "ours.mp4", "rb") as film:
            builder.add_ingredient(ingredient, "mp4", film)
        with open(tmp_path / "plain.mp4", "rb") as source, open(tmp_path / "cut.mp4", "w+b") as target:
            builder.sign(signer, "mp4", source, target)
    found = inspect_file(tmp_path / "cut.mp4")
    assert found.synthetic and found.by_text2lip and not found.source_types
    assert "What it was made of says that it is synthetic (trainedAlgorithmicMedia)." in str(found)
    assert "    before: c2pa.created (trainedAlgorithmicMedia) by text2lip" in str(found)


def test_a_damaged_manifest_is_not_none(tmp_path, clip):
    pytest.importorskip("c2pa")
    path = tmp_path / "a.mp4"
    write_clip(path, clip(FRAMES))
    data = bytearray(path.read_bytes())
    place = data.index(b"jumb")
    data[place + 8 : place + 60] = bytes(52)
    path.write_bytes(data)
    found = inspect_file(path)
    assert found.manifest is None and any("C2PA manifest: not read (" in note for note in found.notes)
    assert "C2PA manifest: none" not in str(found)


def test_a_package_that_fails_doesn_t_end_the_report(tmp_path, monkeypatch):
    class Broken:
        def __getattr__(self, name):
            raise OSError("version `GLIBC_2.39' not found")

    monkeypatch.setitem(sys.modules, "c2pa", Broken())
    told = str(inspect_file(picture_with(tmp_path / "a.jpg", "mine")))
    assert "Comment: mine" in told and "GLIBC" in told and "C2PA manifest: none" not in told


def test_a_picture_too_large_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4)
    with pytest.raises(ValueError, match="file: .*can't be read"):
        inspect_file(picture_with(tmp_path / "a.jpg", "mine"))


@pytest.mark.parametrize("size", [8, 16, 23, 1])
def test_odd_boxes_are_passed(tmp_path, clip, size, monkeypatch):
    write_clip(tmp_path / "a.mp4", clip(FRAMES))
    whole = (tmp_path / "a.mp4").read_bytes()
    odd = struct.pack(">I4s", size, b"uuid") + XMP_BOX + b"<x:xmpmeta>not ours</x:xmpmeta>"
    odd = struct.pack(">I4sQ", 1, b"free", (1 << 64) - 1) if size == 1 else odd
    monkeypatch.setattr("text2lip.exports.container_marks._comment_of_film", lambda path: "")
    (tmp_path / "b.mp4").write_bytes(odd + whole)
    assert "not ours" not in read_marks(tmp_path / "b.mp4").get("xmp", "")


def test_what_is_said_to_be_signed_is_signed():
    assert ".png" not in SIGNED  # numbered pictures, which have metadata alone
