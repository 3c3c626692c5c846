"""The learned renderer: the geometric renderer's frame, corrected by a small network where that can be trusted."""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import torch

from text2lip.devices import compute_dtype, execution_device
from text2lip.faces.canonical import lip_gap
from text2lip.faces.crop import CROP_SIDE, CROP_SIZE, crop, mouth_crop_transform
from text2lip.faces.geometry import to_pixels, transform_points
from text2lip.faces.topology import DRIVEN
from text2lip.media.color import to_luma
from text2lip.renderers.base import check_landmarks
from text2lip.renderers.geometric import PreparedPortrait, prepare
from text2lip.renderers.interior import mute, palette
from text2lip.renderers.mouth_drawing import draw_mouth
from text2lip.renderers.references import MouthReferences
from text2lip.renderers.warp import smoothstep


MOTION = (0.0, 0.02)  # units that the lips have moved: below nothing is corrected, above all
FLAT = (0.20, 0.40)  # share of equal neighbours in the mouth crop: photographs have up to 0.18, cartoons 0.35 and more
INKED = (95.0, 122.0)  # 99th percentile of the Laplacian around the mouth, levels: photographs 20 to 80, pen lines 124
COLOURED = (0.5, 4.0)  # mean distance from grey, levels: a grey portrait is corrected in grey
STRANGE = (14.0, 30.0)  # mean correction of the face around the lips, levels, that is beyond belief
PAINTED = (2.0, 12.0)  # levels of change from which the paint's colours are kept to those of a mouth
OPEN = (0.005, 0.025)  # units between the lips: below nothing of them is taken from a reference, above what fits
PARTED = 0.02  # units between the lips of a portrait from which its own mouth is a reference for the others
REPAINTED = (15.0, 60.0)  # levels by which the network changes what the warp's fine detail no longer fits


