import pytest
import torch

from text2lip.faces.canonical import driven_index
from text2lip.training import duration_l1, masked_l1, motion_l1, point_weights, velocity_l1


MASK = torch.tensor([[True, True, True, False]])


def test_padding_does_not_count():
    ours, real = torch.zeros(1, 4, 2), torch.ones(1, 4, 2)
    real[0, 3] = 100
    assert masked_l1(ours, real, MASK) == 1
    assert masked_l1(ours, real, torch.zeros_like(MASK)) == 0


def test_the_real_side_gets_no_gradient():
    ours, real = torch.zeros(1, 4, requires_grad=True), torch.ones(1, 4, requires_grad=True)
    masked_l1(ours, real, MASK).backward()
    assert ours.grad is not None and real.grad is None


def test_inner_lips_weigh_more():
    weights = point_weights(3.0)
    assert weights.shape == (57, 1) and weights.mean() == pytest.approx(1)
    inner, outer = driven_index((13,))[0], driven_index((0,))[0]
    assert weights[inner] == pytest.approx(3 * weights[outer].item())


def test_velocity_is_blind_to_a_shift_and_to_padding():
    real = torch.rand(1, 4, 57, 2)
    ours = real + 0.5
    ours[:, 3] += 7
    weights = torch.ones(57, 1)
    assert motion_l1(ours, real, MASK, weights) == pytest.approx(0.5, abs=1e-5)
    assert velocity_l1(ours, real, MASK, weights) == pytest.approx(0, abs=1e-6)
    ours[:, 2] += 1
    assert velocity_l1(ours, real, MASK, weights) == pytest.approx(0.5, abs=1e-5)


def test_durations_count_in_ratios():
    real = torch.tensor([[0.1, 0.2, 0.4, 0.0]])
    made = (real.clamp(min=1e-3) * 2.7182818).log()
    assert duration_l1(made, real, MASK) == pytest.approx(1, abs=1e-5)
