"""A script spoken: starts kept, paces in their range, nothing on top of anything else."""

import warnings

import numpy as np
import pytest

from text2lip.speech import LateCueWarning, SilentTextError, speak_script, synthesize
from text2lip.speech.spoken_script import SPOKEN_MARGIN, TURN_PAUSE
from text2lip.speech.timings.script import Line, Passage
from text2lip.speech.utterance import Speech, join, silence
from text2lip.text.timing import Timeline


def say(line, pace):
    return synthesize(line.text, "espeak", "en-us", pace)


def cue(start, end, text, number=1):
    return Passage([Line("", text)], start, end, number)


def test_every_cue_is_spoken_at_its_start_at_a_pace_that_fills_it():
    script = [cue(0.5, 2, "Good morning, everybody.", 1), cue(2, 2.7, "It is me again.", 2), cue(4, 9, "Bob.", 3)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        spoken = speak_script(script, say)
    turns = spoken.timeline.turns
    assert [turn.start for turn in turns] == pytest.approx([0.5, 2, 4], abs=1e-3)
    assert 0.85 < turns[0].pace < 1.1 and 1.05 < turns[1].pace <= 1.25 and turns[2].pace == 0.8
    assert turns[0].end == pytest.approx(2, abs=0.1) and turns[1].end == pytest.approx(2.7, abs=0.06)
    assert [turn.cue for turn in turns] == [1, 2, 3] and turns[2].text == "Bob."
    words = {word.label: word for word in spoken.timeline.words}
    assert words["Good"].start == pytest.approx(0.5, abs=1e-3) and words["Bob."].start == pytest.approx(4, abs=1e-3)
    assert spoken.duration == spoken.timeline.duration == 9
    pause = spoken.audio[
        int((turns[1].end + SPOKEN_MARGIN + 0.01) * 22_050) : int((4 - SPOKEN_MARGIN - 0.01) * 22_050)
    ]
    assert len(pause) > 20_000 and not pause.any()
    assert np.abs(spoken.audio[int(4 * 22_050) :][:4000]).max() > 0.05


def test_what_is_too_long_delays_the_next_and_is_told():
    long = "This is by no means a sentence that anybody would say in half a second."
    script = [cue(1, 1.5, long, 4), cue(1.5, 3, "Bob.", 7), cue(8, 9, "Me.", 8)]
    with pytest.warns(LateCueWarning, match=r"begins later: cue 7 at (\d\.\d\d) s instead of 1.50 s\.$") as told:
        spoken = speak_script(script, say)
    first, second, third = spoken.timeline.turns
    assert first.pace == 1.25 and second.start == pytest.approx(first.end, abs=1e-3) and third.start == 8
    assert f"at {second.start:.2f} s" in str(told[0].message)
    phones = [phone for phone in spoken.timeline.phones if phone.label]
    assert all(one.end <= other.start + 1e-3 for one, other in zip(phones, phones[1:]))


def test_turns_without_times_follow_each_other_and_voices_of_any_rate_share_a_sound():
    def voices(line, pace):
        if line.text == "…":
            raise SilentTextError("text: nothing")
        rate = {"Ann": 8000, "Bob": 16_000}[line.speaker]
        timeline = Timeline.from_phones([("", 0, 0.5), ("a", 0.5, 1.5), ("", 1.5, 2)], [(line.text, 0.5, 1.5)])
        return Speech(np.full(2 * rate, 0.1, np.float32), rate, timeline)

    script = [Passage([Line("Ann", "Hm."), Line("Bob", "…"), Line("Bob", "Oh."), Line("Ann", "Ah.")])]
    spoken = speak_script(script, voices, 1.6)
    pause = TURN_PAUSE / 1.6
    turns = spoken.timeline.turns
    assert [(turn.speaker, turn.text, turn.pace) for turn in turns] == [
        ("Ann", "Hm.", 1.6), ("Bob", "Oh.", 1.6), ("Ann", "Ah.", 1.6)
    ]  # fmt: skip
    begins = np.arange(3) * (1 + pause) + SPOKEN_MARGIN
    assert [turn.start for turn in turns] == pytest.approx(begins)
    assert [word.start for word in spoken.timeline.words] == pytest.approx(begins, abs=1e-4)
    assert spoken.sampling_rate == 16_000 and len(spoken.audio) == round((3 + 2 * pause + 2 * SPOKEN_MARGIN) * 16_000)
    later = join([silence(0.25, 16_000), spoken])
    assert [turn.start for turn in later.timeline.turns] == pytest.approx(begins + 0.25)
    assert len(later.timeline.cut(1).turns) == 1 and later.timeline.pad(9).turns == later.timeline.turns


def test_nothing_to_say_and_far_too_long():
    with pytest.raises(SilentTextError, match="nothing in the script"):
        speak_script([cue(0, 1, "…")], say)
    with pytest.raises(ValueError, match="timings: subtitles until 99.0 h; at most 2 h"):
        speak_script([cue(0, 99 * 3600, "Hm.")], say)
