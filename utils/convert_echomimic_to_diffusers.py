"""Makes EchoMimic V1's published weights (pose branch) into a folder that `Text2LipPipeline.from_pretrained` loads.

    hf download BadToBest/EchoMimic --local-dir EchoMimic --include "*_pose*.pth" "sd-vae-ft-mse/*"
    python utils/convert_echomimic_to_diffusers.py --variant pose_acc --checkpoint_path EchoMimic --dump_path echomimic

`--variant pose` needs `denoising_unet_pose.pth`, `motion_module_pose.pth`, `reference_unet_pose.pth` and
`face_locator_pose.pth`; `pose_acc` (6 steps instead of 30, no guidance) the first two with `_pose_acc`. The rest of
the pipeline, from text to landmarks, is copied from the built-in one. Files are mapped, not read into memory; any key
too many or too few is an error.
"""

import argparse
import json
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler

import text2lip
from text2lip import EchoMimicReferenceUNet, EchoMimicUNet, LandmarkEncoder
from text2lip.cards import record_training
from text2lip.training.echomimic_networks import SCHEDULE


BUILT_IN = Path(text2lip.__file__).parent / "checkpoints/text2lip-grid"
SAMPLING = {
    "pose": {"num_inference_steps": 30, "guidance_scale": 2.5},
    "pose_acc": {"num_inference_steps": 6, "guidance_scale": 1.0},
}
ORIGIN = "By EchoMimic's authors (arXiv 2407.08136) on data of their own; converted, not trained, by this project."
LICENCE_SOURCE = "The licence is the one under which EchoMimic's authors published them."
AUDIO_FACTOR = 3.0  # `audio_feature_ratio` of the original's attention
COMPONENTS = {
    "unet": ["text2lip", "EchoMimicUNet"],
    "reference_unet": ["text2lip", "EchoMimicReferenceUNet"],
    "landmark_encoder": ["text2lip", "LandmarkEncoder"],
    "vae": ["diffusers", "AutoencoderKL"],
    "scheduler": ["diffusers", "DDIMScheduler"],
}
MOTION_NAMES = {  # AnimateDiff's names to diffusers'
    ".temporal_transformer.": ".",
    ".attention_blocks.0.pos_encoder.pe": ".pos_embed.pe",
    ".attention_blocks.0.": ".attn1.",
    ".attention_blocks.1.": ".attn2.",
    ".norms.0.": ".norm1.",
    ".norms.1.": ".norm2.",
    ".ff_norm.": ".norm3.",
}


