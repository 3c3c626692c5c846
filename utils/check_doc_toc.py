"""Keep the documentation in step with the code; run by the tests.

python utils/check_doc_toc.py          # report what is out of step
python utils/check_doc_toc.py --fix    # write the generated lists anew

Checked: every page is in the table of contents once, every relative link leads somewhere, every `[[autodoc]]` name
exists and has a docstring, every block of Python or commands is run by the tests or says why not (by a line before it,
`<!-- not run: a GPU -->`), every list between `<!-- made by: … -->` and `<!-- end -->` is what the code prints today.
"""

import argparse
import importlib
import inspect
import re
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path


ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs/source/en"
CARDS = ("README.md", "MODEL_CARD.md", "CONTRIBUTING.md", "src/text2lip/checkpoints/text2lip-grid/README.md")
GENERATED = re.compile(r"(<!-- made by: (.+?) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
AUTODOC = re.compile(r"^\[\[autodoc\]\] (\S+)\n((?:    - \w+\n)*)", re.MULTILINE)
FENCE = re.compile(r"^(?:<!-- not run: (.+?)(?: \(.+\))? -->\n)?```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WHY_NOT = (
    "CI runs it",
    "a GPU",
    "a test of its own",
    "another package",
    "files of yours",
    "installs packages",
    "minutes to hours",
    "starts a server",
    "the Hub",
    "the network",
    "the real data",
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def pages() -> list[Path]:
    """All pages of the documentation."""
    return sorted(DOCS.rglob("*.md"))


def toc_entries(sections: list | None = None) -> list[str]:
    """Pages in the order of the table of contents, without suffix."""
    import yaml

    if sections is None:
        sections = yaml.safe_load((DOCS / "_toctree.yml").read_text(encoding="utf-8"))
    entries = []
    for section in sections:
        entries += [section["local"]] if "local" in section else []
        entries += toc_entries(section.get("sections", []))
    return entries


def check_toc() -> list[str]:
    """Every page is in `_toctree.yml`, once, and begins with a title; no entry is without a page."""
    entries = Counter(toc_entries())
    names = {str(page.relative_to(DOCS).with_suffix("")) for page in pages()}
    problems = [f"_toctree.yml: {name} is listed {count} times" for name, count in entries.items() if count > 1]
    problems += [f"_toctree.yml: no page {name}.md" for name in entries if name not in names]
    problems += [f"{name}.md is not in _toctree.yml" for name in sorted(names - set(entries))]
    untitled = [page for page in pages() if not page.read_text(encoding="utf-8").startswith("# ")]
    return problems + [f"{page.relative_to(ROOT)}: does not begin with a title" for page in untitled]


def check_links() -> list[str]:
    """Relative links of the pages and of the cards lead to files."""
    broken = []
    for page in [*pages(), *(ROOT / card for card in CARDS)]:
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: no {target}")
    return broken


def autodoc_names() -> Iterator[tuple[Path, str]]:
    """(page, dotted name) of everything that is documented from its docstring, methods included."""
    for page in pages():
        for name, members in AUTODOC.findall(page.read_text(encoding="utf-8")):
            yield page, name
            for member in re.findall(r"- (\w+)", members):
                if member != "all":
                    yield page, f"{name}.{member}"


def resolve(name: str) -> object:
    """The object of a dotted name such as `text2lip.text.VisemeTokenizer.decode`.

    Raises:
        AttributeError: there is none.
    """
    parts = name.split(".")
    found = importlib.import_module(parts[0])
    for index, part in enumerate(parts[1:], 2):
        if not hasattr(found, part) and inspect.ismodule(found):
            try:
                importlib.import_module(".".join(parts[:index]))
            except ModuleNotFoundError as error:
                raise AttributeError(f"no {'.'.join(parts[:index])}") from error
        found = getattr(found, part)
    return found


def check_autodoc() -> list[str]:
    """Every `[[autodoc]]` name exists and has a docstring, and everything that `text2lip` exports is documented."""
    problems, seen = [], set()
    for page, name in autodoc_names():
        try:
            found = resolve(name)
            seen.add(id(found))
            if not inspect.getdoc(found):
                problems.append(f"{page.relative_to(ROOT)}: {name} has no docstring")
        except AttributeError as error:
            problems.append(f"{page.relative_to(ROOT)}: {name} does not exist ({error})")
    exports = importlib.import_module("text2lip").__all__
    return problems + [
        f"text2lip.{name} is on no page" for name in exports if id(resolve(f"text2lip.{name}")) not in seen
    ]


def commands(fence: str) -> list[str]:
    """The lines of a block of commands, without comments; a line may go on after a backslash."""
    lines = (shlex.split(line, comments=True) for line in fence.replace("\\\n", " ").splitlines())
    return [shlex.join(line) for line in lines if line]


def check_fences() -> list[str]:
    """What is run (`python`, and `bash` with `text2lip` alone) has no marker, the rest (`py`, `bash`) says why not."""
    problems = []
    for page in [*pages(), *(ROOT / card for card in CARDS)]:
        text = page.read_text(encoding="utf-8")
        for fence in FENCE.finditer(text):
            why, language, code = fence.groups()
            run = language == "python" or (
                language == "bash" and all(re.match("text2lip ", c) for c in commands(code))
            )
            place = f"{page.relative_to(ROOT)}:{text[: fence.start()].count(chr(10)) + 1}"
            if why is not None and why not in WHY_NOT:
                problems.append(f"{place}: not run: {why!r} is none of {', '.join(WHY_NOT)}")
            if why is None and not run and language in ("py", "bash", "sh", ""):
                problems.append(f"{place}: say why this is not run, by <!-- not run: … --> on the line before")
            if why is not None and language == "python":
                problems.append(f"{place}: `python` is run; write `py` for what is not")
    return problems


def options() -> str:
    """The command's options as a table."""
    from text2lip.cli import build_parser

    rows = ["| option | meaning |", "| --- | --- |"]
    for action in build_parser()._actions:
        value = "" if action.nargs == 0 else action.metavar or (action.choices and ", ".join(action.choices))
        if action.option_strings and value is None:
            value = action.dest.upper()
        names = [f"`{name}`" for name in action.option_strings] or [f"`{action.dest}`"]
        value = f" {value}" if value else ""
        rows.append(
            f"| {', '.join(names)}{value} | {(action.help or '').replace('%(prog)s', 'text2lip').replace('%%', '%')} |"
        )
    return "\n".join(rows)


def listing(entries: dict[str, str]) -> str:
    """Name -> description as a table."""
    rows = [f"| `{name}` | {description} |" for name, description in entries.items()]
    return "\n".join(["| name | what |", "| --- | --- |", *rows])


def languages() -> str:
    """Codes and names of the languages."""
    from text2lip.text import available_languages

    return ", ".join(f"`{code}` {name}" for code, name in available_languages().items())


def voices() -> str:
    """The voices."""
    from text2lip.speech import list_voices

    return listing(list_voices())


def timing_formats() -> str:
    """The timing formats."""
    from text2lip.speech.timings.formats import TIMING_FORMATS

    return listing(TIMING_FORMATS)


MAKERS: dict[str, Callable[[], str]] = {
    "text2lip --help": options,
    "text2lip --list-languages": languages,
    "text2lip --list-voices": voices,
    "text2lip.speech.timings.formats.TIMING_FORMATS": timing_formats,
}


def generated() -> Iterator[tuple[Path, str, str, str]]:
    """(page, maker, text as it stands, text as it should be) of every generated list."""
    for page in pages():
        for _, maker, text, _ in GENERATED.findall(page.read_text(encoding="utf-8")):
            yield page, maker, text, wrap(MAKERS[maker]()) if maker in MAKERS else ""


def wrap(text: str) -> str:
    """A list between blank lines; running text broken at 120 characters."""
    import textwrap

    if not text.startswith("|"):
        text = textwrap.fill(text, 118, break_on_hyphens=False, break_long_words=False)
    return f"\n{text}\n\n"


def check_generated() -> list[str]:
    """Every generated list is up to date."""
    stale = [(page, maker) for page, maker, text, wanted in generated() if text != wanted]
    return [f"{page.relative_to(ROOT)}: the list made by {maker!r} is stale; run with --fix" for page, maker in stale]


def fix():
    """Write every generated list anew."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        new = GENERATED.sub(lambda found: f"{found[1]}{wrap(MAKERS[found[2]]())}{found[4]}", text)
        if new != text:
            page.write_text(new, encoding="utf-8")
            print(f"Wrote {page.relative_to(ROOT)}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fix", action="store_true", help="write the generated lists anew")
    if parser.parse_args().fix:
        fix()
    checks = (check_toc, check_links, check_autodoc, check_fences, check_generated)
    problems = [problem for check in checks for problem in check()]
    print("\n".join(problems) or "documentation checks passed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
