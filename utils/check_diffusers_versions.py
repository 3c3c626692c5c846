"""Run the quick tests of the contract with diffusers under other releases than the one that is installed.

    python utils/check_diffusers_versions.py                  # the oldest that setup.py allows; about three minutes
    python utils/check_diffusers_versions.py 0.41.0 0.42.1

Each release goes into a virtual environment of its own, with what it wants otherwise than installed here, such as an
older huggingface_hub; everything else is that of the running Python. The tests: registration and every private name
that it lists, cards and uploads, saving and loading, the networks, offloading, EchoMimic with tiny networks.
"""

import argparse
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from pathlib import Path


ROOT = Path(__file__).parents[1]
OLDEST = "0.41.0"
TESTS = (
    "tests/test_registration.py",
    "tests/test_cards.py",
    "tests/models",
    "tests/pipelines/test_save_load.py",
    "tests/devices/test_offloading.py",
    "tests/pipelines/test_echomimic_pipeline.py",
)


def make_environment(folder: Path, release: str) -> Path:
    """A virtual environment on top of the running one, with this release of diffusers; its Python."""
    venv.create(folder, with_pip=True)
    python = folder / "bin/python"
    inside = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))
    # the package itself by its folder: .pth files of the parent, as an editable installation has, are not read
    (inside / "parent.pth").write_text(f"{ROOT / 'src'}\n{sysconfig.get_path('purelib')}\n")
    subprocess.run([python, "-m", "pip", "install", "-qq", f"diffusers=={release}"], check=True)
    ask = [python, "-c", "import diffusers, text2lip; print(diffusers.__version__, text2lip.__file__, sep='\\n')"]
    found, package = subprocess.run(ask, check=True, capture_output=True, text=True).stdout.splitlines()[-2:]
    print(f"diffusers {found}, {package}", flush=True)
    if found != release:
        raise RuntimeError(f"diffusers {found} was found where {release} was installed.")
    if not Path(package).is_relative_to(ROOT / "src"):
        raise RuntimeError(f"text2lip was found at {package}, not in {ROOT / 'src'}.")
    return python


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("releases", nargs="*", default=[OLDEST])
    failed = []
    for release in parser.parse_args().releases:
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            python = make_environment(Path(folder), release)
            done = subprocess.run([python, "-m", "pytest", "-q", "-m", "not slow", *TESTS], cwd=ROOT, check=False)
        print(f"diffusers {release}: {'failed' if done.returncode else 'passed'}, {time.perf_counter() - start:.0f} s")
        failed += [release] * bool(done.returncode)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
