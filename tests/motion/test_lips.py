"""What moves the lips: the networks of the paper, or the articulatory model."""

import numpy as np
import pytest
import torch

from text2lip import Text2LipPipeline, synthesize
from text2lip.faces.topology import driven_index
from text2lip.models import LipDecoderModel
from text2lip.motion import lips as lips_module
from text2lip.motion.lips import LipMotion, animate_sound
from text2lip.motion.lips import animate as move_lips
from text2lip.pipelines.request import clip_length
from text2lip.text.timing import Timeline
from text2lip.training.sounds import hum, noise


@pytest.fixture(scope="module")
def tokens(pipe):
    text = "Papa, who are you? Five fat foxes met my uncle."
    speech = synthesize(f'<speak><break time="0.4s"/>{text}<break time="0.4s"/></speak>', "espeak")
    return pipe.tokenizer(phones=speech.timeline, return_tensors="pt")


def gap(moved):
    upper, lower = driven_index((13, 14))
    return moved[..., lower, 1] - moved[..., upper, 1]


def animate(pipe, tokens, motion, **more):
    frames = clip_length(float(tokens["durations"].sum(1).max()), 25)
    return move_lips(pipe.lip_model(motion), tokens, frames, 25, **more)[0]


def test_the_networks_are_the_default_and_another_motion_can_be_chosen(pipe, tokens):
    networks = animate(pipe, tokens, "networks")
    assert torch.equal(animate(pipe, tokens, None), networks)
    other = animate(pipe, tokens, "articulatory")
    assert networks.shape == other.shape and networks.dtype == torch.float32
    assert (networks - other).abs().max() > 0.01
    assert np.corrcoef(gap(networks)[0], gap(other)[0])[0, 1] > 0.8  # two ways to say the same


@pytest.mark.parametrize("motion", ["networks", "articulatory"])
def test_lips_close_on_bilabials_open_on_open_vowels_and_rest_at_the_ends(pipe, tokens, motion):
    opened = gap(animate(pipe, tokens, motion))[0].numpy()
    ends = tokens["durations"][0].numpy().cumsum()
    starts = ends - tokens["durations"][0].numpy()
    at = {label: [] for label in ("PP", "aa")}
    for label, start, end in zip(tokens["labels"][0], starts, ends):
        during = opened[int(start * 25) : max(int(start * 25) + 1, int(end * 25 + 0.5))]
        if label in at:
            at[label].append(during.min() if label == "PP" else during.max())
    assert max(at["PP"]) < 0.005
    assert np.mean(at["aa"]) > 0.02
    assert opened[0] < 0.005 and opened[-1] < 0.005


def test_a_clip_is_the_same_alone_and_in_a_padded_batch(pipe):
    both = pipe.tokenizer(["Bob.", "Good morning to you all, my friends."], padding=True, return_tensors="pt")
    alone = pipe.tokenizer("Bob.", return_tensors="pt")
    single = animate(pipe, alone, "networks")
    batch = animate(pipe, both, "networks")[:1]
    torch.testing.assert_close(batch[:, : single.shape[1]], single, rtol=0, atol=1e-5)
    assert batch[:, single.shape[1] :].abs().max() == 0


def test_real_sound_takes_the_place_of_pseudo_audio(pipe, tokens):
    text = animate(pipe, tokens, "networks")
    states = {}
    handle = pipe.lip_decoder.register_forward_pre_hook(
        lambda module, args, kwargs: states.update(kwargs, heard=args[0] if args else kwargs["audio_features"]),
        with_kwargs=True,
    )
    try:
        sound = torch.full((1, text.shape[1], 320), -1.0)
        heard = animate(pipe, tokens, "networks", audio_features=sound)
    finally:
        handle.remove()
    assert torch.equal(states["heard"].float(), sound)  # nothing of the pseudo-audio is left
    assert (heard - text).abs().max() > 0.01


def test_networks_that_are_not_there_are_named(pipe, portrait):
    required = {name: pipe.components[name] for name in ("tokenizer", "face_landmarker", "articulation")}
    bare = Text2LipPipeline(**required)
    with pytest.raises(ValueError, match="motion: 'networks', but this pipeline has no viseme_encoder"):
        bare("Hi.", portrait, motion="networks")
    assert bare.stream("Hi.", portrait).num_frames > 5


