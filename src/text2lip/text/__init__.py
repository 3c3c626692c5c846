"""Text to visemes with times."""

from text2lip._lazy import attach


__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "curves": ["viseme_weights"],
        "languages": ["available_languages", "resolve_language"],
        "normalize": ["normalize_text"],
        "phonemes": ["get_g2p"],
        "readers": ["ReadingWarning"],
        "sentences": ["split_sentences"],
        "ssml": ["Piece", "is_ssml", "parse_ssml", "plain_pieces"],
        "timing": ["Segment", "Timeline", "Word"],
        "tokenizer": ["VisemeEncoding", "VisemeTokenizer"],
        "visemes": ["FEATURES", "PHONE_INVENTORY", "get_viseme_set", "letter_features", "split_phone"],
    },
)
