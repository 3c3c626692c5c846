from types import SimpleNamespace
from unicodedata import normalize

import pytest

from text2lip.speech import get_synthesizer
from text2lip.text import readers
from text2lip.text.phonemes import get_g2p
from text2lip.text.readers import ReadingWarning, SpelledWord, respell, spelled_words


def item(start, end, pron, pos="名詞", chain=0, unknown=False):
    return SimpleNamespace(char_span=(start, end), pron=pron, pos=pos, chain_flag=chain, is_unknown=unknown)


@pytest.fixture
def haqumei(monkeypatch):
    """A reader that knows one sentence."""
    items = [
        item(0, 1, "カレ"), item(1, 2, "ワ", chain=1), item(2, 3, "「", "記号"),
        item(3, 5, "キョー"), item(5, 6, "、", "記号"), item(6, 7, "\u3000", "記号"),
        item(7, 9, "", unknown=True), item(9, 10, "」", "記号"),
    ]  # fmt: skip
    monkeypatch.setattr(readers, "_haqumei", lambda: SimpleNamespace(g2p_mapping_detailed=lambda text: items))
    return "彼は「今日、 𰻞𰻞」"


def test_japanese_words_keep_their_places_and_punctuation(haqumei):
    assert spelled_words(haqumei, "ja") == [
        SpelledWord(0, 2, "カレ ワ"), SpelledWord(2, 6, "キョー、"), SpelledWord(7, 10, "𰻞𰻞」"),
    ]  # fmt: skip
    spelled = respell(haqumei, "ja")
    assert [spelled.text[a:b] for a, b in spelled.tokens] == ["カレ ワ", "キョー、", "𰻞𰻞」"]
    assert [haqumei[a:b] for a, b in spelled.places] == ["彼は", "「今日、", "𰻞𰻞」"]


def test_what_the_reader_does_not_know_is_refused_not_mumbled(haqumei):
    with pytest.raises(ValueError, match="'𰻞𰻞' is Japanese kanji"):
        get_g2p(language="ja")(haqumei)


def test_phones_of_words_that_are_spelled(haqumei, monkeypatch):
    words = [SpelledWord(0, 2, "カレ ワ"), SpelledWord(2, 6, "キョー、")]
    monkeypatch.setattr("text2lip.text.readers._kana", lambda text, reader: words)
    read = get_g2p(language="ja")("彼は「今日、")
    assert [(w.word, w.span) for w in read] == [("彼は", (0, 2)), ("今日", (3, 5))]
    assert read[0].phones[0] == "k" and read[1].phones[0] == "kʲ"


@pytest.mark.parametrize(
    ("code", "text", "message"),
    [
        ("ar", "ذهب الولد إلى المدرسة", "pip install dengjen-tashkeel-py"),
        ("he", "שלום לכולם", "vowels"),
        ("th", "สวัสดี", "pip install thaiphon"),
    ],
)
def test_a_text_that_is_read_badly_warns(code, text, message, monkeypatch):
    monkeypatch.setattr(readers, "_tashkeel", lambda: None)
    monkeypatch.setattr(readers, "_thaiphon", lambda: None)
    with pytest.warns(ReadingWarning, match=message):
        assert respell(text, code) is None


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("code", "text"),
    [("ar", "ذَهَبَ الْوَلَدُ"), ("ja", "hello"), ("zh", "你好"), ("fr", "élève"), ("ar", "و")],
)
def test_texts_that_need_no_reader(code, text, monkeypatch):
    monkeypatch.setattr(readers, "_haqumei", pytest.fail)
    monkeypatch.setattr(readers, "_tashkeel", pytest.fail)
    assert spelled_words(text, code) is None


def test_vowel_marks_are_dealt_out_to_words(monkeypatch):
    monkeypatch.setattr(readers, "_tashkeel", lambda: lambda text: "ذَهَبَ  الْوَلَدُ!")
    assert spelled_words("ذهب الولد!", "ar") == [SpelledWord(0, 3, "ذَهَبَ"), SpelledWord(4, 10, "الْوَلَدُ!")]
    monkeypatch.setattr(readers, "_tashkeel", lambda: lambda text: "ذَهَبَ")
    assert spelled_words("ذهب الولد!", "ar") is None  # another number of words can't be dealt out


