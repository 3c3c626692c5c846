"""The metrics as `evaluate` modules, one folder each: `evaluate.load(str(hub_path("lmd")))`."""

from pathlib import Path


def hub_names() -> list[str]:
    """Names of the modules."""
    return sorted(file.stem for file in Path(__file__).parent.glob("*/*.py") if file.stem == file.parent.name)


def hub_path(name: str) -> Path:
    """The folder of the module `name`, for `evaluate.load` (`pip install evaluate`).

    Raises:
        ValueError: there is no such module.
    """
    if name not in hub_names():
        raise ValueError(f"name: {name!r}; wants one of {', '.join(hub_names())}.")
    return Path(__file__).parent / name
