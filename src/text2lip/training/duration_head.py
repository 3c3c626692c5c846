"""Training of the encoder's duration head alone: how long each viseme of a text is, before anyone has said it.

The head reads the encoder's states, which do not change, so they are computed once; what remains is a small network
over single tokens. Where only the times of words are known, the predicted tokens of a word must sum to its length.
"""

import copy
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from text2lip.devices import execution_device
from text2lip.licences import spdx_id
from text2lip.text.nominal_durations import PHONE_SECONDS, nominal_durations, phone_class
from text2lip.text.timing import Segment, Timeline


HEAD_PREFIX = "duration_head."
VOICE_RANGE = (0.03, 0.3)  # seconds of a phone; what a voice or its alignment says beyond is not believed


class DurationLesson(NamedTuple):
    """Tokens of one sentence with what is known of their times.

    Attributes:
        tokens (`dict[str, torch.Tensor]`): input_ids, phone_ids int64 (tokens,), features float32 (tokens, 6).
        durations (`torch.Tensor`): float32 (tokens,), seconds; inside of a span only their sum is measured.
        spans (`torch.Tensor`): int64 (tokens,), which span a token belongs to, counted from 0.
    """

    tokens: dict[str, torch.Tensor]
    durations: torch.Tensor
    spans: torch.Tensor


def lesson(tokenizer: Any, timeline: Timeline, whole_words: bool = False, pace: float = 1.0) -> DurationLesson:
    """A sentence to learn from.

    Args:
        tokenizer ([`VisemeTokenizer`]): phones to visemes.
        timeline ([`Timeline`]): phones with times.
        whole_words (`bool`): only the times of words and pauses were measured; those of their phones are a guess.
        pace (`float`): divides all times but silences.
    """
    encoding = tokenizer(phones=timeline, return_tensors="pt")
    tokens = {name: encoding[name][0] for name in ("input_ids", "phone_ids", "features")}
    durations = encoding.durations[0]
    spans = torch.arange(len(durations))
    for first, last in encoding.word_spans[0] if whole_words else ():
        spans[first:last] = first
    spans = torch.unique_consecutive(spans, return_inverse=True)[1]
    return DurationLesson(tokens, torch.where(tokens["phone_ids"] > 0, durations / pace, durations), spans)


def believable(timeline: Timeline, share: float = 0.5) -> Timeline:
    """A voice's times, drawn towards nominal ones: phones at the geometric mean of both, pauses as they are.

    Args:
        timeline ([`Timeline`]): of a synthesiser.
        share (`float`): weight of the nominal times, 0 to 1.
    """
    phones: list[Segment] = []
    clock = 0.0
    for label, length, nominal in _beside_nominal(timeline.phones):
        if label:
            length = min(max(length, VOICE_RANGE[0]), VOICE_RANGE[1])
            length = math.exp((1 - share) * math.log(length) + share * math.log(nominal))
        phones.append(Segment(label, clock, clock + length))
        clock = phones[-1].end
    return Timeline.from_phones(phones)


def _beside_nominal(phones: Sequence[Segment]) -> Iterable[tuple[str, float, float]]:
    """(label, seconds, nominal seconds) of each phone; stretches between silences end as before a pause."""
    run: list[Segment] = []
    for phone in [*phones, Segment("", 0.0, 0.0)]:
        if phone.label:
            run += [phone] if phone_class(phone.label) in PHONE_SECONDS else []  # no lone tone marks
            continue
        lengths = nominal_durations([[p.label for p in run]])[0] if run else []
        yield from ((p.label, p.end - p.start, length) for p, length in zip(run, lengths))
        run = []
        if phone.end > phone.start:
            yield "", phone.end - phone.start, 0.0


