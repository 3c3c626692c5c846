"""What a clip is taken along as: one table of files by their suffix, and how each is written."""

from text2lip._lazy import attach


__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "clip": ["Clip", "SaveOptions"],
        "inspection": ["Provenance", "inspect_file"],
        "provenance": ["MarkWarning", "Origin"],
        "timeline_figure": ["lip_gaps", "timeline_figure"],
        "writers": ["WRITERS", "Writer", "write_clip", "writer_for"],
    },
)
