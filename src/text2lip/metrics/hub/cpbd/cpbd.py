"""`cpbd` of text2lip.metrics.sharpness as an `evaluate` module."""

from text2lip.metrics import evaluation
from text2lip.metrics.sharpness import cpbd


class Cpbd(evaluation.ClipMetric):
    key = "cpbd"
    function = staticmethod(cpbd)
    columns = {"predictions": evaluation.FRAMES}
