"""`inner_mouth_psnr` of text2lip.metrics.image as an `evaluate` module."""

from text2lip.metrics import evaluation
from text2lip.metrics.image import inner_mouth_psnr


class InnerMouthPsnr(evaluation.ClipMetric):
    key = "inner_mouth_psnr"
    function = staticmethod(inner_mouth_psnr)
    columns = {
        "predictions": evaluation.FRAMES,
        "references": evaluation.FRAMES,
        "inner_lips": evaluation.LIPS,
        "gap": evaluation.NUMBERS,
    }
