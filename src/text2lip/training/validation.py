"""The figures of a training run on held-out clips, by the metrics of the benchmark."""

import math

import torch

from text2lip.data.prepared import PreparedClip
from text2lip.devices import execution_device
from text2lip.metrics import closure, gap_r, jerk_ratio, lmd_centred, mean_of, pooled, stillness, width_r
from text2lip.training.lip_samples import collate, to_sample
from text2lip.training.losses import duration_l1, masked_l1


MIN_MOTION, MAX_JERK = 0.6, 2.0  # of the real ones', beyond which a run is warned; by eye


@torch.no_grad()
def validate_lips(
    networks: torch.nn.Module, clips: list[PreparedClip], batch_size: int = 32
) -> dict[str, float | None]:
    """Lip metrics without and with sound, at the clips' own phone times.

    Args:
        networks ([`Text2LipNetworks`]): left in the mode it was in.
        clips (`list[PreparedClip]`): held out.
        batch_size (`int`): clips at once.

    Returns:
        `dict`: gap_r, width_r, lmd_centred, closure, stillness, jerk_ratio and motion_ratio (spread of our motion
        over the real one's) under "text/" and "audio/"; film/closure and film/stillness, the films' own, to compare
        with; pseudo_audio_l1, mean_audio_l1 (what the mean feature scores), log_duration_l1. None where a metric
        applies to no clip.
    """
    was_training = networks.training
    networks.eval()
    predicted, other = {"text": [], "audio": []}, []
    for first in range(0, len(clips), batch_size):
        samples = [to_sample(clip) for clip in clips[first : first + batch_size]]
        batch = collate(samples, networks.viseme_encoder.config.num_visemes)
        batch = {key: value.to(execution_device(networks)) for key, value in batch.items()}
        for name, dropped in (("text", True), ("audio", False)):
            out = networks(batch, torch.full_like(batch["frame_mask"], dropped))
            shapes = (out.motion.float() + batch["rest"][:, None]).cpu().numpy()
            predicted[name] += [shape[mask] for shape, mask in zip(shapes, batch["frame_mask"].cpu().numpy())]
        other.append(_other(out, batch))
    networks.train(was_training)
    figures = {f"{name}/{key}": x for name in predicted for key, x in lip_figures(predicted[name], clips).items()}
    film = lip_figures([clip.lips for clip in clips], clips)
    figures |= {f"film/{key}": film[key] for key in ("closure", "stillness")}
    return figures | {key: mean_of([row[key] for row in other]) for key in other[0]}


def lip_figures(predicted: list, clips: list[PreparedClip]) -> dict[str, float | None]:
    """Metrics of canonical lips `predicted`, one (frames, 57, 2) for each clip, against the real ones."""
    pairs = [(ours, clip.lips) for ours, clip in zip(predicted, clips)]
    spread = [(ours.std(0).mean(), real.std(0).mean()) for ours, real in pairs]
    return {
        "gap_r": mean_of(gap_r(*pair) for pair in pairs),
        "width_r": mean_of(width_r(*pair) for pair in pairs),
        "lmd_centred": mean_of(lmd_centred(*pair) for pair in pairs),
        "closure": pooled(closure(ours, clip.phones, clip.fps) for ours, clip in zip(predicted, clips)),
        "stillness": pooled(stillness(ours, clip.phones, clip.fps) for ours, clip in zip(predicted, clips)),
        "jerk_ratio": pooled(jerk_ratio(*pair) for pair in pairs),
        "motion_ratio": float(sum(ours for ours, _ in spread) / max(sum(real for _, real in spread), 1e-9)),
    }


def _other(out, batch) -> dict[str, float]:
    audio, frames = batch["audio"], batch["frame_mask"]
    mean = audio[frames].mean(0).expand_as(audio)
    return {
        "pseudo_audio_l1": float(masked_l1(out.pseudo_audio, audio, frames)),
        "mean_audio_l1": float(masked_l1(mean, audio, frames)),
        "log_duration_l1": float(duration_l1(out.log_durations, batch["durations"], batch["attention_mask"])),
    }


def warnings_of(figures: dict[str, float | None]) -> list[str]:
    """What looks wrong in the figures of [`validate_lips`], in words; empty where nothing does."""
    found = [f"{key} is {value}" for key, value in figures.items() if value is not None and not math.isfinite(value)]
    for name in ("text", "audio"):
        motion, jerk = figures.get(f"{name}/motion_ratio"), figures.get(f"{name}/jerk_ratio")
        if motion is not None and motion < MIN_MOTION:
            note = "; its closure is that of a mouth that hardly opens" if figures.get(f"{name}/closure") else ""
            found.append(
                f"{name}: the motion collapses to its mean, its spread is {motion:.2f} of the real one's{note}"
            )
        if jerk is not None and jerk > MAX_JERK:
            found.append(f"{name}: the lips jitter, their jerk is {jerk:.1f} times the real one's")
    return found
