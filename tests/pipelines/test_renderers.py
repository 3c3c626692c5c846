"""Which renderer a pipeline takes, by its unet, and what it gets."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch

from text2lip import Text2LipPipeline
from text2lip.pipelines.rendering import SAMPLED, renderer_kind
from text2lip.renderers.geometric import GeometricRenderer
from text2lip.renderers.sampling import SamplingOptions


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
    pass


class SampledRecorder(Recorder):
    pass


@pytest.fixture(autouse=True)
def stubs(monkeypatch):
    """The four modules of the learned renderers, so that a choice needs no weights."""
    for name, content in [
        ("models.landmark_unet", {"LandmarkGuidedUNet": LearnedUNet}),
        ("models.echomimic_unet", {"EchoMimicUNet": SampledUNet}),
        ("renderers.learned", {"LearnedRenderer": LearnedRecorder}),
        ("renderers.echomimic", {"EchoMimicRenderer": SampledRecorder}),
    ]:
        module = ModuleType(f"text2lip.{name}")
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, module.__name__, module)


def with_unet(pipe, unet, **parts):
    made = Text2LipPipeline(**{**pipe.components, **dict.fromkeys(SAMPLED), "unet": None})
    for name, part in {"unet": unet, **parts}.items():
        setattr(made, name, part)  # a stub can't be registered: it has no library
    return made


def sampled(pipe):
    return with_unet(pipe, SampledUNet(), **{name: SimpleNamespace(name=name) for name in SAMPLED})


def test_auto_takes_the_best_there_is(pipe):
    bare, learned = with_unet(pipe, None), with_unet(pipe, LearnedUNet())
    assert [renderer_kind(p) for p in (bare, learned, sampled(pipe))] == ["geometric", "learned", "echomimic"]
    for made in (learned, sampled(pipe)):
        assert renderer_kind(made, "unet") == renderer_kind(made)
        assert isinstance(made.make_renderer("geometric"), GeometricRenderer)
    assert learned.make_renderer().parts == (learned.unet,)


def test_a_renderer_that_samples_gets_its_parts_and_its_arguments(pipe):
    made = sampled(pipe)
    renderer = made.make_renderer("unet", num_inference_steps=6, guidance_scale=1.0)
    assert renderer.parts == (made.unet, made.reference_unet, made.landmark_encoder, made.vae, made.scheduler)
    options = SamplingOptions(num_inference_steps=6, guidance_scale=1.0, quiet=renderer.sampler["options"].quiet)
    assert renderer.sampler == {"options": options, "pipe": made}


def test_the_call_hands_sampler_arguments_and_generators_on(pipe, portrait, monkeypatch):
    made, renderers = sampled(pipe), []

    def make(*parts, **sampler):
        renderers.append(SampledRecorder(*parts, **sampler))
        return renderers[-1]

    monkeypatch.setattr(made, "make_renderer", make)
    generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
    made(["Yes.", "No."], portrait, num_frames=1, num_inference_steps=6, generator=generators)
    assert [renderer.sampler["num_inference_steps"] for renderer in renderers] == [6, 6]
    assert [renderer.given["generator"] for renderer in renderers] == generators
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
    with pytest.raises(ValueError, match="renderer: 'unet', but this pipeline has no unet; choose 'geometric'"):
        with_unet(pipe, None).stream("Hi.", portrait, renderer="unet")


def test_a_strange_unet_is_refused(pipe, portrait):
    with pytest.raises(ValueError, match="unet: Linear is no renderer"):
        with_unet(pipe, torch.nn.Linear(1, 1)).stream("Hi.", portrait)


def test_idle_life_moves_frames_and_landmarks_and_is_seeded(pipe, portrait):
    def made(**given):
        stream = pipe.stream("Hi.", portrait, num_frames=40, renderer="geometric", **given)
        return stream.landmarks, list(stream)[39]

    def seeded(seed, **given):
        return made(generator=torch.Generator().manual_seed(seed), **given)

    still, alive, again = made(), made(idle=True), made(idle=True)
    assert np.array_equal(alive[1], again[1]) and np.array_equal(alive[0], again[0])
    assert (alive[1] != still[1]).mean() > 0.1
    assert 0.1 < 256 * np.abs(alive[0] - still[0])[39, :400].max() < 6  # pixels
    one, same, other = (seeded(seed, idle=0.5)[1] for seed in (1, 1, 2))
    assert np.array_equal(one, same) and not np.array_equal(one, other)


@pytest.mark.parametrize("value", [-1, 2.5, float("nan"), "yes", None])
def test_idle_out_of_range(pipe, portrait, value):
    with pytest.raises(ValueError, match="idle: .*; wants True, False or a strength from 0 to 2"):
        pipe.stream("Hi.", portrait, idle=value, renderer="geometric")
