"""Other pictures of the person: read a few at a time, the useful ones chosen, and their mouths shown."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from text2lip import LandmarkGuidedUNet, Text2LipPipeline
from text2lip.faces.topology import DRIVEN, INNER_LOWER_PAIRED
from text2lip.media.footage import Footage
from text2lip.media.video_writer import write_video
from text2lip.renderers.mouth_references import MOST
from text2lip.scenes import reference_set as module
from text2lip.scenes.reference_set import ReferenceSet


DARK = np.zeros((64, 64, 3), np.uint8)


@pytest.fixture(scope="module")
def eager(pipe):
    """A pipeline whose renderer takes all that it can from references, whatever the built-in one has learnt."""
    unet = deepcopy(pipe.unet)
    with torch.no_grad():
        unet.fine.weight[16:] = 0
        unet.fine.bias[16:] = 3
    made = Text2LipPipeline(**{**pipe.components, "unet": unet})
    made.set_progress_bar_config(disable=True)
    return made


@pytest.fixture(scope="module")
def others(pipe, portrait):
    """The portrait's talker with the mouth open in other ways, and something green in it."""
    stream = pipe.stream("Wow, far.", portrait, voice="espeak", num_frames=16, expressiveness=2, renderer="geometric")
    pictures = []
    for frame, points in zip(stream, stream.landmarks[:, list(INNER_LOWER_PAIRED)] * 256):
        x, y = points.mean(0).astype(int)
        frame[y - 3 : y + 1, x - 6 : x + 6] = 0, 255, 0
        pictures.append(frame)
    return pictures[4::3]


@pytest.fixture(scope="module")
def face(pipe, portrait):
    return pipe.face_landmarker.locate(portrait)


class Faces:
    """A landmarker that gives the same face for every picture that isn't dark."""

    def __init__(self, face):
        self.face, self.asked = face, 0

    def locate_all(self, picture):
        self.asked += 1
        return [self.face] if picture.max() else []


def greens(frames):
    """Pixels of each frame that are green."""
    return [int(((f[..., 1].astype(int) - f[..., 0] > 60) & (f[..., 1] > 90)).sum()) for f in map(np.asarray, frames)]


# --- looking through -------------------------------------------------------------------------------------------------


def test_pictures_are_looked_at_evenly_and_those_without_a_face_left_out(face, monkeypatch):
    monkeypatch.setattr(module, "MOST_PICTURES", 4)
    film = [np.full((64, 64, 3), i, np.uint8) for i in range(13)]
    landmarker, shown = Faces(face), []
    pictures = ReferenceSet.read(film, landmarker, progress=lambda frames: (shown.append(f) or f for f in frames))
    assert landmarker.asked == len(shown) == 4
    assert pictures.numbers.tolist() == [4, 8, 12]  # picture 0 is dark
    assert pictures.faces.shape == (3, 478, 3) and pictures.sizes.tolist() == [[64, 64]] * 3
    assert [picture[0, 0, 0] for picture in pictures.film.pick(pictures.numbers)] == [4, 8, 12]


def test_pictures_may_have_any_size_and_be_one(face):
    pictures = [np.full((h, 40, 3), h, np.uint8) for h in (50, 60)]
    assert ReferenceSet.read(pictures, Faces(face)).sizes.tolist() == [[50, 40], [60, 40]]
    assert ReferenceSet.read(pictures[0], Faces(face)).sizes.tolist() == [[50, 40]]


@pytest.mark.parametrize(("most", "expected"), [(96, range(24)), (8, [1, 4, 7, 10, 13, 16, 19, 22])])
def test_a_long_video_is_sampled_in_time(face, tmp_path, monkeypatch, most, expected):
    monkeypatch.setattr(module, "MOST_PICTURES", most)
    write_video(tmp_path / "a.mp4", [np.full((32, 32, 3), 10 * i + 8, np.uint8) for i in range(24)], fps=24, crf=0)
    pictures = ReferenceSet.read(tmp_path / "a.mp4", Faces(face))
    shown = [round((int(picture.mean()) - 8) / 10) for picture in pictures.film.pick(pictures.numbers)]
    assert shown == list(expected)


def test_a_video_without_a_length_is_looked_at_to_its_end(face, make_film, monkeypatch):
    """As browsers record them."""
    monkeypatch.setattr(module, "MOST_PICTURES", 8)
    pictures = [np.full((32, 32, 3), 10 * i + 8, np.uint8) for i in range(24)]
    film = make_film("a.mkv", pictures, rate=24, options={"crf": "0"}, file_options={"live": "1"})
    pictures = ReferenceSet.read(film, Faces(face))
    shown = [round((int(picture.mean()) - 8) / 10) for picture in pictures.film.pick(pictures.numbers)]
    assert shown == [1, 4, 7, 10, 13, 16, 19, 22]


