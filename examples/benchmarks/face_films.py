"""The talking people of `$TEXT2LIP_DATA/faces` as clips of the benchmarks: pictures and landmarks, no words."""

import csv
from itertools import islice
from pathlib import Path

import numpy as np
import rows
from safetensors.numpy import load_file, save_file

from text2lip import FaceLandmarker
from text2lip.data.clips import SourceClip
from text2lip.data.mesh_stamp import MESH_KEY, is_current
from text2lip.data.preparation import ClipError, track
from text2lip.data.prepared import record_path
from text2lip.faces.canonical import canonical_lips
from text2lip.faces.geometry import to_pixels
from text2lip.faces.mesh_version import builtin_mesh_version
from text2lip.files import inside, replaced_file
from text2lip.media.video import read_frames, video_info


FRAMES = 100  # of each film, from its beginning


def face_clips(root: str | Path) -> list[SourceClip]:
    """The films of `faces/people.tsv` below `root`; nobody wrote down what is said in them."""
    folder = Path(root) / "faces"
    with open(folder / "people.tsv", newline="", encoding="utf-8") as file:
        listed = [row for row in csv.DictReader(file, delimiter="\t") if row["kind"] == "film"]
    return [
        SourceClip(row["person"], row["person"], row["split"], inside(folder, row["file"], "people.tsv"), "")
        for row in listed
    ]


def load_films(clips: list[SourceClip], prepared: Path) -> tuple[list[rows.BenchClip], dict[str, str]]:
    """Each with its landmarks, found once; and those that can't be used, with the reason."""
    made, failed, landmarker = [], {}, FaceLandmarker.from_builtin()
    told = {MESH_KEY: builtin_mesh_version()}
    for clip in clips:
        path = record_path(prepared, f"faces/{clip.name}")
        try:
            if not is_current(path):
                frames = list(islice(read_frames(clip.video), FRAMES))
                size = np.array(frames[0].shape[:2])
                path.parent.mkdir(parents=True, exist_ok=True)
                with replaced_file(path) as temporary:
                    save_file({"landmarks": track(frames, landmarker), "size": size}, temporary, told)
            record = load_file(path)
        except ClipError as error:
            failed[clip.name] = str(error)
            continue
        size, landmarks = tuple(record["size"].tolist()), record["landmarks"]
        lips = canonical_lips(to_pixels(landmarks[..., :2], *size))
        record = {"landmarks": landmarks, "size": size, "lips": lips, "fps": video_info(clip.video).fps}
        made.append(rows.BenchClip(clip.name, clip.video, record))
    return made, failed
