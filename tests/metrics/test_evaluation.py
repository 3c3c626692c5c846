import pickle

import numpy as np
import pytest
import torch

from text2lip import metrics


evaluate = pytest.importorskip("evaluate")
evaluation = pytest.importorskip("text2lip.metrics.evaluation")
NAMES = list(evaluation.METRICS)


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory):
    """Modules are copied to a cache before they are imported: not to that of the user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evaluate.config.HF_METRICS_CACHE", str(tmp_path_factory.mktemp("metrics")))
        yield


load = evaluation.load_metric


@pytest.fixture(scope="module")
def clips():
    """Two clips of unequal length, and copies of them with noise."""
    generator = np.random.default_rng(0)
    real = [generator.integers(0, 200, (frames, 64, 72, 3), np.uint8) for frames in (9, 10)]
    return [np.minimum(clip + generator.integers(0, 40, clip.shape, np.uint8), 255) for clip in real], real


def test_every_bench_metric_has_a_module():
    singles = {name for name in metrics.available_metrics() if not name.startswith("mouth_")}
    singles -= {"bleu1", "bleu4", "lse_c", "lse_d", "wer_lipnet"}
    singles -= {name for name in singles if name.startswith(("sync_confidence", "sync_offset"))}
    assert set(NAMES) == singles | {"bleu", "lse", "slot_accuracy", "sync_of_lips", "sync_of_pictures"}


@pytest.mark.parametrize("name", NAMES)
def test_written_modules_open_offline(name, tmp_path):
    for module in (load(name), evaluate.load(str(evaluation.write_metric(name, tmp_path)))):
        assert module.name == name
        assert module.description.strip()
        assert "predictions" in module.features
        told = f"{module.description}{module.inputs_description}"
        assert "`]" not in told and "as in [" not in told
        assert "predictions (" in told and "compute" in told
        assert ("fps" in told) == (name in ("closure", "stillness", "lse", "sync_of_lips", "sync_of_pictures"))


def test_a_module_goes_to_another_process():
    made = evaluation.metric_class("gap_r")
    assert made is evaluation.metric_class("gap_r") is pickle.loads(pickle.dumps(made))


def test_a_written_module_is_the_metric(tmp_path):
    module = evaluate.load(str(evaluation.write_metric("wer", tmp_path / "spaces")))
    assert module.compute(predictions=["set red"], references=["set blue"]) == {"wer": 1 / 2}
    assert [path.name for path in (tmp_path / "spaces/wer").iterdir()] == ["wer.py"]


def test_lips(talk, phones, mouth):
    other = mouth.speak(phones, seed=4)
    ours, real = [other, other[:40]], [talk, talk[:40]]
    for name in ("lmd", "lmd_centred", "gap_r", "width_r", "dtw"):
        function = getattr(metrics, name)
        expected = np.mean([function(a, b) for a, b in zip(ours, real)])
        assert load(name).compute(predictions=ours, references=real)[name] == pytest.approx(expected)
    expected = metrics.pooled([metrics.jerk_ratio(a, b) for a, b in zip(ours, real)])
    assert load("jerk_ratio").compute(predictions=ours, references=real)["jerk_ratio"] == pytest.approx(expected)


def test_lips_and_phones(talk, phones):
    rows = [[phone._asdict() for phone in phones]] * 2
    for name in ("closure", "stillness"):
        expected = getattr(metrics, name)(talk, phones, 25).value
        figure = load(name).compute(predictions=[talk, talk], references=rows, fps=25)[name]
        assert figure == pytest.approx(expected)
    assert load("duration_error").compute(predictions=rows, references=rows)["duration_error"] == 0


def test_frames(clips):
    ours, real = clips
    for name in ("ssim", "psnr"):
        expected = np.mean([getattr(metrics, name)(a, b) for a, b in zip(ours, real)])
        assert load(name).compute(predictions=ours, references=real)[name] == pytest.approx(expected)
    expected = metrics.pooled([metrics.flicker(a, b) for a, b in zip(ours, real)])
    assert load("flicker").compute(predictions=ours, references=real)["flicker"] == pytest.approx(expected)
    expected = np.mean([metrics.cpbd(clip) for clip in ours])
    assert load("cpbd").compute(predictions=ours)["cpbd"] == pytest.approx(expected)


def test_inner_mouth_and_identity(clips):
    ours, real = clips
    square = np.array([[10, 10], [40, 10], [40, 30], [10, 30]], float)
    outline = [np.repeat(square[None], len(clip), 0) for clip in real]
    gap = [np.full(len(clip), 0.1) for clip in real]
    expected = np.mean([metrics.inner_mouth_psnr(*row) for row in zip(ours, real, outline, gap)])
    figure = load("inner_mouth_psnr").compute(predictions=ours, references=real, inner_lips=outline, gap=gap)
    assert figure["inner_mouth_psnr"] == pytest.approx(expected)
    figure = load("identity").compute(predictions=real, references=real, embed=lambda f: np.ones((len(f), 2)))
    assert figure["identity"] == pytest.approx(1)


def test_learned_with_given_networks(clips):
    torch.manual_seed(0)
    ours, real = clips
    model = metrics.LPIPSModel().eval()
    expected = np.mean([metrics.lpips(a, b, model) for a, b in zip(ours, real)])
    assert load("lpips").compute(predictions=ours, references=real, model=model)["lpips"] == pytest.approx(expected)
    # too few clips and frames: null, and no network is needed to say so
    assert load("fvd").compute(predictions=ours, references=real) == {"fvd": None}
    assert load("fid").compute(predictions=ours, references=real) == {"fid": None}


def test_texts():
    ours, real = ["bin blue at f two now", "set red"], ["bin blue at f two soon", "set red"]
    figure = load("bleu").compute(predictions=ours, references=real)
    assert figure == {"bleu1": metrics.bleu(ours, real, 1), "bleu4": metrics.bleu(ours, real, 4)}
    assert load("wer").compute(predictions=ours, references=real) == {"wer": 1 / 8}
    figure = load("slot_accuracy").compute(predictions=["a b", "a c"], references=["a b", "a b"])
    assert figure == {"slot_accuracy": [1.0, 0.5]}


def test_lse():
    torch.manual_seed(0)
    model = metrics.SyncNet().eval()
    faces = np.random.default_rng(0).integers(0, 256, (7, 224, 224, 3), np.uint8)
    audio = np.random.default_rng(0).uniform(-0.1, 0.1, 7 * 640)
    expected = metrics.lse(faces, audio, fps=25, sampling_rate=16000, model=model)
    figure = load("lse").compute(predictions=[faces], references=[audio], fps=25, sampling_rate=16000, model=model)
    assert figure == pytest.approx({"lse_c": expected.lse_c, "lse_d": expected.lse_d}, rel=1e-5)


def test_unknown_name_is_named(tmp_path):
    for use in (load, lambda name: evaluation.write_metric(name, tmp_path)):
        with pytest.raises(ValueError, match="name: 'lmdd'; wants one of bleu, closure"):
            use("lmdd")
    assert not list(tmp_path.iterdir())
