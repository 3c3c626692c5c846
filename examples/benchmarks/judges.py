"""What networks think of a clip: who it shows, whether lips and sound go together, what is said. None was trained on
what it judges here but for the talker s1, whose other clips the sync scorer knows."""

import numpy as np
import rows

from text2lip import metrics as M
from text2lip.faces.identity import face_chip
from text2lip.metrics.sync_scorer import SHORTEST_CLIP
from text2lip.speech.audio import load_audio, resample, to_float
from text2lip.speech.features import SAMPLING_RATE


IDENTITY = 3  # frames of a clip whose faces are compared
SYNC = ("sync_confidence", "sync_offset", "sync_confidence_lips", "sync_offset_lips")
JUDGES = (*SYNC, "lse_c", "lse_d", "wer_lipnet")


class Jury:
    """The judges of one clip.

    Args:
        clip (`BenchClip`): its landmarks, its sound.
        film (`np.ndarray`): uint8 (frames, height, width, 3).
        able (`set[str]`): metrics that can be taken.
    """

    def __init__(self, clip: rows.BenchClip, film: np.ndarray, able: set[str]):
        self.clip, self.able, self.sound = clip, able, sound_of(clip)
        self.chosen = np.linspace(0, len(film) - 1, IDENTITY).round().astype(int)
        self.real = self.chips(film, clip.points())

    def chips(self, frames: np.ndarray, points: np.ndarray) -> np.ndarray:
        return np.stack([face_chip(frames[i], points[i]) for i in self.chosen])

    def figures(self, frames: np.ndarray, crops: np.ndarray, landmarks: np.ndarray) -> dict[str, float | None]:
        """Every figure of `frames`, drawn by `landmarks` (frames, 478, 2), with their mouth crops of the protocol."""
        clip, points = self.clip, self.clip.points(landmarks)
        made = {"identity": M.identity(self.chips(frames, points), self.real)}
        if self.sound is not None and len(frames) >= SHORTEST_CLIP:
            by_pictures = M.sync_of_pictures(crops, self.sound, fps=clip.fps)
            by_lips = M.sync_of_lips(rows.lips_of(clip, landmarks), self.sound, fps=clip.fps)
            made |= dict(zip(SYNC, (by_pictures[0], abs(by_pictures[1]), by_lips[0], abs(by_lips[1]))))
            if "lse_c" in self.able and round(clip.fps) == 25:
                faces = M.syncnet_faces(frames, points)
                made |= dict(zip(("lse_c", "lse_d"), M.lse(faces, self.sound, fps=25, sampling_rate=SAMPLING_RATE)))
        if "wer_lipnet" in self.able and "text" in clip.record:
            made["wer_lipnet"] = M.wer([M.lipnet_reading(frames, points)], [clip.record["text"]])
        return made


def sound_of(clip: rows.BenchClip) -> np.ndarray | None:
    """The film's own sound, float (samples,) at 16 kHz; None where it has none."""
    if "audio" in clip.record:
        return to_float(clip.record["audio"])
    try:
        return resample(*load_audio(clip.video), SAMPLING_RATE)
    except ValueError:
        return None
