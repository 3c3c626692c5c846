"""What lip readers learn from: mouths, what they say in every frame, and changes that let other pictures be read."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch

from text2lip.data.prepared import read_prepared
from text2lip.faces.topology import DRIVEN, JAW, canonical_mesh
from text2lip.media.color import LUMA
from text2lip.metrics.lip_reader import COLUMNS, ROWS
from text2lip.text.timing import Segment


@dataclass(frozen=True, eq=False)
class ReaderClip:
    """A mouth and its words.

    Attributes:
        name (`str`): of the clip.
        mouth (`np.ndarray`): grey crops uint8 (frames, 96, 96), or canonical lips float32 (frames, 57, 2).
        words (`list[str]`): one for each place of the sentence.
        place (`np.ndarray`): int64 (frames,), which word a frame belongs to, -1 for none.
        phone (`np.ndarray`): int64 (frames,), id of the phone that is spoken, 0 for none.
    """

    name: str
    mouth: np.ndarray
    words: list[str]
    place: np.ndarray
    phone: np.ndarray


def load_reader_clips(folder: str | Path, split: str, sees: str, limit: int | None = None) -> list[ReaderClip]:
    """The clips of a prepared split, `limit` of them evenly from all, for a reader that `sees` "crops" or "landmarks".

    Raises:
        ValueError: the split is not prepared.
    """
    columns = ["name", "text", "fps", "words", "phone_ids", "durations", "lips"]
    columns += ["crops"] if sees == "crops" else []
    clips = []
    for row in read_prepared(folder, split, columns, limit):
        times = (np.arange(len(row["lips"])) + 0.5) / row["fps"]
        spoken = np.searchsorted(np.cumsum(row["durations"]), times).clip(max=len(row["durations"]) - 1)
        mouth = np.stack([_grey(png) for png in row["crops"]]) if sees == "crops" else row["lips"]
        words = row["text"].split()
        clips.append(ReaderClip(row["name"], mouth, words, _places(row["words"], times), row["phone_ids"][spoken]))
    return clips


def _places(words: list[Segment], times: np.ndarray) -> np.ndarray:
    places = np.full(len(times), -1, np.int64)
    for index, word in enumerate(words):
        places[(times >= word.start) & (times < word.end)] = index
    return places


def _grey(png: bytes) -> np.ndarray:
    from PIL import Image

    return np.rint(np.asarray(Image.open(io.BytesIO(png))) @ np.array(LUMA, np.float32)).astype(np.uint8)


@cache
def mirrored_points() -> np.ndarray:
    """For each of the 57 points the one on the other side of the mouth."""
    vertices = canonical_mesh()[0][list(DRIVEN)]
    return np.linalg.norm((vertices * (-1, 1, 1))[:, None] - vertices[None], axis=-1).argmin(1)


def collate_reader_clips(
    clips: Sequence[ReaderClip], slots: Sequence[Sequence[str]], sees: str, rng: np.random.Generator | None = None
) -> dict[str, torch.Tensor]:
    """A batch, padded to the longest clip; each clip changed by draws of `rng`, if one is given.

    Returns:
        `dict`: inputs as [`LipReader`] takes them; mask bool, place and phone int64 (batch, frames), place -1 and
        phone 0 where padded; words int64 (batch, places).
    """
    mouths, places, phones = [], [], []
    for clip in clips:
        times = np.arange(len(clip.mouth)) if rng is None else _stretched(len(clip.mouth), rng)
        near = np.rint(times).astype(int)
        mouth = _between(clip.mouth, times)
        if sees == "crops":
            mouth = mouth[:, ROWS, COLUMNS] if rng is None else changed_crops(mouth, rng)
        elif rng is not None:
            mouth = changed_lips(mouth, rng)
        mouths.append(torch.from_numpy(np.ascontiguousarray(mouth, np.float32)))
        places.append(torch.from_numpy(clip.place[near]))
        phones.append(torch.from_numpy(clip.phone[near]))
    lengths = torch.tensor([len(mouth) for mouth in mouths])
    pad = torch.nn.utils.rnn.pad_sequence
    return {
        "inputs": pad(mouths, batch_first=True),
        "mask": torch.arange(int(lengths.max())) < lengths[:, None],
        "place": pad(places, batch_first=True, padding_value=-1),
        "phone": pad(phones, batch_first=True),
        "words": torch.tensor([[words.index(w) for w, words in zip(clip.words, slots)] for clip in clips]),
    }


def _stretched(frames: int, rng: np.random.Generator) -> np.ndarray:
    """Times, in frames, at which a clip is looked at: slower or faster, not evenly so, from a little later on."""
    pace = rng.uniform(0.85, 1.18)
    count = max(10, int(frames / pace))
    times = np.linspace(0, frames - 1, count)
    bend = np.interp(times, np.linspace(0, frames - 1, 6), rng.normal(0, 0.7, 6))
    times = np.clip(times + bend, 0, frames - 1)
    return times[rng.integers(0, 4) :]


def _between(mouth: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The mouth at `times`, of its own type."""
    low = np.floor(times).astype(int)
    high, share = np.minimum(low + 1, len(mouth) - 1), times - low
    if mouth.dtype == np.uint8:  # six times as quick as with numpy
        return np.stack([cv2.addWeighted(mouth[a], 1 - s, mouth[b], s, 0) for a, b, s in zip(low, high, share)])
    share = share.astype(np.float32)[:, None, None]
    return mouth[low] * (1 - share) + share * mouth[high]


