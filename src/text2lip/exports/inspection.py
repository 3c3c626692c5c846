"""`text2lip inspect FILE`: what a file says of where it comes from, and how far that can be believed."""

import argparse
import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from text2lip.exports.certificates import LOCAL_NAME
from text2lip.exports.container_marks import read_marks
from text2lip.exports.content_credentials import read_credentials
from text2lip.exports.provenance import SIGNATURE
from text2lip.exports.sound_mark import WATERMARK_REMEDY, find_mark, load_watermark
from text2lip.files import local_path, open_media
from text2lip.speech.audio import load_audio


SOURCE_TYPE = re.compile(r"digitalsourcetype/(\w+)", re.IGNORECASE)
SYNTHETIC = re.compile(r"algorithmic|virtualRecording|compositeSynthetic", re.IGNORECASE)
PICTURES_ALONE = (".png", ".webp", ".gif", ".jpg", ".jpeg")
SURELY_MARKED = 0.5
UNREAD = "C2PA manifest: not read"
NO_MARK = (
    "No mark was found. That doesn't make it a recording: marks are lost when a file is converted, and many programs "
    "write none."
)


@dataclass(frozen=True)
class Provenance:
    """What a file says of itself.

    Attributes:
        file (`str`): its path.
        synthetic (`bool`): it, or what it was made of, says that it was made or changed by an algorithm.
        by_text2lip (`bool`): it says that this library made it, or what it was made of.
        source_types (`list[str]`): IPTC's digital source types that it names, such as "trainedAlgorithmicMedia".
        metadata (`dict[str, str]`): "comment" and "xmp", those that there are.
        manifest (`dict`, *optional*): of C2PA: "state" ("Valid", "Invalid" or "Trusted"), "changed" (`bool`: the file
            is no longer what was signed), "signer", "local" (`bool`: by a certificate that nobody vouches for),
            "actions", "earlier" (actions in the manifests of what it was made of), "failures"; "store" is all that
            c2pa-python reads.
        sound_mark (`float`, *optional*): how surely a watermark is in the sound, from 0 to 1, see [`find_mark`]; None
            where there is no sound or the weights that find it aren't there.
        notes (`list[str]`): what couldn't be looked for, and why.
    """

    file: str
    synthetic: bool = False
    by_text2lip: bool = False
    source_types: list[str] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    manifest: dict[str, Any] | None = None
    sound_mark: float | None = None
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        # what others wrote may hold line breaks and commands to a terminal
        return "\n".join("".join(c if c.isprintable() else " " for c in line) for line in _told(self))


def inspect_file(path: str | os.PathLike) -> Provenance:
    """Read the marks of a video, picture or sound: metadata, and the C2PA manifest, whose signature is checked.

    Raises:
        ValueError: there is no such file, or it is no video, picture or sound.
    """
    path, notes, manifest = local_path(path, "file"), [], None
    try:
        metadata = read_marks(path)
    except (OSError, SyntaxError) as error:
        raise ValueError(f"file: {path!r} can't be read ({error}); give a video, a picture or a sound.") from error
    try:
        manifest = _summary(read_credentials(path))
    except ImportError as error:
        notes.append(f"{UNREAD} ({error}); install c2pa-python.")
    except (OSError, RuntimeError, ValueError) as error:  # the package fails here, or the manifest is damaged
        notes.append(f"{UNREAD} ({error}).")
    if not metadata and manifest is None and not _is_media(path):
        raise ValueError(f"file: {path!r} is no video, picture or sound; give one of these.")
    sound_mark = _in_sound(path, notes)
    said = "\n".join(metadata.values())
    actions, earlier = (manifest["actions"], manifest["earlier"]) if manifest else ([], [])
    types = SOURCE_TYPE.findall(said) + [action["source_type"] for action in actions if action["source_type"]]
    types = list(dict.fromkeys(types))
    all_types = types + [action["source_type"] for action in earlier]
    ours = any(SIGNATURE in text for text in (said, *(action["by"] for action in actions + earlier)))
    synthetic = bool(_synthetic(all_types)) or (sound_mark or 0) > SURELY_MARKED
    return Provenance(path, synthetic, ours, types, metadata, manifest, sound_mark, notes)


def _synthetic(types: list[str]) -> list[str]:
    """Those of IPTC's types that mean an algorithm."""
    return [kind for kind in dict.fromkeys(types) if SYNTHETIC.search(kind)]


def _is_media(path: str) -> bool:
    """Whether there is a picture or a sound in a file."""
    if Path(path).suffix.lower() in PICTURES_ALONE:
        return True  # it was opened as one
    import av

    try:
        with open_media(path, "file") as container:
            return bool(container.streams.video or container.streams.audio)
    except (ValueError, OSError, av.error.FFmpegError):
        return False


def _in_sound(path: str, notes: list[str]) -> float | None:
    """How surely the sound of a file is marked; what hinders looking is added to `notes`."""
    if Path(path).suffix.lower() in PICTURES_ALONE:
        return None
    if (network := load_watermark()) is None:
        notes.append(f"The sound wasn't searched for a watermark; what does: {WATERMARK_REMEDY}.")
        return None
    try:
        sound, rate = load_audio(path)
    except ValueError:  # it is silent
        return None
    return find_mark(sound, rate, network)


