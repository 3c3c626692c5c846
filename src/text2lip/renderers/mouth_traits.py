"""What one person's mouth looks like in the light of one portrait: a few numbers that the drawn mouth is made from."""

from dataclasses import dataclass

import cv2
import numpy as np

from text2lip.faces.regions import pixels_within
from text2lip.faces.topology import (
    EYE_HEXAGONS,
    FACE_OVAL,
    INNER_LOWER,
    INNER_UPPER,
    MIDFACE,
    NOSE_BASE,
    OUTER_LOWER,
    OUTER_UPPER,
)
from text2lip.media.color import to_luma
from text2lip.renderers.head_view import ANCHORED, head_view
from text2lip.renderers.warp import FaceFrame, smoothstep


# By eye, but the tongue's light, which was chosen with the scene's light, see `mouth_scene.py`, and what was fitted to
# people who may be trained on: the softness of films, on 28 who talk and one talker of GRID; luma of teeth, on 177 who
# smile: a factor, a little less than theirs, then powers of that of the skin, of the whites of the eyes and of the
# face's bright places, which add up to less than 1, as dark skin's teeth are less dark;
TEETH_LUMA, EYE_WHITE, BRIGHT = (4.75, 0.307, 0.310, 0.105), 97, 97  # percentiles of the last two
LIT_LIPS = 1.3  # of the skin's luma, from which the mouth lies in a brighter light than the rest of the face
LEAST_WHITE = 0.9  # luma of an eye's white beside skin; less is shade or a shut eye
SOFT_FILM, DULL = 0.008, 55.0  # softness, units, from which teeth are duller, and the powers of e by which for a unit
TEETH_TINT, WHITEST = (0.2, 0.4, 0.4), 90  # shares of the tints of skin, of the eyes' whites, of teeth; percentile
ENAMEL = (0.9, 1.05, 1.0)  # tint of teeth beside the light's, which the scene reddens; in soft films lips' red spreads
REDDEST = 1.2  # red beside green, of nine in ten people's
REDDENED = (0.008, 0.011)  # over them: softness, units
MOST_OF_SKIN, MOST_OF_LIPS = 2.08, 3.0  # of their luma, where the light is uneven
NARROW, NARROW_GAP = (0.7, 0.3), (0.0, 0.05)  # light between lips that touch, how much more, from which gaps on
UNSHADED = 1.05  # of teeth in the shadow of lips, in the mean
TEETH_LEVEL, OWN_LUMA = 245, (0.7, 1.5)  # the brightest; own teeth beside what these two lead to expect
FLESH = (0.8, 0.2)  # shares of the lips' colour and of the skin's in that of gums and tongue
GUMS, TONGUE, CAVITY = 1.0, 0.8, 0.42  # how light they are beside it
OWN_TINT = 0.03, 0.12  # of seen teeth: none and all, by how far the lips that redden them are apart, units
COLOURED_LIPS = 0.3  # saturation of lips from which a picture is one in colour
WARMTH = 0.7  # how much redder the inside of the mouth is where it is dark
EDGES, CROWNS = (0.18, 0.48), (1.0, 1.3)  # what is believed of the edge and of the crowns
RESTING, SMILED = 0.05, 0.055  # teeth below a lip at rest, and more below a smile:
SMILE, PARTING = (0.60, 0.76), (0.02, 0.08)  # mouths so wide, and so open, units
PROFILE, ASIDE = 48, 0.06  # samples across the opening, from where to where, and units to either side
OVERRUN = 0.15  # of the gap, that the samples go beyond the lips
TOOTH_FALL, TOOTH_DIP, TOOTH_RED = 0.72, 0.94, 0.5  # of its luma, where it ends; of the way to lips' redness
GREY_LIPS = 0.02  # redness of lips, up to which only what is brightest is believed to be teeth
UPPER_ROW = 0.45  # of what is brightest below it, in the sun
CROWN = 0.11  # units, of the upper incisors' crowns
TOOTH_LEAST = 0.025  # units of an opening, and of what is seen of a tooth


@dataclass(frozen=True, eq=False)
class MouthTraits:
    """A person's mouth in the light of a portrait. Colours are RGB in 0..255 as the portrait would show them in its
    full light, in front; float32 `(3,)`. A unit is the distance of the outer eye corners in space.

    Attributes:
        teeth: colour of the upper incisors.
        gums: colour of the gums.
        tongue: colour of the tongue.
        cavity: colour of the depth of the mouth.
        edge: how far below the base of the nose the upper incisors end, units; 0.26 on the head they are taken from.
        arch: width of the dental arch beside that head's, 0.8 to 1.2.
        crown: height of the crowns beside that head's, 0.7 to 1.3.
        light: where most light comes from, `(3,)`: right of the picture, down, towards the viewer; length 1. This, the
            next and `arch` aren't read from a portrait: they are an average's, unless a caller gives others.
        directed: share of the light that comes from there, in [0, 1]; the rest comes from everywhere.
        saturation: 1 for a colour picture, 0 for a grey one.
        softness: by how much the portrait is blurred, a standard deviation in pixels.
    """

    teeth: np.ndarray
    gums: np.ndarray
    tongue: np.ndarray
    cavity: np.ndarray
    edge: float = 0.26
    arch: float = 1.0
    crown: float = 1.0
    light: tuple[float, float, float] = (0.0, -0.5, 0.866)
    directed: float = 0.4
    saturation: float = 1.0
    softness: float = 0.0

    @property
    def warmth(self) -> np.ndarray:
        """Exponents of the light in red, green and blue: what little light is left has bounced off red flesh."""
        return 1 + WARMTH * (1 - self.cavity / max(float(self.cavity.max()), 1.0))


