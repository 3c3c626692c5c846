import inspect
import subprocess
import sys

from diffusers.pipelines import pipeline_loading_utils

import text2lip
from text2lip.registration import CLASSES, register


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
