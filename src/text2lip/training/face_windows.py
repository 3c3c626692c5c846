"""Films of faces, cut to the square that EchoMimic sees, with their landmarks: what its networks are trained on."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import torch

from text2lip.data.clips import folder_clips
from text2lip.data.grid import grid_clips
from text2lip.data.prepared import hold_out, read_prepared
from text2lip.faces.crop import crop
from text2lip.faces.drawing import draw_landmarks
from text2lip.renderers.echomimic import FaceSquare


class FaceClips:
    """Clips of one split with their pictures, read from the films when they are asked for.

    Args:
        prepared (`str` or `Path`): folder made by `examples/prepare_grid.py`.
        videos (`str` or `Path`): the films that it was made of: GRID's root, or a folder with `metadata.jsonl`.
        split (`str`): such as "train".
        size (`int`): side of the pictures, pixels.
        whisper (*optional*): a `WhisperModel`, to give the sound too.
        limit (`int`, *optional*): use this many clips, evenly from all of the split.
        cache (`int`): clips whose pictures are kept in memory.

    Raises:
        ValueError: the split is not prepared, or a film is not there.
    """

    def __init__(
        self,
        prepared: str | Path,
        videos: str | Path,
        split: str,
        size: int = 512,
        whisper: Any = None,
        limit: int | None = None,
        cache: int = 0,
    ):
        columns = ["name", "fps", "landmarks", "size"] + (["audio"] if whisper else [])
        self.rows = [*read_prepared(prepared, split, columns, limit)]
        listed = folder_clips if (Path(videos) / "metadata.jsonl").exists() else grid_clips
        paths = {clip.name: clip.video for clip in listed(videos)}
        for row in self.rows:
            if row["name"] not in paths:
                raise ValueError(f"videos: {str(videos)!r} has no film of the prepared clip {row['name']!r}.")
            row["video"] = paths[row["name"]]
        self.size, self.whisper = size, whisper
        self.cache, self._read = cache, {}

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, index: int) -> dict[str, np.ndarray]:
        """Frames uint8 (frames, size, size, 3), landmarks float32 (frames, 478, 2) normalised within them, and, with
        Whisper, sound float32 (frames, 50, 384). The last `cache` clips that were asked for are kept."""
        clip = self._read.pop(index, None) or self._from_film(index)
        self._read[index] = clip  # the last again
        while len(self._read) > self.cache:
            del self._read[next(iter(self._read))]
        return clip

    def hold_out(self) -> "FaceClips":
        """Every tenth clip as a split of its own; they are no longer in this one.

        Raises:
            ValueError: there is a single clip.
        """
        other = copy.copy(self)
        other._read = {}
        self.rows, other.rows = hold_out(self.rows)
        return other

    def _from_film(self, index: int) -> dict[str, np.ndarray]:
        from text2lip.media.video import read_frames

        row = self.rows[index]
        frames, landmarks = list(read_frames(row["video"], row["fps"])), row["landmarks"][..., :2]
        square = FaceSquare(frames[0], landmarks.mean(0), self.size)  # one for the whole clip
        frames = np.stack([crop(frame, square.transform, self.size) for frame in frames])
        landmarks = square.place(landmarks).astype(np.float32)
        clip = {"frames": frames[: len(landmarks)], "landmarks": landmarks[: len(frames)]}
        if self.whisper:
            from text2lip.speech.audio import to_float
            from text2lip.speech.whisper import whisper_states, whisper_windows

            states = whisper_states(self.whisper, to_float(row["audio"]))
            clip["sound"] = whisper_windows(states, len(landmarks), row["fps"]).float().cpu().numpy()
        return clip


class FaceBatches(torch.utils.data.Dataset):
    """The batch of each training step, drawn from (seed, step, rank) alone: a run can go on anywhere.

    Args:
        clips ([`FaceClips`]): where from.
        batch_size (`int`): windows in a batch, each of a clip drawn at random.
        frames (`int`): consecutive frames in a window.
        seed (`int`), rank (`int`): of the run and of the process.
        steps (`range`): steps to make; the batch of `steps[i]` is number i.
    """

    def __init__(self, clips: FaceClips, batch_size: int, frames: int, seed: int, rank: int, steps: range):
        self.clips, self.batch_size, self.frames = clips, batch_size, frames
        self.seed, self.rank, self.steps = seed, rank, steps

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """images (batch, 3, frames, size, size) and portrait (batch, 3, size, size) in [-1, 1]; pictures of the
        landmarks (batch, 3, frames, size, size) in [0, 1]; with Whisper, sound (batch, frames, 50, 384)."""
        rng = np.random.default_rng((self.seed, self.steps[index], self.rank))
        chosen = rng.integers(len(self.clips), size=self.batch_size)
        windows = [self._window(self.clips.read(int(clip)), rng) for clip in chosen]
        return {name: torch.stack([window[name] for window in windows]) for name in windows[0]}

    def _window(self, clip: dict[str, np.ndarray], rng: np.random.Generator) -> dict[str, torch.Tensor]:
        count = len(clip["frames"])
        if count < self.frames:
            raise ValueError(f"frames: a window of {self.frames}, but a clip has only {count}; use fewer.")
        start = int(rng.integers(count - self.frames + 1))
        part, size = slice(start, start + self.frames), self.clips.size
        pictures = np.stack([draw_landmarks(points, size, size) for points in clip["landmarks"][part]])
        window = {
            "images": _planes(clip["frames"][part]) / 127.5 - 1,
            "portrait": _planes(clip["frames"][rng.integers(count)][None])[:, 0] / 127.5 - 1,
            "pictures": _planes(pictures) / 255,
        }
        return window | ({"sound": torch.from_numpy(clip["sound"][part])} if "sound" in clip else {})


def _planes(pictures: np.ndarray) -> torch.Tensor:
    """uint8 (frames, height, width, 3) to float (3, frames, height, width)."""
    return torch.from_numpy(pictures).permute(3, 0, 1, 2).float()
