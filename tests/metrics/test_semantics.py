import math

import pytest

from text2lip import metrics
from text2lip.metrics.semantics import edit_path


def test_bleu_papineni_clips_repeated_words():
    # Papineni et al. 2002, example 2: "the" seven times has a clipped unigram precision of 2/7
    assert metrics.bleu(["the the the the the the the"], ["the cat is on the mat"], 1) == pytest.approx(2 / 7)


def test_bleu_by_hand():
    hypotheses = ["bin blue at f two", "set red by a one now"]
    references = ["bin blue at f two now", "set red in a one now"]
    # matches / totals of order 1 to 4: 10/11, 7/9, 4/7, 2/5; lengths 11 and 12
    brevity = math.exp(1 - 12 / 11)
    assert metrics.bleu(hypotheses, references, 1) == pytest.approx(brevity * 10 / 11)
    expected = brevity * (10 / 11 * 7 / 9 * 4 / 7 * 2 / 5) ** 0.25
    assert metrics.bleu(hypotheses, references) == pytest.approx(expected)


def test_bleu_ends():
    assert metrics.bleu(["a b c d"], ["a b c d"]) == pytest.approx(1)
    assert metrics.bleu(["a b c"], ["a b c"]) == 0  # no 4-gram, nothing smoothed
    assert metrics.bleu([""], ["a b"], 1) == 0
    assert metrics.bleu(["a b c d e f"], ["a b"], 1) == pytest.approx(1 / 3)  # long is punished by precision


@pytest.mark.parametrize(
    ("ours", "real", "expected"),
    [
        ("bin blue at f two now", "bin blue at f two now", 0),
        ("bin blue f two two now", "bin blue at f two now", 2 / 6),
        ("", "bin blue", 1),
        ("a b c d e", "a", 4),
    ],
)
def test_wer_by_hand(ours, real, expected):
    assert metrics.wer([ours], [real]) == pytest.approx(expected)


def test_wer_pools_words():
    assert metrics.wer(["a", "x y z w"], ["b", "x y z w"]) == pytest.approx(1 / 5)
    assert metrics.wer(["a"], [""]) is None


def test_edit_distance_of_letters():
    assert metrics.edit_distance("kitten", "sitting") == 3
    assert edit_path("abcd", "acd") == [(0, 0), (2, 1), (3, 2)]


def test_slot_accuracy_by_hand():
    ours = ["bin blue at f two now", "set red at b", "lay green by c one soon again"]
    real = ["bin blue at g two now", "set red by b one now", "lay green by c one soon"]
    assert metrics.slot_accuracy(ours, real) == pytest.approx([1, 1, 2 / 3, 2 / 3, 2 / 3, 2 / 3])


def test_another_sentence_scores_worse():
    real = ["bin blue at f two now", "lay green by c one soon"]
    other = ["set red with z nine again", "place white in k four please"]
    assert metrics.wer(other, real) == 1
    assert metrics.bleu(other, real, 1) == 0
    assert metrics.slot_accuracy(other, real) == [0] * 6


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="hypotheses: 1 sentences for 2 references"):
        metrics.wer(["a"], ["a", "b"])
    with pytest.raises(ValueError, match="references: is one string"):
        metrics.bleu(["a"], "a")
    with pytest.raises(ValueError, match="max_order: 0"):
        metrics.bleu(["a"], ["a"], 0)
    with pytest.raises(ValueError, match="references: differ in their number of words"):
        metrics.slot_accuracy(["a", "b"], ["a", "b c"])
