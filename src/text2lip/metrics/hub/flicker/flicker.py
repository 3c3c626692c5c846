"""`flicker` of text2lip.metrics.image as an `evaluate` module."""

from text2lip.metrics import evaluation
from text2lip.metrics.aggregate import pooled
from text2lip.metrics.image import flicker


class Flicker(evaluation.ClipMetric):
    key = "flicker"
    function = staticmethod(flicker)
    columns = {"predictions": evaluation.FRAMES, "references": evaluation.FRAMES}
    reduce = staticmethod(pooled)