# sentences whose readings hang on their context
JAPANESE = [
    ("一人で東京に行った。", "ヒトリデトーキョーニイッタ"),
    ("大人は千円、子供は五百円です。", "オトナワセンエンコドモワゴヒャクエンデス"),
    ("上手な人も下手な人も楽しめる。", "ジョーズナヒトモヘタナヒトモタノシメル"),
    ("明日の会議は9時から。", "アシタノカイギワクジカラ"),
    ("AIを使う。", "エーアイヲツカウ"),
    ("iphoneとSUV", "アイフォントエスユーブイ"),
    ("1,234円です。", "センニヒャクサンジューヨエンデス"),
]


@pytest.mark.parametrize(("text", "kana"), JAPANESE)
def test_haqumei(text, kana):
    pytest.importorskip("haqumei")
    words = spelled_words(text, "ja")
    assert "".join(c for word in words for c in word.spelling if "ァ" <= c <= "ー") == kana
    assert all(text[word.start : word.end].strip() for word in words)
    assert [w.start for w in words][1:] == [w.end for w in words][:-1]


def test_tashkeel():
    pytest.importorskip("dengjen_tashkeel_py")
    words = spelled_words("كتب الطالب الدرس في المكتبة", "ar")
    marked = ["كَتَبَ", "الطَّالِبُ", "الدَّرْسَ", "فِي", "الْمَكْتَبَة"]
    assert [normalize("NFC", word.spelling) for word in words] == [normalize("NFC", word) for word in marked]


THAI = "รถไฟไป, SUV ช้าๆ"


@pytest.fixture
def thaiphon(monkeypatch):
    """A reader that knows one sentence."""
    phones = {"รถไฟ": [("r", "o", "t̚"), ("f", "a", "j")], "ไป": [("p", "a", "j")], "ช้า": [("tɕʰ", "a", None)]}

    def sound(symbol):
        return symbol and SimpleNamespace(symbol=symbol)

    def read(word):
        length = SimpleNamespace(name="LONG" if word == "ช้า" else "SHORT")
        parts = [dict(zip(("onset", "vowel", "coda"), map(sound, letters))) for letters in phones[word]]
        return SimpleNamespace(
            best=SimpleNamespace(syllables=[SimpleNamespace(vowel_length=length, **part) for part in parts])
        )

    monkeypatch.setattr(
        readers, "_thaiphon", lambda: (lambda text: ["รถไฟ", "ไป", ",", " ", "SUV", " ", "ช้า", "ๆ"], read)
    )


def test_thai_is_given_as_phones(thaiphon):
    words = spelled_words(THAI, "th")
    assert [(THAI[w.start : w.end], w.phones) for w in words] == [
        ("รถไฟ", "rot̚faj"), ("ไป,", "paj"), ("SUV", ""), ("ช้า", "tɕʰaː"), ("ๆ", "tɕʰaː"),
    ]  # fmt: skip
    read = get_g2p(language="th")(THAI)
    assert [w.word for w in read] == ["รถไฟ", "ไป", "SUV", "ช้า", "ๆ"]
    assert read[0].phones == ["r", "o", "t̚", "f", "a", "j"] and read[2].phones[0] == "ɛ"


def test_espeak_says_phones_and_keeps_the_spelling(thaiphon):
    timeline = get_synthesizer("espeak")(THAI, language="th").timeline
    assert [word.label for word in timeline.words] == ["รถไฟ", "ไป,", "SUV", "ช้า", "ๆ"]
    labels = "".join(phone.label.lstrip("ˈˌ") for phone in timeline.phones)
    assert labels.startswith("rotfajpaj") and labels.endswith("tɕaːtɕaː")


def test_thaiphon():
    pytest.importorskip("thaiphon_data_volubilis")
    pytest.importorskip("pythainlp")
    words = spelled_words("ผมอยากดื่มกาแฟ", "th")
    assert [w.spelling for w in words] == ["ผม", "อยาก", "ดื่ม", "กาแฟ"]
    assert [w.phones for w in words] == ["pʰom", "jaːk̚", "dɯːm", "kaːfɛː"]