def test_the_built_in_decoder_hears_a_strange_voice_and_rests_where_nobody_speaks(pipe):
    text = '<speak><break time="0.5s"/>मेरा भाई बाज़ार से फल और फूल लाता है।<break time="0.5s"/></speak>'
    speech = synthesize(text, "espeak+f5", "hi")  # a language and a voice that it was not trained on
    by_text = animate(pipe, pipe.tokenizer(phones=speech.timeline, return_tensors="pt"), "networks")[0]
    for gain in (1.0, 0.1):
        heard, _ = animate_sound(pipe.audio_lip_decoder, gain * speech.audio, speech.sampling_rate, len(by_text))
        assert np.corrcoef(gap(heard), gap(by_text))[0, 1] > 0.6
    for make in (noise, hum):
        silent = animate_sound(pipe.audio_lip_decoder, make(np.random.default_rng(5), 48_000), 16_000, 75)[0]
        assert gap(silent).max() < 0.5 * gap(heard).max()


@pytest.fixture(scope="module")
def listener():
    torch.manual_seed(0)
    model = LipDecoderModel(hidden_dim=32, token_dim=8, num_layers=1, feed_forward_dim=32, reference_width=0.5).eval()
    torch.nn.init.normal_(model.projection.weight)
    return model


@pytest.fixture(scope="module")
def bursts():
    rng = np.random.default_rng(0)
    return np.tile(np.r_[np.zeros(6400), 0.1 * rng.normal(size=9600)], 8).astype(np.float32)


def test_sound_alone_moves_lips_and_level_rate_and_pieces_do_not_matter(listener, bursts, monkeypatch):
    motion, width = animate_sound(listener, bursts, 16000, 200)
    assert motion.shape == (200, 57, 2) and motion.dtype == torch.float32 and width == 0.5
    assert motion.abs().max() > 0.01
    for other in (bursts * 0.05, np.repeat(bursts, 3)):
        again = animate_sound(listener, other, len(other) // 8, 200)[0]
        assert (again - motion).abs().mean() < 0.1 * motion.abs().mean()
    monkeypatch.setattr(lips_module, "PIECE", 60)
    assert torch.allclose(animate_sound(listener, bursts, 16000, 200)[0], motion, atol=1e-3)


def test_lips_from_sound_are_drawn_in_as_they_open(listener, bursts, monkeypatch):
    drawn = animate_sound(listener, bursts, 16000, 50)[0]
    monkeypatch.setattr(lips_module, "draw_in", lambda motion: motion)
    as_made = animate_sound(listener, bursts, 16000, 50)[0]
    right, left = driven_index((61, 291))
    narrower = (drawn - as_made)[:, left, 0] - (drawn - as_made)[:, right, 0]
    assert narrower.min() < -1e-3 and narrower.max() <= 1e-6


def test_lips_from_sound_keep_their_times_at_any_rate(listener, bursts):
    curves = {fps: animate_sound(listener, bursts, 16000, int(8 * fps), fps)[0][:, 3, 1] for fps in (12, 25, 60)}
    times = {fps: (np.arange(len(curve)) + 0.5) / fps for fps, curve in curves.items()}
    for fps in (12, 60):
        there = np.interp(times[fps], times[25], curves[25])
        assert np.corrcoef(there, curves[fps])[0, 1] > 0.95
    assert len(animate_sound(listener, bursts[:100], 16000, 1, 25)[0]) == 1
    silent, loud = (animate_sound(listener, bursts[:samples], 16000, 50)[0].abs().max() for samples in (6400, 32000))
    assert silent < 0.2 * loud


def test_the_tongue_of_who_listens_rests():
    says = {"A": [("t", 0.2, 0.4)], "B": [("k", 0.6, 0.8)]}
    roles = {name: LipMotion(np.zeros((25, 57, 2)), 1, 25, Timeline.from_phones(p, (), 1)) for name, p in says.items()}
    whole = Timeline.from_phones(says["A"] + says["B"], (), 1)
    motion = LipMotion(np.zeros((25, 57, 2)), 1, 25, whole, roles=roles)
    up, _, back = np.moveaxis(motion.of_speakers(["A"]).tongue, 1, 0)
    assert up[7] == 1 and back.max() == 0
    assert np.array_equal(motion.of_speakers(["B", "A"]).tongue, motion.tongue)
    assert motion.of_speakers([]).tongue.max() == 0


def test_a_mouth_is_known_to_rest_where_nothing_is_said():
    timeline = Timeline.from_phones([("", 0.0, 0.4), ("a", 0.4, 1.0)], (), 2.0)
    rest = LipMotion(np.zeros((50, 57, 2)), 1, 25, timeline).rest
    assert rest.shape == (50,) and (rest[10:25] == 0).all() and (rest[30:] == 1).all() and 0 < rest[2] < 1
    unknown = (None, Timeline([], [], 2.0))
    assert not any(LipMotion(np.zeros((50, 57, 2)), 1, 25, one).rest.any() for one in unknown)