def mute(colours: np.ndarray, saturation: float) -> np.ndarray:
    """`colours` (..., 3) as grey as a portrait is: 1 leaves them, 0 takes all colour."""
    grey = to_luma(colours)[..., None]
    return grey + saturation * (colours - grey)


def mouth_traits(
    portrait: np.ndarray, points: np.ndarray, frame: FaceFrame, edges: tuple[np.ndarray, np.ndarray]
) -> MouthTraits:
    """Estimate a person's mouth: from its teeth where they are seen, else from what skin and lips lead to expect.

    Args:
        portrait (`np.ndarray`): `(height, width, 3)` uint8.
        points (`np.ndarray`): `(478, 2)` pixel landmarks.
        frame ([`FaceFrame`]): of the face.
        edges (`tuple`): of [`lip_edges`].
    """
    skin = np.median(pixels_within(portrait, points[list(MIDFACE)]), 0)
    lips = np.median(pixels_within(portrait, points[list(OUTER_LOWER + INNER_LOWER[::-1])]), 0)
    luma = max(float(to_luma(skin)), 1.0)
    eyes = np.concatenate([pixels_within(portrait, points[list(contour)]) for contour in EYE_HEXAGONS])
    white, bright = to_luma(eyes), np.percentile(to_luma(pixels_within(portrait, points[list(FACE_OVAL)])), BRIGHT)
    soft = softness(portrait, points)
    factor, *powers = TEETH_LUMA
    seen = luma, max(np.percentile(white, EYE_WHITE), LEAST_WHITE * luma), bright
    expected = factor * np.prod(seen ** np.array(powers))
    expected *= np.exp(-DULL * max(soft / frame.unit - SOFT_FILM, 0.0))
    whitest = eyes[white >= np.percentile(white, WHITEST)].mean(0)
    saturation = float(np.clip(np.ptp(lips) / max(lips.max(), 1) / COLOURED_LIPS, 0, 1))
    clear = saturation * (1 - smoothstep(soft / frame.unit, *REDDENED))
    tints = skin / luma, whitest / max(float(to_luma(whitest)), 1.0), 1 + clear * (np.array(ENAMEL) - 1)
    tints[1][:] = np.clip(tints[1], np.minimum(tints[0], 1), np.maximum(tints[0], 1))  # no bluish, no bloodshot teeth
    tint = sum(share * colour for share, colour in zip(TEETH_TINT, tints))
    tint[0] = min(tint[0], REDDEST * tint[1])
    lit = max(luma, float(to_luma(lips)) / LIT_LIPS)
    expected *= np.sqrt(lit / luma)
    expected = min(expected, TEETH_LEVEL, MOST_OF_SKIN * lit, MOST_OF_LIPS * float(to_luma(lips)) + 4)
    teeth = expected * tint / to_luma(tint)
    flesh = FLESH[0] * lips + to_luma(FLESH[1] * lips) / luma * skin
    view = head_view(points, 0.0)
    upper, nose = points[INNER_UPPER[5]] + edges[0][5], points[NOSE_BASE]
    width = float(np.linalg.norm(points[OUTER_UPPER[-1]] - points[OUTER_UPPER[0]])) / view.scale
    gap = float((points[INNER_LOWER[5]] + edges[1][5] - upper) @ frame.down) / frame.unit
    smile = float(smoothstep(width, *SMILE) * smoothstep(gap, *PARTING))
    deep = ANCHORED[NOSE_BASE][2]
    edge = view.below(nose, upper, ANCHORED[INNER_UPPER[5]][2] - deep) + RESTING + SMILED * smile
    crown, shown = 1.0, visible_teeth(portrait, points, frame, edges)
    if shown is not None:
        own, lowest, high = shown
        own = own / narrow_light(gap)
        own = mixed_tint(own, tint, float(smoothstep(gap, *OWN_TINT)))
        crown = float(np.clip(high * frame.unit / view.scale / CROWN, *CROWNS))
        teeth = own * np.clip(to_luma(own), *(to_luma(teeth) * np.array(OWN_LUMA))) / max(float(to_luma(own)), 1.0)
        edge = view.below(nose, lowest, -deep)
    return MouthTraits(
        teeth=np.float32(UNSHADED * teeth),
        gums=np.float32(GUMS * flesh),
        tongue=np.float32(TONGUE * flesh),
        cavity=np.float32(CAVITY * flesh),
        edge=float(np.clip(edge, *EDGES)),
        crown=crown,
        saturation=saturation,
        softness=soft,
    )


