"""Data sets: GRID, AV Digits and plain folders of clips, and what training reads after their preparation."""

from text2lip._lazy import attach


__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "alignments": ["AlignedSentence", "phone_timeline", "read_alignments"],
        "clips": ["SourceClip", "avdigits_clips", "folder_clips"],
        "grid": ["grid_clips", "read_align", "sentence"],
        "prepared": ["PreparedClip", "load_prepared"],
        "preparation": ["ClipError", "prepare_clip"],
    },
)
