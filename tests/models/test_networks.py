"""The three networks: shapes, saving, batches, length, frame rate. One set of checks, three contracts."""

import inspect

import pytest
import torch

from text2lip.models import LipDecoderModel, PseudoAudioModel, VisemeEncoderModel


VISEMES = torch.tensor([[0, 3, 5, 15, 15], [1, 2, 3, 4, 0]])
DURATIONS = torch.tensor([[0.2, 0.1, 0.2, 0.0, 0.0], [0.31, 0.2, 0.1, 0.18, 0.41]])
MASK = DURATIONS > 0


def states(width=16):
    return torch.randn(2, 5, width, generator=torch.Generator().manual_seed(0))


class Encoder:
    model_class = VisemeEncoderModel
    config = {"hidden_dim": 16, "feed_forward_dim": 32, "num_phones": 9, "num_features": 6}
    result, token_axis = "last_hidden_state", True
    shape = (2, 5, 16)
    inputs = {"input_ids": VISEMES, "attention_mask": MASK, "phone_ids": VISEMES % 9, "features": torch.rand(2, 5, 6)}


class Pseudo:
    model_class = PseudoAudioModel
    config = {"hidden_dim": 16, "feed_forward_dim": 32, "audio_dim": 12}
    result, token_axis = "audio_features", False
    shape = (2, 30, 12)
    inputs = {"encoder_hidden_states": states(), "durations": DURATIONS, "attention_mask": MASK, "num_frames": 30}


class Decoder:
    model_class = LipDecoderModel
    config = {"hidden_dim": 16, "token_dim": 16, "feed_forward_dim": 32, "audio_dim": 12, "num_layers": 2}
    result, token_axis = "motion", False
    shape = (2, 30, 57, 2)
    inputs = {
        "audio_features": torch.randn(2, 30, 12, generator=torch.Generator().manual_seed(1)),
        "encoder_hidden_states": states(),
        "durations": DURATIONS,
        "attention_mask": MASK,
    }


def build(case):
    torch.manual_seed(0)
    model = case.model_class(**case.config).eval()
    for parameter in model.parameters():  # zeros in the last layer would hide everything
        parameter.data += 0.05 * torch.randn_like(parameter)
    return model


def one(case, frames=13, tokens=3):
    """The first clip of the batch alone, not padded."""
    cut = {}
    for key, value in case.inputs.items():
        if key == "num_frames":
            cut[key] = frames
        else:
            cut[key] = value[:1, : frames if key == "audio_features" else tokens]
    return cut


@pytest.fixture(params=[Encoder, Pseudo, Decoder], ids=lambda case: case.model_class.__name__)
def case(request):
    return request.param


def test_shape_tuple_and_determinism(case):
    model = build(case)
    out = model(**case.inputs)
    assert out[case.result].shape == case.shape and out[case.result].isfinite().all()
    assert out[case.result].abs().max() > 0
    assert torch.equal(model(**case.inputs, return_dict=False)[0], out[case.result])


def test_save_and_load(case, tmp_path):
    model = build(case)
    model.save_pretrained(str(tmp_path))
    again, info = case.model_class.from_pretrained(
        str(tmp_path), output_loading_info=True, use_safetensors=True, low_cpu_mem_usage=False
    )
    assert not info["missing_keys"] and not info["unexpected_keys"]
    assert dict(again.config).items() >= case.config.items()
    assert torch.equal(again(**case.inputs)[0], model(**case.inputs)[0])


def test_no_config_argument_shadows_a_module(case):
    model = build(case)
    own = {name.split(".")[0] for name, _ in [*model.named_modules(), *model.named_parameters()]}
    assert not own & set(inspect.signature(case.model_class.__init__).parameters) - {""}


def test_a_clip_is_the_same_alone_and_in_a_padded_batch(case):
    model = build(case)
    batch = model(**case.inputs)[case.result][:1]
    alone = model(**one(case))[case.result]
    torch.testing.assert_close(batch[:, : alone.shape[1]], alone, rtol=0, atol=1e-6)


def test_padding_has_no_say(case):
    model = build(case)
    changed = dict(case.inputs)
    for key in ("input_ids", "phone_ids", "features", "encoder_hidden_states"):
        if key in changed:
            value = changed[key].clone()
            value[0, 3:] = 1
            changed[key] = value
    kept = slice(0, 3 if case.token_axis else 13)
    before, after = (model(**inputs)[case.result][0, kept] for inputs in (case.inputs, changed))
    torch.testing.assert_close(before, after, rtol=0, atol=1e-6)


