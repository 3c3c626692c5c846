import cv2
import numpy as np
import pytest
import torch

from text2lip.faces.canonical import to_pixels
from text2lip.faces.crop import crop, mouth_crop_transform
from text2lip.models.landmark_unet import LandmarkGuidedUNet
from text2lip.renderers import GeometricRenderer, LearnedRenderer
from text2lip.renderers.learned import trust


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


def test_trust_in_photographs_alone(portrait):
    from text2lip import FaceLandmarker

    landmarks = FaceLandmarker.from_builtin().locate(portrait)
    points = to_pixels(landmarks, *portrait.shape[:2])[:, :2]
    seen = crop(portrait, mouth_crop_transform(points))
    assert trust(seen) == 1
    assert trust((seen // 64 * 64).astype(np.uint8)) < 0.1
    inked = seen.copy()
    for row in range(30, 70, 8):
        cv2.line(inked, (20, row), (76, row), (0, 0, 0), 1)
    assert trust(inked) < 0.1


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
    assert difference(frame, plain)[spot].max() > 0
    assert frame[spot].astype(float).std() > 0.8 * plain[spot].astype(float).std()


def test_half_precision_networks_are_used_as_they_are(painted):
    target = painted.with_gap(0.12)
    full = render(painted, target, network())[0]
    half = render(painted, target, network().to(torch.bfloat16))[0]
    assert difference(full, half).mean() < 0.2


def test_a_mouth_at_the_edge_of_the_picture(paint_face):
    face = paint_face(size=(250, 200), centre=(180.0, 150.0))
    assert render(face, face.with_gap(0.1), network())[0].shape == (250, 200, 3)


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
