"""text2lip: a sentence and a portrait in, a video of that face saying it out."""

from text2lip._lazy import attach


__version__ = "0.1.0.dev0"

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "faces": ["FaceLandmarker"],
        "models": [
            "EchoMimicReferenceUNet",
            "EchoMimicUNet",
            "LandmarkEncoder",
            "LandmarkGuidedUNet",
            "LipDecoderModel",
            "PseudoAudioModel",
            "VisemeEncoderModel",
        ],
        "motion": ["ArticulatoryModel"],
        "pipelines": ["Text2LipPipeline", "Text2LipPipelineOutput"],
        "renderers": ["GeometricRenderer", "LearnedRenderer"],
        "speech": ["Speaker", "Speech", "get_synthesizer", "list_voices", "synthesize"],
        "text": ["Segment", "Timeline", "VisemeTokenizer"],
    },
)
