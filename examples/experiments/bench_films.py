"""The films that experiments draw and judge, clip by clip, and the benchmarks' scripts that they do it by."""

import argparse
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from study import EXAMPLES, QUICK, save
from tqdm import tqdm


sys.path[:0] = [str(EXAMPLES), str(EXAMPLES / "benchmarks")]

import rows  # noqa: E402
from judges import sound_of  # noqa: E402
from mouths import FilmMouth  # noqa: E402
from quality import EVERY, FVD_CLIPS, FVD_FRAMES, compare, detail, load, prepared_folder  # noqa: E402
from readers import reading, reading_figures  # noqa: E402
from rows import BenchClip  # noqa: E402

from text2lip import GeometricRenderer  # noqa: E402
from text2lip import metrics as M  # noqa: E402
from text2lip.faces.crop import CROP_SIZE, crop  # noqa: E402
from text2lip.media.video import read_frames  # noqa: E402
from text2lip.training.lip_networks import Text2LipNetworks  # noqa: E402


__all__ = ["FilmMouth", "compare", "detail", "reading", "reading_figures", "rows"]
LIPS = ("gap_r", "width_r", "lmd_centred")
PICTURES = ("ssim", "psnr", "mouth_ssim", "mouth_psnr")
SYNC = ("sync_confidence_lips", "sync_confidence", "sync_offset")
DRAWN = (*PICTURES, "fvd", *SYNC[1:], "wer_crops", "bleu1_crops", "bleu4_crops")  # columns of what is drawn
MOVED = (*LIPS, SYNC[0], "wer_landmarks", "bleu1_landmarks", "bleu4_landmarks")  # of lips that are not
Figures = dict[str, dict[str, list]]  # row -> figure -> its value for each clip


def film_options(parser: argparse.ArgumentParser):
    """The options of experiments on films."""
    parser.add_argument("--data", help="the films, which the clips are prepared from (default: $TEXT2LIP_DATA)")
    parser.add_argument("--limit", type=int, help="only so many clips, the first")


def films(args: argparse.Namespace, split: str) -> list[BenchClip]:
    """GRID's clips of a split, prepared where they are not; the first two where `args` are for a quick look."""
    wanted = {"data": args.data or os.environ.get("TEXT2LIP_DATA"), "layout": "grid", "prepared": args.prepared}
    wanted |= {"split": split, "limit": QUICK["limit"] if args.quick else args.limit, "only": None, "workers": 1}
    asked = argparse.Namespace(**wanted)
    return load(asked, prepared_folder(asked))[0]


def measured(
    folder: Path, clips: list[BenchClip], measure: Callable[[BenchClip], dict[str, dict]]
) -> tuple[Figures, float]:
    """What `measure` finds of every clip, and the minutes of processor time that took. All that was found is kept in
    `folder`, a file for each clip, and not measured again; older files hold time of a clock, which is left out."""
    found, seconds = defaultdict(lambda: defaultdict(list)), 0.0
    for clip in tqdm(clips, desc=folder.name, unit="clip"):
        target = folder / f"{clip.name.replace('/', '-')}.json"
        if not target.exists():
            begun = time.process_time()
            kept = {"rows": measure(clip), "processor_seconds": time.process_time() - begun}
            save(target, json.dumps(kept, default=float) + "\n")
        kept = json.loads(target.read_text(encoding="utf-8"))
        seconds += kept.get("processor_seconds", 0.0)
        for name, values in kept["rows"].items():
            for figure, value in values.items():
                found[name][figure].append(value)
    return found, seconds / 60


def of_way(folder: Path, clips: list[BenchClip], way: Callable, figures: Callable) -> tuple[dict[str, list], float]:
    """`figures` of every clip and the landmarks that a `way` makes for it, kept in `folder`; and the minutes."""
    found, minutes = measured(folder, clips, lambda clip: {"row": figures(clip, way(clip))})
    return found["row"], minutes


