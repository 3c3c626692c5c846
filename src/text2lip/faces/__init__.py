"""Faces: detector and mesh, canonical lip frame, retargeting, drawing, crop and paste-back."""

from text2lip._lazy import attach


__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "canonical": ["canonical_lips", "lip_gap", "lip_width"],
        "crop": ["crop", "mouth_crop_transform", "paste_back"],
        "drawing": ["draw_landmarks", "overlay_landmarks"],
        "identity": ["FaceIdentity"],
        "landmarker": ["Face", "FaceLandmarker", "FaceNotFoundError"],
        "mouth_trust": ["MouthTrust", "MouthWarning"],
        "person": ["Person", "StrangersWarning"],
        "topology": ["DRIVEN"],
    },
)
