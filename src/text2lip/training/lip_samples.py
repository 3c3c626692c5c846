"""Prepared clips as the tensors that lip training reads."""

import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from text2lip.data.prepared import PreparedClip, hold_out, load_prepared, read_prepared, splits_of
from text2lip.faces.canonical import lip_gap, lip_width, neutral_shape
from text2lip.files import replaced_file
from text2lip.speech.audio import to_float
from text2lip.speech.features import levelled, log_mel
from text2lip.text.tokenizer import VisemeTokenizer
from text2lip.text.visemes import PHONE_INVENTORY, sequence_features


def load_clips(
    folder: str | Path,
    split: str,
    limit: int | None = None,
    audio: str = "log_mel",
    tokenizer: VisemeTokenizer | None = None,
) -> list[PreparedClip]:
    """Clips of a prepared split whose `mel` holds the features of sound that are asked for.

    Args:
        folder (`str` or `Path`): made by `examples/prepare_grid.py`.
        split (`str`): such as "train".
        limit (`int`, *optional*): only so many, evenly from all of the split, see [`read_prepared`].
        audio (`str`): "log_mel" (320 channels), "levelled" (the same of [`levelled`] sound), or
            "whisper:<folder or Hub id>" (3840 with Whisper-tiny), see [`~text2lip.speech.whisper.whisper_frames`];
            these are kept in `folder/whisper`, for hearing a clip of 3 s takes half a second of a core.
        tokenizer ([`VisemeTokenizer`], *optional*): whose visemes the clips' phones are turned into; those that the
            split was prepared with by default.

    Raises:
        ValueError: the split is not prepared, or unknown features.
    """
    clips = load_prepared(folder, split, limit)
    if tokenizer is not None:
        clips = [with_visemes(clip, tokenizer) for clip in clips]
    kind, _, name = audio.partition(":")
    if audio == "log_mel":
        return clips
    rows = zip(clips, read_prepared(folder, split, ["audio"], limit))
    if audio == "levelled":
        sounds = ((clip, levelled(to_float(row["audio"]))) for clip, row in rows)
        return [replace(clip, mel=log_mel(sound, len(clip.lips), clip.fps)) for clip, sound in sounds]
    if kind != "whisper" or not name:
        raise ValueError(f"audio_features: {audio!r}; choose 'log_mel', 'levelled' or 'whisper:<folder or Hub id>'.")
    return _heard(list(rows), name, Path(folder) / "whisper", split)


def _heard(rows: list[tuple[PreparedClip, dict]], name: str, kept: Path, split: str) -> list[PreparedClip]:
    """Clips, each given with its row's sound, with the features that the Whisper model `name` makes of it.

    A file in `kept` for each split and model holds them by clip, sound and length.
    """
    from safetensors.numpy import load_file, save_file
    from tqdm import tqdm

    from text2lip.speech.whisper import load_whisper, whisper_frames, whisper_states

    model = load_whisper(name)
    weights = 0
    for value in model.state_dict().values():
        weights = zlib.crc32(value.cpu().float().contiguous().numpy(), weights)
    path = kept / f"{split}-{weights:08x}.safetensors"
    known = load_file(path) if path.exists() else {}
    marks = [f"{clip.name} {len(clip.lips)} {clip.fps} {zlib.crc32(row['audio']):08x}" for clip, row in rows]
    missing = [(mark, *row) for mark, row in zip(marks, rows) if mark not in known]
    for mark, clip, row in tqdm(missing, desc=f"whisper, {split}", unit="clip", disable=len(missing) < 20):
        states = whisper_states(model, to_float(row["audio"]))
        known[mark] = whisper_frames(states, len(clip.lips), clip.fps).half().cpu().numpy()
    if missing:
        with suppress(OSError, ValueError):  # where nothing can be written all is heard again
            kept.mkdir(exist_ok=True)
            with replaced_file(path, "prepared") as temporary:
                save_file(known, temporary)
    return [replace(clip, mel=known[mark]) for mark, (clip, _) in zip(marks, rows)]


def load_splits(
    folder: str | Path,
    limit: int | None = None,
    audio: str = "log_mel",
    tokenizer: VisemeTokenizer | None = None,
) -> tuple[list[PreparedClip], list[PreparedClip]]:
    """Clips of `train` and of `val`; where no `val` was prepared, every tenth of `train` is held out for it.

    Args:
        folder, audio, tokenizer: see [`load_clips`].
        limit (`int`, *optional*): only so many of each split, evenly from all of it.

    Raises:
        ValueError: `train` is not prepared, or holds a single clip and there is no `val`.
    """
    train = load_clips(folder, "train", limit, audio, tokenizer)
    if "val" not in splits_of(folder):
        return hold_out(train)
    return train, load_clips(folder, "val", limit, audio, tokenizer)


