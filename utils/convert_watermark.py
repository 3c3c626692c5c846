"""Convert the published weights of the sound's watermark (Perth, MIT) to safetensors, once.

    pip install resemble-perth && python utils/convert_watermark.py

Writes 37 MB to text2lip/watermark in the user's cache folder, or where $TEXT2LIP_WATERMARK says; `save` then marks
voices, and `text2lip inspect` looks for the mark. The package can be uninstalled afterwards.
"""

import argparse
import hashlib
import io
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import torch
from safetensors.torch import save_file

from text2lip.exports.sound_mark import watermark_file
from text2lip.files import replaced_file
from text2lip.models.sound_watermark import SoundWatermark, published_names


SHA256 = "a15bce457ebc53ce5e6c9c3f11df78cf7ee2bf9cdab0a798902135b4c4027670"
NAME = "perth_net_250000.pth.tar"


def published_file() -> Path:
    """The file in the installed package."""
    try:
        found = [file for file in files("resemble-perth") or () if file.name == NAME]
    except PackageNotFoundError:
        raise SystemExit("resemble-perth is not installed; pip install resemble-perth, or give the file.") from None
    return Path(str(found[0].locate()))


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, help=f"{NAME}; by default that of the installed resemble-perth")
    args = parser.parse_args(argv)
    data = (args.file or published_file()).read_bytes()
    if (found := hashlib.sha256(data).hexdigest()) != SHA256:
        raise SystemExit(f"{NAME} has SHA-256 {found}, that of resemble-perth 1.0.1 has {SHA256}")
    weights = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)["model"]
    network = SoundWatermark()
    network.load_state_dict(published_names(weights))
    target = watermark_file()
    target.parent.mkdir(parents=True, exist_ok=True)
    with replaced_file(target) as temporary:
        save_file(network.state_dict(), temporary)
    print(f"Wrote {target}: {target.stat().st_size / 1e6:.1f} MB.")


if __name__ == "__main__":
    main()
