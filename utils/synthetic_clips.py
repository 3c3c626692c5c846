"""Data that training scripts take, made of nothing: lips that follow their visemes, mouths that open, films of a disc.

The tests train on it, and so does `utils/check_accelerator.py`; it shows that a script runs, resumes and learns.
"""

import json
from pathlib import Path

import cv2
import numpy as np

from text2lip.data.mesh_stamp import NO_MESH
from text2lip.data.prepared import PreparedClip, parquet_path, write_parquet
from text2lip.faces.topology import INNER_LOWER, JAW, LIPS, OUTER_LOWER, canonical_mesh, driven_index
from text2lip.media.video_writer import write_video
from text2lip.renderers.mouth_drawing import _CHAINS
from text2lip.text.timing import Segment
from text2lip.text.visemes import PHONE_TO_ID
from text2lip.training.face_pack import pack_person, save_faces
from text2lip.training.pairs import PAIR_SIZE


PHONES = ("p", "a", "t", "u", "s", "i")
OPENING = 16  # pictures of a film in which a mouth opens
DISC_FRAMES = 12
MOUTH_FILM_FRAMES = 44
TINY_NETWORKS = {  # of examples/train_pvar.py
    "viseme_encoder": {"hidden_dim": 16, "feed_forward_dim": 16, "num_phones": 128, "num_features": 6},
    "pseudo_audio": {"hidden_dim": 16, "feed_forward_dim": 16},
    "lip_decoder": {"hidden_dim": 16, "token_dim": 16, "feed_forward_dim": 16, "num_layers": 1},
}
TINY_AUTOENCODER = {
    "block_out_channels": [4, 4, 8, 8],
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "layers_per_block": 1,
    "norm_num_groups": 2,
}
_SHARED = {"block_out_channels": [32, 32], "layers_per_block": 1}
TINY_ECHOMIMIC = {
    "unet": {
        **_SHARED,
        "num_attention_heads": 2,
        "motion_num_attention_heads": 2,
        "cross_attention_dim": 8,
        "down_block_types": ["CrossAttnDownBlockMotion", "DownBlockMotion"],
        "up_block_types": ["UpBlockMotion", "CrossAttnUpBlockMotion"],
    },
    "reference_unet": {
        **_SHARED,
        "attention_head_dim": 2,
        "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
    },
    "landmark_encoder": {"embedding_channels": 32, "block_out_channels": [4, 4, 8, 8]},
}


