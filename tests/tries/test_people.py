"""People and their light in films: who speaks after a cut, and that a fade stays a fade."""

import warnings

import cv2
import numpy as np
import pytest
from PIL import Image

from text2lip.cli import build_parser, main
from text2lip.faces.builtin import builtin_portrait
from text2lip.faces.landmarker import FaceNotFoundError
from text2lip.faces.person import Person, StrangersWarning
from text2lip.faces.topology import LIPS
from text2lip.media.images import load_image
from text2lip.media.video_writer import write_video
from text2lip.scenes.reference_set import ReferenceSet
from text2lip.scenes.shots import find_shots


SIZE = 256


@pytest.fixture(scope="module")
def nobody():
    """The built-in portrait: uint8 (256, 256, 3)."""
    return cv2.resize(load_image(builtin_portrait()), (SIZE, SIZE), interpolation=cv2.INTER_AREA)


def film_of(picture, count, seed=0):
    """A head that sways, with the noise of a camera: float32 (count, height, width, 3)."""
    height, width = picture.shape[:2]
    noise = np.random.default_rng(seed).normal(0, 1.5, (count, *picture.shape))
    frames = []
    for index in range(count):
        shift = np.float32([[1, 0, 2 * np.sin(index / 4)], [0, 1, np.cos(index / 5)]])
        frames.append(cv2.warpAffine(picture, shift, (width, height), borderMode=cv2.BORDER_REPLICATE))
    return np.float32(frames) + np.float32(noise)


def shown(frames):
    return list(np.rint(np.clip(frames, 0, 255)).astype(np.uint8))


# --- light -----------------------------------------------------------------------------------------------------------

COUNT = 18
RAMP = np.clip(np.arange(COUNT) / 10, 0.02, 1)[:, None, None, None]
LIGHTS = {  # and by how much the colour of the mouth may differ, grey levels
    "fade from black": (lambda film: film * RAMP, 2),
    "fade to black": (lambda film: film * RAMP[::-1], 2),
    "fade from white": (lambda film: film * RAMP + 235 * (1 - RAMP), 5),
    "light falls to a half": (lambda film: film * (1 - 0.5 * RAMP), 2),
    "warm light comes up": (lambda film: film * (1 - RAMP + RAMP * np.float32([1.1, 0.9, 0.55])), 2),
    # In a flash most of the face is white: its landmarks are less exact, and what is seen inside the mouth takes its
    # redness from lips whose red is cut off.
    "a flash": (lambda film: film * np.where(np.arange(COUNT) == 9, 1.8, 1)[:, None, None, None], 9),
    "light from one side": (lambda film: film * (1 - 0.7 * RAMP * np.linspace(0, 1, SIZE)[:, None]), 4),
}


@pytest.fixture(scope="module")
def steady_light(pipe, nobody):
    """A film in one light, dubbed, and where its lips are."""
    film = film_of(nobody, COUNT)
    stream = pipe.stream("Bob, my baby.", shown(film), num_frames=COUNT)
    return film, np.float32(list(stream)), stream.landmarks[:, list(LIPS)] * SIZE


@pytest.mark.parametrize("name", LIGHTS)
def test_the_mouth_has_the_light_of_the_film(pipe, steady_light, name):
    """Dubbed and then lit otherwise, or the other way round: it is the same."""
    (film, dubbed, lips), (lit, most) = steady_light, LIGHTS[name]
    made = list(pipe.stream("Bob, my baby.", shown(lit(film)), num_frames=COUNT))
    wanted = shown(lit(dubbed))
    for frame, right, points in zip(made, wanted, lips):
        (x0, y0), (x1, y1) = points.min(0).astype(int) - 4, points.max(0).astype(int) + 5
        ours, theirs = (picture[y0:y1, x0:x1].astype(int) for picture in (frame, right))
        assert np.abs(ours.mean((0, 1)) - theirs.mean((0, 1))).max() < most
        assert np.abs(ours - theirs).mean() < most + 2


# --- who speaks ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def landmarker(pipe):
    return pipe.face_landmarker


@pytest.fixture(scope="module")
def one(nobody):
    """A shot of the built-in portrait's person: 8 frames."""
    return shown(film_of(nobody, 8))


@pytest.fixture(scope="module")
def other(portrait):
    """A shot of somebody else."""
    return shown(film_of(portrait, 8, seed=1))


