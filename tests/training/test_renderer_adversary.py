import pytest
import torch
import torch.nn.functional as F

from text2lip.training.renderer_adversary import (
    MOUTH_COLUMNS,
    MOUTH_ROWS,
    MouthDiscriminator,
    adversarial_share,
    discriminator_loss,
)


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


def test_the_share_is_a_pure_function_of_the_step():
    assert [adversarial_share(step, 100, 50) for step in (0, 99, 100, 110, 125, 150, 10**6)] == [
        *(0, 0, 0, 0.2, 0.5, 1, 1)
    ]
    assert [adversarial_share(step, 4, 0) for step in (3, 4, 5)] == [0, 0, 1]
    shares = [adversarial_share(step, 10, 7) for step in range(40)]
    assert shares == sorted(shares) == [adversarial_share(step, 10, 7) for step in reversed(range(40))][::-1]
