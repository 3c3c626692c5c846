"""`jerk_ratio` of text2lip.metrics.lips as an `evaluate` module."""

from text2lip.metrics import evaluation
from text2lip.metrics.aggregate import pooled
from text2lip.metrics.lips import jerk_ratio


class JerkRatio(evaluation.ClipMetric):
    key = "jerk_ratio"
    function = staticmethod(jerk_ratio)
    columns = {"predictions": evaluation.LIPS, "references": evaluation.LIPS}
    reduce = staticmethod(pooled)
