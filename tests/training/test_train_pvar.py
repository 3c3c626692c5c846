"""`examples/train_pvar.py` on eight synthetic clips: a run, exact resume, two processes, bad settings."""

import json
import os
import re
import runpy
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import torch

from text2lip import Text2LipPipeline, VisemeTokenizer
from text2lip.data.prepared import parquet_path
from text2lip.training import Text2LipNetworks
from text2lip.training.lip_networks import LIP_NETWORKS
from text2lip.training.schedules import learning_rate
from text2lip.training.settings import parse_settings
from text2lip.training.trainer import Trainer


EXAMPLES = Path(__file__).parents[2] / "examples"
TINY = """
networks:
  viseme_encoder: {hidden_dim: 16, feed_forward_dim: 16, num_phones: 128, num_features: 6}
  pseudo_audio: {hidden_dim: 16, feed_forward_dim: 16}
  lip_decoder: {hidden_dim: 16, token_dim: 16, feed_forward_dim: 16, num_layers: 1}
batch_size: 3
warmup_steps: 2
validate_every: 100
save_every: 100
mixed_precision: no
cpu: true
"""


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(EXAMPLES))
    try:
        import train_pvar
    finally:
        sys.path.remove(str(EXAMPLES))
    return train_pvar


@pytest.fixture
def arguments(prepared, tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY)
    base = {"config": tmp_path / "tiny.yaml", "prepared": prepared, "output": tmp_path / "run"}

    def build(**more):
        return [text for name, value in {**base, **more}.items() for text in (f"--{name}", str(value))]

    return build


def parse(script, arguments: list[str]):
    return parse_settings(script.TrainConfig, script.__doc__, arguments)


def logged(folder: Path, key: str = "loss") -> dict[int, float]:
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return {row["step"]: row[key] for row in rows if key in row}


def test_an_upload_wants_a_licence_before_any_work(script, arguments, tmp_path):
    with pytest.raises(ValueError, match="licence: None; what goes to 'me/lips' needs one that you state"):
        script.main(arguments(push_to_hub="me/lips"))
    assert not (tmp_path / "run").exists()


def test_sound_alone_makes_no_pipeline_to_push(script, arguments, tmp_path):
    with pytest.raises(ValueError, match="push_to_hub: 'me/lips'; networks that hear sound alone"):
        script.main(arguments(push_to_hub="me/lips", licence="MIT", use_visemes="false"))
    assert not (tmp_path / "run").exists()


def test_the_best_pipeline_is_pushed(script, arguments, tmp_path, monkeypatch):
    pushed = []
    monkeypatch.setattr(Text2LipPipeline, "push_to_hub", lambda pipe, name: pushed.append((pipe, name)))
    script.main(arguments(max_steps=2, push_to_hub="me/lips", licence="MIT"))
    [(pipe, name)] = pushed
    best = Text2LipPipeline.from_pretrained(tmp_path / "run/best")
    assert name == "me/lips" and pipe.config.motion == "networks"
    for part in LIP_NETWORKS:
        assert getattr(pipe, part).config._training["licence"] == "MIT"
        for ours, theirs in zip(getattr(pipe, part).parameters(), getattr(best, part).parameters()):
            assert torch.equal(ours, theirs)


def test_two_steps(script, arguments, clips, tmp_path, capsys):
    script.main(arguments(max_steps=2))
    run = tmp_path / "run"
    assert set(logged(run)) == {1, 2}
    assert {path.name for path in run.iterdir()} == {"config.json", "log.jsonl", "checkpoint-2", "best", "final"}
    assert logged(run, "val/text/lmd_centred")[2] > 0 and logged(run, "val/audio/lmd_centred")[2] > 0
    assert json.loads((run / "best/figures.json").read_text())["step"] == 2
    width = Text2LipNetworks.from_pretrained(run / "final").lip_decoder.config.reference_width
    assert width == pytest.approx(script.rest_width(script.training_samples(clips)), rel=1e-6)
    assert "collapse" in capsys.readouterr().out  # two steps leave the mouth nearly still


@pytest.mark.parametrize("stop", [4, 6, 7])  # eight clips by three: two whole batches an epoch
def test_resume_equals_an_uninterrupted_run(script, arguments, tmp_path, stop):
    script.main(arguments(max_steps=9))
    pieces = arguments(max_steps=9, output=tmp_path / "pieces", save_every=stop)
    script.main([*pieces, "--stop_after", str(stop + 1)])
    assert max(logged(tmp_path / "pieces")) == stop + 1  # killed a step after the checkpoint
    script.main([*pieces, "--resume", "latest"])
    assert len((tmp_path / "pieces/log.jsonl").read_text().splitlines()) == 10  # nine steps and a validation
    whole, resumed = logged(tmp_path / "run"), logged(tmp_path / "pieces")
    assert list(whole) == list(resumed) == list(range(1, 10))
    assert resumed == pytest.approx(whole, rel=1e-6)
    ours, other = (Text2LipNetworks.from_pretrained(tmp_path / name / "final") for name in ("run", "pieces"))
    for a, b in zip(ours.parameters(), other.parameters()):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-7)


