"""Rows of `check_accelerator.py` on EchoMimic's networks, in full size with random weights; tiny in the small form."""

import time
from typing import Any

import numpy as np
import torch
from check_accelerator import FRAMES_DB, Bench, Skip, peak_memory, psnr, wait
from synthetic_clips import TINY_AUTOENCODER, TINY_ECHOMIMIC


STABLE_DIFFUSION_VAE = {  # of stabilityai/sd-vae-ft-mse
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
}
WINDOW = 12
BACKENDS = ("_native_math", "_native_efficient", "_native_flash", "_native_cudnn", "flash", "sage", "xformers")
ROUNDING = {torch.float16: 0.03, torch.bfloat16: 0.15}  # relative error of one prediction; a backend's too


def networks(tiny: bool, device: torch.device | str) -> dict[str, Any]:
    """unet, reference_unet, landmark_encoder, vae with random weights, the same on every device in the tiny form."""
    from diffusers import AutoencoderKL

    from text2lip import EchoMimicReferenceUNet, EchoMimicUNet, LandmarkEncoder

    configs = TINY_ECHOMIMIC if tiny else {}
    torch.manual_seed(0)
    with torch.device("cpu" if tiny else device):
        models = {
            "unet": EchoMimicUNet(**configs.get("unet", {})),
            "reference_unet": EchoMimicReferenceUNet(**configs.get("reference_unet", {})),
            "landmark_encoder": LandmarkEncoder(**configs.get("landmark_encoder", {})),
            "vae": AutoencoderKL(**(TINY_AUTOENCODER if tiny else STABLE_DIFFUSION_VAE)),
        }
        for model in models.values():  # what starts at zero shall have a say
            for parameter in model.parameters():
                if not parameter.any():
                    torch.nn.init.normal_(parameter, std=0.02)
    models["unet"].register_to_config(sample_size=8 if tiny else 64)
    return {name: model.eval().to(device) for name, model in models.items()}


def renderer(parts: dict[str, Any], **options: Any):
    from diffusers import DDIMScheduler

    from text2lip.renderers import EchoMimicRenderer, SamplingOptions
    from text2lip.training.echomimic_networks import SCHEDULE

    options = SamplingOptions(**options, quiet=True)
    return EchoMimicRenderer(**parts, scheduler=DDIMScheduler(**SCHEDULE), options=options)


def paint(bench: Bench, renderer: Any, frames: int = WINDOW) -> np.ndarray:
    """A clip of a portrait whose lips part: uint8 (frames, height, width, 3)."""
    portrait = bench.portrait()
    rng = np.random.default_rng(0)
    face = (0.5 + 0.15 * rng.standard_normal((478, 2)).clip(-2, 2)).astype(np.float32)
    landmarks = face + np.linspace(0, 0.02, frames, dtype=np.float32)[:, None, None]
    return np.stack(list(renderer.render(portrait, landmarks, source_landmarks=face)))


def parity(bench: Bench) -> str:
    films = [
        paint(bench, renderer(networks(True, device), num_inference_steps=3, guidance_scale=2.5))
        for device in ("cpu", bench.device)
    ]
    close = psnr(*films)
    assert close >= FRAMES_DB, f"frames {close:.1f} dB"
    return f"frames {close:.1f} dB"


def offloaded(bench: Bench) -> str:
    """All parts in a pipeline under `enable_model_cpu_offload`."""
    from diffusers import DDIMScheduler

    from text2lip.training.echomimic_networks import SCHEDULE

    options = {"num_inference_steps": 2, "guidance_scale": 2.5, "renderer": "echomimic"}
    films = []
    for offload in (False, True):
        pipe = bench.pipeline()
        pipe.register_modules(**networks(True, "cpu"), scheduler=DDIMScheduler(**SCHEDULE))
        if offload:
            pipe.enable_model_cpu_offload(device=bench.device)
        films.append(bench.talk(pipe, num_frames=4, **options)[0])
    close = psnr(*films)
    assert close >= FRAMES_DB, f"frames {close:.1f} dB"
    return f"frames {close:.1f} dB"


def _window(dtype: torch.dtype, steps: int, guidance: float):
    def check(bench: Bench) -> str:
        with peak_memory(bench.device) as peak:
            parts = {name: model.to(dtype) for name, model in networks(bench.small, bench.device).items()}
            drawer = renderer(parts, num_inference_steps=2 if bench.small else steps, guidance_scale=guidance)
            seen = []
            parts["vae"].decoder.register_forward_hook(lambda decoder, latents, pixels: seen.append(pixels.float()))
            wait(bench.device)
            began = time.perf_counter()
            frames = paint(bench, drawer)
            wait(bench.device)
            seconds, memory = time.perf_counter() - began, peak()
        painted = torch.cat(seen)
        assert len(frames) == len(painted) == WINDOW, f"{len(frames)} frames, {len(painted)} painted"
        assert painted.isfinite().all() and painted.std() > 1e-3, f"painted with a spread of {painted.std():.3f}"
        return f"{seconds:.1f} s for {WINDOW} frames, {memory}"

    return check


