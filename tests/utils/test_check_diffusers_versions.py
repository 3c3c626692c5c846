"""The releases that are checked are those that users may get."""

import re
from pathlib import Path

import check_diffusers_versions as check
from packaging.requirements import Requirement
from packaging.version import Version


ROOT = Path(__file__).parents[2]


def test_the_oldest_and_the_pinned_release_are_checked():
    needs = Requirement(re.search(r'"(diffusers[^"]*)"', (ROOT / "setup.py").read_text()).group(1)).specifier
    oldest = next(Version(part.version) for part in needs if part.operator == ">=")
    pinned = re.search(r"^diffusers==(.+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE).group(1)
    assert (Version(check.RELEASES[0]), check.RELEASES[-1]) == (Version(f"{oldest}.0"), pinned)
    assert all(release in needs for release in check.RELEASES)


def test_the_tests_are_there():
    assert all((ROOT / test).exists() for test in check.TESTS)
