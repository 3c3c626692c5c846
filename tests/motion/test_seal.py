import numpy as np
import pytest
import torch

from text2lip.faces.topology import driven_index
from text2lip.motion.seal import (
    BREATH,
    SETTLE,
    TUCKED,
    inner_gap,
    press_lips,
    quiet_weight,
    rest_weight,
    seal_lips,
    settle,
    widest_gap,
)
from text2lip.text.visemes import FEATURES


def open_mouth(frames: int, gap: float = 0.1) -> torch.Tensor:
    motion = torch.zeros(1, frames, 57, 2)
    motion[..., driven_index((95, 88, 178, 87, 14, 317, 402, 318, 324)), 1] = gap
    return motion


def press(motion, start, end, fps=25, **features):
    features = torch.tensor([[[float(features.get(name, 0)) for name in FEATURES]]])
    return press_lips(motion, widest_gap(features), torch.tensor([[start]]), torch.tensor([[end]]), fps)


@pytest.mark.parametrize("fps", [12, 24, 25, 29.97, 60])
@pytest.mark.parametrize("start", [0.0, 0.11, 0.517, 0.999])
@pytest.mark.parametrize("length", [0.02, 0.06, 0.2])
def test_every_bilabial_has_a_closed_frame(fps, start, length):
    motion = open_mouth(int(2 * fps))
    gap = inner_gap(press(motion, start, start + length, fps, closure=1))[0].amax(-1)
    times = (torch.arange(len(gap)) + 0.5) / fps
    middle = start + length / 2
    assert gap[(times - middle).abs() <= length / 2 + 0.5 / fps + 1e-4].min() < 1e-6
    assert gap[(times - middle).abs() > length / 2 + 0.5 / fps + 0.07].min() == pytest.approx(0.1)


def test_a_long_bilabial_stays_closed():
    gap = inner_gap(press(open_mouth(50), 0.8, 1.2, closure=1))[0].amax(-1)
    assert gap[23:27].max() < 1e-6 and gap[:17].min() > 0.09


def test_a_short_closure_shuts_one_frame_even_if_another_lies_in_its_middle():
    motion = open_mouth(32)
    motion[:, 16] *= 0.5  # the nearest of the frames 16, 17, 18, in binary fractions of a second
    gap = inner_gap(press(motion, 1.0, 1.1875, 16, closure=1))[0].amax(-1)
    assert gap[16] < 1e-6 and gap[17:19].min() > 0.05


def test_the_lower_lip_goes_to_the_teeth():
    gap = inner_gap(press(open_mouth(50), 0.9, 1.0, labiodental=1))[0].amax(-1)
    assert gap.min() == pytest.approx(TUCKED, abs=1e-6) and gap.max() == pytest.approx(0.1)
    narrow = open_mouth(50, 0.9 * TUCKED)
    assert torch.equal(press(narrow, 0.9, 1.0, labiodental=1), narrow)


@pytest.mark.parametrize("fps", [12, 25, 60])
def test_the_lower_lip_stays_at_the_teeth_for_the_whole_phone(fps):
    gap = inner_gap(press(open_mouth(2 * fps), 0.9, 1.02, fps, labiodental=1))[0].amax(-1)
    times = (torch.arange(len(gap)) + 0.5) / fps
    assert gap[(times > 0.9) & (times < 1.02)].max() == pytest.approx(TUCKED, abs=1e-6)
    assert gap[(times < 0.83) | (times > 1.09)].min() == pytest.approx(0.1)


def test_lips_meet_where_the_motion_has_them_nearest():
    """And the curve keeps its shape: little is taken away around a gap that was small."""
    motion = open_mouth(50)
    motion[0, 25:27] *= 0.1
    pressed = press(motion, 0.94, 1.04, closure=1)
    taken = (inner_gap(motion) - inner_gap(pressed))[0].amax(-1)
    assert inner_gap(pressed)[0, 25].max() < 1e-6
    assert taken.max() <= 0.011 and taken[:22].max() == 0


def test_open_phones_and_phones_past_the_end_are_left_alone():
    motion = open_mouth(10)
    assert torch.equal(press(motion, 0.1, 0.2, closure=0.4), motion)
    for start in (0.4, 0.4001, 0.41, 0.45, 3.0):  # ten frames are 0.4 s
        for feature in ("closure", "labiodental"):
            assert torch.equal(press(motion, start, start + 0.1, **{feature: 1}), motion), (start, feature)


