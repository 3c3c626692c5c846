"""Push to a Hub, load from it in a fresh interpreter, again from its cache with the Hub gone: the same frames."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from text2lip.cards import component_card


LOAD = """
import hashlib
import text2lip

pipe = text2lip.Text2LipPipeline.from_pretrained("me/talker")  # the first thing that touches diffusers

import torch
from skimage.data import astronaut

torch.set_num_threads(1)
frames = pipe.stream("Bob.", astronaut()[:256, 96:352].copy(), num_frames=9)
print(hashlib.sha256(b"".join(frame.tobytes() for frame in frames)).hexdigest())
"""
PUSH = """
pipe.push_to_hub("me/pushed", token="hf_none")
"""
PUSH_PARTS = """
import text2lip

pipe = text2lip.Text2LipPipeline.from_pretrained("text2lip-grid")
for name, part in pipe.components.items():
    if part is not None:
        part.push_to_hub(f"me/{name}", token="hf_none")
print("pushed")
"""
LOAD_PARTS = """
import text2lip

for name, kind in KINDS.items():
    getattr(text2lip, kind).from_pretrained(f"me/{name}").save_pretrained(f"{PLACE}/{name}")
print("loaded")
"""


def python(code: str, hub, home, **more) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING"))}
    environment |= {"HF_HOME": str(home), "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_TELEMETRY": "1"}
    environment |= {"HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **more}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.split()[-1]


@pytest.mark.slow
def test_push_load_and_offline(hub, tmp_path, pipe, portrait):
    stream = pipe.stream("Bob.", portrait, num_frames=9)
    wanted = hashlib.sha256(b"".join(frame.tobytes() for frame in stream)).hexdigest()
    pipe.save_pretrained(hub.root / "me" / "talker")

    assert python(LOAD + PUSH, hub, tmp_path / "home") == wanted
    pushed, saved = hub.root / "me" / "pushed", hub.root / "me" / "talker"
    assert set(contents(pushed)) - {".gitattributes"} == {*contents(saved), "README.md"}
    weights = {name: data for name, data in contents(saved).items() if name.endswith(".safetensors")}
    assert len(weights) >= 2 and weights.items() <= contents(pushed).items()
    card = (pushed / "README.md").read_text()
    assert "library_name: text2lip" in card and 'Text2LipPipeline.from_pretrained("me/pushed")' in card
    assert "FaceLandmarker" in card and "diffusers" not in card

    hub.requests.clear()
    assert python(LOAD, hub, tmp_path / "home", HF_HUB_OFFLINE="1") == wanted
    assert not hub.requests


@pytest.mark.slow
def test_components_push_load_and_offline(hub, tmp_path, pipe):
    """Each by its own class, in interpreters that imported nothing but text2lip; then from the cache, the Hub gone."""
    parts = {name: part for name, part in pipe.components.items() if part is not None}
    assert set(parts) >= {"tokenizer", "face_landmarker", "articulation", "viseme_encoder", "lip_decoder"}
    assert python(PUSH_PARTS, hub, tmp_path / "home") == "pushed"
    kinds = {name: type(part).__name__ for name, part in parts.items()}
    for place, more in (("online", {}), ("offline", {"HF_HUB_OFFLINE": "1"})):
        hub.requests.clear()
        setting = f"KINDS, PLACE = {kinds!r}, {str(tmp_path / place)!r}\n"
        assert python(setting + LOAD_PARTS, hub, tmp_path / "home", **more) == "loaded"
        assert bool(hub.requests) is (place == "online")
        for name, part in parts.items():
            again = type(part).from_pretrained(str(tmp_path / place / name))
            assert fingerprint(again) == fingerprint(part), name
    for name, part in parts.items():
        assert (hub.root / "me" / name / "README.md").read_text() == component_card(part, f"me/{name}"), name


LOAD_ECHOMIMIC = """
import text2lip

pipe = text2lip.Text2LipPipeline.from_pretrained("me/echo")
pipe.save_pretrained(PLACE)
print("loaded")
"""


@pytest.mark.slow
def test_a_pipeline_with_parts_of_three_libraries(hub, tmp_path):
    """EchoMimic's networks of this package, a VAE and a scheduler of diffusers, an encoder of transformers."""
    from diffusers import AutoencoderKL, DDIMScheduler
    from transformers import WhisperConfig, WhisperModel

    import text2lip

    unet = text2lip.EchoMimicUNet(
        block_out_channels=(32, 32),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlockMotion", "DownBlockMotion"),
        up_block_types=("UpBlockMotion", "CrossAttnUpBlockMotion"),
        num_attention_heads=2,
        motion_num_attention_heads=2,
        cross_attention_dim=8,
    )
    sizes = {f"{side}_{key}": 2 for side in ("encoder", "decoder") for key in ("layers", "attention_heads", "ffn_dim")}
    tokens = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 3, "vocab_size": 9}
    parts = {
        "unet": unet,
        "landmark_encoder": text2lip.LandmarkEncoder(32, block_out_channels=(4, 4)),
        "vae": AutoencoderKL(block_out_channels=(8,), norm_num_groups=4),
        "scheduler": DDIMScheduler(prediction_type="v_prediction"),
        "audio_encoder": WhisperModel(WhisperConfig(d_model=8, max_source_positions=20, **sizes, **tokens)),
    }
    pipe = text2lip.Text2LipPipeline.from_pretrained("text2lip-grid")
    pipe.register_modules(**parts)
    pipe.save_pretrained(hub.root / "me" / "echo")
    for place, more in (("online", {}), ("offline", {"HF_HUB_OFFLINE": "1"})):
        hub.requests.clear()
        setting = f"PLACE = {str(tmp_path / place)!r}\n"
        assert python(setting + LOAD_ECHOMIMIC, hub, tmp_path / "home", **more) == "loaded"
        assert bool(hub.requests) is (place == "online")
        again = text2lip.Text2LipPipeline.from_pretrained(tmp_path / place)
        for name, part in parts.items():
            assert type(getattr(again, name)) is type(part)
            if name != "scheduler":
                assert weights_of(getattr(again, name)) == weights_of(part), name
        assert again.scheduler.config.prediction_type == "v_prediction"


def weights_of(part) -> str:
    rows = (key.encode() + value.float().numpy().tobytes() for key, value in sorted(part.state_dict().items()))
    return hashlib.sha256(b"".join(rows)).hexdigest()


def fingerprint(part) -> str:
    config = sorted((key, value) for key, value in part.config.items() if not key.startswith("_"))
    digest = hashlib.sha256(repr(config).encode())
    for key, value in sorted(part.state_dict().items()) if hasattr(part, "state_dict") else ():
        digest.update(key.encode() + value.float().numpy().tobytes())
    return digest.hexdigest()


def contents(folder: Path) -> dict[str, bytes]:
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()}
