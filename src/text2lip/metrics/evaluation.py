"""The metrics as `evaluate` modules (`pip install evaluate`), made from one table: `load_metric("lmd").compute(...)`.

One row of a column is one clip; clips may differ in length:

- lips: (frames, 57, 2) as arrays or nested lists, canonical, outer-eye units;
- frames: lists of PIL images, RGB (kept as PNG, thus without loss); uint8 arrays do as well, slowly;
- phones: lists of `{"label": ..., "start": ..., "end": ...}`, seconds (`segment._asdict()`);
- numbers: a list of floats; outline: (frames, corners, 2), pixels; text: a string.
"""

import inspect
import re
from collections.abc import Sequence
from functools import cache, partial, wraps
from pathlib import Path
from typing import Any

import datasets
import evaluate
import numpy as np

from text2lip.metrics import (
    frechet,
    image,
    lip_metrics,
    mouth_detail,
    perceptual,
    recognition,
    semantics,
    sharpness,
    sync,
    sync_scorer,
)
from text2lip.metrics.aggregate import mean_of, pooled
from text2lip.text.timing import Segment


CITATION = "text2lip, docs/source/en/results.md; the source of each definition is named in its description."
MODULE = '''"""`{name}` of text2lip.metrics as an `evaluate` module."""

from text2lip.metrics.evaluation import metric_class


{title} = metric_class("{name}")
'''

_NUMBERS = datasets.Sequence(datasets.Value("float64"))
_LIPS = datasets.Sequence(datasets.Sequence(_NUMBERS))
_FRAMES = datasets.Sequence(datasets.Image())
_PHONES = [{"label": datasets.Value("string"), "start": datasets.Value("float64"), "end": datasets.Value("float64")}]
_TEXT = datasets.Value("string")
_OUTLINE = datasets.Sequence(datasets.Sequence(_NUMBERS))
_KINDS = {"lips": _LIPS, "frames": _FRAMES, "phones": _PHONES, "numbers": _NUMBERS, "text": _TEXT, "outline": _OUTLINE}

_LIP_CLIPS = {"predictions": _LIPS, "references": _LIPS}
_SPOKEN_CLIPS = {"predictions": _LIPS, "references": _PHONES}
_TIMINGS = {"predictions": _PHONES, "references": _PHONES}
_FRAME_CLIPS = {"predictions": _FRAMES, "references": _FRAMES}
_MOUTHS = {**_FRAME_CLIPS, "our_lips": _LIPS, "real_lips": _LIPS}
_TEXTS = {"predictions": _TEXT, "references": _TEXT}


