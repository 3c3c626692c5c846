"""Text to visemes with times."""

from text2lip._lazy import attach


__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "curves": ["viseme_weights"],
        "normalize": ["normalize_text", "split_sentences"],
        "phonemes": ["available_languages", "get_g2p", "resolve_language"],
        "ssml": ["Piece", "is_ssml", "parse_ssml", "plain_pieces"],
        "timing": ["Segment", "Timeline"],
        "tokenizer": ["VisemeEncoding", "VisemeTokenizer"],
        "visemes": ["FEATURES", "PHONE_INVENTORY", "get_viseme_set", "letter_features", "split_phone"],
    },
)
