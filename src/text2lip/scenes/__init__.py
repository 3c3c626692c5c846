"""Who talks, and in front of what: a portrait or a film, seen once for any number of clips."""

from text2lip._lazy import attach


__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "ensemble": ["Ensemble"],
        "film": ["Film"],
        "opening": ["check_life", "open_scene"],
        "portrait": ["Portrait"],
        "reference_set": ["ReferenceSet"],
    },
)
