"""Fit how skin and lips darken and brighten as the mouth moves: assets/lip_shade.npz.

    python examples/prepare_pairs.py --output outputs/faces.safetensors
    python examples/fit_lip_shade.py --faces outputs/faces.safetensors --output src/text2lip/assets/lip_shade.npz

Films of the packed people alone, everybody with the same weight, GRID's clips together half of all others. What is
fitted is the logarithm of the film's light over that of the geometric renderer's frame with the film's own landmarks,
both softened, the inside of the mouth left out, less what changed all around the mouth; on the main components of lip
motion, with a ridge, and mirrored too. It says how much of that light is explained on people that a fit didn't see,
five times a fifth of them.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from text2lip.faces.crop import CROP_SIDE, CROP_SIZE
from text2lip.files import replaced_file
from text2lip.renderers.lip_shade import SHADE_CELLS, SHADE_REACH
from text2lip.renderers.mouth_drawing import DRAWN_PARTS, draw_mouth
from text2lip.training.face_pack import load_faces
from text2lip.training.pairs import PAIR_MARGIN, make_pairs
from text2lip.training.reader_samples import mirrored_points
from text2lip.training.settings import errors_in_one_line


SOFT = 3.0  # standard deviation, pixels of the crop, of what counts as light
DARK = 4.0  # grey levels added to both, lest noise in the dark counts
LEAST, MOST = 0.005, 0.6  # motion from which a pair tells something, units; of the logarithm of light
SHADES, RIDGE, GRID_SHARE = 8, 3e-3, 0.5
LUMA = np.float32([0.299, 0.587, 0.114])
INSIDE = DRAWN_PARTS.index("inside")
Rows = tuple[np.ndarray, np.ndarray, np.ndarray]  # motion (n, 114), light (n, cells), where it is known (n, cells)


def main(arguments: list[str] | None = None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", default="outputs/faces.safetensors", help="file of prepare_pairs.py")
    parser.add_argument("--output", type=Path, default=Path("outputs/lip_shade.npz"))
    args = parser.parse_args(arguments)
    people = {
        kind: [rows_of(person) for person in tqdm(some, desc=kind, unit="person")]
        for kind, some in make_pairs(load_faces(args.faces, ["talking", "grid"]), np.random.default_rng(0)).items()
    }
    people = {kind: [rows for rows in some if len(rows[0])] for kind, some in people.items()}
    talking, grid = people.get("talking", []), people.get("grid", [])
    if len(talking) >= 10:
        shares = [
            explained(talking[i::5], fit([p for k, p in enumerate(talking) if k % 5 != i], grid)) for i in range(5)
        ]
        print(f"explains {np.mean(shares):.3f} of the light's change on people it was not fitted on")
    directions, shades = fit(talking, grid)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    with replaced_file(args.output) as temporary, open(temporary, "wb") as file:
        shades = shades.reshape(-1, SHADE_CELLS, SHADE_CELLS)
        np.savez_compressed(file, directions=directions.astype(np.float16), shades=shades.astype(np.float16))
    print(f"Wrote {args.output}")


def rows_of(person: dict[str, np.ndarray]) -> Rows:
    """What the pairs of one film tell, see [`film_pairs`]."""
    motion, light, known = [], [], []
    for source in range(len(person["source"])):
        for target in range(len(person["target"])):
            points = person["target_points"][source, target] - PAIR_MARGIN
            moved = (points - (person["source_points"][source] - PAIR_MARGIN)) * CROP_SIDE / CROP_SIZE
            if np.abs(moved).max() < LEAST:
                continue
            skin = 1 - np.maximum(inside(points), inside(person["own_points"][target] - PAIR_MARGIN))
            skin = cv2.erode(np.pad(skin, PAIR_MARGIN, constant_values=1), np.ones((3, 3)))
            weight = cv2.GaussianBlur(skin, (0, 0), SOFT)
            film, ours = (
                cv2.GaussianBlur(picture.astype(np.float32) @ LUMA * skin, (0, 0), SOFT) / (weight + 1e-3)
                for picture in (person["target"][target], person["warped"][source, target])
            )
            cut = (slice(PAIR_MARGIN, PAIR_MARGIN + CROP_SIZE),) * 2
            ratio, there = np.log((film + DARK) / (ours + DARK))[cut], (skin * (weight > 0.25))[cut]
            around = AROUND & (there > 0)
            ratio = ratio - np.median(ratio[around]) if around.sum() > 50 else ratio
            share = cells(there)
            motion.append(moved.ravel())
            light.append((cells(ratio * there) / np.maximum(share, 0.05)).ravel())
            known.append(share.ravel() > 0.3)
    rows = np.float32(motion).reshape(-1, 114), np.clip(np.float32(light), -MOST, MOST), np.array(known)
    return both_ways(*rows) if len(motion) else rows


def inside(points: np.ndarray) -> np.ndarray:
    return draw_mouth(points.astype(np.float64), CROP_SIZE)[..., INSIDE].astype(np.float32) / 255


def cells(values: np.ndarray) -> np.ndarray:
    return cv2.resize(values.astype(np.float32), (SHADE_CELLS, SHADE_CELLS), interpolation=cv2.INTER_AREA)


def ellipse(size: int, reach: tuple[float, float]) -> np.ndarray:
    """Distance from the crop's middle, 1 on the ellipse with half axes `reach`, units."""
    line = ((np.arange(size) + 0.5) / size - 0.5) * CROP_SIDE
    return np.hypot(line / reach[0], line[:, None] / reach[1])


