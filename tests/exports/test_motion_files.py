"""Motion as JSON, visemes as tables: through the table of writers, without a frame drawn."""

import csv
import json

import numpy as np
import pytest

from text2lip.exports import Clip, write_clip, writer_for
from text2lip.motion.lips import LipMotion
from text2lip.speech.timings.formats import read_timeline
from text2lip.text.timing import Segment


def frames():
    pytest.fail("a frame was drawn")
    yield


@pytest.fixture
def clip() -> Clip:
    phones = [Segment("", 0.0, 0.2), Segment("m", 0.2, 0.4), Segment("aɪ", 0.4, 0.81)]
    sound = {"audio": np.linspace(-1, 1, 12800, dtype=np.float32), "sampling_rate": 16000}
    lips = LipMotion(np.zeros((20, 57, 2), np.float32), None, 25.0)
    known = {"landmarks": None, "visemes": phones, "words": [Segment("my", 0.2, 0.81)], "motion_plan": None}
    return Clip(frames(), 20, 25.0, (8, 8), phones=phones, times_from="voice", lip_motion=lips, **known, **sound)


def test_json_has_audio2face_s_names(tmp_path, clip):
    assert write_clip(tmp_path / "a.json", clip) == 20
    told = json.loads((tmp_path / "a.json").read_text())
    assert (told["exportFps"], told["numFrames"], told["numPoses"]) == (25, 20, 52)
    assert np.shape(told["weightMat"]) == (20, 52) and told["facsNames"][17] == "jawOpen"
    assert told["words"] == [["my", 0.2, 0.81]] and len(told["head"]["yaw"]) == len(told["gaze"]["pitch"]) == 20


def test_json_is_read_as_timings(tmp_path, clip):
    write_clip(tmp_path / "talk.json", clip)
    timeline = read_timeline(tmp_path / "talk.json")
    assert (timeline.phones, [word[:3] for word in timeline.words]) == (clip.phones, clip.words)


@pytest.mark.parametrize("name, labels, at_m", [("oculus", 15, "PP"), ("azure", 22, "21")])
def test_visemes(tmp_path, clip, name, labels, at_m):
    for suffix in ("csv", "json"):
        assert write_clip(tmp_path / f"a.{name}.{suffix}", clip) == 20
    told = json.loads((tmp_path / f"a.{name}.json").read_text())
    rows = list(csv.DictReader((tmp_path / f"a.{name}.csv").read_text().splitlines()))
    assert len(told["labels"]) == labels and len(rows) == 20 and rows[0]["time"] == "0.0200"
    assert told["labels"][np.argmax(told["weights"][7])] == at_m and float(rows[7][at_m]) > 0.9
    assert np.sum(told["weights"], 1) == pytest.approx(1, abs=1e-3)


def test_the_longest_end_of_a_name_counts():
    kinds = {name: writer_for(name).kind for name in ("a.csv", "b.azure.csv", "a.rhubarb.json", "a.JSON", "a.tsv")}
    assert list(kinds.values()) == ["ARKit weights", "visemes", "mouth cues", "motion", "mouth cues"]
    with pytest.raises(ValueError, match="should end in"):
        writer_for(".csv")
