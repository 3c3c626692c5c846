import cv2
import numpy as np
import pytest
import torch

from text2lip.models.landmark_unet import LandmarkGuidedUNet
from text2lip.renderers import GeometricRenderer, LearnedRenderer
from text2lip.renderers.learned import reference_input


def network(strength=0.02, seed=0, **config):
    """A network that changes what it sees: a little flow, some shade, some paint in the mouth."""
    torch.manual_seed(seed)
    made = LandmarkGuidedUNet(**{"block_out_channels": (8, 16, 16), **config}).eval()
    for layer in (made.smooth, made.fine):
        torch.nn.init.normal_(layer.weight, std=strength)
        torch.nn.init.normal_(layer.bias, std=strength)
    return made


def render(face, landmarks, unet, renderer=LearnedRenderer, **options):
    landmarks = np.asarray(landmarks)
    landmarks = landmarks[None] if landmarks.ndim == 2 else landmarks
    made = renderer(unet, **options) if unet is not None else GeometricRenderer()
    return list(made.render(face.portrait, landmarks, fps=25, source_landmarks=face.landmarks))


def difference(a, b):
    return np.abs(a.astype(int) - b)


def test_an_untrained_network_gives_the_geometric_frame(painted):
    target = painted.with_gap(0.15)
    unet = LandmarkGuidedUNet(block_out_channels=(8, 16, 16))
    assert np.array_equal(render(painted, target, unet)[0], render(painted, target, None)[0])


def test_a_trained_network_changes_it(painted):
    target = painted.with_gap(0.15)
    assert difference(render(painted, target, network())[0], render(painted, target, None)[0]).max() > 3


@pytest.mark.parametrize("gap", [0.0, 0.1])
def test_own_landmarks_give_the_portrait(paint_face, gap):
    face = paint_face(gap=gap)
    assert np.array_equal(render(face, face.landmarks, network())[0], face.portrait)


def test_a_hair_of_motion_hardly_changes_the_portrait(painted):
    nearly = painted.landmarks + 0.02 * (painted.with_gap(0.1) - painted.landmarks)
    frame = render(painted, nearly, network())[0]
    assert difference(frame, render(painted, nearly, None)[0]).mean() < 0.05


@pytest.mark.parametrize("unet", [None, network()], ids=["geometric", "learned"])
def test_frames_of_many_threads_are_those_of_one(painted, unet):
    mouths = np.stack([painted.with_gap(0.01 * (7 * i % 13)) for i in range(14)])
    before, made = torch.get_num_threads(), []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            made.append(render(painted, mouths, unet, **({} if unet is None else {"batch_size": 3})))
    finally:
        torch.set_num_threads(before)
    assert len(made[0]) == 14 and all(np.array_equal(*pair) for pair in zip(*made))
    assert not any(np.array_equal(*pair) for pair in zip(made[1], made[1][1:]))


