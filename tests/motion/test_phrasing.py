import numpy as np
import pytest

from text2lip.motion.phrasing import phrases_of
from text2lip.speech.utterance import Speech
from text2lip.text.feeling_marks import feeling_marks
from text2lip.text.timing import Timeline, Turn, Word


def spoken(text, spans=True, turns=()):
    """Words of `text` half a second each, each with a stressed vowel."""
    words, phones, place = [], [], 0
    for number, label in enumerate(text.split()):
        place = text.index(label, place)
        start = 0.5 * number
        words.append(Word(label, start, start + 0.5, (place, place + len(label)) if spans else None))
        phones += [("b", start, start + 0.2), ("ˈa", start + 0.2, start + 0.5)]
        place += len(label)
    timeline = Timeline.from_phones(phones, words)
    timeline = Timeline(timeline.phones, words, timeline.duration)
    return Speech(None, None, timeline.with_turns(turns) if turns else timeline)


def test_clauses_questions_and_stress():
    first, second, third = phrases_of(spoken("Well then, do you know the answer? What now."), "")
    assert (first.mark, second.mark, third.mark) == (",", "?", ".") and not second.opens
    assert second.question == "yes-no" and first.question == ""
    assert [stress.time for stress in second.stresses] == [2.35, 3.35], "know and answer, no function words"
    (asked,) = phrases_of(spoken("Where did they go?"), "")
    assert asked.question == "wh"


def test_emphasis_by_stars_and_capitals_and_feelings_by_marks():
    text = "This REALLY helps. We love *this* one. 😀 [sad] Goodbye dear friends."
    speech = spoken("This REALLY helps. We love this one. Goodbye dear friends.")
    place, words = 0, []
    for word in speech.timeline.words:
        place = text.index(word.label, place)
        words.append(Word(*word, (place, place + len(word.label))))
    phrases = phrases_of(Speech(None, None, Timeline(speech.timeline.phones, words, words[-1].end)), text)
    assert [stress.emphatic for stress in phrases[0].stresses] == [True, False]
    assert [stress.time for stress in phrases[1].stresses if stress.emphatic] == [2.85], "this"
    assert [phrase.feeling for phrase in phrases] == [None, {"happy": 1}, {"sad": 1}]


def test_short_words_in_capitals_are_emphasis_and_names_are_not():
    (phrase,) = phrases_of(spoken("He did NOT phone the IT people"), "")
    assert [stress.time for stress in phrase.stresses if stress.emphatic] == [1.35]


@pytest.mark.parametrize("before", ["", '\n<?xml version="1.0"?> ', "\ufeff\n", "<!-- Über -->"])
@pytest.mark.parametrize("odd", [" ", "\x01", "\ud800"])
def test_ssml_is_read_after_any_prolog_and_without_what_xml_cannot_hold(before, odd):
    text = f"{before}<speak>I<emphasis> saw</emphasis>{odd}it.</speak>"
    words = [Word(label, place, place + 1) for place, label in enumerate(("I", "saw", "it."))]
    words = [word._replace(span=(text.index(word.label), text.index(word.label) + len(word.label))) for word in words]
    phones = [("ˈa", word.start, word.end) for word in words]
    (phrase,) = phrases_of(Speech(None, None, Timeline.from_phones(phones, words, 3)), text)
    assert [stress.time for stress in phrase.stresses if stress.emphatic] == [1.5]


def test_ssml_that_is_broken_is_refused():
    with pytest.raises(ValueError, match="ssml: .*mismatched tag"):
        feeling_marks("<speak><s>Hello</speak>", ssml=True)


def test_a_tag_ends_with_its_turn():
    text = "[happy] Hello Bob. Hi Ann."
    speech = spoken("Hello Bob. Hi Ann.", turns=[Turn("Ann", 0, 1), Turn("Bob", 1, 2)])
    words = [word._replace(span=(word.span[0] + 8, word.span[1] + 8)) for word in speech.timeline.words]
    timeline = Timeline(speech.timeline.phones, words, 2.0, speech.timeline.turns)
    assert [phrase.feeling for phrase in phrases_of(Speech(None, None, timeline), text)] == [{"happy": 1}, None]


def test_turns_bring_their_own_text():
    turns = [Turn("Ann", 0, 1, "Hello Bob!"), Turn("Bob", 1, 2, "[happy] Hi Ann.")]
    speech = spoken("Hello Bob! Hi Ann.", turns=turns)
    spans = [(0, 5), (6, 10), (8, 10), (11, 15)]  # in the text of the turn
    words = [word._replace(span=span) for word, span in zip(speech.timeline.words, spans)]
    timeline = Timeline(speech.timeline.phones, words, 2.0, speech.timeline.turns)
    phrases = phrases_of(Speech(None, None, timeline), None)
    assert [(phrase.speaker, phrase.feeling) for phrase in phrases] == [("Ann", None), ("Bob", {"happy": 1})]


def test_louder_syllables_are_stressed_more():
    speech = spoken("One two three.")
    rate = 8000
    times = np.arange(round(1.5 * rate)) / rate
    sound = 0.1 * np.sin(2 * np.pi * 120 * times) * np.where((times > 0.5) & (times < 1.0), 4, 1)
    (phrase,) = phrases_of(Speech(sound.astype(np.float32), rate, speech.timeline), "")
    one, two, three = (stress.size for stress in phrase.stresses)
    assert two > one == three


def test_whispers_have_stress_by_their_loudness():
    sound = np.random.default_rng(0).standard_normal(12000).astype(np.float32) * 0.05
    sound[4000:8000] *= 4
    (phrase,) = phrases_of(Speech(sound, 8000, spoken("One two three.").timeline), "")
    one, two, three = (stress.size for stress in phrase.stresses)
    assert two > max(one, three) + 0.3


def test_a_sound_without_words_has_phrases_between_its_pauses():
    rate = 16000
    sound = np.random.default_rng(0).standard_normal(3 * rate).astype(np.float32) * 0.1
    sound[rate : 2 * rate] *= 1e-4
    phrases = phrases_of(Speech(sound, rate, Timeline([], [], 3.0)))
    assert len(phrases) == 2 and abs(phrases[0].end - 1) < 0.1 and abs(phrases[1].start - 2) < 0.1
    assert all(phrase.stresses for phrase in phrases)