def test_every_parameter_gets_a_gradient(case):
    model = build(case).train()
    out = model(**case.inputs)
    (out[case.result].square().sum() + (out.log_durations.square().sum() if case is Encoder else 0)).backward()
    still = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert all(name.endswith("to_key.bias") for name in still), still  # softmax does not see a key's bias


def test_bfloat16(case):
    model = build(case)
    want = model(**case.inputs)[case.result]
    got = model.to(torch.bfloat16)(
        **{k: v.bfloat16() if k in ("audio_features", "encoder_hidden_states") else v for k, v in case.inputs.items()}
    )[case.result]
    assert got.dtype == torch.bfloat16
    assert (got.float() - want).norm() < 0.05 * want.norm()


def test_unknown_positions_and_missing_inputs():
    with pytest.raises(ValueError, match="position_type"):
        VisemeEncoderModel(position_type="none")
    model = build(Encoder)
    with pytest.raises(ValueError, match="phone_ids"):
        model(VISEMES)
    with pytest.raises(ValueError, match="features"):
        model(VISEMES, phone_ids=VISEMES % 9)
    with pytest.raises(ValueError, match="durations"):
        build(Pseudo)(states(), DURATIONS[:, :3], 10)
    with pytest.raises(ValueError, match="durations"):
        build(Decoder)(torch.zeros(2, 30, 12), states())
    with pytest.raises(ValueError, match="frame_mask"):
        build(Decoder)(torch.zeros(2, 30, 12), frame_mask=torch.ones(2, 3))


def test_durations_learn_nothing_into_the_encoder():
    model = build(Encoder).train()
    model(**Encoder.inputs).log_durations.sum().backward()
    assert all(p.grad is None for name, p in model.named_parameters() if not name.startswith("duration_head"))


def test_predicted_durations_follow_the_rate():
    out = build(Encoder)(**Encoder.inputs)
    slow, fast = out.durations(MASK), out.durations(MASK, speaking_rate=2.0)
    assert (slow[MASK] > 0).all() and not slow[~MASK].any()
    torch.testing.assert_close(fast * 2, slow)


def test_sinusoidal_positions_tell_places_apart():
    config = {**Encoder.config, "num_phones": 0, "num_features": 0, "token_reach": 100}
    ids = torch.full((1, 6), 3)
    for position_type, same in (("sinusoidal", False), ("relative", True)):
        model = VisemeEncoderModel(**config, position_type=position_type).eval()
        for layer in model.layers:  # content only
            layer.attention.log_attack.data.fill_(-50)
            layer.attention.log_release.data.fill_(-50)
        x = model(ids).last_hidden_state[0]
        assert torch.allclose(x[0], x[4], atol=1e-5) is same


def test_an_untrained_decoder_keeps_the_mouth_at_rest():
    assert not LipDecoderModel(**Decoder.config)(**Decoder.inputs).motion.any()


def test_motion_ends_with_the_durations():
    motion = build(Decoder)(**Decoder.inputs).motion
    assert motion[0, 12].any() and not motion[0, 13:].any()


def test_attention_maps():
    model = build(Decoder)
    plain, out = model(**Decoder.inputs).motion, model(**Decoder.inputs, output_attentions=True)
    torch.testing.assert_close(out.motion, plain, rtol=0, atol=1e-6)
    assert len(out.attentions) == 2
    frames, audio, visemes = out.attentions[0]
    assert frames.shape == audio.shape == (2, 4, 30, 30) and visemes.shape == (2, 4, 30, 5)
    for weights in out.attentions[0]:
        torch.testing.assert_close(weights[1].sum(-1), torch.ones(4, 30))
    assert not visemes[0, :, :, 3:].any() and not frames[0, :, :13, 13:].any()


@pytest.mark.parametrize("stages, deaf, blind", [(["audio"], False, True), (["visemes"], True, False)])
def test_a_decoder_of_one_stage_knows_nothing_of_the_other(stages, deaf, blind):
    model = build(type("One", (Decoder,), {"config": {**Decoder.config, "stages": stages}}))
    inputs, motion = Decoder.inputs, model(**Decoder.inputs).motion
    maps = model(**inputs, output_attentions=True).attentions[0]
    other_sound = model(**{**inputs, "audio_features": inputs["audio_features"].flip(-1)}).motion
    other_tokens = model(**{**inputs, "encoder_hidden_states": inputs["encoder_hidden_states"].flip(-1)}).motion
    assert torch.equal(other_sound, motion) is deaf and torch.equal(other_tokens, motion) is blind
    assert (maps.audio is None) is deaf and (maps.visemes is None) is blind