AROUND = (ellipse(CROP_SIZE, (0.625, 0.5)) > 1) & (np.arange(CROP_SIZE)[:, None] < 80)
COUNTS = np.clip((1.25 - ellipse(SHADE_CELLS, SHADE_REACH)) / 0.25, 0, 1).ravel()


def both_ways(motion: np.ndarray, light: np.ndarray, known: np.ndarray) -> Rows:
    """The same and its mirror image."""
    turned = motion.reshape(-1, 57, 2)[:, mirrored_points()] * np.float32([-1, 1])
    flipped = [
        values.reshape(-1, SHADE_CELLS, SHADE_CELLS)[:, :, ::-1].reshape(len(values), -1) for values in (light, known)
    ]
    pairs = zip((motion, light, known), (turned.reshape(len(motion), -1), *flipped))
    return tuple(np.concatenate(pair) for pair in pairs)


def fit(talking: list[Rows], grid: list[Rows]) -> tuple[np.ndarray, np.ndarray]:
    """Directions (114, shades) and what they give (shades, cells)."""
    weights = [1.0] * len(talking) + [GRID_SHARE * max(len(talking), 1) / len(grid) for _ in grid]
    people = [*talking, *grid]
    motion, light, known = (np.concatenate([rows[i] for rows in people]) for i in range(3))
    weight = np.concatenate([np.full(len(rows[0]), w / len(rows[0])) for rows, w in zip(people, weights)])
    directions = np.linalg.svd(motion * np.sqrt(weight)[:, None], full_matrices=False)[2][:SHADES].T
    along = motion @ directions
    ridge = RIDGE * np.trace((along * weight[:, None]).T @ along) / SHADES * np.eye(SHADES)
    shades = np.zeros((SHADES, SHADE_CELLS * SHADE_CELLS))
    for cell in range(SHADE_CELLS * SHADE_CELLS):
        weighted = along * (weight * known[:, cell])[:, None]
        shades[:, cell] = np.linalg.solve(weighted.T @ along + ridge, weighted.T @ light[:, cell])
    return directions, shades


def explained(people: list[Rows], fitted: tuple[np.ndarray, np.ndarray]) -> float:
    """Share of the light's change around the mouth, by squares, everybody with the same weight."""
    missed = total = 0.0
    for motion, light, known in people:
        counts = known * COUNTS / len(motion)
        missed += ((light - motion @ fitted[0] @ fitted[1]) ** 2 * counts).sum()
        total += (light**2 * counts).sum()
    return 1 - missed / total


if __name__ == "__main__":
    with errors_in_one_line():
        main()
