"""What the library says, in the words of those who asked: for the command and for the demo."""

import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any


def reworded(message: str, names: Mapping[str, str], options: Mapping[str, str]) -> str:
    """A message with arguments by the names that its reader knows.

    Args:
        message (`str`): of an error or a warning of the library.
        names (`Mapping[str, str]`): argument of the library -> its name; for "speaking_rate: …" and `speaking_rate`.
        options (`Mapping[str, str]`): the same, for language='zh', which becomes the name and the value.
    """
    found = re.match(r"`?(\w+)`?(?=:| is | must )", message)
    message = names[found[1]] + message[found.end() :] if found and found[1] in names else message
    message = re.sub(r"`(\w+)`", lambda name: names.get(name[1], name[0]), message)
    return re.sub(
        r"(?<![\w:])(\w+)='([^'\s]*)'",
        lambda given: f"{options[given[1]]} {given[2]}" if given[1] in options else given[0],
        message,
    )


def with_warnings(make: Callable[[], Any]) -> tuple[Any, list[str]]:
    """What `make` returns, and what was warned of, each once: a mouth that may look wrong, who isn't dubbed in a film,
    what of a text is doubted or read badly, what is late, and a mark that can't be made. Other warnings go on."""
    from text2lip.exports.provenance import MarkWarning
    from text2lip.faces.mouth_trust import MouthWarning
    from text2lip.faces.person import StrangersWarning
    from text2lip.speech import AlignmentWarning, LateCueWarning
    from text2lip.text import ReadingWarning

    ours = AlignmentWarning, LateCueWarning, MarkWarning, MouthWarning, ReadingWarning, StrangersWarning
    with warnings.catch_warnings(record=True) as told:
        for category in ours:
            warnings.simplefilter("always", category)
        result = make()
    for other in told:
        if not issubclass(other.category, ours):
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    notes = (str(warning.message) for warning in told if issubclass(warning.category, ours))
    return result, list(dict.fromkeys(notes))  # once for all sentences


def spoken_time(seconds: float) -> str:
    """A time as people say it: "40 s", "3 min", "2.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
