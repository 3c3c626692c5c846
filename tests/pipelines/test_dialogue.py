"""Who says what: prompts, subtitles and recordings of several speakers, and what is refused."""

import numpy as np
import pytest

from text2lip import Speaker
from text2lip.cli import build_parser, main
from text2lip.pipelines.request import Text2LipRequest
from text2lip.speech.speakers import faces_of, is_dialogue, read_dialogue
from text2lip.speech.timings.script import Line, turns_of_words
from text2lip.text import ReadingWarning
from text2lip.text.timing import Word


TURNS = [("Ann", "Hi, Bob."), ("bob", "Hello."), ("Ann", "Bye.")]
WHO = {"Ann": Speaker("espeak"), "Bob": {"voice": "espeak+m3", "language": "de"}}
VTT = "WEBVTT\n\n00:00.200 --> 00:00.800\n<v Ann>Hi, Bob.\n\n00:01.000 --> 00:01.600\n<v Bob>Hello.\n"


def test_turns_are_spoken_one_after_another_by_their_voices(pipe):
    said = []
    who = {name: Speaker(lambda text, name=name, **how: said.append((name, text)) or voice(text)) for name in WHO}

    def voice(text):
        return pipe.speak(text, voice="espeak")

    spoken = pipe.speak(TURNS, speakers=who)
    assert said == [("Ann", "Hi, Bob."), ("Bob", "Hello."), ("Ann", "Bye.")]
    turns = spoken.timeline.turns
    assert [(turn.speaker, turn.text) for turn in turns] == said
    assert turns[0].start == pytest.approx(0.24, abs=0.01)
    for before, after in zip(turns, turns[1:]):
        assert after.start - before.end == pytest.approx(0.4, abs=0.01)
    assert [word.label for word in spoken.timeline.part_of("Bob").words] == ["Hello."]
    assert [(word.label, word.speaker) for word in spoken.timeline.words[1:3]] == [("Bob.", "Ann"), ("Hello.", "Bob")]
    bob = spoken.part_of("Bob")
    heard = np.flatnonzero(bob.audio) / bob.sampling_rate
    assert turns[1].start - 1e-3 <= heard.min() and heard.max() <= turns[1].end + 1e-3


def test_a_text_with_names_subtitles_and_silence_are_dialogues_too(pipe):
    by_pairs, text = pipe.speak(TURNS, speakers=WHO), "\n Ann: Hi,\nBob.\nBOB:Hello.\n\nAnn : Bye.\n"
    by_text = pipe.speak(text, speakers=WHO)
    assert np.array_equal(by_text.audio, by_pairs.audio) and len(by_text.timeline.turns) == 3
    assert [text[slice(*word.span)] for word in by_text.timeline.words] == ["Hi,", "Bob.", "Hello.", "Bye."]
    cues = pipe.speak(None, timings=VTT, speakers=WHO)
    assert [(turn.speaker, turn.cue, round(turn.start, 2)) for turn in cues.timeline.turns] == [
        ("Ann", 1, 0.2), ("Bob", 2, 1.0)
    ]  # fmt: skip
    for same in (TURNS[:2], VTT, "Ann: Hi, Bob.\n bob: Hello.", "Hi, Bob. Hello."):
        assert pipe.speak(same, timings=VTT, speakers=WHO).timeline.turns == cues.timeline.turns
    nobody = {"Ann": Speaker(), "Bob": Speaker()}
    silent = pipe.speak(TURNS, speakers=nobody, voice=None)
    assert silent.audio is None and len(silent.timeline.turns) == 3
    times = pipe.speak(None, timings=VTT, speakers=nobody, voice=None).timeline
    assert [turn[:3] for turn in times.turns] == [("Ann", 0.2, 0.8), ("Bob", 1.0, 1.6)]
    assert times.turns[0].cue is None  # nobody speaks it, so the clip is as long as its times


