"""Where this package leans on diffusers beyond its documented interface: the loader's registry, and private names.

The loader finds a pipeline's components by library name in `LOADABLE_CLASSES`; a library that is not there can't be
loaded from a Hub id, and its components are recorded by module path, which breaks when a file moves.
"""

PRIVATE_NAMES = {
    "LOADABLE_CLASSES": "loads and saves our components by library name, see `register`",
    "ALL_IMPORTABLE_CLASSES": "the same, for the type checks of what a pipeline is given",
    "_attention_backend": "set on a processor by `set_attention_backend`",
    "_callback_tensor_inputs": "every sampling pipeline of diffusers has it, and its callbacks read it",
    "_exclude_from_cpu_offload": "a pipeline's list of parts that stay where they are",
    "_fix_state_dict_keys_on_load": "weights of older networks load; the loader never calls `load_state_dict`",
    "_guidance_scale": "diffusers' callbacks set it, as `SDCFGCutoffCallback` does",
    "_hf_hook": "accelerate's, where an offloaded model computes; it has no public way to ask",
    "_interrupt": "callbacks end a sampler's run by it",
    "_keep_in_fp32_modules": "a model's list of modules that half precision leaves alone",
    "_num_timesteps": "diffusers' callbacks read it by `num_timesteps`",
    "_optional_components": "a pipeline's list of parts that may be None",
    "_parallel_config": "set on a processor by `enable_parallelism`",
    "_progress_bar_config": "whether `set_progress_bar_config` has asked for silence",
    "_repeated_blocks": "a model's list for `compile_repeated_blocks`",
    "_reset_stateful_cache": "caches of one clip are dropped before the next",
    "_skip_keys": "a model's list of arguments that group offloading leaves alone",
    "_upload_folder": "puts our model card over the Hub's template in whatever is pushed",
}
"""What diffusers may change without notice -> what it is used for. `tests/test_registration.py` keeps it complete, and
`utils/check_diffusers_versions.py` shows which releases have it all."""

_COMPONENTS = """
ArticulatoryModel EchoMimicReferenceUNet EchoMimicUNet FaceLandmarker LandmarkEncoder LandmarkGuidedUNet
LipDecoderModel PseudoAudioModel VisemeEncoderModel VisemeTokenizer
"""
CLASSES = {name: ["save_pretrained", "from_pretrained"] for name in _COMPONENTS.split()}


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