def test_old_checkpoints_go(script, arguments, tmp_path):
    script.main(arguments(max_steps=4, save_every=1, keep_checkpoints=2))
    assert {path.name for path in (tmp_path / "run").glob("checkpoint-*")} == {"checkpoint-3", "checkpoint-4"}


def test_resume_refuses_another_run(script, arguments):
    script.main(arguments(max_steps=1))
    with pytest.raises(ValueError, match="batch_size"):
        script.main(arguments(max_steps=2, resume="latest", batch_size=2))


def test_latest_without_a_checkpoint_begins_anew_and_says_so(script, arguments, tmp_path, capsys):
    script.main(arguments(max_steps=1, resume="latest"))
    assert f"no checkpoint in {tmp_path / 'run'}, starting from step 0" in capsys.readouterr().out
    assert set(logged(tmp_path / "run")) == {1}
    with pytest.raises(ValueError, match="no checkpoint"):
        script.main(arguments(max_steps=2, resume=tmp_path / "other"))


def test_a_bar_shows_steps_and_losses(script, arguments, capsys):
    script.main(arguments(max_steps=2))
    bar = capsys.readouterr().err.split("\r")[-1]
    assert "2/2" in bar and "step/s" in bar.replace("s/step", "step/s") and "loss=" in bar and "motion=" in bar


def test_without_val_some_clips_are_held_out(script, arguments, clips, tmp_path, capsys):
    from synthetic_clips import write_lip_clips

    write_lip_clips(tmp_path / "mine", clips)
    parquet_path(tmp_path / "mine", "val").unlink()
    run = script.main(arguments(max_steps=1, prepared=tmp_path / "mine"))
    assert [clip.name for clip in run.val] == [clips[0].name] and len(run.train) == len(clips) - 1
    assert "1 clips of 'train' are held out" in capsys.readouterr().out
    assert (tmp_path / "run/best/figures.json").exists()


def test_best_is_a_pipeline(script, arguments, portrait, tmp_path):
    script.main(arguments(max_steps=2))
    pipe = Text2LipPipeline.from_pretrained(tmp_path / "run/best")
    assert pipe.config.motion == "networks" and pipe.viseme_encoder.config.hidden_dim == 16
    trained = Text2LipNetworks.from_pretrained(tmp_path / "run/best")
    for ours, theirs in zip(pipe.lip_decoder.parameters(), trained.lip_decoder.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)
    frames = list(pipe.stream(None, portrait, timings=[("a", 0.0, 0.2)]))
    assert len(frames) == 5 and frames[0].shape == portrait.shape


def test_help_explains_every_setting(script, capsys):
    with pytest.raises(SystemExit):
        parse(script, ["--help"])
    told = capsys.readouterr().out
    assert "MISSING" not in told and "YAML value" not in told
    for item in fields(script.TrainConfig):
        text = re.search(rf"--{item.name} VALUE\s+(.+?) \(default", told, re.DOTALL)
        assert text and len(text[1]) > 5, item.name


@pytest.mark.parametrize(
    "change, words",
    [
        ({"prepared": "/nowhere"}, "'train' is not prepared"),
        ({"config": "/nowhere.yaml"}, "nowhere.yaml"),
        ({"mixed_precision": "half"}, "mixed_precision: 'half'"),
        ({"learning_rate": "abc"}, "--learning_rate 'abc': wants a number."),
        ({"learning_rate": "null"}, "--learning_rate None: wants a number."),
        ({"batch_size": "2.5"}, "--batch_size 2.5: wants a whole number."),
        ({"limit_clips": "all"}, "--limit_clips 'all': wants a whole number."),
        ({"cpu": "ture"}, "--cpu 'ture': wants true or false."),
        ({"networks": "16"}, "--networks 16: wants"),
        ({"output": "[a]"}, "--output ['a']: wants text."),
    ],
)
def test_a_users_error_is_one_line(arguments, monkeypatch, capsys, change, words):
    monkeypatch.setattr(sys, "argv", ["train_pvar.py", *arguments(max_steps=1, **change)])
    with pytest.raises(SystemExit) as ended:  # Python prints its message, without a traceback
        runpy.run_path(str(EXAMPLES / "train_pvar.py"), run_name="__main__")
    said = str(ended.value) if isinstance(ended.value.code, str) else capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("train_pvar") and words in said and "\n" not in said


