"""What a lip reader understood against what was said: BLEU, word error rate, accuracy by place in the sentence.

Texts are compared word by word, split at white space, as they are given: lower-case them, strip punctuation and write
digits as words beforehand, on both sides alike.
"""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np


def bleu(hypotheses: Sequence[str], references: Sequence[str], max_order: int = 4) -> float:
    """Corpus BLEU of Papineni et al. 2002 (Eq. 1 to 3), one reference for each hypothesis, without smoothing.

    The clipped n-gram matches of all sentences are summed before each precision is taken; the score is the geometric
    mean of the precisions of order 1 to `max_order` times the brevity penalty of the whole corpus. Nothing is
    smoothed: an order without a single match, or sentences too short to have one, make the score 0.

    Args:
        hypotheses (`Sequence[str]`): what was understood.
        references (`Sequence[str]`): what was said.
        max_order (`int`): 1 for BLEU-1 (unigrams and brevity penalty), 4 for BLEU-4.

    Returns:
        `float`: in [0, 1] (not per cent).

    Raises:
        ValueError: no sentence, unequal numbers of them, or `max_order` under 1.
    """
    _check(hypotheses, references)
    if max_order < 1:
        raise ValueError(f"max_order: {max_order!r}; wants a whole number from 1, such as 4.")
    matches, totals = np.zeros(max_order), np.zeros(max_order)
    ours_length = real_length = 0
    for hypothesis, reference in zip(hypotheses, references):
        ours, real = hypothesis.split(), reference.split()
        ours_length += len(ours)
        real_length += len(real)
        for n in range(1, max_order + 1):
            grams = _grams(ours, n)
            matches[n - 1] += (grams & _grams(real, n)).total()
            totals[n - 1] += grams.total()
    if matches.min() == 0:
        return 0.0
    brevity = min(0.0, 1 - real_length / ours_length)
    return float(math.exp(brevity + np.log(matches / totals).mean()))


def wer(hypotheses: Sequence[str], references: Sequence[str]) -> float | None:
    """Word error rate of a corpus: smallest number of word edits (Levenshtein) over the number of words said.

    Args and errors as in [`bleu`].

    Returns:
        `float` or None: >= 0; over 1 where more words were invented than said. None where nothing was said.
    """
    _check(hypotheses, references)
    edits = sum(edit_distance(h.split(), r.split()) for h, r in zip(hypotheses, references))
    words = sum(len(r.split()) for r in references)
    return edits / words if words else None


def slot_accuracy(hypotheses: Sequence[str], references: Sequence[str]) -> list[float]:
    """Share of right words at each place of sentences of a fixed grammar (GRID: six slots).

    Words are compared place by place; a missing word is a wrong one, a word too many is not looked at.

    Args and errors as in [`bleu`]. References that differ in their number of words are an error too.

    Returns:
        `list[float]`: one value in [0, 1] for each place.
    """
    _check(hypotheses, references)
    real = [r.split() for r in references]
    slots = len(real[0])
    if any(len(words) != slots for words in real):
        raise ValueError("references: differ in their number of words; slot accuracy wants sentences of one grammar.")
    ours = [(h.split() + [""] * slots)[:slots] for h in hypotheses]
    return [sum(o[i] == r[i] for o, r in zip(ours, real)) / len(real) for i in range(slots)]


def edit_distance(ours: Sequence, real: Sequence) -> int:
    """Levenshtein 1966: the smallest number of insertions, deletions and substitutions from `ours` to `real`."""
    return int(_edit_table(ours, real)[-1, -1])


def edit_path(ours: Sequence, real: Sequence) -> list[tuple[int, int]]:
    """Index pairs that a smallest-edit alignment lays on each other (equal or substituted), in order."""
    table = _edit_table(ours, real)
    i, j = len(ours), len(real)
    pairs = []
    while i and j:
        if table[i, j] == table[i - 1, j - 1] + (ours[i - 1] != real[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif table[i, j] == table[i - 1, j] + 1:
            i -= 1
        else:
            j -= 1
    return pairs[::-1]


def _edit_table(ours: Sequence, real: Sequence) -> np.ndarray:
    table = np.zeros((len(ours) + 1, len(real) + 1), np.int64)
    table[:, 0], table[0] = np.arange(len(ours) + 1), np.arange(len(real) + 1)
    for i, a in enumerate(ours, 1):
        for j, b in enumerate(real, 1):
            table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (a != b))
    return table


def _grams(words: list[str], n: int) -> Counter:
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def _check(hypotheses: Sequence[str], references: Sequence[str]):
    for name, texts in (("hypotheses", hypotheses), ("references", references)):
        if isinstance(texts, str):
            raise ValueError(f"{name}: is one string; wants a list of sentences.")
    if len(hypotheses) != len(references) or not len(references):
        raise ValueError(
            f"hypotheses: {len(hypotheses)} sentences for {len(references)} references; wants one each, at least one."
        )
