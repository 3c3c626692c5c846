"""Each check of the structure against a small package that fails it, and the same package put right."""

import check_structure as structure
import pytest


LAZY = 'attach = print\nattach(__name__, {"crop": ["cut"]})'


@pytest.fixture
def package(tmp_path):
    """Writes `text2lip` out of path -> source, and returns its folder."""

    def write(files: dict[str, str]):
        root = tmp_path / "text2lip"
        for name, text in files.items():
            for folder in (root / name).parents:
                folder.mkdir(parents=True, exist_ok=True)
                if folder == root:
                    break
                (folder / "__init__.py").touch()
            (root / name).write_text(text)
        return root

    return write


def test_two_files_of_one_name(package):
    root = package({"faces/crop.py": "", "media/crop.py": "", "media/video.py": ""})
    assert structure.check_file_names(root) == ["file name crop.py: faces/crop.py, media/crop.py"]


def test_one_name_defined_twice(package):
    root = package(
        {
            "faces/crop.py": "SIZE = 1\nOPEN: int = 2\nFIRST, LAST = 1, 2\n_OWN = 3\nlower = 4\ndef cut(): pass",
            "faces/shots.py": "SIZE = 1\nOPEN: int = 3\nLAST = (2,)\n_OWN = 4\nlower = 5\nclass cut: pass",
            "faces/uses.py": "from text2lip.faces.crop import SIZE, cut\ndef f():\n    OPEN = 1",
        }
    )
    places = "text2lip.faces.crop, text2lip.faces.shots"
    assert structure.check_names(root) == [f"name {name}: {places}" for name in ("LAST", "OPEN", "SIZE", "cut")]


def test_circles_of_lazy_imports(package):
    root = package(
        {
            "faces/__init__.py": LAZY,
            "faces/crop.py": "def cut():\n    from text2lip.media import video",
            "media/video.py": "def read():\n    from text2lip.faces import cut",
        }
    )
    way = "text2lip.faces.crop > text2lip.media.video > text2lip.faces.crop"
    assert structure.check_circles(root) == [f"import circle: {way}"]
    package({"media/video.py": "if TYPE_CHECKING:\n    from text2lip.faces import cut"})
    assert structure.check_circles(root) == []


@pytest.mark.parametrize(
    "module, source, fault",
    [
        ("faces/crop.py", "import text2lip.models.unet", "text2lip.faces.crop imports text2lip.models.unet"),
        (
            "motion/seal.py",
            "from text2lip.renderers import warp",
            "text2lip.motion.seal imports text2lip.renderers.warp",
        ),
        ("data/grid.py", "import text2lip.models.unet", "text2lip.data.grid imports text2lip.models.unet"),
        ("memory.py", "from text2lip.text import money", "text2lip.memory imports text2lip.text.money"),
        ("models/unet.py", "from text2lip.metrics import wer", "text2lip.models.unet imports text2lip.metrics.wer"),
        ("metrics/wer.py", "from text2lip.pipelines import a", "text2lip.metrics.wer imports text2lip.pipelines.a"),
        ("training/run.py", "from text2lip.cli import main", "text2lip.training.run imports text2lip.cli"),
    ],
)
def test_arrows_up(package, module, source, fault):
    rooms = dict.fromkeys(("renderers/warp.py", "text/money.py", "metrics/wer.py", "pipelines/a.py", "cli.py"), "")
    root = package({**rooms, "models/unet.py": "from text2lip import __version__", module: source})
    assert structure.check_rooms(root) == [f"arrow up: {fault}"]


def test_arrows_down(package):
    root = package(
        {
            "cli.py": "from text2lip.pipelines import a\nfrom text2lip.faces import crop",
            "pipelines/a.py": "from text2lip.cards import card",
            "cards.py": "from text2lip.licences import known",
            "licences.py": "",
            "faces/crop.py": "from text2lip.text import money",
            "text/money.py": "from text2lip import files",
            "files.py": "",
            "training/run.py": "from text2lip.pipelines import a",
        }
    )
    assert structure.check_rooms(root) == []
    package({"attic/hat.py": ""})
    assert {fault.split(":")[0] for fault in structure.check_rooms(root)} == {"room attic"}


def test_too_many_parameters(package, monkeypatch):
    nine = "a, b, c, d, *, e, f, g, h, i=0"
    root = package(
        {
            "faces/crop.py": f"""
def wide({nine}): pass
def fits({nine[3:]}): pass
class Crop:
    def method(self, {nine}): pass
    def fits(self, {nine[3:]}): pass
class Model:
    @register_to_config
    def __init__(self, {nine}): pass
class Text2LipPipeline:
    def __init__(self, {nine}): pass
def outer():
    def inner(a, b, c, d, e, f, g, *h, **i): pass
    async def wide({nine}): pass
"""
        }
    )
    names = ("wide", "Crop.method", "outer.inner", "outer.wide")
    found = [f"parameters: text2lip.faces.crop.{name} has 9" for name in names]
    assert structure.check_parameters(root) == found
    monkeypatch.setitem(structure.WIDE, "fits", "it grew once")
    assert structure.check_parameters(root) == [*found, "parameters: fits stands in WIDE without need"]
