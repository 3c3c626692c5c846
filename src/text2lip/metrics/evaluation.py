"""What the `evaluate` modules in hub/ have in common: columns, decoding, and how clips become one figure.

One row is one clip. `evaluate.load(str(hub_path("lmd")))` opens a module offline; clips may differ in length:

- lips: (frames, 57, 2) as arrays or nested lists, canonical, outer-eye units;
- frames: lists of PIL images, RGB (kept as PNG, thus without loss); uint8 arrays do as well, slowly;
- phones: lists of `{"label": ..., "start": ..., "end": ...}`, seconds (`segment._asdict()`).
"""

from collections.abc import Callable
from typing import Any

import datasets
import evaluate
import numpy as np

from text2lip.metrics.aggregate import mean_of
from text2lip.text.timing import Segment


NUMBERS = datasets.Sequence(datasets.Value("float64"))
LIPS = datasets.Sequence(datasets.Sequence(NUMBERS))
FRAMES = datasets.Sequence(datasets.Image())
PHONES = [{"label": datasets.Value("string"), "start": datasets.Value("float64"), "end": datasets.Value("float64")}]
TEXT = datasets.Value("string")

CITATION = "text2lip, docs/source/en/results.md; the source of each definition is named in its description."


def decode(value: Any, feature: Any) -> Any:
    """One clip of a column as the pure functions take it."""
    if feature is FRAMES:
        return np.stack([np.asarray(frame.convert("RGB")) for frame in value])
    if feature is PHONES:
        return [Segment(phone["label"], phone["start"], phone["end"]) for phone in value]
    return value if feature is TEXT else np.asarray(value)


class ClipMetric(evaluate.Metric):
    """A pure function of one clip, reduced over the clips.

    Attributes:
        key (`str`): name of the result.
        function (`Callable`): takes the columns in order, then the keywords given to `compute`.
        columns (`dict`): name -> feature; the first is `predictions`.
        reduce (`Callable`): the list of the clips' results -> the figure.
    """

    key: str
    function: Callable
    columns: dict[str, Any]
    reduce: Callable = staticmethod(mean_of)

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=self.function.__doc__,
            citation=CITATION,
            inputs_description=f"Columns: {', '.join(self.columns)}. {__doc__}",
            features=datasets.Features(self.columns),
        )

    def _compute(self, **given) -> dict:
        clips = zip(*(given.pop(name) for name in self.columns))
        features = self.columns.values()
        scores = [self.function(*map(decode, clip, features), **given) for clip in clips]
        return self.result(self.reduce(scores))

    def result(self, figure: Any) -> dict:
        return {self.key: figure}


class CorpusMetric(ClipMetric):
    """A pure function of all clips at once: it takes a list for each column."""

    def _compute(self, **given) -> dict:
        columns = [[decode(v, feature) for v in given.pop(name)] for name, feature in self.columns.items()]
        return self.result(self.function(*columns, **given))
