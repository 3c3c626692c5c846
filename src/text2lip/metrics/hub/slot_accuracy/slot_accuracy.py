"""`slot_accuracy` of text2lip.metrics.semantics as an `evaluate` module."""

from text2lip.metrics import evaluation
from text2lip.metrics.semantics import slot_accuracy


class SlotAccuracy(evaluation.CorpusMetric):
    key = "slot_accuracy"
    function = staticmethod(slot_accuracy)
    columns = {"predictions": evaluation.TEXT, "references": evaluation.TEXT}
