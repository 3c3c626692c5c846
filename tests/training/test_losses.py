import pytest
import torch

from text2lip.faces.topology import driven_index
from text2lip.metrics import jerk
from text2lip.training import (
    amplitude_loss,
    duration_l1,
    masked_l1,
    motion_l1,
    point_weights,
    velocity_l1,
    width_l1,
)
from text2lip.training.losses import mean_jerk


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


def wave(frames: int = 40, size: float = 0.05) -> torch.Tensor:
    """Lips (2, frames, 57, 2) that open and shut every ten frames, the second clip a little later."""
    phase = torch.tensor([[0.0], [1.0]]) + torch.arange(frames) * 0.63
    return (size * phase.sin())[..., None, None].expand(-1, -1, 57, 2)


def test_width_sees_corners_that_part_and_nothing_else():
    real = torch.rand(1, 4, 57, 2)
    left, right = driven_index((61, 291))
    ours = real.clone()
    ours[..., left, 0] -= 0.1
    ours[..., right, 0] += 0.2
    assert width_l1(ours, real, MASK) == pytest.approx(0.3, abs=1e-5)
    ours = real + torch.rand(1, 4, 1, 2)
    ours[..., right, 1] += 0.5
    ours[:, 3, right] += 7
    assert width_l1(ours, real, MASK) == pytest.approx(0, abs=1e-5)


def test_amplitude_is_a_ratio_of_the_whole_batch():
    real, mask = wave(), torch.ones(2, 40, dtype=torch.bool)
    assert amplitude_loss(real, real, mask) == pytest.approx(0, abs=1e-6)
    assert amplitude_loss(real.flip(1), real, mask) == pytest.approx(0, abs=1e-4)  # other frames, as much motion
    assert amplitude_loss(0.5 * real + 3, real, mask) == pytest.approx(2 * 0.6931**2, rel=1e-2)  # excursion and jerk
    one_twice, one_never = torch.stack([2 * real[0], 0 * real[1]]), torch.stack([real[0], real[0]])
    assert amplitude_loss(one_twice, one_never, mask) == pytest.approx(0, abs=1e-3)


def test_jerk_is_the_benchmarks():
    lips = wave() + 0.01 * torch.randn(2, 40, 57, 2, generator=torch.Generator().manual_seed(0))
    ours = mean_jerk(lips[:, :, :40], torch.ones(2, 40, dtype=torch.bool))
    assert float(ours) == pytest.approx((jerk(lips[0].numpy()) + jerk(lips[1].numpy())) / 2, rel=1e-3)


def test_amplitude_of_padding_and_of_a_still_mouth():
    real, mask = wave(), torch.ones(2, 40, dtype=torch.bool)
    mask[1] = False
    loud = torch.stack([real[0], 9 * real[1]])
    assert amplitude_loss(loud, real, mask) == pytest.approx(0, abs=1e-6)
    assert amplitude_loss(real, real, torch.zeros_like(mask)) == 0
    still = torch.zeros_like(real, requires_grad=True)
    loss = amplitude_loss(still, real, mask)
    loss.backward()
    assert loss > 10 and still.grad.isfinite().all()
