"""Sound: synthesisers with exact phone times, forced alignment, audio files."""

from text2lip._lazy import attach


__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "alignment": ["AlignmentError", "align"],
        "audio": ["load_audio", "read_audio", "resample"],
        "coverage": ["AlignmentWarning"],
        "base": ["SilentTextError", "Speech", "Synthesizer"],
        "synthesis": ["get_synthesizer", "list_voices", "synthesize"],
        "subtitles": ["to_srt", "to_vtt"],
        "whisper": ["load_whisper", "whisper_frames", "whisper_states", "whisper_windows"],
        "timings": ["read_timeline", "read_timings"],
    },
)
