"""The learned renderer: the geometric renderer's frame, corrected by a small network where that can be trusted."""

from collections.abc import Iterator
from threading import Lock
from typing import Any

import cv2
import numpy as np
import torch

from text2lip.ahead import map_ahead
from text2lip.devices import compute_dtype, execution_device, inference_autocast
from text2lip.faces.crop import CROP_SIDE, CROP_SIZE
from text2lip.renderers.base import check_landmarks, check_tongue
from text2lip.renderers.geometric import BETWEEN_TEETH, PreparedPortrait, prepare
from text2lip.renderers.mouth_correction import Answer, FrameMouth, MouthCorrection, MouthView
from text2lip.renderers.mouth_references import MouthReferences
from text2lip.renderers.own_teeth import match_teeth
from text2lip.renderers.photograph import photographic


PARTED = 0.02  # units between the lips of a portrait from which its mouth is a reference for the others; by eye


def reference_input(found: list[tuple], size: int = CROP_SIZE) -> torch.Tensor:
    """What [`MouthReferences.draw`] found for some frames, as [`LandmarkGuidedUNet`] takes it: (n, 4, size, size)."""
    pictures = np.stack([cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA) for picture, *_ in found])
    near = torch.tensor([share for _, share, *_ in found], dtype=torch.float32).view(-1, 1, 1, 1)
    pictures = (torch.from_numpy(pictures).permute(0, 3, 1, 2) / 127.5 - 1) * (near > 0)
    return torch.cat([pictures, near.expand(-1, 1, size, size)], 1)


class LearnedRenderer:
    """[`GeometricRenderer`] corrected by a [`LandmarkGuidedUNet`] on the lower face, at the portrait's resolution.

    The network sees a crop of 96 px; its flow, colour and mask are enlarged, so that skin and lips stay as sharp as
    the photograph. Its share fades to nothing where it is not to be trusted, and what remains is the geometric
    renderer's frame: on pictures that are no photographs, in frames where its correction is beyond belief, and where
    the lips are as in the portrait. Grey portraits stay grey. Without references each frame depends on its landmarks
    and tongue alone.

    Args:
        unet ([`LandmarkGuidedUNet`]): used where it is, or is brought by offloading, and in its own dtype.
        batch_size (`int`): frames that go through the network at once.
    """

    hears_sound = samples = False
    shows_tongue = True

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
        tongue: np.ndarray | None = None,
    ) -> Iterator[np.ndarray]:
        """Yield one frame for each row of `landmarks`; see [`Renderer`] for shapes.

        `references` are other pictures of the person: lips, teeth and tongue are taken from them where they fit, at
        most one picture at a time; `fps` says how fast one is faded into another. Without any, a portrait whose lips
        are parted is its own. `audio_features` and `generator` are not used. Input is checked at the call, before the
        first frame is asked for.
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
        view = MouthView(prepared.portrait, source_landmarks, size, references)
        if references is not None:
            prepared = match_teeth(prepared, view)
        tongue = check_tongue(tongue, len(landmarks))
        itself = references is None and self.takes_references and view.gap > PARTED
        if itself:
            references = MouthReferences.from_frames([portrait], source_landmarks[None], portrait, source_landmarks)
            view = MouthView(prepared.portrait, source_landmarks, size, references)
        shares = view.choose(landmarks, fps)
        if itself:  # whose tongue is behind its teeth
            between = [0 if pose is None else pose[BETWEEN_TEETH] for pose in tongue]
            shares = [share * (1 - hidden) for share, hidden in zip(shares, between)]
        return self._frames(prepared, view, landmarks, tongue, shares)

    def _frames(
        self, prepared: PreparedPortrait, view: MouthView, landmarks: np.ndarray, tongue: list, shares: list
    ) -> Iterator[np.ndarray]:
        correction, trusted = MouthCorrection(prepared, view), photographic(view.source)
        size, asked = min(self.batch_size, len(landmarks)), Lock()

        def draw(start: int) -> list[np.ndarray]:
            rows = landmarks[start : start + size]
            frames = [prepared.frame(*row) for row in zip(rows, tongue[start : start + size])]
            seen = zip(frames, rows, shares[start : start + size])
            mouths = [view.of(*each) for each in seen] if trusted > 0 else []
            for each in zip(frames, rows):  # the network has learnt without that light, and references have their own
                prepared.shaded(*each)
            if mouths:
                # a smaller batch rounds differently: the last one is filled, so that equal mouths have equal frames
                filled = mouths + mouths[-1:] * (size - len(mouths))
                with asked:
                    answers = self._ask(view, filled)
                for frame, mouth, answer in zip(frames, mouths, answers):
                    if mouth.motion > 0:
                        correction.apply(frame, mouth, answer, trusted * mouth.motion)
            return frames

        starts = range(0, len(landmarks), max(size, 1))
        for frames in map_ahead(draw, starts, nbytes=size * prepared.portrait.nbytes):
            yield from frames

    @torch.no_grad()
    def _ask(self, view: MouthView, mouths: list[FrameMouth]) -> list[Answer]:
        """What the network says of frames."""
        made = view.source[None], [mouth.warped for mouth in mouths], [mouth.drawings for mouth in mouths]
        device, dtype = execution_device(self.unet), compute_dtype(self.unet)
        source, warped, drawings = (
            torch.from_numpy(np.stack(part)).to(device).permute(0, 3, 1, 2).to(dtype) / 255 for part in made
        )
        reference = None
        if view.references is not None:
            reference = reference_input([mouth.reference for mouth in mouths], view.size).to(warped)
        with inference_autocast(self.unet):
            answer = self.unet(
                (2 * source - 1).expand_as(warped), 2 * warped - 1, drawings, reference, return_dict=False
            )
        flow, colour, mask, share, *light = (x.float().cpu().permute(0, 2, 3, 1).numpy() for x in answer)
        return [Answer(*parts) for parts in zip(flow, 127.5 * colour, mask[..., 0], share[..., 0], *light)]
