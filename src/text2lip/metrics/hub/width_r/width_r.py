"""`width_r` of text2lip.metrics.lips as an `evaluate` module."""

from text2lip.metrics import evaluation
from text2lip.metrics.lips import width_r


class WidthR(evaluation.ClipMetric):
    key = "width_r"
    function = staticmethod(width_r)
    columns = {"predictions": evaluation.LIPS, "references": evaluation.LIPS}
