"""A film that is shorter or longer than its speech: motion, times and subtitles end with it."""

import re

import numpy as np
import pytest

from text2lip.text.timing import Segment, Timeline


TEXT = "Bob met my uncle, and Pam."
TIMES = [("ˈɑː", 0.2, 1.2), ("p", 1.2, 1.3), ("ɑː", 1.3, 1.8), ("m", 1.8, 1.9)]


def of_lips(stream):
    """How far the lips are apart in each frame, normalised."""
    return stream.landmarks[:, 14, 1] - stream.landmarks[:, 13, 1]


def check_times(made, seconds):
    """Phones and visemes fill the film, words stay inside."""
    for segments in (made.phones, made.visemes):
        assert segments[0].start == 0 and segments[-1].end == pytest.approx(seconds, abs=1e-5)
        assert all(a.end == pytest.approx(b.start) for a, b in zip(segments, segments[1:]))
    for segments in (made.phones, made.visemes, made.words):
        assert all(s.start < s.end <= seconds + 1e-5 for s in segments)


def cue_times(text):
    stamps = re.findall(r"(\d+):(\d+):(\d+)[,.](\d+)", text)
    return [3600 * int(h) + 60 * int(m) + int(s) + int(ms) / 1000 for h, m, s, ms in stamps]


def test_the_mouth_does_not_snap_shut_before_a_phone_that_the_film_lacks(pipe, portrait):
    """30 frames are 1.2 s, at which the "p" begins."""
    whole, cut = (of_lips(pipe.stream(None, portrait, timings=TIMES, num_frames=n)) for n in (None, 30))
    assert len(whole) == 48 and whole[15] > 0.01
    np.testing.assert_allclose(cut, whole[:30], atol=1e-3)


@pytest.mark.parametrize("motion", ["articulatory", "networks"])
@pytest.mark.parametrize("voice", ["espeak", None])
def test_a_cut_film_is_the_beginning_of_the_whole_one(pipe, portrait, motion, voice):
    said = {"voice": voice, "motion": motion, "life": 0}  # whose motion ends at rest in a cut film too
    whole = pipe.stream(TEXT, portrait, **said).landmarks
    for count in (1, 9, 14, 23, 24, 25, 30):
        cut = pipe.stream(TEXT, portrait, num_frames=count, **said)
        assert np.abs(cut.landmarks - whole[:count]).max() < 1.5e-3, count  # opening a mouth is 1.5e-2
        check_times(cut, count / 25)


@pytest.mark.parametrize("fps", [12, 25, 29.97, 60])
@pytest.mark.parametrize("count", [1, 7, 20])
def test_times_end_with_a_cut_film(pipe, portrait, fps, count):
    check_times(pipe.stream(TEXT, portrait, voice="espeak", fps=fps, num_frames=count), count / fps)


@pytest.mark.parametrize(
    "said",
    [{}, {"voice": "espeak"}, {"voice": None}, {"timings": TIMES}, {"timings": [("a", 0.0, 0.41)], "fps": 10}],
)
def test_times_of_a_film_as_long_as_its_speech_are_kept_as_they_are(pipe, portrait, said):
    stream = pipe.stream(TEXT, portrait, **said)
    seconds = stream.phones[-1].end
    check_times(stream, seconds)
    assert abs(seconds - len(stream) / stream.fps) <= 0.5 / stream.fps + 1e-9


@pytest.mark.parametrize("motion", ["articulatory", "networks"])
def test_a_longer_film_ends_in_silence_with_closed_lips(pipe, portrait, motion):
    stream = pipe.stream(TEXT, portrait, voice="espeak", num_frames=100, motion=motion)
    check_times(stream, 4)
    assert stream.phones[-1].label == "" and stream.phones[-1].start < 2.5
    assert sum(not phone.label for phone in stream.phones[-2:]) == 1, "one silence, not two"
    assert len(stream.audio) == 4 * stream.sampling_rate and not stream.audio[-stream.sampling_rate :].any()
    assert np.ptp(of_lips(stream)[75:]) < 1e-3 and of_lips(stream)[-1] < 0.3 * of_lips(stream).max()
    timed = pipe.stream(None, portrait, timings=[("ɑː", 0.0, 1.0)], num_frames=60, motion=motion)
    assert [phone.label for phone in timed.phones] == ["ɑː", ""]
    assert of_lips(timed)[20] > 3 * of_lips(timed)[45:].max()


def test_times_end_with_a_film_that_is_cut_by_its_picture(pipe, portrait):
    stream = pipe.stream(TEXT, [portrait] * 12, voice="espeak", video_end="cut", renderer="geometric")
    assert len(stream) == 12
    check_times(stream, 12 / 25)


@pytest.mark.parametrize("suffix", [".srt", ".vtt"])
def test_subtitles_end_with_the_film(pipe, portrait, tmp_path, suffix):
    result = pipe(TEXT, portrait, voice="espeak", num_frames=15, output_type="np", renderer="geometric")
    check_times(pipe.stream(TEXT, portrait, voice="espeak", num_frames=15), 0.6)
    assert result.words[0] and result.words[0][-1].end <= 0.6 and result.phones[0][-1].end == pytest.approx(0.6)
    result.save(tmp_path / "a.mp4", subtitles=tmp_path / ("a" + suffix))
    times = cue_times((tmp_path / ("a" + suffix)).read_text())
    assert times and max(times) <= 0.6, "short words are shown for a second, but not after the film"


def test_subtitles_of_the_command_end_with_the_film(portrait_file, tmp_path):
    from text2lip.cli import main

    (tmp_path / "a.json").write_text('[{"text": "hello", "start": 0.1, "end": 0.4}]')
    said = ["-i", str(portrait_file), "--timings", str(tmp_path / "a.json"), "-q", "--renderer", "geometric"]
    assert main([*said, "-o", str(tmp_path / "a.mp4"), "-s", str(tmp_path / "a.srt")]) == 0
    assert max(cue_times((tmp_path / "a.srt").read_text())) == 0.4


def test_a_timeline_is_cut_and_padded():
    line = Timeline.from_phones([("a", 0, 0.4), ("b", 0.4, 1.0), ("", 1.0, 1.2)], [("ab", 0, 1.0), ("c", 1.0, 1.0)])
    assert line.cut(0.4) == Timeline([Segment("a", 0, 0.4)], [Segment("ab", 0, 0.4)], 0.4)
    assert line.cut(0.5).phones == [Segment("a", 0, 0.4), Segment("b", 0.4, 0.5)]
    assert line.cut(0.4 + 1e-12).phones == [Segment("a", 0, 0.4 + 1e-12)], "nothing without length is left"
    assert line.cut(1.2) is line and line.cut(5) is line and line.pad(1.2) is line and line.pad(0.1) is line
    assert line.pad(3).phones == [*line.phones[:2], Segment("", 1.0, 3.0)] and line.pad(3).duration == 3
    assert line.pad(3).cut(0.5) == line.cut(0.5) and line.phones[-1].end == 1.2
