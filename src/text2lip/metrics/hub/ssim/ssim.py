"""`ssim` of text2lip.metrics.image as an `evaluate` module."""

from text2lip.metrics import evaluation
from text2lip.metrics.image import ssim


class Ssim(evaluation.ClipMetric):
    key = "ssim"
    function = staticmethod(ssim)
    columns = {"predictions": evaluation.FRAMES, "references": evaluation.FRAMES}
