"""Colours of films for an ordinary screen: high dynamic range (PQ, HLG) and wide gamuts (BT.2020, P3) to BT.709.

ITU-R BT.2100-2 gives the signals, BT.2390-10 section 5.4 the tone curve, BT.1886 the screen.
"""

from functools import cache

import numpy as np


PQ, HLG = 16, 18  # transfer characteristics as ISO/IEC 23091-2 numbers them
PRIMARIES = {
    9: ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187)),  # BT.2020, by BT.2087
    12: ((1.2249, -0.2249, 0.0), (-0.0420, 1.0420, 0.0), (-0.0196, -0.0786, 1.0983)),  # Display P3
}
"""Linear light to that of BT.709, by the number of its primaries."""
UNKNOWN = (0, 2)  # of transfers, primaries and matrix coefficients alike
LUMA_2020 = (0.2627, 0.6780, 0.0593)  # of linear light, ITU-R BT.2020
LUMA = (0.299, 0.587, 0.114)  # of what a screen shows, ITU-R BT.601: red, green, blue
PEAK, WHITE = 1000.0, 100.0  # cd/m2: the brightest of an HDR film, and of the screen that BT.1886 describes
HLG_GAMMA = 1.2  # of a screen of `PEAK`
STEPS = 4096  # of the tables


def to_luma(rgb: np.ndarray, dtype: type = np.float32) -> np.ndarray:
    """How bright colours (..., 3) look (...), by ITU-R BT.601 in the precision of `dtype`; on their own scale."""
    return rgb @ np.array(LUMA, dtype)


def pq_to_light(signal: np.ndarray) -> np.ndarray:
    """PQ signal in [0, 1] to light in cd/m2 (BT.2100 table 4, EOTF)."""
    power = np.asarray(signal, np.float64) ** (1 / 78.84375)
    return 10000 * (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)


def light_to_pq(light: np.ndarray) -> np.ndarray:
    """Light in cd/m2 to the PQ signal (BT.2100 table 4, inverse EOTF)."""
    power = (np.asarray(light, np.float64) / 10000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def hlg_to_scene(signal: np.ndarray) -> np.ndarray:
    """HLG signal in [0, 1] to the scene's light in [0, 1] (BT.2100 table 5, inverse OETF)."""
    signal = np.asarray(signal, np.float64)
    return np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12)


def tone_curve(light: np.ndarray) -> np.ndarray:
    """Light of a screen of `PEAK`, cd/m2, on one of `WHITE`: the same in the shadows, rolled off above, what is over
    `PEAK` cut off (BT.2390 section 5.4.1)."""
    full = light_to_pq(PEAK)
    level, most = light_to_pq(np.minimum(light, PEAK)) / full, light_to_pq(WHITE) / full
    knee = 1.5 * most - 0.5
    t = np.clip((level - knee) / (1 - knee), 0, 1)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * most
    return pq_to_light(np.where(level < knee, level, spline) * full)


def needs_conversion(transfer: int, primaries: int) -> bool:
    """Whether a film with these characteristics looks wrong when its RGB is taken for that of BT.709."""
    return transfer in (PQ, HLG) or primaries in PRIMARIES


def to_standard(rgb: np.ndarray, transfer: int, primaries: int) -> np.ndarray:
    """An HDR or wide-gamut picture, uint16 (height, width, 3), as an ordinary screen shows it: uint8, BT.709.

    The brightest of the three colours is put through [`tone_curve`] and the others scaled alike, so that hues stay.
    Other transfer characteristics than PQ and HLG count as BT.1886; HDR without colour primaries is BT.2020.
    """
    import cv2

    signal, tables = rgb >> 4, _tables()
    if transfer == PQ:
        linear = tables["pq"][signal] * tables["pq_gain"][signal.max(-1)][..., None]
    elif transfer == HLG:
        scene = tables["hlg"][signal]
        luminance = np.maximum(scene @ np.float32(LUMA_2020), 1e-6)
        display = PEAK * luminance ** (HLG_GAMMA - 1)
        light = display * scene.max(-1)
        steps = np.rint(np.sqrt(np.minimum(light / PEAK, 1)) * (STEPS - 1)).astype(np.uint16)
        linear = scene * (display * tables["gain"][steps])[..., None]
    else:
        linear = tables["screen"][signal]
    if primaries in PRIMARIES or (transfer in (PQ, HLG) and primaries in UNKNOWN):
        linear = cv2.transform(linear, np.float32(PRIMARIES.get(primaries, PRIMARIES[9])))
    return tables["codes"][np.rint(np.sqrt(linear.clip(0, 1)) * (STEPS - 1)).astype(np.uint16)]


@cache
def _tables() -> dict[str, np.ndarray]:
    """Light of signals; how much of a cd/m2 [`tone_curve`] leaves, in units of `WHITE`, of PQ signals and in steps of
    the root of light; the codes of BT.1886 in such steps."""
    steps = np.arange(STEPS) / (STEPS - 1)
    pq, light = np.maximum(pq_to_light(steps), 1e-4), PEAK * np.maximum(steps, 1e-3) ** 2
    return {
        "pq": np.float32(pq),
        "pq_gain": np.float32(tone_curve(pq) / pq / WHITE),
        "gain": np.float32(tone_curve(light) / light / WHITE),
        "hlg": np.float32(hlg_to_scene(steps)),
        "screen": np.float32(steps**2.4),
        "codes": np.rint(255 * steps ** (2 / 2.4)).astype(np.uint8),
    }
