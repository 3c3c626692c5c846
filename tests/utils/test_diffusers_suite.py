"""`utils/diffusers_suite.py` says what it needs before it runs anything."""

import diffusers_suite
import pytest


@pytest.mark.parametrize("checkout", [None, "/nowhere"])
def test_a_missing_checkout_is_named(monkeypatch, capsys, checkout):
    monkeypatch.delenv("DIFFUSERS_TESTS", raising=False)
    monkeypatch.setattr(diffusers_suite, "run", lambda *_: pytest.fail("ran without a checkout"))
    with pytest.raises(SystemExit):
        diffusers_suite.main(["--stdout", *(["--diffusers", checkout] if checkout else [])])
    assert f"--diffusers {checkout}: no checkout of diffusers" in capsys.readouterr().err


def test_results_of_a_run_without_a_checkout_are_refused(tmp_path, capsys):
    path = tmp_path / "results.xml"
    path.write_text('<testsuite><testcase classname="" name="tests.diffusers_suite.test_suite_models"/></testsuite>')
    with pytest.raises(SystemExit):
        diffusers_suite.main(["--stdout", "--results", str(path)])
    assert "results.xml" in capsys.readouterr().err
