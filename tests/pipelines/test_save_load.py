"""A saved pipeline is the pipeline."""

import json
import os

import numpy as np
import pytest
import torch

from text2lip import Text2LipPipeline
from text2lip.pipelines.hub import CHECKPOINTS, lent_parts


OPTIONAL = {
    "viseme_encoder",
    "pseudo_audio",
    "lip_decoder",
    "audio_lip_decoder",
    "unet",
    "reference_unet",
    "landmark_encoder",
    "vae",
    "audio_encoder",
    "scheduler",
}


@pytest.fixture(scope="module")
def saved(pipe, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "talker"
    pipe.save_pretrained(folder)
    return folder


def test_round_trip_gives_the_same_bits(pipe, saved, portrait):
    loaded = Text2LipPipeline.from_pretrained(saved)
    loaded.set_progress_bar_config(disable=True)
    before = pipe("Who is Bob?", portrait, output_type="np")
    after = loaded("Who is Bob?", portrait, output_type="np")
    assert np.array_equal(before.frames, after.frames)
    assert np.array_equal(before.audio[0], after.audio[0])


def test_files_name_only_public_classes_and_hold_no_pickles(saved):
    index = json.loads((saved / "model_index.json").read_text())
    components = {name: value for name, value in index.items() if isinstance(value, list)}
    assert {"tokenizer", "face_landmarker", "articulation"} | OPTIONAL == set(components)
    assert {library for library, _ in components.values()} <= {"text2lip", "diffusers", None}
    assert not [path for path in saved.rglob("*") if path.suffix in (".bin", ".pt", ".pkl", ".pth")]


def test_missing_optional_components_load_as_none(pipe, tmp_path):
    required = {name: pipe.components[name] for name in ("tokenizer", "face_landmarker", "articulation")}
    Text2LipPipeline(**required).save_pretrained(tmp_path)
    index = json.loads((tmp_path / "model_index.json").read_text())
    assert all(index[name] == [None, None] for name in OPTIONAL)
    loaded = Text2LipPipeline.from_pretrained(tmp_path)
    assert all(getattr(loaded, name) is None for name in OPTIONAL)


def test_every_weight_is_in_the_file(saved):
    from text2lip.faces.landmarker import FaceLandmarker
    from text2lip.motion.articulation import ArticulatoryModel

    for model, name in [(ArticulatoryModel, "articulation"), (FaceLandmarker, "face_landmarker")]:
        loaded, info = model.from_pretrained(saved / name, output_loading_info=True)
        assert not info["missing_keys"] and not info["unexpected_keys"]
        assert all(parameter.device.type != "meta" for parameter in loaded.parameters())


def test_options_survive(pipe, saved, tmp_path):
    other = Text2LipPipeline(**pipe.components, renderer="geometric", max_size=300)
    other.save_pretrained(tmp_path)
    loaded = Text2LipPipeline.from_pretrained(tmp_path)
    assert (loaded.config.renderer, loaded.config.max_size, loaded.config.motion) == ("geometric", 300, "articulatory")
    with pytest.raises(ValueError, match="may be 300 at most"):
        loaded.stream("Hi.", np.zeros((301, 20, 3), np.uint8))
    assert Text2LipPipeline.from_pretrained(tmp_path, max_size=99).config.max_size == 99


@pytest.mark.parametrize("option", [{"motion": "dance"}, {"renderer": "raytracer"}])
def test_unknown_options_are_refused(pipe, option):
    with pytest.raises(ValueError, match="choose one of"):
        Text2LipPipeline(**pipe.components, **option)


def test_components_make_another_pipeline(pipe):
    other = Text2LipPipeline(**pipe.components)
    assert other.face_landmarker is pipe.face_landmarker and other.unet is pipe.unet


def test_unknown_names(tmp_path):
    with pytest.raises(ValueError, match="'nobody' is no folder and not built in; choose text2lip-grid"):
        Text2LipPipeline.from_pretrained("nobody")
    with pytest.raises(OSError, match="'no/body' is no folder, and can't be had from the Hub"):
        Text2LipPipeline.from_pretrained("no/body", cache_dir=tmp_path)
    with pytest.raises(OSError, match="model_index.json"):
        Text2LipPipeline.from_pretrained(tmp_path)


def test_the_papers_form_is_built_in_and_borrows_what_it_has_in_common(pipe, portrait, tmp_path):
    paper = Text2LipPipeline.from_pretrained("text2lip-grid-paper")
    near = CHECKPOINTS / "text2lip-grid" / ".." / "text2lip-grid-paper"  # the same folder, told otherwise
    assert lent_parts(str(near), {}).keys() == lent_parts(str(CHECKPOINTS / "text2lip-grid-paper"), {}).keys() != set()
    encoder = paper.viseme_encoder.config
    assert (encoder.num_phones, encoder.num_features, encoder.position_type) == (0, 0, "sinusoidal")
    assert paper.config.motion == "networks" and all(paper.components[name] for name in ("face_landmarker", "unet"))
    builtin = Text2LipPipeline.from_pretrained("text2lip-grid").components
    for name in ("face_landmarker", "unet", "articulation", "audio_lip_decoder"):
        lent, own = (parts[name].state_dict() for parts in (paper.components, builtin))
        assert all(torch.equal(lent[key], own[key]) and lent[key].dtype == own[key].dtype for key in own), name
    names, halves = ("text2lip-grid", "text2lip-grid-paper"), {"dtype": torch.bfloat16, "audio_lip_decoder": None}
    one, other = (Text2LipPipeline.from_pretrained(name, **halves).components for name in names)
    assert other["audio_lip_decoder"] is None and other["unet"].dtype == torch.bfloat16
    assert all(one[name].dtype == other[name].dtype for name in ("face_landmarker", "articulation", "lip_decoder"))
    paper.set_progress_bar_config(disable=True)
    ours, theirs = (made("Bob.", portrait, num_frames=4, output_type="np").frames for made in (pipe, paper))
    assert theirs.shape == ours.shape and not np.array_equal(theirs, ours)
    paper.save_pretrained(tmp_path)
    assert (tmp_path / "face_landmarker").is_dir() and Text2LipPipeline.from_pretrained(tmp_path).unet is not None


def test_a_folder_beside_shadows_the_built_in_name(pipe, tmp_path, monkeypatch):
    Text2LipPipeline(**pipe.components, max_size=77).save_pretrained(tmp_path / "text2lip-grid")
    monkeypatch.chdir(tmp_path)
    assert Text2LipPipeline.from_pretrained("text2lip-grid").config.max_size == 77


def test_from_pipe_keeps_every_component(pipe, portrait):
    copy = Text2LipPipeline.from_pipe(pipe)
    copy.set_progress_bar_config(disable=True)
    assert all(copy.components[name] is part for name, part in pipe.components.items())
    before, after = (made("Bob.", portrait, num_frames=4, output_type="np").frames for made in (pipe, copy))
    assert np.array_equal(before, after)
    assert Text2LipPipeline.from_pipe(pipe, motion="articulatory").config.motion == "articulatory"


def test_every_model_component_is_in_the_hints():
    """Diffusers' `from_pipe` drops a model whose class is not."""
    from diffusers import AutoencoderKL, AutoencoderTiny

    import text2lip

    types = {kind for kinds in Text2LipPipeline._get_signature_types().values() for kind in kinds}
    models = {getattr(text2lip, name) for name in text2lip.registration.CLASSES}
    assert models | {AutoencoderKL, AutoencoderTiny} <= types


def test_a_variant_is_saved_and_loaded(pipe, tmp_path):
    pipe.save_pretrained(tmp_path, variant="fp16")
    weights = [path.name for path in tmp_path.rglob("*.safetensors")]
    assert len(weights) == 7 and set(weights) == {"diffusion_pytorch_model.fp16.safetensors"}
    loaded = Text2LipPipeline.from_pretrained(tmp_path, variant="fp16")
    for name in ("face_landmarker", "lip_decoder", "unet"):
        ours, other = (getattr(each, name).state_dict() for each in (pipe, loaded))
        assert all((ours[key] == other[key]).all() for key in ours)


def test_no_class_hides_the_arguments_of_saving():
    """A pipeline passes to its components what it finds in their signatures."""
    import inspect

    import text2lip
    from text2lip.faces.landmarker import FaceLandmarker

    wanted = {"safe_serialization", "variant", "max_shard_size", "push_to_hub"}
    models = {getattr(text2lip, name) for name in text2lip.registration.CLASSES} - {text2lip.VisemeTokenizer}
    for kind in (*models, Text2LipPipeline, type("Own", (FaceLandmarker,), {})):
        assert wanted <= set(inspect.signature(kind.save_pretrained).parameters), kind


def test_no_saved_file_lacks_a_dot(saved):
    """Diffusers looks for a variant behind the first dot of each file's name, in the order of the directory."""
    assert not [path for path in saved.rglob("*") if path.is_file() and "." not in path.name]


def test_a_variant_that_is_not_there(saved):
    with pytest.raises(ValueError, match="variant=fp16"):
        Text2LipPipeline.from_pretrained(saved, variant="fp16")
    with pytest.raises(ValueError, match="variant=fp16"):
        Text2LipPipeline.from_pretrained("text2lip-grid", variant="fp16")


def test_a_folder_of_before_with_a_dotless_licence(pipe, tmp_path, monkeypatch):
    pipe.save_pretrained(tmp_path, variant="fp16")
    folder = tmp_path / "face_landmarker"
    (folder / "LICENSE.txt").rename(folder / "LICENSE")
    plain = os.listdir
    monkeypatch.setattr(os, "listdir", lambda *args: sorted(plain(*args)))  # the licence comes first
    with pytest.raises(ValueError, match=r"face_landmarker/LICENSE', whose name has no dot; rename"):
        Text2LipPipeline.from_pretrained(tmp_path, variant="fp16")
    pipe.save_pretrained(tmp_path, variant="fp16")  # saving again mends it
    assert Text2LipPipeline.from_pretrained(tmp_path, variant="fp16").unet is not None
