"""The four stages, each called alone, make what a call makes; scenes are seen once for any number of clips."""

import numpy as np
import pytest

from text2lip.pipelines.request import Text2LipRequest
from text2lip.scenes import Film, Portrait
from text2lip.text.timing import Timeline


TIMES = [("", 0.0, 0.1), ("b", 0.1, 0.2), ("ɑː", 0.2, 0.5)]
LONGER = [*TIMES, ("m", 0.5, 0.7)]
LONGEST = [*LONGER, ("ɑː", 0.7, 1.0)]  # than the film


def test_see_speak_move_and_draw_are_a_call(pipe, portrait):
    scene = pipe.see(portrait)
    speech = pipe.speak("Bah.", timings=TIMES)
    assert isinstance(scene, Portrait) and scene.fps == 25 and speech.audio is None
    motion = pipe.move(speech.timeline, fps=scene.fps, expressiveness=2, life=2)
    landmarks, frames = pipe.draw(scene, motion)
    stream = pipe.stream(None, portrait, timings=TIMES, expressiveness=2, life=2)
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
    monkeypatch.setattr(pipe, "_scene", lambda clip, sets, see=pipe._scene: seen.append(clip) or see(clip, sets))
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
    for times, searched in (
        (TIMES, 13),
        (TIMES, 13),
        (LONGER, 31),
        (TIMES, 44),
        (LONGEST, 64),
        (LONGER, 82),
        (LONGEST, 102),
    ):
        motion = pipe.move(Timeline.from_phones(times))
        landmarks, frames = pipe.draw(scene, motion, renderer="geometric")
        assert len(read) == searched and len(landmarks) == len(list(frames)) == len(motion)
    with pytest.raises(ValueError, match="motion_plan: the head and face of a video have their own life"):
        pipe.draw(scene, motion, Text2LipRequest(motion_plan={"headYaw": 1}))


def test_clips_of_one_film_are_as_each_alone(pipe, portrait):
    film = [np.roll(portrait, i, 1) for i in range(20)]
    given = {"timings": [LONGER, TIMES], "renderer": "geometric", "output_type": "np"}
    both = pipe(["One.", "Two."], [film, film], **given)
    alone = pipe.stream(None, film, timings=TIMES, renderer="geometric")
    assert np.array_equal(both.landmarks[1], alone.landmarks)
    assert np.array_equal(np.rint(both.frames[1] * 255).astype(np.uint8), list(alone))


def test_stages_refuse_what_a_call_refuses(pipe, portrait):
    for given, message in (
        ({"timings": TIMES, "voice": "espeak"}, "voice: 'espeak', but a voice can't keep to given audio or timings"),
        ({"timings": TIMES, "speaking_rate": 2}, "speaking_rate: 2, but the times come from"),
        ({"prompt": None}, "prompt: None, and no timings either"),
        ({"prompt": ["One.", "Two."]}, "prompt: got 2, but speak is of one clip"),
    ):
        with pytest.raises(ValueError, match=message):
            pipe.speak(**{"prompt": "Hi.", **given})
    scene, motion = pipe.see([portrait]), pipe.move(Timeline.from_phones(TIMES), fps=50)
    assert isinstance(scene, Portrait)
    with pytest.raises(ValueError, match="lip_motion: 50 frames per second, but the scene has 25"):
        pipe.draw(scene, motion)
    for stage, given, message in (
        (pipe.move, ("Hi.",), "timeline: got str; wants a Timeline or Speech"),
        (pipe.draw, ("portrait.jpg", motion), "scene: got str; wants a Portrait or Film"),
        (pipe.draw, (scene, motion.timeline), "lip_motion: got Timeline; wants a LipMotion"),
    ):
        with pytest.raises(ValueError, match=message):
            stage(*given)
    with pytest.raises(ValueError, match="motion: 'foo'; choose one of"):
        pipe.lip_model("foo")
    with pytest.raises(ValueError, match="callback_on_step_end: .*, but this renderer takes no steps"):
        pipe.draw(scene, pipe.move(Timeline.from_phones(TIMES)), callback_on_step_end=print)
    with pytest.raises(ValueError, match="callback_on_step_end: .*, but this renderer takes no steps"):
        pipe.check_inputs("Hi.", portrait, callback_on_step_end=print)


def test_a_bad_picture_is_told_before_references_are_searched_and_feelings_before_anything_is_said(
    pipe, portrait, monkeypatch
):
    from text2lip.scenes.reference_set import ReferenceSet

    monkeypatch.setattr(ReferenceSet, "read", lambda *args: pytest.fail("searched"))
    with pytest.raises(ValueError, match="no file at 'none.png'"):
        pipe("Hi.", "none.png", reference=[portrait] * 2)
    monkeypatch.setattr(type(pipe), "speak", lambda *args: pytest.fail("spoken"))
    with pytest.raises(ValueError, match="expression: the head and face of a video"):
        pipe("Hi.", [portrait] * 3, expression="happy")
