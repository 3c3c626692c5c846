"""`lmd_centred` of text2lip.metrics.lips as an `evaluate` module."""

from text2lip.metrics import evaluation
from text2lip.metrics.lips import lmd_centred


class LmdCentred(evaluation.ClipMetric):
    key = "lmd_centred"
    function = staticmethod(lmd_centred)
    columns = {"predictions": evaluation.LIPS, "references": evaluation.LIPS}
