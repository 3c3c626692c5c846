"""Times that other programs give and read: phones, words, subtitles."""
