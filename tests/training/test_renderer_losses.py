import numpy as np
import pytest
import torch
import torch.nn.functional as F

from text2lip.training import renderer_losses as L
from text2lip.training.renderer_losses import MOUTH_COLUMNS, MOUTH_ROWS, MouthDiscriminator, discriminator_loss


def test_ssim_is_the_metrics(mix):
    from text2lip import metrics as M

    frames = np.random.default_rng(0).integers(0, 256, (2, 1, 48, 48, 3), np.uint8)
    frames[1, :, 10:] = frames[0, :, 10:]
    a, b = (torch.from_numpy(x).permute(0, 3, 1, 2).float() / 127.5 - 1 for x in frames)
    assert 1 - float(L.ssim_loss(a, b)) == pytest.approx(M.ssim(frames[0], frames[1]), abs=1e-3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert 1 - float(L.ssim_loss(a, b)) == pytest.approx(1 - float(L.ssim_loss(a, b)), abs=1e-3)


def test_the_inside_of_the_mouth_weighs_more():
    real, inside = torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8)
    inside[..., :2, :] = 1
    upper, lower = real.clone(), real.clone()
    upper[..., :2, :], lower[..., -2:, :] = 1, 1
    assert L.weighted_l1(upper, real, inside) == pytest.approx(
        (1 + L.INSIDE) * float(L.weighted_l1(lower, real, inside))
    )


def test_openings_are_cut_out_and_enlarged():
    pictures, inside = torch.zeros(3, 3, 96, 96), torch.zeros(3, 1, 96, 96)
    inside[0, :, 40:50, 30:60] = inside[2, :, 60:64, 30:50] = 1
    inside[1, :, 40:42, 40:44] = 1  # too small to look at
    more = L.OPENING_AROUND + 1
    pictures[0, 0, 40 - more : 50 + more, 30 - more : 60 + more] = 1
    pictures[2, 1, 60:64, 30:50] = 1
    cut = L.openings(pictures, inside)
    assert cut.shape == (2, 3, 48, 48) and cut[0, 0].min() > 0.99 and cut[1, 1, 24, 24] == 1
    assert 0.4 < cut[1, 1].mean() < 0.5 and torch.equal(L.openings(pictures, inside, 1)[0], cut[0])
    assert len(L.openings(pictures, torch.zeros_like(inside))) == 0


@pytest.fixture
def judge():
    torch.manual_seed(0)
    return MouthDiscriminator(channels=8)


def mouths(count, seed=0):
    """Sharp pictures, the same without their detail, and drawings."""
    generator = torch.Generator().manual_seed(seed)
    sharp = 2 * torch.rand(count, 3, 96, 96, generator=generator) - 1
    return sharp, F.avg_pool2d(sharp, 9, 1, 4), torch.rand(count, 4, 96, 96, generator=generator)


def test_sharp_is_soon_told_from_blurred(judge):
    optimizer = torch.optim.AdamW(judge.parameters(), lr=3e-3, betas=(0.5, 0.99), weight_decay=0)
    losses = []
    for step in range(12):
        sharp, blurred, drawings = mouths(2, step)
        scores = judge(torch.cat([sharp, blurred]), drawings.repeat(2, 1, 1, 1))
        loss = discriminator_loss(*scores.chunk(2))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    sharp, blurred, drawings = mouths(4, 99)
    with torch.no_grad():
        assert judge(sharp, drawings).mean() > judge(blurred, drawings).mean() + 0.2
    assert losses[0] > 1.5 and losses[-1] < 0.6 * losses[0]


def test_the_hinge_loss():
    one = torch.ones(2, 1, 3, 3)
    assert discriminator_loss(one, -one) == 0 and discriminator_loss(3 * one, -9 * one) == 0
    assert discriminator_loss(0 * one, 0 * one) == 2
    assert discriminator_loss(-one, one) == 4 and discriminator_loss(one, 0.5 * one) == 1.5


def test_scores_are_of_patches_of_the_mouth(judge):
    """Of 30 px, and 2 around them for their detail; nothing beyond the mouth is seen."""
    pictures = mouths(1)[0].requires_grad_()
    scores = judge(pictures, torch.zeros(1, 4, 96, 96))
    rows, columns = scores.shape[-2:]
    assert scores.shape[:2] == (1, 1) and rows > 5 and columns > rows
    (one,) = torch.autograd.grad(scores[0, 0, rows // 2, columns // 2], pictures, retain_graph=True)
    seen = one.abs().sum((0, 1)) > 0
    assert seen.any(0).sum() == seen.any(1).sum() == 30 + 2 * 2
    (all_of_them,) = torch.autograd.grad(scores.sum(), pictures)
    inside = torch.zeros(96, 96, dtype=torch.bool)
    inside[MOUTH_ROWS.start - 2 : MOUTH_ROWS.stop + 2, MOUTH_COLUMNS.start - 2 : MOUTH_COLUMNS.stop + 2] = True
    assert (all_of_them[0, :, inside] != 0).float().mean() > 0.8 and not all_of_them[0, :, ~inside].any()


def test_the_landmarks_are_judged_too(judge):
    sharp, _, drawings = mouths(1)
    with torch.no_grad():
        assert not torch.allclose(judge(sharp, drawings), judge(sharp, 1 - drawings), atol=1e-3)
