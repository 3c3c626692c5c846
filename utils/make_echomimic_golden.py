"""Runs the original EchoMimic V1 beside ours on tiny random weights, and keeps its numbers for the tests.

    git clone https://github.com/antgroup/echomimic
    pip install --target echomimic/old --no-deps diffusers==0.24.0 huggingface_hub==0.25.2 einops
    python utils/make_echomimic_golden.py --checkout echomimic --packages echomimic/old

The original needs an old diffusers, hence a process of its own. Weights and inputs are not kept: both sides draw them
from the name of each tensor. What is kept in `tests/models/echomimic_golden.npz`: the names and shapes of all tensors
of the original, tiny and in full size, and what the tiny one computes. Prints how far ours is from it.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np


GOLDEN = Path(__file__).parents[1] / "tests/models/echomimic_golden.npz"
TINY = {"block_out_channels": (32, 64, 128, 128), "cross_attention_dim": 24}
FRAMES, HEIGHT, WIDTH, TIMESTEP = 5, 16, 8, 499  # of the latents
CLIP, SIDE, STEPS, SEED = 15, 8, 3, 7  # of the clip that is sampled whole: frames, and sides of its latents
SCALES = {"accelerated": 1.0, "sampled": 2.5}  # guidance of the original's two pipelines
HIDDEN = ("transformers", "xformers", "peft", "accelerate", "flax", "jax", "onnxruntime")  # from the old diffusers
FILES = ("denoising_unet", "motion_module", "reference_unet", "face_locator")


def drawn(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """The float32 tensor of a name: normal, scaled to keep activations near 1; position tables are sinusoids."""
    if name.endswith(".pe"):
        return position_table(*shape[1:])[None]
    values = np.random.RandomState(zlib.crc32(name.encode())).standard_normal(shape)
    if len(shape) == 1:
        values = 0.1 * values + (".norm" in name or "norm_out" in name or "norms." in name) * name.endswith("weight")
    elif not name.startswith("input."):
        values = values / np.sqrt(np.prod(shape[1:]))
    return values.astype(np.float32)


def position_table(length: int, channels: int) -> np.ndarray:
    """Sine and cosine by turns (arXiv 1706.03762, 3.5), float32 (length, channels)."""
    angles = np.arange(length)[:, None] / 10000 ** (np.arange(0, channels, 2) / channels)
    return np.stack([np.sin(angles), np.cos(angles)], -1).reshape(length, channels).astype(np.float32)


def inputs() -> dict[str, np.ndarray]:
    """What the tiny models are run on."""
    shapes = {
        "sample": (1, 4, FRAMES, HEIGHT, WIDTH),
        "audio": (1, FRAMES, 50, TINY["cross_attention_dim"]),
        "portrait": (1, 4, HEIGHT, WIDTH),
        "pictures": (1, 3, FRAMES, 8 * HEIGHT, 8 * WIDTH),
    }
    return {name: drawn(f"input.{name}", shape) for name, shape in shapes.items()}


def clip_inputs() -> dict[str, np.ndarray]:
    """What a whole clip is sampled from: landmarks over the picture, sound, and the portrait's latents, unscaled."""
    landmarks = np.clip(0.5 + 0.15 * drawn("input.landmarks", (CLIP, 478, 2)), 0, 1)
    sound = drawn("input.sound", (CLIP, 50, TINY["cross_attention_dim"]))
    return {"landmarks": landmarks, "sound": sound, "latents": drawn("input.latents", (1, 4, SIDE, SIDE)) / 0.18215}