def lip_clip(index: int, frames: int) -> PreparedClip:
    """A clip of random phones of three frames each; the lower lip drops as far as the phone says."""
    rng = np.random.default_rng(index)
    durations = np.full(frames // 3, 3 / 25, np.float32)
    durations[-1] += frames / 25 - durations.sum()
    which = rng.integers(0, len(PHONES), len(durations))
    which[[0, -1]] = -1
    phones, clock = [], 0.0
    for phone, seconds in zip(which, durations):
        phones.append(Segment("" if phone < 0 else PHONES[phone], clock, clock + float(seconds)))
        clock += float(seconds)
    token = np.minimum(np.arange(frames) // 3, len(durations) - 1)
    opening = np.convolve((which[token] + 1) / len(PHONES), np.ones(3) / 3, "same")
    rest = np.stack([np.linspace(-0.3, 0.3, len(LIPS) + len(JAW)), np.full(57, 0.6)], 1)
    lips = np.repeat(rest[None], frames, 0).astype(np.float32)
    lips[:, driven_index((17, 14)), 1] += 0.1 * opening[:, None]
    lips[:, driven_index((61,)), 0] += 0.05 * opening[:, None]
    return PreparedClip(
        name=f"s/{index}",
        speaker="s",
        text="",
        fps=25.0,
        lips=lips + rng.normal(0, 1e-4, lips.shape).astype(np.float32),
        mel=np.repeat(opening[:, None], 320, 1).astype(np.float32) - 0.6,
        phone_ids=np.array([0 if i < 0 else PHONE_TO_ID[PHONES[i]] for i in which]),
        viseme_ids=np.array([i + 1 for i in which]),
        durations=durations,
        phones=phones,
        words=[],
    )


def lip_clips(count: int = 8) -> list[PreparedClip]:
    """Clips of 18 to 24 frames."""
    return [lip_clip(index, 18 + 3 * (index % 3)) for index in range(count)]


def write_lip_clips(folder: Path, clips: list[PreparedClip], val: int = 3) -> None:
    """A folder as `examples/prepare_grid.py` makes it: all clips to train on, the first `val` of them for val."""
    for split, some in (("train", clips), ("val", clips[:val])):
        write_parquet(parquet_path(folder, split), [_lip_record(clip, split) for clip in some], len(some))


def _lip_record(clip: PreparedClip, split: str) -> dict:
    frames = len(clip.lips)
    rest = {
        "split": split,
        "language": "en-us",
        "mesh": NO_MESH,
        "size": (8, 8),
        "landmarks": np.zeros((frames, 1, 3), np.float32),
        "head": np.zeros((frames, 2, 3), np.float32),
        "audio": np.zeros(8, np.int16),
        "crops": [b""] * frames,
        "aligned_by": "sound",
        "late_words": [],
    }
    return {**vars(clip), **rest}


def write_mouth_films(folder: Path) -> None:
    """A prepared folder of three clips to train on and two of val: mouths that open as the sound gets louder."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 3), ("val", 2)):
        records = [_mouth_film(f"s1/{split}{number}", split, rng) for number in range(count)]
        write_parquet(parquet_path(folder, split), records, count)


def _mouth_film(name: str, split: str, rng: np.random.Generator) -> dict:
    frames, text = MOUTH_FILM_FRAMES, "bin blue at f two now"
    opening = np.convolve(rng.uniform(0, 1, frames + 4), np.ones(5) / 5, "valid")
    lips = np.zeros((frames, 57, 2), np.float32)
    lips[:, 20:31, 1] = 0.1 * opening[:, None]
    crops = []
    for gap in opening:
        crop = np.full((96, 96, 3), 180, np.uint8)
        crop[48 : 48 + round(20 * gap), 30:66] = 20
        crops.append(cv2.imencode(".png", crop)[1].tobytes())
    sound = 3000 * rng.standard_normal(frames * 640) * np.repeat(opening, 640)
    ends = np.linspace(0, frames / 25, 7)
    words = [Segment(word, *times) for word, *times in zip(text.split(), ends[:-1], ends[1:])]
    empty = dict.fromkeys(("landmarks", "head", "mel"), np.zeros((frames, 1), np.float32))
    empty |= dict.fromkeys(("phone_ids", "viseme_ids"), np.zeros(1, np.int64)) | {"durations": np.ones(1, np.float32)}
    told = {"name": name, "speaker": "s1", "split": split, "text": text, "language": "en-gb", "aligned_by": "sound"}
    told |= {"mesh": NO_MESH, "fps": 25.0, "size": [288, 360], "late_words": [], "words": words}
    return empty | told | {"phones": words, "lips": lips, "crops": crops, "audio": sound.astype(np.int16)}


def mouth(gap: float = 6.0, centre: tuple[float, float] = (PAIR_SIZE / 2, 56.0)) -> np.ndarray:
    """57 points of a mouth with its inner lips `gap` pixels apart, and a jaw around it: float32 (57, 2), pixels."""
    points, bow = np.zeros((57, 2)), np.sin(np.linspace(0, np.pi, 11))
    x = np.linspace(-18, 18, 11)
    for name, rise in {
        "outer_upper": -7.0,
        "inner_upper": -gap / 2,
        "inner_lower": gap / 2,
        "outer_lower": 8.0,
    }.items():
        points[_CHAINS[name]] = np.stack([x, rise * bow], 1)
    turn = np.linspace(np.pi, 0, 17)
    points[_CHAINS["jaw"]] = np.stack([36 * np.cos(turn), 34 * np.sin(turn) - 12], 1)
    return (points + centre).astype(np.float32)


def mouth_pair(seed: int = 0) -> dict[str, np.ndarray]:
    """A pair of mouth pictures as [`PairMix`] gives it, with three other pictures of the person."""
    generator = np.random.default_rng(seed)
    picture = generator.integers(0, 256, (PAIR_SIZE // 8, PAIR_SIZE // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    return {
        "source": picture,
        "target": picture[::-1],
        "warped": picture[:, ::-1],
        "source_points": mouth(0.0),
        "target_points": mouth(6.0),
        "others": generator.integers(0, 256, (3, PAIR_SIZE, PAIR_SIZE, 3), np.uint8),
        "other_points": np.stack([mouth(gap) for gap in (0.0, 6.0, 12.0)]),
        "inside_alone": False,
    }


def mouth_people(seed: int = 0) -> dict[str, np.ndarray]:
    """The same, as [`film_pairs`] gives it: two portraits and three targets."""
    made = mouth_pair(seed)
    target = np.concatenate([made["target"][None], made["others"][1:]])
    points = made["other_points"]
    return {
        "source": np.stack([made["source"], made["warped"]]),
        "source_points": np.stack([mouth(0.0)] * 2),
        "target": target,
        "warped": np.stack([target[:, :, ::-1]] * 2),
        "target_points": np.stack([points] * 2),
        "own_points": points,
        "others": ~np.eye(3, dtype=bool),
    }


def mouth_film(seed: int, split: str, kind: str = "grid"):
    """A film of blotches as [`pack_person`] makes it: landmarks of the canonical mesh whose mouth opens."""
    mesh = canonical_mesh()[0] * (1, -1, -1)
    mesh = np.concatenate([mesh, np.repeat(mesh[[33]], 478 - len(mesh), 0)])
    points = np.repeat((60 / np.linalg.norm(mesh[263] - mesh[33]) * mesh + (100, 110, 0))[None], OPENING, 0)
    points[:, INNER_LOWER + OUTER_LOWER + JAW, 1] += np.linspace(0, 12, OPENING)[:, None]
    generator = np.random.default_rng(seed)
    small = np.linspace(0, 60, OPENING)[:, None, None, None] + generator.integers(0, 190, (1, 27, 25, 3))
    frames = list(small.astype(np.uint8).repeat(8, 1).repeat(8, 2))
    landmarks = (points / (200, 216, 200)).astype(np.float32)
    moments = range(OPENING) if kind == "grid" else [OPENING - 1]
    return pack_person(f"{kind}/{seed}", kind, split, frames, landmarks, moments)


def write_faces(path: Path, splits: tuple[str, ...] = ("train", "val")) -> None:
    """A file as `examples/prepare_pairs.py` makes it: a film of each split, and a still."""
    people = [mouth_film(seed, split) for seed, split in enumerate(splits)]
    save_faces(path, [*people, mouth_film(8, "train", "smiles")])


def write_disc_films(prepared: Path, videos: Path) -> None:
    """Two films of a bright disc that is its own face, in `videos`, and what is prepared of them, in `prepared`."""
    records, lines = [], []
    for number in range(2):
        rng = np.random.default_rng(number)
        centres = [40, 50] + rng.uniform(-3, 3, 2) + np.cumsum(rng.normal(0, 0.3, (DISC_FRAMES, 2)), 0)
        rows, columns = np.mgrid[:100, :80]
        frames = [
            np.uint8(40 + 180 * (np.hypot(columns - x, rows - y) < 16))[..., None].repeat(3, 2) for x, y in centres
        ]
        write_video(videos / f"{number}.mp4", frames, fps=25)
        lines.append(json.dumps({"file_name": f"{number}.mp4", "text": "", "split": "train"}))
        around = rng.uniform(-1, 1, (478, 2)) * (14, 18)
        landmarks = np.concatenate([(centres[:, None] + around) / (80, 100), np.zeros((DISC_FRAMES, 478, 1))], 2)
        records.append(_disc_record(str(number), landmarks.astype(np.float32)))
    (videos / "metadata.jsonl").write_text("\n".join(lines))
    for split in ("train", "val"):
        write_parquet(parquet_path(prepared, split), records, len(records))


def _disc_record(name: str, landmarks: np.ndarray) -> dict:
    empty = dict.fromkeys(("speaker", "split", "text", "language", "aligned_by", "mesh"), "")
    empty |= dict.fromkeys(("phones", "words", "late_words", "crops"), [])
    floats = dict.fromkeys(("head", "lips", "mel", "durations"), np.zeros((1, 1), np.float32))
    whole = dict.fromkeys(("phone_ids", "viseme_ids"), np.zeros(1, np.int64))
    sound = np.random.default_rng(0).integers(-3000, 3000, 16000 * DISC_FRAMES // 25).astype(np.int16)
    size = {"fps": 25.0, "size": (100, 80), "landmarks": landmarks, "audio": sound}
    return {"name": name, **empty, **floats, **whole, **size}
