"""Sound: synthesisers with exact phone times, forced alignment, audio files."""

from text2lip._lazy import attach


__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "alignment": ["AlignmentError"],
        "alignment.coverage": ["AlignmentWarning"],
        "audio": ["load_audio", "read_audio", "resample"],
        "forced_alignment": ["align"],
        "recogniser": ["find_recogniser"],
        "recording": ["hear_recording"],
        "speakers": ["Speaker"],
        "spoken_script": ["LateCueWarning", "speak_script"],
        "timings.formats": ["read_timeline", "read_timings"],
        "timings.script": ["Line", "Passage", "read_script"],
        "timings.subtitles": ["to_srt", "to_vtt"],
        "utterance": ["Speech"],
        "voices.protocol": ["SilentTextError", "Synthesizer"],
        "voices.registry": ["get_synthesizer", "list_voices"],
        "voices.synthesis": ["synthesize"],
        "whisper": ["load_whisper", "whisper_frames", "whisper_states", "whisper_windows"],
    },
)