def prediction(parts: dict[str, Any], dtype: torch.dtype) -> torch.Tensor:
    """What the denoiser says of one window of noise, float32."""
    unet, side = parts["unet"], parts["unet"].config.sample_size
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(1, 4, WINDOW, side, side, generator=generator).to(unet.device, dtype)
    portrait = torch.randn(1, 4, side, side, generator=generator).to(unet.device, dtype)
    with torch.no_grad():
        states = parts["reference_unet"](portrait).reference_states
        return unet(noise, 500, reference_states=states).sample.float()


def error(ours: torch.Tensor, wanted: torch.Tensor) -> float:
    return float((ours - wanted).norm() / wanted.norm())


def precision(bench: Bench) -> str:
    parts = networks(bench.small, bench.device)
    wanted, figures = prediction(parts, torch.float32), []
    for dtype, most in ROUNDING.items():
        away = error(prediction({name: model.to(dtype) for name, model in parts.items()}, dtype), wanted)
        figures.append(f"{dtype} {away:.4f}".replace("torch.", ""))
        assert away < most, f"{figures[-1]}; wants under {most}"
        parts = networks(bench.small, bench.device)
    return "relative error of a prediction: " + ", ".join(figures)


def backends(bench: Bench) -> str:
    dtype = torch.float32 if bench.small else torch.float16
    parts = {name: model.to(dtype) for name, model in networks(bench.small, bench.device).items()}
    wanted, figures, wrong = prediction(parts, dtype), [], []
    for name in ("native", *BACKENDS):
        try:
            parts["unet"].set_attention_backend(name)
            prediction(parts, dtype)
            wait(bench.device)
            began = time.perf_counter()
            ours = prediction(parts, dtype)
            wait(bench.device)
            seconds = time.perf_counter() - began
        except Exception as reason:  # a package or a kernel that is not there
            assert name != "native", reason
            figures.append(f"{name} no ({type(reason).__name__})")
            continue
        finally:
            parts["unet"].set_attention_backend("native")  # it is a choice for all models
        away = error(ours, wanted)
        figures.append(f"{name} {seconds:.2f} s")
        if away > (0.2 if name == "sage" else ROUNDING[torch.float16]):  # sage computes in int8
            wrong.append(f"{name} is off by {away:.3f}")
    assert not wrong, "; ".join(wrong)
    return ", ".join(figures)


def float8(bench: Bench) -> str:
    dtype = torch.float32 if bench.small else torch.float16
    parts = {name: model.to(dtype) for name, model in networks(bench.small, bench.device).items()}
    wanted = prediction(parts, dtype)
    parts["unet"].enable_layerwise_casting(torch.float8_e4m3fn, dtype)
    away = error(prediction(parts, dtype), wanted)
    assert away < 0.5, f"relative error {away:.3f}"
    return f"relative error of a prediction {away:.3f}"


def compiled_blocks(bench: Bench) -> str:
    if bench.small:
        raise Skip("only in full size: wants a compiler")
    dtype = torch.float16
    parts = {name: model.to(dtype) for name, model in networks(False, bench.device).items()}
    wanted = prediction(parts, dtype)
    parts["unet"].compile_repeated_blocks(recompile_limit=64)
    prediction(parts, dtype)
    wait(bench.device)
    began = time.perf_counter()
    ours = prediction(parts, dtype)
    wait(bench.device)
    seconds, away = time.perf_counter() - began, error(ours, wanted)
    assert away < ROUNDING[dtype], f"relative error {away:.3f}"
    return f"a pass {seconds:.2f} s, relative error {away:.4f}"


ROWS = {
    "EchoMimic tiny, float32": parity,
    "EchoMimic tiny, offload: model": offloaded,
    "EchoMimic precision of float16, bfloat16": precision,
    "EchoMimic, 6 steps, float16": _window(torch.float16, 6, 1.0),
    "EchoMimic, 6 steps, bfloat16": _window(torch.bfloat16, 6, 1.0),
    "EchoMimic, 6 steps, float32": _window(torch.float32, 6, 1.0),
    "EchoMimic, 30 steps with guidance, float16": _window(torch.float16, 30, 2.5),
    "EchoMimic, attention backends": backends,
    "EchoMimic, float8 storage": float8,
    "EchoMimic, compiled blocks": compiled_blocks,
}
