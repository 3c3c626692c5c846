"""`utils/check_accelerator.py`: a row that is wrong fails, a row that is right passes, and both are written down."""

import json

import check_accelerator
import numpy as np
import pytest


@pytest.fixture
def rows(monkeypatch):
    """The script's rows, those that a test adds taken away afterwards."""
    monkeypatch.setattr(check_accelerator, "ROWS", dict(check_accelerator.ROWS))
    return check_accelerator.ROWS


def check(*arguments):
    return check_accelerator.main(["--device", "cpu", *arguments])


def test_the_pipeline_on_the_cpu_passes_and_is_written_down(rows, tmp_path, capsys):
    check("--only", "^pipeline, float32$", "--json", str(tmp_path / "made.json"))
    (row,) = json.loads((tmp_path / "made.json").read_text())["rows"]
    assert row["name"] == "pipeline, float32" and row["status"] == "PASS" and row["figures"].endswith("99.0 dB")
    assert "| pipeline, float32 | PASS | landmarks 0.0e+00" in capsys.readouterr().out


def test_lips_that_are_elsewhere_fail(rows, monkeypatch):
    bench = check_accelerator.Bench
    frames, points = np.zeros((2, 8, 8, 3), np.uint8), np.zeros((2, 478, 2), np.float32)
    monkeypatch.setattr(bench, "on_the_cpu", (frames, points), raising=False)
    monkeypatch.setattr(bench, "pipeline", lambda self: None)
    rows["moved"] = lambda bench: bench.same_as_the_cpu(None)
    for shift, dark, status in ((0.0, 0, "PASS"), (2e-3, 0, "FAIL"), (0.0, 3, "FAIL")):
        monkeypatch.setattr(bench, "talk", lambda self, pipe, s=shift, d=dark: (frames + np.uint8(d), points + s))
        (row,) = check("--only", "^moved$")
        assert row.status == status


def test_an_error_is_a_row_and_the_rest_goes_on(rows, capsys):
    def broken(bench):
        raise RuntimeError("two devices | in one sum\nand more")

    def elsewhere(bench):
        raise check_accelerator.Skip("there is one device")

    rows |= {"a broken one": broken, "one of two": elsewhere, "a good one": lambda bench: "fine"}
    found = {row.name: (row.status, row.figures) for row in check("--only", r"\bone\b")}
    assert found["a broken one"] == ("FAIL", "RuntimeError: two devices / in one sum")
    assert found["one of two"] == ("SKIP", "there is one device")
    assert found["a good one"] == ("PASS", "fine")
    assert "1 passed, 1 failed, 1 skipped" in capsys.readouterr().out


def test_no_row_begins_when_time_is_up(rows):
    rows["late"] = lambda bench: "should not run"
    (row,) = check("--only", "^late$", "--minutes", "0")
    assert (row.status, row.figures) == ("SKIP", "no time left")


def test_without_an_accelerator_the_remedy_is_named(monkeypatch, capsys):
    import torch

    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    with pytest.raises(SystemExit):
        check_accelerator.main([])
    assert "--device cpu" in capsys.readouterr().err
