"""The CSV of Live Link Face: header, timecodes, turns."""

import csv

import numpy as np
import pytest

from text2lip.exports.clip import Clip, SaveOptions
from text2lip.exports.live_link import timecode, write_live_link
from text2lip.motion.lips import LipMotion
from text2lip.motion.motion_plan import MotionPlan


HEADER = """Timecode,BlendShapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,EyeLookOutLeft,EyeLookUpLeft,\
EyeSquintLeft,EyeWideLeft,EyeBlinkRight,EyeLookDownRight,EyeLookInRight,EyeLookOutRight,EyeLookUpRight,EyeSquintRight,\
EyeWideRight,JawForward,JawRight,JawLeft,JawOpen,MouthClose,MouthFunnel,MouthPucker,MouthRight,MouthLeft,\
MouthSmileLeft,MouthSmileRight,MouthFrownLeft,MouthFrownRight,MouthDimpleLeft,MouthDimpleRight,MouthStretchLeft,\
MouthStretchRight,MouthRollLower,MouthRollUpper,MouthShrugLower,MouthShrugUpper,MouthPressLeft,MouthPressRight,\
MouthLowerDownLeft,MouthLowerDownRight,MouthUpperUpLeft,MouthUpperUpRight,BrowDownLeft,BrowDownRight,BrowInnerUp,\
BrowOuterUpLeft,BrowOuterUpRight,CheekPuff,CheekSquintLeft,CheekSquintRight,NoseSneerLeft,NoseSneerRight,TongueOut,\
HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,RightEyeYaw,RightEyePitch,RightEyeRoll"""


def test_a_row_a_frame_under_the_app_s_header(tmp_path):
    plan = MotionPlan.still(30, 25)
    plan["headYaw"][:], plan["headPitch"][:], plan["headRoll"][:], plan["eyeBlinkLeft"][3] = 18, 9, 4.5, 1
    plan["gazeYaw"][:], plan["gazePitch"][:] = 9, -9
    nothing = dict.fromkeys(("audio", "sampling_rate", "landmarks", "visemes", "phones", "words"))
    lips = LipMotion(np.zeros((30, 57, 2), np.float32), None, 25.0)
    clip = Clip((), 28, 25.0, (8, 8), times_from="voice", lip_motion=lips, motion_plan=plan, **nothing)
    assert write_live_link(tmp_path / "a.csv", clip, SaveOptions()) == 28
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert lines[0] == HEADER and len(lines) == 29
    rows = list(csv.DictReader(lines))
    assert all(row["BlendShapeCount"] == "61" and len(row) == 63 and "-0.00000000" not in row.values() for row in rows)
    assert rows[27]["Timecode"] == "00:00:01:02.000" and float(rows[3]["EyeBlinkLeft"]) == 1
    names = ("HeadYaw", "HeadPitch", "HeadRoll", "LeftEyeYaw", "LeftEyePitch", "RightEyeRoll")
    turns = [float(rows[0][name]) for name in names]  # yaw is over 0 to the person's right, as in the app's recordings
    assert turns == pytest.approx([-0.314159, -0.157080, 0.078540, -0.157080, 0.157080, 0], abs=1e-5)
    assert float(rows[0]["EyeLookOutLeft"]) > 0.2 and float(rows[0]["EyeLookDownLeft"]) > 0.2


@pytest.mark.parametrize(
    "frame, fps, told",
    [
        (0, 25, "00:00:00:00.000"),
        (24, 25, "00:00:00:24.000"),
        (25, 25, "00:00:01:00.000"),
        (90 * 60 * 60 + 61, 60, "01:30:01:01.000"),
        (30, 29.97, "00:00:01:00.030"),
        (7, 12.5, "00:00:00:07.000"),
    ],
)
def test_timecodes(frame, fps, told):
    assert timecode(frame, fps) == told
