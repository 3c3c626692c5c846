"""What does it cost to align a long recording, and how true are the times? Speech of the default voice, whose times
are known, as a sound file with its text.

    python examples/benchmarks/long_recordings.py --minutes 15
    python examples/benchmarks/long_recordings.py --minutes 60 --methods pocketsphinx dtw
    python examples/benchmarks/long_recordings.py --minutes 60 --background

The 40 sentences of voices.py are said again and again, in a new order each time. For each method, in a process of its
own: CPU seconds of reading and aligning; MiB of the sound as float32, which lies in a file where it is long, and of
memory at most, on top of what a first sentence took; onsets of words, in milliseconds from those of the voice (median,
90 % quantile and greatest of the differences without sign); warnings, and what they say. With `--background`: what it
takes to keep the sound of a film, noise at 48 kHz in stereo, under as long a voice.
"""

import argparse
import os
import resource
import tempfile
import time
import warnings
import wave
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np


PAUSES = 0.2, 1.0  # seconds between sentences, at least and at most


def speak(path: str, minutes: float) -> tuple[str, np.ndarray]:
    """Write a sound file of so many minutes; its text, and when its words start, seconds (words,)."""
    from voices import SENTENCES

    from text2lip import synthesize
    from text2lip.speech.audio import to_int16

    rng, spoken = np.random.default_rng(0), [synthesize(text) for text in SENTENCES]
    texts, starts, samples, rate = [], [], 0, spoken[0].sampling_rate
    with wave.open(path, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        while samples < minutes * 60 * rate:
            for number in rng.permutation(len(SENTENCES)):
                texts.append(SENTENCES[number])
                starts += [samples / rate + word.start for word in spoken[number].timeline.words]
                sound = np.pad(to_int16(spoken[number].audio), (0, round(rng.uniform(*PAUSES) * rate)))
                file.writeframes(sound.tobytes())
                samples += len(sound)
                if samples >= minutes * 60 * rate:
                    break
    return " ".join(texts), np.array(starts)


def measure(path: str, text: str, starts: np.ndarray, method: str) -> str:
    """A row of the table, and what was doubted."""
    from text2lip import synthesize
    from text2lip.speech import align, load_audio

    first = synthesize("A first sentence loads what is needed.")
    align(first.audio, first.sampling_rate, "A first sentence loads what is needed.", method=method)
    before, began = peak_memory(), time.process_time()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        audio, rate = load_audio(path)
        timeline = align(audio, rate, text, method=method)
    seconds, memory = time.process_time() - began, peak_memory() - before
    off = 1000 * np.abs(np.array([word.start for word in timeline.words]) - starts)
    numbers = [f"{audio.nbytes / 2**20:.0f}", f"{memory:.0f}", f"{np.median(off):.0f}; {np.quantile(off, 0.9):.0f}; "]
    numbers[-1] += f"{off.max():.0f}"
    row = [method, f"{len(audio) / rate / 60:.1f}", str(len(off)), f"{seconds:.0f}", *numbers, str(len(told))]
    return "\n".join([f"| {' | '.join(row)} |", *(f"  {warning.message}" for warning in told)])


def measure_background(path: str, minutes: float) -> str:
    """MiB of the sound that is made, and of memory at most on top of the voice."""
    from text2lip.speech.background import keep_background
    from text2lip.speech.utterance import Speech
    from text2lip.text.timing import Timeline

    rng, seconds = np.random.default_rng(0), minutes * 60
    with wave.open(path, "wb") as file:
        file.setparams((2, 2, 48_000, 0, "NONE", ""))
        for _ in range(round(seconds)):
            file.writeframes(rng.integers(-9_000, 9_000, (48_000, 2), np.int16).tobytes())
    phones = [("a", start, start + 2.0) for start in range(0, int(seconds) - 2, 5)]
    voice = Speech(
        np.full(round(seconds * 24_000), 0.1, np.float32), 24_000, Timeline.from_phones(phones, (), seconds)
    )
    keep_background(Speech(voice.audio[:24_000], 24_000, Timeline([], [], 1.0)), path, 1.0)  # loads what is needed
    before, began = peak_memory(), time.process_time()
    made = keep_background(voice, path, seconds).audio.nbytes / 2**20
    return f"| {minutes:.0f} | {time.process_time() - began:.0f} | {made:.0f} | {peak_memory() - before:.0f} |"


def peak_memory() -> float:
    """MiB that this process took at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--methods", nargs="+", default=["pocketsphinx"], choices=["pocketsphinx", "dtw"])
    parser.add_argument("--background", action="store_true", help="keep a film's sound under a voice instead")
    args = parser.parse_args()
    if args.background:
        print("| minutes | CPU, s | sound made, MiB | peak memory, MiB |\n| --- | --- | --- | --- |")
        with tempfile.TemporaryDirectory() as folder:
            print(measure_background(os.path.join(folder, "film.wav"), args.minutes))
        return
    print("| method | minutes | words | CPU, s | sound, MiB | peak memory, MiB | onsets off, ms | warnings |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "long.wav")
        with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as processes:
            text, starts = processes.submit(speak, path, args.minutes).result()
            for method in args.methods:
                print(processes.submit(measure, path, text, starts, method).result(), flush=True)


if __name__ == "__main__":
    main()
