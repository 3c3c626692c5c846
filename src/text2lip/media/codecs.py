"""How pictures and sound are compressed, and which files they go into."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Codec:
    """A way to compress pictures.

    Attributes:
        encoder (`str`): FFmpeg's name.
        pixels (`str`): FFmpeg's pixel format.
        clear_pixels (`str`, *optional*): that of pictures with alpha; None where it has no place for alpha.
        suffixes (`tuple[str, ...]`): of files that it goes into.
        crf (`int`, *optional*): quality that looks like the frames; None where quality isn't chosen.
        worst (`int`): greatest of its scale, from 0.
        options (`tuple[tuple[str, str], ...]`): for the encoder.
    """

    encoder: str
    pixels: str
    clear_pixels: str | None
    suffixes: tuple[str, ...]
    crf: int | None
    worst: int
    options: tuple[tuple[str, str], ...] = ()


CODECS = {
    "h264": Codec("libx264", "yuv420p", None, (".mp4", ".mov", ".mkv"), 18, 51, (("preset", "veryfast"),)),
    "h265": Codec(
        "libx265",
        "yuv420p",
        None,
        (".mp4", ".mov", ".mkv"),
        20,
        51,
        (("preset", "veryfast"), ("x265-params", "log-level=error")),
    ),
    "vp9": Codec(
        "libvpx-vp9",
        "yuv420p",
        "yuva420p",
        (".webm", ".mkv", ".mp4"),
        24,
        63,
        (("b", "0"), ("deadline", "good"), ("cpu-used", "5"), ("row-mt", "1"), ("auto-alt-ref", "0")),
    ),
    "av1": Codec("libsvtav1", "yuv420p", None, (".webm", ".mkv", ".mp4"), 24, 63, (("preset", "8"),)),
    "prores": Codec("prores_ks", "yuv422p10le", "yuva444p10le", (".mov", ".mkv"), None, 0, (("vendor", "apl0"),)),
}
"""Name -> codec. H.265, VP9 and AV1 are smaller and slower than H.264; ProRes is large, for editing."""

PRORES_PROFILES = {"yuv422p10le": "3", "yuva444p10le": "4"}  # HQ, 4444
CLEAR_CODECS = {".mov": "prores", ".webm": "vp9", ".mkv": "vp9"}
"""Suffix -> codec of pictures with alpha."""
AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
SOUND = {".webm": ("libopus", (8000, 12000, 16000, 24000, 48000))}
"""Suffix -> encoder of the sound and the rates that it takes, Hz; AAC in others."""


def choose_codec(name: str | None, suffix: str, clear: bool = False, crf: int | None = None) -> Codec:
    """The codec of that name, or the usual one, for files of that suffix.

    Args:
        name (`str`, *optional*): of `CODECS`.
        suffix (`str`): of the file, lower case.
        clear (`bool`): the pictures have alpha.
        crf (`int`, *optional*): quality that is asked of it.

    Raises:
        ValueError: there is no such codec, it doesn't go into such files, has no place for alpha, or no such quality.
    """
    if name is None:
        usual = "vp9" if suffix == ".webm" else "h264"
        name = CLEAR_CODECS.get(suffix, usual) if clear else usual
    if name not in CODECS:
        raise ValueError(f"codec: {name!r}; choose one of {', '.join(CODECS)}.")
    codec = CODECS[name]
    if suffix not in codec.suffixes:
        raise ValueError(f"codec: {name} doesn't go into {suffix} files; it does into {', '.join(codec.suffixes)}.")
    if clear and codec.clear_pixels is None:
        raise ValueError(
            f"output: {suffix} files by {name} have no place for transparency; choose .mov, .webm, .webp, .gif or "
            "numbered .png, or leave `transparent` out."
        )
    if crf is not None and codec.crf is None:
        raise ValueError(f"crf: {crf!r}, but {name} has no choice of quality; leave it out.")
    if crf is not None and not 0 <= crf <= codec.worst:
        raise ValueError(f"crf: {crf!r}; wants a whole number from 0 (best) to {codec.worst} of {name}.")
    return codec
