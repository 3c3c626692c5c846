"""Text2LipPipeline, what is asked of it, and what it gives back."""

from text2lip._lazy import attach


__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "output": ["Text2LipPipelineOutput", "Text2LipStream"],
        "request": ["Text2LipRequest"],
        "text2lip": ["Text2LipPipeline"],
    },
)
