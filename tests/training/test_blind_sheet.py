"""`examples/blind_sheet.py` without a pipeline."""

import json

import numpy as np
import pytest


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
