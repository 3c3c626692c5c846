"""Timings from other programs."""

import json
import re
import sys

import pytest

from text2lip.speech import read_timings
from text2lip.speech.timings.formats import TIMING_FORMATS, read_textgrid, read_timeline
from text2lip.speech.timings.subtitles import read_cues
from text2lip.text import Timeline, VisemeTokenizer
from text2lip.text.reading import Reading


LONG_TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 0.9
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 0.9
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 0.25
            text = ""
        intervals [2]:
            xmin = 0.25
            xmax = 0.9
            text = "say ""hi"" 5"
    item [2]:
        class = "TextTier"
        name = "marks"
        xmin = 0
        xmax = 0.9
        points: size = 1
        points [1]:
            number = 0.5
            mark = "x"
    item [3]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 0.9
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.25
            text = "sil"
        intervals [2]:
            xmin = 0.25
            xmax = 0.5
            text = "HH"
        intervals [3]:
            xmin = 0.5
            xmax = 0.9
            text = "AY1"
"""
SHORT_TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

0
0.9
<exists>
1
"IntervalTier"
"Anna - words"
0
0.9
2
0
0.25
""
0.25
0.9
"hi"
"""
HI = [("", 0.0, 0.25), ("h", 0.25, 0.5), ("aɪ", 0.5, 0.9)]
TICKS = 10_000_000


def test_a_list():
    assert read_timings(HI) == HI
    assert read_timings([("h", 0.25, 0.5), ("aɪ", 0.5, 0.9)]) == HI, "gaps are silence"
    assert read_timings([("sil", 0, 0.25), ("HH", 0.25, 0.5), ("AY1", 0.5, 0.9)]) == HI, "ARPAbet becomes IPA"
    assert read_timings(json.dumps([["h", 0.25, 0.5], ["aɪ", 0.5, 0.9]])) == HI
    timeline = Timeline.from_phones(HI)
    assert read_timeline(timeline) is timeline


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_long_textgrid(tmp_path, encoding):
    path = tmp_path / "a.TextGrid"
    path.write_text(LONG_TEXTGRID, encoding=encoding)
    timeline = read_timeline(path)
    assert timeline.phones == HI
    assert timeline.words == [('say "hi" 5', 0.25, 0.9)]
    assert set(read_textgrid(LONG_TEXTGRID)) == {"words", "phones"}


def test_short_textgrid_with_words_alone():
    timeline = read_timeline(SHORT_TEXTGRID)
    assert [phone.label.lstrip("ˈ") for phone in timeline.phones] == ["", "h", "aɪ"]
    assert timeline.words == [("hi", 0.25, 0.9)] and timeline.phones[-1].end == pytest.approx(0.9)


WORDS = [("Hello", 0.1, 0.5), ("world.", 0.6, 1.0)]
WORD_FORMATS = {
    "whisperx": {"segments": [{"words": [{"word": w, "start": s, "end": e, "score": 1} for w, s, e in WORDS]}]},
    "vosk": {"result": [{"word": w, "start": s, "end": e, "conf": 1} for w, s, e in WORDS], "text": ""},
    "kokoro": {"tokens": [{"text": w, "start_ts": s, "end_ts": e} for w, s, e in WORDS]},
    "words": [{"text": w, "start": s, "end": e} for w, s, e in WORDS],
    "azure-words": [
        {"Text": w, "AudioOffset": int(s * TICKS), "Duration": round((e - s) * TICKS), "BoundaryType": "Word"}
        for w, s, e in WORDS
    ],
    "elevenlabs": {
        "alignment": {
            "characters": list("Hello world."),
            "character_start_times_seconds": [0.1, 0.18, 0.26, 0.34, 0.42, 0.5, 0.6, 0.67, 0.73, 0.8, 0.87, 0.93],
            "character_end_times_seconds": [0.18, 0.26, 0.34, 0.42, 0.5, 0.6, 0.67, 0.73, 0.8, 0.87, 0.93, 1.0],
        }
    },
}


@pytest.mark.parametrize("format", WORD_FORMATS)
def test_word_formats_are_expanded_to_phones(format):
    pytest.importorskip("openfacefx")
    for source in (WORD_FORMATS[format], json.dumps(WORD_FORMATS[format])):
        for given in (None, format):
            timeline = read_timeline(source, given)
            assert [word.label for word in timeline.words] == ["Hello", "world."]
            for word, (_, start, end) in zip(timeline.words, WORDS):
                assert (word.start, word.end) == (pytest.approx(start), pytest.approx(end))
            labels = [phone.label.lstrip("ˈ") for phone in timeline.phones]
            assert labels == ["", "h", "ə", "l", "oʊ", "", "w", "ɜː", "l", "d"]


