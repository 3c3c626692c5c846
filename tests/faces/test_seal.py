import pytest
import torch

from text2lip.faces.canonical import driven_index
from text2lip.faces.seal import SETTLE, rest_weight, seal_lips, seal_weight, settle


@pytest.mark.parametrize("fps", [12, 24, 25, 29.97, 60])
@pytest.mark.parametrize("start", [0.0, 0.11, 0.517, 0.999])
@pytest.mark.parametrize("length", [0.02, 0.06, 0.2])
def test_every_bilabial_has_a_closed_frame(fps, start, length):
    frames = int(2 * fps)
    weight = seal_weight(
        torch.tensor([[1.0]]), torch.tensor([[start]]), torch.tensor([[start + length]]), frames, fps
    )[0]
    times = (torch.arange(frames) + 0.5) / fps
    near = (times - (start + length / 2)).abs() <= max(length / 4, 0.5 / fps) + 1e-4
    assert weight[near].max() == pytest.approx(1, abs=1e-4)
    assert weight[(times - (start + length / 2)).abs() > length / 2 + 0.15].max() == 0


def test_lips_close_in_pauses_and_stay_closed_at_the_ends_of_a_clip():
    silent = torch.tensor([[True, False, True, False, True, False, True]])
    durations = torch.tensor([[0.4, 0.2, 0.6, 0.2, 0.1, 0.2, 0.4]])
    end = durations.cumsum(-1)
    weight = seal_weight(torch.zeros_like(durations), end - durations, end, 210, 100, silent)[0]
    assert weight[:14].min() > 0.99 and weight[-24:].min() > 0.99  # before 0.4 - PART and after CLOSE
    assert weight[76:94].min() > 0.9  # the long pause, 0.6 to 1.2 s
    assert weight[41:59].max() == 0  # the first phone
    assert weight[141:149].max() == 0  # a pause of 0.1 s is too short


def test_open_phones_are_left_alone():
    weight = seal_weight(torch.tensor([[0.2, 0.0]]), torch.tensor([[0.0, 0.2]]), torch.tensor([[0.2, 0.4]]), 10, 25)
    assert weight.abs().max() == 0


def test_sealed_lips_meet_and_unsealed_stay():
    motion = torch.zeros(1, 2, 57, 2)
    motion[..., driven_index((14,)), 1] = 0.1
    sealed = seal_lips(motion, torch.tensor([[0.0, 1.0]]))
    upper, lower = driven_index((13, 14))
    assert torch.equal(sealed[0, 0], motion[0, 0])
    assert (sealed[0, 1, lower, 1] - sealed[0, 1, upper, 1]).abs() < 1e-7


def test_lips_pressed_below_rest_are_not_opened():
    motion = torch.zeros(1, 1, 57, 2)
    motion[..., driven_index((14,)), 1] = -0.02
    assert torch.equal(seal_lips(motion, torch.ones(1, 1)), motion)


def test_pauses_calm_all_motion_but_not_wholly():
    durations = torch.tensor([[0.3, 0.2, 0.8, 0.2]])
    end = durations.cumsum(-1)
    rest = rest_weight(torch.tensor([[False, False, True, False]]), end - durations, end, 38, 25)
    settled = settle(torch.ones(1, 38, 57, 2), rest)[0, :, 0, 0]
    assert settled[:12].min() == 1 and settled[33:].min() == 1
    assert settled[18:22].max() == pytest.approx(1 - SETTLE, abs=0.01)
