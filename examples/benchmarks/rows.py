"""The rows of the quality benchmark: ways to move or to draw a mouth, each from one prepared clip."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from text2lip.data.grid import pronounced
from text2lip.faces.canonical import canonical_lips, eye_distance
from text2lip.faces.crop import CROP_SIDE, CROP_SIZE, mouth_crop_transform
from text2lip.faces.geometry import to_pixels, transform_points
from text2lip.faces.topology import DRIVEN, LIPS, canonical_mesh, driven_index
from text2lip.motion.lips import animate
from text2lip.motion.retarget import PortraitMouth
from text2lip.renderers.mouth_references import MouthReferences, choose_references
from text2lip.text.timing import Segment, Timeline
from text2lip.training.lip_networks import Text2LipNetworks
from text2lip.training.pairs import APART


@dataclass
class BenchClip:
    """A clip with what was prepared of it; the portrait of every row is its first frame.

    Attributes:
        name (`str`): talker/code.
        video (`Path`): the film itself.
        record (`dict`): as `prepare_clip` made it.
    """

    name: str
    video: Path
    record: dict[str, Any]

    @property
    def lips(self) -> np.ndarray:
        """Real lips, float32 (frames, 57, 2), canonical."""
        return self.record["lips"]

    @property
    def fps(self) -> float:
        return float(self.record["fps"])

    @property
    def phones(self) -> list[Segment]:
        return self.record["phones"]

    @property
    def sound(self) -> torch.Tensor:
        """Log-mel features of the real sound, float32 (1, frames, 320)."""
        return torch.from_numpy(np.array(self.record["mel"], np.float32))[None]

    @property
    def timeline(self) -> Timeline:
        return Timeline(self.record["phones"], self.record["words"], self.record["phones"][-1].end)

    def points(self, landmarks: np.ndarray | None = None) -> np.ndarray:
        """Landmarks in pixels, (frames, 478, 2 or 3)."""
        return to_pixels(self.record["landmarks"] if landmarks is None else landmarks, *self.record["size"])

    def mouth(self) -> PortraitMouth:
        return PortraitMouth(self.record["landmarks"][0], *self.record["size"])


def still(clip: BenchClip) -> np.ndarray:
    """The portrait's landmarks, unmoved: (frames, 478, 2) normalised."""
    return np.repeat(clip.record["landmarks"][:1, :, :2], len(clip.lips), 0)


def text_driven(pipe: Any, motion: str, sound: bool = False) -> Callable[[BenchClip], np.ndarray]:
    """Landmarks by the pipeline from the clip's own phone times, as large as the talker's own motion; with `sound`
    the clip's own takes the place of pseudo-audio."""

    def row(clip: BenchClip) -> np.ndarray:
        tokens = pipe.tokenizer(phones=clip.timeline, language=clip.record["language"], return_tensors="pt")
        moved, width = animate(pipe.lip_model(motion), tokens, len(clip.lips), clip.fps, clip.sound if sound else None)
        return clip.mouth().retarget(moved[0].float().cpu().numpy(), width)

    return row


def unsealed(pipe: Any) -> Callable[[BenchClip], np.ndarray]:
    """Landmarks as the networks leave them, before the pipeline closes lips in p, b, m and in pauses."""
    networks = Text2LipNetworks(pipe.viseme_encoder, pipe.pseudo_audio, pipe.lip_decoder).eval()

    def row(clip: BenchClip) -> np.ndarray:
        tokens = pipe.tokenizer(phones=clip.timeline, language=clip.record["language"], return_tensors="pt")
        frames, audio = torch.ones(1, len(clip.lips), dtype=torch.bool), torch.zeros_like(clip.sound)
        batch = {**tokens, "fps": torch.tensor([clip.fps]), "frame_mask": frames, "audio": audio}
        with torch.no_grad():
            moved = networks({**batch, "real": torch.zeros(1, dtype=torch.bool)}, frames).motion[0]
        return clip.mouth().retarget(moved.float().cpu().numpy(), pipe.lip_decoder.config.reference_width)

    return row


def self_timed(pipe: Any, time: Callable[[str, str], Timeline]) -> Callable[[BenchClip], tuple[np.ndarray, Timeline]]:
    """Landmarks (other frames, 478, 2) by the networks from the clip's text alone, and the times `time` gave it."""

    def row(clip: BenchClip) -> tuple[np.ndarray, Timeline]:
        timeline = time(pronounced(clip.record["text"]), clip.record["language"])
        tokens = pipe.tokenizer(phones=timeline, return_tensors="pt")
        moved, width = animate(pipe.lip_model("networks"), tokens, round(timeline.duration * clip.fps), clip.fps)
        return clip.mouth().retarget(moved[0].float().cpu().numpy(), width), timeline

    return row


def spoken_seconds(timeline: Timeline) -> float:
    """From the start of the first word to the end of the last."""
    return timeline.words[-1].end - timeline.words[0].start


def sound_driven(decoder: Any) -> Callable[[BenchClip], np.ndarray]:
    """Landmarks by a decoder trained on sound alone ([`LipDecoderModel`]); without text no phone closes the lips."""

    def row(clip: BenchClip) -> np.ndarray:
        with torch.no_grad():
            moved = decoder(clip.sound, fps=clip.fps).motion[0]
        return clip.mouth().retarget(moved.float().cpu().numpy(), decoder.config.reference_width)

    return row


def true_landmarks(clip: BenchClip) -> np.ndarray:
    """The real lip motion, counted from the first frame, on the portrait: what a perfect lip model would give."""
    mouth = clip.mouth()
    return mouth.place(mouth.shape + (clip.lips - clip.lips[0]))


