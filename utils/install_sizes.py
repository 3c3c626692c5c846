"""How much disk text2lip takes, with and without its extras: a table, from fresh environments that are deleted again.

python utils/install_sizes.py                      # all extras; takes minutes, and some 4 GB while it runs
python utils/install_sizes.py --extras train docs

Each extra is installed beside text2lip alone, measured, and taken off again. MB are 2^20 bytes of the packages' files
on disk, compiled ones included.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path


ROOT = Path(__file__).parents[1]


def extras() -> list[str]:
    """The extras of setup.py."""
    return re.findall(r'^    "(\w+)": \[', (ROOT / "setup.py").read_text(encoding="utf-8"), re.MULTILINE)


SIZES = """
import importlib.metadata, json
sizes = {}
for package in importlib.metadata.distributions():
    places = [package.locate_file(file) for file in package.files or ()]
    sizes[package.name] = sum(place.lstat().st_blocks * 512 for place in places if place.exists()) / 2**20
print(json.dumps(sizes))
"""


def pip(python: Path, *arguments: str) -> str:
    """Run pip of an environment; returns what it prints."""
    command = [python, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def sizes(python: Path) -> dict[str, float]:
    """Megabytes on disk of each package of an environment."""
    return json.loads(subprocess.run([python, "-c", SIZES], check=True, stdout=subprocess.PIPE, text=True).stdout)


def row(what: str, packages: dict[str, float]) -> str:
    """A line of the table: how many packages, how much, and the largest of them."""
    largest = sorted(packages, key=packages.get, reverse=True)[:4]
    named = ", ".join(f"{name} {packages[name]:.0f}" for name in largest if packages[name] >= 1)
    return f"| {what} | {len(packages)} | {sum(packages.values()):.0f} | {named} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--extras", nargs="*", choices=extras(), default=extras(), metavar="EXTRA")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        before = sizes(python)
        pip(python, "install", "-q", "-c", "constraints.txt", ".")
        alone = sizes(python)
        print("| what | packages | MB | the largest |\n| --- | --- | --- | --- |")
        print(row("text2lip alone", {name: size for name, size in alone.items() if name not in before}), flush=True)
        for extra in args.extras:
            pip(python, "install", "-q", "-c", "constraints.txt", f".[{extra}]")
            more = {name: size for name, size in sizes(python).items() if name not in alone}
            print(row(f"`{extra}` more", more), flush=True)
            if more:
                pip(python, "uninstall", "-q", "-y", *more)
    return 0


if __name__ == "__main__":
    sys.exit(main())