def side_by_side(left, right):
    return [np.concatenate(pair, 1) for pair in zip(left, right)]


def spoken(frames, landmarker, face_index=None, fps=25):
    """Which frames of a film are spoken in, and where the face is in each, as a share of the width."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StrangersWarning)
        shots, count = find_shots(iter(frames), landmarker, fps, face_index)
    where = np.full(count, np.nan)
    for shot in shots:
        where[shot.start : shot.stop] = shot.head[:, 1, 0]
    return where


def test_a_listener_says_nothing_and_the_talker_goes_on_after_the_cut(pipe, one, other):
    film = one + other + one
    with pytest.warns(StrangersWarning, match=r"at 0.32 to 0.64 s other people than the one who speaks are seen"):
        dubbed = list(pipe.stream("Bob, my baby.", film, num_frames=24, renderer="geometric"))
    same = [np.array_equal(a, b) for a, b in zip(film, dubbed)]
    assert same == [False] * 8 + [True] * 8 + [False] * 8


@pytest.mark.parametrize("first", ["one", "other"])
def test_people_who_swap_places(landmarker, one, other, first):
    """Colours are as before the cut."""
    left = first == "one"
    film = side_by_side(one, other) * 2 + side_by_side(other, one) * 2
    where = spoken(film, landmarker, (0, 0, 256, 256) if left else (256, 0, 512, 256))
    expected = np.repeat([0.25, 0.75] if left else [0.75, 0.25], 16)
    assert np.nanmax(np.abs(where - expected)) < 0.1 and np.isfinite(where).mean() > 0.95


def test_the_person_of_a_picture_speaks(landmarker, one, other, portrait, nobody):
    film, turned = one + other + one, nobody[:, ::-1].copy()
    by_one = [True] * 8 + [False] * 8 + [True] * 8
    assert np.isfinite(spoken(film, landmarker, portrait)).tolist() == [not spoke for spoke in by_one]
    assert np.isfinite(spoken(film, landmarker, turned)).tolist() == by_one
    with pytest.raises(FaceNotFoundError, match="`face_index`: the person is in none of 8 frames; the likest face"):
        spoken(other, landmarker, nobody)


def test_anybody_speaks_if_asked_for(landmarker, one, other):
    with warnings.catch_warnings():
        warnings.simplefilter("error", StrangersWarning)
        shots, _ = find_shots(iter(one + other), landmarker, 25, "any")
    assert [(shot.start, shot.stop) for shot in shots] == [(0, 8), (8, 16)]


def test_short_shots_black_frames_and_a_mirrored_repeat(landmarker, one, other):
    black = [np.zeros_like(one[0])] * 3
    mirrored = [frame[:, ::-1].copy() for frame in one]
    film = one + other[:3] + one[:3] + black + other[:3] + black + mirrored
    expected = [True] * 8 + [False] * 3 + [True] * 3 + [False] * 9 + [True] * 8
    assert np.isfinite(spoken(film, landmarker)).tolist() == expected


def test_a_dissolve_into_somebody_else(landmarker, one, other):
    """No cut is found in it; the face that is followed becomes another one's."""
    share = np.linspace(0, 1, 24)[:, None, None, None]
    mixed = shown(np.float32(one * 3) * (1 - share) + np.float32(other * 3) * share)
    spoke = np.isfinite(spoken(one * 2 + mixed + other * 3, landmarker))
    assert spoke[:22].all() and not spoke[38:].any()


def test_the_person_leaves_somebody_else_comes_and_the_person_returns(landmarker, one, other):
    wall = np.full((256, 512, 3), 200, np.uint8)

    def at(frames, x):
        made = []
        for frame in frames:
            made.append(wall.copy())
            made[-1][:, x : x + 256] = frame
        return made

    film = at(one, 0) + [wall] * 6 + at(other, 256) + at(one, 256)
    where = spoken(film, landmarker)
    assert np.isfinite(where).tolist() == [True] * 8 + [False] * 14 + [True] * 8
    assert where[0] < 0.5 < where[-1]


def test_a_picture_in_the_picture(landmarker, one, other):
    def inset(large, small):
        made = []
        for frame, part in zip(large, small):
            made.append(cv2.resize(frame, (512, 512)))
            made[-1][:160, -160:] = cv2.resize(part, (160, 160), interpolation=cv2.INTER_AREA)
        return made

    where = spoken(inset(one, other) + inset(other, one), landmarker)
    assert (where[:8] < 0.6).all() and (where[8:] > 0.7).all()


