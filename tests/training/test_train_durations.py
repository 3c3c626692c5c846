import gzip
import json
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from text2lip import Text2LipPipeline
from text2lip.data import grid_clips
from text2lip.data.alignments import ALIGNMENT_COLUMNS, read_alignments
from text2lip.pipelines.hub import CHECKPOINTS


EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(EXAMPLES))
    try:
        import train_durations
    finally:
        sys.path.remove(str(EXAMPLES))
    return train_durations


def test_script_reads_no_held_out_sentence(script, data_root):
    """s4, s5 and the val and test sentences of s1, which durations are judged on."""
    trained = {(s.speaker, s.code) for s in script.training_sentences(data_root / "grid/alignments.tsv.gz")}
    trained |= {tuple(clip.name.split("/")) for clip in grid_clips(data_root, "train")}  # the prepared clips
    judged = {(s.speaker, s.code) for s in read_alignments(data_root / "grid/alignments_heldout.tsv.gz")}
    for split in ("val", "test", "unseen_speaker"):
        judged |= {tuple(clip.name.split("/")) for clip in grid_clips(data_root, split)}
    assert len(trained) > 31_000 and len(judged) >= 2100
    assert not trained & judged


def test_script_writes_a_pipeline(script, prepared, tmp_path, monkeypatch):
    words = ("bin", "blue", "at", "f", "two", "now")
    rows = [("s1", "bbaf2n", 5000 * i, 5000 * (i + 1), word) for i, word in enumerate(words)]
    with gzip.open(tmp_path / "times.tsv.gz", "wt") as file:
        file.writelines("\t".join(map(str, row)) + "\n" for row in [ALIGNMENT_COLUMNS, *rows])
    (tmp_path / "texts.txt").write_text("en-us\tGood morning.\n")
    monkeypatch.setattr(script, "available_languages", lambda: ["de"])
    monkeypatch.setattr(
        sys,
        "argv",
        f"train_durations --pipeline text2lip-grid --alignments {tmp_path}/times.tsv.gz --prepared {prepared} "
        f"--texts {tmp_path}/texts.txt --steps 3 --output {tmp_path}/timed".split(),
    )
    script.main()
    old, new = CHECKPOINTS / "text2lip-grid/viseme_encoder", tmp_path / "timed/viseme_encoder"
    before, after = (json.loads((folder / "config.json").read_text()) for folder in (old, new))
    assert before["_training"].pop("licence") and after == before  # what the head learnt from may have another
    assert not (tmp_path / "timed/README.md").exists()  # the card is the other pipeline's
    name = "diffusion_pytorch_model.safetensors"
    before, after = load_file(old / name), load_file(new / name)
    changed = {key for key, value in before.items() if not torch.equal(value, after[key])}
    assert changed and all(key.startswith("duration_head.") for key in changed)
    assert Text2LipPipeline.from_pretrained(tmp_path / "timed").viseme_encoder is not None


def test_script_needs_no_table_but_a_pipeline(script, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TEXT2LIP_DATA", str(tmp_path))
    assert script.training_sentences(None) == []
    assert "No table of word times" in capsys.readouterr().out
    with pytest.raises(ValueError, match="there is no file"):
        script.training_sentences(tmp_path / "times.tsv.gz")
    monkeypatch.setattr(sys, "argv", ["train_durations", "--output", str(tmp_path)])
    with pytest.raises(SystemExit):
        script.main()
    assert "--pipeline" in capsys.readouterr().err


def test_script_reads_the_pipeline_that_is_loaded(script, pipe, tmp_path, monkeypatch):
    assert script.pipeline_folder("text2lip-grid") == CHECKPOINTS / "text2lip-grid"
    (tmp_path / "text2lip-grid").mkdir()
    monkeypatch.chdir(tmp_path)
    assert script.pipeline_folder("text2lip-grid").resolve() == tmp_path / "text2lip-grid"
    assert script.pipeline_folder(".").resolve() == tmp_path
    with pytest.raises(ValueError, match="pipeline: 'text2lip-grit' is no folder and not built in"):
        script.pipeline_folder("text2lip-grit")


def test_script_wants_an_encoder(script, pipe, tmp_path, monkeypatch):
    parts = {**pipe.components, "viseme_encoder": None, "pseudo_audio": None, "lip_decoder": None}
    Text2LipPipeline(**parts).save_pretrained(tmp_path / "bare")
    monkeypatch.setattr(sys, "argv", f"x --pipeline {tmp_path}/bare --output {tmp_path}/timed".split())
    with pytest.raises(ValueError, match="pipeline: .*bare' has no viseme_encoder"):
        script.main()
