"""Which languages are spoken: the numbers 1 to 10 in every language, with sound, exact phone times and visemes.

python examples/benchmarks/languages.py
"""

import argparse

import numpy as np

from text2lip import VisemeTokenizer, synthesize
from text2lip.speech.voices.registry import get_synthesizer
from text2lip.text import available_languages


TEXT = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10."


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voice", default="espeak")
    args = parser.parse_args()
    tokenizer = VisemeTokenizer()
    spoken, silent = [], []
    voice = get_synthesizer(args.voice)
    for code in available_languages():
        if voice.languages is not None and code not in voice.languages:
            continue
        try:
            speech = synthesize(TEXT, voice, code)
        except ValueError as error:
            silent.append(f"{code} ({error})")
            continue
        tokens = tokenizer(phones=speech.timeline, language=code, return_tensors="np")
        exact = np.isclose(tokens["durations"].sum(), speech.duration, atol=1e-3)
        loud = np.abs(speech.audio).max() > 0.01
        phones = sum(1 for phone in speech.timeline.phones if phone.label)
        (spoken if exact and loud and phones >= 10 else silent).append(code)
    print(f"{len(spoken)} of {len(spoken) + len(silent)} languages spoken by {args.voice}: {' '.join(spoken)}")
    print(f"not spoken: {', '.join(silent) or 'none'}")


if __name__ == "__main__":
    main()
