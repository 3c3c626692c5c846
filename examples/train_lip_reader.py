"""Train a lip reader: a judge that reads GRID's sentences off mouth crops or off landmarks.

    python examples/prepare_grid.py --output outputs/grid
    accelerate launch examples/train_lip_reader.py --config examples/configs/lip_reader.yaml --sees landmarks
    accelerate launch examples/train_lip_reader.py --config examples/configs/lip_reader.yaml --sees crops

Learns from the real clips of `train` alone and is chosen on `val`. It is to judge films that were drawn, so it must
never be a loss of what draws them. Beside the words it learns which phone is spoken in each frame and where each word
lies, both from the sound. Writes `config.json`, `log.jsonl`, `checkpoint-<step>`, `best` and
`final`: a [`LipReader`] each.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from text2lip.data.grid import SLOTS
from text2lip.data.prepared import splits_of
from text2lip.metrics import bleu, slot_accuracy, wer
from text2lip.metrics.lip_reader import LipReader
from text2lip.text.visemes import PHONE_INVENTORY
from text2lip.training.ema import EMA
from text2lip.training.publish import began_with
from text2lip.training.reader_samples import collate_reader_clips, load_reader_clips
from text2lip.training.trainer import Trainer, TrainerConfig, build_accelerator, say


Tensors = dict[str, torch.Tensor]
WORDS = [list(slot.values()) for slot in SLOTS]


@dataclass
class LipReaderConfig(TrainerConfig):
    """Settings of a run, beside those of every run; the file `config.json` beside its checkpoints holds them."""

    prepared: str = "outputs/grid"  # folder of examples/prepare_grid.py
    output: str = "outputs/lip_reader"
    sees: str = "landmarks"  # or crops
    start: str | None = None  # folder of a reader to begin with, in the place of random weights
    reader: dict[str, Any] = field(default_factory=dict)  # other keyword arguments of LipReader
    phone_weight: float = 0.5  # of the loss of phones, frame by frame
    place_weight: float = 0.1  # of the loss of where each word lies
    label_smoothing: float = 0.1  # of words
    max_steps: int = 3000
    batch_size: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    validate_every: int = 100
    save_every: int = 500
    limit_clips: int | None = None  # use only so many of each split, evenly from all of it


class ReaderAndPhones(nn.Module):
    """The reader, and a layer for phones that is not kept."""

    def __init__(self, reader: LipReader):
        super().__init__()
        self.reader = reader
        self.phones = nn.Linear(reader.config.width, len(PHONE_INVENTORY))

    def forward(self, inputs: torch.Tensor, mask: torch.Tensor) -> tuple:
        logits, attention, states = self.reader(inputs, mask, return_dict=False)
        return self.reader.by_place(logits), attention, self.phones(self.reader.drop(states))


class Run(Trainer):
    """Everything of one training run that is its own."""

    settings = LipReaderConfig
    script = "train_lip_reader.py"
    meaning = "Figures are of real clips: `val` of the talker of training, `val_speaker` of others, never seen."

    def __init__(self, config: LipReaderConfig):
        accelerator = build_accelerator(config)
        given = config.prepared, config.sees, config.limit_clips
        self.clips = load_reader_clips(config.prepared, "train", config.sees, config.limit_clips)
        there = [split for split in ("val", "val_speaker") if split in splits_of(config.prepared)]
        self.val = {split: load_reader_clips(given[0], split, *given[1:]) for split in there}
        say(f"{len(self.clips)} clips to learn from, { ({k: len(v) for k, v in self.val.items()}) } to validate on")
        torch.manual_seed(config.seed)
        reader = LipReader(slots=WORDS, sees=config.sees, **config.reader)
        if config.start is not None:
            reader = LipReader.from_pretrained(config.start, torch_dtype=torch.float32)
            if reader.config.sees != config.sees:
                raise ValueError(
                    f"start: the reader in {config.start!r} sees {reader.config.sees}, not {config.sees}."
                )
        self.began = began_with(config.start, reader)
        for clip in sum(self.val.values(), self.clips):
            if not reader.knows(text := " ".join(clip.words)):
                raise ValueError(
                    f"prepared: {clip.name} says {text!r}, no sentence of GRID; a reader knows no others."
                )
        network = ReaderAndPhones(reader)
        ema = EMA(network, config.ema_decay)
        optimizer = torch.optim.AdamW(network.parameters(), lr=0.0, weight_decay=config.weight_decay)
        network, optimizer = accelerator.prepare(network, optimizer)
        fixed = {"seed": config.seed, "batch_size": config.batch_size, "sees": config.sees}
        super().__init__(config, accelerator, network, optimizer, ema, fixed)

    def batches(self, first: int, last: int) -> Iterator[Tensors]:
        """Clips drawn at random, each changed."""
        config = self.config
        for step in range(first, last):
            rng = np.random.default_rng([config.seed, step, self.accelerator.process_index])
            chosen = [self.clips[index] for index in rng.permutation(len(self.clips))[: config.batch_size]]
            batch = collate_reader_clips(chosen, WORDS, config.sees, rng)
            yield {name: value.to(self.accelerator.device) for name, value in batch.items()}

    def loss(self, batch: Tensors, generator: torch.Generator):
        """Cross entropy of words and of phones, and of the attention with where the words are."""
        config, mask = self.config, batch["mask"]
        with self.accelerator.autocast():
            words, attention, phones = self.network(batch["inputs"], mask)
        smooth = config.label_smoothing
        word = [F.cross_entropy(w.float(), t, label_smoothing=smooth) for w, t in zip(words, batch["words"].unbind(1))]
        word = torch.stack(word).sum()
        phone = F.cross_entropy(phones.float()[mask], batch["phone"][mask])
        here = batch["place"][..., None] == torch.arange(len(WORDS), device=mask.device)
        wide = F.max_pool1d(here.float().transpose(1, 2), 5, 1, 2).transpose(1, 2)  # two frames on either side
        place = -((attention.float() * wide).sum(1) + 1e-4).log().mean()
        loss = word + config.phone_weight * phone + config.place_weight * place
        return loss, {"word": word, "phone": phone, "place": place}

    def evaluate(self, network: ReaderAndPhones) -> tuple[dict[str, float | None], float]:
        """Figures of every set of clips; the best network misreads the fewest words of `val`."""
        network.eval()
        figures = {}
        for split, clips in self.val.items():
            batch = collate_reader_clips(clips, WORDS, self.config.sees)
            given = (batch[name].to(self.accelerator.device) for name in ("inputs", "mask"))
            logits = network.reader.by_place(network.reader(*given).logits)
            chosen = zip(*(one.argmax(-1).tolist() for one in logits))
            read = [" ".join(words[index] for words, index in zip(WORDS, row)) for row in chosen]
            said = [" ".join(clip.words) for clip in clips]
            figures[f"{split}/wer"] = wer(read, said)
            figures |= {f"{split}/bleu{order}": bleu(read, said, order) for order in (1, 4)}
            figures[f"{split}/letters"] = 1 - slot_accuracy(read, said)[3]
            losses = [F.cross_entropy(one.cpu(), t) for one, t in zip(logits, batch["words"].unbind(1))]
            figures[f"{split}/loss"] = float(sum(losses))
        network.train()
        error = figures["val/wer"] + 0.01 * figures["val/loss"] if "val/wer" in figures else None
        return {f"val/{name}": value for name, value in figures.items()}, error

    def write(self, network: ReaderAndPhones, folder: Path, figures: dict[str, float | None]):
        """The reader."""
        self.note(network.reader, figures, self.began)
        network.reader.save_pretrained(folder)


main = Run.main


if __name__ == "__main__":
    main()
