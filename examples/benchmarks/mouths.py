"""Detail of drawn mouths beside the film's, at the film's own resolution: what the benchmarks share."""

import numpy as np
import rows

from text2lip import metrics as M
from text2lip.faces.crop import crop


DETAIL = ("inner_lpips", "inner_sharpness", "lip_edge", "lip_border", "lip_colour")


class FilmMouth:
    """A film's mouth from frame `start` on, to compare drawn ones with.

    Args:
        clip (`BenchClip`): its landmarks.
        film (`np.ndarray`): uint8 (frames, height, width, 3).
        start (`int`): first frame that is looked at.
    """

    def __init__(self, clip: rows.BenchClip, film: np.ndarray, start: int = 0):
        self.clip, self.size = clip, rows.detail_size(clip)
        self.moving = rows.crop_transforms(clip, self.size)
        self.real = self.cut(film[start:], self.moving[start:])
        self.real_lips = rows.lips_in_crop(clip, clip.record["landmarks"][start:, :, :2], self.moving[start:])

    def cut(self, frames: np.ndarray, transforms: np.ndarray) -> np.ndarray:
        return np.stack([crop(frame, matrix, self.size) for frame, matrix in zip(frames, transforms)])

    def figures(
        self, frames: np.ndarray, landmarks: np.ndarray, able: set[str], transforms: np.ndarray | None = None
    ) -> dict[str, float | None]:
        """Every metric of `DETAIL` that is in `able`.

        Args:
            frames (`np.ndarray`): drawn ones, (frames, height, width, 3).
            landmarks (`np.ndarray`): that they were drawn by, (frames, 478, 2), normalised.
            able (`set[str]`): metrics that can be taken.
            transforms (`np.ndarray`, *optional*): (frames, 2, 3) into the crop; default: the first frame's.
        """
        if not able & set(DETAIL):
            return {}
        if transforms is None:
            transforms = np.repeat(self.moving[:1], len(frames), 0)
        ours, lips = self.cut(frames, transforms), rows.lips_in_crop(self.clip, landmarks, transforms)
        made = {}
        if "inner_lpips" in able:
            made["inner_lpips"] = M.inner_lpips(ours, self.real, self.real_lips)
        for metric in (name for name in DETAIL[1:] if name in able):
            made[metric] = getattr(M, metric)(ours, self.real, lips, self.real_lips)
        return made
