"""Clips as tensors, and batches of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from text2lip.data.prepared import load_prepared
from text2lip.faces.canonical import lip_gap
from text2lip.faces.topology import driven_index
from text2lip.text.timing import Segment
from text2lip.training import collate, rest_shape, to_sample
from text2lip.training.lip_samples import load_clips, load_splits, training_samples
from text2lip.training.reader_samples import load_reader_clips


def test_samples_and_masks(clips):
    batch = collate([to_sample(clip) for clip in clips[:3]])
    lengths = [len(clip.lips) for clip in clips[:3]]
    assert len(set(lengths)) == 3 and batch["frame_mask"].sum(1).tolist() == lengths
    assert batch["motion"].shape == (3, max(lengths), 57, 2) and batch["audio"].shape[2] == 320
    assert (batch["input_ids"][~batch["attention_mask"]] == 15).all()
    assert not batch["durations"][~batch["attention_mask"]].any()
    lips = batch["motion"][0, : lengths[0]] + batch["rest"][0]
    torch.testing.assert_close(lips, torch.from_numpy(clips[0].lips))


def test_no_clips():
    with pytest.raises(ValueError, match="prepare"):
        training_samples([])


def test_rest_is_a_closed_mouth_not_one_about_to_speak(clips):
    lips = np.repeat(clips[0].lips[:1], 30, 0)
    lips[:15, driven_index((13,)), 1], lips[:15, driven_index((14,)), 1] = 0.60, 0.61
    lips[15:, driven_index((13,)), 1], lips[15:, driven_index((14,)), 1] = 0.58, 0.65
    clip = replace(clips[0], lips=lips, phones=[Segment("", 0.0, 1.2)])
    assert lip_gap(rest_shape(clip)) == pytest.approx(lip_gap(lips[0]))
    assert lip_gap(lips).mean() > lip_gap(rest_shape(clip)) + 0.01


def test_all_that_train_take_the_same_few_clips(prepared):
    wanted = [clip.name for clip in load_prepared(prepared, "train")[::4]]
    assert len(wanted) == 2 and wanted[1] != load_prepared(prepared, "train")[1].name
    assert [clip.name for clip in load_clips(prepared, "train", 2)] == wanted
    assert [clip.name for clip in load_splits(prepared, 2)[0]] == wanted
    assert [clip.name for clip in load_reader_clips(prepared, "train", "landmarks", 2)] == wanted