def test_a_network_that_fails_ends_the_frames(painted, monkeypatch):
    unet = network()
    monkeypatch.setattr(unet, "forward", lambda *inputs, **options: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        render(painted, painted.with_gap(0.1), unet)


def test_equal_landmarks_give_equal_bytes_in_any_place(painted):
    mouths = [painted.with_gap(gap) for gap in (0.12, 0.03, 0.12, 0.05, 0.12)]
    frames = render(painted, np.stack(mouths), network(), batch_size=2)
    assert np.array_equal(frames[0], frames[2]) and np.array_equal(frames[0], frames[4])
    assert not np.array_equal(frames[0], frames[1])


def test_a_constant_mouth_gives_constant_frames(painted):
    frames = render(painted, np.repeat(painted.with_gap(0.1)[None], 11, 0), network())
    assert len(frames) == 11
    assert max(difference(frame, frames[0]).max() for frame in frames) <= 1


@pytest.mark.parametrize("roll", [0.0, 0.5])
def test_nothing_outside_the_lower_face_changes(paint_face, roll):
    face = paint_face(roll=roll)
    frame = render(face, face.with_gap(0.1), network())[0]
    changed = (frame != face.portrait).any(-1)
    down = np.array([-np.sin(roll), np.cos(roll)])
    rows, columns = np.indices(frame.shape[:2])
    depth = (np.stack([columns, rows], -1) + 0.5 - face.points[[33, 263]].mean(0)) @ down / face.unit
    lids = max((face.points[[145, 374]] - face.points[[33, 263]].mean(0)) @ down) / face.unit
    assert changed.any() and depth[changed].min() > lids and depth[changed].max() < 1.9


def test_a_grey_portrait_stays_grey(painted):
    painted.portrait = np.repeat(painted.portrait.mean(-1, keepdims=True).astype(np.uint8), 3, -1)
    target = painted.with_gap(0.15)
    frame = render(painted, target, network())[0].astype(int)
    plain = render(painted, target, None)[0].astype(int)
    assert (frame != plain).any()
    assert np.ptp(frame, axis=-1).max() <= np.ptp(plain, axis=-1).max() + 1


def test_a_drawing_is_left_to_the_warp(painted):
    painted.portrait = (np.round(cv2.medianBlur(painted.portrait, 9) / 48) * 48).astype(np.uint8)
    target = painted.with_gap(0.15)
    assert np.array_equal(render(painted, target, network())[0], render(painted, target, None)[0])


def test_unbelievable_corrections_fade(painted):
    target = painted.with_gap(0.15)
    wild = network()
    with torch.no_grad():
        wild.smooth.bias[2:] = 1.0
    plain = render(painted, target, None)[0]
    assert np.array_equal(render(painted, target, wild)[0], plain)


def test_the_correction_has_the_portraits_own_resolution(paint_face):
    """A larger portrait keeps its fine noise in the corrected frame."""
    face = paint_face(unit=240.0, size=(1200, 1080), centre=(540.0, 450.0))
    target = face.with_gap(0.08)
    frame, plain = (render(face, target, unet)[0] for unet in (network(), None))
    x, y = face.points[18].astype(int)
    spot = (slice(y + 5, y + 45), slice(x - 20, x + 20))
    fine, wanted = ((p - cv2.GaussianBlur(p, (0, 0), 2))[spot].std() for p in (np.float32(frame), np.float32(plain)))
    assert difference(frame, plain)[spot].max() > 0 and fine > 0.7 * wanted


def test_half_precision_networks_are_used_as_they_are(painted):
    target = painted.with_gap(0.12)
    full = render(painted, target, network())[0]
    half = render(painted, target, network().to(torch.bfloat16))[0]
    drawn = difference(full, painted.portrait)
    assert difference(full, half).mean() < min(0.2, 0.05 * drawn.mean())


def test_a_mouth_at_the_edge_of_the_picture(paint_face):
    face = paint_face(size=(250, 200), centre=(180.0, 150.0))
    frame = render(face, face.with_gap(0.1), network())[0]
    changed = difference(frame, face.portrait) > 0
    assert frame.shape == (250, 200, 3)
    assert changed[:, 120:].sum() > 500 and not changed[:, :80].any()  # the mouth is cut by the right edge


def test_bad_input_is_named(painted):
    with pytest.raises(ValueError, match="batch_size"):
        LearnedRenderer(network(), batch_size=0)
    with pytest.raises(ValueError, match="`landmarks`"):
        LearnedRenderer(network()).render(painted.portrait, np.zeros((3, 68, 2)), source_landmarks=painted.landmarks)
    with pytest.raises(ValueError, match="`portrait`"):
        LearnedRenderer(network()).render(
            painted.portrait.astype(float), painted.landmarks[None], source_landmarks=painted.landmarks
        )


def test_nothing_greener_than_teeth_is_painted_into_the_mouth(painted):
    target = painted.with_gap(0.2)
    green = network(strength=0.0)
    with torch.no_grad():
        green.fine.bias[4:8] = 0.8  # of the green channel, in the mouth
    frame, plain = (render(painted, target, unet)[0].astype(int) for unet in (green, None))
    x, y = (target[[13, 14]].mean(0) * painted.portrait.shape[1::-1]).astype(int)
    frame, plain = (picture[y - 3 : y + 4, x - 3 : x + 4] for picture in (frame, plain))
    assert (frame[..., 1] <= np.maximum(frame[..., 0], plain[..., 1]) + 3).all()


def lamp(brightness, **config):
    """A network that multiplies the face by light, and does nothing else."""
    made = network(0.0, paints=False, **config)
    torch.nn.init.constant_(made.smooth.bias[2:], brightness)
    return made


def test_light_keeps_all_fine_detail_of_the_mouth(paint_face):
    """At a portrait's own resolution every texture is brighter by one factor, in the mouth too."""
    face = paint_face(unit=240.0, size=(1200, 1080), centre=(540.0, 450.0))
    target = face.with_gap(0.2)
    plain, lit = (render(face, target, unet)[0].astype(float) for unet in (None, lamp(0.2)))
    x, y = (target[[13, 14]].mean(0) * face.portrait.shape[1::-1]).astype(int)
    for spot in ((slice(y - 8, y + 9), slice(x - 20, x + 21)), (slice(y + 80, y + 100), slice(x - 20, x + 21))):
        factor = (lit[spot] + 0.5) / (plain[spot] + 0.5)
        assert factor.mean() > 1.02 and factor.std() < 0.05


@pytest.mark.parametrize("centre", [(180.0, 395.0), (180.0, -200.0), (-200.0, 150.0)])
def test_a_mouth_beside_the_picture_is_left_to_the_warp(paint_face, centre):
    face = paint_face(centre=centre).textured(0)
    target = face.with_gap(0.2)
    for unet in (network(), lamp(0.2)):
        assert np.array_equal(render(face, target, unet)[0], render(face, target, None)[0])


def test_light_leaves_a_grey_portrait_grey_and_own_landmarks_alone(painted):
    tinted = lamp(0.0)
    with torch.no_grad():
        tinted.smooth.bias[2] = 0.3
    assert np.array_equal(render(painted, painted.landmarks, tinted)[0], painted.portrait)
    target = painted.with_gap(0.15)
    frame = render(painted, target, tinted)[0].astype(int)
    assert (frame != render(painted, target, None)[0]).any()
    painted.portrait = np.repeat(painted.portrait.mean(-1, keepdims=True).astype(np.uint8), 3, -1)
    plain, frame = (render(painted, target, unet)[0].astype(int) for unet in (None, tinted))
    assert np.ptp(frame, axis=-1).max() <= np.ptp(plain, axis=-1).max() + 1


def test_light_beyond_belief_fades(painted):
    painted.portrait = (1.7 * painted.portrait).clip(0, 255).astype(np.uint8)  # so that a factor is many levels
    target = painted.with_gap(0.15)
    assert np.array_equal(render(painted, target, lamp(5.0))[0], render(painted, target, None)[0])


def taker(share=20.0, **config):
    """A network that changes nothing, but takes all that it may of a reference."""
    made = network(0.0, **config)
    torch.nn.init.constant_(made.fine.bias[16:], share)
    return made


def refer_render(face, landmarks, unet, references, **options):
    """One frame of a face with references."""
    made = LearnedRenderer(unet, **options)
    return list(made.render(face.portrait, landmarks[None], source_landmarks=face.landmarks, references=references))[0]


def test_a_reference_shows_where_it_is_taken(painted, paint_face, refer_to, any_mouth):
    target, other = painted.with_gap(0.15), paint_face(gap=0.15).textured(1)
    frame = refer_render(painted, target, taker(), refer_to(painted, other))
    plain = render(painted, target, None)[0]
    x, y = (target[13] * painted.portrait.shape[1::-1]).astype(int)
    spot = (slice(y - 6, y + 12), slice(x - 12, x + 12))
    assert difference(frame, plain)[spot].mean() > 10


def test_shut_lips_take_nothing_from_a_reference(painted, paint_face, refer_to, any_mouth):
    """The chin may; but a mouth that hardly differs may show teeth, and these lips have to stay shut."""
    references = refer_to(painted, paint_face(gap=0.03).textured(1))

    def change(gap):
        target = painted.with_gap(gap)
        target[:, 1] += 0.01 * (np.arange(478) == 61)  # a corner moves, so that the frame is corrected
        frame, plain = refer_render(painted, target, taker(), references), render(painted, target, None)[0]
        x, y = (target[13] * painted.portrait.shape[1::-1]).astype(int)
        return difference(frame, plain)[y - 3 : y + 4, x - 12 : x + 12].mean()

    assert change(0.0) < 1 < change(0.03)


@pytest.mark.parametrize("strength", [0.0, 0.02])
def test_a_mouth_that_is_far_gives_the_same_bytes(painted, paint_face, refer_to, strength):
    target, unet = painted.with_gap(0.15), network(strength)
    with torch.no_grad():
        unet.fine.bias[16:] = 20  # it would take all
    references = refer_to(painted, paint_face(gap=0.03).textured(1))
    assert np.array_equal(refer_render(painted, target, unet, references), render(painted, target, unet)[0])


def test_what_a_near_mouth_has_between_the_lips_is_shown_whatever_the_network_says(painted, paint_face, refer_to):
    face = paint_face(gap=0.15).textured(1)
    references, plain = refer_to(painted, face), render(painted, face.landmarks, None)[0]
    frame = refer_render(painted, face.landmarks, taker(-30.0), references)
    (x, upper), (_, lower) = face.points[[13, 14]].astype(int)
    inside = difference(frame, plain)[upper + 2 : lower - 1, x - 10 : x + 10]
    chin = difference(frame, plain)[lower + 12 :]
    assert inside.mean() > 10 and chin.max() <= 1


@pytest.mark.parametrize("gap", [0.0, 0.1])
def test_own_landmarks_give_the_portrait_with_references_too(paint_face, refer_to, gap, any_mouth):
    face = paint_face(gap=gap)
    references = refer_to(face, paint_face(gap=0.02, seed=1).textured(1), paint_face(gap=0.2, seed=2))
    assert np.array_equal(refer_render(face, face.landmarks, taker(), references), face.portrait)


def test_no_landmarks_give_no_frames(painted, refer_to):
    none, references = np.empty((0, 478, 2)), refer_to(painted, painted)
    made = LearnedRenderer(taker()).render(
        painted.portrait, none, source_landmarks=painted.landmarks, references=references
    )
    assert list(made) == []


def test_a_constant_mouth_gives_constant_frames_with_references(painted, paint_face, refer_to):
    references = refer_to(painted, *(paint_face(gap=gap).textured(i) for i, gap in enumerate((0.09, 0.1, 0.11))))
    mouths = np.repeat(painted.with_gap(0.1)[None], 11, 0)
    frames = list(
        LearnedRenderer(network()).render(
            painted.portrait, mouths, source_landmarks=painted.landmarks, references=references
        )
    )
    assert max(difference(frame, frames[0]).max() for frame in frames) <= 1


@pytest.mark.parametrize("roll", [0.0, 0.5])
def test_a_reference_changes_nothing_beyond_the_crop(paint_face, refer_to, roll, any_mouth):
    face = paint_face(roll=roll)
    target = face.with_gap(0.1)
    frame = refer_render(face, target, taker(), refer_to(face, paint_face(gap=0.1).textured(1, amount=40)))
    changed = np.argwhere((frame != render(face, target, None)[0]).any(-1))[:, ::-1] + 0.5
    mouth = face.points[[61, 291]].mean(0)
    off = (changed - mouth) @ np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]]) / face.unit
    assert len(changed) > 100 and np.abs(off - (0, 0.1)).max() < 0.77


