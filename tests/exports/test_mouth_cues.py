"""Rhubarb's shapes and files."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from text2lip.exports.clip import Clip, SaveOptions
from text2lip.exports.mouth_cues import mouth_cues, mouth_shape, write_mouth_cues
from text2lip.text.timing import Segment
from text2lip.text.visemes import FEATURES, letter_features


PHONES = [("", 0.2), ("h", 0.05), ("aɪ", 0.2), ("", 0.1), ("v", 0.1), ("uː", 0.2), ("", 0.2)]


def timed(phones) -> list[Segment]:
    ends = np.cumsum([length for _, length in phones])
    return [Segment(label, float(end - length), float(end)) for (label, length), end in zip(phones, ends)]


@pytest.mark.parametrize(
    "letters, shape",
    [("pbm", "A"), ("tsniʃkj", "B"), ("ɛe", "C"), ("aɑæ", "D"), ("ɔoɝ", "E"), ("uw", "F"), ("fv", "G"), ("l", "H")],
)
def test_shapes(letters, shape):
    found = [mouth_shape(letter, dict(zip(FEATURES, letter_features(letter).tolist()))) for letter in letters]
    assert found == [shape] * len(letters)


def test_cues_have_no_gaps_and_end_at_rest():
    cues = mouth_cues(timed(PHONES), 1.054)
    assert "".join(cue.label for cue in cues) == "XBDBXGFX"  # h looks like what follows it, or not at all
    assert cues[0].start == 0 and cues[-1].end == 1.05
    assert all(one.end == other.start for one, other in zip(cues, cues[1:]))
    assert [cue.label for cue in mouth_cues([], 1.0)] == ["X"]


def test_three_formats_say_the_same(tmp_path):
    nothing = dict.fromkeys(("audio", "sampling_rate", "landmarks", "visemes", "words", "motion_plan"))
    clip = Clip((), 26, 25.0, (8, 8), phones=timed(PHONES), times_from="voice", **nothing)
    for name in ("a.tsv", "a.xml", "a.rhubarb.json"):
        assert write_mouth_cues(tmp_path / name, clip, SaveOptions()) == 26
    lines = [line.split("\t") for line in (tmp_path / "a.tsv").read_text().splitlines()]
    told = json.loads((tmp_path / "a.rhubarb.json").read_text())
    tree = ElementTree.parse(tmp_path / "a.xml")
    assert lines[-1] == ["1.04", "X"]
    assert [(float(start), shape) for start, shape in lines[:-1]] == [
        (c["start"], c["value"]) for c in told["mouthCues"]
    ]
    assert [(float(c.get("start")), c.text) for c in tree.iter("mouthCue")] == [(float(s), v) for s, v in lines[:-1]]
    assert tree.findtext("metadata/duration") == "1.04" and told["metadata"]["duration"] == 1.04
    assert told["metadata"]["soundFile"] == tree.findtext("metadata/soundFile") == "a.wav"
