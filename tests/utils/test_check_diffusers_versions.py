"""What is checked is the oldest release that users may get."""

import re
import subprocess
from pathlib import Path

import check_diffusers_versions as check
import pytest
from packaging.requirements import Requirement
from packaging.version import Version


ROOT = Path(__file__).parents[2]


def test_the_oldest_release_is_checked():
    needs = Requirement(re.search(r'"(diffusers[^"]*)"', (ROOT / "setup.py").read_text()).group(1)).specifier
    oldest = next(Version(part.version) for part in needs if part.operator == ">=")
    assert Version(check.OLDEST) == oldest and check.OLDEST in needs


def test_the_tests_are_there():
    assert all((ROOT / test).exists() for test in check.TESTS)


@pytest.mark.parametrize("found", ["src/text2lip/__init__.py", "elsewhere/text2lip/__init__.py"])
def test_the_package_of_this_checkout_is_tested(tmp_path, monkeypatch, found):
    inside = tmp_path / "site-packages"
    inside.mkdir()
    monkeypatch.setattr(check.venv, "create", lambda *_, **__: None)
    monkeypatch.setattr(check.sysconfig, "get_path", lambda _, *where: str(inside) if where else "/parent")
    printed = subprocess.CompletedProcess([], 0, stdout=f"0.41.0\n{ROOT / found}\n")
    monkeypatch.setattr(check.subprocess, "run", lambda *_, **__: printed)
    if found.startswith("src"):
        check.make_environment(tmp_path, "0.41.0")
    else:
        with pytest.raises(RuntimeError, match="elsewhere"):
            check.make_environment(tmp_path, "0.41.0")
    assert (inside / "parent.pth").read_text().splitlines() == [str(ROOT / "src"), "/parent"]
