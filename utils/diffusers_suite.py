"""Run the test mixins of diffusers on our classes, and write into docs/source/en/diffusers.md what came of it.

    git clone --filter=blob:none https://github.com/huggingface/diffusers && git -C diffusers checkout 58eb52c080
    python utils/diffusers_suite.py --diffusers diffusers

`--results` takes what `pytest tests/diffusers_suite --junitxml FILE` wrote before, instead of running it.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter, defaultdict
from pathlib import Path


ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/source/en/diffusers.md"
PLACE = re.compile(r"(<!-- diffusers suite -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def main(arguments: list[str] | None = None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--diffusers", help="checkout of diffusers (default: $DIFFUSERS_TESTS)")
    parser.add_argument("--results", nargs="+", type=Path, help="junit files of runs that are over")
    parser.add_argument("--stdout", action="store_true", help="print the table, leave the page alone")
    args = parser.parse_args(arguments)
    checkout = args.diffusers or os.environ.get("DIFFUSERS_TESTS")
    if not args.results and not (checkout and Path(checkout, "tests/models/testing_utils").is_dir()):
        parser.error(f"--diffusers {checkout}: no checkout of diffusers with its tests; see --help.")
    if bare := [path for path in args.results or [] if 'name="mixin"' not in path.read_text(encoding="utf-8")]:
        parser.error(f"--results {bare[0]}: no test of diffusers' mixins ran; was there a checkout?")
    with tempfile.TemporaryDirectory() as folder:
        files = args.results or [run(args.diffusers, Path(folder) / "results.xml")]
        cases = {
            case[::2][:2]: case for file in files for case in read(file)
        }  # of a test that was run again, the last
        table = render(list(cases.values()))
    if args.stdout:
        print(table)
        return
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(PLACE.sub(lambda found: found[1] + table + found[3], page), encoding="utf-8")
    print(f"Wrote {PAGE}")


def run(checkout: str | None, results: Path) -> Path:
    environment = dict(os.environ) | ({"DIFFUSERS_TESTS": os.path.abspath(checkout)} if checkout else {})
    command = [sys.executable, "-m", "pytest", "-q", "tests/diffusers_suite", f"--junitxml={results}"]
    subprocess.run(command, cwd=ROOT, env=environment, check=False)
    return results


def read(results: Path) -> list[tuple[str, str, str, str, str]]:
    """(class, mixin, test, outcome, reason) of each test."""
    cases = []
    for case in ElementTree.parse(results).iter("testcase"):
        mixin = next(p.get("value") for p in case.iter("property") if p.get("name") == "mixin")
        skipped = case.find("skipped")
        failed = case.find("failure") is not None or case.find("error") is not None
        outcome = "failed" if failed else "passed" if skipped is None else "skipped"
        reason = "" if skipped is None else skipped.get("message", "")
        cases.append((case.get("classname").split(".")[-1], mixin, case.get("name"), outcome, reason))
    return cases


def render(cases: list[tuple[str, str, str, str, str]]) -> str:
    """Markdown: passed / failed / skipped for each class and mixin, and why tests were skipped or failed."""
    counts, reasons = defaultdict(Counter), Counter()
    for name, mixin, _, outcome, reason in cases:
        name = name.removeprefix("Test").removesuffix("Offloading")
        counts[name, mixin.removesuffix("TesterMixin")][outcome] += 1
        if outcome == "skipped":
            reasons[" ".join(reason.split())] += 1
    mixins = list(dict.fromkeys(mixin for _, mixin in counts))
    rows = ["| class | " + " | ".join(mixins) + " |", "| --- |" + " --- |" * len(mixins)]
    for name in dict.fromkeys(name for name, _ in counts):
        cells = [counts.get((name, mixin)) for mixin in mixins]
        shown = ["" if c is None else " / ".join(str(c[o]) for o in ("passed", "failed", "skipped")) for c in cells]
        rows.append(f"| {name} | " + " | ".join(shown) + " |")
    total = Counter(outcome for *_, outcome, _ in cases)
    rows.append(f"\n{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped.\n")
    failed = [f"| `{name}.{test}` |" for name, _, test, outcome, _ in cases if outcome == "failed"]
    if failed:
        rows += ["| failed |", "| --- |", *failed, ""]
    rows += ["| skipped because | tests |", "| --- | --- |"]
    rows += [f"| {reason.replace('|', '/')} | {count} |" for reason, count in reasons.most_common()]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
