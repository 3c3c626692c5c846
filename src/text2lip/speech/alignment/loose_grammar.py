"""A grammar for pocketsphinx in which words of a text may be left out, and other speech may stand between them."""

from collections.abc import Sequence
from typing import Any

from text2lip.text.arpabet import ARPABET_TO_IPA


# Probabilities, chosen on GRID with words left out, added and changed: examples/benchmarks/transcripts.py --words
LEFT_OUT = 1e-20  # of a word; an ill fitting one of three phones costs about as much
OTHER_PHONE = 1e-9  # of each sound that belongs to no word
BEAMS = {"beam": 1e-80, "pbeam": 1e-80, "wbeam": 1e-80}  # several words in a row may be left out
OTHER = "other."


def allow_gaps(decoder: Any, keys: Sequence[str]) -> None:
    """Let a `pocketsphinx.Decoder` look for the words `keys` of its dictionary in their order, any of them left out,
    with any sounds between them."""
    for number, symbol in enumerate(ARPABET_TO_IPA):
        decoder.add_word(OTHER + symbol, symbol, number == len(ARPABET_TO_IPA) - 1)
    steps: list[tuple] = []
    for state, key in enumerate(keys):
        steps += [(state, state + 1, 1.0, key), (state, state + 1, LEFT_OUT)]
    for state in range(len(keys) + 1):
        steps += [(state, state, OTHER_PHONE, OTHER + symbol) for symbol in ARPABET_TO_IPA]
    decoder.add_fsg("loose", decoder.create_fsg("loose", 0, len(keys), steps))
    decoder.activate_search("loose")


def heard_order(decoder: Any, keys: Sequence[str]) -> list[tuple[int | None, str]]:
    """What a decoder of [`allow_gaps`] has heard, in order: (index of the word, its key), or (None, other sound)."""
    order: list[tuple[int | None, str]] = []
    index = 0
    for segment in decoder.seg():
        word = segment.word.split("(")[0]
        if word.startswith(OTHER):
            order.append((None, word))
        elif word in keys[index:]:
            index = keys.index(word, index) + 1
            order.append((index - 1, word))
    return order
