"""When what is said, as JSON."""

import json
from pathlib import Path

from text2lip.exports.clip import Clip
from text2lip.files import replaced_file
from text2lip.text.timing import Segment


def write_timings(path: str | Path, clip: Clip) -> None:
    """Write the times of a clip's words, phones (IPA, "" is silence) and visemes, in seconds; `timings` reads them.

    `{"duration": 1.2, "fps": 25, "words": [{"text": "Hi.", "start": 0.2, "end": 0.8}], "phones": …, "visemes": …}`

    Raises:
        ValueError: the place can't be written to.
    """
    times = {name: [_entry(segment) for segment in getattr(clip, name)] for name in ("words", "phones", "visemes")}
    with replaced_file(path) as temporary:
        text = json.dumps({"duration": round(clip.duration, 4), "fps": clip.fps} | times, ensure_ascii=False, indent=1)
        temporary.write_text(text + "\n", encoding="utf-8")


def _entry(segment: Segment) -> dict[str, str | float]:
    label, start, end = segment
    return {"text": label, "start": round(float(start), 4), "end": round(float(end), 4)}
