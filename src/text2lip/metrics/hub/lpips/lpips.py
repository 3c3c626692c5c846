"""`lpips` of text2lip.metrics.perceptual as an `evaluate` module."""

from text2lip.metrics import evaluation
from text2lip.metrics.perceptual import lpips


class Lpips(evaluation.ClipMetric):
    key = "lpips"
    function = staticmethod(lpips)
    columns = {"predictions": evaluation.FRAMES, "references": evaluation.FRAMES}
