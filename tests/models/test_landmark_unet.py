import numpy as np
import pytest
import torch

from text2lip.models.landmark_unet import BRIGHTNESS, LandmarkGuidedUNet, compose


SMALL = {"sample_size": 48, "block_out_channels": (8, 16, 16)}


@pytest.fixture
def inputs():
    """Two frames of random pictures; a lower face, and lips in its middle."""
    generator = torch.Generator().manual_seed(0)
    source, warped = (2 * torch.rand(2, 3, 48, 48, generator=generator) - 1 for _ in range(2))
    drawings = torch.zeros(2, 8, 48, 48)
    for part in (drawings[:, :4], drawings[:, 4:]):
        part[:, 0, 22:24, 18:30] = part[:, 1, 25:27, 18:30] = part[:, 2, 24:25, 18:30] = 1
        part[:, 3, 14:36, 12:36] = 1
    return source, warped, drawings


@pytest.fixture
def reference():
    """A picture for the first frame; nothing for the second one."""
    made = 2 * torch.rand(2, 4, 48, 48, generator=torch.Generator().manual_seed(1)) - 1
    made[:, 3] = 0.4
    made[1] = 0
    return made


def trained(seed=0, **config):
    """A network that changes pictures a lot."""
    torch.manual_seed(seed)
    network = LandmarkGuidedUNet(**{**SMALL, **config}).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network


def test_untrained_it_equals_the_warp(inputs):
    torch.manual_seed(0)
    output = LandmarkGuidedUNet(**SMALL)(*inputs)
    assert not output.flow.any() and not output.colour.any()
    assert torch.allclose(compose(inputs[1], output), inputs[1], atol=1e-5)


def test_every_part_learns_from_the_first_step(inputs):
    torch.manual_seed(0)
    network = LandmarkGuidedUNet(**SMALL)
    (compose(inputs[1], network(*inputs)) - inputs[0]).abs().mean().backward()
    assert all(part.weight.grad.abs().max() > 0 for part in (network.smooth, network.fine))


def test_changes_stay_on_the_lower_face(inputs):
    with torch.no_grad():
        output = trained()(*inputs)
    wide = torch.zeros(48, 48, dtype=torch.bool)
    wide[14 - 6 : 36 + 6, 12 - 6 : 36 + 6] = True
    assert output.colour[..., 20:30, 15:33].abs().min() > 0
    assert not output.colour[..., ~wide].any() and not output.flow[..., ~wide].any()
    assert not output.mask[..., :15, :].any() and output.mask[..., 24, 24].max() > 0


def test_nothing_changes_at_the_sides(inputs):
    source, warped, drawings = inputs
    with torch.no_grad():
        output = trained()(source, warped, torch.ones_like(drawings))
    middle = output.colour[..., 24, 24].abs().mean()
    assert output.colour[..., 0, :].abs().mean() < 0.05 * middle
    assert output.colour[..., :, -1].abs().mean() < 0.05 * middle


def test_flow_is_bounded(inputs):
    with torch.no_grad():
        output = trained(max_flow=2.0)(*inputs)
    assert 0.5 < output.flow.abs().max() <= 2.0


def test_frames_do_not_know_of_each_other(inputs):
    network = trained()
    with torch.no_grad():
        both, one = network(*inputs), network(*(x[1:] for x in inputs))
    assert torch.allclose(both.colour[1:], one.colour, rtol=1e-3, atol=1e-3)


