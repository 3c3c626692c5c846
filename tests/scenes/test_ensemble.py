"""Two people in one picture or film: each moves in their own turns alone, and nobody changes another's face."""

import warnings
from dataclasses import replace

import cv2
import numpy as np
import pytest

from text2lip import Speaker
from text2lip.faces.builtin import builtin_portrait
from text2lip.faces.canonical import lip_gap
from text2lip.media.images import load_image
from text2lip.motion.retarget import PortraitMouth
from text2lip.pipelines.request import Text2LipRequest
from text2lip.scenes import Ensemble
from text2lip.scenes.ensemble import put_together
from text2lip.text.timing import Timeline, Turn


SIDE = 128
TURNS = [("ɑː", 0.2, 0.5), ("", 0.5, 0.9), ("ɑː", 0.9, 1.2), ("", 1.2, 1.4)]
DRAWN = {"renderer": "geometric", "motion": "articulatory", "expressiveness": 2}


@pytest.fixture(scope="module")
def pair(portrait):
    """A face of nobody on the left, another one on the right: uint8 (128, 256, 3)."""
    left = cv2.resize(load_image(builtin_portrait()), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.concatenate([left, cv2.resize(portrait, (SIDE, SIDE), interpolation=cv2.INTER_AREA)], 1)


@pytest.fixture(scope="module")
def speakers():
    return {"Ann": Speaker(face_index=(0, 0, SIDE, SIDE)), "Bob": Speaker(face_index=(SIDE, 0, 2 * SIDE, SIDE))}


@pytest.fixture(scope="module")
def timeline():
    times = Timeline.from_phones(TURNS)
    return Timeline(times.phones, [], times.duration, (Turn("Ann", 0.2, 0.5), Turn("Bob", 0.9, 1.2)))


def draw(pipe, scene, timeline, life=0):
    motion = pipe.move(timeline, fps=scene.fps, motion="articulatory", expressiveness=2, life=life)
    landmarks, frames = pipe.draw(scene, motion, renderer="geometric")
    return landmarks, np.stack(list(frames)).astype(int)


def changes(frames):
    """Largest change to the next frame on the left and on the right: two (frames - 1,)."""
    change = np.abs(np.diff(frames, axis=0)).max((1, 3))
    return change[:, :SIDE].max(1), change[:, SIDE:].max(1)


def test_each_face_moves_in_its_own_turns_alone(pipe, pair, speakers, timeline):
    scene = pipe.see(pair, speakers=speakers)
    assert isinstance(scene, Ensemble) and scene.size == (SIDE, 2 * SIDE)
    landmarks, frames = draw(pipe, scene, timeline)
    left, right = changes(frames)
    time = np.arange(1, len(frames)) / scene.fps
    assert left[time < 0.6].max() > 20 and right[time > 0.8].max() > 20
    assert right[time < 0.5].max() <= 2 and left[time > 0.9].max() <= 2
    for name, half in (("Ann", slice(0, SIDE)), ("Bob", slice(SIDE, None))):  # as if the other one weren't there
        _, alone = draw(pipe, pipe.see(pair, face_index=speakers[name].face_index), timeline.part_of(name))
        assert np.array_equal(frames[:, :, half], alone[:, :, half])
    # landmarks are those of who speaks
    assert (landmarks[:22, :, 0].max(1) < 0.55).all() and (landmarks[23:, :, 0].min(1) > 0.45).all()


def test_who_listens_is_alive_and_the_middle_has_no_seam(pipe, pair, speakers, timeline):
    scene = pipe.see(pair, speakers=speakers)
    _, frames = draw(pipe, scene, timeline, life=1)
    left, right = changes(frames)
    assert (left[22:-4] > 0).all() and (right[:12] > 0).any()  # each clip ends at rest
    half = np.diff(pair.astype(int), axis=1)[:, SIDE - 6 : SIDE + 6]
    assert np.abs(np.diff(frames, axis=2)[:, :, SIDE - 6 : SIDE + 6] - half).max() < 40


def test_each_has_a_life_of_their_own(pipe, pair, speakers, timeline):
    scene = pipe.see(pair, speakers=speakers)
    motion = pipe.move(timeline, fps=scene.fps, motion="articulatory", life=1.0)
    plans = [motion.of_speakers([name], number).plan for number, name in enumerate(speakers)]
    assert len(plans[0]) == len(motion) and not np.array_equal(plans[0].values, plans[1].values)
    _, frames = pipe.draw(scene, motion, renderer="geometric")
    assert (np.stack(list(frames))[18] != pair).mean() > 0.05
    with pytest.raises(ValueError, match="motion_plan: it is of one face"):
        pipe.draw(scene, motion, replace(Text2LipRequest(), motion_plan=plans[0]))


def test_two_people_of_a_film(pipe, pair, speakers, timeline):
    film = [np.roll(pair, shift, 0) for shift in (0, 0, 1, 1, 2, 2, 1, 1) * 3][:21]
    copies = [frame.copy() for frame in film]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        landmarks, frames = draw(pipe, pipe.see(film, speakers=speakers, fps=15), timeline)
    assert np.array_equal(film, copies) and len(frames) == 21
    seen = {}
    for name, start in (("Ann", 0), ("Bob", SIDE)):
        own = np.ascontiguousarray(frames[:, :, start : start + SIDE]).astype(np.uint8)
        faces, _ = pipe.face_landmarker.track(list(own))
        seen[name] = lip_gap(np.stack([PortraitMouth(face, SIDE, SIDE).shape for face in faces]))
    assert seen["Ann"][3:8].max() > 0.1 and seen["Bob"][14:18].max() > 0.1
    assert seen["Ann"][13:].max() < 0.04 and seen["Bob"][:7].max() < 0.06
    assert np.nanmax(landmarks[:6, :, 0]) < 0.55


def test_one_face_of_two_names_is_no_ensemble_and_two_of_one_are_refused(pipe, pair, timeline):
    both = {"Ann": {"face_index": 0}, "Bob": {"face_index": 0}, "Carl": {}}
    assert not isinstance(pipe.see(pair, speakers=both, face_index=0), Ensemble)
    unseen = pipe.see(pair, speakers={"Ann": Speaker(face_index=0), "Bob": Speaker(face_index="none")})
    _, frames = draw(pipe, unseen, timeline)
    assert changes(frames)[0][:12].max() + changes(frames)[1][:12].max() > 100
    assert np.abs(np.diff(frames[22:], axis=0)).max() <= 15  # who is heard alone moves nobody
    box = tuple(0.9 * side for side in (0, 0, SIDE, SIDE))
    twice = pipe.see(pair, speakers={"Ann": Speaker(face_index=(0, 0, SIDE, SIDE)), "Bob": Speaker(face_index=box)})
    with pytest.raises(ValueError, match="lip_motion: it isn't said who speaks"):
        pipe.draw(twice, pipe.move(timeline.part_of("Ann")))
    with pytest.raises(ValueError, match="speakers: 'Ann' and 'Bob' have the same face; give each another face_index"):
        draw(pipe, twice, timeline)


def test_three_people_and_one_who_is_out_of_sight():
    faces = np.full((3, 2, 478, 2), np.nan, np.float32)
    for person, x in enumerate((0.17, 0.5, 0.83)):
        faces[person] = (x, 0.5)
        faces[person, :, 33], faces[person, :, 263] = (x - 0.03, 0.5), (x + 0.03, 0.5)
    faces[1, 1] = np.nan
    drawn = [[np.full((60, 600, 3), level, np.uint8) for _ in range(2)] for level in (10, 100, 200)]
    first, second = (frame[30, :, 0] for frame in put_together(drawn, faces, (60, 600)))
    assert [first[x] for x in (100, 190, 210, 300, 390, 410, 500)] == [10, 10, 100, 100, 100, 200, 200]
    assert second[300] == 10 and second[500] == 200
    assert drawn[0][0].max() == 10  # what was drawn is left alone
