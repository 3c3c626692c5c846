"""Pairs of pictures of one mouth: what a renderer learns from.

One file holds what was made of one film: portraits cut out of it, frames that their mouth is to be moved to, and the
geometric renderer's attempt at each, as stabilised crops with a margin around the crop that the network sees.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from text2lip.faces.canonical import canonical_lips
from text2lip.faces.crop import CROP_SIDE, CROP_SIZE, crop, mouth_crop_transform
from text2lip.faces.geometry import to_pixels, transform_points
from text2lip.faces.topology import DRIVEN
from text2lip.motion.retarget import PortraitMouth, part_lips
from text2lip.renderers.geometric import prepare


PAIR_MARGIN = 16  # pixels kept on each side for turning, moving and deforming
PAIR_SIZE = CROP_SIZE + 2 * PAIR_MARGIN
PAIR_SIDE = CROP_SIDE * PAIR_SIZE / CROP_SIZE
APART = 6  # frames between two pictures of a film that shall not be nearly the same
IMAGES = ("source", "target", "warped")


def film_pairs(
    frames: np.ndarray,
    landmarks: np.ndarray,
    sources: Iterable[int],
    targets: Iterable[tuple[int, int]],
    apart: int = APART,
) -> dict[str, np.ndarray]:
    """Every source frame moved to every target frame by the geometric renderer with the true landmarks.

    Args:
        frames (`np.ndarray`): `(frames, height, width, 3)` uint8, or a list of pictures of one size.
        landmarks (`np.ndarray`): `(frames, 478, 2 or 3)` normalised.
        sources (`Iterable[int]`): frames that serve as portraits.
        targets (`Iterable[tuple[int, int]]`): two neighbouring frames each, to be drawn from a portrait.
        apart (`int`): targets so many frames from each other may be references for each other.

    Returns:
        `dict`: with S sources and T targets, uint8 `source` (S, 128, 128, 3), `target` (T, 2, 128, 128, 3) and
        `warped` (S, T, 2, 128, 128, 3); float32 `source_points` (S, 57, 2), `target_points` (S, T, 2, 57, 2), where
        the portrait has them, and `own_points` (T, 2, 57, 2), where the film has them, the driven points in continuous
        pixels of the crop; uint8 `others` (T, T), 1 where a target may be a reference for another.
    """
    sources, targets = list(sources), list(targets)
    height, width = frames[0].shape[:2]
    landmarks = landmarks if landmarks.shape[-1] == 3 else np.pad(landmarks, ((0, 0), (0, 0), (0, 1)))
    points = to_pixels(landmarks, height, width)[..., :2]
    lips, matrices = canonical_lips(points), mouth_crop_transform(points, PAIR_SIZE, side=PAIR_SIDE)
    arrays = {name: [] for name in ("source", "source_points", "warped", "target_points")}
    for index in sources:
        mouth = PortraitMouth(landmarks[index], height, width)
        wanted = [mouth.place(mouth.shape + lips[list(pair)] - lips[index]) for pair in targets]
        portrait = prepare(frames[index], landmarks[index, :, :2])
        drawn = [[portrait.frame(row) for row in pair] for pair in wanted]
        arrays["source"].append(crop(frames[index], matrices[index], PAIR_SIZE))
        arrays["source_points"].append(_driven(points[index], matrices[index]))
        arrays["warped"].append([[crop(frame, matrices[index], PAIR_SIZE) for frame in pair] for pair in drawn])
        arrays["target_points"].append(
            [[_driven(to_pixels(row, height, width), matrices[index]) for row in pair] for pair in wanted]
        )
    target = [[crop(frames[i], matrices[i], PAIR_SIZE) for i in pair] for pair in targets]
    film_points = [[_driven(points[i], matrices[i]) for i in pair] for pair in targets]
    starts = np.array([pair[0] for pair in targets])
    others = (np.abs(starts[:, None] - starts) >= apart).astype(np.uint8)
    arrays |= {"target": target, "own_points": film_points}
    return {"others": others, **{name: np.array(value) for name, value in arrays.items()}}


def portrait_pairs(portrait: np.ndarray, landmarks: np.ndarray, motions: np.ndarray) -> dict[str, np.ndarray]:
    """A still picture as its own target: the geometric renderer moves its mouth, and is asked to move it back.

    Args:
        portrait (`np.ndarray`): `(height, width, 3)` uint8.
        landmarks (`np.ndarray`): `(478, 3)` normalised.
        motions (`np.ndarray`): `(n, 57, 2)` motion from rest in canonical units, as [`PortraitMouth`] takes it.

    Returns:
        `dict`: as [`film_pairs`], with n sources and one target, the portrait twice.
    """
    mouth, prepared = PortraitMouth(landmarks, *portrait.shape[:2]), prepare(portrait, landmarks[:, :2])
    displaced = mouth.place(part_lips(mouth.rest + motions))
    frames = [*(prepared.frame(row) for row in displaced), portrait]
    depth = np.repeat(landmarks[None, :, 2:], len(frames), 0)
    flat = np.concatenate([displaced, landmarks[None, :, :2]])
    last = len(displaced)
    return film_pairs(frames, np.concatenate([flat, depth], -1), range(last), [(last, last)])


def _driven(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return transform_points(matrix, points[list(DRIVEN)]).astype(np.float32)


def save_pairs(path: str | Path, pairs: dict[str, np.ndarray]):
    """Write one safetensors file; it appears whole or not at all."""
    from safetensors.numpy import save

    from text2lip.files import replaced_file

    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with replaced_file(path) as temporary:
        temporary.write_bytes(save({name: np.ascontiguousarray(value) for name, value in pairs.items()}))


class PairFolder:
    """All pairs of a folder, read from the disk one by one.

    Args:
        folder (`str` or `Path`): with the files of [`save_pairs`], also in folders of its own.

    Raises:
        ValueError: no file is there, or one from before pairs had other pictures of the person.
    """

    def __init__(self, folder: str | Path):
        from safetensors import safe_open

        self.files = sorted(Path(folder).glob("**/*.safetensors"))
        self.index = []  # (file, source, target)
        for number, path in enumerate(self.files):
            with safe_open(path, framework="np") as file:
                if "others" not in set(file.keys()):
                    raise ValueError(
                        f"folder: {str(path)!r} has no `others`, it is older than this version; remove it, and make "
                        "it again with examples/prepare_pairs.py."
                    )
                sources, targets = file.get_slice("warped").get_shape()[:2]
            self.index += [(number, s, t) for s in range(sources) for t in range(targets)]
        if not self.index:
            raise ValueError(f"folder: no pairs in {str(folder)!r}; make them with examples/prepare_pairs.py.")

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, item: int) -> dict[str, np.ndarray]:
        """`source` (128, 128, 3), `target` and `warped` (2, 128, 128, 3) uint8; `source_points` (57, 2) and
        `target_points` (2, 57, 2) float32; `others` (n, 128, 128, 3) and `other_points` (n, 57, 2), n other pictures
        of the person, 0 or more."""
        from safetensors import safe_open

        number, source, target = self.index[item]
        with safe_open(self.files[number], framework="np") as file:
            others = np.flatnonzero(file.get_slice("others")[target : target + 1][0])
            pictures, points = file.get_slice("target"), file.get_slice("own_points")
            return {
                "others": np.array([pictures[i : i + 1][0, 0] for i in others]).reshape(-1, PAIR_SIZE, PAIR_SIZE, 3),
                "other_points": np.array([points[i : i + 1][0, 0] for i in others]).reshape(-1, len(DRIVEN), 2),
                "source": file.get_slice("source")[source : source + 1][0],
                "source_points": file.get_slice("source_points")[source : source + 1][0],
                "target": file.get_slice("target")[target : target + 1][0],
                "warped": file.get_slice("warped")[source : source + 1, target : target + 1][0, 0],
                "target_points": file.get_slice("target_points")[source : source + 1, target : target + 1][0, 0],
            }


class PairMix:
    """Several folders of pairs as one, each with its share of the draws.

    Args:
        folders (`dict`): name -> [`PairFolder`] or another sequence.
        shares (`dict`): name -> share, positive; they need not sum to 1.
    """

    def __init__(self, folders: dict, shares: dict[str, float]):
        self.folders = list(folders.values())
        self.edges = np.cumsum([shares[name] for name in folders]) / sum(shares[name] for name in folders)

    def __len__(self) -> int:
        return sum(len(folder) for folder in self.folders)

    def draw(self, generator: np.random.Generator) -> dict[str, np.ndarray]:
        """One pair: first the folder by its share, then any of its pairs."""
        folder = self.folders[int(np.searchsorted(self.edges, generator.random(), side="right"))]
        return folder[int(generator.integers(len(folder)))]
