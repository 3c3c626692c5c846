"""A painted face whose landmarks are known exactly: the canonical mesh, drawn."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest

from text2lip.faces.topology import (
    FACE_OVAL,
    INNER_LIP_CONTOUR,
    INNER_LOWER,
    INNER_UPPER,
    JAW,
    LEFT_EYE,
    LEFT_IRIS,
    OUTER_LIP_CONTOUR,
    OUTER_LOWER,
    RIGHT_EYE,
    RIGHT_IRIS,
    canonical_mesh,
)
from text2lip.renderers.mouth_references import MouthReferences


SKIN, LIP, TOOTH, BACKGROUND = (205, 160, 140), (170, 70, 80), (245, 245, 240), (60, 90, 120)


@dataclass
class PaintedFace:
    portrait: np.ndarray
    points: np.ndarray  # (478, 2) continuous pixels
    unit: float

    @property
    def landmarks(self):
        return self.normalised(self.points)

    def normalised(self, points):
        height, width = self.portrait.shape[:2]
        return (points / (width, height)).astype(np.float32)

    def with_gap(self, gap, jaw=0.4):
        """Landmarks with the inner lips `gap` units apart: the upper lip does a fifth of it, the chin follows."""
        points = self.points.copy()
        bow = np.sin(np.linspace(0, np.pi, 11))
        now = (points[list(INNER_LOWER)] - points[list(INNER_UPPER)])[:, 1]
        more = gap * self.unit * bow - now
        for row, share in ((INNER_UPPER, -0.2), (INNER_LOWER, 0.8), (OUTER_LOWER, 0.8)):
            points[list(row), 1] += share * more
        points[list(JAW), 1] += jaw * more[5] * np.sin(np.linspace(0, np.pi, 17))
        return self.normalised(points)

    def textured(self, seed, sigma=3.0, amount=20.0):
        """The same face with soft blotches all over it, so that every place can be told from the next."""
        noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 1, self.portrait.shape[:2]), (0, 0), sigma)
        noise *= amount / noise.std()
        return replace(self, portrait=(self.portrait + noise[..., None]).clip(0, 255).astype(np.uint8))


def refer(portrait, *faces) -> MouthReferences:
    """References of a painted portrait: other painted faces of the same person."""
    landmarks = np.stack([face.landmarks for face in faces])
    return MouthReferences.from_frames([f.portrait for f in faces], landmarks, portrait.portrait, portrait.landmarks)


def _mesh():
    mesh = canonical_mesh()[0].astype(np.float64) * (1, -1, -1)
    return np.concatenate([mesh, np.repeat(mesh[[33]], 478 - len(mesh), 0)])


def paint(unit=80.0, size=(400, 360), centre=(180.0, 150.0), roll=0.0, yaw=0.0, gap=0.0, seed=0) -> PaintedFace:
    """Paint a face with skin, red lips, eyes and, where the lips are `gap` units apart, bright teeth."""
    mesh = _mesh()
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    span = np.linalg.norm(mesh[263] - mesh[33])
    points = (mesh @ turn.T)[:, :2] / span * unit
    points -= points[[33, 263]].mean(0)
    middle = 0.5 * (points[list(INNER_UPPER)] + points[list(INNER_LOWER)])
    bow = (np.sin(np.linspace(0, np.pi, 11)) ** 0.7)[:, None] * (0, unit * gap / 2)
    points[list(INNER_UPPER)], points[list(INNER_LOWER)] = middle - bow, middle + bow
    points = points @ np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]]) + centre
    picture = np.full((*size, 3), BACKGROUND, np.uint8)
    for contour, colour in (
        (FACE_OVAL, SKIN),
        (RIGHT_EYE, (230, 230, 230)),
        (LEFT_EYE, (230, 230, 230)),
        (OUTER_LIP_CONTOUR, LIP),
        *([(INNER_LIP_CONTOUR, TOOTH)] if gap else []),
    ):
        corners = np.round((points[list(contour)] - 0.5) * 16).astype(np.int32)
        cv2.fillPoly(picture, [corners], colour, cv2.LINE_AA, shift=4)
    noise = np.random.default_rng(seed).normal(0, 3, picture.shape[:2])[..., None]
    return PaintedFace((picture + noise).clip(0, 255).astype(np.uint8), points, unit)


def paint_looking() -> PaintedFace:
    """A painted face with dark irises."""
    face = paint()
    for first, eye in ((RIGHT_IRIS, RIGHT_EYE), (LEFT_IRIS, LEFT_EYE)):
        middle = face.points[list(eye)].mean(0)
        face.points[first] = middle
        face.points[first + 1 : first + 5] = middle + 3 * np.array([(1, 0), (0, 1), (-1, 0), (0, -1)])
        cv2.circle(face.portrait, tuple(middle.astype(int).tolist()), 3, (40, 25, 20), -1, cv2.LINE_AA)
    return face


@pytest.fixture
def painted():
    return paint()


@pytest.fixture(scope="session")
def paint_face():
    return paint


@pytest.fixture(scope="session")
def paint_looking_face():
    return paint_looking


@pytest.fixture
def refer_to():
    return refer
