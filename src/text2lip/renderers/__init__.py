"""Renderers: portrait and landmarks in, frames out, one interface."""

from text2lip._lazy import attach


__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "base": ["Renderer"],
        "echomimic": ["EchoMimicRenderer"],
        "geometric": ["GeometricRenderer", "PreparedPortrait", "prepare"],
        "learned": ["LearnedRenderer"],
        "mouth_references": ["MouthReferences", "choose_references"],
        "sampling": ["SamplingOptions"],
        "windows": ["ContextWindows", "disable_free_noise", "enable_free_noise"],
    },
)