def layout(golden, size: str, file: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors of one of the original's `FILES`, `size` "tiny" or "full"."""
    names, shapes = golden[f"{size}.{file}.names"], golden[f"{size}.{file}.shapes"]
    return {str(name): tuple(int(n) for n in shape if n) for name, shape in zip(names, shapes)}


def split_denoiser(state: dict) -> dict[str, dict]:
    """Its two files as published: spatial and motion."""
    motion = {key: value for key, value in state.items() if "motion_modules" in key}
    return {"denoising_unet": {k: v for k, v in state.items() if k not in motion}, "motion_module": motion}


def build_original(**sizes) -> dict:
    """The original's three models, `sizes` empty for those of the published weights."""
    import yaml
    from src.models.face_locator import FaceLocator
    from src.models.unet_2d_condition import UNet2DConditionModel
    from src.models.unet_3d_echo import EchoUNet3DConditionModel

    options = yaml.safe_load(Path("configs/inference/inference_v2.yaml").read_text())["unet_additional_kwargs"]
    widths = {"block_out_channels": sizes.get("block_out_channels", (320, 640, 1280, 1280))}
    denoiser = EchoUNet3DConditionModel(
        mid_block_type="UNetMidBlock3DCrossAttn", attention_head_dim=8, **{**options, **widths, **sizes}
    )
    reference = UNet2DConditionModel(attention_head_dim=8, **widths)
    locator = FaceLocator(widths["block_out_channels"][0], 3, (16, 32, 96, 256))
    return {"denoiser": denoiser.eval(), "reference_unet": reference.eval(), "face_locator": locator.eval()}


def run_original(output: str) -> None:
    """In the process with the old diffusers, in the checkout: compute, and write `output`."""
    find_spec = importlib.util.find_spec
    importlib.util.find_spec = lambda name, *args: None if name.split(".")[0] in HIDDEN else find_spec(name, *args)
    sys.path.insert(0, os.getcwd())
    import torch
    from src.models.mutual_self_attention import ReferenceAttentionControl as Control

    torch.set_num_threads(1)
    with torch.device("meta"):
        full = build_original()
    tiny = build_original(**TINY)
    golden = {}
    for size, models in (("full", full), ("tiny", tiny)):
        states = {name: model.state_dict() for name, model in models.items()}
        for file, state in {**split_denoiser(states.pop("denoiser")), **states}.items():
            golden[f"{size}.{file}.names"] = np.array(list(state))
            golden[f"{size}.{file}.shapes"] = np.array([[*v.shape, 0, 0, 0][:4] for v in state.values()], np.int16)
            if size == "tiny":
                model = models["denoiser" if file not in models else file]
                drawn_state = {k: torch.from_numpy(drawn(f"{file}.{k}", tuple(v.shape))) for k, v in state.items()}
                model.load_state_dict(drawn_state, strict=file in models)

    tensors = {name: torch.from_numpy(value) for name, value in inputs().items()}
    defaults = Control.register_reference_hooks.__defaults__  # of which one is a device that may not be here
    cpu = torch.device("cpu")
    Control.register_reference_hooks.__defaults__ = tuple(cpu if isinstance(d, torch.device) else d for d in defaults)
    denoiser, reference, locator = tiny.values()
    with torch.no_grad():
        features = locator(tensors["pictures"])
        golden["landmark_features"] = features[:, ::8].numpy()
        for guided in (False, True):
            writer = Control(reference, mode="write", fusion_blocks="full", do_classifier_free_guidance=guided)
            reader = Control(denoiser, mode="read", fusion_blocks="full", do_classifier_free_guidance=guided)
            reference(tensors["portrait"], torch.zeros(()), encoder_hidden_states=None, return_dict=False)
            reader.update(writer, guided, dtype=torch.float32)
            banks = {n: m.bank[0] for n, m in reference.named_modules() if getattr(m, "bank", None)}
            golden["reference.names"] = np.array([f"{name}.attn1" for name in banks])
            golden["reference.probes"] = np.array([[v.abs().mean(), v[0, 1, 2]] for v in banks.values()], np.float32)
            rows = (torch.zeros_like, torch.clone) if guided else (torch.clone,)
            result = denoiser(
                tensors["sample"].repeat(len(rows), 1, 1, 1, 1),
                torch.tensor(TIMESTEP),
                encoder_hidden_states=None,
                audio_cond_fea=torch.cat([row(tensors["audio"]) for row in rows]),
                face_musk_fea=torch.cat([row(features) for row in rows]),
                return_dict=False,
            )[0]
            golden["guided" if guided else "plain"] = result.numpy()
            reader.clear()
            writer.clear()
    for name, scale in SCALES.items():
        golden[name] = sample_original(name, scale, *tiny.values())[..., ::2, ::2]
    np.savez_compressed(output, **golden)


def sample_original(name: str, scale: float, denoiser, reference, locator) -> np.ndarray:
    """Latents of a clip (1, 4, frames, height, width) by the original's pipeline, windows and all; sound and VAE are
    stood in for by what they would give."""
    import types

    import torch
    import yaml
    from diffusers import DDIMScheduler
    from PIL import Image

    from text2lip.faces.drawing import draw_landmarks

    sys.modules["transformers"] = types.SimpleNamespace(CLIPImageProcessor=None)
    from src.models.mutual_self_attention import ReferenceAttentionControl as Control
    from src.pipelines import pipeline_echo_mimic_pose, pipeline_echo_mimic_pose_acc

    module = {"accelerated": pipeline_echo_mimic_pose_acc, "sampled": pipeline_echo_mimic_pose}[name]
    Control.update.__defaults__ = (False, torch.float32)
    clip = clip_inputs()

    class Sound(torch.nn.Module):
        device = torch.device("cpu")

        def audio2feat(self, path):
            return None

        def feature2chunks(self, feature_array, fps):
            return clip["sound"]

    class VAE(torch.nn.Module):
        config, dtype = types.SimpleNamespace(block_out_channels=(1,) * 4), torch.float32
        device = torch.device("cpu")

        def encode(self, pixels):
            return types.SimpleNamespace(latent_dist=types.SimpleNamespace(mean=torch.from_numpy(clip["latents"])))

    class Pipeline(module.AudioPose2VideoPipeline):
        def decode_latents(self, latents):
            return latents.numpy()

    settings = yaml.safe_load(Path("configs/inference/inference_v2.yaml").read_text())["noise_scheduler_kwargs"]
    side = 8 * SIDE
    pictures = np.stack([draw_landmarks(row, side, side) for row in clip["landmarks"]])
    pictures = torch.from_numpy(pictures).permute(3, 0, 1, 2)[None] / 255
    portrait, options = Image.new("RGB", (side, side)), {"context_frames": 12, "context_overlap": 3}
    options["generator"] = torch.Generator().manual_seed(SEED)
    pipe = Pipeline(VAE(), reference, denoiser, Sound(), locator, DDIMScheduler(**settings))
    return pipe(portrait, None, pictures, side, side, CLIP, STEPS, scale, **options).videos.numpy()


def write_checkpoint(golden, folder: Path, suffix: str = "_pose") -> None:
    """The tiny original's `.pth` files as EchoMimic publishes them, and a tiny VAE beside them."""
    import torch
    from diffusers import AutoencoderKL

    for file in FILES:
        shared = file in ("reference_unet", "face_locator")  # by both variants
        state = {k: torch.from_numpy(drawn(f"{file}.{k}", v)) for k, v in layout(golden, "tiny", file).items()}
        torch.save(state, folder / f"{file}{'_pose' if shared else suffix}.pth")
    AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(4, 4, 4, 4),
        norm_num_groups=2,
        layers_per_block=1,
    ).save_pretrained(folder / "sd-vae-ft-mse")


