"""The portrait of nobody that is used when the user gives none."""

from pathlib import Path


def builtin_portrait() -> Path:
    """Path of the built-in portrait, a rendered face (see `asset_rendering/make_portrait.py`)."""
    return Path(__file__).parents[1] / "assets" / "portrait.jpg"
