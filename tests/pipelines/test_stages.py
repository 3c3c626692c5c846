"""The four stages, each called alone, make what a call makes; scenes are seen once for any number of clips."""

import numpy as np
import pytest

from text2lip.scenes import Film, Portrait
from text2lip.text.timing import Timeline


TIMES = [("", 0.0, 0.1), ("b", 0.1, 0.2), ("ɑː", 0.2, 0.5)]
LONGER = [*TIMES, ("m", 0.5, 0.7)]


def test_see_speak_move_and_draw_are_a_call(pipe, portrait):
    scene = pipe.see(portrait)
    speech = pipe.speak("Bah.", timings=TIMES)
    assert isinstance(scene, Portrait) and scene.fps == 25 and speech.audio is None
    motion = pipe.move(speech.timeline, fps=scene.fps, expressiveness=2)
    landmarks, frames = pipe.draw(scene, motion, idle=1)
    stream = pipe.stream(None, portrait, timings=TIMES, expressiveness=2, idle=1)
    assert np.array_equal(landmarks, stream.landmarks)
    assert np.array_equal(list(frames), list(stream))
    assert motion.displacement.shape == (13, 57, 2) and len(motion) == 13


def test_real_sound_moves_the_lips(pipe):
    import torch

    timeline = Timeline.from_phones(TIMES)
    sound = torch.full((1, 13, 320), -1.0)
    motion, other = pipe.move(timeline), pipe.move(timeline, audio_features=sound)
    assert motion.displacement.shape == other.displacement.shape
    assert np.abs(motion.displacement - other.displacement).max() > 0.005


def test_a_portrait_is_found_once_for_all_prompts(pipe, portrait, monkeypatch):
    seen = []
    monkeypatch.setattr(pipe, "see", lambda request, see=pipe.see: seen.append(request.image) or see(request))
    other = np.ascontiguousarray(portrait[:, ::-1])
    pipe(["One.", "Two.", "Three."], portrait, timings=TIMES, num_frames=1, renderer="geometric")
    assert len(seen) == 1
    pipe(["One.", "Two."], [portrait, other], timings=TIMES, num_frames=1, renderer="geometric")
    assert len(seen) == 3


def test_a_film_is_searched_once_unless_more_of_it_is_wanted(pipe, portrait):
    read = []
    film = [np.roll(portrait, i, 1) for i in range(20)]
    scene = pipe.see(film)
    assert isinstance(scene, Film)
    scene.progress = lambda frames: (read.append(1) or frame for frame in frames)
    for times, searched in ((TIMES, 13), (TIMES, 13), (LONGER, 31), (TIMES, 31)):
        motion = pipe.move(Timeline.from_phones(times))
        landmarks, frames = pipe.draw(scene, motion, renderer="geometric")
        assert len(read) == searched and len(landmarks) == len(list(frames)) == len(motion)
    with pytest.raises(ValueError, match="idle: 1, but the head of a video has its own life"):
        pipe.draw(scene, motion, idle=1)
