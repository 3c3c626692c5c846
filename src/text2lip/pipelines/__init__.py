"""Text2LipPipeline and its output."""

from text2lip._lazy import attach


__getattr__, __dir__, __all__ = attach(
    __name__, {"text2lip": ["Text2LipPipeline"], "output": ["Text2LipPipelineOutput"]}
)
