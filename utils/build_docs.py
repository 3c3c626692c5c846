"""Build the documentation as a website that works offline, with search; any warning is an error.

python utils/build_docs.py --output site    # then open site/index.html; needs the extra `docs`

The pages stay plain Markdown that GitHub shows. On their way to Sphinx (by MyST) `_toctree.yml` becomes the table of
contents, `[[autodoc]]` the signature and docstring of what it names, and [`Name`] in a docstring a link to where
`Name` is described. README, CONTRIBUTING and MODEL_CARD become pages, as the others link to them.
"""

import argparse
import importlib.util
import inspect
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import yaml
from check_doc_toc import AUTODOC, DOCS, autodoc_names, resolve


ROOT = Path(__file__).parents[1]
CARDS = {
    "README.md": "README",
    "CONTRIBUTING.md": "Contributing",
    "MODEL_CARD.md": "Model card",
    "src/text2lip/checkpoints/text2lip-grid/README.md": "Card of the built-in pipeline",
    "examples/space/README.md": "The demo as a Space",
}
BESIDE = ("LICENSE", "CITATION.cff", "examples/notebooks/quickstart.ipynb")
NEEDS = ("sphinx", "myst_parser", "furo")
ELSEWHERE = re.compile(
    r"<(?:script|img|iframe|source|link)\b[^>]*?(?:src|href)=[\"'](?:https?:)?//|@import|url\([\"']?http"
)
SETTINGS = {
    "project": "text2lip",
    "copyright": "the text2lip authors, Apache-2.0",
    "extensions": ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"],
    "html_theme": "furo",
    "html_title": "text2lip",
    "html_copy_source": False,
    "html_show_sphinx": False,
    "html_static_path": [],
    "source_suffix": {".md": "markdown"},
    "myst_heading_anchors": 6,
    "autodoc_typehints": "none",  # docstrings name types, shapes and units
    "napoleon_use_ivar": True,
    "python_maximum_signature_line_length": 100,
    "add_module_names": False,
    "toc_object_entries_show_parents": "hide",
    "pygments_style": "friendly",
}


def directive(name: str, members: Iterable[str]) -> str:
    """What Sphinx wants in the place of `[[autodoc]] name` and the members below it."""
    found = resolve(name)
    kind = "class" if inspect.isclass(found) else "function" if callable(found) else "data"
    if kind == "class" and issubclass(found, Exception):
        kind = "exception"
    lines = [f".. auto{kind}:: {name}"]
    lines += [f"   .. automethod:: {member}" for member in members]
    return "```{eval-rst}\n" + "\n\n".join(lines) + "\n```\n"


def with_autodoc(page: str) -> str:
    """A page whose `[[autodoc]]` lines have become directives."""
    return AUTODOC.sub(lambda found: directive(found[1], re.findall(r"- (\w+)", found[2])), page)


def contents(sections: list) -> str:
    """`_toctree.yml` as tables of contents, a caption for each part; the front page is left out, it holds them."""
    parts = []
    for section in sections:
        entries = [f"{page['title']} <{page['local']}>" for page in section["sections"] if page["local"] != "index"]
        parts.append("\n".join(["```{toctree}", ":hidden:", f":caption: {section['title']}", "", *entries, "```"]))
    return "\n\n".join(parts)


def stage(folder: Path):
    """Write the pages to `folder` as Sphinx wants them; links between the cards and the pages keep their ends."""
    shutil.copytree(DOCS, folder, dirs_exist_ok=True)
    for page in folder.rglob("*.md"):
        text = with_autodoc(page.read_text(encoding="utf-8")).replace("../../../", "")
        page.write_text(text, encoding="utf-8")
    for card in CARDS:
        text = (ROOT / card).read_text(encoding="utf-8")
        (folder / card).parent.mkdir(parents=True, exist_ok=True)
        (folder / card).write_text(text.replace("](docs/source/en/", "]("), encoding="utf-8")
    for name in BESIDE:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    sections = yaml.safe_load((DOCS / "_toctree.yml").read_text(encoding="utf-8"))
    sections.append(
        {"title": "Project", "sections": [{"local": n.removesuffix(".md"), "title": t} for n, t in CARDS.items()]}
    )
    with (folder / "index.md").open("a", encoding="utf-8") as index:
        index.write(f"\n{contents(sections)}\n")


