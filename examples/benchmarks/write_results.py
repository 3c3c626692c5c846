"""Put the figures of the quality benchmark into docs/source/en/results.md, each table under the command that made it.

python examples/benchmarks/quality.py --split test --json outputs/test.json
python examples/benchmarks/write_results.py outputs/test.json ...
"""

import argparse
import json
import re
from pathlib import Path

from quality import table_lines

from text2lip import __version__


PAGE = Path(__file__).parents[2] / "docs/source/en/results.md"
BLOCK = re.compile(r"(<!-- tables: begin.*?-->\n).*?(<!-- tables: end -->)", re.DOTALL)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reports", nargs="+", type=Path, help="JSON files of quality.py")
    args = parser.parse_args()
    parts = [section(json.loads(path.read_text())) for path in args.reports]
    page = PAGE.read_text(encoding="utf-8")
    filled, count = BLOCK.subn(lambda match: match[1] + "\n" + "\n\n".join(parts) + "\n\n" + match[2], page)
    if count != 1:
        raise SystemExit(f"write_results: {PAGE} should have one block for tables, has {count}.")
    PAGE.write_text(filled, encoding="utf-8")
    print(f"Wrote {len(parts)} tables into {PAGE.name}")


def section(report: dict) -> str:
    """Heading, command, table."""
    only = f" --only {report['only']}" if report.get("only") else ""
    title = f"### {report['split']}{': ' + report['only'] if only else ''}, {report['clips']} clips"
    sound = " --audio_only outputs/audio_only/best/lip_decoder" if report.get("audio_only") else ""
    pipeline = report.get("pipeline", "text2lip-grid")
    own = "" if pipeline == "text2lip-grid" else f" --pipeline {pipeline}"
    command = f"`python examples/benchmarks/quality.py --split {report['split']}{only}{sound}{own}`"
    failed = f"; {len(report['failed'])} clips failed" if report["failed"] else ""
    return "\n".join([title, "", f"{command}, text2lip {__version__}{failed}", *table_lines(report)])


if __name__ == "__main__":
    main()
