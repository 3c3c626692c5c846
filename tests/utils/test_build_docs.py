"""The pages become a website: what GitHub shows as Markdown is what Sphinx gets, and its warnings are errors."""

import build_docs
import pytest


def test_docstrings_become_restructured_text():
    ways = {"Timeline": "text2lip.Timeline"}
    lines = ["Two [`Timeline`]s of `int`s, [`~text2lip.nothing`], |a - b| of `x_`.", "", "```python", ">>> 1", "```"]
    assert build_docs.to_rst(lines, ways) == [
        r"Two :py:obj:`Timeline <text2lip.Timeline>`\ s of ``int``\ s, ``text2lip.nothing``, \|a - b\| of ``x_``.",
        "",
        ".. code-block:: python",
        "",
        "    >>> 1",
        "",
    ]


def test_references_are_found_by_each_of_their_names():
    ways = build_docs.described()
    for name in ("Text2LipPipeline", "text2lip.Text2LipPipeline", "text2lip.pipelines.text2lip.Text2LipPipeline"):
        assert ways[name] == "text2lip.Text2LipPipeline"
    assert ways["Person"] == "text2lip.faces.Person"
    assert ways["FaceLandmarker.locate"] == "text2lip.FaceLandmarker.locate"


def test_autodoc_lines_become_directives():
    page = build_docs.with_autodoc(
        "# A\n\n[[autodoc]] text2lip.Timeline\n    - from_phones\n\n[[autodoc]] text2lip.speech.align\n"
    )
    assert ".. autoclass:: text2lip.Timeline\n\n   .. automethod:: from_phones" in page
    assert ".. autofunction:: text2lip.speech.align" in page
    assert ".. autoexception:: text2lip.speech.AlignmentError" in build_docs.directive(
        "text2lip.speech.AlignmentError", ()
    )


def test_links_between_cards_and_pages_keep_their_ends(tmp_path):
    build_docs.stage(tmp_path)
    assert "](installation.md)" in (tmp_path / "README.md").read_text()
    assert "](CONTRIBUTING.md" in (tmp_path / "installation.md").read_text()
    assert (tmp_path / "imgs/contact_sheet.jpg").exists()
    index = (tmp_path / "index.md").read_text()
    listed = [f"<{page.relative_to(tmp_path).with_suffix('')}>" for page in tmp_path.rglob("*.md")]
    assert [entry for entry in listed if entry not in index] == ["<index>"]


@pytest.mark.parametrize(
    "page",
    ['<script src="https://cdn.example.org/a.js">', '<link rel="x" href="//example.org/a.css">', "@import 'a.css'"],
)
def test_what_is_loaded_from_elsewhere_is_found(page, tmp_path):
    (tmp_path / "own.html").write_text('<script src="a.js"></script><a href="https://example.org">there</a>')
    assert build_docs.from_elsewhere(tmp_path) == []
    (tmp_path / "index.html").write_text(page)
    assert len(build_docs.from_elsewhere(tmp_path)) == 1


@pytest.mark.parametrize("link, problems", [("#front", 0), ("nowhere.md", 1)])
def test_a_warning_is_an_error(link, problems, tmp_path, monkeypatch):
    pytest.importorskip("furo")
    monkeypatch.setattr(build_docs, "stage", lambda folder: folder.mkdir() or (folder / "index.md").write_text(text))
    text = f"# Front\n\n[there]({link})\n\n[[autodoc]]\n"
    (tmp_path / "kept").mkdir()
    assert len(build_docs.build(tmp_path / "kept")) == problems
    assert (tmp_path / "kept/searchindex.js").exists() == (not problems)


def test_other_folders_are_not_replaced(tmp_path, monkeypatch, capsys):
    (tmp_path / "letter.txt").write_text("mine")
    monkeypatch.setattr("sys.argv", ["build_docs.py", "--output", str(tmp_path)])
    with pytest.raises(SystemExit):
        build_docs.main()
    said = capsys.readouterr().err
    assert "choose another folder" in said or "pip install" in said
    assert (tmp_path / "letter.txt").exists()