def with_visemes(clip: PreparedClip, tokenizer: VisemeTokenizer) -> PreparedClip:
    """The clip with the viseme ids of another tokenizer.

    Raises:
        ValueError: its phones no longer make as many tokens as when it was prepared.
    """
    ids = tokenizer(phones=clip.phones, return_tensors="np").input_ids[0]
    if len(ids) != len(clip.phone_ids):
        raise ValueError(
            f"prepared: clip {clip.name!r} has {len(clip.phone_ids)} tokens, its phones make {len(ids)}; prepare the "
            "clips again (examples/prepare_grid.py)."
        )
    return replace(clip, viseme_ids=ids)


def to_sample(clip: PreparedClip) -> dict[str, torch.Tensor]:
    """One clip: motion from the talker's [`rest_shape`], log-mel, visemes.

    Returns:
        `dict`: motion float32 (frames, 57, 2), eye units; audio float32 (frames, 320); input_ids, phone_ids int64
        (tokens,); features float32 (tokens, 6); durations float32 (tokens,), seconds; rest float32 (57, 2); fps ();
        real bool (), False for clips without sound whose motion and times are made up.
    """
    rest = rest_shape(clip)
    letters = [PHONE_INVENTORY[index] for index in clip.phone_ids]
    return {
        "motion": torch.from_numpy(clip.lips - rest),
        "audio": torch.from_numpy(np.array(clip.mel, np.float32)),
        "input_ids": torch.from_numpy(np.array(clip.viseme_ids)),
        "phone_ids": torch.from_numpy(np.array(clip.phone_ids)),
        "features": torch.from_numpy(sequence_features(letters)),
        "durations": torch.from_numpy(np.array(clip.durations, np.float32)),
        "rest": torch.from_numpy(rest),
        "fps": torch.tensor(clip.fps, dtype=torch.float32),
        "real": torch.tensor(True),
    }


def rest_shape(clip: PreparedClip) -> np.ndarray:
    """The talker's closed mouth, float32 (57, 2): the mean over the half of the silent frames with the smallest gap.

    Not over all of them: before a talker speaks he opens his mouth, and on a portrait rest means closed lips.
    """
    silent, gap = clip.silent, lip_gap(clip.lips)
    if silent.sum() >= 6:
        silent = silent & (gap <= np.median(gap[silent]))
    return neutral_shape(clip.lips, silent).astype(np.float32)


def training_samples(
    clips: list[PreparedClip], lessons: Iterable[dict[str, torch.Tensor]] = ()
) -> list[dict[str, torch.Tensor]]:
    """Samples of [`to_sample`], 100 kB for a clip of 3 s, and after them `lessons` of [`teacher_samples`].

    Raises:
        ValueError: there are no clips.
    """
    if not clips:
        raise ValueError("clips: there are none; prepare the split first (examples/prepare_grid.py).")
    return [*map(to_sample, clips), *lessons]


def rest_width(samples: list[dict[str, torch.Tensor]]) -> float:
    """Median width of the mouths at rest in real clips, eye units."""
    return float(np.median([lip_width(sample["rest"].numpy()) for sample in samples if sample["real"]]))


def collate(samples: list[dict[str, torch.Tensor]], pad_id: int = 15) -> dict[str, torch.Tensor]:
    """Pad samples to the longest: what [`to_sample`] gives with a batch axis, and two masks.

    Args:
        samples (`list[dict]`): of [`to_sample`].
        pad_id (`int`): the padding viseme, which is the size of the set.

    Returns:
        `dict`: also attention_mask bool (batch, tokens) and frame_mask bool (batch, frames), False for padding.
    """
    batch = {}
    for key in samples[0]:
        values = [sample[key] for sample in samples]
        if key in ("rest", "fps", "real"):
            batch[key] = torch.stack(values)
        else:
            fill = pad_id if key == "input_ids" else 0
            batch[key] = torch.nn.utils.rnn.pad_sequence(values, batch_first=True, padding_value=fill)
    for mask, key in (("attention_mask", "durations"), ("frame_mask", "audio")):
        lengths = torch.tensor([len(sample[key]) for sample in samples])
        batch[mask] = torch.arange(batch[key].shape[1]) < lengths[:, None]
    return batch