@pytest.mark.parametrize("where", ["prompt", "timings"])
def test_a_line_of_somebody_unknown_is_told(pipe, portrait, where):
    text = {"prompt": "Ann: Note: hi.\nEve: Hello.", "timings": VTT.replace("<v Bob>Hello.", "EVE: hi")}[where]
    given = {"prompt": None, "image": portrait, "speakers": WHO, where: text}
    with pytest.warns(ReadingWarning, match=r"(?i)speakers: lines begin with 'eve', no speaker's name"):
        Text2LipRequest(**given).clips()


def test_errors_of_a_voice_or_face_say_whose(pipe, portrait):
    with pytest.raises(ValueError, match="speakers: 'Bob': voice: no voice 'robert'"):
        pipe.speak([(" Bob ", "Hi.")], speakers={"Bob": Speaker("robert")})
    with pytest.raises(ValueError, match="speakers: 'Bob': `face_index` is 1, but `image` shows one face, 0"):
        pipe([("Ann", "Hi.")], portrait, speakers={"Ann": Speaker(face_index=0), "Bob": Speaker(face_index=1)})


def test_a_recording_of_a_dialogue(pipe):
    nobody = {"Ann": Speaker(), "Bob": Speaker()}
    spoken = pipe.speak(TURNS, speakers={"Ann": WHO["Ann"], "Bob": Speaker("espeak+m3")})
    heard = pipe.speak(TURNS, speakers=nobody, audio=spoken.audio, sampling_rate=spoken.sampling_rate)
    assert [turn.speaker for turn in heard.timeline.turns] == ["Ann", "Bob", "Ann"]
    assert [word.speaker for word in heard.timeline.words] == ["Ann", "Ann", "Bob", "Ann"]
    for turn, true in zip(heard.timeline.turns, spoken.timeline.turns):
        assert abs(turn.start - true.start) < 0.2 and abs(turn.end - true.end) < 0.1  # as well as the aligner hears
    clip = Text2LipRequest(VTT, "a.png", speakers=nobody, audio=spoken.audio).clips()[0]
    assert clip.timings is None and clip.lines == [Line("Ann", "Hi, Bob."), Line("Bob", "Hello.")]
    text = "A: 5 km,\nB: No way!"
    words = [Word("5", 0, 1, (0, 1)), Word("km,", 1, 2, (2, 5)), Word("No", 2, 3, (6, 8)), Word("way!", 3, 4, (9, 13))]
    turns, words = turns_of_words(read_dialogue(text, ["A", "B"]), words)
    assert [turn[:3] for turn in turns] == [("A", 0, 2), ("B", 2, 4)]
    assert [text[slice(*word.span)] for word in words] == [word.label for word in words]


def test_subtitles_name_who_speaks(pipe, portrait, tmp_path, monkeypatch):
    moved, move = [], pipe.move
    monkeypatch.setattr(pipe, "move", lambda *given, **more: moved.append(given) or move(*given, **more))
    result = pipe(TURNS[:2], portrait, speakers=WHO, renderer="geometric", motion="articulatory")
    assert len(moved) == 1  # of one face the lips are moved once, whoever speaks with it
    assert [turn.speaker for turn in result.turns[0]] == ["Ann", "Bob"]
    for name, wanted in (
        ("a.srt", ["\nAnn: Hi, Bob.\n", "\nBob: Hello.\n"]),
        ("a.vtt", ["\n<v Ann>Hi, Bob.\n", "<v Bob>"]),
    ):
        result.save_subtitles(tmp_path / name)
        text = (tmp_path / name).read_text()
        assert all(part in text for part in wanted)
        again = pipe.speak(None, timings=tmp_path / name, speakers=WHO).timeline.turns
        assert [(turn.speaker, turn.text) for turn in again] == [("Ann", "Hi, Bob."), ("Bob", "Hello.")]


