"""`gap_r` of text2lip.metrics.lips as an `evaluate` module."""

from text2lip.metrics import evaluation
from text2lip.metrics.lips import gap_r


class GapR(evaluation.ClipMetric):
    key = "gap_r"
    function = staticmethod(gap_r)
    columns = {"predictions": evaluation.LIPS, "references": evaluation.LIPS}
