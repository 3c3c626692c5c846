"""Portraits that do more than move their lips: plans made, given, shown and refused."""

import warnings

import numpy as np
import pytest
import torch

from text2lip import Speaker
from text2lip.motion.motion_plan import MotionPlan
from text2lip.pipelines.request import Text2LipRequest
from text2lip.text import ReadingWarning


def made(pipe, portrait, text="Is it *you*?", life=0, **given):
    return pipe.stream(text, portrait, renderer="geometric", voice=None, life=life, **given)


def test_life_moves_head_and_landmarks_and_without_it_nothing_changes(pipe, portrait):
    still, alive = made(pipe, portrait), pipe.stream("Is it *you*?", portrait, renderer="geometric", voice=None)
    assert still.motion_plan is None and alive.motion_plan.values.shape == (len(alive), 34)
    away = 256 * np.abs(alive.landmarks - still.landmarks)[:, :400].max((1, 2))  # pixels
    assert away[0] < 1e-3 and away[-1] < 1e-3 and 1 < away.max() < 40
    frames = [list(stream) for stream in (still, alive)]
    assert np.array_equal(frames[0][0], frames[1][0]) and np.array_equal(frames[0][-1], frames[1][-1])
    middle = int(away.argmax())
    assert (frames[0][middle] != frames[1][middle]).mean() > 0.05


def test_plans_are_seeded_and_may_be_given_back(pipe, portrait, tmp_path):
    def seeded(seed):
        return made(pipe, portrait, life=1.0, generator=torch.Generator().manual_seed(seed))

    one, same, other = (seeded(seed).motion_plan.values for seed in (1, 1, 2))
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    MotionPlan(one, 25).save(tmp_path / "plan.json")
    given = made(pipe, portrait, motion_plan=tmp_path / "plan.json")
    assert np.allclose(given.motion_plan.values, one, atol=1e-4)
    turned = made(pipe, portrait, motion_plan={"headYaw": 5}, num_frames=3)
    assert turned.motion_plan["headYaw"].tolist() == [5, 5, 5]


def test_two_portraits_move_differently_unless_a_generator_says_so(pipe, portrait):
    other = np.roll(np.asarray(portrait), 3, 1)
    plans = [made(pipe, picture, life=1.0).motion_plan.values for picture in (portrait, other, portrait)]
    assert np.array_equal(plans[0], plans[2]) and not np.array_equal(plans[0], plans[1])
    same = [
        made(pipe, picture, life=1.0, generator=torch.Generator().manual_seed(1)).motion_plan.values
        for picture in (portrait, other)
    ]
    assert np.array_equal(*same)


def test_why_a_head_moves_less_is_among_the_doubts(pipe, portrait):
    cut = np.asarray(portrait)
    cut = cut[np.flatnonzero(cut.std((1, 2)) > 25)[0] + 24 :]  # the top of the head is cut off
    alive = made(pipe, cut, life=1.0)
    reasons = [doubt for doubt in alive.doubts if doubt.startswith("head and face move less: ")]
    assert reasons and not any(doubt in made(pipe, cut).doubts for doubt in reasons)


def test_plans_may_be_listed_one_for_each_prompt():
    def plans(prompt, plan):
        return [clip.motion_plan for clip in Text2LipRequest(prompt, "x.jpg", motion_plan=plan).clips()]

    one, other = MotionPlan.still(2, 25), MotionPlan.still(3, 25)
    assert plans("One.", [one]) == [one] and plans(["One.", "Two."], (one, other)) == [one, other]
    assert plans(["One.", "Two."], one) == [one, one] and plans("One.", [None]) == [None]
    assert [len(plan) for plan in plans(["One.", "Two."], [{"headYaw": [1, 2]}, other.values])] == [2, 3]
    assert len(*plans("One.", one.values.tolist())) == 2
    with pytest.raises(ValueError, match=r"motion_plan: got 1 for 2 prompt\(s\)"):
        plans(["One.", "Two."], [one])


def test_a_plan_of_one_face_that_says_all_parts_is_given_back(pipe, portrait):
    speakers = {"Ann": Speaker(face_index=0), "Bob": Speaker(face_index=0)}
    lines = [("Ann", "Yes."), ("Bob", "No.")]
    stream = pipe.stream(lines, portrait, speakers=speakers, renderer="geometric", motion_plan={"headYaw": 5})
    assert (stream.motion_plan["headYaw"] == 5).all()


def test_a_misspelt_tag_is_told_once(pipe, portrait):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        made(pipe, portrait, "[hapy] Hi.")
    (message,) = [str(one.message) for one in told if one.category is ReadingWarning]
    assert message == "prompt: [hapy] is no feeling and is spoken; did you mean [happy]?"


def test_feelings_by_argument_and_by_text(pipe, portrait):
    happy = made(pipe, portrait, expression={"happy": 1.0})
    assert (happy.motion_plan["mouthSmileLeft"] > 0.5).all() and not happy.motion_plan["headYaw"].any()
    corner = [made(pipe, portrait).landmarks[:, 291, 1], happy.landmarks[:, 291, 1]]
    assert (corner[0] - corner[1]).min() > 0
    text = "One. [sad] Two."
    tagged = made(pipe, portrait, text, life=0.5)
    assert tagged.motion_plan["mouthFrownLeft"].max() > 0.3 and made(pipe, portrait, text).motion_plan is None
    assert [word.label for word in tagged.words] == ["One.", "Two."]


def test_someone_who_listens_may_be_looped(pipe, portrait):
    stream = pipe.idle(portrait, 1.2, renderer="geometric")
    frames = list(stream)
    assert len(frames) == 30 and np.array_equal(frames[0], frames[-1]) and stream.motion_plan["headYaw"].any()


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), "3", None])
def test_who_listens_does_so_for_some_time(pipe, portrait, seconds):
    with pytest.raises(ValueError, match="^seconds: .*wants a number over 0"):
        pipe.idle(portrait, seconds)


@pytest.mark.parametrize(
    "given, message",
    [
        ({"life": 3}, "life: 3; wants a number from 0 to 2"),
        ({"life": True}, "life: True"),
        ({"expression": "jolly"}, "expression: 'jolly'"),
        ({"expression": "happy", "motion_plan": {"headYaw": [0]}}, "expression: a motion_plan is of the whole face"),
        ({"motion_plan": {"yaw": [0]}}, "motion_plan: there is no channel 'yaw'"),
        ({"motion_plan": {"headYaw": []}}, "motion_plan: 0 frames"),
    ],
)
def test_what_is_refused(pipe, portrait, given, message):
    with pytest.raises(ValueError, match=message):
        made(pipe, portrait, **given)