def read(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a `.pth` file, mapped where its format allows that."""
    if not path.is_file():
        raise ValueError(f"{path} is missing; --checkpoint_path takes the folder of EchoMimic's published weights.")
    state = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    strange = [key for key, value in state.items() if not isinstance(value, torch.Tensor)]
    if strange:
        raise ValueError(f"{path} holds more than tensors: {shorten(strange)}")
    return state


def shorten(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def build(cls: type, state: dict[str, torch.Tensor], source: str, **config):
    """A model of `cls` that holds the tensors of `state` themselves.

    Raises:
        ValueError: tensors are missing, unknown or of another shape.
    """
    with torch.device("meta"):
        model = cls(**config)
    wanted = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    faults = {
        "missing": [key for key in wanted if key not in state],
        "unexpected": [key for key in state if key not in wanted],
        "of another shape": [
            f"{key} {tuple(state[key].shape)} instead of {shape}"
            for key, shape in wanted.items()
            if key in state and state[key].shape != shape
        ],
    }
    if any(faults.values()):
        raise ValueError(
            f"{source}: " + "; ".join(f"{what}: {shorten(keys)}" for what, keys in faults.items() if keys)
        )
    model.load_state_dict(state, assign=True)
    return model


def widths(state: dict[str, torch.Tensor]) -> tuple[int, ...]:
    """`block_out_channels`, from the tensors of a UNet."""
    names = (f"down_blocks.{i}.resnets.0.conv2.weight" for i in range(4))
    return tuple(len(state[name]) if name in state else 0 for name in names)


def rename_motion(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Motion modules by diffusers' names: one position table for both attentions of a block, which must agree."""
    renamed = {}
    for key, value in state.items():
        if key.endswith(".attention_blocks.1.pos_encoder.pe"):
            if not torch.equal(value, state[key.replace("attention_blocks.1.", "attention_blocks.0.")]):
                raise ValueError(f"{key} differs from the table of the block's first attention.")
            continue
        if "motion_modules" in key:
            for old, new in MOTION_NAMES.items():
                key = key.replace(old, new)
        renamed[key] = value
    return renamed


def convert_denoiser(folder: Path, variant: str) -> EchoMimicUNet:
    """The motion file and the denoising file on top, as the original loads them; the factor on the sound folded in."""
    state = rename_motion(read(folder / f"motion_module_{variant}.pth"))
    state |= rename_motion(read(folder / f"denoising_unet_{variant}.pth"))
    for key in state:
        if ".attn2.to_out.0." in key and "motion_modules" not in key:
            state[key] = state[key] * AUDIO_FACTOR
    first = "blocks.0.{}.0.transformer_blocks.0.{}"
    sound = state.get("down_" + first.format("attentions", "attn2.to_k.weight"))
    table = state.get("down_" + first.format("motion_modules", "pos_embed.pe"))
    return build(
        EchoMimicUNet,
        state,
        f"motion_module_{variant}.pth with denoising_unet_{variant}.pth",
        block_out_channels=widths(state),
        cross_attention_dim=384 if sound is None else sound.shape[1],
        motion_max_seq_length=32 if table is None else table.shape[1],
        **SAMPLING[variant],
    )


def convert_reference(folder: Path) -> EchoMimicReferenceUNet:
    state = read(folder / "reference_unet_pose.pth")
    return build(EchoMimicReferenceUNet, state, "reference_unet_pose.pth", block_out_channels=widths(state))


def convert_locator(folder: Path) -> LandmarkEncoder:
    state = read(folder / "face_locator_pose.pth")
    channels = len(state.get("conv_out.weight", range(320)))
    return build(LandmarkEncoder, state, "face_locator_pose.pth", embedding_channels=channels)


def told(model, variant: str):
    """`model`, with its origin in its configuration, from where its card has it."""
    command = (
        f"python utils/convert_echomimic_to_diffusers.py --variant {variant} --checkpoint_path DIR --dump_path DIR"
    )
    record_training(model, data=ORIGIN, licence="Apache-2.0", command=command, notes=LICENCE_SOURCE)
    return model


def convert(variant: str, checkpoint_path: Path, vae_path: Path, dump_path: Path) -> None:
    """Write the pipeline's folder, whole or not at all.

    Raises:
        ValueError: `dump_path` exists, a file is missing, or its tensors are not those of the model.
    """
    if dump_path.exists():
        raise ValueError(f"--dump_path {dump_path} exists: choose a new folder.")
    if not (vae_path / "config.json").is_file():
        raise ValueError(f"--vae_path {vae_path} is no folder of Stable Diffusion's VAE (sd-vae-ft-mse).")
    dump_path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=dump_path.parent, prefix=f".{dump_path.name}.") as folder:
        partial = Path(folder) / "pipeline"
        index = json.loads((BUILT_IN / "model_index.json").read_text())
        for name, (library, _) in ((k, v) for k, v in index.items() if isinstance(v, list)):
            if library is not None and name not in COMPONENTS:
                shutil.copytree(BUILT_IN / name, partial / name)
        save = {"max_shard_size": "2GB"}  # one shard in memory at a time
        told(convert_denoiser(checkpoint_path, variant), variant).save_pretrained(partial / "unet", **save)
        told(convert_reference(checkpoint_path), variant).save_pretrained(partial / "reference_unet", **save)
        told(convert_locator(checkpoint_path), variant).save_pretrained(partial / "landmark_encoder")
        AutoencoderKL.from_pretrained(vae_path).save_pretrained(partial / "vae")
        DDIMScheduler(**SCHEDULE).save_pretrained(partial / "scheduler")
        (partial / "model_index.json").write_text(json.dumps({**index, **COMPONENTS}, indent=2, sort_keys=True) + "\n")
        os.replace(partial, dump_path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variant", choices=SAMPLING, default="pose_acc")
    parser.add_argument("--checkpoint_path", type=Path, required=True, help="folder of the published .pth files")
    parser.add_argument("--vae_path", type=Path, help="by default `sd-vae-ft-mse` in --checkpoint_path")
    parser.add_argument("--dump_path", type=Path, required=True, help="folder to make")
    args = parser.parse_args()
    vae_path = args.vae_path or args.checkpoint_path / "sd-vae-ft-mse"
    convert(args.variant, args.checkpoint_path, vae_path, args.dump_path)
    print(f"{args.dump_path}: load it with Text2LipPipeline.from_pretrained({str(args.dump_path)!r})")


if __name__ == "__main__":
    main()
