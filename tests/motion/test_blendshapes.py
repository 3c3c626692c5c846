"""Weights of ARKit's shapes: the fit finds what is there, shuts lips that are to be shut, and takes the plan along."""

import numpy as np
import pytest

from text2lip.faces.talking_head import ARKIT_SHAPES
from text2lip.faces.topology import INNER_LOWER_PAIRED, OUTER_LOWER_PAIRED, driven_index
from text2lip.motion.blendshapes import (
    COLUMN,
    BlendShapes,
    blendshapes_of,
    bounded_least_squares,
    drawn_to,
    gaps_of,
    lip_fit,
)
from text2lip.motion.feelings import UNITS_OF, express_lips, feeling_channels
from text2lip.motion.lips import LipMotion
from text2lip.motion.motion_plan import MotionPlan
from text2lip.text.timing import Timeline


MM = 0.0112  # outer-eye distances, of the built-in head


def still(frames: int = 3) -> np.ndarray:
    return np.zeros((frames, len(ARKIT_SHAPES)), np.float32)


def motion(displacement=None, plan=None, phones=()) -> LipMotion:
    displacement = np.zeros((10, 57, 2), np.float32) if displacement is None else displacement
    timeline = Timeline.from_phones(phones or [("", 0, 0.4)], (), 0.4)
    return LipMotion(displacement, None, 25.0, timeline, plan_of=plan and (lambda *_: plan))


def test_the_solver_finds_the_only_minimum():
    from scipy.optimize import lsq_linear

    generator = np.random.default_rng(0)
    a, b = generator.normal(size=(2, 12, 5))
    y, z = generator.normal(size=(2, 12))
    pull, most = np.full((1, 5), 0.1), np.array([1, 0.2, 1, 1, 0.5])
    for share in (0.0, 7.0):
        whole = np.vstack([a, np.sqrt(share) * b, np.sqrt(0.1) * np.eye(5)])
        wanted = lsq_linear(whole, np.r_[y, np.sqrt(share) * z, np.zeros(5)], (0, most)).x
        problem = a.T @ a, b.T @ b, np.array([[share]]), pull, (y @ a + share * z @ b)[None]
        found = bounded_least_squares(*problem, most, np.full((1, 5), 0.3))
        assert found[0] == pytest.approx(wanted, abs=2e-3)


def test_a_face_at_rest_has_no_weights():
    rest = blendshapes_of(motion())
    assert len(rest) == 10 and rest.weights.max() < 0.05


@pytest.mark.parametrize("name, share", [("jawOpen", 0.5), ("mouthPucker", 0.6), ("mouthSmileLeft", 0.4)])
def test_a_shape_of_the_head_is_found_again(name, share):
    fit, weights = lip_fit(), still()
    weights[:, COLUMN[name]] = share
    targets = fit.moved(weights)
    found = fit.fit(targets, still())
    assert np.linalg.norm((fit.moved(found) - targets)[:, :40], axis=2).mean() < 0.6 * MM
    assert found[0, COLUMN[name]] == pytest.approx(share, abs=0.15)
    assert ((found >= 0) & (found <= 1)).all() and (
        found[:, COLUMN["mouthClose"]] <= found[:, COLUMN["jawOpen"]]
    ).all()


def test_shut_lips_stay_shut_wherever_they_are():
    fit = lip_fit()
    targets = np.zeros((3, 57, 2))
    targets[:, :40, 1] = np.array([0.02, 0.04, -0.02])[:, None]  # both lips, down and up
    targets[:, 40:, 1] = 0.03
    gaps = gaps_of(fit.moved(fit.fit(targets, still())))
    assert np.abs(gaps).max() < 0.6 * MM


def test_phones_tell_what_the_front_does_not():
    timeline = Timeline.from_phones([("f", 0, 0.2), ("a", 0.2, 0.4), ("uː", 0.4, 0.6), ("θ", 0.6, 0.8)])
    drawn = drawn_to(timeline, 20, 25)
    assert drawn[2, COLUMN["mouthRollLower"]] > 0.4 and drawn[2, COLUMN["mouthUpperUpLeft"]] > 0.1
    assert drawn[7].max() == 0
    assert drawn[12, COLUMN["mouthPucker"]] > 0.5 and drawn[17, COLUMN["tongueOut"]] > 0.3
    assert not drawn_to(None, 20, 25).any()
    pushed = blendshapes_of(motion(phones=[("uː", 0, 0.4)]))["mouthPucker"]
    assert pushed[5] > blendshapes_of(motion())["mouthPucker"][5] + 0.05


