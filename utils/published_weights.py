"""What the converters of published networks share: their file is the known one, and ours is written with its card."""

import hashlib
from pathlib import Path

from text2lip.cards import record_training


def read_published(path: Path, sha256: str, published: str) -> bytes:
    """Contents of a file whose SHA-256 is known; leaves the program where it is another one's.

    Args:
        path (`Path`): of the file.
        sha256 (`str`): that it has to have.
        published (`str`): what has that one, for the message.
    """
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise SystemExit(f"{path} has SHA-256 {found}, {published} has {sha256}")
    return data


def store_published(model, folder: Path, **card: str) -> None:
    """Write config and weights, as float16, to `folder`; `card` as [`record_training`] has it."""
    record_training(model, **card)
    model.half().save_pretrained(str(folder))
