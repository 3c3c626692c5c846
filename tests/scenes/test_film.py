"""A film keeps its head and its background; its mouth says something else."""

import weakref
from dataclasses import replace

import cv2
import numpy as np
import pytest

from text2lip.faces.builtin import builtin_portrait
from text2lip.faces.canonical import lip_gap
from text2lip.faces.landmarker import FaceNotFoundError
from text2lip.faces.topology import LIPS
from text2lip.media import footage
from text2lip.media.images import load_image
from text2lip.media.video import read_frames, video_info
from text2lip.media.video_writer import write_video
from text2lip.motion.retarget import PortraitMouth
from text2lip.renderers.mouth_references import MOST
from text2lip.renderers.transplant import lay_mouth
from text2lip.scenes.film import DubbedShot
from text2lip.scenes.shots import ShotMouths, find_shots, reference_frame, scenes


COUNT = 30
SAYS = "Bob, my baby."


@pytest.fixture(scope="module")
def landmarker(pipe):
    return pipe.face_landmarker


@pytest.fixture(scope="module")
def portrait():
    """A face of nobody, its mouth closed: uint8 (256, 256, 3)."""
    return cv2.resize(load_image(builtin_portrait()), (256, 256), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def talk(pipe, portrait):
    """A head that talks, sways and comes nearer: uint8 frames, and how far each has its mouth open."""
    stream = pipe.stream("Wow, far out, wow.", portrait, num_frames=COUNT + 5, expressiveness=2, renderer="geometric")
    wide = (stream.landmarks[5:, 14] - stream.landmarks[5:, 13])[:, 1]
    frames = []
    for index, frame in enumerate(list(stream)[5:]):
        turn = cv2.getRotationMatrix2D((128, 128), 5 * np.sin(index / 5), 1 + 0.002 * index)
        turn[:, 2] += 4 * np.sin(index / 4), 2 * np.cos(index / 3)
        frames.append(cv2.warpAffine(frame, turn, (256, 256), borderMode=cv2.BORDER_REPLICATE))
    return frames, wide / wide.max()


@pytest.fixture(scope="module")
def talk_file(talk, tmp_path_factory):
    path = tmp_path_factory.mktemp("talk") / "talk.mp4"
    write_video(path, talk[0], fps=20, crf=12)
    return path


def gaps(landmarks, size=(256, 256)):
    return lip_gap(np.stack([PortraitMouth(face, *size).shape for face in landmarks]))


def test_the_mouth_follows_the_new_speech_and_not_the_old(pipe, talk, landmarker):
    frames, wide = talk
    stream = pipe.stream(SAYS, frames, num_frames=COUNT)
    dubbed = list(stream)
    seen, scores = landmarker.track(dubbed)
    assert scores.min() > 0.9
    old, _ = landmarker.track(frames)
    assert np.corrcoef(gaps(old), wide)[0, 1] > 0.9  # the film talks
    wanted = gaps(np.concatenate([stream.landmarks, old[..., 2:]], -1))
    new = gaps(seen)
    assert np.corrcoef(new, wanted)[0, 1] > 0.85
    weights = np.linalg.lstsq(np.stack([wanted, gaps(old), np.ones(COUNT)], -1), new, rcond=None)[0]
    assert weights[0] > 0.4 and abs(weights[1]) < 0.05


def test_a_film_without_new_speech_closes_its_mouth(pipe, talk, landmarker):
    frames, _ = talk
    seen, _ = landmarker.track(list(pipe.stream(SAYS, frames, num_frames=COUNT, expressiveness=0)))
    assert len(seen) == COUNT and gaps(seen).max() < 0.02 < gaps(landmarker.track(frames)[0]).max()


def test_eyes_and_background_are_the_films_own(pipe, talk):
    frames, _ = talk
    for frame, dubbed, face in zip(frames, (stream := pipe.stream(SAYS, frames, num_frames=8)), stream.landmarks):
        changed = np.argwhere((frame != dubbed).any(-1))
        assert len(changed) > 100
        eyes = face[[145, 374], 1].max() * 256
        assert changed[:, 0].min() > eyes
        left, right = face[[234, 454], 0] * 256
        assert left - 25 < changed[:, 1].min() and changed[:, 1].max() < right + 25


@pytest.mark.parametrize(("video_end", "expected"), [("loop", 45), ("hold", 45), ("cut", COUNT)])
def test_lengths(pipe, talk_file, video_end, expected):
    stream = pipe.stream(SAYS, talk_file, num_frames=45, video_end=video_end)
    assert stream.fps == 20 and len(stream) == expected == len(stream.landmarks)
    assert len(stream.audio) == round(expected / 20 * stream.sampling_rate)
    steps = np.linalg.norm(np.diff(stream.landmarks[:, 4], axis=0), axis=-1)
    assert steps[: COUNT - 1].min() > 0 and steps.max() < 0.05  # the head moves, and nowhere jumps
    assert (steps[COUNT - 1 :].max(initial=0) == 0) == (video_end != "loop")


def test_a_longer_film_is_cut_and_written_with_its_own_size_and_rate(pipe, talk_file, tmp_path):
    stream = pipe.stream("Hi.", talk_file)
    assert len(stream) < COUNT
    stream.save(tmp_path / "out.mp4")
    made, film = (video_info(path) for path in (tmp_path / "out.mp4", talk_file))
    assert (made.fps, made.width, made.height) == (film.fps, film.width, film.height)
    assert made.seconds == pytest.approx(len(stream) / 20, abs=0.1)
    assert len(list(read_frames(tmp_path / "out.mp4"))) == len(stream)
    assert pipe.stream("Hi.", talk_file, fps=10).fps == 10


def test_a_batch_of_films_and_portraits(pipe, talk, portrait):
    made = pipe(["Yes.", "No."], [talk[0], portrait], num_frames=2, output_type="np")
    assert made.frames.shape == (2, 2, 256, 256, 3)
    with pytest.raises(ValueError, match=r"expression: the head and face of a video have their own life"):
        pipe.stream("Yes.", talk[0], expression="happy")
    with pytest.raises(ValueError, match=r"video_end: 'stop'; choose one of"):
        pipe.stream("Yes.", talk[0], video_end="stop")


def test_clips_of_unequal_rates_are_refused(pipe, talk_file, portrait):
    with pytest.raises(ValueError, match=r"fps: the clips of this call have \[20.0, 25.0\] frames"):
        pipe(["Yes.", "No."], [talk_file, portrait], num_frames=1)


def test_few_frames_are_read_ahead(pipe, talk, monkeypatch):
    taken = []

    stream = pipe.stream(SAYS, talk[0], num_frames=COUNT)
    monkeypatch.setattr(footage, "load_image", lambda image, **_: taken.append(1) or np.array(image))
    next(stream)
    assert len(taken) <= 2 + MOST  # the frame, and those that the mouth is drawn from


def test_a_renderer_of_any_kind_draws_the_mouth(pipe, talk):
    """What a renderer draws is carried over for the lips alone, whatever else it changes."""

    class Still:
        takes_references = hears_sound = samples = False

        def render(self, portrait, landmarks, **_):
            for _ in landmarks:
                yield portrait.copy()

    class Red(Still):
        def render(self, portrait, landmarks, **_):
            for face in landmarks:
                frame = portrait.copy()
                frame[:, :30] = 0
                cv2.fillConvexPoly(frame, cv2.convexHull(np.int32(face[list(LIPS)] * 256)), (255, 0, 0))
                yield frame

    stream, plain = (pipe.stream(SAYS, talk[0], renderer=renderer) for renderer in (Red(), Still()))
    red = 0
    for frame, dubbed, other, face in zip(talk[0], stream, plain, stream.landmarks, strict=False):
        change = dubbed.astype(int) - other
        changed, lips = np.argwhere(np.abs(change).max(-1) > 2)[:, ::-1], face[list(LIPS)] * 256
        assert (changed > lips.min(0) - 12).all() and (changed < lips.max(0) + 12).all()
        assert np.array_equal(dubbed[:, :30], frame[:, :30])
        red += (change[..., 0] - change[..., 1] > 40).sum() > 200
    assert red > len(talk[0]) / 2


def noise(count, seed=0):
    return list(np.random.default_rng(seed).integers(0, 256, (count, 256, 256, 3), np.uint8))


def dark(count):
    return [np.full((256, 256, 3), 20, np.uint8)] * count


def test_cuts_are_found_and_motion_is_none(talk):
    frames, _ = talk
    brighter = [cv2.convertScaleAbs(frame, alpha=1 + 0.2 * np.sin(i)) for i, frame in enumerate(frames[:8])]
    film = frames + dark(3) + frames[:5] + noise(2) + brighter
    assert [len(list(scene)) for scene in scenes(iter(film))] == [30, 3, 5, 2, 8]
    assert list(scenes(iter([]))) == []


def test_a_mirrored_repeat_is_followed_too(talk, landmarker):
    frames, _ = talk
    film = frames[:6] + dark(4) + [frame[:, ::-1].copy() for frame in frames[:6]]
    found, count = find_shots(film, landmarker, 25)
    assert count == 16
    assert [(shot.start, shot.stop) for shot in found] == [(0, 6), (10, 16)]
    assert found[1].head[0, 1, 0] == pytest.approx(1 - found[0].head[0, 1, 0], abs=0.02)


def test_shots_without_a_face_pass_untouched(pipe, talk):
    film = talk[0][:6] + dark(4) + talk[0][:2]
    stream = pipe.stream(SAYS, film, num_frames=12)
    dubbed = list(stream)
    assert np.isnan(stream.landmarks[6:10]).all() and np.isfinite(stream.landmarks[[*range(6), 10, 11]]).all()
    same = [np.array_equal(a, b) for a, b in zip(film, dubbed)]
    assert same[6:10] == [True] * 4 and not any(same[:6])


def test_a_shot_that_comes_again_is_prepared_once(pipe, talk, monkeypatch):
    film, read, pick = talk[0][:6] + dark(4) + talk[0][:6], [], footage.Footage.pick
    monkeypatch.setattr(footage.Footage, "pick", lambda self, numbers: read.append(numbers) or pick(self, numbers))
    dubbed = list(pipe.stream(SAYS, film, num_frames=48))
    assert len(dubbed) == 48 and len(read) == 2  # of four stretches


class Fixed:
    """A landmarker that loses the face where it is told to."""

    def __init__(self, landmarks, lost):
        self.landmarks = landmarks.copy()
        self.landmarks[lost] = np.nan

    def track(self, frames, face_index=None, person=None, look=None):
        return self.landmarks[: len(list(frames))].copy(), None


@pytest.mark.parametrize(
    ("lost", "expected"),
    [
        (slice(10, 18), [(0, 30)]),  # 0.32 s are bridged
        (slice(8, 22), [(0, 8), (22, 30)]),  # 0.56 s are not
        (slice(0, 4), [(4, 30)]),
        (slice(25, 30), [(0, 25)]),
    ],
)
def test_lost_faces(talk, landmarker, lost, expected):
    frames, _ = talk
    known, _ = landmarker.track(frames)
    found, _ = find_shots(frames, Fixed(known, lost), 25)
    assert [(shot.start, shot.stop) for shot in found] == expected
    assert all(np.isfinite(shot.head).all() and np.isfinite(shot.face).all() for shot in found)
    assert found
    for shot in found:
        assert np.abs(shot.head[:, 4, :2] - known[shot.start : shot.stop, 4, :2]).max() < 0.02


def test_a_face_that_jumps_is_another_shot(talk, landmarker):
    known, _ = landmarker.track(talk[0])
    known[12:, :, 0] += 0.25
    known[:, :, 0] -= 0.1
    found, _ = find_shots(talk[0], Fixed(known, []), 25)
    assert [(shot.start, shot.stop) for shot in found] == [(0, 12), (12, 30)]


def test_a_mouth_outside_of_the_picture_is_lost(talk, landmarker):
    known, _ = landmarker.track(talk[0])
    known[15:, :, 1] += 1
    found, _ = find_shots(talk[0], Fixed(known, []), 25)
    assert [(shot.start, shot.stop) for shot in found] == [(0, 15)]


def test_landmarks_are_steadied_without_delay(talk, landmarker):
    known, _ = landmarker.track(talk[0])
    shaken = known + np.random.default_rng(0).normal(0, 0.004, known.shape).astype(np.float32)
    (shot,), _ = find_shots(talk[0], Fixed(shaken, []), 25)
    jerk = [np.abs(np.diff(marks[:, 4, :2], 3, axis=0)).mean() for marks in (shaken, shot.head)]
    assert jerk[1] < 0.2 * jerk[0]
    assert np.abs(shot.head - known)[3:-3, 4, :2].mean() < 0.003


def test_the_mouth_is_drawn_from_a_frame_that_has_it_closed(talk, landmarker):
    (shot,), _ = find_shots(talk[0], landmarker, 25)
    assert talk[1][reference_frame(shot)] < talk[1].min() + 0.02  # never shut: of 30 frames two are so nearly


def test_the_mouth_is_not_drawn_from_a_frame_whose_lips_are_odd_or_pursed(talk, landmarker):
    (shot,), _ = find_shots(talk[0], landmarker, 25)
    assert shot.tones.shape == (COUNT, 18, 3) and np.isfinite(shot.tones).all()
    best, spoilt = reference_frame(shot), shot.tones.copy()
    spoilt[best, 9:14] += 1.0  # half of the lower lip as pale as skin
    assert reference_frame(replace(shot, tones=spoilt)) != best
    mouths = ShotMouths.of(shot)
    mouths.shapes[best, :40, 0] *= 0.6
    assert reference_frame(shot, mouths) != best


def test_the_mouths_of_a_shot_are_found_once_and_not_kept(talk, landmarker, monkeypatch):
    (shot,), count = find_shots(iter(talk[0]), landmarker, 25)
    mouths = [PortraitMouth(face, *shot.size) for face in shot.face]
    gap = lip_gap(np.stack([mouth.shape for mouth in mouths]))
    rest = np.mean([mouth.rest for mouth, g in zip(mouths, gap) if g <= np.quantile(gap, 0.2)], 0)
    made, init = [], PortraitMouth.__init__

    def counted(self, *args):
        made.append(weakref.ref(self))
        init(self, *args)

    monkeypatch.setattr(PortraitMouth, "__init__", counted)
    part = DubbedShot(shot)
    np.testing.assert_allclose(part.rest, rest, atol=1e-12)
    assert len(made) == count + 1 and sum(mouth() is not None for mouth in made) == 1
    part.frame(talk[0][0].copy(), shot.start, shot.face[0, :, :2], talk[0][0], part.source)
    assert len(made) == count + 1
    kept = shot.head.nbytes + shot.face.nbytes + count * 478 * 2 * 4  # and the landmarks of the result
    assert kept / count == pytest.approx(15_000, rel=0.05)  # as dubbing.md says


def test_which_face(pipe, talk, landmarker):
    frames, _ = talk
    both = [np.concatenate([frame, cv2.resize(frame, (128, 256))], 1) for frame in frames[:6]]
    left, right = (find_shots(both, landmarker, 25, box)[0][0] for box in ((0, 0, 256, 256), (256, 0, 384, 256)))
    assert left.head[:, 1, 0].max() < 0.66 < right.head[:, 1, 0].min()
    assert find_shots(both, landmarker, 25)[0][0].head[0, 1, 0] == pytest.approx(left.head[0, 1, 0], abs=0.01)
    with pytest.raises(FaceNotFoundError, match="`face_index` is 2, but `image` shows faces 0"):
        pipe.stream("Hi.", both, face_index=2)
    later = frames[:3] + dark(2) + both[:3]
    later = [cv2.resize(frame, (384, 256)) for frame in later]
    found, _ = find_shots(later, landmarker, 25, 1)
    assert [(shot.start, shot.stop) for shot in found] == [(5, 8)]  # there is a second face in the last shot alone


def test_no_face_in_any_frame(pipe, tmp_path):
    write_video(tmp_path / "dark.mp4", dark(5))
    with pytest.raises(FaceNotFoundError, match=r"no face in any of 5 frames \(256x256 pixels\)"):
        pipe.stream("Hi.", tmp_path / "dark.mp4", num_frames=9)


def test_cuts_are_told_by_colours_where_no_face_is():
    film = dark(3) + noise(2) + dark(1)
    found = [list(scene) for scene in scenes(iter(film))]
    assert [len(scene) for scene in found] == [3, 2, 1]
    assert all(np.array_equal(one, other) for one, other in zip((f for scene in found for f in scene), film))


# --- laying the mouth over -------------------------------------------------------------------------------------------


def test_a_mouth_laid_on_its_own_picture_changes_nothing(portrait, landmarker):
    face = landmarker.locate(portrait)[:, :2]
    laid = lay_mouth(portrait.copy(), portrait, face, face)
    assert np.abs(laid.astype(int) - portrait).max() <= 1
    assert np.array_equal(lay_mouth(portrait.copy(), portrait * 0, face, face, weight=0.0), portrait)


def test_light_is_taken_from_the_film(portrait, landmarker):
    face = landmarker.locate(portrait)[:, :2]
    darker = (portrait * 0.7).astype(np.uint8)
    laid = lay_mouth(portrait.copy(), darker, face, face).astype(int)
    x0, y0 = (face[list(LIPS)].min(0) * 256).astype(int)
    x1, y1 = (face[list(LIPS)].max(0) * 256).astype(int)
    before = np.abs(darker.astype(int) - portrait)[y0:y1, x0:x1].mean()
    assert np.abs(laid - portrait)[y0:y1, x0:x1].mean() < 0.35 * before
