"""Pictures from anywhere, as uint8 RGB."""


class ImageError(ValueError):
    """A picture that can't be read, or not in a form that can be used."""
