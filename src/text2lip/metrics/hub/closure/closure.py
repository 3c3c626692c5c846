"""`closure` of text2lip.metrics.lips as an `evaluate` module."""

from text2lip.metrics import evaluation
from text2lip.metrics.aggregate import pooled
from text2lip.metrics.lips import closure


class Closure(evaluation.ClipMetric):
    key = "closure"
    function = staticmethod(closure)
    columns = {"predictions": evaluation.LIPS, "references": evaluation.PHONES}
    reduce = staticmethod(pooled)
