import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import diffusers
from diffusers.pipelines import pipeline_loading_utils

import text2lip
from text2lip.registration import CLASSES, PRIVATE_NAMES, register


BY_CHANCE = {"_basis", "_blocks", "_empty", "_encode", "_fields_", "_handle", "_noise", "_replace", "_stream"}
"""Private names of ours, of ctypes and of named tuples that diffusers has too, for something else."""


def test_registered_once_and_again():
    register()
    register()
    assert pipeline_loading_utils.LOADABLE_CLASSES["text2lip"] == CLASSES
    assert CLASSES.items() <= pipeline_loading_utils.ALL_IMPORTABLE_CLASSES.items()


def test_every_registered_class_is_exported_and_has_its_methods():
    for name, methods in CLASSES.items():
        assert all(callable(getattr(getattr(text2lip, name), method)) for method in methods)


def test_every_component_of_the_pipeline_is_registered():
    signature = inspect.signature(text2lip.Text2LipPipeline.__init__)
    required = {name: p for name, p in signature.parameters.items() if p.default is p.empty and name != "self"}
    assert set(required) == {"tokenizer", "face_landmarker", "articulation"}
    assert {p.annotation.__name__ for p in required.values()} <= set(CLASSES)


def private_names(code: str) -> set[str]:
    """Attributes that begin with one underscore: read, set, defined in a class, or asked for by `getattr`."""
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.ClassDef):
            names |= {child.name for child in node.body if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)}
            set_here = [child for child in node.body if isinstance(child, ast.Assign | ast.AnnAssign)]
            targets = [target for child in set_here for target in getattr(child, "targets", None) or [child.target]]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("getattr", "hasattr", "setattr"):
            names |= {arg.value for arg in node.args[1:2] if isinstance(arg, ast.Constant)}
    return {name for name in names if re.fullmatch("_[a-zA-Z]\\w*", name)}


def test_private_names_of_diffusers_are_listed_and_no_others():
    sources = {path: path.read_text("utf-8") for path in Path(text2lip.__file__).parent.rglob("*.py")}
    ours = set().union(*map(private_names, sources.values()))
    theirs = "\n".join(path.read_text("utf-8") for path in Path(diffusers.__file__).parent.rglob("*.py"))
    theirs = {*re.findall(r"\._[a-zA-Z]\w*", theirs), *re.findall(r"\n {4}(?:async def|def)? ?_[a-zA-Z]\w*", theirs)}
    theirs = {re.search(r"_\w+", found).group() for found in theirs}
    listed = {name for name in PRIVATE_NAMES if not name.isupper()}  # the registries are no attributes of ours
    assert not ours & theirs - BY_CHANCE - listed, "list it in PRIVATE_NAMES with why, or in BY_CHANCE if it is ours"
    assert not listed - ours & theirs, "nobody uses it any more"


def test_a_private_name_is_seen_wherever_it_stands():
    code = """
class Model(Base):
    _one = []
    def _two(self):
        self._three = other._four
    _five: list = None
def _six(_seven): return hasattr(_seven, "_eight"), self.__nine__
"""
    assert private_names(code) == {"_one", "_two", "_three", "_four", "_five", "_eight"}


def test_no_diffusers_folder_is_called_like_ours():
    """The loader takes a component's second last path item for a folder of its own if there is one."""
    import diffusers.pipelines

    for name in CLASSES:
        module = getattr(text2lip, name).__module__.split(".")
        assert not hasattr(diffusers.pipelines, module[-2]), module


def test_no_config_argument_shadows_a_module(pipe):
    for component in (pipe.face_landmarker, pipe.articulation):
        own = {name.split(".")[0] for name, _ in [*component.named_modules(), *component.named_parameters()]}
        own |= {name for name, _ in component.named_buffers()}
        assert not own & set(component.config) - {""}


LOAD_BY_DIFFUSERS = """
from diffusers import AutoModel, DiffusionPipeline

from text2lip import Text2LipPipeline
pipe = DiffusionPipeline.from_pretrained({folder!r})
unet = AutoModel.from_pretrained({folder!r}, subfolder="unet")
print(type(pipe).__name__, type(unet).__name__)
"""


def test_classes_of_diffusers_load_it_after_one_import(tmp_path, pipe):
    pipe.save_pretrained(tmp_path)
    code = LOAD_BY_DIFFUSERS.format(folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["Text2LipPipeline", "LandmarkGuidedUNet"]


def test_a_pipeline_of_diffusers_own_stays():
    import diffusers

    from text2lip.registration import register_pipeline

    own = diffusers.DDPMPipeline
    register_pipeline(type("DDPMPipeline", (), {}))
    assert diffusers.DDPMPipeline is own and diffusers.Text2LipPipeline is text2lip.Text2LipPipeline
