"""Prepare GRID, AV Digits or any folder of talking clips for training and for the benchmarks.

    python examples/prepare_grid.py --data $TEXT2LIP_DATA --output outputs/grid
    python examples/prepare_grid.py --layout folder --data my_clips --output outputs/mine
    python examples/prepare_grid.py --layout avdigits --data avdigits.csv --output outputs/avdigits

Writes a data set that `datasets.load_dataset(output)` reads (one Parquet file a split) and `report.tsv` (clips that
failed and why, words whose alignment is over 100 ms off the corpus's own). One file a clip is kept in `output/cache`:
a run that was stopped goes on where it was, but what another face mesh found is found anew. Files that don't name
their mesh, as they were made before, can be stamped by who knows that it was the present one; no more is done then:

    python examples/prepare_grid.py --stamp outputs/grid outputs/faces.safetensors

`--data` is $TEXT2LIP_DATA by default.
"""

import argparse
import json
import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import lru_cache
from pathlib import Path

from tqdm import tqdm

from text2lip.data import avdigits_clips, folder_clips, grid_clips
from text2lip.data.clips import SourceClip
from text2lip.data.mesh_stamp import stamp
from text2lip.data.preparation import ClipError, prepare_clip
from text2lip.data.prepared import is_prepared, load_record, record_path, save_record, write_parquet
from text2lip.licences import check_licence, hub_metadata
from text2lip.training.settings import errors_in_one_line


LAYOUTS = {"grid": grid_clips, "folder": folder_clips, "avdigits": avdigits_clips}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data",
        default=os.environ.get("TEXT2LIP_DATA"),
        help="folder of clips, or AV Digits' table",
    )
    parser.add_argument("--layout", choices=LAYOUTS, default="grid")
    parser.add_argument("--output", default="outputs/grid")
    parser.add_argument("--split", help="only this split")
    parser.add_argument("--limit", type=int, help="only so many clips")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes (default: one a processor)")
    parser.add_argument("--push-to-hub", metavar="REPO", help="upload the data set (its licence must allow it)")
    parser.add_argument("--licence", help="of the data set, an SPDX identifier; wanted with --push-to-hub")
    parser.add_argument("--stamp", nargs="+", metavar="PATH", help="say that these files' landmarks are of this mesh")
    args = parser.parse_args()
    if args.stamp:
        print(f"{sum(stamp(path) for path in args.stamp)} files stamped.")
        return
    licence = check_licence(args.licence, args.push_to_hub)
    if not args.data:
        raise SystemExit("prepare_grid: give --data, or set TEXT2LIP_DATA to the folder that holds grid/.")
    clips = LAYOUTS[args.layout](args.data)
    clips = [clip for clip in clips if args.split in (None, clip.split)][: args.limit]
    output = Path(args.output)
    output.mkdir(parents=True, exist_ok=True)
    failed = prepare_all(clips, output, args.workers)
    prepared = [clip for clip in clips if clip.name not in failed]
    counts = write_splits(prepared, output)
    write_report(prepared, failed, output)
    print(f"{len(prepared)} clips in {output} {dict(counts)}, {len(failed)} failed.")
    if args.push_to_hub:
        from datasets import load_dataset
        from huggingface_hub import metadata_update

        load_dataset(str(output)).push_to_hub(args.push_to_hub)
        metadata_update(args.push_to_hub, hub_metadata([licence]), repo_type="dataset", overwrite=True)


def prepare_all(clips: list[SourceClip], output: Path, workers: int) -> dict[str, str]:
    """Make what is missing, in parallel; returns why clips failed."""
    todo = [clip for clip in clips if not is_prepared(output, clip.name)]
    if old := sum(record_path(output, clip.name).exists() for clip in todo):
        print(f"{old} clips in {output} are not known to be of the present face mesh: prepared anew (see --stamp).")
    failed = {}
    with ProcessPoolExecutor(max(1, workers)) as pool:
        jobs = {pool.submit(prepare_one, clip, output): clip for clip in todo}
        bar = tqdm(as_completed(jobs), total=len(clips), initial=len(clips) - len(todo), unit="clip")
        try:
            for job in bar:
                if job.exception():
                    failed[jobs[job].name] = str(job.exception())
                    bar.write(f"failed: {jobs[job].name}: {job.exception()}")
        except BaseException:  # Ctrl-C: else the pool would go on to its last clip
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return failed


def prepare_one(clip: SourceClip, output: Path):
    """One clip, in a worker process. What goes wrong with a clip is reported, never fatal."""
    import torch

    torch.set_num_threads(1)
    try:
        save_record(record_path(output, clip.name), prepare_clip(clip, *models()))
    except ClipError:
        raise
    except Exception as error:  # a broken file can fail in any decoder
        raise ClipError(repr(error)) from error


@lru_cache(1)
def models() -> tuple:
    from text2lip import FaceLandmarker, VisemeTokenizer

    return FaceLandmarker.from_builtin(), VisemeTokenizer()


def write_splits(clips: list[SourceClip], output: Path) -> Counter:
    """One Parquet file a split, from the records of its clips."""
    counts = Counter(clip.split or "train" for clip in clips)
    for split in counts:
        records = (load_record(record_path(output, c.name)) for c in clips if (c.split or "train") == split)
        write_parquet(output / "data" / f"{split}-00000-of-00001.parquet", records, counts[split])
    return counts


def write_report(clips: list[SourceClip], failed: dict[str, str], output: Path):
    """`report.tsv`: a line for each clip that failed, was timed by the corpus's file, or has words out of place."""
    lines = [f"{name}\tfailed\t{reason}" for name, reason in failed.items()]
    for clip in clips:
        record = load_record(record_path(output, clip.name))
        if record["aligned_by"] != "sound":
            lines.append(f"{clip.name}\taligned by\t{record['aligned_by']}")
        if record["late_words"]:
            lines.append(f"{clip.name}\tover 100 ms off\t{json.dumps(list(record['late_words']))}")
    (output / "report.tsv").write_text("\n".join(["clip\twhat\tdetail", *lines]) + "\n", encoding="utf-8")
    print(f"{len(lines)} remarks in {output / 'report.tsv'}")


if __name__ == "__main__":
    with errors_in_one_line():
        main()
