"""Who speaks in a dialogue: the voice, and the face in the picture."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from text2lip.speech.timings.script import Line
from text2lip.text.sentences import in_short


_LABEL = re.compile(
    r"^[^\S\n]*(?:[-‐–—][^\S\n]*)?([^\W\d_a-z][\w.'’-]*(?: [\w.'’-]+){0,2})[^\S\n]*:(?=\s)", re.MULTILINE
)
NOBODY = "none"  # face_index of who is heard and not seen


@dataclass(frozen=True)
class Speaker:
    """One who speaks in a dialogue; what is left out is the clip's.

    Args:
        voice: name of a voice, or a synthesiser object.
        face_index: which face of the picture, as the clip's `face_index`; "none" for who is heard and not seen.
        language (`str`, *optional*): of what is said.
    """

    voice: Any = None
    face_index: Any = None
    language: str | None = None


def named_speakers(given: Any) -> dict[str, Speaker]:
    """Speakers by name; each is a [`Speaker`], or a dictionary of its arguments.

    Raises:
        ValueError: it is anything else, or names that can't be told apart or stand at the beginning of a line.
    """
    if not isinstance(given, Mapping) or not given:
        raise ValueError(f"speakers: got {given!r}; wants names, as {{'Ann': Speaker(voice='hibari', face_index=0)}}.")
    speakers = {}
    for name, speaker in given.items():
        if not isinstance(name, str) or not re.fullmatch(r"[^\s:<>\[\]](?:[^\n:<>\[\]]*[^\s:<>\[\]])?", name):
            raise ValueError(f"speakers: {name!r} is no name; wants one without : < > [ ] and line breaks.")
        if name.casefold() in map(str.casefold, speakers):
            raise ValueError(f"speakers: {name!r} is there twice; names are the same in any case.")
        try:
            speakers[name] = Speaker(**speaker) if isinstance(speaker, Mapping) else speaker
        except TypeError as error:
            raise ValueError(f"speakers: {name!r}: {error}; wants voice, face_index and language.") from error
        if not isinstance(speakers[name], Speaker):
            raise ValueError(f"speakers: {name!r} is {type(speaker).__name__}; wants a Speaker.")
    return speakers


@contextmanager
def of_speaker(*names: str) -> Iterator[None]:
    """Errors of what one or more of several speakers want, such as their voice or face, begin with their names."""
    try:
        yield
    except (ValueError, ImportError) as error:
        if any(names):
            error.args = (f"speakers: {' and '.join(map(repr, names))}: {error}",)
        raise


def which_speaker(value: str, which_face: Any = str) -> tuple[str, Speaker]:
    """The speaker that "NAME=VOICE,FACE" names, voice and face as for the clip; either may be left out."""
    name, _, rest = value.partition("=")
    voice, _, face = rest.partition(",")
    return name.strip(), Speaker(voice.strip() or None, which_face(face.strip()) if face.strip() else None)


def faces_of(speakers: Mapping[str, Speaker], face_index: Any) -> list[tuple[Any, list[str]]]:
    """Faces that speak, each with the names of those who speak with it; `face_index` is that of who has none.

    Raises:
        ValueError: nobody has a face.
    """
    faces: list[tuple[Any, list[str]]] = []
    for name, speaker in speakers.items():
        face = face_index if speaker.face_index is None else speaker.face_index
        if isinstance(face, str) and face == NOBODY:
            continue
        names = next((names for known, names in faces if _same(known, face)), None)
        if names is None:
            faces.append((face, [name]))
        else:
            names.append(name)
    if not faces:
        raise ValueError("speakers: nobody has a face; give one of them a face_index.")
    return faces


def _same(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) and isinstance(one, (int, str, tuple, list)) and one == other)


def is_dialogue(prompt: Any) -> bool:
    """Whether a prompt is a list of (speaker, text), the turns of a dialogue, rather than of several prompts."""
    turns = prompt if isinstance(prompt, (list, tuple)) else []
    pairs = all(isinstance(turn, (list, tuple)) and len(turn) == 2 for turn in turns)
    return bool(turns) and pairs and all(isinstance(part, str) for turn in turns for part in turn)


def unknown_names(text: str, speakers: Iterable[str]) -> list[str]:
    """What stands at the beginning of lines as names of speakers do, "Eve: …", and is none of them."""
    known = {name.casefold() for name in speakers}
    return [name for name in dict.fromkeys(_LABEL.findall(text)) if name.casefold() not in known]


def without_names(text: str, speakers: Iterable[str]) -> str:
    """A text without the names that begin its lines, "Ann: …"."""
    return _beginnings(speakers).sub("", text)


def _beginnings(speakers: Iterable[str]) -> re.Pattern:
    names = "|".join(re.escape(name) for name in sorted(speakers, key=len, reverse=True))
    return re.compile(rf"^[^\S\n]*({names})[^\S\n]*:\s*", re.IGNORECASE | re.MULTILINE)


def read_dialogue(prompt: str | Sequence[tuple[str, str]], speakers: Sequence[str]) -> list[Line]:
    """The turns of a dialogue.

    Args:
        prompt: (speaker, text) pairs; or a text in which `Ann:` at the beginning of a line begins Ann's turn.
        speakers (`Sequence[str]`): all names, in any case.

    Raises:
        ValueError: a name that isn't among them, a turn that says nothing, text before the first name.
    """
    known = {name.casefold(): name for name in speakers}
    if isinstance(prompt, str):
        found = list(_beginnings(speakers).finditer(prompt))
        if not found or prompt[: found[0].start()].strip():
            raise ValueError(
                f"prompt: nobody says {in_short(prompt, 40)!r}; begin it with the name of one of the speakers, as "
                f"'{speakers[0]}: …'."
            )
        ends = [*(later.start() for later in found[1:]), len(prompt)]
        turns = [(one[1], prompt[one.end() : end], one.end()) for one, end in zip(found, ends)]
    else:
        turns = [(name.strip(), text.lstrip(), len(text) - len(text.lstrip())) for name, text in prompt]
    lines = []
    for number, (name, text, offset) in enumerate(turns, 1):
        if name.casefold() not in known:
            raise ValueError(f"prompt: {name!r} speaks, but speakers are {', '.join(speakers)}; add that one.")
        if not text.strip():
            raise ValueError(f"prompt: turn {number}, of {name!r}, is empty; give the text that is said.")
        lines.append(Line(known[name.casefold()], text.rstrip(), offset))
    return lines
