"""Teeth of the drawn mouth as bright as other pictures of the person show them."""

from dataclasses import replace

import cv2
import numpy as np

from text2lip.faces.canonical import lip_gap
from text2lip.faces.crop import CROP_SIDE, CROP_SIZE
from text2lip.faces.geometry import transform_points
from text2lip.faces.topology import DRIVEN
from text2lip.media.color import to_luma
from text2lip.renderers.geometric import PreparedPortrait
from text2lip.renderers.mouth_correction import MouthView
from text2lip.renderers.mouth_drawing import draw_mouth
from text2lip.renderers.mouth_scene import MouthScene
from text2lip.renderers.photograph import photographic


# By eye, on films.
MATCHED_GAP, MATCHED_PIXELS = 0.04, 8  # units between the lips, and pixels of the crop: mouths that are looked at
BRIGHTEST = 0.25  # share of what is between the lips that is taken for teeth
TOO_RED = 0.7  # of the lips' redness, from which it isn't
MATCHED_QUANTILE = 0.75  # of the pictures: in the others lips hide teeth that the scene shows, or a tongue does
MATCHED_NOISE = 4.0  # grey levels that are added before colours are compared
DIMMEST, BRIGHTEST_GAIN = 0.5, 1.8  # by which teeth are changed
MATCHED_TINT = 1.12  # by which one colour is, more than all


def match_teeth(prepared: PreparedPortrait, view: MouthView) -> PreparedPortrait:
    """A portrait whose drawn teeth are as bright as those that the view's references show, each in such an opening.

    How bright teeth are hangs on a person, and on how much light a film lets into a narrow mouth. So each reference's
    mouth is drawn, and what is brightest between its lips compared.

    Args:
        prepared ([`PreparedPortrait`]): of the geometric renderer.
        view ([`MouthView`]): of the same portrait, with references.

    Returns:
        [`PreparedPortrait`]: a new one, or `prepared` where no reference shows teeth, or of a drawing.
    """
    height, width = prepared.portrait.shape[:2]
    to_portrait = cv2.invertAffineTransform(view.crop.matrix)
    gains, share = [], photographic(view.source)
    for picture, points in zip(view.references.pictures, view.references.points):
        points = points * (view.size / view.references.side)
        *lips, inside, _ = np.moveaxis(draw_mouth(points, view.size) == 255, -1, 0)
        gap = lip_gap(points) * CROP_SIDE / CROP_SIZE
        if gap < MATCHED_GAP or inside.sum() < MATCHED_PIXELS or not (lips[0] | lips[1]).any():
            continue
        picture = cv2.resize(picture, (view.size, view.size), interpolation=cv2.INTER_AREA)
        shown = _brightest(picture[inside])
        if _redness(shown) > TOO_RED * _redness(picture[lips[0] | lips[1]].mean(0)):
            continue
        landmarks = (prepared.points + 0.5) / np.float32([width, height])
        landmarks[list(DRIVEN)] = transform_points(to_portrait, points) / (width, height)
        drawn = _brightest(view.crop.cut(prepared.frame(np.float32(landmarks)))[inside])
        gains.append(np.log((shown + MATCHED_NOISE) / (drawn + MATCHED_NOISE)))
    if not gains or share == 0:
        return prepared
    gain = np.exp(share * np.quantile(gains, MATCHED_QUANTILE, 0))
    light = np.clip(to_luma(gain), DIMMEST, BRIGHTEST_GAIN)
    traits = prepared.interior.traits
    teeth = np.minimum(traits.teeth * np.clip(gain, light / MATCHED_TINT, light * MATCHED_TINT), 255)
    scene = MouthScene(replace(traits, teeth=np.float32(teeth)), prepared.points, prepared.face)
    return replace(prepared, interior=scene)


def _brightest(colours: np.ndarray) -> np.ndarray:
    """Mean of the brightest of `colours` (n, 3)."""
    order = np.argsort(to_luma(colours))
    return colours[order[-max(int(BRIGHTEST * len(colours)), 1) :]].astype(np.float64).mean(0)


def _redness(colour: np.ndarray) -> float:
    return float((colour[0] - colour[1]) / (colour.sum() + 12))