class EncodedLessons:
    """Lessons as the duration head sees them: states of all tokens in one row, cut into sentences.

    Args:
        encoder ([`VisemeEncoderModel`]): its states; without gradient.
        lessons (`Sequence[DurationLesson]`): sentences.
        batch_size (`int`): sentences encoded at once, those of like length together.
    """

    def __init__(self, encoder: nn.Module, lessons: Sequence[DurationLesson], batch_size: int = 128):
        if not lessons:
            raise ValueError("lessons: there are none to learn durations from.")
        order = sorted(range(len(lessons)), key=lambda i: len(lessons[i].durations))
        lessons = [lessons[i] for i in order]
        states = []
        for start in range(0, len(lessons), batch_size):
            states += encode_lessons(encoder, lessons[start : start + batch_size])
        self.states = torch.cat(states)
        self.durations = torch.cat([item.durations for item in lessons])
        counts = torch.tensor([int(item.spans[-1]) + 1 for item in lessons])
        firsts = (counts.cumsum(0) - counts).tolist()
        self.spans = torch.cat([item.spans + first for item, first in zip(lessons, firsts)])
        lengths = torch.tensor([len(item.durations) for item in lessons])
        self.ends = lengths.cumsum(0)
        self.starts = self.ends - lengths

    def draw(self, size: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """States (tokens, width), durations and spans (tokens,) of `size` random sentences."""
        picks = torch.randint(len(self.starts), (size,), generator=generator)
        rows = torch.cat([torch.arange(a, b) for a, b in zip(self.starts[picks], self.ends[picks])])
        spans = torch.unique_consecutive(self.spans[rows], return_inverse=True)[1]
        return self.states[rows].float(), self.durations[rows], spans


@torch.no_grad()
def encode_lessons(encoder: nn.Module, lessons: Sequence[DurationLesson]) -> list[torch.Tensor]:
    """ṽ of some sentences, each float16 (tokens, width) on the CPU: what the head is given."""
    pad = nn.utils.rnn.pad_sequence
    batch = {name: pad([item.tokens[name] for item in lessons], batch_first=True) for name in lessons[0].tokens}
    lengths = torch.tensor([len(item.durations) for item in lessons])
    mask = torch.arange(batch["input_ids"].shape[1]) < lengths[:, None]
    batch["input_ids"] = batch["input_ids"].masked_fill(~mask, encoder.config.num_visemes)
    device = execution_device(encoder)
    batch = {name: values.to(device) for name, values in batch.items()}
    states = encoder(batch["input_ids"], mask.to(device), batch["phone_ids"], batch["features"])
    return [row[:length].half().cpu() for row, length in zip(states.last_hidden_state, lengths.tolist())]


def span_duration_loss(
    log_durations: torch.Tensor, durations: torch.Tensor, spans: torch.Tensor, shape_weight: float = 0.1
) -> torch.Tensor:
    """L1 on the log-seconds of spans, and a little on those of tokens: 0.1 is ten per cent. A scalar.

    Args:
        log_durations (`torch.Tensor`): float (tokens,), predicted.
        durations (`torch.Tensor`): float (tokens,), seconds, whose sums over spans are measured.
        spans (`torch.Tensor`): int64 (tokens,), from 0 without gap.
        shape_weight (`float`): of the tokens' own error, that is, of how a span is shared out.
    """
    durations = durations.clamp(min=1e-3)
    empty = durations.new_zeros(int(spans[-1]) + 1)
    sizes = empty.index_add(0, spans, torch.ones_like(durations))
    ours, real = empty.index_add(0, spans, log_durations.exp()), empty.index_add(0, spans, durations)
    whole = ((ours.log() - real.log()).abs() * sizes).sum() / sizes.sum()
    return whole + shape_weight * (log_durations - durations.log()).abs().mean()


def fit_head(
    encoder: nn.Module,
    pools: Sequence[tuple[EncodedLessons, int]],
    steps: int,
    learning_rate: float = 2e-3,
    seed: int = 0,
    progress: Any = iter,
) -> nn.Module:
    """Train a copy of the encoder's duration head.

    Args:
        encoder ([`VisemeEncoderModel`]): is not changed.
        pools (`Sequence`): kinds of lessons, each with how many sentences of it are in a batch.
        steps (`int`): of AdamW; the learning rate falls along half a cosine.
        learning_rate (`float`): at the start.
        seed (`int`): of the draws.
        progress (`Callable`): wraps the iterator over steps, such as `tqdm`.

    Returns:
        `nn.Module`: the trained head, float32 on the CPU.
    """
    head = copy.deepcopy(encoder.duration_head).float().cpu().train()
    optimizer = torch.optim.AdamW(head.parameters(), lr=learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    generator = torch.Generator().manual_seed(seed)
    for _ in progress(range(steps)):
        loss = 0.0
        for pool, size in pools:
            states, durations, spans = pool.draw(size, generator)
            loss = loss + span_duration_loss(head(states)[:, 0], durations, spans)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return head.eval()


def write_head(
    source: str | Path, encoder: nn.Module, head: nn.Module, output: str | Path, licence: str | None = None
):
    """Put a duration head into a saved encoder; every other tensor stays bit for bit, and all keep their dtype.

    Args:
        source (`str` or `Path`): folder of the saved encoder.
        encoder ([`VisemeEncoderModel`]): what was loaded from there, and the head was trained on.
        head (`nn.Module`): the trained head.
        output (`str` or `Path`): folder to write to; may be `source`.
        licence (`str`, *optional*): of encoder and head together, an SPDX identifier; not stated by default, for that
            of the encoder need not be that of what the head learnt from.

    Raises:
        ValueError: the head has other tensors than the encoder's, or `source` holds another encoder.
    """
    from diffusers.utils import CONFIG_NAME, SAFETENSORS_WEIGHTS_NAME
    from safetensors.torch import load_file, save

    from text2lip.files import replaced_file

    source, output = Path(source), Path(output)
    before, loaded = load_file(source / SAFETENSORS_WEIGHTS_NAME), encoder.state_dict()
    trained = {HEAD_PREFIX + name: value for name, value in head.state_dict().items()}
    if {n: v.shape for n, v in loaded.items() if n.startswith(HEAD_PREFIX)} != {
        n: v.shape for n, v in trained.items()
    }:
        raise ValueError("head: its tensors are not those of the encoder's head.")
    alike = before.keys() == loaded.keys()
    if not alike or not all(torch.equal(loaded[name].cpu().to(value.dtype), value) for name, value in before.items()):
        raise ValueError(f"source: {str(source)!r} does not hold the encoder that the head was trained on.")
    after = before | {name: value.to(before[name].dtype).contiguous() for name, value in trained.items()}
    config = json.loads((source / CONFIG_NAME).read_text())
    facts = {k: v for k, v in config.get("_training", {}).items() if k != "licence"}
    if facts or licence:
        config["_training"] = facts | ({} if licence is None else {"licence": spdx_id(licence)})
    config = (json.dumps(config, indent=2, sort_keys=True) + "\n").encode()
    output.mkdir(parents=True, exist_ok=True)
    for name, content in ((SAFETENSORS_WEIGHTS_NAME, save(after, {"format": "pt"})), (CONFIG_NAME, config)):
        with replaced_file(output / name) as temporary:
            temporary.write_bytes(content)
