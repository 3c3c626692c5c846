"""When is each phone of a known text said in given sound?"""


class AlignmentError(ValueError):
    """The sound doesn't say the text, or is too short or too quiet to tell."""