PHONE_FORMATS = {
    "azure": ([{"audio_offset": 0, "viseme_id": 0}, {"audio_offset": int(0.25 * TICKS), "viseme_id": 12}], ["", "h"]),
    "polly": (
        '{"time":0,"type":"viseme","value":"sil"}\n{"time":5,"type":"word","value":"x"}\n'
        '{"time":250,"type":"viseme","value":"S"}\n',
        ["", "ʃ"],
    ),
    "cartesia": (
        {"phoneme_timestamps": {"phonemes": ["h", "aɪ"], "start": [0.25, 0.5], "end": [0.5, 0.9]}},
        ["", "h", "aɪ"],
    ),
    "piper": (
        {"phonemes": list("^h ˈaɪ$"), "phoneme_id_samples": [2205, 2205, 441, 441, 2205, 2205, 2205]},
        ["", "h", "ˈa", "ɪ", ""],
    ),
    "mbrola": ("_ 100\nh 80 ; comment\n\n", ["", "h"]),
    "gentle": (
        {"words": [{"case": "success", "word": "hi", "start": 0.25, "end": 0.9,
                    "phones": [{"phone": "hh_B", "duration": 0.25}, {"phone": "ay_E", "duration": 0.4}]}]},
        ["", "h", "aɪ"],
    ),
    "text2lip": (
        {"phones": [{"text": "h", "start": 0.25, "end": 0.5}, {"text": "aɪ", "start": 0.5, "end": 0.9}],
         "words": [{"text": "hi", "start": 0.25, "end": 0.9}], "visemes": []},
        ["", "h", "aɪ"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("format", PHONE_FORMATS)
def test_phone_formats(format, tmp_path):
    pytest.importorskip("openfacefx")
    source, labels = PHONE_FORMATS[format]
    text = source if isinstance(source, str) else json.dumps(source)
    path = tmp_path / ("a.pho" if format == "mbrola" else "a.json")
    path.write_text(text, encoding="utf-8")
    phones = read_timings(path)
    assert [phone.label for phone in phones] == labels
    assert phones == read_timings(text, format)
    assert phones[0].start == 0 and phones[1].start == pytest.approx(0.1 if format in ("piper", "mbrola") else 0.25)


def test_every_format_is_tested():
    assert set(TIMING_FORMATS) == {*WORD_FORMATS, *PHONE_FORMATS, "list", "labels", "subtitles", "textgrid", "whisper"}


SRT = """1
00:00:00,500 --> 00:00:01,500
<i>Say hi,</i> {\\an8}Bob.

2
00:00:01,400 --> 00:00:02,000 line:0
5 &lt; 6
"""
VTT = "WEBVTT\n\nNOTE written by hand\n\nfirst\n00:00.500 --> 00:01.500\nSay hi, Bob.\n"


@pytest.mark.parametrize("text", [SRT, SRT.replace("\n", "\r\n"), "\ufeff" + VTT])
def test_subtitles(text, tmp_path):
    (tmp_path / "a.srt").write_text(text, encoding="utf-8", newline="")
    for source in (text, tmp_path / "a.srt"):
        timeline = read_timeline(source)
        assert [word.label for word in timeline.words][:3] == ["Say", "hi,", "Bob."]
        assert timeline.words[0].start == 0.5 and timeline.words[2].end == pytest.approx(
            1.4 if "5 &lt;" in text else 1.5
        )
        assert timeline.duration == (2.0 if "5 &lt;" in text else 1.5)


def test_lines_of_start_end_label(tmp_path):
    text = "0.0\t0.25\tsil\n0.25\t0.5\tHH\n0.5\t0.9\tAY1\n"
    assert read_timings(text) == read_timings(HI)


@pytest.mark.parametrize(
    ("scale", "unit"),
    [(25, "frames; divide by the frames"), (1000, "milliseconds; divide by 1000"), (16_000, "samples; divide by the"),
     (10_000_000, "HTK's units of 100 ns; divide by 10,000,000")],
)  # fmt: skip
def test_another_unit_than_seconds_is_named(scale, unit):
    phones = [("h", 0, 0.08), ("a", 0.08, 0.2), ("l", 0.2, 0.28), ("o", 0.28, 0.4), ("", 0.4, 0.8), ("u", 0.8, 0.92)]
    assert len(read_timings(phones)) == 6
    phones = [(label, round(start * scale), round(end * scale)) for label, start, end in phones]
    with pytest.raises(ValueError, match=f"timings: a phone lasts .* probably {unit}"):
        read_timings(phones)
    with pytest.raises(ValueError, match=unit):
        VisemeTokenizer()(phones=phones)
    lines = "\n".join(f"{start} {end} {label}" for label, start, end in phones if label)
    with pytest.raises(ValueError, match=unit):
        read_timings(lines)


def test_a_sung_vowel_may_be_long():
    assert read_timings([("a", 0, 3), ("", 3, 4), ("o", 4, 7.5)])[0].end == 3
    assert read_timings([("ɑː", 0, 5)]) == [("ɑː", 0, 5)]
    assert VisemeTokenizer()(phones=[("ɑː", 0, 20)])


def test_phones_in_whole_seconds():
    assert len(read_timings([("a", second, second + 1) for second in range(5)])) == 5
    with pytest.raises(ValueError, match="probably frames"):
        read_timings([("a", second, second + 1) for second in range(10)])


def test_formats_that_say_their_unit_may_be_slow():
    timeline = read_timeline("1\n00:00:00,000 --> 00:00:06,000\nOh.\n")
    assert [(word.label, word.end) for word in timeline.words] == [("Oh.", 6.0)]
    slow = read_timeline("1\n00:00:00,000 --> 00:01:00,000\nOh, the rain is over.\n")
    assert VisemeTokenizer()(phones=slow) and read_timeline(slow) is slow
    with pytest.raises(ValueError, match="probably milliseconds"):
        read_timeline([{"text": "hello", "start": 0, "end": 480}, {"text": "you", "start": 500, "end": 900}])


def test_a_timeline_in_milliseconds_is_refused():
    timeline = Timeline.from_phones([("h", 0, 80), ("a", 80, 250), ("", 250, 500)])
    for read in (read_timeline, lambda given: VisemeTokenizer()(phones=given),
                 lambda given: VisemeTokenizer()(phones=[given])):  # fmt: skip
        with pytest.raises(ValueError, match="timings: a phone lasts .* probably milliseconds"):
            read(timeline)


@pytest.mark.parametrize("space", ["", " ", "\t "])
def test_an_empty_line_may_hold_spaces(space):
    text = f"1\n00:00:00,000 --> 00:00:01,000\nHello\nthere.\n{space}\n2\n00:00:01,000 --> 00:00:02,000\nYou.\n"
    assert read_cues(text) == [("Hello there.", 0, 1), ("You.", 1, 2)]
    empty = f"1\n00:00:00,000 --> 00:00:01,000\n{space}\n2\n00:00:01,000 --> 00:00:02,000\n7\n"
    assert read_cues(empty) == [("7", 1, 2)]
    lonely = f"00:00:00,000 --> 00:00:01,000\n7\n{space}\n00:00:01,000 --> 00:00:02,000\nYou.\n"
    assert read_cues(lonely) == [("7", 0, 1), ("You.", 1, 2)]


def test_two_people_who_begin_together_share_the_time():
    cues = "1\n00:00:01,000 --> 00:00:02,000\n{}\n\n2\n00:00:01,000 --> 00:00:03,000\n{}\n"
    words = read_timeline(cues.format("Stop.", "Go on.")).words
    assert [word.label for word in words] == ["Stop.", "Go", "on."]
    assert words[0].start == 1 and words[-1].end == pytest.approx(3) and words[0].end == pytest.approx(1 + 2 * 5 / 11)
    words = read_timeline([{"text": "stop", "start": 1, "end": 2}, {"text": "wait", "start": 1, "end": 3}]).words
    assert [word[1:] for word in words] == [(1, 2), (2, 3)]


def test_no_error_names_an_option_that_the_command_lacks():
    for source in ('{"foo": 1}', "some\ntext"):
        with pytest.raises(
            ValueError, match="no known format; wants one of .*SubRip or WebVTT.*Praat TextGrid"
        ) as error:
            read_timings(source)
        assert "format=" not in str(error.value)


@pytest.mark.parametrize(
    ("source", "format", "message"),
    [
        ([], None, "empty"),
        ([("a", 0.5, 0.2)], None, "0 <= start <= end"),
        ([("a", 0, 0.5), ("b", 0.2, 0.7)], None, "before the phone before it"),
        ([("a", 0, float("nan"))], None, "start <= end"),
        ([("a", -1, 1)], None, "start <= end"),
        ([("a", 0)], None, "triples"),
        ([("hello", 0, 0.5)], None, "'hello' is no phone; for words give"),
        ("\n \r\n", None, "is empty"),
        ([(1, 0, 1)], None, "string"),
        ([("sil", 0, 1)], None, "silence"),
        ([("a", 0, 0), ("b", 0.5, 0.5)], None, "no phone has any length"),
        ([("a", 0, float("inf"))], None, "start <= end"),
        ([("b", 0.5, 0.7), ("a", 0, 0.5)], None, "before the phone before it"),
        ([("a", 0, 1e12)], None, "no seconds"),
        (5, None, "int"),
        ("nofile.json", None, "no file"),
        ('{"foo": 1}', None, "no known format"),
        ("some\ntext", None, "no known format"),
        (HI, "docx", "format"),
        (LONG_TEXTGRID[:600], None, "cut off"),
        ('File type = "ooTextFile"\nnothing', None, "not a Praat TextGrid"),
        (LONG_TEXTGRID.replace('"phones"', '"a"').replace('"words"', '"b"'), None, "no tier"),
    ],
)
def test_malformed(source, format, message):
    with pytest.raises(ValueError, match=message):
        read_timings(source, format)


@pytest.mark.parametrize(
    ("source", "format"),
    [
        ([{"audio_offset": 0, "viseme_id": 77}], None),
        ('{"time":0,"type":"viseme","value":"Q"}\n', None),
        ({"segments": []}, None),
        ({"alignment": {"characters": ["a"]}}, None),
        ([{"text": "b", "start": 3, "end": 4}, {"text": "a", "start": 1, "end": 2}], None),
        ([{"text": "!", "start": 3, "end": 4}], None),
        ({"a": 1}, "azure"),
        ("{}\n{}", "polly"),
        ('"x\n"', "whisper"),
    ],
)
def test_malformed_service_formats(source, format):
    pytest.importorskip("openfacefx")
    with pytest.raises(ValueError, match="timings"):
        read_timings(source, format)


@pytest.mark.parametrize("letter", ["ы", "中", "а"])  # the last is Cyrillic
def test_a_letter_of_another_script_is_no_phone(letter):
    with pytest.raises(ValueError, match=f"'p{letter}' at 0.1 s holds '{letter}', which is no IPA letter; wants IPA"):
        read_timeline([("h", 0, 0.1), ("p" + letter, 0.1, 0.5)])


def test_two_question_marks_are_no_sound_beside_one():
    with pytest.raises(ValueError, match=r"'p\?\?' at 0 s holds '\?\?', which is no sound; wants IPA"):
        read_timeline([("p??", 0, 0.1), ("h", 0.1, 0.5)])


def test_a_question_mark_is_a_glottal_stop_and_an_unknown_phone_is_silence():
    labels = ["h", "?", "<unk>", "ʔ͡h", "ｂʷⁿ"]
    found = read_timeline([(label, 0.1 * i, 0.1 * i + 0.1) for i, label in enumerate(labels)]).phones
    assert [phone.label for phone in found] == ["h", "?", "", "ʔ͡h", "ｂʷⁿ"]


@pytest.mark.parametrize("label", ["☃", "!!", "42", "🙂", "???", "??"])
def test_a_label_without_a_letter_is_no_phone(label):
    with pytest.raises(ValueError, match="at 0.1 s holds no IPA letter"):
        read_timeline([("h", 0, 0.1), (label, 0.1, 0.5), ("ə", 0.5, 0.6)])
    assert [p.label for p in read_timeline([("h", 0, 0.1), ("#", 0.1, 0.5), ("ə", 0.5, 0.6)]).phones] == ["h", "", "ə"]


def test_words_are_read_as_a_voice_reads_them():
    cue = "1\n00:00:01,000 --> 00:00:03,000\n“It cost $5.50 for 5 km.”\n"
    timeline = read_timeline(cue)
    assert [word.label for word in timeline.words] == ["“It", "cost", "$5.50", "for", "5 km.”"]
    assert _said(timeline) == _said(
        Reading.from_text("It cost five dollars fifty cents for five kilometers.", "en-us")
    )
    price = read_timeline([{"text": "$5.50", "start": 0.0, "end": 1.0}])
    assert price.words == [("$5.50", 0.0, 1.0)]
    assert _said(price) == _said(Reading.from_text("five dollars fifty cents", "en-us"))


def _said(timeline):
    return [phone.label for phone in timeline.phones if phone.label]


@pytest.mark.parametrize("data, wrong", [([("a", 0.2)], r"\('a', 0.2\)"), ([None], "None"), ([("a", 0, 1), 5], "5")])
def test_what_is_no_triple_is_shown(data, wrong):
    with pytest.raises(ValueError, match=f"timings: {wrong} is no"):
        read_timings(data)


def test_the_extra_that_reads_a_service_s_times_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "openfacefx", None)
    with pytest.raises(ImportError, match=re.escape("need openfacefx: pip install 'text2lip[timings]'")):
        read_timeline([{"text": "hello", "start": 0.1, "end": 0.5}])
