"""Which renderer a pipeline takes, by its unet, and what it gets."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from text2lip import Text2LipPipeline
from text2lip.renderers import selection
from text2lip.renderers.geometric import GeometricRenderer
from text2lip.renderers.sampling import SamplingOptions


SAMPLED = selection.ECHOMIMIC[1:]


class LearnedUNet(torch.nn.Module):
    pass


class SampledUNet(torch.nn.Module):
    pass


class Recorder:
    """A renderer that repeats the portrait and remembers what it was given."""

    def __init__(self, *parts, **sampler):
        self.parts, self.sampler = parts, sampler

    def render(self, portrait, landmarks, **given):
        self.given = given
        return (portrait.copy() for _ in landmarks)


class LearnedRecorder(Recorder):
    takes_references, hears_sound, samples = True, False, False


class SampledRecorder(Recorder):
    takes_references, hears_sound, samples = False, True, True


@pytest.fixture(autouse=True)
def stubs(monkeypatch):
    """Networks and renderers, so that a choice needs no weights."""
    monkeypatch.setattr(selection, "UNETS", {LearnedUNet: "learned", SampledUNet: "echomimic"})
    monkeypatch.setattr(selection, "LearnedRenderer", LearnedRecorder)
    monkeypatch.setattr(selection, "EchoMimicRenderer", SampledRecorder)


def with_unet(pipe, unet, **parts):
    made = Text2LipPipeline(**{**pipe.components, **dict.fromkeys(SAMPLED), "unet": None})
    for name, part in {"unet": unet, **parts}.items():
        setattr(made, name, part)  # a stub can't be registered: it has no library
    return made


def sampled(pipe):
    return with_unet(pipe, SampledUNet(), **{name: SimpleNamespace(name=name) for name in SAMPLED})


def test_auto_takes_the_best_there_is(pipe):
    bare, learned = with_unet(pipe, None), with_unet(pipe, LearnedUNet())
    kinds = [type(p.make_renderer()) for p in (bare, learned, sampled(pipe))]
    assert kinds == [GeometricRenderer, LearnedRecorder, SampledRecorder]
    for made, name in ((learned, "learned"), (sampled(pipe), "echomimic")):
        assert type(made.make_renderer(name)) is type(made.make_renderer("auto"))
        assert isinstance(made.make_renderer("geometric"), GeometricRenderer)
    assert learned.make_renderer().parts == (learned.unet,)


def test_a_renderer_that_samples_gets_its_parts_and_its_arguments(pipe):
    made = sampled(pipe)
    renderer = made.make_renderer("echomimic", SamplingOptions(num_inference_steps=6, guidance_scale=1.0))
    assert renderer.parts == (made.unet, made.reference_unet, made.landmark_encoder, made.vae, made.scheduler)
    options = SamplingOptions(num_inference_steps=6, guidance_scale=1.0)
    assert renderer.sampler == {"options": options, "pipe": made}


def test_the_call_hands_sampler_arguments_and_generators_on(pipe, portrait, monkeypatch):
    made, renderers = sampled(pipe), []

    def make(*parts, **sampler):
        renderers.append(SampledRecorder(*parts, **sampler))
        return renderers[-1]

    monkeypatch.setattr(selection, "EchoMimicRenderer", make)
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    made(["Yes.", "No."], portrait, num_frames=1, num_inference_steps=6, generator=generators)
    checked, *drawn = renderers
    assert [renderer.sampler["options"].num_inference_steps for renderer in renderers] == [6] * 3
    assert checked.sampler["pipe"] is None and [renderer.sampler["pipe"] for renderer in drawn] == [made] * 2
    assert [renderer.given["generator"] for renderer in drawn] == generators
    with pytest.raises(ValueError, match="generator: got 2 for 1 prompt"):
        made("Yes.", portrait, generator=generators)


def test_sampler_arguments_are_refused_where_nothing_samples(pipe, portrait):
    for made, renderer in [(with_unet(pipe, LearnedUNet()), None), (sampled(pipe), "geometric")]:
        with pytest.raises(ValueError, match="num_inference_steps: 6, but this renderer takes no steps"):
            made("Hi.", portrait, renderer=renderer, num_inference_steps=6)


@pytest.mark.parametrize("name", SAMPLED)
def test_missing_parts_are_named(pipe, portrait, name):
    made = sampled(pipe)
    setattr(made, name, None)
    with pytest.raises(ValueError, match=f"{name}: None, but an EchoMimicUNet needs it"):
        made.stream("Hi.", portrait)


def test_a_missing_unet_is_named(pipe, portrait):
    with pytest.raises(ValueError, match="renderer: 'learned' wants a LearnedUNet, but this pipeline has no unet"):
        with_unet(pipe, None).stream("Hi.", portrait, renderer="learned")
    with pytest.raises(ValueError, match="renderer: 'echomimic' wants a SampledUNet, but .* of the class LearnedUNet"):
        with_unet(pipe, LearnedUNet()).stream("Hi.", portrait, renderer="echomimic")


def test_an_object_that_draws_is_a_renderer(pipe, portrait):
    renderer = LearnedRecorder()
    frames = list(pipe.stream("Hi.", portrait, num_frames=3, renderer=renderer))
    assert len(frames) == 3 and np.array_equal(frames[2], portrait) and renderer.given["fps"] == 25
    for renderer, message in (
        (object(), "renderer: object has no render, takes_references, hears_sound, samples"),
        (LearnedRecorder, "renderer: the class LearnedRecorder; give an object of it"),
        ("unet", "renderer: 'unet'; choose one of .*; 'unet' is called 'learned' or 'echomimic'"),
    ):
        with pytest.raises(ValueError, match=message):
            pipe.stream("Hi.", portrait, renderer=renderer)
    with pytest.raises(ValueError, match="num_inference_steps: 3, but an object has its own settings"):
        pipe.stream("Hi.", portrait, renderer=SampledRecorder(), num_inference_steps=3)
    with pytest.raises(ValueError, match="audio_condition: 'pseudo' is for the sound that an EchoMimicUNet hears"):
        pipe.stream("Hi.", portrait, renderer=SampledRecorder(), audio_condition="pseudo")


def test_a_renderer_that_makes_too_few_or_other_pictures_is_told(pipe, portrait):
    class Lame(LearnedRecorder):
        def render(self, portrait, landmarks, **given):
            return (np.array(portrait if i < 2 else self.last) for i in range(len(landmarks) - self.missing))

    for missing, last, message in (
        (1, portrait, "renderer: made 4 of 5"),
        (0, portrait[1:], "renderer: frame 3 of 5 is uint8"),
    ):
        for image in (portrait, [portrait] * 3):
            lame = Lame()
            lame.missing, lame.last = missing, last
            with pytest.raises(ValueError, match=message):
                list(pipe.stream("Hi.", image, num_frames=5, renderer=lame, voice=None))


def test_a_folder_that_calls_its_renderer_unet_loads(pipe, portrait, tmp_path):
    pipe.save_pretrained(tmp_path)
    index = tmp_path / "model_index.json"
    index.write_text(index.read_text().replace('"renderer": "auto"', '"renderer": "unet"'))
    assert Text2LipPipeline.from_pretrained(tmp_path).config.renderer == "auto"


def test_a_strange_unet_is_refused(pipe, portrait):
    with pytest.raises(ValueError, match="unet: Linear is no renderer"):
        with_unet(pipe, torch.nn.Linear(1, 1)).stream("Hi.", portrait)
