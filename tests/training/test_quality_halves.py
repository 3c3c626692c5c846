"""Second halves of clips in `examples/benchmarks/quality.py`: what is rendered, offered and compared."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from text2lip.faces.canonical import canonical_lips
from text2lip.faces.geometry import to_pixels
from text2lip.faces.topology import INNER_LOWER, OUTER_LOWER, canonical_mesh
from text2lip.metrics.image import ROUNDING_MSE, decibels


FRAMES, SIZE = 21, 80


@pytest.fixture
def quality(benchmark_script):
    return benchmark_script("quality")


@pytest.fixture
def clip(quality):
    """A head that stands still while its lips drop a little further in every frame."""
    face = canonical_mesh()[0] * np.array([1, -1, -1])
    face = (face - face.min(0)) / np.ptp(face, 0).max()
    face = np.concatenate([face, face[[33] * 5 + [263] * 5]])[:478].astype(np.float32)
    landmarks = np.repeat(0.1 + 0.8 * face[None], FRAMES, 0)
    landmarks[:, [*OUTER_LOWER, *INNER_LOWER], 1] += 0.008 * np.arange(FRAMES, dtype=np.float32)[:, None]
    record = {"landmarks": landmarks, "size": (SIZE, SIZE), "fps": 25.0}
    record["lips"] = canonical_lips(to_pixels(landmarks[..., :2], SIZE, SIZE))
    return quality.rows.BenchClip("s/1", Path("s/1.mpg"), record)


@pytest.fixture
def film():
    return np.random.default_rng(0).integers(0, 256, (FRAMES, SIZE, SIZE, 3), np.uint8)


def test_references_are_of_the_first_half(quality, clip, film):
    references = quality.rows.earlier_mouths(clip, film)
    assert quality.rows.middle(clip) == 10
    assert len(references.pictures) == 4  # frames 0 to 3: six are left out
    dropped = references.points[:, :, 1] - references.points[0, :, 1]
    assert (np.diff(dropped.max(1)) > 0).all()


def test_the_second_half_is_sliced_and_rendered_anew_with_references(quality, clip, film):
    drawn = dict.fromkeys(("still", "text_only", "true_landmarks_geometric", "true_landmarks_learned"), film)
    asked = {}

    class Learned:
        def render(self, portrait, landmarks, *, fps, source_landmarks, references):
            asked.update(portrait=portrait, landmarks=landmarks, references=references)
            return (portrait for _ in landmarks)

    later = quality.second_half(clip, film, drawn, {"geometric": None, "learned": Learned()})
    names = ("still", "true_landmarks_geometric", "true_landmarks_learned", "true_landmarks_referred")
    assert list(later) == [f"{name}_second_half" for name in names]
    assert all(len(frames) == 11 for frames in later.values())
    assert np.array_equal(later["still_second_half"], film[10:])
    assert np.array_equal(asked["portrait"], film[0]) and len(asked["references"].pictures) == 4
    assert np.array_equal(asked["landmarks"], quality.rows.true_landmarks(clip)[10:])
    assert "true_landmarks_referred_second_half" not in quality.second_half(clip, film, drawn, {"geometric": None})


@pytest.mark.parametrize("start", [0, 10])
def test_frames_are_compared_with_those_of_their_own_time(quality, clip, film, start):
    figures = defaultdict(lambda: defaultdict(list))
    drawn = {"same": film[start:], "late": np.roll(film, 1, 0)[start:]}
    crops = quality.compare(clip, film, drawn, figures, {"ssim", "psnr"}, start)
    assert crops["film"].shape == (FRAMES - start, 96, 96, 3)
    for metric in ("psnr", "mouth_psnr", "inner_mouth_psnr"):
        assert figures["same"][metric] == pytest.approx([decibels(ROUNDING_MSE)])
        assert figures["late"][metric][0] < 15
    assert figures["late"]["mouth_ssim"][0] < 0.5 < figures["same"]["mouth_ssim"][0] == pytest.approx(1)
    assert figures["same"]["flicker"][0].value == 1
    assert len(figures["film"]["cpbd"]) == (start == 0)


def test_a_shut_mouth_is_the_films_most_closed_frame(quality, clip):
    held = quality.rows.shut(clip)
    assert held.shape == clip.lips.shape and np.array_equal(held[7], clip.lips[quality.rows.real_gap(clip).argmin()])


def test_ones_own_clips_have_the_splits_of_training(quality, tmp_path):
    """A folder without splits: all are `train`, and each tenth of those that could be prepared is `val`."""
    import argparse
    import json

    from safetensors.numpy import save_file

    from text2lip.data.mesh_stamp import MESH_KEY
    from text2lip.data.prepared import record_path
    from text2lip.faces.mesh_version import builtin_mesh_version

    rows = []
    for number in range(23):
        (tmp_path / f"{number:02}.mp4").touch()
        rows.append(json.dumps({"file_name": f"{number:02}.mp4", "text": "hi"}))
        if number != 10:  # one that could not be prepared, beside one of another face mesh
            path = record_path(tmp_path / "made", f"{number:02}")
            path.parent.mkdir(parents=True, exist_ok=True)
            save_file({}, path, {MESH_KEY: "face-0" if number == 12 else builtin_mesh_version()})
    (tmp_path / "metadata.jsonl").write_text("\n".join(rows))
    args = argparse.Namespace(layout="folder", data=str(tmp_path))
    names = {
        split: [c.name for c in quality.split_clips(args, tmp_path / "made", split)] for split in ("train", "val")
    }
    assert names["val"] == ["00", "11", "22"] and len(names["train"]) == 18
    with pytest.raises(ValueError, match=r"split: 'test' is not among \['train', 'val'\]"):
        quality.split_clips(args, tmp_path / "made", "test")


def test_detail_is_looked_at_where_a_row_was_told_its_lips_are(quality, clip, film):
    """Lips of a row that were told elsewhere are not the film's, though the pictures are."""
    figures, able = defaultdict(lambda: defaultdict(list)), {"inner_sharpness", "lip_colour"}
    still = np.repeat(film[:1], FRAMES, 0)
    told = {"same": quality.rows.true_landmarks(clip), "off": quality.rows.true_landmarks(clip) + 0.1}
    quality.detail(quality.FilmMouth(clip, still), dict.fromkeys(told, still), told, figures, able)
    assert set(figures["same"]) == able
    assert figures["same"]["inner_sharpness"] == pytest.approx([1], abs=0.02)
    assert figures["same"]["lip_colour"][0] < 0.5 < figures["off"]["lip_colour"][0]