def test_what_goes_wrong_in_training_keeps_its_traceback(arguments, monkeypatch):
    def fail(self, batch):
        raise ValueError("a shape, hours later")

    monkeypatch.setattr(Trainer, "train_step", fail)
    monkeypatch.setattr(sys, "argv", ["train_pvar.py", *arguments(max_steps=1)])
    with pytest.raises(ValueError, match="hours later"):
        runpy.run_path(str(EXAMPLES / "train_pvar.py"), run_name="__main__")


def test_a_row_that_a_killed_run_left_torn_stops_no_resume(script, arguments, tmp_path):
    script.main(arguments(max_steps=2, save_every=1))
    log = tmp_path / "run/log.jsonl"
    whole = log.read_text()
    log.write_text(whole + '{"step": 3, "lo')
    script.main(arguments(max_steps=3, resume="latest"))
    rows = [json.loads(row) for row in log.read_text().splitlines()]
    assert log.read_text().startswith(whole) and rows[-2]["step"] == 3
    (tmp_path / "new").mkdir()
    (tmp_path / "new/log.jsonl").write_text('{"step": 3, "lo')  # killed before the first checkpoint
    script.main(arguments(max_steps=1, output=tmp_path / "new", resume="latest"))
    assert list(logged(tmp_path / "new")) == [1]


def test_a_longer_run_says_so(script, arguments, capsys):
    script.main(arguments(max_steps=1))
    script.main(arguments(max_steps=2, resume="latest"))
    assert "max_steps has changed" in capsys.readouterr().out


def test_with_a_teacher(script, arguments, tmp_path):
    (tmp_path / "texts.txt").write_text("en-us\tHello there\nfr\tBonjour madame\nGood morning\n")
    run = script.main(arguments(max_steps=2, teacher_texts=tmp_path / "texts.txt", teacher_copies=2))
    assert len(run.train) == 14 and set(logged(tmp_path / "run")) == {1, 2}


def test_sound_alone(script, arguments, tmp_path):
    script.main(arguments(max_steps=1, use_visemes="false", pvar="{kind: constant, end: 0.0}"))
    assert logged(tmp_path / "run", "dropped") == {1: 0.0}


def test_bfloat16(script, arguments, tmp_path):
    script.main(arguments(max_steps=2, mixed_precision="bf16"))
    assert all(0 < loss < 100 for loss in logged(tmp_path / "run").values())


def test_a_loss_that_is_not_a_number_stops_the_run(script, arguments):
    with pytest.raises(RuntimeError, match="nan at step"):
        script.main(arguments(max_steps=3, learning_rate="1e30", max_grad_norm="1e30"))


def test_the_command_line_wins_and_numbers_are_numbers(script, tmp_path):
    (tmp_path / "a.yaml").write_text("learning_rate: 1e-3\nmixed_precision: no\nseed: 3\n")
    config = parse(script, ["--config", str(tmp_path / "a.yaml"), "--seed", "4", "--limit_clips", "2"])
    assert (config.learning_rate, config.mixed_precision, config.seed, config.limit_clips) == (1e-3, "no", 4, 2)
    config = parse(script, ["--max_steps", "1e2", "--output", "007", "--data", "2026", "--resume", "null"])
    assert (config.max_steps, config.output, config.data, config.resume) == (100, "007", "2026", None)
    (tmp_path / "a.yaml").write_text("speed: 3\n")
    with pytest.raises(SystemExit):
        parse(script, ["--config", str(tmp_path / "a.yaml")])


@pytest.mark.parametrize("name", ["pvar_grid", "pvar_visemes", "pvar_paper", "audio_only"])
def test_shipped_configs_build(script, clips, pipe, name):
    config = parse(script, ["--config", str(EXAMPLES / f"configs/{name}.yaml")])
    networks = script.build_networks(config, script.training_samples(clips))
    shapes = {key: value.shape for key, value in networks.state_dict().items()}
    builtin = {
        f"{part}.{key}": value.shape
        for part in LIP_NETWORKS
        for key, value in getattr(pipe, part).state_dict().items()
    }
    assert (shapes == builtin) is (name == "pvar_grid")
    assert networks.use_visemes is (name != "audio_only")
    visemes_alone = not networks.viseme_encoder.config.num_phones and not networks.viseme_encoder.config.num_features
    assert visemes_alone is (name != "pvar_grid")
    first, peak = (
        learning_rate(step, config.learning_rate, config.warmup_steps, config.max_steps) for step in (0, 99)
    )
    assert first < peak == config.learning_rate