def _bleu(hypotheses: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    return {f"bleu{order}": semantics.bleu(hypotheses, references, order) for order in (1, 4)}


_bleu.__doc__ = semantics.bleu.__doc__


@wraps(frechet.fid)
def _fid(ours: Sequence[np.ndarray], real: Sequence[np.ndarray], **options) -> float | None:
    return frechet.fid(np.concatenate(ours), np.concatenate(real), **options)  # the frames of all clips are one set


def _mean_scores(clips: list[sync.SyncScores]) -> dict[str, float]:
    return {name: mean_of([getattr(clip, name) for clip in clips]) for name in ("lse_c", "lse_d")}


def _mean_sync(clips: list[sync_scorer.SyncFigures]) -> dict[str, float]:
    """The mean confidence, and how far lips and sound are apart, frames, mean."""
    confidence, offset = zip(*clips)
    return {"confidence": mean_of(confidence), "offset": mean_of(abs(frames) for frames in offset)}


METRICS = {
    "bleu": (_bleu, _TEXTS, None),
    "closure": (lip_metrics.closure, _SPOKEN_CLIPS, pooled),
    "cpbd": (sharpness.cpbd, {"predictions": _FRAMES}, mean_of),
    "dtw": (lip_metrics.dtw, _LIP_CLIPS, mean_of),
    "duration_error": (lip_metrics.duration_error, _TIMINGS, pooled),
    "fid": (_fid, _FRAME_CLIPS, None),
    "flicker": (image.flicker, _FRAME_CLIPS, pooled),
    "fvd": (frechet.fvd, _FRAME_CLIPS, None),
    "gap_r": (lip_metrics.gap_r, _LIP_CLIPS, mean_of),
    "identity": (recognition.identity, _FRAME_CLIPS, mean_of),
    "inner_mouth_psnr": (image.inner_mouth_psnr, {**_FRAME_CLIPS, "inner_lips": _OUTLINE, "gap": _NUMBERS}, mean_of),
    "inner_lpips": (mouth_detail.inner_lpips, {**_FRAME_CLIPS, "real_lips": _LIPS}, mean_of),
    "inner_sharpness": (mouth_detail.inner_sharpness, _MOUTHS, mean_of),
    "jerk_ratio": (lip_metrics.jerk_ratio, _LIP_CLIPS, pooled),
    "lip_border": (mouth_detail.lip_border, _MOUTHS, mean_of),
    "lip_colour": (mouth_detail.lip_colour, _MOUTHS, mean_of),
    "lip_edge": (mouth_detail.lip_edge, _MOUTHS, mean_of),
    "lmd": (lip_metrics.lmd, _LIP_CLIPS, mean_of),
    "lmd_centred": (lip_metrics.lmd_centred, _LIP_CLIPS, mean_of),
    "lpips": (perceptual.lpips, _FRAME_CLIPS, mean_of),
    "lse": (sync.lse, {"predictions": _FRAMES, "references": _NUMBERS}, _mean_scores),
    "psnr": (image.psnr, _FRAME_CLIPS, mean_of),
    "slot_accuracy": (semantics.slot_accuracy, _TEXTS, None),
    "ssim": (image.ssim, _FRAME_CLIPS, mean_of),
    "stillness": (lip_metrics.stillness, _SPOKEN_CLIPS, pooled),
    "sync_of_lips": (sync_scorer.sync_of_lips, {"predictions": _LIPS, "references": _NUMBERS}, _mean_sync),
    "sync_of_pictures": (sync_scorer.sync_of_pictures, {"predictions": _FRAMES, "references": _NUMBERS}, _mean_sync),
    "wer": (semantics.wer, _TEXTS, None),
    "width_r": (lip_metrics.width_r, _LIP_CLIPS, mean_of),
}
"""Name -> the function, whose docstring describes the module; its columns in order, name -> feature; what makes the
figure of a set from the clips' results, None for a function of all clips at once. A dict of results stays one."""


class ClipMetric(evaluate.Metric):
    """A row of the table as a module; `compute` takes the columns, then the function's further keywords."""

    key: str

    def _info(self) -> evaluate.MetricInfo:
        function, columns, _ = METRICS[self.key]
        told = re.sub(r"Args[^.;]*as in \[`\w+`\][^.;]*[.;](\n\n| ?)", "", inspect.getdoc(function))
        kinds = [next(kind for kind in _KINDS if _KINDS[kind] is feature) for feature in columns.values()]
        more = [*inspect.signature(function).parameters.values()][len(columns) :]
        inputs = f"Columns in the order of the arguments: {', '.join(f'{n} ({k})' for n, k in zip(columns, kinds))}. "
        inputs += f"Further keywords of compute: {', '.join(map(str, more)) or 'none'}.\n\n{__doc__}"
        return evaluate.MetricInfo(
            description=re.sub(r"\[`~?(?:\w+\.)*(\w+)`\]", r"\1", told),
            citation=CITATION,
            inputs_description=inputs,
            features=datasets.Features(columns),
        )

    def _compute(self, **arguments) -> dict[str, Any]:
        function, columns, reduce = METRICS[self.key]
        decoded = [map(partial(_decode, feature), arguments.pop(name)) for name, feature in columns.items()]
        if reduce is None:
            figure = function(*map(list, decoded), **arguments)
        else:
            figure = reduce([function(*clip, **arguments) for clip in zip(*decoded)])
        return figure if isinstance(figure, dict) else {self.key: figure}


def _decode(feature: Any, value: Any) -> Any:
    """One clip of a column as the pure functions take it."""
    if feature is _FRAMES:
        return np.stack([np.asarray(frame.convert("RGB")) for frame in value])
    if feature is _PHONES:
        return [Segment(phone["label"], phone["start"], phone["end"]) for phone in value]
    return value if feature is _TEXT else np.asarray(value)


@cache
def metric_class(name: str) -> type[ClipMetric]:
    """The module's class, as `evaluate` finds it in a file of [`write_metric`]'s; a ValueError if there is none."""
    if name not in METRICS:
        raise ValueError(f"name: {name!r}; wants one of {', '.join(METRICS)}.")
    return type(_title(name), (ClipMetric,), {"key": name})


def __getattr__(title: str) -> type[ClipMetric]:
    """The class of that title, for other processes that are sent one."""
    for name in METRICS:
        if _title(name) == title:
            return metric_class(name)
    raise AttributeError(f"module {__name__!r} has no attribute {title!r}")


def load_metric(name: str, **options) -> ClipMetric:
    """The module `name`, ready to `compute`, `add` or `add_batch`; no file is read. A ValueError if there is none.

    `options` are those of `evaluate.Metric`, such as `keep_in_memory`, `num_process` or `experiment_id`.
    """
    return metric_class(name)(**options)


def write_metric(name: str, folder: str | Path) -> Path:
    """Write the module as the folder `folder/name`, for `evaluate.load(str(path))` or to be pushed as a Space; return
    its path. A ValueError if there is no such module."""
    metric_class(name)
    path = Path(folder) / name
    path.mkdir(parents=True, exist_ok=True)
    (path / f"{name}.py").write_text(MODULE.format(name=name, title=_title(name)), encoding="utf-8")
    return path


def _title(name: str) -> str:
    return name.title().replace("_", "")