def differences(golden, folder: str | Path) -> dict[str, float]:
    """Largest absolute difference of the converted models in `folder` from the original, by output."""
    import torch

    from text2lip.models import EchoMimicReferenceUNet, EchoMimicUNet, LandmarkEncoder

    tensors = {name: torch.from_numpy(value) for name, value in inputs().items()}
    unet = EchoMimicUNet.from_pretrained(folder, subfolder="unet")
    with torch.no_grad():
        encoder = LandmarkEncoder.from_pretrained(folder, subfolder="landmark_encoder")
        features = encoder(tensors["pictures"])
        reference = EchoMimicReferenceUNet.from_pretrained(folder, subfolder="reference_unet")
        states = reference(tensors["portrait"]).reference_states
        return {
            "landmark_features": distance(features[:, ::8], golden["landmark_features"]),
            "reference": distance(
                torch.tensor(
                    [[states[str(n)].abs().mean(), states[str(n)][0, 1, 2]] for n in golden["reference.names"]]
                ),
                golden["reference.probes"],
            ),
            **denoiser_differences(unet, tensors, features, states, golden),
        }


def denoiser_differences(unet, tensors, features, states, golden) -> dict[str, float]:
    """The same for the denoiser, without and with the rows of guidance."""
    import torch

    found = {}
    for name, rows in (("plain", (torch.clone,)), ("guided", (torch.zeros_like, torch.clone))):
        result = unet(
            tensors["sample"].repeat(len(rows), 1, 1, 1, 1),
            TIMESTEP,
            torch.cat([row(tensors["audio"]) for row in rows]),
            torch.cat([row(features) for row in rows]),
            states,
        ).sample
        found[name] = distance(result, golden[name])
    return found


