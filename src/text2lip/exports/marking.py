"""The mark that a file is synthetic, put into it when it is finished: metadata, and a signed C2PA manifest."""

import warnings
from pathlib import Path

from text2lip.exports.certificates import SigningIdentity, signing_identity
from text2lip.exports.container_marks import embed_mark
from text2lip.exports.content_credentials import SIGNED, sign_file
from text2lip.exports.provenance import MarkWarning, Origin


def signer_for(path: str | Path, certificate: str | None) -> SigningIdentity | None:
    """Who is going to sign a file, looked for before any work is done; None where nobody can, which is told by a
    [`MarkWarning`] unless the format is the reason.

    Raises:
        ValueError: the user's certificate can't be used.
    """
    if Path(path).suffix.lower() not in SIGNED:
        return None
    try:
        import c2pa  # noqa: F401

        return signing_identity(certificate)
    except (ImportError, OSError, RuntimeError) as error:  # no wheel for this system, or one that fails
        tell_unsigned(error)
        return None


def mark_file(path: str | Path, origin: Origin, identity: SigningIdentity | None) -> None:
    """Put the mark into a finished file; where C2PA refuses, which is told, the metadata alone."""
    embed_mark(path, origin)
    if identity is None:
        return
    import c2pa

    try:
        sign_file(path, origin, identity)
    except c2pa.C2paError as error:
        tell_unsigned(error)


def tell_unsigned(error: Exception) -> None:
    """Say that a file has metadata and no manifest."""
    why = str(error).splitlines()[0] if str(error) else type(error).__name__
    warnings.warn(
        f"C2PA: no manifest was written ({why}); the file says in its metadata alone that it is synthetic.",
        MarkWarning,
        stacklevel=3,
    )
