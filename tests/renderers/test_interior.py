import numpy as np
import pytest

from text2lip.faces.geometry import to_indices
from text2lip.renderers.interior import mouth_interior, palette
from text2lip.renderers.sprites import place, sprites, tooth_colour
from text2lip.renderers.warp import face_frame


@pytest.fixture
def interior(painted):
    points = to_indices(painted.landmarks, *painted.portrait.shape[:2])
    return mouth_interior(painted.portrait, points, face_frame(points)), points


def draw(interior, points, drop, gap=0.2):
    x, y = points[13].astype(int)
    box = (x - 20, y - 14, x + 21, y + 26)
    return interior.draw(box, np.ones((40, 41), np.float32), gap, drop)


def test_upper_teeth_stay_and_lower_teeth_go_with_the_jaw(interior):
    interior, points = interior
    bite = int(14 + interior.frame.pixels([0.0, interior.bite])[1] - points[13, 1])
    shut, wide = (draw(interior, points, drop) for drop in (0.1, 0.2))
    assert np.abs(shut[bite - 5 : bite - 1] - wide[bite - 5 : bite - 1]).max() < 12
    assert np.abs(shut[bite + 5 : bite + 20] - wide[bite + 5 : bite + 20]).max() > 40


def test_the_lower_teeth_move_as_far_as_the_jaw(interior):
    interior, points = interior
    unit = interior.frame.unit

    def lower_edge(drop):
        column = draw(interior, points, drop)[:, 22].sum(1)
        return np.diff(column)[24:].argmax() if drop > 0.2 else np.diff(column)[18:].argmax() - 6

    assert abs((lower_edge(0.23) - lower_edge(0.15)) - 0.08 * unit) <= 2


def test_a_narrow_gap_is_darker(interior):
    interior, points = interior
    assert draw(interior, points, 0.1, gap=0.01).mean() < 0.7 * draw(interior, points, 0.1, gap=0.1).mean()


def test_colours_follow_the_light(painted):
    points = to_indices(painted.landmarks, *painted.portrait.shape[:2])
    day = palette(painted.portrait, points)
    warm = palette((painted.portrait * np.array([1.0, 0.8, 0.6])).astype(np.uint8), points)
    night = palette(painted.portrait // 3, points)
    grey = palette(np.repeat(painted.portrait.mean(-1, keepdims=True).astype(np.uint8), 3, -1), points)
    assert day.teeth.min() > day.cavity.max() and day.saturation == 1
    assert warm.teeth[2] / warm.teeth[0] < 0.85 * day.teeth[2] / day.teeth[0]
    assert night.teeth.mean() < 0.45 * day.teeth.mean()
    assert (
        grey.saturation == 0
        and np.ptp(grey.teeth) < 1
        and np.ptp(grey.tint(sprites()["tongue"].image)[..., :3], -1).max() < 1
    )


def test_sprites():
    parts = sprites()
    assert set(parts) == {"upper_teeth", "lower_teeth", "tongue"}
    assert parts["upper_teeth"].share == 0 and parts["lower_teeth"].share == 1
    for part in parts.values():
        assert part.image.max() <= 1 and (part.image[..., :3] <= part.image[..., 3:] + 1e-6).all()
        assert not part.image.flags.writeable
        assert not part.image[[0, -1], :, 3].any()
    red, green, blue = tooth_colour()
    assert red > green > blue > 0.4


@pytest.mark.parametrize("density", [20, 100, 320])
def test_a_placed_sprite_keeps_its_size(density):
    upper = sprites()["upper_teeth"]
    axis = np.arange(-0.4, 0.4, 1 / density)
    area = place(upper, axis, axis, density)[..., 3].sum() / density**2
    assert np.isclose(area, upper.image[..., 3].sum() / upper.density**2, rtol=0.04)
