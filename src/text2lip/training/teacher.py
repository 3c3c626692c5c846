"""Lessons by the articulatory model: how the mouth moves for text that no corpus of films holds.

GRID has 51 words. The articulatory model knows every letter of the IPA by its features; its motion for other text, at
any speaking rate, stands beside the real clips, so that the networks meet every viseme in many surroundings.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from text2lip.devices import execution_device
from text2lip.faces.canonical import lip_width


TEACHER_RATES = (0.6, 1.6)


def read_texts(path: str | Path) -> list[tuple[str, str]]:
    """(language, text) of each line of a UTF-8 file: `language<TAB>text`, or text alone, which is American English.

    Raises:
        ValueError: the file is missing or holds no text.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(
            f"teacher_texts: there is no file {str(path)!r} seen from {os.getcwd()!r}; run in the repository, "
            "or give its whole path."
        )
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not lines:
        raise ValueError(f"teacher_texts: {str(path)!r} is empty; give one sentence a line.")
    return [tuple(line.split("\t", 1)) if "\t" in line else ("en-us", line) for line in lines]


@torch.no_grad()
def teacher_samples(
    texts: Iterable[tuple[str, str]],
    tokenizer: Any,
    articulation: Any,
    rest: torch.Tensor,
    audio_dim: int = 320,
    fps: float = 25.0,
    seed: int = 0,
) -> list[dict[str, torch.Tensor]]:
    """Samples like those of `to_sample`, without sound (`real` is False), each at a rate drawn from 0.6 to 1.6.

    Args:
        texts (`Iterable[tuple[str, str]]`): language and text.
        tokenizer ([`VisemeTokenizer`]): gives visemes with nominal durations.
        articulation ([`ArticulatoryModel`]): the teacher.
        rest (`torch.Tensor`): (57, 2), a mouth at rest; motion is scaled to its width as the pipeline does.
        audio_dim (`int`): channels of the sound's features, 0 here.
        fps (`float`): frames per second.
        seed (`int`): of the rates.
    """
    generator, device = torch.Generator().manual_seed(seed), execution_device(articulation)
    scale = float(lip_width(rest.numpy())) / articulation.config.reference_width
    samples = []
    for language, text in texts:
        rate = TEACHER_RATES[0] + (TEACHER_RATES[1] - TEACHER_RATES[0]) * float(torch.rand((), generator=generator))
        tokens = tokenizer(text, language=language, return_tensors="pt")
        durations = tokens.durations / rate
        frames = int(float(durations.sum()) * fps + 0.5)
        motion = articulation(tokens.phone_ids.to(device), durations.to(device), frames, fps).motion[0].cpu()
        samples.append(
            {
                "motion": motion * scale,
                "audio": torch.zeros(frames, audio_dim),
                "input_ids": tokens.input_ids[0],
                "phone_ids": tokens.phone_ids[0],
                "features": tokens.features[0],
                "durations": durations[0],
                "rest": rest,
                "fps": torch.tensor(fps, dtype=torch.float32),
                "real": torch.tensor(False),
            }
        )
    return samples
