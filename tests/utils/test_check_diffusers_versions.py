"""What is checked is the oldest release that users may get."""

import re
from pathlib import Path

import check_diffusers_versions as check
from packaging.requirements import Requirement
from packaging.version import Version


ROOT = Path(__file__).parents[2]


def test_the_oldest_release_is_checked():
    needs = Requirement(re.search(r'"(diffusers[^"]*)"', (ROOT / "setup.py").read_text()).group(1)).specifier
    oldest = next(Version(part.version) for part in needs if part.operator == ">=")
    assert Version(check.OLDEST) == oldest and check.OLDEST in needs


def test_the_tests_are_there():
    assert all((ROOT / test).exists() for test in check.TESTS)
