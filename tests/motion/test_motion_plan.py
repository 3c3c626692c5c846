import json

import numpy as np
import pytest

from text2lip.motion.motion_plan import CHANNELS, LIMITS, MotionPlan


@pytest.fixture
def plan():
    plan = MotionPlan.still(6, 25)
    plan["headYaw"][:] = np.linspace(-5, 5, 6)
    plan["eyeBlinkLeft"][2] = 1
    return plan


def test_a_channel_is_a_view_and_a_slice_a_plan(plan):
    assert plan["headYaw"].shape == (6,) and plan["headYaw"][-1] == 5
    part = plan[2:4]
    assert isinstance(part, MotionPlan) and len(part) == 2 and part["eyeBlinkLeft"].tolist() == [1, 0]
    assert set(LIMITS) == set(CHANNELS)


def test_a_file_gives_the_plan_back(plan, tmp_path):
    plan.save(tmp_path / "plan.json")
    told = json.loads((tmp_path / "plan.json").read_text())
    assert set(told["channels"]) == {"headYaw", "eyeBlinkLeft"} and told["frames"] == 6
    read = MotionPlan.of(tmp_path / "plan.json")
    assert read.fps == 25 and np.array_equal(read.values, plan.values)


@pytest.mark.parametrize("channels", [{"headYaw": [1, 2], "headPitch": 3}, {"headYaw": 2}])
def test_a_file_may_hold_channels_alone(channels, tmp_path):
    (tmp_path / "plan.json").write_text(json.dumps(channels))
    read = MotionPlan.of(tmp_path / "plan.json", 30)
    assert read.fps == 30 and np.array_equal(read.values, MotionPlan.of(channels, 30).values)
    (tmp_path / "plan.json").write_text("{")
    with pytest.raises(ValueError, match="can't be read as JSON"):
        MotionPlan.of(tmp_path / "plan.json", 30)


def test_what_a_user_may_give(plan):
    assert np.array_equal(MotionPlan.of(plan.values, 25).values, plan.values)
    assert MotionPlan.of({"headYaw": [0, 1, 2], "headPitch": 3}, 30)["headPitch"].tolist() == [3, 3, 3]
    assert MotionPlan.of({"headYaw": 2}, np.int64(25))["headYaw"].tolist() == [2]
    assert MotionPlan.of({"headYaw": [0, 4]}, 25).fitted(5, 50)["headYaw"].tolist() == [0, 1, 3, 4, 4]
    uneven = MotionPlan.of({"headYaw": [0, 1, 2], "headPitch": [3, 4]}, 30)
    assert uneven["headYaw"].tolist() == [0, 1, 2] and uneven["headPitch"].tolist() == [3, 4, 4]
    with pytest.raises(ValueError, match="fps None"):
        MotionPlan.of(plan.values)


@pytest.mark.parametrize(
    "told, message",
    [
        ({"headYaw": [0, 50]}, "headYaw is 50 in frame 1; wants a number from -30 to 30"),
        ({"eyeBlinkLeft": [float("nan")]}, "eyeBlinkLeft is nan"),
        ({"yaw": [0]}, "no channel 'yaw'"),
        ({"headYaw": [0, 1], "headPitch": []}, "headPitch has no values for 2 frames"),
        ({"headYaw": [[0, 1]]}, "headYaw"),
        ({"headYaw": ["left"]}, "headYaw holds what is no number"),
        ({"channels": {"headYaw": 1}, "frames": "2"}, "frames '2'"),
        ({"channels": {"headYaw": 1}, "frames": 10**12}, "frames 1000000000000"),
        ({"channels": {"headYaw": 1}, "fps": 10**400}, "fps 10000"),
        ({"headYaw": [10**400]}, "headYaw holds what is no number"),
        ("missing.json", "no file at 'missing.json'"),
        (np.zeros((3, 4)), r"shape \(3, 4\)"),
        (object(), "got object"),
    ],
)
def test_what_is_refused(told, message):
    with pytest.raises(ValueError, match=message):
        MotionPlan.of(told, 25)


def test_a_file_nested_too_deep_is_refused(tmp_path):
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(ValueError, match="can't be read as JSON"):
        MotionPlan.of(tmp_path / "deep.json")


def test_a_plan_edited_out_of_range_is_noticed(plan):
    plan["breath"][3] = 2
    with pytest.raises(ValueError, match="breath is 2 in frame 3"):
        MotionPlan.of(plan)