def lips_of(clip: BenchClip, landmarks: np.ndarray) -> np.ndarray:
    """Canonical lips (frames, 57, 2) of normalised landmarks (frames, 478, 2)."""
    return canonical_lips(clip.points(landmarks))


def mean_shape(clip: BenchClip) -> np.ndarray:
    """The best constant there is: the real clip's own mean shape. (frames, 57, 2)."""
    return np.repeat(clip.lips.mean(0, keepdims=True), len(clip.lips), 0)


def shut(clip: BenchClip) -> np.ndarray:
    """The film's most closed frame, held: a mouth that is never open, and so closes on every p, b, m."""
    return np.repeat(clip.lips[[real_gap(clip).argmin()]], len(clip.lips), 0)


def mirrored(clip: BenchClip, landmarker: Any) -> np.ndarray:
    """Real lips found again in the mirrored film and mirrored back: what the detector alone adds. (frames, 57, 2)."""
    from text2lip.data.preparation import track
    from text2lip.media.video import read_frames

    landmarks = track([np.ascontiguousarray(frame[:, ::-1]) for frame in read_frames(clip.video)], landmarker)
    landmarks = landmarks[:, mirror_order()]
    landmarks[..., 0] = 1 - landmarks[..., 0]
    return canonical_lips(clip.points(landmarks)[..., :2])


def mirror_order() -> np.ndarray:
    """For every mesh point the one on the other side of the face: int (478,)."""
    vertices = canonical_mesh()[0]
    flipped = vertices * np.array([-1, 1, 1])
    order = np.linalg.norm(flipped[:, None] - vertices[None], axis=-1).argmin(1)
    return np.concatenate([order, np.arange(473, 478), np.arange(468, 473)])


class OpenFaceFX:
    """The viseme curves of OpenFaceFX (MIT) with a linear map onto lip motion, fitted on prepared clips.

    Args:
        clips (`list[BenchClip]`): of the train split.
    """

    def __init__(self, clips: list[BenchClip]):
        curves = np.concatenate([self.curves(clip) for clip in clips])
        motion = np.concatenate([clip.lips - clip.lips.mean(0) for clip in clips]).reshape(len(curves), -1)
        curves = np.concatenate([curves, np.ones((len(curves), 1))], 1)
        self.map = np.linalg.solve(curves.T @ curves + 1e-3 * np.eye(curves.shape[1]), curves.T @ motion)

    def __call__(self, clip: BenchClip) -> np.ndarray:
        """Canonical lips (frames, 57, 2) around the first frame's."""
        curves = self.curves(clip)
        motion = np.concatenate([curves, np.ones((len(curves), 1))], 1) @ self.map
        motion = motion.reshape(-1, len(DRIVEN), 2)
        return clip.lips[0] + motion - motion[0]

    @staticmethod
    def curves(clip: BenchClip) -> np.ndarray:
        """(frames, 15) viseme weights in [0, 1]."""
        from openfacefx import IPA_MAPPING, PhonemeSegment, build_viseme_curves

        segments = [PhonemeSegment(p.label.strip("ˈˌ") or "sil", p.start, p.end) for p in clip.phones]
        times, matrix = build_viseme_curves(segments, fps=100.0, mapping=IPA_MAPPING)
        frames = (np.arange(len(clip.lips)) + 0.5) / clip.fps
        return np.stack([np.interp(frames, times, column) for column in np.asarray(matrix).T], 1)


def middle(clip: BenchClip) -> int:
    """The frame with which the second half of a clip begins."""
    return len(clip.lips) // 2


def earlier_mouths(clip: BenchClip, film: np.ndarray) -> MouthReferences:
    """What the first half of a clip shows of its talker's mouth; the frames just before the middle are left out."""
    chosen = choose_references(clip.lips[: max(middle(clip) - APART, 1)])
    landmarks = clip.record["landmarks"][..., :2]
    return MouthReferences.from_frames(film[chosen], landmarks[chosen], film[0], landmarks[0])


def crop_transforms(clip: BenchClip, size: int = CROP_SIZE) -> np.ndarray:
    """From the film's pictures to the stabilised mouth crop of the protocol, (frames, 2, 3). Rows that move the mouth
    of the first frame alone are all cut out with the first one."""
    return mouth_crop_transform(clip.points()[..., :2], size)


def inner_lips_in_crop(clip: BenchClip, transforms: np.ndarray) -> np.ndarray:
    """Outline of the real inner lips in crop pixels, first pixel's centre at 0: (frames, 20, 2)."""
    from text2lip.metrics import inner_lip_polygon

    return inner_lip_polygon(transform_points(transforms, clip.points()[:, DRIVEN, :2])) - 0.5


def detail_size(clip: BenchClip) -> int:
    """Side of the mouth crop, pixels, at which nothing of the clip's own detail is lost; at least the protocol's."""
    unit = np.median([eye_distance(points) for points in clip.points()[..., :2]])
    return max(CROP_SIZE, math.ceil(CROP_SIDE * unit))


def lips_in_crop(clip: BenchClip, landmarks: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """Lips of `landmarks` (frames, 478, 2), normalised, in crop pixels, first pixel's centre at 0: (frames, 40, 2)."""
    return transform_points(transforms, clip.points(landmarks)[:, LIPS, :2]) - 0.5


def real_gap(clip: BenchClip) -> np.ndarray:
    upper, lower = driven_index((13, 14))
    return np.linalg.norm(clip.lips[:, upper] - clip.lips[:, lower], axis=-1)