def _summary(store: dict[str, Any] | None) -> dict[str, Any] | None:
    """What matters of a manifest store."""
    manifests = dict((store or {}).get("manifests", {}))
    active = manifests.pop((store or {}).get("active_manifest"), None)
    if active is None:
        return None
    results = store.get("validation_results", {}).get("activeManifest", {})
    failures = [failure["code"] for failure in results.get("failure", [])]
    signature = active.get("signature_info", {})
    return {
        "state": store.get("validation_state"),
        "changed": any("mismatch" in code.lower() for code in failures),
        "signer": signature.get("common_name") or signature.get("issuer") or "unknown",
        "local": signature.get("common_name") == LOCAL_NAME,
        "actions": list(_actions(active)),
        "earlier": [action for manifest in manifests.values() for action in _actions(manifest)],
        "ingredients": len(active.get("ingredients", [])),
        "failures": failures,
        "store": store,
    }


def _actions(manifest: dict[str, Any]) -> Iterator[dict[str, str]]:
    tools = manifest.get("claim_generator_info") or [{}]
    for assertion in manifest.get("assertions", []):
        if assertion.get("label", "").startswith("c2pa.actions"):
            for action in assertion.get("data", {}).get("actions", []):
                agent = action.get("softwareAgent") or tools[0]
                agent = agent if isinstance(agent, str) else f"{agent.get('name', '')} {agent.get('version', '')}"
                kind = SOURCE_TYPE.search(action.get("digitalSourceType", ""))
                yield {
                    "action": action.get("action", ""),
                    "source_type": kind[1] if kind else "",
                    "by": agent.strip(),
                }


def _told(found: Provenance) -> Iterator[str]:
    """The report, line by line."""
    yield f"{Path(found.file).name}:"
    earlier = [action["source_type"] for action in found.manifest["earlier"]] if found.manifest else []
    if _synthetic(found.source_types):
        yield f"  It says that it is synthetic ({', '.join(found.source_types)})."
    elif _synthetic(earlier):
        yield f"  What it was made of says that it is synthetic ({', '.join(_synthetic(earlier))})."
    elif found.synthetic:
        yield "  Its sound says that it is synthetic."
    elif found.source_types or found.manifest:
        yield f"  It has a mark that doesn't say that it is synthetic ({', '.join(found.source_types) or 'no type'})."
    else:
        yield f"  {NO_MARK}"
    if found.manifest:
        yield from _of_manifest(found.manifest)
    elif not any(note.startswith(UNREAD) for note in found.notes):
        yield "  C2PA manifest: none."
    if "comment" in found.metadata:
        yield f"  Comment: {' '.join(found.metadata['comment'].split())}"
    if "xmp" in found.metadata:
        kind = SOURCE_TYPE.search(found.metadata["xmp"])
        yield f"  XMP: {kind[1] if kind else 'no digital source type'}"
    if found.metadata and not found.manifest:
        yield "  Anyone can write or remove such metadata."
    if found.sound_mark is not None:
        there = f"found (certainty {found.sound_mark:.2f})" if found.sound_mark > SURELY_MARKED else "none found"
        yield f"  Watermark in the sound: {there}."
    yield from (f"  {note}" for note in found.notes)


def _of_manifest(manifest: dict[str, Any]) -> Iterator[str]:
    if manifest["changed"]:
        yield "  C2PA manifest: the file was CHANGED after it was signed."
    elif manifest["state"] == "Invalid":
        yield f"  C2PA manifest: not valid ({', '.join(manifest['failures'])})."
    else:
        yield "  C2PA manifest: the signature is right, and the file is as it was signed."
    for before, actions in (("", manifest["actions"]), ("before: ", manifest["earlier"])):
        for action in actions:
            kind = f" ({action['source_type']})" if action["source_type"] else ""
            yield f"    {before}{action['action']}{kind} by {action['by']}"
    if manifest["local"]:
        yield "    Signed by a local certificate, made on the computer that wrote the file. Nobody vouches for it:"
        yield "    it doesn't prove who made the file, and anyone can sign another one like it."
    else:
        yield f"    Signed by {manifest['signer']!r}. No list of trusted issuers was asked, as that needs the network:"
        yield "    that name is what the certificate says."


def inspection_report(words: list[str]) -> str:
    """What `text2lip inspect` prints for the arguments `words`.

    Raises:
        ValueError: there is no such file, or it can't be read.
    """
    parser = argparse.ArgumentParser(
        prog="text2lip inspect",
        description="Say what a video, picture or sound says of where it comes from: its metadata and C2PA manifest.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="what to look at")
    parser.add_argument("--json", action="store_true", help="for programs: a list, with all of the manifests")
    parser.add_argument("--debug", action="store_true", help="on an error, show where it came from")
    args = parser.parse_args(words)
    found = [inspect_file(path) for path in args.files]
    return json.dumps([asdict(one) for one in found], indent=2) if args.json else "\n".join(map(str, found))
