"""Which way the lips are moved: what was asked for, and what a pipeline and the sound allow."""

from collections.abc import Mapping
from typing import Any

from text2lip.models.lip_decoder import LipDecoderModel
from text2lip.motion.articulation import ArticulatoryModel
from text2lip.motion.lips import LipNetworks
from text2lip.speech.recogniser import INSTALL
from text2lip.speech.utterance import Speech


def choose_motion(speech: Speech, asked: str | None, usual: str) -> str:
    """ "articulatory", "networks" or "sound", for what is said.

    Args:
        speech ([`Speech`]): without phones its lips can follow the sound alone.
        asked (`str`, *optional*): what the caller wants.
        usual (`str`): what is taken where he wants nothing, and the phones are known.

    Raises:
        ValueError: the caller wants phones or sound that there isn't.
    """
    motion = asked or (usual if speech.timeline.phones else "sound")
    if motion != "sound" and not speech.timeline.phones:
        raise ValueError(
            f"motion: {motion!r}, but it isn't known what is said; give the text, timings or a recogniser "
            f"({INSTALL}), or motion='sound'."
        )
    if motion == "sound" and speech.audio is None:
        raise ValueError("motion: 'sound', but there is none; give audio or a voice, or leave motion out.")
    return motion


def choose_lip_model(motion: str, components: Mapping[str, Any]) -> LipNetworks | ArticulatoryModel | LipDecoderModel:
    """What moves the lips.

    Args:
        motion (`str`): "articulatory", "networks", or "sound".
        components (`Mapping`): of a pipeline.

    Raises:
        ValueError: networks that are missing, or were trained for other visemes than the tokenizer's.
    """
    if motion == "articulatory":
        return components["articulation"]
    if motion == "sound":
        if components["audio_lip_decoder"] is None:
            raise ValueError(
                "motion: 'sound', but this pipeline has no audio_lip_decoder; give the text of the recording, or a "
                f"recogniser ({INSTALL})."
            )
        return components["audio_lip_decoder"]
    for name in ("viseme_encoder", "pseudo_audio", "lip_decoder"):
        if components[name] is None:
            raise ValueError(f"motion: 'networks', but this pipeline has no {name}; choose 'articulatory'.")
    components["viseme_encoder"].check_tokenizer(components["tokenizer"])
    return LipNetworks(*(components[name] for name in ("viseme_encoder", "pseudo_audio", "lip_decoder")))
