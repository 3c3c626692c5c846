"""Repository checks that no linter does; run by CI.

python utils/check_repo.py
"""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import check_structure


ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/text2lip"
MAX_LINES = 450
MAX_CHECKPOINT_BYTES = 60_000_000
IMPORT_SECONDS = 0.2


def check_file_length() -> list[str]:
    """A file is one idea: no source file over `MAX_LINES` lines."""
    files = [*PACKAGE.rglob("*.py"), *(ROOT / "examples").rglob("*.py")]
    sizes = {path: len(path.read_text().splitlines()) for path in files}
    return [f"{path.relative_to(ROOT)}: {n} lines, over {MAX_LINES}" for path, n in sizes.items() if n > MAX_LINES]


def check_docstrings() -> list[str]:
    """Every public function, class and module has a docstring."""
    missing = []
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text())
        if not ast.get_docstring(tree) and path.stat().st_size:
            missing.append(f"{path.relative_to(ROOT)}: no module docstring")
        for node in tree.body:
            public = isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
            if public and not ast.get_docstring(node) and path.name not in ("cli.py",):
                missing.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.name} has no docstring")
    return missing


def check_forbidden() -> list[str]:
    """No device literals, no pickle, no dependency that the house rules exclude."""
    rules = {
        r"\.cuda\(": "device literal",
        r"\bimport pickle\b": "pickle",
        r"weights_only=False": "unsafe load",
        r"^\s*(import|from) (mediapipe|dlib|mmcv|torchvision|torchaudio)\b": "excluded package",
    }
    found = []
    for path in [*PACKAGE.rglob("*.py"), *(ROOT / "examples").rglob("*.py")]:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for pattern, reason in rules.items():
                if re.search(pattern, line):
                    found.append(f"{path.relative_to(ROOT)}:{number}: {reason}")
    return found


def check_lazy_exports() -> list[str]:
    """Every name in a package's `__all__` can be had."""
    broken = []
    for init in sorted(PACKAGE.rglob("__init__.py")):
        name = ".".join(init.parent.relative_to(ROOT / "src").parts)
        module = importlib.import_module(name)
        for export in getattr(module, "__all__", []):
            try:
                getattr(module, export)
            except Exception as error:
                broken.append(f"{name}.{export}: {error!r}")
    return broken


def check_import() -> list[str]:
    """`import text2lip` is quick and loads no heavy package."""
    code = (
        "import sys, time; t = time.perf_counter(); import text2lip; s = time.perf_counter() - t;"
        "heavy = {'torch', 'transformers', 'diffusers', 'datasets', 'evaluate', 'phonemizer', 'cv2', 'numpy'};"
        "bad = heavy & set(sys.modules); print(f'import text2lip: {s:.3f} s', *bad);"
        f"sys.exit(bool(bad) or s > {IMPORT_SECONDS})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    print(done.stdout.strip())
    return [f"import text2lip is slow or heavy: {done.stdout}{done.stderr}"] if done.returncode else []


def check_checkpoints() -> list[str]:
    """Built-in weights are safetensors and small."""
    files = [path for path in (PACKAGE / "checkpoints").rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    print(f"built-in checkpoints: {size / 1e6:.2f} MB")
    problems = [f"{path.name}: only safetensors" for path in files if path.suffix in (".bin", ".pt", ".pth", ".ckpt")]
    return problems + (
        [f"checkpoints: {size} bytes, over {MAX_CHECKPOINT_BYTES}"] if size > MAX_CHECKPOINT_BYTES else []
    )


def main() -> int:
    checks = (
        check_file_length,
        check_docstrings,
        check_forbidden,
        check_import,
        check_lazy_exports,
        check_checkpoints,
        *check_structure.CHECKS,
    )
    problems = [problem for check in checks for problem in check()]
    print("\n".join(problems) or "repository checks passed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