def test_the_plan_goes_through():
    plan = MotionPlan.still(10, 25)
    plan["browInnerUp"][:], plan["eyeBlinkLeft"][4], plan["headYaw"][:], plan["headPitch"][:] = 0.7, 1, 12, -5
    plan["gazeYaw"][:], plan["gazePitch"][:], plan["mouthSmileLeft"][:] = 15, -6, 1
    shapes = blendshapes_of(motion(plan=plan))
    assert shapes["browInnerUp"] == pytest.approx(0.7) and shapes["eyeBlinkLeft"][4] == 1
    assert shapes["eyeLookOutLeft"] == pytest.approx(0.5) == shapes["eyeLookInRight"]  # to the person's left
    assert not shapes["eyeLookInLeft"].any() and shapes["eyeLookDownRight"] == pytest.approx(0.2)
    assert (shapes.head[3] == (12, -5, 0)).all() and (shapes.gaze[3] == (15, -6)).all()
    assert shapes["mouthSmileLeft"].min() > shapes["mouthSmileRight"].max() + 0.1
    assert len(blendshapes_of(motion(plan=plan), 4)) == 4


@pytest.mark.parametrize("feeling", UNITS_OF)
def test_lips_shut_and_open_in_every_feeling(feeling):
    plan = MotionPlan.still(10, 25)
    plan.values[:] = feeling_channels({feeling: 1.0})
    said = np.zeros((10, 57, 2), np.float32)
    for edge in (INNER_LOWER_PAIRED, OUTER_LOWER_PAIRED):
        said[5:, driven_index(edge), 1] = 0.15 * np.sin(np.linspace(0, np.pi, len(edge) + 2))[1:-1]
    said[5:, 40:, 1] = 0.12
    moving = motion(said, plan, [("m", 0, 0.2), ("a", 0.2, 0.4)])
    wanted = gaps_of(lip_fit().targets(express_lips(said, plan), None))
    made = gaps_of(lip_fit().moved(blendshapes_of(moving).weights))
    assert np.abs(made[:5]).max() < 0.005
    assert made[5:, 4].min() > 0.85 * wanted[5:, 4].max()


@pytest.mark.parametrize("feeling", ["neutral", "afraid"])
def test_pushed_out_lips_are_not_stretched(feeling):
    plan = MotionPlan.still(10, 25)
    plan.values[:] = feeling_channels({} if feeling == "neutral" else {feeling: 1.0})
    said = np.zeros((10, 57, 2), np.float32)
    for edge in (INNER_LOWER_PAIRED, OUTER_LOWER_PAIRED):
        said[:, driven_index(edge), 1] = 0.05 * np.sin(np.linspace(0, np.pi, len(edge) + 2))[1:-1]
    shapes = blendshapes_of(motion(said, plan, [("uː", 0, 0.4)]))
    assert shapes["mouthPucker"][5] > 0.7 and shapes["mouthStretchLeft"][5] < 0.45


def test_another_rate():
    ramp = still(10) + np.arange(10, dtype=np.float32)[:, None] / 10
    shapes = BlendShapes(ramp, *(np.zeros((10, n), np.float32) for n in (3, 2, 2)), 25.0)
    fast = shapes.at_rate(50)
    assert len(fast) == 20 and fast.fps == 50 and fast.weights[1, 0] == pytest.approx(0.025)
    with pytest.raises(ValueError, match="fps: 0"):
        shapes.at_rate(0)
    with pytest.raises(ValueError, match="fps: True"):
        shapes.at_rate(True)
    assert len(shapes.at_rate(np.float32(50))) == len(fast)
    with pytest.raises(ValueError, match="no shape 'jawopen'"):
        shapes["jawopen"]
