"""Anchors of the published signals, and HDR films beside the pictures that they were made of."""

import av
import cv2
import numpy as np
import pytest

from text2lip.faces.builtin import builtin_portrait
from text2lip.media.color import (
    HLG,
    LUMA_2020,
    PQ,
    PRIMARIES,
    hlg_to_scene,
    light_to_pq,
    pq_to_light,
    to_standard,
    tone_curve,
)
from text2lip.media.images import load_image
from text2lip.media.video import read_frames


def hdr(picture, transfer):
    """A picture as HDR, its white at 100 cd/m2: uint16 signals, BT.2020."""
    light = np.maximum(100 * (picture / 255.0) ** 2.4 @ np.linalg.inv(PRIMARIES[9]).T, 0)
    if transfer == PQ:
        signal = light_to_pq(light)
    else:
        scene = light / 1000 * np.maximum(light @ LUMA_2020 / 1000, 1e-6)[..., None] ** (-0.2 / 1.2)
        bright = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
        signal = np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright)
    return np.rint(signal.clip(0, 1) * 65535).astype(np.uint16)


@pytest.fixture(scope="module")
def face():
    return cv2.resize(load_image(builtin_portrait()), (128, 128), interpolation=cv2.INTER_AREA)


def test_signals_have_the_light_that_the_recommendations_print():
    assert pq_to_light(np.array([0, 0.5081, 0.7518, 1])) == pytest.approx([0, 100, 1000, 10000], rel=2e-3, abs=1e-9)
    assert light_to_pq(pq_to_light(0.3)) == pytest.approx(0.3)
    assert hlg_to_scene(np.array([0, 0.5, 1])) == pytest.approx([0, 1 / 12, 1], abs=1e-6)
    assert 1000 * hlg_to_scene(0.75) ** 1.2 == pytest.approx(203, abs=1)  # BT.2408: HDR reference white


def test_tones_stay_in_the_shadows_and_roll_off_above():
    light = np.array([0.1, 1, 10, 20, 50, 100, 203, 1000, 4000])
    toned = tone_curve(light)
    assert toned[:4] == pytest.approx(light[:4], rel=1e-6)
    assert (np.diff(toned) >= 0).all() and toned[-2:] == pytest.approx([100, 100], rel=1e-3)
    assert 85 < toned[6] < 95  # white paper is nearly white


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_an_hdr_film_looks_as_the_picture_that_it_was_made_of(make_film, face, transfer):
    film = make_film(
        "a.mkv", [hdr(face, transfer)] * 3, codec="libx265", pixels="yuv420p10le", color=(9, 1, 9, transfer),
        options={"crf": "10", "x265-params": "log-level=none"},
    )  # fmt: skip
    with av.open(str(film)) as container:
        raw = next(container.decode(video=0)).to_ndarray(format="rgb24")
    shown = next(read_frames(film))
    assert np.abs(raw.astype(int) - face).mean() > 40
    assert np.abs(shown.astype(int) - face).mean() < 5
    assert np.abs(shown[80:84, 48:52].mean((0, 1)) - face[80:84, 48:52].mean((0, 1))).max() < 8  # a cheek


@pytest.mark.parametrize(("primaries", "inside"), [(9, "BT.2020"), (12, "Display P3")])
def test_a_wide_gamut_is_brought_back(face, primaries, inside):
    wide = (face / 255.0) ** 2.4 @ np.linalg.inv(PRIMARIES[primaries]).T
    signal = np.rint(65535 * np.maximum(wide, 0) ** (1 / 2.4)).astype(np.uint16)
    assert np.abs(to_standard(signal, 1, primaries).astype(int) - face).max() <= 2, inside


def test_matrices_keep_white():
    for matrix in PRIMARIES.values():
        assert np.sum(matrix, 1) == pytest.approx([1, 1, 1], abs=2e-3)
