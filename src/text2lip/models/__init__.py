"""The networks of the paper, one file each."""

from text2lip._lazy import attach
from text2lip.registration import register


register()

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "echomimic_reference": ["EchoMimicReferenceUNet", "EchoMimicReferenceUNetOutput"],
        "echomimic_unet": ["EchoMimicUNet"],
        "landmark_encoder": ["LandmarkEncoder"],
        "landmark_unet": ["LandmarkGuidedUNet", "LandmarkGuidedUNetOutput", "compose"],
        "lip_decoder": ["LipAttention", "LipDecoderModel", "LipDecoderModelOutput"],
        "pseudo_audio": ["PseudoAudioModel", "PseudoAudioModelOutput"],
        "viseme_encoder": ["VisemeEncoderModel", "VisemeEncoderModelOutput"],
    },
)