def described() -> dict[str, str]:
    """Every way to name what has a description (`Name`, `Class.method`, in full) -> its full name."""
    ways: dict[str, str] = {}
    for _, name in autodoc_names():
        parts = name.split(".")
        for first in range(len(parts)):
            ways.setdefault(".".join(parts[first:]), name)
        home = inspect.unwrap(resolve(name))
        ways.setdefault(f"{getattr(home, '__module__', '')}.{parts[-1]}", name)
    return ways


def to_rst(lines: list[str], ways: dict[str, str]) -> list[str]:
    """A docstring's Markdown as reStructuredText: code, fences and [`Name`], a link where `Name` is described."""

    def reference(found: re.Match) -> str:
        name = found[1].lstrip("~")
        return f":py:obj:`{name.split('.')[-1]} <{ways[name]}>`" if name in ways else f"``{name}``"

    rst, fenced = [], False
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        if line.lstrip().startswith("```"):
            fenced = not fenced
            rst += [f"{indent}.. code-block:: python", ""] if fenced else [""]
        elif fenced:
            rst.append(f"    {line}" if line else line)
        else:
            pieces = re.split(r"(\[`[^`]+`\]|`[^`]+`)", line)
            for place, piece in enumerate(pieces):
                if place % 2 == 0:
                    pieces[place] = re.sub(r"[|\\]|_(?=\W|$)", r"\\\g<0>", piece)
                    if place and re.match(r"\w", piece):
                        pieces[place] = rf"\ {pieces[place]}"  # "`Name`s" is no word in reStructuredText
                else:
                    pieces[place] = re.sub(r"^\[`(.+)`\]$", reference, piece) if piece[0] == "[" else f"`{piece}`"
            rst.append("".join(pieces))
    return rst


def from_elsewhere(site: Path) -> list[str]:
    """Pages and styles of a site that load a script, font or picture from another one."""
    files = [path for path in site.rglob("*") if path.suffix in (".html", ".css")]
    found = [(path, ELSEWHERE.search(path.read_text(encoding="utf-8"))) for path in files]
    return [f"{path.relative_to(site)}: {match[0]}" for path, match in found if match]


def build(output: Path) -> list[str]:
    """Build the site in `output`, which is replaced when all is well. Returns what is wrong, else nothing."""
    from sphinx.application import Sphinx

    ways = described()
    with tempfile.TemporaryDirectory() as folder:
        pages, trees, site = (Path(folder) / name for name in ("pages", "trees", "site"))
        stage(pages)
        app = Sphinx(
            pages, None, site, trees, "html", SETTINGS, status=None, warningiserror=True, exception_on_warning=False
        )
        app.connect(
            "autodoc-process-docstring",
            lambda app, what, name, obj, options, lines: lines.__setitem__(slice(None), to_rst(lines, ways)),
            priority=400,  # before napoleon, which reads the sections
        )
        app.build(force_all=True)
        problems = [f"{app._warncount} warnings, see above"] if app.statuscode else []
        problems += from_elsewhere(site)
        if not problems:
            shutil.rmtree(output, ignore_errors=True)
            shutil.copytree(site, output)
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("site"), help="folder of the website, replaced")
    output = parser.parse_args().output
    if missing := [name for name in NEEDS if importlib.util.find_spec(name) is None]:
        parser.exit(2, f"error: no {', '.join(missing)}; run: pip install -c constraints.txt '.[docs]'\n")
    if output.exists() and any(output.iterdir()) and not (output / "searchindex.js").exists():
        parser.exit(2, f"error: --output: {output} holds something else than a built site; choose another folder.\n")
    problems = build(output)
    print("\n".join(problems) or f"{len(list(output.rglob('*.html')))} pages in {output}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