def test_the_order_of_the_stages_counts():
    model = build(Decoder)
    turned = LipDecoderModel(**Decoder.config, stages=["visemes", "audio"]).eval()
    turned.load_state_dict(model.state_dict())
    assert not torch.allclose(turned(**Decoder.inputs).motion, model(**Decoder.inputs).motion)


@pytest.mark.parametrize("stages", [[], ["audio", "audio"], ["video"]])
def test_unknown_stages_are_refused(stages):
    with pytest.raises(ValueError, match="stages"):
        LipDecoderModel(**Decoder.config, stages=stages)


def test_without_the_gate_tokens_pass_as_they_are():
    model = build(type("Plain", (Pseudo,), {"config": {**Pseudo.config, "gated": False}}))
    inputs = Pseudo.inputs
    enhanced = model(**inputs).enhanced
    wanted = model.enhance_norm(inputs["encoder_hidden_states"]) * inputs["attention_mask"][..., None]
    torch.testing.assert_close(enhanced, wanted)


def test_audio_alone():
    model = build(Decoder)
    audio = Decoder.inputs["audio_features"]
    motion = model(audio, output_attentions=True)
    assert motion.motion.shape == (2, 30, 57, 2) and motion.attentions[0].visemes is None


def test_listening_layers_hear_what_is_around_a_frame_and_nothing_of_padding():
    torch.manual_seed(0)
    model = LipDecoderModel(**{**Decoder.config, "listening_layers": 1, "num_layers": 1, "reach_seconds": 0.01}).eval()
    torch.nn.init.normal_(model.projection.weight)
    audio, mask = Decoder.inputs["audio_features"], torch.ones(2, 30, dtype=torch.bool)
    changed = audio.clone()
    changed[:, 10] += 1
    moved = (model(changed).motion - model(audio).motion).abs().amax((0, 2, 3)) > 1e-5
    assert moved[8:13].all() and not moved[:8].any() and not moved[13:].any()
    mask[:, 10:] = False
    before, after = (model(sound, frame_mask=mask).motion for sound in (audio, changed))
    torch.testing.assert_close(before, after, rtol=0, atol=1e-6)


def repeated(times):
    tokens = states()[1:].repeat(1, times, 1)
    return tokens, DURATIONS[1:].repeat(1, times)


@pytest.mark.parametrize("name", ["pseudo", "decoder"])
def test_a_long_clip_moves_like_its_pieces(name):
    """Trained on 3 s, used on minutes: what is far away changes nothing, blocks or not."""
    pseudo, decoder = build(Pseudo), build(Decoder)

    def run(times):
        tokens, durations = repeated(times)
        out = pseudo(tokens, durations, times * 30)
        return out.audio_features if name == "pseudo" else decoder(out.audio_features, tokens, durations).motion

    short, long = run(8), run(40)  # 1.2 s and 30 frames each time
    torch.testing.assert_close(long[:, :140], short[:, :140], rtol=0, atol=1e-5)
    assert (long[:, 300:600] - long[:, 600:900]).norm() < 1e-3 * long[:, 300:600].norm()
    assert long[:, 1170:].abs().max() > 0


def test_a_long_text_is_encoded_like_its_pieces():
    model = VisemeEncoderModel(hidden_dim=16, feed_forward_dim=32).eval()
    ids = torch.randint(0, 15, (1, 600), generator=torch.Generator().manual_seed(2))
    whole, part = model(ids).last_hidden_state, model(ids[:, 200:300]).last_hidden_state
    torch.testing.assert_close(whole[:, 230:270], part[:, 30:70], rtol=0, atol=1e-4)


def test_frame_rate_does_not_change_the_features():
    """Frame 5 f + 2 of 125 fps is the moment of frame f of 25 fps."""
    model = build(Pseudo)
    tokens, durations = repeated(1)
    slow = model(tokens, durations, 30, 25.0).audio_features
    fast = model(tokens, durations, 150, torch.tensor([125.0])).audio_features
    torch.testing.assert_close(fast[:, 2::5], slow, rtol=0, atol=1e-5)


def test_frame_rate_hardly_changes_the_movement():
    torch.manual_seed(3)
    decoder = build(Decoder)
    tokens, durations = repeated(2)
    curve = torch.linspace(0, 6, 600).sin()[None, :, None].repeat(1, 1, 12)
    slow = decoder(curve[:, 5::10], tokens, durations, 25.0).motion
    fast = decoder(curve[:, 1::2], tokens, durations, 125.0).motion[:, 2::5]
    unaware = decoder(curve[:, 1::2], tokens, durations, 25.0).motion[:, 2::5]  # as if it were five times as long
    assert (fast - slow).norm() < 0.03 * slow.norm()
    assert (unaware - slow).norm() > 0.5 * slow.norm()
