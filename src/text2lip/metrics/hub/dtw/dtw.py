"""`dtw` of text2lip.metrics.lips as an `evaluate` module."""

from text2lip.metrics import evaluation
from text2lip.metrics.lips import dtw


class Dtw(evaluation.ClipMetric):
    key = "dtw"
    function = staticmethod(dtw)
    columns = {"predictions": evaluation.LIPS, "references": evaluation.LIPS}
