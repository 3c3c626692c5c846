import numpy as np
import pytest

from text2lip.speech.alignment import AlignmentError, time_warping
from text2lip.speech.alignment.time_warping import averaged, spread, warp, warp_in_parts


def test_the_cost_of_a_path_needs_no_path():
    a, b = np.random.default_rng(0).normal(size=(2, 90, 3))
    assert warp(a, b, with_path=False) == (None, warp(a, b)[1])


def test_warp_of_equal_and_stretched_signals():
    reference = np.random.default_rng(0).normal(size=(100, 4))
    path, cost = warp(reference, reference)
    assert cost == 0 and np.array_equal(path, np.repeat(np.arange(100)[:, None], 2, 1))
    path, cost = warp(reference, np.repeat(reference, 2, axis=0))
    assert cost == 0 and np.array_equal(path[:, 1] // 2, path[:, 0])
    path, cost = warp(np.repeat(reference, 2, axis=0), reference)
    assert cost == 0 and np.array_equal(path[:, 0] // 2, path[:, 1])


def test_warp_is_the_cheapest_path():
    """Against the textbook recursion, cell by cell."""
    generator = np.random.default_rng(1)
    a, b = generator.normal(size=(9, 3)), generator.normal(size=(13, 3))
    local = np.linalg.norm(a[:, None] - b[None], axis=-1)
    total = np.full((10, 14), np.inf)
    total[0, 0] = -local[0, 0]
    for i in range(1, 10):
        for j in range(1, 14):
            cost = local[i - 1, j - 1]
            total[i, j] = min(total[i - 1, j - 1] + 2 * cost, total[i - 1, j] + cost, total[i, j - 1] + cost)
    path, cost = warp(a, b)
    assert cost == pytest.approx(total[9, 13] / 22)
    assert tuple(path[0]) == (0, 0) and tuple(path[-1]) == (8, 12)
    assert (np.diff(path, axis=0) >= 0).all() and (np.diff(path, axis=0).max(1) == 1).all()


def test_a_long_recording_is_warped_roughly_first(monkeypatch):
    from text2lip.speech import align, synthesize

    text = "Guten Morgen, wie geht es dir heute? Das Wetter bleibt leider schlecht. " * 3
    speech = synthesize(text, "espeak+f3", "de", speaking_rate=0.8)
    given = speech.audio, speech.sampling_rate
    whole = align(*given, text, "de", "dtw")
    monkeypatch.setattr(time_warping, "LONGEST_FINE", 400)
    found = align(*given, text, "de", "dtw")
    assert max(abs(a.start - b.start) for a, b in zip(found.words, whole.words)) < 0.05
    with pytest.raises(AlignmentError, match="doesn't say the text"):
        align(*given, "Eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf. " * 3, "de", "dtw")


def test_parts_of_a_path_are_those_of_the_whole(monkeypatch):
    generator = np.random.default_rng(0)
    reference = generator.normal(size=(2_000, 6)).astype(np.float32)
    target = np.repeat(reference, generator.choice([1, 1, 2], 2_000), axis=0)
    centre = spread(warp(averaged(reference), averaged(target))[0], 2_000)
    whole, _ = warp(reference, target, centre=centre)
    monkeypatch.setattr(time_warping, "AT_ONCE", 700)
    monkeypatch.setattr(time_warping, "LOOKED_AHEAD", 200)
    path = warp_in_parts(reference, target, centre)
    assert tuple(path[0]) == (0, 0) and tuple(path[-1]) == (1_999, len(target) - 1)
    assert (np.diff(path, axis=0) >= 0).all() and (np.diff(path, axis=0).max(1) == 1).all()
    first, second = (np.bincount(found[:, 0], found[:, 1]) / np.bincount(found[:, 0]) for found in (path, whole))
    assert np.abs(first - second).max() <= 1


@pytest.mark.parametrize(
    ("language", "voice", "text", "other"),
    [
        ("de", "espeak+f3", "Die Kinder spielen im Hof der Schule.", "Der Zug nach Leipzig fährt heute ab."),
        ("fr", "espeak+klatt4", "Je voudrais un café et deux croissants.", "Les enfants jouent dans la cour."),
        ("es", "espeak+m7", "Los niños juegan en el patio.", "El tren a Sevilla sale hoy."),
    ],
)
def test_a_voice_that_is_much_like_the_reference_is_refused_another_text_too(language, voice, text, other):
    from text2lip.speech import align, synthesize

    speech = synthesize(text, voice, language)
    assert min(align(speech.audio, speech.sampling_rate, text, language, "dtw").confidence) > 0.5
    with pytest.raises(AlignmentError, match="doesn't say the text"):
        align(speech.audio, speech.sampling_rate, other, language, "dtw")


def test_no_phone_lies_over_a_pause():
    """The first of a sentence began where the one before ended: 0.4 s too early."""
    from text2lip.speech import align, synthesize

    text = "Who knew you would move to a new school so soon? Peter brought a big paper bag of bread."
    speech = synthesize(text, "pico")
    words = align(speech.audio, speech.sampling_rate, text, method="dtw").words
    soon, peter = speech.timeline.words[10:12]
    assert peter.label == "Peter" and peter.start - soon.end > 0.3
    assert words[11].start == pytest.approx(peter.start, abs=0.1)