def sampler_differences(golden, folder: str | Path) -> dict[str, float]:
    """The same for a whole clip by our renderer's sampler, whose noise, windows and steps are the original's."""
    import torch
    from diffusers import DDIMScheduler

    from text2lip.models import EchoMimicReferenceUNet, EchoMimicUNet, LandmarkEncoder
    from text2lip.renderers.echomimic import Conditions, EchoMimicRenderer
    from text2lip.renderers.sampling import SamplingOptions

    class VAE:
        config = type("config", (), {"block_out_channels": (1,) * 4, "scaling_factor": 0.18215})
        device = torch.device("cpu")

    unet = EchoMimicUNet.from_pretrained(folder, subfolder="unet")
    unet.register_to_config(sample_size=SIDE)
    reference = EchoMimicReferenceUNet.from_pretrained(folder, subfolder="reference_unet")
    encoder = LandmarkEncoder.from_pretrained(folder, subfolder="landmark_encoder")
    scheduler = DDIMScheduler.from_pretrained(folder, subfolder="scheduler")
    clip, found = clip_inputs(), {}
    with torch.no_grad():
        states = reference(torch.from_numpy(clip["latents"]) * 0.18215).reference_states
    conditions = Conditions(clip["landmarks"], torch.from_numpy(clip["sound"]), states)
    for name, scale in SCALES.items():
        options = SamplingOptions(num_inference_steps=STEPS, guidance_scale=scale, quiet=True)
        renderer = EchoMimicRenderer(unet, reference, encoder, VAE(), scheduler, options=options)
        with torch.no_grad():
            latents = torch.stack(list(renderer._sample(conditions, torch.Generator().manual_seed(SEED))), 2)
        found[name] = distance(latents[..., ::2, ::2], golden[name])
    return found


def distance(ours, theirs: np.ndarray) -> float:
    return float(np.abs(ours.numpy() - theirs).max())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkout", type=Path, help="of antgroup/echomimic")
    parser.add_argument("--packages", type=Path, help="folder with diffusers 0.24.0, huggingface_hub 0.25.2, einops")
    parser.add_argument("--output", type=Path, default=GOLDEN)
    parser.add_argument("--original", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.original:
        return run_original(args.original)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "golden.npz"
        command = [sys.executable, str(Path(__file__).resolve()), "--original", str(path)]
        packages = {"PYTHONPATH": str(args.packages.resolve())}
        subprocess.run(command, check=True, cwd=args.checkout, env={**os.environ, **packages})
        os.makedirs(args.output.parent, exist_ok=True)
        golden = dict(np.load(path))
        print({name: float(np.abs(golden[name]).mean()) for name in ("landmark_features", "plain", "guided")})
        partial = args.output.with_name(args.output.name + ".part")
        with open(partial, "wb") as file:
            np.savez_compressed(file, **golden)
        os.replace(partial, args.output)
        convert = Path(__file__).with_name("convert_echomimic_to_diffusers.py")
        write_checkpoint(golden, Path(folder))
        vae = Path(folder) / "sd-vae-ft-mse"
        dump = Path(folder) / "pipeline"
        options = ["--variant", "pose", "--checkpoint_path", folder, "--vae_path", vae, "--dump_path", dump]
        subprocess.run([sys.executable, convert, *options], check=True)
        found = {**differences(golden, dump), **sampler_differences(golden, dump)}
        print("largest differences, ours - original:", found)


if __name__ == "__main__":
    main()