def test_light_and_glasses_change_nobody(landmarker, one, other):
    """Dark rims and bridge are drawn around the eyes; the second shot has a quarter of the light."""
    face = landmarker.locate(one[0])[:, :2] * 256
    rims = []
    for frame in one:
        made = frame.copy()
        for eye in (face[[33, 133]], face[[362, 263]]):
            cv2.circle(made, tuple(int(v) for v in eye.mean(0)), 21, (20, 20, 20), 3, cv2.LINE_AA)
        rims.append(made)
    dark = [(frame * 0.25).astype(np.uint8) for frame in one]
    expected = [True] * 8 + [False] * 8 + [True] * 8 + [False] * 8 + [True] * 8
    assert np.isfinite(spoken(one + other + rims + other + dark, landmarker)).tolist() == expected


def test_five_people(landmarker, one, other):
    """The same four strangers beside the one who speaks, in another order after the cut."""
    strangers = [cv2.resize(other[0][:, ::flip], (128 + 10 * i, 256)) for i, flip in enumerate((1, -1, 1, -1))]
    before = [np.concatenate([*strangers[:2], frame, *strangers[2:]], 1) for frame in one]
    after = [np.concatenate([frame, *strangers[::-1]], 1) for frame in one]
    middle = 1 - 0.5 * 256 / before[0].shape[1]
    where = spoken(before + [np.zeros_like(before[0])] + after, landmarker, (266, 0, 522, 256))
    assert np.isnan(where[8]) and np.nanmax(where[9:]) < 0.25 < np.nanmin(where[:8]) < middle


# --- pictures of the person ------------------------------------------------------------------------------------------


def test_in_a_portrait_of_two_the_person_of_a_picture_speaks(pipe, one, other, nobody, portrait):
    both = side_by_side(one, other)[0]
    said = {"num_frames": 3, "voice": "espeak", "renderer": "geometric"}
    for who, right in ((nobody[:, ::-1], False), (Image.fromarray(portrait), True)):
        stream = pipe.stream("Wow.", both, face_index=who, **said)
        assert (stream.landmarks[0, 1, 0] > 0.5) == right
    with pytest.raises(
        FaceNotFoundError, match=r"`face_index`: the person in that picture isn't in `image`, which shows"
    ):
        pipe.stream("Wow.", one[0], face_index=portrait, **said)


def test_references_of_other_people_are_not_taken(pipe, landmarker, one, other, nobody, portrait):
    group = side_by_side(other, one)
    pictures = ReferenceSet.read([one[1], other[1], group[2]], landmarker)
    assert pictures.numbers.tolist() == [0, 1, 2, 2]
    found = pictures.showing(Person.of(nobody, landmarker))
    assert found.numbers.tolist() == [0, 2] and found.faces[1, 1, 0] > 0.5
    assert pictures.showing(Person.of("any", landmarker)).numbers.tolist() == [0, 1, 2]
    for image, what in ((nobody, "portrait"), (one[:3], "film")):
        with pytest.raises(
            ValueError, match=f"reference: 1 face.s., but none is the {what}'s person; the likest differs"
        ):
            pipe.stream("Hi.", image, voice="espeak", num_frames=3, reference=[portrait])


@pytest.mark.parametrize(
    ("given", "meant"),
    [("1", 1), ("-1", -1), ("0,10,20,30.5", (0, 10, 20, 30.5)), ("me.jpg", "me.jpg"), ("any", "any")],
)
def test_the_face_option(given, meant):
    assert build_parser().parse_args(["Hi.", "--face", given]).face_index == meant


def test_the_command_says_who_is_not_dubbed(one, other, portrait_file, tmp_path, capsys):
    write_video(tmp_path / "film.mp4", one + other, fps=25, crf=12)
    said = [
        "Hi.",
        "--image",
        str(tmp_path / "film.mp4"),
        "--output",
        str(tmp_path / "out.mp4"),
        "--renderer",
        "geometric",
    ]
    assert main([*said, "--face", str(portrait_file)]) == 0
    assert "warning: --image: at 0.00 to 0.32 s other people" in capsys.readouterr().err
    assert main([*said, "--face", "left"]) == 2
    assert "error: --face must be an index, a box" in capsys.readouterr().err
