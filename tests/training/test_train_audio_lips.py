"""`examples/prepare_speech.py` and `examples/train_audio_lips.py` on a handful of clips."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from text2lip.data.prepared import load_prepared
from text2lip.models import LipDecoderModel
from text2lip.training.settings import parse_settings


EXAMPLES = Path(__file__).parents[2] / "examples"
TINY = """
lip_decoder: {hidden_dim: 16, token_dim: 4, feed_forward_dim: 16, num_layers: 1, num_heads: 2}
batch_size: 4
warmup_steps: 2
validate_every: 100
save_every: 2
mixed_precision: no
cpu: true
"""


@pytest.fixture(scope="module")
def scripts():
    sys.path.insert(0, str(EXAMPLES))
    try:
        import prepare_speech
        import train_audio_lips
    finally:
        sys.path.remove(str(EXAMPLES))
    return prepare_speech, train_audio_lips


@pytest.fixture(scope="module")
def speech(scripts, tmp_path_factory):
    """Clips by espeak-ng, made songs, music and noise, and four of val."""
    folder, script = tmp_path_factory.mktemp("speech"), scripts[0]
    voices, script.VOICES = script.VOICES, {"espeak": 1.0}
    texts = EXAMPLES / "configs/teacher_texts.txt"
    args = argparse.Namespace(output=folder, texts=texts, pipeline="text2lip-grid")
    jobs = [("train", index) for index in range(16)] + [("val", index) for index in range(4)]
    jobs.sort(key=lambda job: script.kind_of(*job) == "other")
    assert [error for job in jobs if (error := script.make(*job, args))] == []
    script.write_splits([script.SourceClip(script.clip_name(*job), "", job[0], Path(), "") for job in jobs], folder)
    script.VOICES = voices
    return folder


def settings(scripts, folder, output, **more):
    (output.parent / "tiny.yaml").write_text(TINY)
    values = {"config": output.parent / "tiny.yaml", "prepared": folder, "spoken": folder, "output": output, **more}
    return [text for name, value in values.items() for text in (f"--{name}", str(value))]


def test_spoken_clips_move_in_speech_and_rest_in_all_other_sound(speech):
    clips = load_prepared(speech, "train")
    kinds = {clip.name.split("/")[1].split("-")[0] for clip in clips}
    assert kinds == {"speech", "other"} or kinds == {"speech", "song", "other"}
    for clip in clips:
        assert clip.mel.shape == (len(clip.lips), 320)
        moves = np.abs(clip.lips - clip.lips[-1]).max()
        assert (moves > 0.03) == any(phone.label for phone in clip.phones), clip.name
    held_out = {clip.speaker for clip in load_prepared(speech, "val")}
    assert not held_out & {clip.speaker for clip in clips if clip.name.split("/")[1].startswith("speech")}


def test_a_run_goes_on_exactly_where_it_was_and_keeps_a_decoder(scripts, speech, tmp_path):
    whole = scripts[1].main(settings(scripts, speech, tmp_path / "whole", max_steps=4))
    scripts[1].main(settings(scripts, speech, tmp_path / "parts", max_steps=4, stop_after=2))
    parts = scripts[1].main(settings(scripts, speech, tmp_path / "parts", max_steps=4, resume="latest"))
    for ours, theirs in zip(whole.network.parameters(), parts.network.parameters()):
        assert torch.equal(ours, theirs)
    again = settings(scripts, speech, tmp_path / "again", start=tmp_path / "parts/final", max_steps=1, learning_rate=0)
    began = scripts[1].main(again)
    final = LipDecoderModel.from_pretrained(tmp_path / "parts/final")
    for ours, theirs in zip(began.network.parameters(), final.parameters()):
        assert torch.equal(ours, theirs)
    assert "began with the weights of" in (tmp_path / "again/final/config.json").read_text()
    decoder = LipDecoderModel.from_pretrained(tmp_path / "parts/best")
    assert decoder.config.reference_width == pytest.approx(0.593, abs=0.01)
    figures = json.loads((tmp_path / "parts/best/figures.json").read_text())
    assert figures["step"] == 4 and {"same/gap_r", "spoken/gap_r", "still/motion", "crowd/motion"} <= {*figures}


def test_shares_want_clips_of_their_kinds(scripts, prepared, tmp_path):
    config = parse_settings(
        scripts[1].AudioLipsConfig, "", settings(scripts, prepared, tmp_path / "run", shares="{real: 1, still: 1}")
    )
    with pytest.raises(ValueError, match="there are no clips of"):
        scripts[1].load_lessons(config)


def test_a_crowd_is_many_voices_at_which_the_mouth_rests(scripts, speech, tmp_path):
    run = scripts[1].Run(
        parse_settings(
            scripts[1].AudioLipsConfig, "", settings(scripts, speech, tmp_path / "run", shares="{crowd: 1}")
        )
    )
    crowd = run.crowd(np.random.default_rng(0))
    assert len(crowd.sound) == 48_000 and crowd.motion.shape == (75, 57, 2) and not crowd.motion.any()
    assert np.sqrt(np.mean((crowd.sound / 32768) ** 2)) == pytest.approx(0.1, rel=0.05)
    (batch,) = run.batches(0, 1)
    assert batch["frame_mask"].any() and not batch["motion"].any()