def changed_lips(lips: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lips (frames, 57, 2) as of another face, seen by another detector."""
    if rng.uniform() < 0.5:
        lips = lips[:, mirrored_points()] * np.array([-1, 1], np.float32)
    turn, size = rng.normal(0, 0.06), rng.uniform(0.75, 1.3)
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) * size
    matrix = matrix * rng.uniform(0.88, 1.14, (1, 2)) + rng.normal(0, 0.04, (2, 2))
    mean = lips.mean(0, keepdims=True)
    moved = (lips - mean) @ matrix
    moved = moved * np.exp(rng.normal(0, 0.06, (1, lips.shape[1], 1)))
    noise = rng.normal(0, 1, moved.shape) * rng.choice([0.0, 0.001, 0.003])
    drift = cv2.GaussianBlur(rng.normal(0, 1, (len(moved), 2)), (1, 31), 8) * 0.01  # of the whole mouth
    moved = moved + noise + drift[:, None]
    if rng.uniform() < 0.3:
        moved[:, [DRIVEN.index(point) for point in JAW]] = 0
    if rng.uniform() < 0.3:
        moved = cv2.GaussianBlur(moved.reshape(len(moved), -1), (1, 5), rng.uniform(0.3, 0.8)).reshape(moved.shape)
    for _ in range(rng.integers(0, 3)):  # moments that stand still
        start, length = rng.integers(len(moved)), rng.integers(1, 6)
        moved[start : start + length] = moved[start]
    return (moved + mean).astype(np.float32)


def changed_crops(crops: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Grey crops uint8 (frames, 96, 96) as of other light, place, size and sharpness: float32 (frames, 48, 80)."""
    width, height = COLUMNS.stop - COLUMNS.start, ROWS.stop - ROWS.start
    turn, size, flip = rng.normal(0, 0.05), rng.uniform(0.88, 1.14), rng.choice([-1, 1])
    a, b = np.cos(turn) / size, np.sin(turn) / size
    matrix = np.array([[flip * a, -b, 0], [flip * b, a, 0]])
    seen = np.array([(COLUMNS.start + COLUMNS.stop - 1) / 2, (ROWS.start + ROWS.stop - 1) / 2]) + rng.normal(0, 2, 2)
    matrix[:, 2] = ((width - 1) / 2, (height - 1) / 2) - matrix[:, :2] @ seen
    shake = rng.normal(0, rng.choice([0.0, 0.25]), (len(crops), 2, 1)) * (0, 0, 1)
    x = [cv2.warpAffine(frame, matrix + by, (width, height), borderMode=1) for frame, by in zip(crops, shake)]
    kind, sigma, share = rng.uniform(), rng.uniform(0.4, 1.2), rng.uniform(0.3, 1.0)
    if kind < 0.35:
        x = [cv2.GaussianBlur(frame, (5, 5), sigma) for frame in x]
    elif kind < 0.55:
        x = [frame + share * (frame - cv2.GaussianBlur(frame, (5, 5), 1.0)) for frame in map(np.float32, x)]
    x = np.stack(x).astype(np.float32)
    x += np.float32(rng.normal(0, 0.004)) * x * (255 - x)
    across, down = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)
    x += across * np.float32(rng.normal(0, 12)) + down[:, None] * np.float32(rng.normal(0, 8))
    x += np.float32(rng.uniform(0, 4)) * rng.standard_normal(x.shape, np.float32)
    for _ in range(rng.integers(0, 3)):  # moments that stand still
        start, length = rng.integers(len(x)), rng.integers(1, 6)
        x[start : start + length] = x[start]
    if rng.uniform() < 0.4:  # a place that is hidden
        top, left = rng.integers(0, height - 10), rng.integers(0, width - 14)
        x[:, top : top + rng.integers(6, 16), left : left + rng.integers(8, 24)] = x.mean()
    return x
