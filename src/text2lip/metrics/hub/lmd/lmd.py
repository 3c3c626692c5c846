"""`lmd` of text2lip.metrics.lips as an `evaluate` module."""

from text2lip.metrics import evaluation
from text2lip.metrics.lips import lmd


class Lmd(evaluation.ClipMetric):
    key = "lmd"
    function = staticmethod(lmd)
    columns = {"predictions": evaluation.LIPS, "references": evaluation.LIPS}
