"""`wer` of text2lip.metrics.semantics as an `evaluate` module."""

from text2lip.metrics import evaluation
from text2lip.metrics.semantics import wer


class Wer(evaluation.CorpusMetric):
    key = "wer"
    function = staticmethod(wer)
    columns = {"predictions": evaluation.TEXT, "references": evaluation.TEXT}
