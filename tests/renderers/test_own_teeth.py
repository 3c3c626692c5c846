import numpy as np
import pytest

from text2lip.media.color import to_luma
from text2lip.renderers.geometric import prepare
from text2lip.renderers.mouth_correction import MouthView
from text2lip.renderers.own_teeth import match_teeth


@pytest.fixture
def teeth_of(painted, refer_to):
    """What a painted portrait's teeth are when pictures of the person are at hand."""

    def teeth(*faces):
        prepared = prepare(painted.portrait, painted.landmarks)
        view = MouthView(painted.portrait, painted.landmarks, 96, refer_to(painted, *faces))
        matched = match_teeth(prepared, view)
        return prepared, matched, matched.interior.traits.teeth

    return teeth


def test_drawn_teeth_are_as_bright_as_those_that_other_pictures_show(paint_face, teeth_of):
    lights = {}
    for light in (0.75, 1.0):
        face = paint_face(gap=0.15)
        teeth = face.portrait.min(-1) > 232
        face.portrait[teeth] = (light * face.portrait[teeth]).astype(np.uint8)
        _, matched, colour = teeth_of(face)
        target = face.with_gap(0.15)
        drawn = to_luma(matched.frame(target)[teeth])
        lights[light] = np.sort(drawn)[-len(drawn) // 4 :].mean()
        assert lights[light] == pytest.approx(240 * light, rel=0.12)
    assert lights[0.75] < 0.9 * lights[1.0]


def test_shut_lips_and_flesh_between_them_tell_nothing_of_teeth(paint_face, teeth_of):
    flesh = paint_face(gap=0.15)
    flesh.portrait[flesh.portrait.min(-1) > 232] = (140, 60, 70)
    for face in (paint_face(), flesh):
        prepared, matched, _ = teeth_of(face)
        assert matched is prepared
