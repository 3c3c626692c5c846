"""Every pair becomes a new person: one talker's films must teach what is true of all mouths.

A pair's source, target and warp all go through the same change of shape, colour, light and sharpness, and the
landmarks move along. What is left to learn is how a frame differs from its warp, not what the talker looks like.
"""

import math

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from text2lip.faces.crop import CROP_SIZE
from text2lip.renderers.mouth_correction import motion_share
from text2lip.renderers.mouth_drawing import draw_mouth
from text2lip.renderers.mouth_references import MouthReferences
from text2lip.training.pairs import PAIR_MARGIN, PAIR_SIDE, PAIR_SIZE


# How a pair varies; by eye unless it is said.
UNMOVED = 0.04  # share of pairs whose target is the source itself
GREY = 0.08  # share of pairs without colour
STRETCH = 0.2  # largest change of size, logarithmic
BEND = 2.5  # standard deviation of the smooth change of shape, pixels of the crop
MIXING = 0.25  # the most of the other channels, standard deviation; 0.1 told unseen faces worse
JITTER = 0.25  # the most that landmarks are wrong by, standard deviation in pixels
SCENE_LIGHT = 0.25  # by how much the drawn inside of the mouth is lighter or darker, standard deviation, logarithmic
REFERRED = 0.4  # share of pairs that come with other pictures of the person
OTHER_LIGHT = 0.04  # by how much their light is wrong, standard deviation, logarithmic
INPUT_NOISE = 0.015  # the most noise on what the network sees; pictures span 0..1


def draw_batch(pairs, size: int, generator: np.random.Generator) -> dict[str, torch.Tensor]:
    """`size` pairs at random, each made a new person; the same generator gives the same batch.

    Args:
        pairs ([`PairMix`]): what to draw from.
        size (`int`): pairs.
        generator (`np.random.Generator`): of all draws.

    Returns:
        `dict`: float32, with B pairs: `source`, `target`, `warped` and `seen`, the warp with noise,
        (B, 3, 96, 96) in [-1, 1]; `drawings` (B, 8, 96, 96); `inside` (B, 1, 96, 96), the true opening between the
        lips, and `judged`, where the pair tells what is right; `moved` (B,), the share of its correction that a frame
        gets, all in [0, 1]; `reference` (B, 4, 96, 96), crops in [-1, 1] and how near they are, 0 for pairs without.
    """
    picked = [pairs.draw(generator) for _ in range(size)]
    drawn = [refer(pair, generator) for pair in picked]
    near = torch.tensor([near for _, near in drawn], dtype=torch.float32).view(size, 1, 1, 1)
    picked = [{**pair, "reference": picture} for pair, (picture, _) in zip(picked, drawn)]
    deformed = [deform(pair, generator) for pair in picked]
    images = torch.from_numpy(np.stack([images for images, _ in deformed])).permute(0, 1, 4, 2, 3)
    images = recolour(images.float() / 255, generator)
    points = np.stack([points for _, points in deformed])  # (B, 2, 57, 2): source, target
    inside = torch.from_numpy(np.stack([draw_mouth(row[1], CROP_SIZE)[..., 2] for row in points]))[:, None] / 255
    moved = motion_share(points[:, 1], points[:, 0])
    lamp = torch.from_numpy(np.float32(np.expm1(generator.normal(0, SCENE_LIGHT, (size, 1, 1, 1)))))
    images[:, 2] *= 1 + lamp * inside * torch.from_numpy(moved).float().view(size, 1, 1, 1)
    images[:, 2].clamp_(0, 1)
    alone = torch.tensor([float(pair.get("inside_alone", False)) for pair in picked]).view(size, 1, 1, 1)
    spread = generator.uniform(0, JITTER, (size, 1, 1, 1))
    points += spread * (generator.standard_normal(points.shape) + generator.standard_normal((size, 2, 1, 2)))
    drawings = np.stack([np.concatenate([draw_mouth(p, CROP_SIZE) for p in row], -1) for row in points])
    light = np.exp(generator.normal(0, OTHER_LIGHT, (size, 3, 1, 1))).astype(np.float32)
    seen = add_noise(images[:, [0, 2]], generator)
    reference = (2 * (images[:, 3] * torch.from_numpy(light)).clamp(0, 1) - 1) * (near > 0)
    return {
        "source": 2 * seen[:, 0] - 1,
        "target": 2 * images[:, 1] - 1,
        "warped": 2 * images[:, 2] - 1,
        "seen": 2 * seen[:, 1] - 1,
        "drawings": torch.from_numpy(drawings).permute(0, 3, 1, 2).float() / 255,
        "inside": inside,
        "judged": 1 - alone + alone * F.max_pool2d(inside, 3, 1, 1),
        "moved": torch.from_numpy(moved).float(),
        "reference": torch.cat([reference, near.expand(-1, -1, CROP_SIZE, CROP_SIZE)], 1),
    }


