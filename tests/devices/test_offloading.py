"""The whole pipeline on a device, and with every way of offloading: the processor's frames, to the last bit."""

import numpy as np
import pytest
import torch
from stand_in import StandIn

from text2lip import Text2LipPipeline


CALL = {"prompt": "Bob.", "voice": None, "num_frames": 3}
WAYS = {
    "to": lambda pipe, device, folder: pipe.to(device),
    "model": lambda pipe, device, folder: pipe.enable_model_cpu_offload(device=device),
    "sequential": lambda pipe, device, folder: pipe.enable_sequential_cpu_offload(device=device),
    "leaf": lambda pipe, device, folder: pipe.enable_group_offload(device, offload_type="leaf_level"),
    "block": lambda pipe, device, folder: pipe.enable_group_offload(device, num_blocks_per_group=1),
    "disk": lambda pipe, device, folder: pipe.enable_group_offload(
        device, offload_type="leaf_level", offload_to_disk_path=str(folder)
    ),
    "renderer alone": lambda pipe, device, folder: pipe.unet.to(device),
    "encoder alone": lambda pipe, device, folder: pipe.viseme_encoder.to(device),
    "decoder alone": lambda pipe, device, folder: pipe.lip_decoder.to(device),
}


@pytest.fixture(scope="module")
def wanted(pipe, portrait):
    """Frames of the processor by each motion: uint8 (frames, height, width, 3)."""
    return {motion: frames(pipe, portrait, motion) for motion in ("networks", "articulatory")}


def frames(pipe, portrait, motion="networks") -> np.ndarray:
    return np.stack(list(pipe.stream(image=portrait, motion=motion, **CALL)))


def on_device(pipe, there: StandIn) -> set[str]:
    """Names of the models that have weights on the device."""
    models = {name: model for name, model in pipe.components.items() if isinstance(model, torch.nn.Module)}
    return {name for name, model in models.items() if any(there.of(p) == there.device for p in model.parameters())}


@pytest.mark.slow
@pytest.mark.parametrize("way, name", [*((way, "cuda") for way in WAYS), ("to", "mps")])
def test_frames_are_the_processors(fresh, portrait, wanted, way, name, tmp_path):
    with StandIn(name) as there:
        pipe = fresh()
        WAYS[way](pipe, there.device, tmp_path)
        assert np.array_equal(frames(pipe, portrait), wanted["networks"]) and there.calls > 100
        called = pipe(image=portrait, motion="articulatory", output_type="np", **CALL).frames[0]
        assert np.array_equal(np.rint(255 * called), wanted["articulatory"])
        if way == "model":
            assert on_device(pipe, there) == set(pipe._exclude_from_cpu_offload)


@pytest.mark.slow
def test_a_stream_frees_the_device_however_it_ends(fresh, portrait, gpu, monkeypatch):
    pipe = fresh()
    pipe.enable_model_cpu_offload(device=gpu.device)
    kept = set(pipe._exclude_from_cpu_offload)
    stream = pipe.stream(image=portrait, **CALL)
    assert on_device(pipe, gpu) == kept  # nothing was asked for yet
    next(stream)
    assert on_device(pipe, gpu) == kept | {"unet"}
    stream.close()
    assert on_device(pipe, gpu) == kept and list(stream) == []
    stream = pipe.stream(image=portrait, **CALL)
    next(stream)
    del stream
    assert on_device(pipe, gpu) == kept
    with pytest.raises(ValueError, match="should end in"):
        pipe.stream(image=portrait, **CALL).save("film.txt")
    assert on_device(pipe, gpu) == kept
    for where in ("text2lip.pipelines.text2lip.sound_features", "text2lip.renderers.learned.MouthCorrection.apply"):
        with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="broken"):
            patch.setattr(where, broken)
            pipe(image=portrait, **CALL)
        assert on_device(pipe, gpu) == kept


def broken(*args, **kwargs):
    raise RuntimeError("broken")


def test_every_model_has_a_place_in_the_order_of_offloading():
    models = set(Text2LipPipeline._get_signature_keys(Text2LipPipeline)[0]) - {"tokenizer", "scheduler"}
    order = Text2LipPipeline.model_cpu_offload_seq.split("->")
    assert sorted(order + Text2LipPipeline._exclude_from_cpu_offload) == sorted(models)


def test_a_pipeline_without_data_says_so(fresh, portrait):
    pipe = fresh().to("meta")
    with pytest.raises(ValueError, match="^device: 'meta'"):
        pipe.stream(image=portrait, **CALL)


def test_nothing_is_offloaded_from_the_processor_to_itself(fresh, portrait):
    pipe = fresh()
    with pytest.raises(ValueError, match="device: 'cpu' is where the weights wait"):
        pipe.enable_sequential_cpu_offload(device="cpu")
    assert len(list(pipe.stream(image=portrait, **CALL))) == 3


def test_weights_of_another_pipeline_are_not_taken_from_the_disk(fresh, tmp_path):
    (tmp_path / "lip_decoder").mkdir()
    with pytest.raises(ValueError, match="offload_to_disk_path: .* holds files"):
        fresh().enable_group_offload("cpu", offload_type="leaf_level", offload_to_disk_path=str(tmp_path))
    with pytest.raises(ValueError, match=r"exclude_modules: \['decoder'\] are no components"):
        given = {"offload_type": "leaf_level", "exclude_modules": ["decoder"]}
        fresh().enable_group_offload("cpu", offload_to_disk_path=str(tmp_path / "new"), **given)
