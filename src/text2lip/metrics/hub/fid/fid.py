"""`fid` of text2lip.metrics.frechet as an `evaluate` module."""

import numpy as np

from text2lip.metrics import evaluation
from text2lip.metrics.frechet import fid


class Fid(evaluation.CorpusMetric):
    key = "fid"
    function = staticmethod(fid)
    columns = {"predictions": evaluation.FRAMES, "references": evaluation.FRAMES}

    def _compute(self, predictions, references, **given):
        """All frames of all clips are one set."""
        ours, real = (
            np.concatenate([evaluation.decode(clip, evaluation.FRAMES) for clip in clips])
            for clips in (predictions, references)
        )
        return {self.key: self.function(ours, real, **given)}
