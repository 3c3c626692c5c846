import pytest

from text2lip.text.ssml import Piece, is_ssml, parse_ssml, plain_pieces, to_pieces


def speak(body):
    return parse_ssml(f"<speak>{body}</speak>")


def test_is_ssml():
    assert is_ssml("<speak>a</speak>") and is_ssml(' <?xml version="1.0"?> <speak version="1.1">a</speak>')
    assert not is_ssml("a < b & c") and not is_ssml("<speaker>") and not is_ssml("")


@pytest.mark.parametrize(
    "before",
    [
        "\ufeff",
        " \r\n\t",
        '\ufeff<?xml version="1.0" encoding="utf-16"?>\n',
        '<?xml version="1.1"?>',
        "<!-- <speak> is below -->\n<?xml-stylesheet href='a.css'?>",
        '<!DOCTYPE speak PUBLIC "-//W3C//DTD SYNTHESIS 1.0//EN" "http://www.w3.org/TR/synthesis.dtd">\n',
    ],
)
def test_whatever_stands_before_the_root_it_is_ssml(before):
    xml = before + "<speak>a</speak>"
    assert is_ssml(xml) and parse_ssml(xml) == [Piece("a")]


@pytest.mark.parametrize(
    "xml",
    [
        '<SPEAK><Break TIME="1s"/>a</SPEAK>',
        '<Speak xmlns="http://www.w3.org/2001/10/synthesis"><break time="1s"/>a</Speak>',
        '<ssml:speak xmlns:ssml="http://www.w3.org/2001/10/synthesis"><ssml:break time="1s"/>a</ssml:speak>',
    ],
)
def test_tags_in_any_case_and_namespace(xml):
    assert is_ssml(xml) and parse_ssml(xml) == [Piece("", pause=1.0), Piece("a")]


def test_an_empty_root():
    assert is_ssml("<speak/>") and parse_ssml("<speak/>") == []


def test_lines_and_columns_count_from_the_start_of_the_text():
    with pytest.raises(ValueError, match="line 2, column 19"):
        parse_ssml("<?xml version='1.0'?>\n<!-- c --><speak>& </speak>")


def test_plain_text_may_hold_markup_characters():
    assert plain_pieces("Is 1 < 2 & 3 > 2? Yes.") == [
        Piece("Is one less than two and three greater than two?"),
        Piece("Yes."),
    ]
    assert plain_pieces("?!") == []


def test_a_text_of_any_kind_becomes_pieces():
    for text in ("a", "<speak>a</speak>", [Piece("a")], iter([Piece("a")]), dict.fromkeys([Piece("a")])):
        assert to_pieces(text, "en-us") == [Piece("a")]
    for other in (5, None, ["a"]):
        with pytest.raises(ValueError, match="text: wants a string or a list of Piece, got"):
            to_pieces(other, "en-us")


def test_breaks():
    assert speak('a <break time="500ms"/><break time="1.5s"/> b') == [Piece("a"), Piece("", pause=2.0), Piece("b")]
    strengths = {"none": 0, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.7, "x-strong": 1.0}
    for strength, seconds in strengths.items():
        assert sum(p.pause for p in speak(f'a<break strength="{strength}"/>b')) == seconds
    assert speak("a<break/>b")[1].pause == 0.4


def test_phoneme():
    pieces = speak('I say <phoneme alphabet="ipa" ph="təˈmɑːtəʊ">tomato</phoneme>. Done')
    assert pieces == [
        Piece("I say"), Piece("tomato", phonemes="təˈmɑːtəʊ"), Piece("", pause=0.3), Piece("Done"),
    ]  # fmt: skip


def test_rate_language_sub_say_as():
    pieces = speak(
        '<prosody rate="slow">slow <prosody rate="+100%">quick</prosody></prosody> <lang xml:lang="fr">oui</lang> '
        '<sub alias="Consortium">W3C</sub> <say-as interpret-as="characters">ab</say-as>'
    )
    assert pieces == [
        Piece("slow", rate=0.75), Piece("quick", rate=1.5), Piece("oui", "fr"), Piece("Consortium A, B"),
    ]  # fmt: skip


def test_paragraphs_and_sentences():
    pieces = parse_ssml(
        '<speak xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="de"><p><s>eins</s><s>zwei</s></p>drei</speak>'
    )
    assert pieces == [Piece("eins", "de"), Piece("zwei", "de"), Piece("", pause=0.4), Piece("drei", "de")]


def test_text_is_normalised():
    assert speak("$5 &lt; 6") == [Piece("five dollars less than six")]


def test_nothing_to_say():
    assert speak("") == [] and speak(" <p> </p>") in ([], [Piece("", pause=0.4)])


@pytest.mark.parametrize(
    ("xml", "complaint"),
    [
        ("<speak>\na < b</speak>", "line 2, column 4"),
        ("<speak>a & b</speak>", "line 1, column 11"),
        ("<speak>a", "line 1"),
        ("<speak><b>a</b></speak>", "<b> is unknown"),
        ("<talk>a</talk>", "wants <speak>"),
        ('<speak><break time="soon"/></speak>', "time 'soon'"),
        ('<speak><break time="61s"/></speak>', "longer than 60"),
        ('<speak><break strength="mild"/></speak>', "strength 'mild'"),
        ('<speak><prosody rate="-200%">a</prosody></speak>', "rate '-200%'"),
        ('<speak><phoneme alphabet="x-sampa" ph="a">a</phoneme></speak>', "alphabet 'x-sampa'"),
        ("<speak><phoneme>a</phoneme></speak>", "lacks its attribute ph"),
        ('<speak><phoneme ph="...">a</phoneme></speak>', "no IPA letter"),
        ('<speak><phoneme ph="???">a</phoneme></speak>', "'???' holds no IPA letter"),
        ('<speak><phoneme ph="pы">a</phoneme></speak>', "holds 'ы', which is no IPA letter"),
        ("<speak><sub>a</sub></speak>", "lacks its attribute alias"),
        ("<speak><lang>a</lang></speak>", "xml:lang"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><speak>&a;</speak>', "declarations"),
        ('\ufeff<!doctype x [<!ENTITY a SYSTEM "file:///etc/passwd">]><speak>&a;</speak>', "declarations"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><speak>&a;</speak>', "undefined entity"),
        ("<speak>\ud800</speak>", "ssml"),
        ("<speak>" + "<p>" * 2000 + "</p>" * 2000 + "</speak>", "nested"),
    ],
)  # fmt: skip
def test_bad_ssml(xml, complaint):
    with pytest.raises(ValueError) as error:
        parse_ssml(xml)
    assert complaint in str(error.value)
