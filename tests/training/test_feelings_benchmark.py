"""`examples/benchmarks/feelings.py` without portraits, clips and the classifier."""

import numpy as np
import pytest

from text2lip.motion.feelings import UNITS_OF, feeling_channels


@pytest.fixture
def script(benchmark_script):
    return benchmark_script("feelings")


@pytest.mark.parametrize("feeling", UNITS_OF)
def test_the_strongest_frame_is_where_the_feeling_is_whole(script, feeling):
    rise = np.array([0, 0.4, 1, 1, 1, 0.6, 0])
    assert script.strongest(rise[:, None] * feeling_channels({feeling: 1.0}), feeling) == 3


def test_of_a_neutral_face_the_middle(script):
    assert script.strongest(np.zeros((9, 34)), "neutral") == 4


def test_a_face_at_the_edge_of_the_picture_is_still_a_square(script):
    points = np.full((478, 2), 5.0)
    points[0], points[1] = (0, 10), (30, 50)
    frame = np.arange(100, dtype=np.uint8)[:, None, None] * np.ones((1, 100, 3), np.uint8)
    square = script.face_square(points, frame, margin=0.0)
    assert square.shape[0] == square.shape[1] and 44 <= len(square) <= 46
    assert square[0, 0] == pytest.approx(5, abs=1)  # the mesh goes from 5 to 50 downwards


def test_the_table_counts_classes_and_portraits_above_chance(script, capsys):
    rest = np.tile(np.float32([0.1, 0, 0, 0.1, 0, 0, 0.8]), (3, 1))
    smiling = rest.copy()
    smiling[0] = [0, 0, 0, 0.9, 0, 0, 0.1]
    smiling[1] = [0, 0, 0, 0.2, 0, 0, 0.8]
    script.show_recognised({"neutral": rest, "happy": smiling, "serious": rest})
    rows = capsys.readouterr().out.splitlines()
    assert "| happy | · | · | · | 1 | · | · | 2 | 2 | 2 | 0.40, 0.10 |" in rows
    assert "| serious | · | · | · | · | · | · | 3 |  |  |  |" in rows
