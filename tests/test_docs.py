"""The documentation tells the truth: its names exist, its lists are current, its snippets run."""

import ast
import builtins
import re
import shlex
import shutil
import wave
from pathlib import Path

import check_doc_toc
import numpy as np
import pytest
import yaml
from PIL import Image

import text2lip
from text2lip.media.video_writer import write_video


ROOT = Path(__file__).parents[1]
SNIPPET = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
CARD = ROOT / "src/text2lip/checkpoints/text2lip-grid/README.md"
PAGES = [ROOT / "README.md", CARD, *sorted((ROOT / "docs/source/en").rglob("*.md"))]
WITH_SNIPPETS = [page for page in PAGES if SNIPPET.search(page.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def docs(load_script):
    return load_script("utils/check_doc_toc.py")


@pytest.fixture(scope="module")
def desk(portrait, tmp_path_factory):
    """A folder with what the snippets read: a small portrait, a film and a recording."""
    folder = tmp_path_factory.mktemp("desk")
    Image.fromarray(portrait).resize((128, 128)).save(folder / "portrait.jpg", quality=95)
    Image.fromarray(cut_at_the_mouth(portrait)).save(folder / "cut.png")
    speech = text2lip.synthesize("What I said.", "espeak")
    with wave.open(str(folder / "speech.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(speech.sampling_rate)
        file.writeframes(np.rint(speech.audio * 32767).astype("<i2").tobytes())
    film = np.asarray(Image.fromarray(portrait).resize((128, 128)))
    Image.fromarray(np.concatenate([film, film[:, ::-1]], 1)).save(folder / "two.jpg", quality=95)
    (folder / "cues.srt").write_text("1\n00:00:00,100 --> 00:00:00,500\nHi.\n")
    write_video(folder / "film.mp4", [np.roll(film, i % 3, 1) for i in range(12)], fps=25)
    frames = [np.roll(film, i % 3, 1) for i in range(25)]
    write_video(folder / "talk.mp4", frames, audio=speech.audio, sampling_rate=speech.sampling_rate)
    for name in ("listens", "talks"):
        shutil.copy(folder / "film.mp4", folder / f"{name}.mp4")
    shutil.copy(folder / "portrait.jpg", folder / "me.jpg")
    (folder / "letter.txt").write_text("Dear Bob.")
    (folder / "talk.txt").write_text("Ann: Hi, Bob.\nBob: Hello.")
    return folder


def cut_at_the_mouth(portrait: np.ndarray) -> np.ndarray:
    landmarks = text2lip.FaceLandmarker.from_builtin().locate(portrait)
    return portrait[: int(landmarks[14, 1] * len(portrait))]


def test_toc_is_complete(docs):
    assert docs.check_toc() == []


def test_toc_notices_a_page_that_is_not_listed(docs, monkeypatch):
    monkeypatch.setattr(docs, "toc_entries", lambda: ["index", "index", "nowhere"])
    problems = "\n".join(docs.check_toc())
    assert "index is listed 2 times" in problems
    assert "no page nowhere.md" in problems
    assert "voices.md is not in _toctree.yml" in problems


def test_links_lead_somewhere(docs):
    assert docs.check_links() == []


def test_documented_names_exist(docs):
    assert len(list(docs.autodoc_names())) > 50
    assert docs.check_autodoc() == []


def test_unknown_names_are_noticed(docs):
    for name in ("text2lip.NoSuchClass", "text2lip.text.no_such_module.x", "text2lip.VisemeTokenizer.no_such_method"):
        with pytest.raises(AttributeError):
            docs.resolve(name)


def test_lists_are_current(docs):
    makers = {maker for _, maker, _, _ in docs.generated()}
    assert makers == set(docs.MAKERS)
    assert docs.check_generated() == [], "run: python utils/check_doc_toc.py --fix"


def test_every_option_of_the_command_is_explained(docs):
    from text2lip.cli import build_parser

    page = (ROOT / "docs/source/en/cli.md").read_text(encoding="utf-8")
    flags = {flag for action in build_parser()._actions for flag in action.option_strings}
    assert {flag for flag in flags if f"`{flag}`" not in page} == set()
    for name in ("README.md", "docs/source/en/cli.md", "docs/source/en/voices.md", "docs/source/en/installation.md"):
        used = re.findall(r"^(?:.*&& )?(text2lip .*)$", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
        assert {flag for line in used for flag in re.findall(r"(?<= )--?[a-z][\w-]*", line)} <= flags, name


def test_readme_has_its_two_commands():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if re.match(r"pip install .* && text2lip ", line)] == [
        "pip install -c constraints.txt . && "
        'text2lip "Good morning. Nobody has ever recorded this sentence." --output demo.mp4'
    ]
    assert [line for line in lines if re.match(r"pip install .* && pytest", line)] == [
        'pip install -c constraints.txt ".[test]" && pytest'
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_that_is_not_run_names_what_it_has(page):
    """Every name in a page's Python is imported, defined or built in, also where a fence isn't run (`py`)."""
    fences = re.findall(r"^```py(?:thon)?\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    nodes = [node for fence in fences for node in ast.walk(ast.parse(re.sub(r"^>>> ", "", fence, flags=re.MULTILINE)))]
    names = [node for node in nodes if isinstance(node, ast.Name)]
    known = {node.id for node in names if isinstance(node.ctx, ast.Store)} | set(dir(builtins))
    known |= {(node.asname or node.name).split(".")[0] for node in nodes if isinstance(node, ast.alias)}
    known |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    known |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    assert {node.id for node in names} - known == set()


def test_extras_that_are_named_exist(docs):
    known = set(re.findall(r'^    "(\w+)": \[', (ROOT / "setup.py").read_text(encoding="utf-8"), re.MULTILINE))
    for page in PAGES:
        for extras in re.findall(r'"\.\[([\w,]+)\]"', page.read_text(encoding="utf-8")):
            assert set(extras.split(",")) <= known, page.name
    table = re.findall(
        r"^\| (`.*?`) \|", (ROOT / "docs/source/en/installation.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert known == set(re.findall(r"`(\w+)`", " ".join(table)))


def test_examples_that_are_named_exist():
    for page in [*PAGES, ROOT / "MODEL_CARD.md", ROOT / "CONTRIBUTING.md"]:
        for script in re.findall(r"(?:python |`)((?:examples|utils)/[\w/]+\.py)", page.read_text(encoding="utf-8")):
            assert (ROOT / script).exists(), f"{page.name}: {script}"


def test_citation_has_the_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == text2lip.__version__
    assert citation["license"] == "Apache-2.0"


def test_card_of_the_built_in_pipeline():
    from huggingface_hub import ModelCard

    card = ModelCard.load(CARD)
    assert card.data.license == "apache-2.0"
    assert card.data.to_dict()["library_name"] == "text2lip"
    index = yaml.safe_load((CARD.parent / "model_index.json").read_text())
    parts = {name for name, value in index.items() if isinstance(value, list)}
    assert {part for part in parts if f"`{part}`" not in card.text} == set()


def test_what_is_said_to_be_missing_is_missing(pipe):
    """When a part comes in, or goes, the card that lists the parts has to change."""
    rows = re.findall(r"^\| (`.+?`) \|(.+)$", CARD.read_text(encoding="utf-8"), re.MULTILINE)
    said = {part: "null" in rest for parts, rest in rows for part in re.findall(r"`(\w+)`", parts)}
    assert said == {name: part is None for name, part in pipe.components.items()}


@pytest.mark.parametrize(
    "call",
    [
        {"prompt": ""},
        {"prompt": "..."},
        {"prompt": "word " * 30_000},
        {"language": "fo"},
        {"language": "xx"},
        {"voice": "nobody"},
        {"voice": "pico", "language": "ru"},
        {"voice": "espeak", "audio": "speech.wav"},
        {"speaking_rate": 3},
        {"prompt": "<speak>a & b</speak>"},
        {"image": np.zeros((100, 100, 3), np.uint8)},
        {"image": "cut.png"},
        {"image": "nowhere.jpg"},
        {"image": "speech.wav"},
        {"image": "https://example.org/me.jpg"},
        {"image": "nowhere.mp4"},
        {"image": np.zeros((10, 5000, 3), np.uint8)},
        {"face_index": 1},
        {"prompt": "Quite another sentence altogether.", "audio": "speech.wav"},
        {"audio": np.zeros(16_000, np.float32), "sampling_rate": 16_000},
        {"audio": np.ones(160, np.float32), "sampling_rate": 16_000},
        {"audio": np.zeros(16_000, np.float32)},
        {"audio": "speech.wav", "speaking_rate": 1.2},
        {"timings": "nowhere.TextGrid"},
        {"timings": [("a", 0.5, 0.2)]},
        {"guidance_scale": 2.0},
        {"reference": np.zeros((100, 100, 3), np.uint8)},
        {"reference": "portrait.jpg", "renderer": "geometric"},
    ],
    ids=lambda call: "-".join(call),
)
def test_messages_are_as_the_page_quotes_them(call, pipe, desk, monkeypatch):
    monkeypatch.chdir(desk)
    page = (ROOT / "docs/source/en/troubleshooting.md").read_text(encoding="utf-8")
    first_cells = re.findall(r"^\| (.+?) \|", page, re.MULTILINE)
    quoted = [quote for cell in first_cells for quote in re.findall("`(.+?)`", cell)]
    with pytest.raises(ValueError) as caught:
        pipe(**{"prompt": "What I said.", "image": "portrait.jpg", **call})
    message = str(caught.value).replace("`", "")
    found = [quote for quote in quoted if re.search(".*".join(map(re.escape, quote.split("…"))), message)]
    assert found, f"the page has no remedy for: {message}"


@pytest.mark.parametrize("page", WITH_SNIPPETS, ids=lambda page: str(page.relative_to(ROOT)))
def test_snippets_run(page, desk, monkeypatch):
    """The snippets of a page, in order, as one program."""
    from diffusers import DiffusionPipeline

    monkeypatch.chdir(desk)
    monkeypatch.setattr(DiffusionPipeline, "progress_bar", quiet(DiffusionPipeline.progress_bar))
    program = "\n".join(SNIPPET.findall(page.read_text(encoding="utf-8")))
    exec(compile(program, str(page), "exec"), {"__name__": "snippets"})


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        command
        for page in PAGES
        for why, language, code in check_doc_toc.FENCE.findall(page.read_text(encoding="utf-8"))
        if language == "bash" and not why
        for command in check_doc_toc.commands(code)
    ],
)
def test_commands_run(command, desk, monkeypatch, capsys):
    """Every `text2lip` line of the pages, drawn by the quicker renderer."""
    from text2lip import cli

    monkeypatch.chdir(desk)
    arguments = shlex.split(command)[1:]
    quicker = [] if "--reference" in arguments else ["--renderer", "geometric"]
    assert cli.main([*arguments, *quicker]) == 0, capsys.readouterr().err


def test_blocks_that_are_not_run_say_why(docs, tmp_path, monkeypatch):
    assert docs.check_fences() == []
    page = tmp_path / "page.md"
    monkeypatch.setattr(docs, "pages", lambda: [page])
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    monkeypatch.setattr(docs, "CARDS", ())
    for text, said in (
        ("```py\n1\n```\n", "say why"),
        ("```bash\ntext2lip Hi.\nrm x\n```\n", "say why"),
        ("<!-- not run: a GPU -->\n```python\n1\n```\n", "write `py`"),
        ("<!-- not run: who knows -->\n```py\n1\n```\n", "is none of"),
    ):
        page.write_text(text)
        assert said in "".join(docs.check_fences())
    page.write_text("<!-- not run: another package (x) -->\n```py\n1\n```\n```bash\ntext2lip A \\\n    -o b\n```\n")
    assert docs.check_fences() == []


def quiet(progress_bar):
    """`progress_bar` of a pipeline that prints nothing."""

    def silent(self, *args, **kwargs):
        self.set_progress_bar_config(disable=True)
        return progress_bar(self, *args, **kwargs)

    return silent


def test_pages_say_what_the_built_in_encoder_sees():
    from text2lip.models import VisemeEncoderModel

    sees = VisemeEncoderModel.load_config(CARD.parent / "viseme_encoder")
    assert sees["num_phones"] and sees["num_features"]  # else the sentence that follows has to go
    pages = [ROOT / name for name in ("README.md", "MODEL_CARD.md")]
    pages += [CARD, *(ROOT / f"docs/source/en/{name}.md" for name in ("concepts", "training", "results"))]
    for page in pages:
        text = " ".join(page.read_text(encoding="utf-8").split())
        assert re.search(r"phones?[^.]{0,60} articulatory features", text) and "visemes alone" in text, page.name


def test_the_map_of_the_package_has_every_room():
    rooms = {path.name for path in (ROOT / "src/text2lip").iterdir() if (path / "__init__.py").exists()}
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert rooms <= set(re.findall(r"`src/text2lip/(\w+)`", page))


def test_the_drawing_of_the_way_is_current(tmp_path, monkeypatch, load_script):
    plot_way = load_script("examples/plot_way.py")
    monkeypatch.setattr("sys.argv", ["plot_way.py", "--output", str(tmp_path / "way.svg")])
    plot_way.main()
    drawn = ROOT / "docs/source/en/imgs/way.svg"
    assert (tmp_path / "way.svg").read_text() == drawn.read_text(), "run the command below the drawing in concepts.md"


def test_the_way_of_a_prompt_has_true_names_and_eight_steps():
    import text2lip
    from text2lip import motion, pipelines, renderers, scenes
    from text2lip.pipelines import request

    page = (ROOT / "docs/source/en/concepts.md").read_text(encoding="utf-8")
    drawing = page.split("```text\n")[1].split("```")[0]
    assert re.findall(r"^(\d+)  ", drawing, re.MULTILINE) == [str(step) for step in range(1, 9)]
    homes = (text2lip, motion, pipelines, renderers, scenes, request)
    for name, member in re.findall(r"\b([A-Z][a-z]\w*[A-Z]\w+)(?:\.(\w+))?", drawing):
        found = next(getattr(home, name) for home in homes if hasattr(home, name))
        assert not member or hasattr(found, member), f"{name}.{member}"
