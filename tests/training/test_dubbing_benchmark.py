"""`examples/benchmarks/dubbing.py`: whose motion is found again, and how it is told."""

import numpy as np
import pytest

from text2lip.faces.topology import driven_index


@pytest.fixture
def script(benchmark_script):
    return benchmark_script("dubbing")


def speech(opening, chin):
    """Lips (frames, 57, 2) that open by `opening` (frames,) while the chin drops by `chin`."""
    lips = np.zeros((len(opening), 57, 2))
    lips[:, driven_index((14,))[0], 1] = opening
    lips[:, driven_index((152,))[0], 1] = 0.6 + chin
    return lips


def test_motion_is_told_apart(script):
    time = np.linspace(0, 6 * np.pi, 75, endpoint=False)
    new, old = 0.05 * (1 + np.sin(time)), 0.03 * (1 + np.cos(time))
    asked, film = speech(new, new), speech(old, old)
    follows = script.followed(speech(2 * new, new + 0.5 * old), asked, film)
    assert follows["r_new"] == pytest.approx(1) and abs(follows["r_old"]) < 0.01 and abs(follows["r_both"]) < 0.01
    assert follows["chin_new"] == pytest.approx(1) and follows["chin_old"] == pytest.approx(0.5)
    ignores = script.followed(film, asked, film)
    assert ignores["r_old"] == pytest.approx(1) and abs(ignores["r_new"]) < 0.01
    assert abs(follows["gap_old"]) < 0.01 and ignores["gap_old"] == pytest.approx(1)
    assert ignores["chin_old"] == pytest.approx(1) and abs(ignores["chin_new"]) < 0.01


def test_a_row_tells_lowest_highest_and_mean(script):
    assert script.span([0.5, None, 0.25]) == "0.25 to 0.5, 0.375"
    assert script.span([]) == script.span([None]) == "–"
    lines = script.table("own", ("mouth_ssim", "flicker"), {"held": {"mouth_ssim": [0.5], "flicker": [None]}})
    assert lines == ["| own | mouth_ssim | flicker |", "| --- | --- | --- |", "| held | 0.5 to 0.5, 0.5 | – |"]


def test_silence_is_long_and_away_from_speech(script):
    """0.4 s of silence, half a second of a voice with a short stop in it, and silence again, at 25 fps."""
    rng = np.random.default_rng(0)
    sound = 1e-4 * rng.standard_normal(16_000 * 2)
    sound[6_400:14_400] += 0.1 * rng.standard_normal(8_000)
    sound[10_000:10_640] = 0  # 40 ms
    silent = script.silent_frames(sound, 50, 25)
    assert silent[:7].all() and not silent[8:24].any() and silent[26:].all()
