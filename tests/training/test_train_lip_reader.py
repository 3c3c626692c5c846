"""`examples/train_lip_reader.py` on a handful of mouths that are made up."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from text2lip.metrics import LipReader
from text2lip.training import reader_samples
from text2lip.training.reader_samples import ReaderClip, changed_crops, collate_reader_clips, mirrored_points


EXAMPLES = Path(__file__).parents[2] / "examples"
TEXTS = (
    "bin blue at f two now",
    "lay red by z zero soon",
    "set white in q one again",
    "place green with h six please",
)
TINY = ["--batch_size", "3", "--warmup_steps", "2", "--save_every", "2", "--mixed_precision", "no", "--cpu", "true"]


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import train_lip_reader

    monkeypatch.setattr(train_lip_reader, "load_reader_clips", lambda folder, split, sees, limit: mouths(sees))
    monkeypatch.setattr(train_lip_reader, "splits_of", lambda folder: ["train", "val"])
    yield train_lip_reader
    sys.modules.pop("train_lip_reader")


def mouths(sees: str) -> list[ReaderClip]:
    rng, made = np.random.default_rng(0), []
    for text in TEXTS:
        shape = (30, 96, 96) if sees == "crops" else (30, 57, 2)
        mouth = rng.integers(0, 256, shape, np.uint8) if sees == "crops" else rng.normal(size=shape)
        place = np.repeat(np.arange(-2, 8), 3).clip(-1, 5)
        made.append(ReaderClip(text, mouth.astype(mouth.dtype), text.split(), place, np.arange(30)))
    return made


@pytest.mark.parametrize("sees", ["landmarks", "crops"])
def test_a_run_goes_on_exactly_where_it_was_and_keeps_a_reader(script, tmp_path, sees):
    small = ["--sees", sees, "--reader", "{channels: 4, width: 8, dilations: [1]}", *TINY]
    whole = script.main([*small, "--max_steps", "4", "--output", str(tmp_path / "whole")])
    script.main([*small, "--max_steps", "4", "--stop_after", "2", "--output", str(tmp_path / "parts")])
    parts = script.main([*small, "--max_steps", "4", "--resume", "latest", "--output", str(tmp_path / "parts")])
    for ours, theirs in zip(whole.network.parameters(), parts.network.parameters()):
        assert torch.equal(ours, theirs)
    reader = LipReader.from_pretrained(tmp_path / "parts/best")
    assert reader.config.sees == sees and all(reader.knows(text) for text in TEXTS)


def test_a_run_begins_with_another_readers_weights(script, tmp_path):
    small = ["--reader", "{channels: 4, width: 8, dilations: [1]}", *TINY, "--max_steps", "1"]
    script.main([*small, "--output", str(tmp_path / "first")])
    first = LipReader.from_pretrained(tmp_path / "first/final")
    given = ["--start", str(tmp_path / "first/final"), "--output", str(tmp_path / "next")]
    begun = script.Run(script.LipReaderConfig(start=given[1], output=given[3], mixed_precision="no", cpu=True))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), begun.network.reader.parameters()))
    script.main([*small, *given])
    assert (
        "began with the weights of first/final"
        in LipReader.from_pretrained(tmp_path / "next/final").config["_training"]["data"]
    )
    with pytest.raises(ValueError, match="sees landmarks, not crops"):
        script.main([*small, *given, "--sees", "crops"])


def test_errors_of_the_command_line_take_one_line(script, tmp_path, monkeypatch):
    wrong = [*TINY, "--max_steps", "1", "--output", str(tmp_path), "--sees", "noses"]
    with pytest.raises(ValueError, match="^sees: 'noses'"):
        script.main(wrong)
    monkeypatch.setattr("sys.argv", ["train_lip_reader.py", *wrong])
    with pytest.raises(SystemExit, match="^train_lip_reader: sees: 'noses'"):
        script.main()


def test_other_sentences_than_grids_are_named(script, tmp_path, monkeypatch):
    other = [replace(clip, name="mine/1", words=["good", "morning"]) for clip in mouths("landmarks")[:1]]
    monkeypatch.setattr(script, "load_reader_clips", lambda folder, split, sees, limit: other)
    with pytest.raises(ValueError, match="prepared: mine/1 says 'good morning', no sentence of GRID"):
        script.main([*TINY, "--output", str(tmp_path)])


def test_what_is_said_goes_with_the_time_of_the_mouth():
    """Stretched and shifted clips: a mouth that shows its frame's number has that frame's phone."""
    numbers = np.arange(40, dtype=np.float32)
    clip = ReaderClip("", np.tile(numbers[:, None, None], (1, 57, 2)), ["a"], numbers.astype(int) // 10, numbers)
    clip = ReaderClip("", clip.mouth, ["a"], clip.place, numbers.astype(np.int64))
    times = reader_samples._stretched(40, np.random.default_rng(3))
    assert (np.abs(reader_samples._between(clip.mouth, times)[:, 0, 0] - times) < 1e-4).all()
    batch = collate_reader_clips([clip, clip], [["a", "b"]], "landmarks")
    assert batch["phone"].tolist() == [list(range(40))] * 2 and batch["words"].tolist() == [[0], [0]]
    assert batch["place"][0].tolist() == sorted(batch["place"][0].tolist()) and batch["mask"].all()


def test_a_mouth_has_its_points_mirrored():
    order = mirrored_points()
    assert sorted(order) == list(range(57)) and (order[order] == np.arange(57)).all()


def test_changed_crops_are_cut_to_what_a_reader_sees():
    rng = np.random.default_rng(0)
    picture = np.zeros((12, 96, 96), np.float32)
    picture[:, 40:46, 30:66] = 200
    for _ in range(8):
        crops = changed_crops(picture, rng)
        assert crops.shape == (12, 48, 80) and np.isfinite(crops).all()
        assert crops[:, 8:36, 10:70].max() > crops[:, :4].max() + 40  # the mouth stays in the picture
