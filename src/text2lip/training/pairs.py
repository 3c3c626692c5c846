"""Pairs of pictures of one mouth: what a renderer learns from.

A portrait, a frame that its mouth is to be moved to, and the geometric renderer's attempt at it, as stabilised crops
with a margin around the crop that the network sees. They are made of packed faces when a run begins, so that they are
always those of the present geometric renderer.
"""

from collections.abc import Iterable

import cv2
import numpy as np

from text2lip.faces.canonical import canonical_lips, lip_gap, neutral_shape
from text2lip.faces.crop import CROP_SIDE, CROP_SIZE, crop, mouth_crop_transform
from text2lip.faces.geometry import to_pixels, transform_points
from text2lip.faces.topology import DRIVEN
from text2lip.motion.retarget import PortraitMouth, part_lips
from text2lip.renderers.geometric import prepare
from text2lip.renderers.mouth_drawing import draw_mouth
from text2lip.training.face_pack import PackedPerson


PAIR_MARGIN = 16  # pixels kept on each side for turning, moving and deforming
PAIR_SIZE = CROP_SIZE + 2 * PAIR_MARGIN
PAIR_SIDE = CROP_SIDE * PAIR_SIZE / CROP_SIZE
APART = 6  # frames between two pictures of a film that shall not be nearly the same
SOURCES = 4  # pictures of a film that serve as portraits, mouths that are as good as shut but for the last
MOUTHS = {"smiles": 2, "mouths": 4, "portraits": 12}  # other mouths that are made of each still
OPENED = 0.04  # outer eye distances between the lips from which a still's mouth shows an inside
HIDDEN = 1.5  # pixels around the inside of a still's mouth that are hidden with it


def film_pairs(
    frames: np.ndarray,
    landmarks: np.ndarray,
    sources: Iterable[int],
    targets: Iterable[int],
    moments: Iterable[int] | None = None,
) -> dict[str, np.ndarray]:
    """Every source frame moved to every target frame by the geometric renderer with the true landmarks.

    Args:
        frames (`np.ndarray`): `(frames, height, width, 3)` uint8, or a list of pictures of one size.
        landmarks (`np.ndarray`): `(frames, 478, 2 or 3)` normalised.
        sources (`Iterable[int]`): frames that serve as portraits.
        targets (`Iterable[int]`): frames to be drawn from a portrait.
        moments (`Iterable[int]`, *optional*): when each frame is in its film; targets that are `APART` or more may be
            references for each other. Default: their numbers.

    Returns:
        `dict`: with S sources and T targets, uint8 `source` (S, 128, 128, 3), `target` (T, 128, 128, 3) and `warped`
        (S, T, 128, 128, 3); float32 `source_points` (S, 57, 2), `target_points` (S, T, 57, 2), where the portrait has
        them, and `own_points` (T, 57, 2), where the film has them, the driven points in continuous pixels of the crop;
        bool `others` (T, T), where a target may be a reference for another.
    """
    sources, targets = list(sources), list(targets)
    height, width = frames[0].shape[:2]
    landmarks = landmarks if landmarks.shape[-1] == 3 else np.pad(landmarks, ((0, 0), (0, 0), (0, 1)))
    points = to_pixels(landmarks, height, width)[..., :2]
    lips, matrices = canonical_lips(points), mouth_crop_transform(points, PAIR_SIZE, side=PAIR_SIDE)
    made = {name: [] for name in ("source", "source_points", "warped", "target_points")}
    for index in sources:
        mouth = PortraitMouth(landmarks[index], height, width)
        wanted = mouth.place(mouth.shape + lips[targets] - lips[index])
        portrait = prepare(frames[index], landmarks[index, :, :2])
        made["source"].append(crop(frames[index], matrices[index], PAIR_SIZE))
        made["source_points"].append(_driven(points[index], matrices[index]))
        made["warped"].append([crop(portrait.frame(row), matrices[index], PAIR_SIZE) for row in wanted])
        made["target_points"].append([_driven(to_pixels(row, height, width), matrices[index]) for row in wanted])
    made["target"] = [crop(frames[i], matrices[i], PAIR_SIZE) for i in targets]
    made["own_points"] = [_driven(points[i], matrices[i]) for i in targets]
    when = np.arange(len(frames)) if moments is None else np.array(list(moments))
    others = np.abs(when[targets][:, None] - when[targets]) >= APART
    return {"others": others, **{name: np.array(value) for name, value in made.items()}}