def test_the_command_makes_a_dialogue(portrait_file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talk.txt").write_text("Ann: Hi.\nBob: Oh.\n")
    who = ["--speaker", "Ann=espeak", "--speaker", "Bob=espeak+m3,none"]
    given = ["-f", "talk.txt", "-i", str(portrait_file), *who, "-s", "a.vtt", "--renderer", "geometric", "-q"]
    assert main(given) == 0
    assert "<v Ann>Hi." in (tmp_path / "a.vtt").read_text() and "<v Bob>Oh." in (tmp_path / "a.vtt").read_text()
    assert main(["Carl: Hi.", *given[2:]]) == 2
    told = "text2lip: error: text: nobody says 'Carl: Hi.'; begin it with the name of one of the speakers"
    assert capsys.readouterr().err.startswith(told)
    args = build_parser().parse_args(
        ["Hi.", "--speaker", "A=piper:x.onnx,1,2,3,4", "--speaker", "B=,me.jpg", "--speaker", "C"]
    )
    assert args.speakers == [
        ("A", Speaker("piper:x.onnx", (1, 2, 3, 4))), ("B", Speaker(None, "me.jpg")), ("C", Speaker())
    ]  # fmt: skip


def test_dialogues_and_batches_are_told_apart():
    assert (
        is_dialogue(TURNS) and is_dialogue((("A", "b"),)) and not is_dialogue([]) and not is_dialogue(["One.", "Two."])
    )
    clips = Text2LipRequest([TURNS, TURNS[:1]], "a.png", speakers=WHO).clips()
    assert [len(clip.lines) for clip in clips] == [3, 1] and clips[0].speakers["Bob"].language == "de"
    assert faces_of({"A": Speaker(), "B": Speaker(face_index=0), "C": Speaker(face_index=0)}, None) == [
        (None, ["A"]), (0, ["B", "C"])
    ]  # fmt: skip
    assert read_dialogue("Ann Lee: a: b\nANN: c", ["Ann", "Ann Lee"]) == [
        Line("Ann Lee", "a: b", 9),
        Line("Ann", "c", 19),
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"speakers": None}, r"speakers: None, but the prompt is a dialogue; .* \{'Ann': Speaker\(…\), 'bob'"),
        ({"speakers": {}}, "speakers: got {}; wants names"),
        ({"speakers": {"Ann": "espeak"}}, "speakers: 'Ann' is str; wants a Speaker"),
        ({"speakers": {"Ann": {"face": 0}}}, "speakers: 'Ann': .*'face'; wants voice, face_index and language"),
        ({"speakers": {"A:": Speaker()}}, "speakers: 'A:' is no name"),
        ({"speakers": {"Ann": Speaker(), "ANN": Speaker()}}, "speakers: 'ANN' is there twice"),
        ({"speakers": {"Ann": Speaker()}}, "prompt: 'bob' speaks, but speakers are Ann; add that one"),
        ({"speakers": {"Ann": Speaker(face_index="none")}, "prompt": "Ann: Hi."}, "speakers: nobody has a face"),
        ({"prompt": "Hello."}, "prompt: nobody says 'Hello.'; begin it with the name"),
        ({"prompt": "Oh. \nAnn: Hi."}, "prompt: nobody says"),
        ({"prompt": [("Ann", " ")]}, "prompt: turn 1, of 'Ann', is empty"),
        ({"prompt": {"Ann": "Hi."}}, r"prompt: got dict; wants \(speaker, text\) pairs"),
        ({"prompt": None, "timings": VTT.replace("v Bob", "v Carl")}, "timings: 'Carl' speaks, but"),
        ({"voice": None}, "speakers: 'Ann' has a voice, but the film is silent"),
        ({"audio": np.zeros(9)}, "speakers: 'Ann' has a voice, but audio is the sound"),
        ({"prompt": None, "audio": np.zeros(9)}, "prompt: None, so it isn't known who of the speakers"),
        ({"timings": [("a", 0, 1)]}, "timings: these don't say who of the speakers speaks"),
        ({"audio_condition": "pseudo"}, "audio_condition: 'pseudo' is of one face"),
    ],
)  # fmt: skip
def test_what_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        clips = Text2LipRequest(**{"prompt": TURNS, "image": "a.png", "speakers": WHO, **given}).clips()
        clips[0].script()
