"""`identity` of text2lip.metrics.recognition as an `evaluate` module."""

from text2lip.metrics import evaluation
from text2lip.metrics.recognition import identity


class Identity(evaluation.ClipMetric):
    key = "identity"
    function = staticmethod(identity)
    columns = {"predictions": evaluation.FRAMES, "references": evaluation.FRAMES}