@pytest.mark.parametrize("start", [0.0, 0.34, 0.36, 0.38, 0.399])
def test_phones_that_begin_in_the_clip_close_the_lips_to_its_very_end(start):
    gap = inner_gap(press(open_mouth(10), start, 0.6, closure=1))[0].amax(-1)
    assert gap[int(start * 25) :].min() < 1e-6 and len(gap) == 10


def test_a_clip_that_begins_with_a_bilabial_begins_with_closed_lips():
    gap = inner_gap(press(open_mouth(10), 0.0, 0.03, closure=1))[0].amax(-1)
    assert gap[0] < 1e-6 and gap[3:].min() > 0.09


def test_the_mouth_rests_in_pauses_and_at_the_ends_of_a_clip():
    silent = torch.tensor([[True, False, True, False, True, False, True]])
    durations = torch.tensor([[0.8, 0.2, 0.6, 0.2, 0.1, 0.2, 0.4]])
    end = durations.cumsum(-1)
    weight = rest_weight(silent, end - durations, end, 250, 100)[0]
    assert weight[: int(100 * (0.8 - BREATH))].min() > 0.99 and weight[-24:].min() > 0.99
    assert weight[114:128].min() > 0.9  # the long pause, 1.0 to 1.6 s; it parts in its second half
    assert weight[81:99].max() == 0  # the first phone
    assert weight[181:189].max() == 0  # a pause of 0.1 s is too short


@pytest.mark.parametrize("lead", [0.2, 0.3, 0.5])
def test_a_clip_begins_with_closed_lips(lead):
    durations = torch.tensor([[lead, 0.3]])
    end = durations.cumsum(-1)
    weight = rest_weight(torch.tensor([[True, False]]), end - durations, end, 20, 25)[0]
    assert weight[0] > 0.95 and (weight.diff() <= 0).all()


def test_sealed_lips_meet_and_unsealed_stay():
    motion = open_mouth(2)
    sealed = seal_lips(motion, torch.tensor([[0.0, 1.0]]))
    upper, lower = driven_index((13, 14))
    assert torch.equal(sealed[0, 0], motion[0, 0])
    assert (sealed[0, 1, lower, 1] - sealed[0, 1, upper, 1]).abs() < 1e-7


def test_lips_pressed_below_rest_are_not_opened():
    motion = open_mouth(1, -0.02)
    assert torch.equal(seal_lips(motion, torch.ones(1, 1)), motion)
    assert torch.equal(press(motion, 0.0, 0.04, closure=1), motion)


def test_pauses_calm_all_motion_but_not_wholly():
    durations = torch.tensor([[0.3, 0.2, 0.8, 0.2]])
    end = durations.cumsum(-1)
    rest = rest_weight(torch.tensor([[False, False, True, False]]), end - durations, end, 38, 25)
    settled = settle(torch.ones(1, 38, 57, 2), rest)[0, :, 0, 0]
    assert settled[:12].min() == 1 and settled[33:].min() == 1
    assert settled[16:21].max() == pytest.approx(1 - SETTLE, abs=0.1)


@pytest.mark.parametrize("fps", [25, 29.97, 60])
def test_the_mouth_rests_where_sound_is_quiet_and_not_in_short_gaps(fps):
    loud = np.repeat([0, 1, 0, 1, 0], np.array([800, 500, 100, 600, 1000]) * 16).astype(float)  # milliseconds
    sound = (loud + 0.003) * 0.1 * np.random.default_rng(0).normal(size=len(loud))
    weight = quiet_weight(sound.astype(np.float32), int(4 * fps), fps)[0].numpy()
    times = (np.arange(len(weight)) + 0.5) / fps
    assert (weight[(times < 0.1) | (times > 2.2)] > 0.99).all()
    assert (weight[(times > 0.82) & (times < 1.98)] == 0).all()
    assert 0 < weight[(times > 0.4) & (times < 0.78)].mean() < 1


def test_the_mouth_rests_in_digital_silence():
    assert (quiet_weight(np.zeros(16000, np.float32), 40, 25) == 1).all()
