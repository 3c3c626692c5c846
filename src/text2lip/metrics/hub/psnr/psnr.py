"""`psnr` of text2lip.metrics.image as an `evaluate` module."""

from text2lip.metrics import evaluation
from text2lip.metrics.image import psnr


class Psnr(evaluation.ClipMetric):
    key = "psnr"
    function = staticmethod(psnr)
    columns = {"predictions": evaluation.FRAMES, "references": evaluation.FRAMES}