def test_a_grey_portrait_stays_grey_with_a_coloured_reference(painted, paint_face, refer_to, any_mouth):
    painted.portrait = np.repeat(painted.portrait.mean(-1, keepdims=True).astype(np.uint8), 3, -1)
    target, references = painted.with_gap(0.15), refer_to(painted, paint_face(gap=0.15))
    frame = refer_render(painted, target, taker(), references)
    plain = render(painted, target, None)[0].astype(int)
    assert np.ptp(references.pictures.astype(int), axis=-1).max() > 30 and (frame != plain).any()
    assert np.ptp(frame.astype(int), axis=-1).max() <= np.ptp(plain, axis=-1).max() + 1


def test_a_drawing_is_left_to_the_warp_with_references_too(painted, paint_face, refer_to, any_mouth):
    painted.portrait = (np.round(cv2.medianBlur(painted.portrait, 9) / 48) * 48).astype(np.uint8)
    target, references = painted.with_gap(0.15), refer_to(painted, paint_face(gap=0.15))
    assert np.array_equal(refer_render(painted, target, taker(), references), render(painted, target, None)[0])


PLACES = {  # portraits whose crop has 48, 120, 361 and 600 px
    "tiny": {"unit": 32.0, "size": (190, 170), "centre": (85.3, 64.6)},
    "usual": {"centre": (180.3, 150.7)},
    "rolled": {"roll": 0.3},
    "fine": {"unit": 240.0, "size": (1100, 1000), "centre": (500.4, 400.2)},
    "finer than the references": {"unit": 400.0, "size": (1500, 1400), "centre": (700.4, 500.2), "roll": 0.2},
}


