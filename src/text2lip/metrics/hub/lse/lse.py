"""`lse` of text2lip.metrics.sync as an `evaluate` module."""

from text2lip.metrics import evaluation
from text2lip.metrics.sync import lse


class Lse(evaluation.ClipMetric):
    key = "lse"
    function = staticmethod(lse)
    columns = {"predictions": evaluation.FRAMES, "references": evaluation.NUMBERS}
    reduce = staticmethod(list)

    def result(self, figure):
        """Means over the clips."""
        return {name: evaluation.mean_of([getattr(clip, name) for clip in figure]) for name in ("lse_c", "lse_d")}
