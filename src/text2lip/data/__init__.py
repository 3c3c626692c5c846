"""Data sets: GRID as published and as cut down, clips with their sentences and word times."""

from text2lip._lazy import attach


__getattr__, __dir__, __all__ = attach(__name__, {"grid": ["GridClip", "grid_clips", "read_align", "sentence"]})
