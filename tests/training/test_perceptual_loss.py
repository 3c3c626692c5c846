import pytest
import torch
from safetensors.torch import save_file

from text2lip import metrics
from text2lip.training.perceptual_loss import VGGPerceptualLoss


def test_distance_by_hand_with_random_weights():
    torch.manual_seed(0)
    model = VGGPerceptualLoss().eval().requires_grad_(False)
    x, y = torch.rand(2, 2, 3, 32, 32) * 2 - 1
    layers = model.features(x)
    assert [f.shape[1:] for f in layers] == [(64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4), (512, 2, 2)]
    apart = [(a - b).square().sum(1).mean((1, 2)) for a, b in zip(layers, model.features(y))]  # weights of one
    torch.testing.assert_close(model(x, y), sum(apart))
    assert not model(x, x).any()
    model.layers = 2
    torch.testing.assert_close(model(x, y), sum(apart[:2]))


def test_ours_alone_gets_a_gradient():
    torch.manual_seed(0)
    ours, real = (torch.rand(1, 3, 16, 16).requires_grad_() for _ in range(2))
    VGGPerceptualLoss(1)(ours, real).sum().backward()
    assert ours.grad.any() and real.grad is None


def test_weights_come_from_a_file(tmp_path):
    save_file(VGGPerceptualLoss().state_dict(), tmp_path / "lpips-vgg16.safetensors")
    model = VGGPerceptualLoss.load(tmp_path, 3)
    assert model.layers == 3 and not any(p.requires_grad for p in model.parameters())
    with pytest.raises(ValueError, match="layers: 6; VGG16 has 1 to 5"):
        VGGPerceptualLoss.load(tmp_path, 6)
    with pytest.raises(metrics.MissingWeights, match="vgg: .*lpips-vgg16.safetensors is not there"):
        VGGPerceptualLoss.load(tmp_path / "elsewhere")
