"""Subtitles as the script of a clip: which combinations speak, and how long the clip is."""

import numpy as np
import pytest

from text2lip.pipelines.request import Text2LipRequest


SRT = "1\n00:00:00,200 --> 00:00:00,800\n<i>Hello Bob.</i>\n\n2\n00:00:01,000 --> 00:00:01,400\nHi.\n"
SHORT = {"renderer": "geometric", "motion": "articulatory"}


def test_subtitles_are_spoken_when_they_are_shown(pipe, portrait, tmp_path):
    (tmp_path / "cues.srt").write_text(SRT)
    stream = pipe.stream(None, portrait, timings=tmp_path / "cues.srt", voice="espeak", **SHORT)
    assert len(stream) == 35 and len(stream.audio) == round(1.4 * stream.sampling_rate)
    assert [turn.start for turn in stream.turns] == pytest.approx([0.2, 1.0], abs=1e-3)
    assert [word.label for word in stream.words] == ["Hello", "Bob.", "Hi."]
    assert np.abs(stream.audio[: int(0.1 * stream.sampling_rate)]).max() == 0
    result = pipe(SRT, portrait, voice="espeak", num_frames=30, output_type="np", **SHORT)  # the text of a file
    assert (
        result.words[0][:2] == stream.words[:2]
        and result.turns[0][1].end == 1.2
        and result.to_tuple()[9] == result.turns
    )


def test_a_film_is_dubbed_to_its_end(pipe, portrait):
    film = [np.roll(portrait, i % 3, 1) for i in range(16)]
    for frames, count in ((film, 16), (film[:8], 14)):  # longer, and shorter than the subtitles
        assert len(pipe.stream(None, frames, timings=SRT, voice="espeak", fps=10, **SHORT)) == count
    assert len(pipe.stream(None, film, timings=SRT, voice=None, fps=10, **SHORT)) == 14  # as long as its times


def test_without_a_voice_or_with_audio_they_are_times_alone(pipe):
    silent = pipe.speak(None, timings=SRT, voice=None)
    assert silent.audio is None and not silent.timeline.turns and silent.timeline.words[1].end == pytest.approx(0.8)
    tone = 0.1 * np.sin(np.arange(16_000) / 5, dtype=np.float32)
    own = pipe.speak(None, timings=SRT, audio=tone, sampling_rate=8000)
    assert np.array_equal(own.audio, tone) and own.timeline.words == silent.timeline.words
    text = Text2LipRequest(SRT, "a.png", audio="a.wav").clips()[0]
    assert (text.prompt, text.timings) == ("Hello Bob.\nHi.", None)  # which is aligned
    timed = Text2LipRequest(SRT, "a.png", timings=[("a", 0, 1)]).clips()[0]
    assert timed.prompt == "Hello Bob.\nHi."


def test_what_does_not_fit_a_script(pipe):
    (fits,) = Text2LipRequest(" Hello  Bob. Hi.", "a.png", timings=SRT, voice="espeak").clips()
    assert len(fits.script()) == 2
    backwards = "\n".join(reversed(SRT.split("\n\n")))  # as a file may be
    (fits,) = Text2LipRequest(backwards, "a.png", timings=backwards).clips()
    assert [passage.cue for passage in fits.script()] == [2, 1]
    for given, message in (
        ({"prompt": "Something else."}, "prompt: other words than the subtitles in timings"),
        ({"speaking_rate": 2}, "speaking_rate: 2, but the times come from audio or timings"),
        ({"timings": [("a", 0, 1)]}, "voice: 'espeak', but a voice can't keep to given audio or timings"),
        ({"audio": np.zeros(9)}, "voice: 'espeak', but .* leave voice out"),
    ):
        with pytest.raises(ValueError, match=message):
            pipe.speak(**{"prompt": None, "timings": SRT, "voice": "espeak", **given})