def test_the_pure_form_differs_in_what_the_encoder_sees_alone(script):
    ours, pure = (
        parse(script, ["--config", str(EXAMPLES / f"configs/{name}.yaml")]) for name in ("pvar_grid", "pvar_visemes")
    )
    pure.networks["viseme_encoder"] |= {"num_phones": 128, "num_features": 6}
    pure.output = ours.output
    assert pure == ours


@pytest.mark.slow
def test_two_processes_resume_exactly(arguments, tmp_path):
    """Gloo on the CPU; a launch that falls back to one process must fail here."""

    def launch(*more: str) -> str:
        command = ["-m", "torch.distributed.run", "--nproc_per_node", "2", "--rdzv-backend", "c10d"]
        command += ["--rdzv-endpoint", "localhost:0", str(EXAMPLES / "train_pvar.py"), *more]
        environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
        done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    out = launch(*arguments(max_steps=3, save_every=2, batch_size=2, stop_after=2))
    assert "2 processes" in out
    out = launch(*arguments(max_steps=3, batch_size=2, resume="latest"))
    assert "2 processes" in out and "Resumed" in out
    launch(*arguments(max_steps=3, batch_size=2, output=tmp_path / "whole"))
    assert logged(tmp_path / "run") == pytest.approx(logged(tmp_path / "whole"), rel=1e-6)
    assert json.loads((tmp_path / "run/checkpoint-3/run.json").read_text())["num_processes"] == 2


def test_a_run_is_drawn(script, arguments, prepared, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import plot_training

    script.main(arguments(max_steps=2, validate_every=1))
    plot_training.main([str(tmp_path / "run"), "--prepared", str(prepared), "--output", str(tmp_path / "a.png")])
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


def test_the_amplitude_loss_counts(script, arguments, tmp_path):
    script.main(arguments(max_steps=1, amplitude_weight=2.0, output=tmp_path / "loud"))
    script.main(arguments(max_steps=1))
    loud, run = tmp_path / "loud", tmp_path / "run"
    amplitude = logged(run, "amplitude")[1]
    assert amplitude > 0 and logged(loud)[1] == pytest.approx(logged(run)[1] + 2 * amplitude, rel=1e-5)


TABLE = {"": "rest", "p": "shut", "f": "teeth", "a": "open", "i": "wide", "u": "round", "t": "slit", "aɪ": "open-wide"}


@pytest.mark.parametrize("kind", ["azure", "table"])
def test_networks_for_other_visemes(script, arguments, tmp_path, portrait, kind):
    """The setting alone: training, the networks that are kept, a pipeline of them that speaks."""
    from text2lip import Text2LipPipeline

    (tmp_path / "table.json").write_text(json.dumps(TABLE))
    (tmp_path / "texts.txt").write_text("Hello there, Bob\n")
    chosen = {"azure": "azure", "table": tmp_path / "table.json"}[kind]
    run = script.main(arguments(max_steps=1, viseme_set=chosen, teacher_texts=tmp_path / "texts.txt"))
    labels = {"azure": [str(i) for i in range(22)], "table": ["rest", *sorted(set(TABLE.values()) - {"rest"})]}[kind]
    assert run.val[0].viseme_ids.max() < len(labels)
    best = Text2LipNetworks.from_pretrained(tmp_path / "run/best")
    assert best.viseme_encoder.config.viseme_labels == labels == list(best.tokenizer.labels)
    pipe = Text2LipPipeline.from_pretrained(tmp_path / "run/best")
    pipe.set_progress_bar_config(disable=True)
    result = pipe("Hello Bob, are you there?", portrait, num_frames=2)
    assert {segment.label for segment in result.visemes[0]} <= set(labels)
    assert pipe.config.motion == "networks" and pipe.viseme_encoder.misfit(VisemeTokenizer()) is not None


def test_a_number_of_visemes_that_is_not_the_sets(script, arguments):
    with pytest.raises(ValueError, match="num_visemes: 15, but there are 22 viseme_labels"):
        script.main(arguments(max_steps=1, viseme_set="azure", networks="{viseme_encoder: {num_visemes: 15}}"))


def test_resume_refuses_other_visemes(script, arguments, tmp_path):
    script.main(arguments(max_steps=1))
    with pytest.raises(ValueError, match="viseme_set 'oculus', this run has 'azure'"):
        script.main(arguments(max_steps=2, resume="latest", viseme_set="azure"))
    state = tmp_path / "run/checkpoint-1/run.json"
    state.write_text(state.read_text().replace('"viseme_set": "oculus",', ""))  # as runs of before wrote it
    script.main(arguments(max_steps=2, resume="latest"))
