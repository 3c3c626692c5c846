"""`bleu` of text2lip.metrics.semantics as an `evaluate` module."""

from text2lip.metrics import evaluation
from text2lip.metrics.semantics import bleu


class Bleu(evaluation.CorpusMetric):
    key = "bleu"
    function = staticmethod(bleu)
    columns = {"predictions": evaluation.TEXT, "references": evaluation.TEXT}

    def _compute(self, predictions, references):
        return {f"bleu{order}": bleu(predictions, references, order) for order in (1, 4)}
