import numpy as np
import pytest

from text2lip.motion.liveliness import Planner
from text2lip.motion.motion_plan import CHANNELS
from text2lip.motion.phrasing import Phrase, Stress


FPS = 25.0


def talk(seconds: float, **more) -> list[Phrase]:
    """Phrases of two seconds with three stresses, half a second between them."""
    return [
        Phrase(t, t + 2, ".", stresses=tuple(Stress(t + d, 1.0, False, t + d + 0.2) for d in (0.4, 1.1, 1.7)), **more)
        for t in np.arange(0.5, seconds - 2.5, 2.5).tolist()
    ]


def blinks(plan) -> np.ndarray:
    """When each begins, seconds."""
    return np.flatnonzero(np.diff((plan["eyeBlinkLeft"] > 0.5).astype(int)) == 1) / FPS


def test_a_plan_is_the_same_however_it_is_cut_and_begins_and_ends_at_rest():
    planner = Planner(talk(20), 500, FPS, seed=3)
    whole = planner.plan()
    parts = [planner.plan(first, min(first + 37, 500)).values for first in range(0, 500, 37)]
    assert np.array_equal(np.concatenate(parts), whole.values)
    assert not whole.values[[0, -1]].any() and whole.values[100:400].any(0)[: len(CHANNELS)].sum() > 10
    assert np.array_equal(Planner(talk(20), 500, FPS, seed=3).plan().values, whole.values)
    assert not np.array_equal(Planner(talk(20), 500, FPS, seed=4).plan().values, whole.values)


def test_what_comes_later_changes_nothing_before():
    long, short = (Planner(talk(s), round(s * FPS), FPS).plan().values for s in (40, 20))
    early = round(12 * FPS)
    assert np.array_equal(long[:early], short[:early])


def test_blinks_come_as_often_as_peoples_and_not_in_a_rhythm():
    for phrases, least, most in ((talk(300), 12, 25), ([], 8, 22)):
        plan = Planner(phrases, round(300 * FPS), FPS).plan()
        waits = np.diff(blinks(plan))
        assert least <= len(blinks(plan)) / 5 <= most and waits.std() > 0.3 * waits.mean()
        assert plan["eyeBlinkLeft"].max() == 1


@pytest.mark.parametrize("phrases, most", [(talk(300), 6.0), ([], 7.0)])
def test_blinks_neither_clump_nor_stay_away(phrases, most):
    for seed in range(3):
        waits = np.diff(blinks(Planner(phrases, round(300 * FPS), FPS, seed=seed).plan()))
        assert waits.min() > 1.5 - 1 / FPS and waits.max() < most + 1 / FPS
        assert waits.std() > 0.25 * waits.mean()


def test_a_blink_closes_in_three_frames_is_hardly_shut_and_opens_in_five():
    lids = Planner(talk(300), round(300 * FPS), FPS).plan()["eyeBlinkLeft"]
    for begin in np.flatnonzero((lids[1:] > 0) & (lids[:-1] == 0)) + 1:
        blink = lids[begin : begin + 12]
        blink = blink[: np.flatnonzero(blink == 0)[0]]
        top = blink.max()
        shut = np.flatnonzero(blink > 0.9 * top)
        assert 1 <= len(shut) <= 3 and shut[0] in (1, 2, 3) and blink[shut[0] - 1] < 0.9 * top
        assert 3 <= len(blink) - 1 - shut[-1] <= 5
        assert (np.diff(blink[shut[-1] :]) > -0.45 * top).all()  # never open again at once


def test_heads_nod_on_stress_and_are_calmer_in_listening():
    phrases = talk(120)
    plan = Planner(phrases, round(120 * FPS), FPS).plan()
    stressed = [round(stress.time * FPS) for phrase in phrases for stress in phrase.stresses]
    before = [frame - 5 for frame in stressed]
    assert (plan["headPitch"][stressed] - plan["headPitch"][before]).mean() < -0.4
    silent = Planner([], len(plan), FPS).plan()
    speed = [np.abs(np.diff(p["headPitch"])).mean() for p in (plan, silent)]
    assert speed[0] > 2 * speed[1] > 0
    assert 0.5 < plan["headYaw"].std() < 4 and np.abs(plan.values[:, :3]).max() < 12


def test_life_scales_the_motion_and_none_leaves_the_feeling():
    half, whole = (Planner(talk(20), 500, FPS, life).plan() for life in (0.5, 1.0))
    assert half["headYaw"].std() < 0.7 * whole["headYaw"].std() and half["eyeBlinkLeft"].max() == 1
    none = Planner(talk(20), 500, FPS, 0.0, {"happy": 1.0}).plan()
    assert (none["mouthSmileLeft"] > 0.5).all() and not none["headYaw"].any() and not none["eyeBlinkLeft"].any()


@pytest.mark.parametrize("start, end, seconds", [(0.2, 0.9, 1.2), (0.5, 0.7, 1.1), (0.1, 0.2, 0.3)])
def test_a_feeling_is_gone_before_the_clip_ends(start, end, seconds):
    phrases = [Phrase(start, end, ".", feeling={"sad": 1.0})]
    frown = Planner(phrases, round(seconds * FPS) + 1, FPS, life=0).plan()["mouthFrownLeft"]
    assert frown[[0, -1]].max() < 1e-6 and frown.max() > 0.4


def test_a_sentence_has_its_feeling_and_the_rest_has_not():
    phrases = talk(10)
    phrases[1] = Phrase(3.0, 5.0, ".", feeling={"surprised": 1.0})
    brows = Planner(phrases, 250, FPS, 0.0).plan()["browInnerUp"]
    assert brows[round(4 * FPS)] > 0.7 and not brows[: round(2.6 * FPS)].any() and not brows[-25:].any()


@pytest.mark.parametrize("question", ["yes-no", "wh"])
def test_questions_raise_brows(question):
    asked = [Phrase(0.8, 2.5, "?", question, stresses=(Stress(2.2, 1.0, False, 2.5),))]
    said = [Phrase(0.8, 2.5, ".", stresses=(Stress(2.2, 1.0, False, 2.5),))]
    brows = [Planner(phrases, 100, FPS).plan()["browInnerUp"][round(2.4 * FPS)] for phrases in (asked, said)]
    assert brows[0] > brows[1] + 0.2
