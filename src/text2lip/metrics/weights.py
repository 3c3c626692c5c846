"""Where the weights of the learned metrics lie, and which metrics can therefore be taken.

`python utils/convert_metric_weights.py --download` puts those of LPIPS, I3D (FVD) and a training loss into the
folder; the same script converts the published files of Inception (FID), SyncNet (LSE) and LipNet from a path.
"""

import os
from pathlib import Path


FILES = {
    "lpips": "lpips-alexnet.safetensors",
    "vgg": "lpips-vgg16.safetensors",
    "fvd": "i3d-kinetics-400.safetensors",
    "fid": "fid-inception.safetensors",
    "lse": "syncnet.safetensors",
    "lipnet": "lipnet-grid.safetensors",
}
"""File name of each network's weights, by the metric that needs it; "vgg" is a loss of training."""

REMEDY = {
    "lpips": "python utils/convert_metric_weights.py --download",
    "vgg": "python utils/convert_metric_weights.py --download",
    "fvd": "python utils/convert_metric_weights.py --download",
    "fid": "python utils/convert_metric_weights.py --inception pt_inception-2015-12-05-6726825d.pth",
    "lse": "python utils/convert_metric_weights.py --syncnet syncnet_v2.model",
    "lipnet": "python utils/convert_metric_weights.py --lipnet LipNet_unseen_….pt",
}

WITHOUT_WEIGHTS = (
    *("lmd", "lmd_centred", "gap_r", "width_r", "closure", "stillness", "jerk_ratio", "dtw", "duration_error"),
    *("ssim", "psnr", "cpbd", "mouth_ssim", "mouth_psnr", "inner_mouth_psnr", "flicker"),
    *("identity", "sync_confidence", "sync_offset", "sync_confidence_lips", "sync_offset_lips"),  # built-in judges
    *("inner_sharpness", "lip_edge", "lip_border", "lip_colour"),
    *("bleu1", "bleu4", "wer"),  # of what the built-in lip readers read
)
WITH_WEIGHTS = {
    **dict.fromkeys(("lpips", "mouth_lpips", "inner_lpips"), "lpips"),
    "fvd": "fvd",
    "fid": "fid",
    **dict.fromkeys(("lse_c", "lse_d"), "lse"),
    "wer_lipnet": "lipnet",
}


class MissingWeights(ValueError):
    """The weights that a metric needs are not there; the message names the file and the command that makes it."""


def weights_folder(folder: str | Path | None = None) -> Path:
    """`folder`, or `$TEXT2LIP_METRIC_WEIGHTS`, or text2lip/metrics in the user's cache folder; need not exist."""
    if folder is not None:
        return Path(folder)
    if named := os.environ.get("TEXT2LIP_METRIC_WEIGHTS"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "text2lip" / "metrics"


def find_weights(metric: str, path: str | Path | None = None) -> Path:
    """The safetensors file of the network of `metric`, "lpips", "vgg", "fvd", "fid", "lse" or "lipnet": `path`, or in
    that folder, by default the [`weights_folder`].

    Raises:
        MissingWeights: the file is not there.
    """
    path = weights_folder(path)
    file = path if path.suffix == ".safetensors" else path / FILES[metric]
    if not file.is_file():
        raise MissingWeights(f"{metric}: {file} is not there; make it with `{REMEDY[metric]}`.")
    return file


def available_metrics(folder: str | Path | None = None) -> dict[str, str | None]:
    """Every metric of the bench with the reason why it cannot be taken, None where it can; weights lie in `folder`, by
    default the [`weights_folder`]."""
    reasons: dict[str, str | None] = dict.fromkeys((*WITHOUT_WEIGHTS, *WITH_WEIGHTS))
    for metric, network in WITH_WEIGHTS.items():
        try:
            find_weights(network, folder)
        except MissingWeights as missing:
            reasons[metric] = str(missing)
    return reasons
