"""Push to a Hub, load from it in a fresh interpreter, again from its cache with the Hub gone: the same frames."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest


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
pipe.tokenizer.push_to_hub("me/words", token="hf_none")
pipe.articulation.push_to_hub("me/lips", token="hf_none")
assert text2lip.VisemeTokenizer.from_pretrained("me/words").config == pipe.tokenizer.config
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
    assert (hub.root / "me" / "lips" / "diffusion_pytorch_model.safetensors").is_file()

    hub.requests.clear()
    assert python(LOAD, hub, tmp_path / "home", HF_HUB_OFFLINE="1") == wanted
    assert not hub.requests


def contents(folder: Path) -> dict[str, bytes]:
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()}
