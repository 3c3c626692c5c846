"""`text2lip demo`: a page in a browser where a portrait says what one types. Needs `pip install "text2lip[demo]"`."""
