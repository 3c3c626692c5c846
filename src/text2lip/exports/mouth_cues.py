"""Mouth cues for drawn animation: the shapes A to H and X of Rhubarb Lip Sync, and its three file formats.

The shapes after Rhubarb's documentation, by the articulatory features of phones: A lips shut (p b m), B teeth nearly
together (most consonants, ee), C open (e), D wide open (a), E a little rounded (o, er), F puckered (oo, w), G the
lower lip at the teeth (f v), H the tongue behind the teeth in an open mouth (l), X at rest.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape

from text2lip.exports.clip import Clip, SaveOptions
from text2lip.files import replaced_file
from text2lip.text.timing import Segment
from text2lip.text.visemes import FEATURES, LETTER_CLASS, sequence_features, split_phone


SHORTEST_MOUTH_CUE = 0.03  # seconds; a shorter one goes to the one before it, but for lips that touch something
LATERALS, ER = "lɭɫɬɮ", "ɜɝɚ"


def mouth_shape(letter: str, features: dict[str, float]) -> str:
    """The shape, of A to H and X, of an IPA letter with these features, see `FEATURES`."""
    if not letter:
        return "X"
    if features["closure"] > 0.5:
        return "A"
    if features["labiodental"] > 0.5:
        return "G"
    if features["rounding"] > 0.85:
        return "F"
    if letter in LATERALS:
        return "H"
    if LETTER_CLASS[letter] != "vowel":
        return "B"
    if features["rounding"] > 0.35 or letter in ER:
        return "E"
    return "D" if features["jaw"] >= 0.7 else "C" if features["jaw"] >= 0.4 else "B"


def mouth_cues(phones: Iterable[Segment], duration: float) -> list[Segment]:
    """Cues, without gaps, from 0 to `duration`, seconds, in hundredths, as Rhubarb gives them.

    Args:
        phones (`Iterable[Segment]`): IPA with times in seconds; "" is silence.
        duration (`float`): seconds.
    """
    last, cues = max(round(duration, 2), 0.01), [Segment("X", 0.0, 0.0)]
    for phone in (*phones, Segment("", last, last)):
        letters, shares = zip(*split_phone(phone.label))
        clock = phone.start
        for letter, share, row in zip(letters, shares, sequence_features(letters)):
            clock += share * (phone.end - phone.start)
            before, end = cues[-1], min(round(clock, 2), last)
            shape = mouth_shape(letter, dict(zip(FEATURES, row.tolist())))
            if shape == before.label or (end - before.end < SHORTEST_MOUTH_CUE and shape not in "AGX"):
                cues[-1] = before._replace(end=end)
            elif end > before.end:
                cues.append(Segment(shape, before.end, end))
    return [cue for cue in cues if cue.end > cue.start]


def write_mouth_cues(path: str | Path, clip: Clip, options: SaveOptions) -> int:
    """Write the mouth cues of `clip` as .tsv, .xml or .rhubarb.json, as Rhubarb does; returns the number of frames.

    Raises:
        ValueError: the place can't be written to.
    """
    path = Path(path)
    sound = path.name.split(".")[0] + ".wav"  # as Rhubarb names a sound beside it
    cues = mouth_cues(clip.phones, clip.duration)
    text = {".tsv": to_tsv, ".xml": to_xml}.get(path.suffix.lower(), to_rhubarb_json)(cues, sound)
    with replaced_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return clip.num_frames


def to_tsv(cues: list[Segment], sound: str = "") -> str:
    """A line a cue, its start and shape, and one for the end."""
    lines = [f"{cue.start:.2f}\t{cue.label}" for cue in cues] + [f"{cues[-1].end:.2f}\tX"]
    return "\n".join(lines) + "\n"


def to_xml(cues: list[Segment], sound: str) -> str:
    """`rhubarbResult` with metadata and cues."""
    lines = [f'    <mouthCue start="{cue.start:.2f}" end="{cue.end:.2f}">{cue.label}</mouthCue>' for cue in cues]
    return "\n".join(
        [
            '<?xml version="1.0" encoding="utf-8"?>',
            "<rhubarbResult>",
            "  <metadata>",
            f"    <soundFile>{escape(sound)}</soundFile>",
            f"    <duration>{cues[-1].end:.2f}</duration>",
            "  </metadata>",
            "  <mouthCues>",
            *lines,
            "  </mouthCues>",
            "</rhubarbResult>",
            "",
        ]
    )


def to_rhubarb_json(cues: list[Segment], sound: str) -> str:
    """`metadata` and `mouthCues`."""
    lines = [f'    {{ "start": {cue.start:.2f}, "end": {cue.end:.2f}, "value": "{cue.label}" }}' for cue in cues]
    head = f'  "metadata": {{\n    "soundFile": {json.dumps(sound)},\n    "duration": {cues[-1].end:.2f}\n  }},'
    return "{\n" + head + '\n  "mouthCues": [\n' + ",\n".join(lines) + "\n  ]\n}\n"
