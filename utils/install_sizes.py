"""How much disk text2lip takes, with and without its extras: a table, from fresh environments that are deleted again.

python utils/install_sizes.py                      # all extras; takes minutes, and some 4 GB while it runs
python utils/install_sizes.py --extras train docs

Each extra is installed beside text2lip alone, measured, and taken off again. MB are what `du -sm` counts of
`site-packages`, compiled files included.
"""

import argparse
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


def size_of(folder: Path) -> int:
    """Megabytes on disk of all files below `folder`."""
    files = (Path(place) / name for place, _, names in os.walk(folder) for name in names)
    return round(sum(path.lstat().st_blocks * 512 for path in files) / 2**20)


def pip(python: Path, *arguments: str) -> str:
    """Run pip of an environment; returns what it prints."""
    command = [python, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def installed(python: Path) -> set[str]:
    """Names of the packages of an environment."""
    return {line.split("==")[0].split(" @")[0] for line in pip(python, "freeze", "--all").splitlines()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--extras", nargs="*", choices=extras(), default=extras(), metavar="EXTRA")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        place = Path(folder) / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
        place = place if place.exists() else Path(folder) / "Lib/site-packages"
        before = installed(python)
        pip(python, "install", "-q", "-c", "constraints.txt", ".")
        alone, base = installed(python), size_of(place)
        largest = sorted(((size_of(path), path.name) for path in place.iterdir() if path.is_dir()), reverse=True)[:5]
        print("| what | packages | MB |\n| --- | --- | --- |")
        named = ", ".join(f"{name} {size}" for size, name in largest)
        print(f"| text2lip alone ({named}) | {len(alone - before)} | {base} |", flush=True)
        for extra in args.extras:
            pip(python, "install", "-q", "-c", "constraints.txt", f".[{extra}]")
            new, size = installed(python) - alone, size_of(place)
            print(f"| `{extra}` more | {len(new)} | {size - base} |", flush=True)
            if new:
                pip(python, "uninstall", "-q", "-y", *new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
