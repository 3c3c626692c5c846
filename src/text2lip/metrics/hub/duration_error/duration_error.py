"""`duration_error` of text2lip.metrics.lips as an `evaluate` module."""

from text2lip.metrics import evaluation
from text2lip.metrics.aggregate import pooled
from text2lip.metrics.lips import duration_error


class DurationError(evaluation.ClipMetric):
    key = "duration_error"
    function = staticmethod(duration_error)
    columns = {"predictions": evaluation.PHONES, "references": evaluation.PHONES}
    reduce = staticmethod(pooled)