@torch.no_grad()
def moved_by(networks: Text2LipNetworks, clip: BenchClip, sound: torch.Tensor | None = None) -> np.ndarray:
    """Landmarks (frames, 478, 2) by networks that are told a clip's phones and times, before lips are sealed.

    Args:
        networks ([`Text2LipNetworks`]): of a run.
        clip ([`BenchClip`]): whose portrait moves.
        sound (`torch.Tensor`, *optional*): what they hear, float (1, frames, 320); nothing by default.
    """
    tokens = networks.tokenizer(phones=clip.timeline, language=clip.record["language"], return_tensors="pt")
    frames = torch.ones(1, len(clip.lips), dtype=torch.bool)
    batch = {**tokens, "fps": torch.tensor([clip.fps]), "frame_mask": frames, "real": torch.ones(1, dtype=torch.bool)}
    batch["audio"] = torch.zeros_like(clip.sound) if sound is None else sound
    moved = networks(batch, torch.full_like(frames, sound is None)).motion[0]
    return clip.mouth().retarget(moved.float().numpy(), networks.lip_decoder.config.reference_width)


def moved_figures(clip: BenchClip, landmarks: np.ndarray) -> dict[str, Any]:
    """A clip's figures of lips that are not drawn."""
    lips = rows.lips_of(clip, landmarks)
    made = {metric: getattr(M, metric)(lips, clip.lips) for metric in LIPS}
    made["sync_confidence_lips"], _ = M.sync_of_lips(lips, sound_of(clip), fps=clip.fps)
    return made | {"read_landmarks": reading("landmarks", lips, clip)}


def drawn_figures(clip: BenchClip, landmarks: np.ndarray, way: str = "drawn", fvd: bool = True) -> dict[str, Any]:
    """A clip's figures of lips and of the pictures.

    Args:
        clip ([`BenchClip`]): whose film it is compared with.
        landmarks (`np.ndarray`): (frames, 478, 2), normalised.
        way (`str`): "drawn", by the geometric renderer from the first frame; "still", the first frame alone; "film".
        fvd (`bool`): keep what FVD compares.
    """
    film = np.stack(list(read_frames(clip.video))[: len(clip.lips)])
    frames, moving = {"film": film, "still": np.repeat(film[:1], len(film), 0)}.get(way), rows.crop_transforms(clip)
    if frames is None:
        source = clip.record["landmarks"][0, :, :2]
        drawn = GeometricRenderer().render(film[0], landmarks, fps=clip.fps, source_landmarks=source)
        frames = np.stack(list(drawn))
    real = np.stack([crop(frame, matrix, CROP_SIZE) for frame, matrix in zip(film, moving)])
    mouth = real if way == "film" else np.stack([crop(frame, moving[0], CROP_SIZE) for frame in frames])
    made = {"read_crops": reading("crops", mouth, clip)}
    for metric in ("ssim", "psnr") if way != "film" else ():
        made[metric] = getattr(M, metric)(frames[::EVERY], film[::EVERY])
        made[f"mouth_{metric}"] = getattr(M, metric)(mouth, real)
    made["sync_confidence"], offset = M.sync_of_pictures(mouth, sound_of(clip), fps=clip.fps)
    if fvd and M.available_metrics()["fvd"] is None:
        start = (len(film) - FVD_FRAMES) // 2
        made["fvd"] = M.video_features([frames[start : start + FVD_FRAMES]])[0].tolist()
    return moved_figures(clip, landmarks) | made | {"sync_offset": abs(offset)}


def film_and_still(folder: Path, clips: list[BenchClip], fvd: bool) -> tuple[Figures, float]:
    """The film's figures, and those of the portrait unmoved: what no row should be above, and below; the minutes."""

    def bounds(clip: BenchClip) -> dict[str, dict]:
        true = clip.record["landmarks"][..., :2]
        return {
            "film": drawn_figures(clip, true, "film", fvd),
            "still portrait": drawn_figures(clip, rows.still(clip), "still", fvd),
        }

    return measured(folder, clips, bounds)


def summary(values: dict[str, list], film: dict[str, list] | None = None) -> dict[str, float | None]:
    """A row's figures over all clips; FVD against the `film`'s, where there are enough clips."""
    figures = {figure: M.mean_of(values.get(figure, [])) for figure in (*LIPS, *PICTURES, *SYNC)}
    for sees in ("landmarks", "crops"):
        read = reading_figures(values.get(f"read_{sees}", []))
        figures |= {f"{figure}_{sees}": value for figure, value in read.items()}
    ours, real = values.get("fvd", []), (film or {}).get("fvd", [])
    enough = min(len(ours), len(real)) >= FVD_CLIPS and ours != real
    return figures | {"fvd": M.frechet_distance(np.array(ours), np.array(real)) if enough else None}
