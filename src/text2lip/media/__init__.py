"""Pictures and films as files and arrays: read, shown upright in ordinary colours, at one rate, and written."""

from text2lip._lazy import attach


__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "footage": ["Footage", "is_footage"],
        "images": ["load_image"],
        "pixels": ["ImageError"],
        "video": ["read_frames", "video_info"],
        "video_writer": ["write_video"],
    },
)