@pytest.mark.parametrize("place", PLACES)
def test_a_reference_lies_exactly_where_it_belongs(paint_face, refer_to, place):
    """A picture of the wanted mouth at the portrait's own place is given back there, unmoved."""
    face, unit = paint_face(**PLACES[place]), PLACES[place].get("unit", 80.0)
    face, other = (
        paint_face(**PLACES[place], gap=gap).textured(seed, max(2.0, unit / 40))
        for seed, gap in enumerate((0.0, 0.15))
    )
    references = refer_to(face, other)
    frame = refer_render(face, other.landmarks, taker(), references)
    (x, y), high, wide = face.points[[13, 14]].mean(0).astype(int), int(0.12 * unit), int(0.2 * unit)
    spot = (slice(y - high, y + high), slice(x - wide, x + wide))
    ours, real, before = (
        cv2.GaussianBlur(p.mean(-1), (0, 0), 1)[spot] for p in (frame, other.portrait, face.portrait)
    )
    rows, columns = np.gradient(real)
    terms = np.stack([columns.ravel(), rows.ravel(), real.ravel(), np.ones(real.size)], 1)
    right, down, gain, _ = np.linalg.lstsq(terms, ours.ravel(), rcond=None)[0]
    limit = 0.1 if unit >= 80 else 0.2  # there are too few pixels to tell
    assert abs(right) < limit and abs(down) < limit and 0.9 < gain < 1.1
    assert np.abs(ours - real).mean() < 0.15 * np.abs(before - real).mean()


