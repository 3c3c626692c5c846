import inspect

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