def test_compose_takes_pixels_from_where_the_flow_points():
    picture = torch.arange(64.0).view(1, 1, 8, 8).expand(1, 3, 8, 8) / 64
    output = LandmarkGuidedUNet(**SMALL)
    with torch.no_grad():
        output = output(torch.zeros(1, 3, 48, 48), torch.zeros(1, 3, 48, 48), torch.zeros(1, 8, 48, 48))
    output.flow, output.colour = torch.tensor([1.0, 2.0]).view(1, 2, 1, 1).expand(1, 2, 8, 8), torch.zeros(1, 3, 8, 8)
    moved = compose(picture, output)
    assert torch.allclose(moved[0, 0, 1, 1], picture[0, 0, 3, 2], atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_near(inputs, dtype):
    network = trained()
    with torch.no_grad():
        full = network(*inputs).colour
        half = network.to(dtype)(*(x.to(dtype) for x in inputs))
    assert half.colour.dtype == dtype and half.flow.dtype == dtype
    assert (half.colour.float() - full).abs().mean() < 0.1 * full.abs().mean()


def test_saved_and_loaded_it_gives_the_same(inputs, tmp_path):
    network = trained()
    network.save_pretrained(tmp_path)
    again = LandmarkGuidedUNet.from_pretrained(tmp_path)
    assert again.config.block_out_channels == [8, 16, 16] or again.config.block_out_channels == (8, 16, 16)
    with torch.no_grad():
        assert torch.equal(again(*inputs).colour, network(*inputs).colour)


def test_a_tuple_on_request(inputs):
    made = LandmarkGuidedUNet(**SMALL)(*inputs, return_dict=False)
    assert [part.shape[1] for part in made] == [2, 3, 1, 1]


@pytest.mark.parametrize("channels", [0, 3, 5])
def test_wrong_shapes_are_named(inputs, channels):
    network = LandmarkGuidedUNet(**SMALL)
    with pytest.raises(ValueError, match="drawings.*together"):
        network(inputs[0], inputs[1], inputs[2][:, :4])
    with pytest.raises(ValueError, match="reference.*together"):
        network(*inputs, torch.ones(2, channels, 48, 48))


def test_the_default_is_small():
    assert 0.5e6 < LandmarkGuidedUNet().num_parameters() < 1.2e6


def test_pictures_of_any_brightness_stay_finite(inputs):
    with torch.no_grad():
        for value in (-1.0, 1.0):
            output = trained()(*(torch.full_like(x, value) for x in inputs[:2]), inputs[2])
            assert np.isfinite(output.colour.numpy()).all()


def test_no_reference_is_an_all_zero_one(inputs):
    network = trained()
    with torch.no_grad():
        without, zero = network(*inputs), network(*inputs, torch.zeros(2, 4, 48, 48))
    assert all(torch.equal(without[name], zero[name]) for name in ("flow", "colour", "mask", "reference_share"))
    assert without.mask.any() and not without.reference_share.any()


def test_frames_without_a_reference_take_nothing_beside_frames_with_one(inputs, reference):
    network = trained()
    with torch.no_grad():
        with_one, without = network(*inputs, reference), network(*inputs)
    assert (
        with_one.reference_share[0].max() > 0
        and with_one.reference_share.max() <= 1
        and not with_one.reference_share[1].any()
    )
    assert torch.allclose(with_one.colour[1], without.colour[1], rtol=1e-3, atol=1e-3)
    assert not torch.allclose(with_one.colour[0], without.colour[0], rtol=1e-3, atol=1e-3)


def test_what_is_taken_lies_on_the_lower_face(inputs, reference):
    network = trained()
    with torch.no_grad():
        network.fine.weight[16:], network.fine.bias[16:] = 0, 30
        reference_share = network(*inputs, reference).reference_share[0, 0]
    wide = torch.zeros(48, 48, dtype=torch.bool)
    wide[14 - 6 : 36 + 6, 12 - 6 : 36 + 6] = True
    assert reference_share[14:36, 12:36].min() > 0 and not reference_share[~wide].any()


def test_untrained_it_takes_a_little_of_a_reference_and_changes_nothing_else(inputs, reference):
    torch.manual_seed(0)
    with torch.no_grad():
        output = LandmarkGuidedUNet(**SMALL)(*inputs, reference)
    assert not output.flow.any() and not output.colour.any()
    between, chin = output.reference_share[0, 0, [24, 30], 24]
    assert between == pytest.approx(0.4) and chin == pytest.approx(0.4 / (1 + np.e**2), abs=1e-4)
    made = compose(inputs[1], output, 1.0, reference)
    wanted = inputs[1] + output.reference_share * (reference[:, :3] - inputs[1])
    assert torch.allclose(made, wanted, atol=1e-5) and not torch.equal(made[0], inputs[1][0])
    assert torch.allclose(made[1], inputs[1][1], atol=1e-5)


def test_what_is_taken_learns_from_the_first_step(inputs, reference):
    torch.manual_seed(0)
    network = LandmarkGuidedUNet(**SMALL)
    (compose(inputs[1], network(*inputs, reference), 1.0, reference) - inputs[0]).abs().mean().backward()
    assert network.fine.weight.grad[16:].abs().max() > 0


def test_compose_gives_each_frame_its_share_of_the_reference(inputs, reference):
    reference = reference[:1].expand(2, -1, -1, -1)
    with torch.no_grad():
        output = trained()(*inputs, reference)
    none, all_of_it = (compose(inputs[1], output, share, reference) for share in (0.0, 1.0))
    mixed = compose(inputs[1], output, torch.tensor([0.0, 1.0]), reference)
    assert torch.allclose(none, inputs[1], atol=1e-5)
    assert torch.equal(mixed[0], none[0]) and torch.equal(mixed[1], all_of_it[1])
    assert not torch.allclose(all_of_it, compose(inputs[1], output, 1.0), atol=1e-3)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_with_a_reference(inputs, reference, dtype):
    network = trained()
    with torch.no_grad():
        full = network(*inputs, reference)
        half = network.to(dtype)(*(x.to(dtype) for x in (*inputs, reference)))
        plain = network(*(x.to(dtype) for x in inputs))
    assert half.reference_share.dtype == plain.reference_share.dtype == dtype and not plain.reference_share.any()
    assert (half.reference_share.float() - full.reference_share).abs().mean() < 0.1 * full.reference_share.mean()
    assert compose(inputs[1].to(dtype), half, 1.0, reference.to(dtype)).dtype == torch.float32


def test_saved_and_loaded_it_takes_the_same(inputs, reference, tmp_path):
    network = trained()
    network.save_pretrained(tmp_path)
    with torch.no_grad():
        assert torch.equal(
            LandmarkGuidedUNet.from_pretrained(tmp_path)(*inputs, reference).reference_share,
            network(*inputs, reference).reference_share,
        )


def test_weights_from_before_references_still_load(inputs, reference, tmp_path):
    from safetensors.torch import load_file, save_file

    network = trained()
    network.save_pretrained(tmp_path)
    (path,) = tmp_path.glob("*.safetensors")
    weights = load_file(path)
    weights["enter.weight"] = weights["enter.weight"][:, :-16].contiguous()
    weights.update({name: weights[name][:16].contiguous() for name in ("fine.weight", "fine.bias")})
    save_file(weights, path, metadata={"format": "pt"})
    old = LandmarkGuidedUNet.from_pretrained(tmp_path)
    with torch.no_grad():
        assert torch.equal(old(*inputs).colour, network(*inputs).colour)
        assert torch.equal(old(*inputs, reference).colour, old(*inputs).colour)
        assert old(*inputs, reference).reference_share[..., 28:, :].max() < 1e-6  # below the lips


def lit(seed=0, **config):
    """A network that gives a lot of light, and paints nothing."""
    return trained(seed, paints=False, **config)


def test_a_network_of_light_equals_the_warp_untrained_and_learns_from_the_first_step(inputs, reference):
    torch.manual_seed(0)
    network = LandmarkGuidedUNet(**SMALL, paints=False)
    made = compose(inputs[1], network(*inputs))
    assert torch.allclose(made, inputs[1], atol=1e-5)
    made = compose(inputs[1], network(*inputs, reference), 1.0, reference)
    (made - inputs[0]).abs().mean().backward()
    assert all(part.weight.grad.abs().max() > 0 for part in (network.smooth, network.fine))


def test_light_is_multiplied_and_adds_nothing_to_black(inputs):
    source, _, drawings = inputs
    black, grey = -torch.ones_like(source), torch.zeros_like(source)
    with torch.no_grad():
        output = lit()(source, grey, drawings)
    assert torch.allclose(compose(black, output), black, atol=1e-5)
    made = compose(grey, output)
    assert (made - grey).abs().max() > 0.1 and torch.allclose((made + 1).log(), output.light, atol=1e-3)
    assert not output.colour.any() and not output.mask.any()


def test_light_is_smooth_bounded_and_stays_on_the_lower_face(inputs):
    with torch.no_grad():
        light = lit()(*inputs).light
        wild = LandmarkGuidedUNet(**SMALL, paints=False)
        torch.nn.init.constant_(wild.smooth.bias[2:], 50.0)
        most = wild(*inputs).light
    wide = torch.zeros(48, 48, dtype=torch.bool)
    wide[14 - 6 : 36 + 6, 12 - 6 : 36 + 6] = True
    assert not light[..., ~wide].any() and light[..., wide].abs().max() > 0.05
    assert most[..., 24, 24].max() < most[..., 18, 24].max() <= BRIGHTNESS[0] + 1e-5  # less of it in the mouth
    rough = light.diff(dim=-1).diff(dim=-1)[..., 16:20, 16:32].abs().mean()  # away from fades: cells of four pixels
    assert rough < 0.8 * light[..., 16:20, 16:32].diff(dim=-1).abs().mean()


def test_a_saved_network_of_light_gives_the_same(inputs, reference, tmp_path):
    network = lit()
    network.save_pretrained(tmp_path)
    again = LandmarkGuidedUNet.from_pretrained(tmp_path)
    assert not again.config.paints
    with torch.no_grad():
        assert torch.equal(again(*inputs, reference).light, network(*inputs, reference).light)
    assert [part.shape[1] for part in again(*inputs, return_dict=False)] == [2, 3, 1, 1, 3]
