import numpy as np
import pytest

from text2lip.faces.crop import crop, mouth_anchor, mouth_crop_transform, paste_back
from text2lip.faces.geometry import transform_points
from text2lip.faces.topology import MOUTH_CORNERS, OUTER_EYES, STABLE, canonical_mesh


def face(unit=100.0, centre=(256.0, 200.0)):
    """`(478, 2)` pixel landmarks of the canonical mesh, frontal."""
    mesh = canonical_mesh()[0][:, :2] * (1, -1)
    mesh = np.concatenate([mesh, np.repeat(mesh[[33]], 478 - len(mesh), 0)])
    eyes = mesh[list(OUTER_EYES)]
    return (mesh - eyes.mean(0)) * unit / np.linalg.norm(eyes[1] - eyes[0]) + centre


def moved(points, angle, scale, shift):
    turn = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return points @ turn + shift


def test_place_and_size():
    points = face()
    transform = mouth_crop_transform(points)
    inside = transform_points(transform, points)
    eyes = inside[list(OUTER_EYES)]
    assert np.isclose(np.linalg.norm(eyes[1] - eyes[0]), 96 / 1.5)
    assert np.allclose(inside[list(MOUTH_CORNERS)].mean(0), (48, 48 - 0.1 * 96 / 1.5), atol=1e-6)


def test_head_motion_is_removed_and_mouth_motion_is_not():
    still = face()
    rng = np.random.default_rng(0)
    clip, shapes = [], []
    for _ in range(20):
        shape = still.copy()
        shape[14, 1] += rng.uniform(0, 20)
        shape[list(MOUTH_CORNERS), 0] += rng.normal(0, 3)
        shapes.append(shape)
        clip.append(moved(shape, rng.normal(0, 0.1), rng.uniform(0.9, 1.1), rng.normal(0, 10, 2)))
    transforms = mouth_crop_transform(np.stack(clip))
    inside = transform_points(transforms, np.stack(clip))
    stable = inside[:, STABLE]
    assert np.abs(stable - stable.mean(0)).max() < 0.05
    lip = inside[:, 14, 1] - inside[:, 13, 1]
    assert np.corrcoef(lip, [s[14, 1] - s[13, 1] for s in shapes])[0, 1] > 0.999


def test_one_anchor_serves_two_clips():
    first, second = face(), face()
    second[list(MOUTH_CORNERS), 1] += 15
    shared = mouth_crop_transform(second, anchor=mouth_anchor(first))
    assert np.allclose(shared, mouth_crop_transform(first), atol=1e-9)
    assert not np.allclose(mouth_crop_transform(second), shared, atol=0.5)


def test_a_whole_pixel_shift_is_cut_exactly():
    image = np.random.default_rng(0).integers(0, 256, (64, 80, 3), np.uint8)
    transform = np.array([[1.0, 0, -7], [0, 1.0, -5]])
    assert np.array_equal(crop(image, transform, 32), image[5:37, 7:39])


def test_halving_is_the_mean_of_four():
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    small = crop(image, np.array([[0.5, 0, 0], [0, 0.5, 0]]), 32)
    mean = image.reshape(32, 2, 32, 2, 3).astype(float).mean((1, 3))
    assert np.abs(small - mean).max() <= 1


def test_fine_stripes_do_not_alias():
    image = np.zeros((400, 400, 3), np.uint8)
    image[:, ::2] = 200
    small = crop(image, np.array([[0.23, 0, 0], [0, 0.23, 0]]), 80)
    assert small.std() < 8 and abs(small.mean() - 100) < 3


def soft_mask(size=96):
    ramp = np.clip(np.minimum(np.arange(size), np.arange(size)[::-1]) / 20 - 0.1, 0, 1)
    return (ramp[:, None] * ramp[None]).astype(np.float32)


@pytest.mark.parametrize("unit", [40, 100, 300])
def test_paste_back_of_an_unchanged_smooth_crop(unit):
    y, x = np.mgrid[:600, :700]
    image = np.stack([x / 3, y / 3, 128 + 100 * np.sin(x / 90)], -1).clip(0, 255).astype(np.uint8)
    transform = mouth_crop_transform(moved(face(unit, (0, 0)), 0.2, 1, (350, 250)))
    pasted = paste_back(image, crop(image, transform), transform, soft_mask())
    assert np.abs(pasted.astype(int) - image).max() <= 3


def test_paste_back_touches_nothing_outside_its_mask():
    image = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    transform = mouth_crop_transform(face(90, (150, 100)))
    mask = np.zeros((96, 96), np.float32)
    mask[30:60, 30:60] = 1
    pasted = paste_back(image, np.zeros((96, 96, 3), np.uint8), transform, mask)
    back = transform_points(transform, np.stack(np.meshgrid(np.arange(300), np.arange(300)), -1) + 0.5)
    outside = ((back < 29) | (back > 61)).any(-1)
    inside = ((back > 31) & (back < 59)).all(-1)
    assert np.array_equal(pasted[outside], image[outside]) and not pasted[inside].any()


def test_paste_back_beyond_the_border():
    image = np.full((100, 100, 3), 50, np.uint8)
    transform = mouth_crop_transform(face(60, (100, 60)))
    assert paste_back(image, np.full((96, 96, 3), 90, np.uint8), transform, soft_mask()).max() == 90
    away = transform.copy()
    away[:, 2] += 1e5
    assert np.array_equal(paste_back(image, np.zeros((96, 96, 3), np.uint8), away, soft_mask()), image)


@pytest.mark.parametrize("bad", [np.zeros((3, 68, 2)), np.full((478, 2), np.nan), np.zeros((0, 478, 2))])
def test_bad_points(bad):
    with pytest.raises(ValueError, match="points"):
        mouth_crop_transform(bad)


def test_bad_size_and_mask():
    with pytest.raises(ValueError, match="size"):
        mouth_crop_transform(face(), size=0)
    with pytest.raises(ValueError, match="mask"):
        paste_back(np.zeros((9, 9, 3), np.uint8), np.zeros((8, 8, 3)), np.eye(2, 3), np.zeros((9, 9)))
