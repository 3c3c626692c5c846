import numpy as np
import pytest

from text2lip.faces.topology import INNER_LOWER_PAIRED, INNER_UPPER_PAIRED, MOUTH_CORNERS, driven_index
from text2lip.motion.feelings import UNITS_OF, express_lips, feeling_channels
from text2lip.motion.motion_plan import MotionPlan, channel_column
from text2lip.text.feeling_marks import FEELINGS


RIGHT, LEFT = driven_index(MOUTH_CORNERS)


def shown(**channels) -> MotionPlan:
    plan = MotionPlan.still(3, 25)
    for name, value in channels.items():
        plan[name][:] = value
    return plan


def test_each_feeling_has_a_face_and_mixes_stay_within_limits():
    assert set(UNITS_OF) == set(FEELINGS)
    rows = [feeling_channels({name: 1.0}) for name in FEELINGS]
    assert all(np.abs(one - other).max() > 0.2 for n, one in enumerate(rows) for other in rows[:n])
    mixed = MotionPlan(feeling_channels({"happy": 2.0, "surprised": 2.0})[None], 25)
    assert mixed["mouthSmileLeft"] == 1 and feeling_channels({}).any() == False  # noqa: E712


def test_a_smile_widens_and_lifts_corners_and_closed_lips_stay_closed():
    motion = np.random.default_rng(0).normal(0, 0.02, (3, 57, 2)).astype(np.float32)
    smiling = express_lips(motion, shown(mouthSmileLeft=1, mouthSmileRight=1))
    assert (smiling[:, LEFT] - motion[:, LEFT])[..., 0].min() > 0.02 and (smiling - motion)[:, LEFT, 1].max() < -0.02
    assert (smiling[:, RIGHT] - motion[:, RIGHT])[..., 0].max() < -0.02
    upper, lower = driven_index(INNER_UPPER_PAIRED), driven_index(INNER_LOWER_PAIRED)
    gaps = [m[:, lower, 1] - m[:, upper, 1] for m in (motion, smiling)]
    assert np.allclose(*gaps, atol=1e-6)
    assert np.array_equal(smiling[:, 40:], motion[:, 40:]), "the jaw stays"


def test_left_is_the_persons_own_and_pursed_lips_stay_narrow():
    motion = np.zeros((3, 57, 2), np.float32)
    one = express_lips(motion, shown(mouthFrownLeft=1))
    assert one[0, LEFT, 1] > 0.02 and not one[0, RIGHT].any()
    pursed = motion.copy()
    pursed[:, RIGHT, 0], pursed[:, LEFT, 0] = 0.04, -0.04
    wider = [express_lips(m, shown(mouthSmileLeft=1))[0, LEFT, 0] - m[0, LEFT, 0] for m in (motion, pursed)]
    assert 0 < wider[1] < 0.5 * wider[0]


def test_under_a_steady_smile_the_width_still_follows_speech():
    motion = np.zeros((9, 57, 2), np.float32)
    motion[:, LEFT, 0] = np.linspace(-0.05, 0.03, 9)
    motion[:, RIGHT, 0] = -motion[:, LEFT, 0]
    plan = MotionPlan.still(9, 25)
    plan["mouthSmileLeft"][:] = plan["mouthSmileRight"][:] = 1
    width = [m[:, LEFT, 0] - m[:, RIGHT, 0] for m in (motion, express_lips(motion, plan))]
    assert np.corrcoef(*width)[0, 1] > 0.9999 and np.ptp(width[1]) >= np.ptp(width[0])


@pytest.mark.parametrize("channels", [{"jawOpen": 1}, {"mouthUpperUpLeft": 1, "mouthUpperUpRight": 1}])
def test_what_opens_further_keeps_closed_lips_closed_and_gaps_in_proportion(channels):
    upper, lower = driven_index(INNER_UPPER_PAIRED), driven_index(INNER_LOWER_PAIRED)
    motion = np.zeros((3, 57, 2), np.float32)
    motion[1:, lower, 1] = np.array([[0.1], [0.2]])
    before, after = (m[:, lower, 1] - m[:, upper, 1] for m in (motion, express_lips(motion, shown(**channels))))
    assert np.allclose(after[0], 0, atol=1e-6) and (after[1:] > 1.2 * before[1:]).all()
    assert np.allclose(after[2], 2 * after[1], atol=1e-6)


@pytest.mark.parametrize("channels", [{"jawOpen": 1}, {"mouthUpperUpLeft": 1, "mouthUpperUpRight": 1}])
def test_a_dropped_jaw_and_a_raised_lip_part_the_lips_in_pauses_alone(channels):
    upper, lower = driven_index(INNER_UPPER_PAIRED), driven_index(INNER_LOWER_PAIRED)
    lips = express_lips(np.zeros((3, 57, 2), np.float32), shown(**channels), np.array([0, 0.5, 1]))
    gap = (lips[:, lower, 1] - lips[:, upper, 1])[:, 4]
    assert np.allclose(gap[0], 0, atol=1e-6) and gap[2] > 0.04 and gap[1] == pytest.approx(gap[2] / 2)


def test_an_opened_jaw_takes_the_chin_along():
    motion = np.zeros((3, 57, 2), np.float32)
    motion[:, driven_index(INNER_LOWER_PAIRED), 1] = 0.2
    down = express_lips(motion, shown(jawOpen=1))[0, 40:, 1]
    assert down.argmax() == 8 and down[8] > 0.03 and down[0] == pytest.approx(0, abs=1e-6)


def test_a_plan_too_short_is_refused():
    with pytest.raises(ValueError, match="3 frames for 4"):
        express_lips(np.zeros((4, 57, 2), np.float32), shown(mouthSmileLeft=1))
    assert channel_column("mouthSmileLeft") > 0
