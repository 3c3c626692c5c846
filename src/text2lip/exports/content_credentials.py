"""C2PA manifests (Content Credentials): written into a finished file, and read back, without the network."""

import json
import os
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from text2lip import __version__
from text2lip.exports.certificates import SigningIdentity
from text2lip.exports.provenance import SIGNATURE, Origin
from text2lip.files import replaced_file


SIGNED = (".mp4", ".mov", ".gif", ".webp", ".wav")
"""What we sign: numbered pictures have metadata alone, and Matroska and WebM no place for a manifest."""
READABLE = (*SIGNED, ".png", ".jpg", ".jpeg", ".avif", ".heic", ".tiff", ".tif")
READABLE += (".m4v", ".m4a", ".avi", ".mp3", ".flac")
OFFLINE = {
    "verify": {
        "verify_trust": False,
        "verify_timestamp_trust": False,
        "ocsp_fetch": False,
        "remote_manifest_fetch": False,
        "verify_after_sign": False,
    },
    "builder": {"thumbnail": {"enabled": False}},
    # hashed in pieces, and copied through a file: else all of a film is in memory
    "core": {"backing_store_memory_threshold_in_mb": 16, "merkle_tree_chunk_size_in_kb": 1024},
}


def sign_file(path: str | Path, origin: Origin, identity: SigningIdentity) -> None:
    """Put a signed manifest that says what `origin` is into a file of one of the `SIGNED` kinds, which is replaced.

    Source: C2PA 2.2, *Actions* and *Digital source type*.

    Raises:
        ImportError: `c2pa-python` is not installed.
        c2pa.C2paError: the file or the certificate isn't taken.
    """
    import c2pa

    info = c2pa.C2paSignerInfo(identity.algorithm.encode(), identity.chain, identity.key, None)
    with ExitStack() as stack:
        context = stack.enter_context(c2pa.Context(c2pa.Settings.from_dict(OFFLINE)))
        signer = stack.enter_context(c2pa.Signer.from_info(info))
        builder = _builder_with_film(c2pa, origin, context) if origin.film else None
        builder = stack.enter_context(builder or c2pa.Builder(_manifest(origin), context))
        temporary = stack.enter_context(replaced_file(path))
        source = stack.enter_context(open(path, "rb"))
        with open(temporary, "w+b") as target:
            builder.sign(signer, Path(path).suffix[1:].lower(), source, target)


def _manifest(origin: Origin, film: str | None = None) -> dict[str, Any]:
    """What was done, as C2PA names it; `film` is the id of the film that it was done to."""
    agent = {"name": SIGNATURE, "version": __version__}
    done = {
        "action": "c2pa.edited" if film else "c2pa.created",
        "digitalSourceType": origin.source_type,
        "softwareAgent": agent,
        "description": origin.statement,
    }
    opened = [{"action": "c2pa.opened", "parameters": {"ingredientIds": [film]}}] if film else []
    actions = {"label": "c2pa.actions.v2", "data": {"actions": [*opened, done]}}
    return {"claim_generator_info": [agent], "title": "talking face", "assertions": [actions]}


def _builder_with_film(c2pa: Any, origin: Origin, context: Any) -> Any | None:
    """A builder whose manifest names the dubbed film, with its own manifest if it has one; None where C2PA can't read
    the film."""
    suffix = Path(origin.film).suffix.lower()
    if suffix not in READABLE:
        return None
    builder = c2pa.Builder(_manifest(origin, "film"), context)
    ingredient = {"title": "film", "relationship": "parentOf", "instance_id": "film", "label": "film"}
    try:
        with open(origin.film, "rb") as film:
            builder.add_ingredient(ingredient, suffix[1:], film)
        return builder
    except (c2pa.C2paError, OSError):
        builder.close()
        return None


def read_credentials(path: str | os.PathLike) -> dict[str, Any] | None:
    """The manifest store of a file as c2pa-python gives it, or None if it has none or can't have one.

    Raises:
        ValueError: it has one that can't be read, as it is damaged or lies elsewhere.
        ImportError: `c2pa-python` is not installed.
    """
    import c2pa

    suffix = Path(path).suffix.lower()
    if suffix not in READABLE:
        return None
    try:
        with suppress(c2pa.C2paError.ManifestNotFound), ExitStack() as stack:
            context = stack.enter_context(c2pa.Context(c2pa.Settings.from_dict(OFFLINE)))
            file = stack.enter_context(open(path, "rb"))
            return json.loads(stack.enter_context(c2pa.Reader(suffix[1:], file, context=context)).json())
    except c2pa.C2paError as error:
        raise ValueError(str(error)) from error
    return None