def mixed_tint(colour: np.ndarray, tint: np.ndarray, share: float) -> np.ndarray:
    """A colour `(3,)` as light as it is, but only to `share` in [0, 1] of its own tint and else of `tint` `(3,)`."""
    luma = float(to_luma(colour))
    return (1 - share) * luma / float(to_luma(tint)) * tint + share * colour


def narrow_light(gap: float) -> float:
    """Share of the light that falls through lips `gap` units apart."""
    return NARROW[0] + NARROW[1] * float(smoothstep(gap, *NARROW_GAP))


def softness(picture: np.ndarray, points: np.ndarray) -> float:
    """By how much a face is blurred: the standard deviation of a Gaussian, pixels.

    The gradient energy of an edge falls with the width of its blur; so what a known blur more leaves of it tells how
    wide it was.

    Args:
        picture (`np.ndarray`): `(height, width, 3)` uint8.
        points (`np.ndarray`): `(478, 2)` pixel landmarks.
    """
    oval = points[list(FACE_OVAL)]
    low, high = np.maximum(np.floor(oval.min(0)), 0).astype(int), np.maximum(np.ceil(oval.max(0)), 1).astype(int)
    luma = to_luma(picture[low[1] : high[1], low[0] : high[0]]).astype(np.float32)
    face = np.zeros(luma.shape, np.uint8)
    if min(face.shape) < 3:
        return 0.0
    cv2.fillPoly(face, [np.rint(oval - low).astype(np.int32)], 1)
    energies = [
        sum(cv2.mean(step**2, face)[0] for step in np.gradient(image))
        for image in (luma, cv2.GaussianBlur(luma, (0, 0), 1))
    ]
    left = min(energies[1] / max(energies[0], 1e-6), 0.95)
    return left / float(np.sqrt(1 - left**2))


def visible_teeth(
    portrait: np.ndarray, points: np.ndarray, frame: FaceFrame, edges: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, float] | None:
    """Colour `(3,)` of a portrait's upper incisors, the pixel `(2,)` where they end, and how much of their height is
    seen, units; None where none are seen.

    Along the middle of the opening a tooth is the brightest place that is not as red as lips, or the one above a dip
    over that; it ends where luma falls or redness grows.
    """
    upper, lower = points[INNER_UPPER[5]] + edges[0][5], points[INNER_LOWER[5]] + edges[1][5]
    gap = float((lower - upper) @ frame.down) / frame.unit
    if gap < TOOTH_LEAST:
        return None
    along = np.linspace(-OVERRUN, 1 + OVERRUN, PROFILE)[:, None, None]
    across = np.linspace(-ASIDE, ASIDE, 9)[None, :, None] * frame.unit * frame.right
    places = np.float32(upper + (lower - upper) * along + across)
    profile = cv2.remap(portrait, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).mean(1)
    luma, red = to_luma(profile), (profile[:, 0] - profile[:, 1]) / (profile.sum(1) + 1)
    lips = float(np.median(np.concatenate([red[:5], red[-5:]])))
    inner = slice(PROFILE // 8, -PROFILE // 8)
    best = inner.start + int(np.convolve(luma, np.ones(3) / 3, "same")[inner].argmax())
    deepest = np.minimum.accumulate(luma[best::-1])[::-1]  # from each place down to the brightest
    upper_row = (luma[: best + 1] > UPPER_ROW * luma[best]) & (deepest < TOOTH_DIP * luma[: best + 1])
    upper_row &= (red[: best + 1] < TOOTH_RED * lips) & (np.arange(best + 1) >= inner.start)
    if upper_row.any() and lips > GREY_LIPS:  # then that is the lower row, or a lip in the sun
        best = int(np.where(upper_row, luma[: best + 1], 0).argmax())
    tooth = (luma > TOOTH_FALL * luma[best]) & (red < red[best] + TOOTH_RED * (lips - red[best]))
    below = np.maximum.accumulate(luma[::-1])[::-1]  # lower teeth, beyond a dip where they meet the upper ones
    met = (luma < np.roll(luma, 1)) & (luma <= np.roll(luma, -1)) & (luma < TOOTH_DIP * np.minimum(luma[best], below))
    ends = np.flatnonzero(~tooth | met)
    last = int(ends[ends > best].min(initial=PROFILE - 1))
    first = int(ends[ends < best].max(initial=0))
    high = (last - first) / (PROFILE - 1) * (1 + 2 * OVERRUN) * gap
    dark = float(luma[best]) < 1.05 * float(np.median(np.concatenate([luma[:5], luma[-5:]])))
    low = first > PROFILE // 2  # only a lower row is seen
    if low or red[best] > 0.6 * lips or high < TOOTH_LEAST or (dark and red[best] > 0.4 * lips):
        return None
    own, bright = profile[first + 1 : last], luma[first + 1 : last]
    return own[bright >= np.median(bright)].mean(0), places[last].mean(0), high  # lips' colour spreads over the rest
