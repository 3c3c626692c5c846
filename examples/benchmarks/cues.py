"""How well voices keep to the times of subtitles: starts, ends, paces, and what comes late.

python examples/benchmarks/cues.py --voices hibari pico espeak

Each of the sentences of `voices.py` is a cue as long as another voice needs for it, 0.3 s apart, as subtitles of a
film are.
"""

import argparse
import time
import warnings

import numpy as np
from voices import SENTENCES

from text2lip.speech import LateCueWarning, speak_script, synthesize
from text2lip.speech.spoken_script import LATE
from text2lip.speech.timings.script import Line, Passage


GAP = 0.3  # seconds between cues


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voices", nargs="+", default=["default", "espeak"])
    parser.add_argument("--timed-by", default="espeak+m3", help="voice whose sentences are as long as the cues")
    parser.add_argument("--limit", type=int, default=len(SENTENCES), help="number of cues")
    args = parser.parse_args()
    script, clock = [], 1.0
    for number, text in enumerate(SENTENCES[: args.limit], 1):
        end = clock + synthesize(text, args.timed_by).duration
        script.append(Passage([Line("", text)], clock, end, number))
        clock = end + GAP
    print(
        "| voice | late cues | off its start, at most | end from the cue's: median; 90 % | pace | computing / sound |"
    )
    print("| --- " * 6 + "|")
    for voice in args.voices:
        print(f"| `{voice}` | " + " | ".join(figures(voice, script)) + " |", flush=True)


def figures(voice: str, script: list[Passage]) -> list[str]:
    """The cells of a row."""
    synthesize("Good morning.", voice)  # loads it
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LateCueWarning)
        spoken = speak_script(script, lambda line, pace: synthesize(line.text, voice, "en-us", pace))
    spent = time.process_time() - started
    turns = spoken.timeline.turns
    starts = np.array([turn.start - cue.start for turn, cue in zip(turns, script)])
    ends = np.array([turn.end - cue.end for turn, cue in zip(turns, script)])
    paces = [turn.pace for turn in turns]
    return [
        f"{(starts > LATE).sum()} of {len(script)}",
        f"{1000 * np.abs(starts).max():.0f} ms",
        f"{1000 * np.median(ends):+.0f}; {1000 * np.quantile(np.abs(ends), 0.9):.0f} ms",
        f"{min(paces):.2f} to {max(paces):.2f}",
        f"{spent / spoken.duration:.3f}",
    ]


if __name__ == "__main__":
    main()
