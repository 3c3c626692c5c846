"""Registration of our classes with diffusers' pipeline loader: the only code that touches its private registry.

The loader finds a pipeline's components by library name in `LOADABLE_CLASSES`; a library that is not there can't be
loaded from a Hub id, and its components are recorded by module path, which breaks when a file moves.
"""

CLASSES = {
    "ArticulatoryModel": ["save_pretrained", "from_pretrained"],
    "EchoMimicReferenceUNet": ["save_pretrained", "from_pretrained"],
    "EchoMimicUNet": ["save_pretrained", "from_pretrained"],
    "FaceLandmarker": ["save_pretrained", "from_pretrained"],
    "LandmarkEncoder": ["save_pretrained", "from_pretrained"],
    "LandmarkGuidedUNet": ["save_pretrained", "from_pretrained"],
    "LipDecoderModel": ["save_pretrained", "from_pretrained"],
    "PseudoAudioModel": ["save_pretrained", "from_pretrained"],
    "VisemeEncoderModel": ["save_pretrained", "from_pretrained"],
    "VisemeTokenizer": ["save_pretrained", "from_pretrained"],
}


def register():
    """Make diffusers load and save our components as `["text2lip", ClassName]`. Harmless when called again."""
    from diffusers.pipelines import pipeline_loading_utils

    pipeline_loading_utils.LOADABLE_CLASSES.setdefault("text2lip", {}).update(CLASSES)
    pipeline_loading_utils.ALL_IMPORTABLE_CLASSES.update(CLASSES)


def register_pipeline(pipeline_class: type):
    """Make `DiffusionPipeline.from_pretrained` find a pipeline of ours, which it looks for by its name in `diffusers`.

    A class of diffusers' own with that name stays.
    """
    import diffusers

    if not hasattr(diffusers, pipeline_class.__name__):
        setattr(diffusers, pipeline_class.__name__, pipeline_class)
