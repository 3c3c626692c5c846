"""text2lip: a sentence and a portrait in, a video of that face saying it out."""

import os

from text2lip._lazy import attach


# onnxruntime, which voices and readers run on, tells its maker of its use; it looks for this when it is first imported
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

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
