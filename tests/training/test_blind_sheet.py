"""`examples/blind_sheet.py` without a pipeline."""

import json

import numpy as np
import pytest

from text2lip.media.video import read_frames
from text2lip.media.video_writer import write_video


@pytest.fixture(scope="module")
def script(load_script):
    return load_script("examples/blind_sheet.py")


def test_answers_are_held_against_the_key(script, tmp_path):
    key = tmp_path / "key.json"
    key.write_text(json.dumps([{"image": "a.jpg", "row": 1}, {"image": "b.jpg", "row": 2}]))
    assert script.judged(key, [1, 2]) == "2 of 2 are right"
    assert script.judged(key, [1, 1]) == "1 of 2 are right; not b.jpg"
    with pytest.raises(ValueError, match="3 for 2 sheets"):
        script.judged(key, [1, 1, 1])
    with pytest.raises(ValueError, match="no key"):
        script.judged(tmp_path / "other.json", [1])


def test_a_sheet_holds_both_rows(script):
    one, other = np.zeros((2, 20, 30, 3), np.uint8)
    other += 200
    picture = np.asarray(script.sheet([[one] * 3, [other] * 3]))
    assert picture.shape == (40, 90, 3) and picture[15, 45].max() == 0 and picture[35, 45].min() == 200


def test_two_clips_become_equally_long_and_still_play(script, tmp_path):
    paths = [tmp_path / "1.mp4", tmp_path / "2.mp4"]
    noise = np.random.default_rng(0).integers(0, 255, (5, 32, 32, 3), np.uint8)
    for path, frames in zip(paths, (np.zeros_like(noise), noise)):
        write_video(path, frames, fps=25)
    script.pad(paths)
    assert paths[0].stat().st_size == paths[1].stat().st_size
    assert all(len(list(read_frames(path))) == 5 for path in paths)