class MouthView:
    """What the network sees of one portrait, and where its answer goes; read only.

    Args:
        prepared ([`PreparedPortrait`]): of the geometric renderer.
        landmarks (`np.ndarray`): `(478, 2)` float32, normalised, the portrait's own.
        size (`int`): of the crop, pixels.
        references ([`MouthReferences`], *optional*): other pictures of the person.
    """

    def __init__(
        self,
        prepared: PreparedPortrait,
        landmarks: np.ndarray,
        size: int,
        references: MouthReferences | None = None,
    ):
        self.prepared, self.size, self.references = prepared, size, references
        self.height, self.width = prepared.portrait.shape[:2]
        points = to_pixels(landmarks, self.height, self.width).astype(np.float64)
        self.matrix = mouth_crop_transform(points, size, side=CROP_SIDE * size / CROP_SIZE)
        self.points = self._driven(points)
        self.drawing = draw_mouth(self.points, size)
        self.source = crop(prepared.portrait, self.matrix, size)
        self.trust = trust(self.source)
        chroma = np.abs(self.source - to_luma(self.source)[..., None]).mean()
        self.saturation = np.float32(smoothstep(chroma, *COLOURED))
        colours = palette(prepared.portrait, prepared.points)
        self.teeth, self.warmth = colours.teeth, colours.warmth
        self.bluest = min(part[2] / max(part[1], 1.0) for part in (colours.teeth, colours.cavity))
        self._place()

    def _driven(self, points: np.ndarray) -> np.ndarray:
        return transform_points(self.matrix, points[list(DRIVEN)])

    def _place(self):
        """The part of the portrait under the crop, and the map from its pixels to the crop's."""
        back = cv2.invertAffineTransform(self.matrix)
        corners = transform_points(back, np.float64([[0, 0], [self.size, 0], [0, self.size], [self.size, self.size]]))
        x0, y0 = np.clip(np.floor(corners.min(0)), 0, [self.width, self.height]).astype(int)
        x1, y1 = np.clip(np.ceil(corners.max(0)), 0, [self.width, self.height]).astype(int)
        self.box = slice(y0, y1), slice(x0, x1)
        self.turn = back[:, :2].astype(np.float32)
        self.to_crop = self.matrix.copy()
        self.to_crop[:, 2] += self.matrix[:, :2] @ (x0 + 0.5, y0 + 0.5) - 0.5
        self.columns, self.rows = np.arange(x1 - x0, dtype=np.float32), np.arange(y1 - y0, dtype=np.float32)[:, None]

    def inputs(self, frame: np.ndarray, landmarks: np.ndarray) -> tuple:
        """Of one warped frame: its crop, both drawings `(size, size, 8)`, how far its lips have moved, 0 to 1, and
        what the references say of it, see [`MouthReferences.draw`], and where they may, `(size, size)` in [0, 1], or
        None. Lips that are shut are the portrait's own: nearness can't tell them from lips that are hardly parted."""
        points = self._driven(to_pixels(landmarks, self.height, self.width).astype(np.float64))
        drawings = np.concatenate([self.drawing, draw_mouth(points, self.size)], -1)
        reference = None
        if self.references is not None:
            lips = cv2.blur(np.maximum(drawings[..., :3], drawings[..., 4:7]).max(-1), (5, 5)) / np.float32(255)
            shut = 1 - np.float32(smoothstep(lip_gap(points) * CROP_SIDE / CROP_SIZE, *OPEN))
            reference = *self.references.draw(points, self.size), 1 - shut * lips
        return crop(frame, self.matrix, self.size), drawings, float(motion_share(points, self.points)), reference

    def correct(
        self,
        frame: np.ndarray,
        warped: np.ndarray,
        flow: np.ndarray,
        colour: np.ndarray,
        mask: np.ndarray,
        taken: np.ndarray,
        share: float,
        reference: tuple[np.ndarray, float, np.ndarray] | None = None,
    ):
        """Change `frame` in place by the network's answer, at the frame's own resolution.

        Args:
            frame (`np.ndarray`): `(height, width, 3)` uint8, the geometric renderer's.
            warped (`np.ndarray`): `(size, size, 3)` uint8, its crop.
            flow (`np.ndarray`): `(size, size, 2)` float32, pixels of the crop.
            colour (`np.ndarray`): `(size, size, 3)` float32, grey levels.
            mask (`np.ndarray`): `(size, size)` float32, where the mouth was painted anew.
            taken (`np.ndarray`): `(size, size)` float32, the reference's share.
            share (`float`): in [0, 1], of the change that is made.
            reference (`tuple`, *optional*): what the references say, of [`inputs`].
        """
        if reference is not None:
            taken = taken * reference[2]
            small = cv2.resize(reference[0], warped.shape[:2], interpolation=cv2.INTER_AREA)
            warped = warped + taken[..., None] * (small - warped.astype(np.float32))
        painted = warped + colour
        colour = colour + mask[..., None] * (self._natural(painted, warped) - painted)
        grey = to_luma(colour)[..., None]
        colour = grey + self.saturation * (colour - grey)
        share *= 1 - smoothstep(np.abs(colour).mean(where=mask[..., None] < 0.1), *STRANGE)
        if share <= 0:
            return
        repainted = mask * smoothstep(np.abs(grey[..., 0]), *REPAINTED)
        answer = np.concatenate([flow @ self.turn.T, colour, np.stack([repainted, taken], -1)], -1) * np.float32(share)
        view = frame[self.box]
        answer = self._enlarge(answer.astype(np.float32), view.shape[1::-1])
        x, y = self.columns + answer[..., 0], self.rows + answer[..., 1]
        moved = cv2.remap(view, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
        sigma = 0.5 / np.sqrt(np.linalg.det(self.matrix[:, :2]))  # of what the crop leaves of the portrait's detail
        if sigma > 0.6:
            moved += (cv2.GaussianBlur(moved, (0, 0), sigma) - moved) * answer[..., 5:6]
        if reference is not None:
            moved += (self._laid(reference[0], view.shape[1::-1]) - moved) * answer[..., 6:]
        view[:] = np.rint(moved + answer[..., 2:5]).clip(0, 255)

    def _natural(self, painted: np.ndarray, warped: np.ndarray) -> np.ndarray:
        """`painted` (size, size, 3), levels, in colours that a mouth has: none between that of the teeth, darkening
        to red as light does in there, and that of the lips; the network has seen few cameras' teeth. What is hardly
        painted stays as it is."""
        light = np.clip(painted[..., :1] / max(self.teeth[0], 1.0), 0, 1)
        natural = np.minimum(painted, np.maximum(self.teeth * light**self.warmth, warped))
        natural[..., 2] = np.maximum(natural[..., 2], self.bluest * natural[..., 1])
        change = np.abs(painted - warped).max(-1, keepdims=True)
        return painted + smoothstep(change, *PAINTED) * (natural - painted)

    def _laid(self, picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """A crop of any size (side, side, 3) at the pixels of the box, float32, as grey as the portrait."""
        zoom = self.size / len(picture)
        matrix = self.to_crop / zoom  # between pixel indices, whose centres are half a pixel off
        matrix[:, 2] += 0.5 / zoom - 0.5
        laid = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
        return laid.astype(np.float32) if self.saturation == 1 else mute(laid, self.saturation)

    def _enlarge(self, answer: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Crop pixels to the pixels of the box; zero outside of the crop."""
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        parts = [cv2.warpAffine(part, self.to_crop, size, flags=flags) for part in (answer[..., :3], answer[..., 3:])]
        return np.concatenate(parts, -1)


def motion_share(points: np.ndarray, source_points: np.ndarray) -> np.ndarray:
    """How much of its correction a frame gets: 0 where the mouth is as in the portrait, whose pixels know best.

    Args:
        points (`np.ndarray`): `(..., 57, 2)`, pixels of the crop.
        source_points (`np.ndarray`): the same of the portrait.

    Returns:
        `np.ndarray`: `(...)` in [0, 1].
    """
    return smoothstep(np.abs(points - source_points).max((-1, -2)) * CROP_SIDE / CROP_SIZE, *MOTION)


def reference_input(found: list[tuple], size: int = CROP_SIZE) -> torch.Tensor:
    """What [`MouthReferences.draw`] found for some frames, as [`LandmarkGuidedUNet`] takes it: (n, 4, size, size)."""
    pictures = np.stack([cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA) for picture, *_ in found])
    familiar = torch.tensor([share for _, share, *_ in found]).view(-1, 1, 1, 1).expand(-1, 1, size, size)
    return torch.cat([torch.from_numpy(pictures).permute(0, 3, 1, 2) / 127.5 - 1, familiar], 1)


def trust(source: np.ndarray) -> float:
    """How far a mouth crop `(size, size, 3)` uint8 looks like a photograph: 1 for one, 0 for flat areas and lines.

    The network has seen photographs only. In a drawing many pixels equal their neighbours, to half a grey level, or
    lines are thin and black.
    """
    grey = to_luma(source.astype(np.float32))
    steps = np.maximum(np.abs(np.diff(grey, axis=1))[:-1], np.abs(np.diff(grey, axis=0))[:, :-1])
    quarter = len(grey) // 4
    lines = np.abs(cv2.Laplacian(grey, cv2.CV_32F)[quarter:-quarter, quarter:-quarter])
    flat, inked = smoothstep((steps < 0.5).mean(), *FLAT), smoothstep(np.percentile(lines, 99), *INKED)
    return float((1 - flat) * (1 - inked))


class LearnedRenderer:
    """[`GeometricRenderer`] corrected by a [`LandmarkGuidedUNet`] on the lower face, at the portrait's resolution.

    The network sees a crop of 96 px; its flow, colour and mask are enlarged, so that skin and lips stay as sharp as
    the photograph. Its share fades to nothing where it is not to be trusted, and what remains is the geometric
    renderer's frame: on pictures that are no photographs, in frames where its correction is beyond belief, and where
    the lips are as in the portrait. Grey portraits stay grey. Each frame depends on its landmarks alone.

    Args:
        unet ([`LandmarkGuidedUNet`]): used where it is, or is brought by offloading, and in its own dtype.
        batch_size (`int`): frames that go through the network at once.
    """

    hears_sound = samples = False

    def __init__(self, unet: Any, batch_size: int = 8):
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be 1 or more, got {batch_size}.")
        self.unet, self.batch_size = unet, batch_size

    @property
    def takes_references(self) -> bool:
        """Whether the network sees crops of the size that other pictures are cut to by themselves, 96 px."""
        return self.unet.config.sample_size == CROP_SIZE

    def render(
        self,
        portrait: np.ndarray,
        landmarks: np.ndarray,
        *,
        source_landmarks: np.ndarray,
        fps: float = 25,
        audio_features: Any = None,
        references: MouthReferences | None = None,
        generator: Any = None,
    ) -> Iterator[np.ndarray]:
        """Yield one frame for each row of `landmarks`; see [`Renderer`] for shapes.

        `references` are other pictures of the person: lips, teeth and tongue are taken from them where they fit.
        Without any, a portrait whose lips are parted is its own. `fps`, `audio_features` and `generator` are not used.
        Input is checked at the call, before the first frame is asked for.
        """
        landmarks = check_landmarks(landmarks, "landmarks", 3)
        source_landmarks = check_landmarks(source_landmarks, "source_landmarks", 2)
        size = self.unet.config.sample_size
        if references is not None and not np.isclose(references.side, CROP_SIDE * size / CROP_SIZE):
            raise ValueError(
                f"`references` are crops of {references.side:g} outer eye distances; this network of {size} px sees "
                f"{CROP_SIDE * size / CROP_SIZE:g}: cut them so large."
            )
        prepared = prepare(portrait, source_landmarks)
        view = MouthView(prepared, source_landmarks, size, references)
        if references is None and self.takes_references and lip_gap(view.points) * CROP_SIDE / CROP_SIZE > PARTED:
            own = MouthReferences.from_frames([portrait], source_landmarks[None], portrait, source_landmarks)
            view = MouthView(prepared, source_landmarks, size, own)
        return self._frames(view, landmarks)

    def _frames(self, view: MouthView, landmarks: np.ndarray) -> Iterator[np.ndarray]:
        for start in range(0, len(landmarks), self.batch_size):
            rows = landmarks[start : start + self.batch_size]
            frames = [view.prepared.frame(row) for row in rows]
            if view.trust > 0:
                inputs = [view.inputs(frame, row) for frame, row in zip(frames, rows)]
                # a smaller batch rounds differently: the last one is filled, so that equal mouths have equal frames
                filled = inputs + inputs[-1:] * (min(self.batch_size, len(landmarks)) - len(inputs))
                for frame, answer, (warped, _, moved, reference) in zip(frames, zip(*self._ask(view, filled)), inputs):
                    if moved > 0:
                        view.correct(frame, warped, *answer, view.trust * moved, reference)
            yield from frames

    @torch.no_grad()
    def _ask(self, view: MouthView, inputs: list) -> tuple[np.ndarray, ...]:
        """The network's flow (pixels), colour (grey levels), mask and reference's share: float32, channels last."""
        warped, drawings = (self._tensor(np.stack(part)) for part in list(zip(*inputs))[:2])
        source = (2 * self._tensor(view.source[None]) - 1).expand_as(warped)
        reference = None
        if view.references is not None:
            reference = reference_input([found for *_, found in inputs], view.size).to(warped)
        answer = self.unet(source, 2 * warped - 1, drawings, reference, return_dict=False)
        flow, colour, mask, taken = (x.float().cpu().permute(0, 2, 3, 1).numpy() for x in answer)
        return flow, 127.5 * colour, mask[..., 0], taken[..., 0]

    def _tensor(self, pictures: np.ndarray) -> torch.Tensor:
        x = torch.from_numpy(pictures).to(execution_device(self.unet)).permute(0, 3, 1, 2)
        return x.to(compute_dtype(self.unet)) / 255
