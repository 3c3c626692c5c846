"""`stillness` of text2lip.metrics.lips as an `evaluate` module."""

from text2lip.metrics import evaluation
from text2lip.metrics.aggregate import pooled
from text2lip.metrics.lips import stillness


class Stillness(evaluation.ClipMetric):
    key = "stillness"
    function = staticmethod(stillness)
    columns = {"predictions": evaluation.LIPS, "references": evaluation.PHONES}
    reduce = staticmethod(pooled)