def test_no_face_in_any_picture(face):
    with pytest.raises(ValueError, match=r"reference: no face in any of 3 picture\(s\); give some that show"):
        ReferenceSet.read([DARK] * 3, Faces(face))


def test_clips_with_the_same_reference_share_one_search(eager, portrait, others, monkeypatch):
    read, found = [], ReferenceSet.read
    monkeypatch.setattr(ReferenceSet, "read", lambda *args: read.append(args[0]) or found(*args))
    shared = list(others)
    eager(["Hi."] * 4, portrait, reference=[shared, None, shared, portrait], voice="espeak", num_frames=2)
    assert len(read) == 2 and read[0] is shared and read[1] is portrait


# --- choosing --------------------------------------------------------------------------------------------------------


def turned(face, angle):
    """A square picture's face turned about its vertical axis."""
    middle, (cos, sin) = face.mean(0), (np.cos(angle), np.sin(angle))
    return (middle + (face - middle) @ np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])).astype(np.float32)


def test_turned_heads_and_cut_mouths_are_left_out(face):
    low = face + (0, 0.98 - face[17, 1], 0)  # the chin is outside of the picture, the mouth is not
    cut = face + (0, 1.01 - face[17, 1], 0)
    faces = np.float32([turned(face, 0.5), low, cut, turned(face, 0.2), turned(face, -0.5)])
    pictures = ReferenceSet(None, np.arange(5), faces, np.full((5, 2), 256)).alike(face, (256, 256))
    assert pictures.numbers.tolist() == [1, 3] and np.array_equal(pictures.faces, faces[[1, 3]])
    assert len(pictures.alike(turned(face, 0.9), (256, 256)).numbers) == 0


def test_faces_much_smaller_than_others_are_left_out(face):
    faces = np.stack([face] * 4)
    faces[:, list(INNER_LOWER_PAIRED), 1] += 0.02 * np.arange(4)[:, None]  # four mouths
    pictures = ReferenceSet(None, np.arange(4), faces, None)
    sides = {
        (256, (90, 300, 500, 40)): [1, 2],
        (1000, (90, 300, 500, 600)): [1, 2, 3],
        (900, (40, 50, 60, 70)): [0, 1, 2, 3],
    }
    for (side, others), expected in sides.items():
        seen = replace(pictures, sizes=np.repeat(np.array(others)[:, None], 2, 1))
        assert seen.alike(face, (side, side)).numbers.tolist() == expected


def test_at_most_24_that_differ_are_kept_whatever_the_pictures_size(face, portrait):
    rng = np.random.default_rng(0)
    faces = np.repeat(face[None], 80, 0)
    faces[:40, list(DRIVEN), :2] += rng.normal(0, 0.004, (40, 57, 2)).astype(np.float32)  # the others are all equal
    sizes = np.full((80, 2), 256)
    sizes[1::2] = 512
    pictures = ReferenceSet(Footage([portrait] * 80), np.arange(80), faces, sizes).alike(face, (256, 256))
    assert len(pictures.numbers) == MOST and (pictures.numbers >= 40).sum() <= 1
    references = pictures.mouths(portrait, face)
    assert references.pictures.shape[0] == len(references.points) == MOST


# --- the pipeline ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "match"),
    [
        (5, "`reference` must be a path, a PIL image or an array"),
        ([], "reference: got no frames; give a list of pictures"),
        ("none.mp4", "reference: no file at 'none.mp4'"),
        (["none.png", "other.png"], "`reference`: no file at 'none.png'"),
        (DARK, r"reference: no face in any of 1 picture\(s\)"),
        (np.zeros((2, 8, 8), np.float64) - 1, "`reference`"),
    ],
    ids=["number", "nothing", "no video", "no pictures", "no face", "range"],
)
def test_bad_references(pipe, portrait, value, match):
    with pytest.raises(ValueError, match=match):
        pipe.stream("Hi.", portrait, voice="espeak", reference=value)


def test_a_bad_reference_is_told_before_a_film_is_searched(pipe, portrait, monkeypatch):
    monkeypatch.setattr("text2lip.scenes.film.find_shots", lambda *args: pytest.fail("searched"))
    with pytest.raises(ValueError, match="reference: no face in any"):
        pipe.stream("Hi.", [portrait] * 3, voice="espeak", reference=[DARK, DARK])


