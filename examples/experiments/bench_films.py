"""The films that experiments draw and judge, and the benchmarks' scripts that they do it by."""

import argparse
import os
import sys
from pathlib import Path

from study import QUICK


EXAMPLES = Path(__file__).parents[1]
sys.path[:0] = [str(EXAMPLES), str(EXAMPLES / "benchmarks")]

from quality import load, prepared_folder  # noqa: E402
from rows import BenchClip  # noqa: E402


def films(args: argparse.Namespace, split: str) -> list[BenchClip]:
    """GRID's clips of a split, prepared where they are not; the first two where `args` are for a quick look."""
    wanted = {"data": args.data or os.environ.get("TEXT2LIP_DATA"), "layout": "grid", "prepared": args.prepared}
    wanted |= {"split": split, "limit": QUICK["limit"] if args.quick else None, "only": None, "workers": 1}
    asked = argparse.Namespace(**wanted)
    return load(asked, prepared_folder(asked))[0]
