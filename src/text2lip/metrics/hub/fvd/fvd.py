"""`fvd` of text2lip.metrics.frechet as an `evaluate` module."""

from text2lip.metrics import evaluation
from text2lip.metrics.frechet import fvd


class Fvd(evaluation.CorpusMetric):
    key = "fvd"
    function = staticmethod(fvd)
    columns = {"predictions": evaluation.FRAMES, "references": evaluation.FRAMES}
