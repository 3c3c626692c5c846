"""Prepare GRID for training: landmarks of every frame, phones with times, canonical lip motion.

    python examples/prepare_grid.py --data $TEXT2LIP_DATA --output outputs/grid

Resumable: a clip whose file exists is not made again.
"""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from text2lip.data.grid import GridClip, grid_clips


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("TEXT2LIP_DATA"), help="folder that holds grid/")
    parser.add_argument("--output", default="outputs/grid", help="folder for one .npz a clip")
    parser.add_argument("--split", help="only this split")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    args = parser.parse_args()
    if not args.data:
        raise SystemExit("prepare_grid: give --data or set TEXT2LIP_DATA to the folder that holds grid/.")
    clips = grid_clips(args.data, args.split)
    failed = {}
    with ProcessPoolExecutor(args.workers) as pool:
        jobs = {pool.submit(partial(prepare_clip, Path(args.output)), clip): clip for clip in clips}
        for job in tqdm(as_completed(jobs), total=len(jobs), unit="clip"):
            if job.exception():
                failed[jobs[job].name] = repr(job.exception())
    for name, reason in sorted(failed.items()):
        print(f"failed {name}: {reason}")
    print(f"{len(clips) - len(failed)} clips in {args.output}, {len(failed)} failed.")


def prepare_clip(output: Path, clip: GridClip):
    """Track one clip's face and align its words; writes `output/clip.name.npz`."""
    import torch

    from text2lip.video import read_frames, replaced_file, video_info

    torch.set_num_threads(1)
    target = output / f"{clip.name}.npz"
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    frames = list(read_frames(clip.video))
    info = video_info(clip.video)
    landmarks, scores = landmarker().track(frames)
    with replaced_file(target) as temporary:
        np.savez(temporary, landmarks=landmarks, scores=scores, fps=info.fps, size=(info.height, info.width))


def landmarker(cache: list = []):  # noqa: B006 - one model for each worker process
    if not cache:
        from text2lip.faces.landmarker import FaceLandmarker

        cache.append(FaceLandmarker.from_builtin())
    return cache[0]


if __name__ == "__main__":
    main()