def test_a_renderer_that_takes_none_says_so(pipe, portrait, portrait_file):
    with pytest.raises(ValueError, match=r"reference: .*portrait.png'?\)?, but this renderer takes no refe"):
        pipe.stream("Hi.", portrait, renderer="geometric", reference=portrait_file)
    with pytest.raises(ValueError, match="reference: got ndarray, but this renderer"):
        pipe("Hi.", portrait, renderer="geometric", reference=portrait)


def test_only_heads_turned_otherwise(pipe, portrait, face, monkeypatch):
    monkeypatch.setattr(
        ReferenceSet,
        "read",
        lambda *_: ReferenceSet(None, np.arange(2), np.stack([turned(face, 0.6)] * 2), np.full((2, 2), 256)),
    )
    with pytest.raises(ValueError, match=r"reference: 2 picture\(s\) with a face, but none shows a whole mouth on"):
        pipe.stream("Hi.", portrait, reference=[portrait] * 2)
    with pytest.raises(ValueError, match="turned like the film's"):
        pipe.stream("Hi.", [portrait] * 3, num_frames=3, reference=[portrait] * 2)


def test_each_prompt_has_its_own_reference_and_the_mouth_shows_it(eager, portrait, face, others, any_mouth):
    said = {"voice": "espeak", "num_frames": 12, "output_type": "np", "expressiveness": 2.0}
    made = eager(["Wow, far."] * 2, portrait, reference=[None, others], **said).frames
    made = (made * 255).round().astype(np.uint8)
    assert max(greens(made[0])) == 0 and max(greens(made[1])) > 10
    rows, columns = np.nonzero((made[0] != made[1]).any((0, -1)))
    assert rows.min() > 256 * face[[145, 374], 1].max() + 5  # below the eyes
    assert 256 * face[234, 0] - 5 < columns.min() and columns.max() < 256 * face[454, 0] + 5
    again = eager("Wow, far.", portrait, reference=others, **said).frames[0]
    assert np.array_equal((again * 255).round().astype(np.uint8), made[1])
    with pytest.raises(ValueError, match=r"reference: got 3 for 2 prompt\(s\)"):
        eager(["Yes.", "No."], portrait, reference=[None, portrait, portrait])


def test_a_constant_mouth_has_constant_frames(eager, portrait, others):
    frames = list(
        eager.stream("Wow.", portrait, voice="espeak", reference=others, expressiveness=0, life=0, num_frames=11)
    )
    assert (frames[0] != portrait).any() and all(np.array_equal(frame, frames[0]) for frame in frames)


def test_a_film_shows_its_own_other_frames(eager, portrait, others, pipe, any_mouth):
    """Their mouths are seen where the lips part, and nothing else of the picture changes for them."""
    film = [portrait, *others, *others[::-1]]
    said = {"voice": "espeak", "num_frames": 14, "expressiveness": 2.0}
    stream = eager.stream("Wow, far.", film, **said)
    assert max(greens(stream)) > 10
    warped = list(eager.stream("Wow, far.", film, renderer="geometric", **said))
    for frame, other, points in zip(eager.stream("Wow, far.", film, **said), warped, stream.landmarks * 256):
        changed = np.argwhere((frame != other).any(-1))[:, ::-1]
        lips = points[list(DRIVEN)[:40]]
        assert (changed > lips.min(0) - 30).all() and (changed < lips.max(0) + 30).all()


def test_a_network_of_another_size_dubs_without_references(pipe, portrait):
    small = LandmarkGuidedUNet(sample_size=48, block_out_channels=(8, 8, 8))
    made = Text2LipPipeline(**{**pipe.components, "unet": small})
    made.set_progress_bar_config(disable=True)
    assert len(list(made.stream("Hi.", [portrait] * 3, voice="espeak", num_frames=3))) == 3


def test_references_take_the_place_of_a_films_own_frames(eager, portrait, others, any_mouth):
    film, said = [portrait, *others], {"voice": "espeak", "num_frames": 10, "expressiveness": 2.0}
    own = list(eager.stream("Wow, far.", film, **said))
    given = list(eager.stream("Wow, far.", film, reference=portrait, **said))
    assert max(greens(given)) < max(greens(own))


def test_a_film_is_read_three_times_at_most(eager, portrait, others, monkeypatch):
    film, read = [portrait, *others] * 6, []
    load = Footage._load
    monkeypatch.setattr(Footage, "_load", lambda self, picture: read.append(1) or load(self, picture))
    list(eager.stream("Hi.", film, voice="espeak", num_frames=len(film)))
    assert len(read) <= 2 * len(film) + MOST + 3
