"""FVD and FID: the Frechet distance of what a network sees in our clips or frames and in the real ones."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from text2lip.metrics import i3d, inception
from text2lip.metrics.aggregate import to_array
from text2lip.metrics.frame_arrays import as_frames
from text2lip.metrics.perceptual import to_signed


MIN_CLIPS = 32
"""With fewer samples than this a Frechet distance says nothing: it is None."""


def frechet_distance(ours: Any, real: Any) -> float:
    """Squared Frechet distance of two Gaussians fitted to features (Dowson & Landau 1982, Eq. 4).

    |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)), with unbiased covariances. The trace of the root is taken as the sum
    of the singular values of X Y^T / sqrt((n1 - 1) (n2 - 1)), X and Y the centred features: the same number, exact for
    fewer samples than dimensions too, where the root of a matrix is unstable.

    Args:
        ours, real (`np.ndarray` or `torch.Tensor`): (samples, dimensions), each of as many samples as it has.

    Returns:
        `float`: >= 0.

    Raises:
        ValueError: other shapes, or fewer than two samples.
    """
    ours, real = to_array(ours, np.float64), to_array(real, np.float64)
    if ours.ndim != 2 or real.ndim != 2 or ours.shape[1] != real.shape[1] or min(len(ours), len(real)) < 2:
        raise ValueError(
            f"ours: has shape {ours.shape}, real has {real.shape}; wants (samples, dimensions), two samples at least."
        )
    shift = ours.mean(0) - real.mean(0)
    x, y = ((f - f.mean(0)) / np.sqrt(len(f) - 1) for f in (ours, real))
    rooted = np.linalg.svd(np.linalg.qr(x, mode="r") @ np.linalg.qr(y, mode="r").T, compute_uv=False).sum()
    return max(0.0, float(shift @ shift + (x**2).sum() + (y**2).sum() - 2 * rooted))


@torch.no_grad()
def video_features(clips: Iterable[Any], model: i3d.I3DModel | None = None) -> np.ndarray:
    """I3D's logits of each clip, float32 (clips, 400): what FVD compares.

    Frames are resized to 224 x 224 (bilinear, no antialiasing, whatever their shape) and scaled to [-1, 1], as in the
    code of Unterthiner et al. 2019.

    Args:
        clips (`Iterable`): clips (frames, height, width, 3), uint8 or float in [0, 1], RGB, of at least 9 frames each
            (the bench gives 16); taken one by one, so a generator will do.
        model (`I3DModel`, *optional*): defaults to the weights in the weights folder, read once.

    Raises:
        ValueError: a clip is shorter than 9 frames, or has another shape or range.
        MissingWeights: no model is given and the weights are not there.
    """
    model = model or i3d.I3DModel.published()
    features = []
    for clip in clips:
        clip = as_frames(clip, "clips")
        if len(clip) < i3d.I3D_MIN_FRAMES:
            raise ValueError(f"clips: one has {len(clip)} frames; I3D wants at least {i3d.I3D_MIN_FRAMES}.")
        frames = F.interpolate(to_signed(clip, model.logits.weight), (i3d.I3D_SIZE, i3d.I3D_SIZE), mode="bilinear")
        features.append(model(frames.transpose(0, 1)[None])[0])
    return torch.stack(features).float().cpu().numpy() if features else np.zeros((0, 400), np.float32)


@torch.no_grad()
def image_features(frames: Any, model: inception.InceptionModel | None = None, batch_size: int = 8) -> np.ndarray:
    """Inception's pooled features of each frame, float32 (frames, 2048): what FID compares.

    Frames are resized to 299 x 299 (bilinear, no antialiasing) and scaled to [-1, 1], as the PyTorch port does.

    Args:
        frames (`np.ndarray` or `torch.Tensor`): (frames, height, width, 3), uint8 or float in [0, 1], RGB.
        model (`InceptionModel`, *optional*): default, and errors, as in [`video_features`].
        batch_size (`int`): frames at a time.
    """
    frames = as_frames(frames)
    model = model or inception.InceptionModel.published()
    features = []
    for start in range(0, len(frames), batch_size):
        part = to_signed(frames[start : start + batch_size], model.fc.weight)
        features.append(
            model(F.interpolate(part, (inception.INCEPTION_SIZE, inception.INCEPTION_SIZE), mode="bilinear"))
        )
    return torch.cat(features).float().cpu().numpy()


def fvd(ours: Iterable[Any], real: Iterable[Any], model: i3d.I3DModel | None = None) -> float | None:
    """Frechet video distance (Unterthiner et al. 2019) in I3D's logits; None for fewer than 32 clips on a side.

    Keep the real side's [`video_features`] where several rows are judged, and call [`frechet_distance`].

    Args and errors as in [`video_features`].

    Returns:
        `float` or None: >= 0. Its bias falls with the number of clips: compare figures of equal numbers only.
    """
    if _too_few(ours, real):
        return None
    features = video_features(ours, model), video_features(real, model)
    return None if _too_few(*features) else frechet_distance(*features)


def fid(ours: Any, real: Any, model: inception.InceptionModel | None = None) -> float | None:
    """Frechet inception distance (Heusel et al. 2017); None for fewer than 32 frames on a side.

    Args and errors as in [`image_features`]. The two sides may differ in length.

    Returns:
        `float` or None: >= 0. Its bias falls with the number of frames: compare figures of equal numbers only.
    """
    if _too_few(ours, real):
        return None
    return frechet_distance(image_features(ours, model), image_features(real, model))


def _too_few(*sides: Any) -> bool:
    """Whether one of the sides is known (a generator is not) to hold fewer than 32 samples."""
    return any(hasattr(side, "__len__") and len(side) < MIN_CLIPS for side in sides)
