from text2lip.speech import synthesize
from text2lip.speech.alignment.words import words_from_reference, words_with_phones
from text2lip.text import Segment, Timeline


def test_words_with_phones():
    text = "Good morning, and welcome to the show."
    words = words_with_phones(synthesize(text, "espeak").timeline)
    assert [word for word, _ in words] == text.split()
    assert [phone.lstrip("ˈˌ") for phone in words[0][1]] == ["ɡ", "ʊ", "d"]


def test_words_found_by_comparing():
    spoken = Timeline.from_phones(
        [("ð", 0, 1), ("ə", 1, 2), ("k", 2, 3), ("æ", 3, 4), ("t", 4, 5)], [("the", 0, 2), ("cat.", 2, 5)]
    )
    phones = [
        Segment("", 0, 1),
        Segment("ð", 1, 2),
        Segment("i", 2, 3),
        Segment("k", 3, 4),
        Segment("æ", 4, 5),
        Segment("ʔ", 5, 6),
    ]
    assert words_from_reference(phones, spoken) == [("the", 1, 3), ("cat.", 3, 6)]
