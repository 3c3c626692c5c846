"""Subtitles as a script: what is said, by whom, when."""

import pytest

from text2lip.speech.timings.script import Line, read_script


VTT = """\ufeffWEBVTT - a film

NOTE written by hand, 00:01 --> or so

STYLE
::cue(v) {color: red}

first
00:01.000 --> 00:02.500 position:10%,line-left align:left
<v.loud Ann Lee>Hello &amp; <b>welcome</b>.</v>

00:03.000 --> 00:04.000
<v Bob>Hi. <c.yellow>You</c> there<00:03.500> now?
<v Ann Lee>So?

00:05.000 --> 00:06.000
Nobody. 3 < 5
"""
SRT = """1
00:00:01,000 --> 00:00:02,000 X1:1 X2:2 Y1:1 Y2:2
{\\an8}<font color="red">BOB:</font> Hello,
{y:i}you.

3
00:00:04,000 --> 00:00:05,000
- Who is it?
- [laughs]  Me (at last).\\N♪ La la ♪

4
00:00:03,000 --> 00:00:03,500
-5 degrees.

5
00:00:06,000 --> 00:00:07,000
[door slams]
- (A DOG barks.)
"""


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_voices_of_webvtt(ends):
    script = read_script(VTT.replace("\n", ends))
    assert [passage.lines for passage in script] == [
        [Line("Ann Lee", "Hello & welcome.")],
        [Line("Bob", "Hi. You there now?"), Line("Ann Lee", "So?")],
        [Line("", "Nobody. 3 < 5")],
    ]
    assert [(passage.start, passage.end, passage.cue) for passage in script] == [(1, 2.5, 1), (3, 4, 2), (5, 6, 3)]


def test_names_count_where_speakers_are_named_and_dashes_are_turns(tmp_path):
    (tmp_path / "a.srt").write_text(SRT)
    plain = read_script(tmp_path / "a.srt")
    assert [passage.cue for passage in plain] == [1, 3, 2]  # by time; a cue of noise says nothing
    assert plain[0].lines == [Line("", "BOB: Hello, you.")] and plain[1].lines == [Line("", "-5 degrees.")]
    assert plain[2].lines == [Line("", "Who is it?"), Line("", "Me (at last). La la")]
    cast = read_script(SRT, ["Ann", "Bob"])
    assert [passage.lines for passage in cast] == [
        [Line("Bob", "Hello, you.")],
        [Line("Bob", "-5 degrees.")],
        [Line("Ann", "Who is it?"), Line("Bob", "Me (at last). La la")],
    ]
    tagged = read_script(VTT, ["ann lee", "Bob"])
    assert tagged[0].lines[0].speaker == "ann lee" and tagged[2].lines[0].speaker == "ann lee"


@pytest.mark.parametrize("cue", ["[laughs] Bob: Oh.", "- (sighs) [DOOR]  Bob: Oh.", "[laughs] [Bob] Oh.", "[Bob] Oh."])
def test_a_noise_before_a_name_leaves_the_line_its_speakers(cue):
    script = read_script(f"WEBVTT\n\n00:01.000 --> 00:02.000\nAnn: Hi.\n{cue}\n", ["Ann", "Bob"])
    assert script[0].lines == [Line("Ann", "Hi."), Line("Bob", "Oh.")]


def test_captions_that_roll_up_are_said_once():
    rolling = """WEBVTT
Kind: captions

00:00:00.160 --> 00:00:02.070 align:start position:0%
_
hello<00:00:00.480><c> all</c><00:00:00.880><c> of</c><00:00:01.120><c> you</c>

00:00:02.070 --> 00:00:02.080 align:start position:0%
hello all of you
_

00:00:02.080 --> 00:00:04.000 align:start position:0%
hello all of you
and<00:00:02.400><c> goodbye</c>
""".replace("_", " ")
    said = [(passage.lines[0].text, passage.start, passage.cue) for passage in read_script(rolling)]
    assert said == [("hello all of you", 0.16, 1), ("and goodbye", 2.08, 3)]
    twice = "1\n00:00:01,000 --> 00:00:02,000\nNo!\n\n2\n00:00:02,000 --> 00:00:03,000\nNo!\n"
    assert len(read_script(twice)) == 2


def test_other_timings_are_no_script_and_empty_subtitles_an_error():
    assert read_script([("a", 0, 1)]) is None and read_script("0.0\t0.25\tsil\n0.25\t0.5\tHH\n") is None
    with pytest.raises(ValueError, match="timings: no subtitle in it says anything"):
        read_script("1\n00:00:01,000 --> 00:00:02,000\n[music]\n")
    with pytest.raises(ValueError, match="timings: no file"):
        read_script("none.srt")


def test_numbers_of_cues_without_a_blank_line_between_are_not_said():
    first = "1\n00:00:01,000 --> 00:00:02,000\nFirst\n2\n00:00:03,000 --> 00:00:04,000\n42\n"
    srt = first + "\n3\n00:00:05,000 --> 00:00:06,000\n7"
    assert [passage.lines[0].text for passage in read_script(srt)] == ["First", "42", "7"]
