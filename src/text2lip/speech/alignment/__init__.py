"""When is each phone of a known text said in given sound?"""

GIVE_THE_WORDS = "give the words that are said, all of them, or no text, and the lips follow the sound alone"


class AlignmentError(ValueError):
    """The sound doesn't say the text, or is too short or too quiet to tell."""
