"""Lip motion: from timed phones to displacements of the lips and jaw, and from there to a portrait's landmarks."""

from text2lip._lazy import attach


__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "articulation": ["ArticulatoryModel"],
        "durations": ["predict_timeline"],
        "lips": ["LipMotion", "LipNetworks", "animate"],
        "motion_plan": ["CHANNELS", "MotionPlan"],
        "retarget": ["PortraitMouth"],
    },
)
