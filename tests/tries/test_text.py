"""Texts that people, or their enemies, gave."""

import subprocess
import sys
import time

import pytest


HOSTILE = r"""
hostile = {
    "a long word": "antidisestablishmentarianism" * 200,
    "letters with a full stop each": "a." * 1500,
    "the same in capitals": "A." * 700,
    "the same with spaces": "b ." * 800 + "c . " * 800,
    "ipa as text": "tə" * 600,
    "digits": "9" * 500 + " " + "0" * 3000,
    "thousands": "1,000," * 300,
    "nothing but consonants": "brtkzgh" * 400,
    "a pile of accents": "e" + "\u0301\u0300" * 1000,
    "right to left": "\u202eabc\u202c \u2066x\u2069 hello",
    "joined emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 300,
    "private and unassigned": "\ue000\uf8ff\U000f0000x\U0010ffff",
    "controls and half pairs": "".join(map(chr, range(32))) + "a\0b \ud800 \udfff",
    "brackets of phonemes": "[[" * 300 + "t@" * 300 + "]]" * 300,
    "tags": "<a" * 1000,
    "apostrophes": "a'" * 1500,
    "signs": "%@#&" * 500,
    "bold": "\U0001d407\U0001d41e" * 300,
}
"""
WAYS = {
    "read": "from text2lip.text import get_g2p\nway = get_g2p('espeak', 'en-us')",
    "say": "from text2lip.speech.voices.espeak import EspeakSynthesizer\nway = EspeakSynthesizer()",
    "say IPA": "from text2lip.speech.voices.espeak import EspeakSynthesizer\nway = EspeakSynthesizer().speak_phones",
}
LOOP = """
for name, text in hostile.items():
    print(name, flush=True)
    try:
        way(text)
    except ValueError:
        pass
print("alive")
"""


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_no_text_ends_the_process(way):
    done = subprocess.run([sys.executable, "-c", HOSTILE + WAYS[way] + LOOP], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == ["alive"], (done.returncode, done.stdout, done.stderr[-500:])


def test_letters_with_a_full_stop_each_do_not_end_the_process():
    say = "from text2lip.speech.voices.espeak import EspeakSynthesizer as E; print(E()('A.' * 200).duration > 9)"
    done = subprocess.run([sys.executable, "-c", say], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


def test_phonemes_of_any_length_do_not_end_the_process():
    xml = "<speak><phoneme alphabet='ipa' ph='\" + 'tə' * 110 + \"'>long</phoneme></speak>"
    say = f'from text2lip.speech import synthesize; print(len(synthesize("{xml}", "espeak").timeline.words))'
    done = subprocess.run([sys.executable, "-c", say], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


def test_what_pico_fails_on_is_read_by_espeak(monkeypatch):
    from text2lip.speech import synthesize
    from text2lip.speech.voices.pico import PicoError, PicoSynthesizer

    monkeypatch.setattr("text2lip.speech.voices.pico._PROGRAM", "raise RuntimeError('error in processing unit')")
    assert synthesize("Hallo.", language="de").timeline.words[0].label == "Hallo."
    with pytest.raises(PicoError, match=r"text: Pico can't read 'Hello\.' .RuntimeError: error in .*voice='espeak'"):
        PicoSynthesizer()("Hello.")


def test_many_digits_are_said_one_by_one():
    from text2lip.speech import synthesize

    speech = synthesize("1" * 18)
    assert [(word.label, word.span) for word in speech.timeline.words] == [("1" * 18, (0, 18))]
    assert [phone.label for phone in speech.timeline.phones].count("w") == 18  # of "one"


def test_no_word_of_a_shouted_sentence_is_without_length():
    from text2lip.speech import synthesize

    text = "DO NOT TOUCH THE RED BUTTON, IT IS VERY DANGEROUS"
    words = synthesize(text).timeline.words
    assert len(words) == len(text.split()) and all(word.end > word.start for word in words)


READ_ONCE = [
    ("It is 5 km away.", "en-us", "It is five kilometers away.", ["It", "is", "5 km", "away."]),
    (
        "It costs 1 000 000 dollars.",
        "en-us",
        "It costs one million dollars.",
        ["It", "costs", "1 000 000", "dollars."],
    ),
    ("born 12/03/1985", "en-gb", "born the twelfth of March, nineteen eighty-five", ["born", "12/03/1985"]),
    ("3-4 weeks", "en-us", "three to four weeks", ["3-4", "weeks"]),
    ("Il est 8h30.", "fr-fr", "Il est huit heures trente.", ["Il", "est", "8h30."]),
    ("Jest -5 °C.", "pl", "Jest minus pięć stopni Celsjusza.", ["Jest", "-5 °C."]),
    ("DO NOT TOUCH IT", "en-us", "do not touch it", ["DO", "NOT", "TOUCH", "IT"]),
]


@pytest.mark.parametrize(("text", "language", "said", "words"), READ_ONCE)
def test_voice_lips_words_and_subtitles_have_one_reading(text, language, said, words):
    from text2lip.speech import synthesize, to_srt
    from text2lip.speech.voices.espeak import EspeakSynthesizer
    from text2lip.text import VisemeTokenizer

    heard = []

    def voice(text, language):
        heard.append(text)
        return EspeakSynthesizer()(text, language=language)

    speech = synthesize(text, voice, language)
    assert heard == [said]
    tokenizer = VisemeTokenizer(language=language)
    lips, written_out = (tokenizer.timeline(form) for form in (text, said))
    assert [phone.label for phone in lips.phones] == [phone.label for phone in written_out.phones]
    for timeline in (speech.timeline, lips):
        assert [word.label for word in timeline.words] == words
        assert [text[slice(*word.span)] for word in timeline.words] == words
        assert all(word.end > word.start for word in timeline.words)
    assert to_srt(speech.timeline.words).splitlines()[2] == text


def test_a_recording_s_words_keep_their_spelling_too():
    from text2lip.speech import align, synthesize

    text = "It is 5 km to St. Paul, on 3 May."
    speech = synthesize(text, "espeak")
    found = align(speech.audio, speech.sampling_rate, text).words
    assert [word.label for word in found] == ["It", "is", "5 km", "to", "St.", "Paul,", "on", "3", "May."]
    assert [text[slice(*word.span)] for word in found] == [word.label for word in found]
    assert [word.start for word in found] == pytest.approx([word.start for word in speech.timeline.words], abs=0.1)


def test_a_foreign_word_is_said_in_its_language():
    from text2lip.speech import synthesize

    text = 'She said "Привет" and left.'
    mixed, alone = synthesize(text, "espeak"), synthesize("Привет", "espeak", "ru")
    word = mixed.timeline.words[2]
    inside = [p.label for p in mixed.timeline.phones if word.start <= (p.start + p.end) / 2 < word.end and p.label]
    assert text[slice(*word.span)] == '"Привет"'
    assert inside == [phone.label for phone in alone.timeline.phones if phone.label]


# what patterns look for, over and over, so that every place of the text may be the start of a match
TOKENS = [
    "111 ", "111,", "1.", "$", "$1", "1 000 ", "a.", "a-", "a@", "a.b@", "www.", "http://", "a.com/", "*a ", "**",
    "*a\n", "_a", "~a", "`a", "[a](", "[](", "![", "(", "#", "# ", "> ", "- ", "---\n", "```\n", "\n", " ", "A. ",
    "Dr. ", "?", "?\"", ". ", "—", "😀", "\u200d", "e\u0301", "\u0301", "2024-01-", "12:30 ", "&", "<a", "<!--", "ｗ",
    "①", "SHOUT ", "½", "US$", "1 million ", "'", "a'", "[[", "\\", "1:01:01 --> ",
]  # fmt: skip


def _growth(read, token: str) -> float:
    """How much longer a text of 20,000 characters takes than one of 10,000; 1 where both take no time to speak of."""
    seconds = []
    for length in (10_000, 20_000):
        text = (token * length)[:length] + "x $5."
        start = time.process_time()
        read(text)
        seconds.append(time.process_time() - start)
    return seconds[1] / seconds[0] if seconds[1] > 0.1 else 1.0


@pytest.mark.parametrize("token", TOKENS)
def test_reading_takes_linear_time(token):
    from text2lip.speech.timings.subtitles import is_subtitles
    from text2lip.text.normalize import normalize_text
    from text2lip.text.sentences import split_sentences
    from text2lip.text.ssml import is_ssml

    def read(text):
        split_sentences(normalize_text(text))
        is_subtitles(text)
        is_ssml(text)

    assert any(_growth(read, token) < 3 for _ in range(3))  # the machine may be busy
