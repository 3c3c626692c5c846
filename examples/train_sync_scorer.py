"""Train SyncScorer, which tells whether lips and sound go together, on prepared clips of talking people.

    python examples/prepare_grid.py --output outputs/grid
    accelerate launch examples/train_sync_scorer.py --config examples/configs/sync_scorer.yaml
    accelerate launch examples/train_sync_scorer.py --config examples/configs/sync_scorer.yaml --resume latest

Every frame of a clip is to be told from all others of the same clip by its sound, and the sound by the frame; so who
speaks tells nothing. Writes `config.json`, `log.jsonl`, `checkpoint-<step>`, `best` (averaged weights that did best on
`val` and `val_speaker`) and `final`: a [`SyncScorer`] each.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from text2lip.data.prepared import splits_of
from text2lip.metrics.sync_scorer import LOST_FRAMES, SyncScorer, agreement, heard_sound, moved_lips, seen_mouths
from text2lip.training.ema import EMA
from text2lip.training.sync_samples import SyncClip, other_face, other_lips, other_voice, plain_grey, sync_clips
from text2lip.training.trainer import Trainer, TrainerConfig, build_accelerator, say


Tensors = dict[str, torch.Tensor]
VALIDATED = {"val": "same", "val_speaker": "others"}
LOUD = 0.6  # below the clip's loudest sound, in units of log-mel energy, frames count as silent


@dataclass
class SyncConfig(TrainerConfig):
    """Settings of a run, beside those of every run; the file `config.json` beside its checkpoints holds them."""

    prepared: str = "outputs/grid"  # folder of examples/prepare_grid.py
    output: str = "outputs/sync_scorer"
    data: str = "Clips prepared by prepare_grid.py, its `train` split."
    network: dict[str, Any] = field(default_factory=dict)  # keyword arguments of SyncScorer
    augmented: float = 0.9  # share of clips that are changed
    frames: int = 60  # of a clip that are seen at once, from a random place on
    lips_weight: float = 0.5  # of lip motion against sound, beside pictures against sound
    max_steps: int = 3000
    batch_size: int = 16
    validate_every: int = 250
    save_every: int = 250
    limit_clips: int | None = None  # use only so many of each split, evenly from all of it
    threads: int | None = None  # of torch


class Run(Trainer):
    """Everything of one training run that is its own."""

    settings = SyncConfig
    script = "train_sync_scorer.py"
    meaning = (
        "`same` is the talker of training with other sentences, `others` are talkers it never saw. `within_one`: "
        "share of clips whose offset is found within one frame; `confidence`: see `agreement`; `lips/…` the same "
        "of lip motion."
    )

    def __init__(self, config: SyncConfig):
        if config.threads:
            torch.set_num_threads(config.threads)
        accelerator = build_accelerator(config)
        self.clips = sync_clips(config.prepared, "train", config.limit_clips)
        there = [split for split in VALIDATED if split in splits_of(config.prepared)]
        self.val = {VALIDATED[split]: sync_clips(config.prepared, split, config.limit_clips) for split in there}
        say(f"{len(self.clips)} clips, { ({name: len(some) for name, some in self.val.items()}) } to validate on")
        torch.manual_seed(config.seed)
        network = SyncScorer(**config.network)
        ema = EMA(network, config.ema_decay)
        optimizer = torch.optim.AdamW(network.parameters(), lr=0.0, weight_decay=config.weight_decay)
        network, optimizer = accelerator.prepare(network, optimizer)
        fixed = {"seed": config.seed, "batch_size": config.batch_size}
        super().__init__(config, accelerator, network, optimizer, ema, fixed)

    def batches(self, first: int, last: int) -> Iterator[Tensors]:
        """Clips at random, cut to one length, most of them changed."""
        config, rank = self.config, self.accelerator.process_index
        for step in range(first, last):
            rng = np.random.default_rng([config.seed, step, rank])
            chosen = [self.clips[i] for i in rng.integers(len(self.clips), size=config.batch_size)]
            parts = [self.sample(clip, rng) for clip in chosen]
            yield {name: torch.stack([part[name] for part in parts]).to(self.accelerator.device) for name in parts[0]}

    def sample(self, clip: SyncClip, rng: np.random.Generator) -> Tensors:
        """`grey` (frames, 48, 48), `lips` (frames, 40, 2), `mel` (frames, 320), bool `loud` (frames - 8,)."""
        changed = rng.uniform() < self.config.augmented
        start = rng.integers(max(1, len(clip.grey) - self.config.frames + 1))
        part = slice(start, start + self.config.frames)
        energy = clip.mel[part].mean(-1)
        kept = slice(LOST_FRAMES, len(energy) - LOST_FRAMES)
        return {
            "grey": other_face(clip.grey[part], rng) if changed else plain_grey(clip.grey[part]).float(),
            "lips": other_lips(clip.lips[part], rng) if changed else torch.from_numpy(clip.lips[part]),
            "mel": other_voice(clip.mel[part], rng) if changed else torch.from_numpy(clip.mel[part]),
            "loud": torch.from_numpy(energy[kept] > clip.mel.mean(-1).max() - LOUD),
        }

    def loss(self, batch: Tensors, generator: torch.Generator):
        """Frames against sound and sound against frames, of pictures and of lips."""
        with self.accelerator.autocast():
            seen, felt, heard = self.network(
                seen_mouths(batch["grey"]), moved_lips(batch["lips"]), heard_sound(batch["mel"])
            )
        scale = self.accelerator.unwrap_model(self.network).sharpness.exp().clamp(max=40)
        parts = {"pictures": contrast(seen, heard, batch["loud"], scale)}
        parts["lips"] = contrast(felt, heard, batch["loud"], scale)
        return parts["pictures"] + self.config.lips_weight * parts["lips"], parts

    def evaluate(self, network: SyncScorer) -> tuple[dict[str, float | None], float | None]:
        """How often the offset of whole clips is found, and how surely."""
        network.eval()
        figures, errors = {}, []
        for name, clips in self.val.items():
            for kind in ("pictures", "lips"):
                found = [judge(network, clip, kind) for clip in clips]
                key = name if kind == "pictures" else f"{name}/lips"
                figures[f"val/{key}/within_one"] = float(np.mean([abs(x.offset) <= 1 for x in found]))
                figures[f"val/{key}/confidence"] = float(np.mean([x.confidence for x in found]))
                errors.append(2 - figures[f"val/{key}/within_one"] - figures[f"val/{key}/confidence"])
        network.train()
        return figures, float(np.mean(errors)) if errors else None

    def write(self, network: SyncScorer, folder: Path, figures: dict[str, float | None]):
        """The network, in half precision: it is small and is read in full again."""
        self.note(network, figures)
        weights = {name: value.half() for name, value in network.state_dict().items()}
        half = SyncScorer(**self.config.network).half()
        half.load_state_dict(weights)
        half.register_to_config(**dict(network.config))
        half.save_pretrained(folder)


def contrast(ours: torch.Tensor, heard: torch.Tensor, loud: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Cross entropy of finding each frame (batch, frames, size) among all of its clip by its sound, and the other way
    round (van den Oord et al. 2018, InfoNCE), over those frames that are `loud`."""
    cosines = scale * ours @ heard.transpose(1, 2)  # (batch, frames, frames)
    wanted = torch.arange(cosines.shape[1], device=cosines.device).expand(cosines.shape[:2])
    both = [F.cross_entropy(x.transpose(1, 2), wanted, reduction="none")[loud].mean() for x in (cosines, cosines.mT)]
    return sum(both) / 2


@torch.no_grad()
def judge(network: SyncScorer, clip: SyncClip, kind: str):
    """Confidence and offset of a whole clip by its pictures or its lips."""
    like = next(network.parameters())
    heard = network.hear(heard_sound(torch.from_numpy(clip.mel).to(like))[None])[0]
    if kind == "lips":
        ours = network.feel(moved_lips(torch.from_numpy(clip.lips).to(like))[None])[0]
    else:
        ours = network.see(seen_mouths(plain_grey(clip.grey).to(like))[None])[0]
    return agreement(ours, heard)


main = Run.main


if __name__ == "__main__":
    main()
