"""Faces: detector and mesh, canonical lip frame, retargeting, drawing, crop and paste-back."""

from text2lip._lazy import attach


__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "images": ["ImageError", "load_image"],
        "landmarker": ["Face", "FaceLandmarker", "FaceNotFoundError"],
    },
)