def test_films_without_words_have_no_rows_of_text(quality, clip):
    class Pipe:
        unet = lip_decoder = None

    assert list(quality.image_rows(Pipe, [clip], None)) == ["still", "true_landmarks_geometric"]
    with pytest.raises(ValueError, match="rows: 'text_only' is not among"):
        quality.image_rows(Pipe, [clip], ["text_only"])


def test_the_jury_hears_the_film_and_sees_the_row(quality, clip, film):
    """A still row is the same person, and out of any time; a clip too short to be moved against its sound has none."""
    record = {name: np.concatenate([clip.record[name]] * 2) for name in ("landmarks", "lips")}
    record |= {
        "size": (SIZE, SIZE),
        "fps": 25.0,
        "audio": np.random.default_rng(0).integers(-999, 999, 27_000, np.int16),
    }
    long, frames = quality.rows.BenchClip("s/1", Path("s/1.mpg"), record), np.repeat(film[:1], 2 * FRAMES, 0)
    crops = np.zeros((2 * FRAMES, 96, 96, 3), np.uint8)
    figures = quality.Jury(long, frames, set()).figures(frames, crops, quality.rows.still(long))
    assert figures["identity"] == pytest.approx(1, abs=1e-4)
    assert set(figures) == {"identity", "sync_confidence", "sync_offset", "sync_confidence_lips", "sync_offset_lips"}
    assert figures["sync_confidence"] < 0.1
    clip.record["audio"] = record["audio"]
    short = quality.Jury(clip, film, set()).figures(film, crops[:FRAMES], clip.record["landmarks"][..., :2])
    assert set(short) == {"identity"}