def refer(pair: dict[str, np.ndarray], generator: np.random.Generator) -> tuple[np.ndarray, float]:
    """What other pictures of the person say of a pair's frame: some of them, or none.

    Args:
        pair (`dict`): of [`PairMix`].
        generator (`np.random.Generator`): of the draws.

    Returns:
        `tuple`: uint8 (128, 128, 3), and how near the mouth is; black and 0 without a picture.
    """
    count = len(pair["others"])
    if count == 0 or generator.random() >= REFERRED:
        return np.zeros_like(pair["target"]), 0.0
    some = generator.permutation(count)[: 1 + int(generator.integers(count))]
    references = MouthReferences(pair["others"][some], pair["other_points"][some], PAIR_SIDE)
    wrong = generator.uniform(0, JITTER) * generator.standard_normal((57, 2))
    return references.draw(pair["target_points"] + wrong, PAIR_SIZE)[:2]


def deform(pair: dict[str, np.ndarray], generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Turn, scale, mirror and bend a pair's pictures and points, all in the same way.

    Args:
        pair (`dict`): of [`PairMix`].
        generator (`np.random.Generator`): of the draws.

    Returns:
        `tuple`: uint8 (4, 96, 96, 3), the source, target, warp and reference; float64 (2, 57, 2) points.
    """
    images = np.stack([pair[name] for name in ("source", "target", "warped", "reference")])
    points = np.stack([pair["source_points"], pair["target_points"]]).astype(np.float64)
    if generator.random() < UNMOVED:
        images[1:3], points[1] = images[0], points[0]
    matrix, offset = _affine(generator)
    coarse = generator.normal(0, BEND * generator.random(), (5, 5, 2)).astype(np.float32)
    bend = cv2.resize(coarse, (CROP_SIZE, CROP_SIZE), interpolation=cv2.INTER_CUBIC)
    line = np.arange(CROP_SIZE) + 0.5
    grid = np.stack(np.meshgrid(line, line), -1)
    lookup = (grid @ matrix.T + offset + bend - 0.5).astype(np.float32)  # crop to stored picture
    blur = generator.uniform(0.3, 1.1) if generator.random() < 0.3 else 0
    changed = []
    for image in images:
        image = cv2.remap(image, lookup, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        changed.append(cv2.GaussianBlur(image, (0, 0), blur) if blur else image)
    return np.stack(changed), _backward(points, matrix, offset, bend)


def _affine(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """From the crop (96 px) to the stored picture (128 px), around their centres."""
    turn = generator.normal(0, 0.04)
    scale = np.exp(generator.uniform(-STRETCH, STRETCH) + generator.uniform(-0.08, 0.08, 2))
    mirror = np.array([generator.choice([-1, 1]), 1])
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    matrix = rotation * (mirror / scale)
    centre = np.full(2, PAIR_SIZE / 2) + generator.uniform(-0.25, 0.25, 2) * PAIR_MARGIN
    return matrix, centre - matrix @ np.full(2, CROP_SIZE / 2)


def _backward(points: np.ndarray, matrix: np.ndarray, offset: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """Where stored `points` (n, 57, 2) are in the crop: the solution y of matrix y + offset + bend(y) = point."""
    inverse = np.linalg.inv(matrix).T
    found = (points - offset) @ inverse
    for _ in range(6):
        at = (found - 0.5).astype(np.float32)
        shift = cv2.remap(bend, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        found = (points - offset - shift) @ inverse
    return found


def recolour(images: torch.Tensor, generator: np.random.Generator) -> torch.Tensor:
    """Other skins and lights: gamma, a mixing of the channels, exposure, a gradient of light; some without colour.

    Args:
        images (`torch.Tensor`): (batch, n, 3, height, width) in [0, 1]; the n pictures of a pair change alike.
        generator (`np.random.Generator`): of the draws.
    """
    size, height, width = len(images), *images.shape[-2:]
    draw = torch.Generator().manual_seed(int(generator.integers(2**62)))

    def uniform(low: float, high: float, *shape: int) -> torch.Tensor:
        return low + (high - low) * torch.rand(size, *shape, generator=draw)

    mixing = torch.eye(3) + uniform(0, MIXING, 1, 1) * torch.randn(size, 3, 3, generator=draw)
    mixing = mixing / mixing.sum(2, keepdim=True).clamp(min=0.5)
    grey = (uniform(0, 1, 1, 1) < GREY).float()
    mixing = mixing + grey * (torch.tensor([0.299, 0.587, 0.114]).expand(3, 3) - mixing)
    gain = torch.exp(uniform(-0.8, 0.25, 1, 1) + (1 - grey) * 0.12 * torch.randn(size, 3, 1, generator=draw))
    images = images.clamp(min=1e-4) ** torch.exp(uniform(-0.45, 0.45, 1, 1, 1, 1))
    images = torch.einsum("bij,bnjhw->bnihw", mixing * gain, images)
    y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    slope = uniform(-0.4, 0.4, 2, 1, 1)
    light = 1 + slope[:, 0] * x + slope[:, 1] * y
    return (images * light[:, None, None]).clamp(0, 1)


def add_noise(images: torch.Tensor, generator: np.random.Generator) -> torch.Tensor:
    """Sensor noise on some pictures (batch, n, 3, height, width) in [0, 1]."""
    draw = torch.Generator().manual_seed(int(generator.integers(2**62)))
    level = INPUT_NOISE * (2 * torch.rand(len(images), 1, 1, 1, 1, generator=draw) - 1).clamp(min=0)
    return images + level * torch.randn(images.shape, generator=draw)