@pytest.mark.parametrize("size", [(160, 200), (250, 200)])
def test_references_for_a_mouth_at_the_edge_of_the_picture(paint_face, refer_to, size, any_mouth):
    face = paint_face(size=size, centre=(180.0, 100.0))
    target = face.with_gap(0.1)
    frame = refer_render(face, target, taker(), refer_to(face, paint_face(gap=0.1).textured(1)))
    assert frame.shape == (*size, 3) and (frame != render(face, target, None)[0]).any()


def test_parted_lips_are_their_own_reference(paint_face, refer_to, any_mouth):
    for gap, parted in ((0.0, False), (0.06, True)):
        face = paint_face(gap=gap)
        target = face.with_gap(0.12)
        frame, given = render(face, target, taker())[0], refer_render(face, target, taker(), refer_to(face, face))
        assert np.array_equal(frame, given) == parted
        assert np.array_equal(render(face, face.landmarks, taker())[0], face.portrait)


def test_half_precision_networks_take_references_too(painted, paint_face, refer_to, any_mouth):
    target, references = painted.with_gap(0.12), refer_to(painted, paint_face(gap=0.12).textured(1))
    full, half, plain = (
        refer_render(painted, target, unet, references)
        for unet in (taker(0.5), taker(0.5).to(torch.bfloat16), taker(-20.0))
    )
    assert difference(full, half).mean() < 0.1 < difference(full, plain).mean()


def test_what_the_network_sees_of_references():
    picture = np.zeros((192, 192, 3), np.uint8)
    picture[96:, :, 2] = 255
    seen = reference_input([(picture, 0.25), (picture[:96], 1.0)])
    assert seen.shape == (2, 4, 96, 96) and seen.dtype == torch.float32
    assert seen[0, 3].unique().tolist() == [0.25] and seen[1, 3].unique().tolist() == [1.0]
    assert seen[0, 2, 60, 5] == 1 and seen[0, 2, 40, 5] == -1 and (seen[0, :2] == -1).all()


def test_references_of_another_cut_are_named(painted, paint_face, refer_to):
    references = refer_to(painted, paint_face(gap=0.1))
    with pytest.raises(ValueError, match="`references`"):
        refer_render(painted, painted.with_gap(0.1), taker(sample_size=48), references)