def still_pairs(picture: np.ndarray, landmarks: np.ndarray, motions: np.ndarray) -> dict[str, np.ndarray]:
    """A still picture as its own target: the geometric renderer gives it other mouths, which serve as portraits.

    An open mouth is hidden and drawn anew from each of them, in the picture's own lips: what there is to learn is how
    the inside of this person's mouth looks, for the way of the lips was never seen. Where the picture's lips are shut
    its portraits' mouths are moved back as they are.

    Args:
        picture (`np.ndarray`): `(height, width, 3)` uint8.
        landmarks (`np.ndarray`): `(478, 3)` normalised.
        motions (`np.ndarray`): `(n, 57, 2)` motion from rest in canonical units, as [`PortraitMouth`] takes it.

    Returns:
        `dict`: as [`film_pairs`], with n sources and one target; `inside_alone` where the mouth was hidden.
    """
    mouth, prepared = PortraitMouth(landmarks, *picture.shape[:2]), prepare(picture, landmarks[:, :2])
    displaced = mouth.place(part_lips(mouth.rest + motions))
    frames = [*(prepared.frame(row) for row in displaced), picture]
    depth = np.repeat(landmarks[None, :, 2:], len(frames), 0)
    flat = np.concatenate([displaced, landmarks[None, :, :2]])
    last = len(displaced)
    made = film_pairs(frames, np.concatenate([flat, depth], -1), range(last), [last])
    if lip_gap(made["own_points"][0]) > OPENED * PAIR_SIZE / PAIR_SIDE:
        inside = draw_mouth(made["own_points"][0], PAIR_SIZE)[..., 2]
        hidden = cv2.dilate(inside, None, iterations=1).astype(np.float32) / 255
        hidden = cv2.GaussianBlur(hidden, (0, 0), HIDDEN / 2)[..., None]
        shown, target = made["warped"][:, 0].astype(np.float32), made["target"][0]
        made["warped"] = np.rint(target + hidden * (shown - target)).astype(np.uint8)[:, None]
        made["target_points"] = np.repeat(made["own_points"][None], last, 0)
        made["inside_alone"] = True
    return made


def _driven(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return transform_points(matrix, points[list(DRIVEN)]).astype(np.float32)


def film_motion(person: PackedPerson, height: int, width: int) -> np.ndarray:
    """Lip motion of a film from its rest, canonical (pictures, 57, 2)."""
    lips = canonical_lips(to_pixels(person.landmarks, height, width))
    return lips - neutral_shape(lips)


def make_pairs(people: Iterable[PackedPerson], generator: np.random.Generator) -> dict[str, list[dict]]:
    """Pairs of everybody, by kind; each person's as [`film_pairs`] gives them.

    Args:
        people (`Iterable[PackedPerson]`): films first: stills get their motions.
        generator (`np.random.Generator`): of all draws.

    Raises:
        ValueError: there are stills and no film.
    """
    pairs, motions = {}, []
    people = sorted(people, key=lambda person: person.kind in MOUTHS)
    for person in people:
        frames, landmarks = person.read(), person.landmarks
        if person.kind not in MOUTHS:
            motion = film_motion(person, *frames.shape[1:3])
            order = np.argsort(lip_gap(motion + neutral_shape(motion)), kind="stable")
            some = generator.permutation(order[: max(len(order) // 3, SOURCES)])[: SOURCES - 1]
            sources = [*some, generator.choice(order)]
            made = film_pairs(frames, landmarks, sources, range(len(frames)), person.moments)
            motions.append(motion)
        elif motions:
            count = MOUTHS[person.kind]
            every = np.concatenate(motions)
            drawn = every[generator.integers(len(every), size=count)] * generator.uniform(0.0, 1.2, (count, 1, 1))
            made = still_pairs(frames[0], landmarks[0], drawn)
        else:
            raise ValueError("faces: stills alone; their mouths move as films do, so some films are wanted.")
        pairs.setdefault(person.kind, []).append(made)
    return pairs


class PairMix:
    """Pairs of several kinds of people, each kind with its share of the draws; in it every person has the same.

    Args:
        pairs (`dict`): kind -> people, each a dictionary of [`film_pairs`].
        shares (`dict`): kind -> share, 0 or more; they need not sum to 1.

    Raises:
        ValueError: nobody of a kind that has a share.
    """

    def __init__(self, pairs: dict[str, list[dict]], shares: dict[str, float]):
        shares = {kind: share for kind, share in shares.items() if share > 0}
        if missing := [kind for kind in shares if not pairs.get(kind)]:
            raise ValueError(f"shares: nobody of {missing} among the faces, which have {sorted(pairs)}.")
        self.people = [pairs[kind] for kind in shares]
        self.edges = np.cumsum(list(shares.values())) / sum(shares.values())

    def __len__(self) -> int:
        return sum(one["warped"].shape[0] * one["warped"].shape[1] for people in self.people for one in people)

    def draw(self, generator: np.random.Generator) -> dict[str, np.ndarray]:
        """One pair: `source`, `target`, `warped` (128, 128, 3) uint8; `source_points`, `target_points` (57, 2);
        `others` (n, 128, 128, 3) and `other_points` (n, 57, 2), n other pictures of the person, 0 or more;
        `inside_alone`, whether only the inside of the mouth tells what is right."""
        people = self.people[int(np.searchsorted(self.edges, generator.random(), side="right"))]
        person = people[int(generator.integers(len(people)))]
        source, target = (int(generator.integers(count)) for count in person["warped"].shape[:2])
        others = np.flatnonzero(person["others"][target])
        return {
            "source": person["source"][source],
            "target": person["target"][target],
            "warped": person["warped"][source, target],
            "source_points": person["source_points"][source],
            "target_points": person["target_points"][source, target],
            "others": person["target"][others],
            "other_points": person["own_points"][others],
            "inside_alone": person.get("inside_alone", False),
        }
