"""Word times of many sentences, without sound or film: a corpus for durations and pauses."""

import csv
import gzip
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from text2lip.data.grid import ALIGN_UNITS_PER_SECOND, pronounced
from text2lip.text.nominal_durations import nominal_durations
from text2lip.text.phonemes import get_g2p
from text2lip.text.timing import Segment, Timeline


ALIGNMENT_COLUMNS = ["speaker", "clip", "start_25000th_s", "end_25000th_s", "word"]
PAUSES = ("sil", "sp")


@dataclass(frozen=True)
class AlignedSentence:
    """When each word of a sentence was said.

    Attributes:
        speaker (`str`): the talker, such as "s4".
        code (`str`): the sentence's file name without suffix.
        segments (`list[Segment]`): words and pauses ("") in order, seconds from the start of the recording.
    """

    speaker: str
    code: str
    segments: list[Segment]

    @property
    def words(self) -> list[Segment]:
        """The words alone."""
        return [segment for segment in self.segments if segment.label]

    @property
    def length(self) -> float:
        """Seconds from the start of the first word to the end of the last."""
        return self.words[-1].end - self.words[0].start


def read_alignments(path: str | Path) -> list[AlignedSentence]:
    """Read a table of word times, `alignments.tsv.gz`: one row a word or pause (`sil`, `sp`), times in 1/25000 s.

    Raises:
        ValueError: the file is missing, is no such table, or holds a sentence without words.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"path: there is no file {str(path)!r}; give a table such as alignments.tsv.gz.")
    found: dict[tuple[str, str], list[Segment]] = defaultdict(list)
    with gzip.open(path, "rt", newline="") as file:
        rows = csv.reader(file, delimiter="\t")
        if next(rows, None) != ALIGNMENT_COLUMNS:
            raise ValueError(
                f"path: {str(path)!r} is no table of word times; wants the columns {' '.join(ALIGNMENT_COLUMNS)}."
            )
        for speaker, code, start, end, word in rows:
            label = "" if word in PAUSES else word
            times = int(start) / ALIGN_UNITS_PER_SECOND, int(end) / ALIGN_UNITS_PER_SECOND
            found[speaker, code].append(Segment(label, *times))
    silent = next((name for name, segments in found.items() if not any(s.label for s in segments)), None)
    if silent is not None:
        raise ValueError(f"path: {'/'.join(silent)} in {str(path)!r} has no words.")
    return [AlignedSentence(*name, segments) for name, segments in found.items()]


def phone_timeline(
    sentence: AlignedSentence, language: str = "en-gb", lead: float = 0.1, tail: float = 0.2
) -> Timeline:
    """Phones of a GRID sentence: words have their own times, and their phones share them by nominal durations.

    Args:
        sentence ([`AlignedSentence`]): words of the GRID grammar.
        language (`str`): what its phones are read as; the talkers of GRID are British.
        lead, tail (`float`): seconds of silence before and after, in place of the recording's own.

    Returns:
        [`Timeline`]: starts `lead` seconds before the first word.

    Raises:
        ValueError: the reader makes another number of words of the sentence.
    """
    words = sentence.words
    spoken = get_g2p("espeak", language, stress=True)(pronounced(" ".join(word.label for word in words)))
    if len(spoken) != len(words):
        raise ValueError(f"sentence: {len(words)} words of {sentence.code!r} are read as {len(spoken)}.")
    shift = lead - words[0].start
    phones: list[Segment] = []
    for word, lengths, (_, sounds, _) in zip(words, nominal_durations([p.phones for p in spoken]), spoken):
        at, scale = word.start + shift, (word.end - word.start) / sum(lengths)
        for sound, length in zip(sounds, lengths):
            phones.append(Segment(sound, at, at + length * scale))
            at = phones[-1].end
    timed = [Segment(word.label, word.start + shift, word.end + shift) for word in words]
    return Timeline.from_phones(phones, timed, duration=phones[-1].end + tail)
