"""Train a LipDecoder that moves lips by sound alone, for any voice, microphone and language.

    python examples/prepare_grid.py --output outputs/grid
    python examples/prepare_speech.py --output outputs/speech
    accelerate launch examples/train_audio_lips.py --config examples/configs/audio_lips.yaml
    accelerate launch examples/train_audio_lips.py --config examples/configs/audio_lips.yaml --resume latest

It learns from real lips, from speech whose lips the text-driven networks made, and from sounds at which a mouth rests,
most of them changed as if recorded elsewhere. Writes `config.json`, `log.jsonl`, `checkpoint-<step>`, `best` (averaged
weights that did best on the validation clips) and `final`: a [`LipDecoderModel`] each.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from text2lip.data.prepared import PreparedClip, load_prepared, read_prepared, splits_of
from text2lip.models import LipDecoderModel
from text2lip.motion.shaping import draw_in
from text2lip.pipelines.hub import pipeline_source
from text2lip.speech.audio import to_float, to_int16
from text2lip.speech.features import SAMPLING_RATE, levelled, log_mel
from text2lip.training import losses as L
from text2lip.training.ema import EMA
from text2lip.training.lip_samples import load_clips, rest_shape, rest_width, to_sample
from text2lip.training.publish import began_with
from text2lip.training.sound_augment import as_recorded_elsewhere, through_another_tract
from text2lip.training.sounds import babble
from text2lip.training.trainer import Trainer, TrainerConfig, build_accelerator, say
from text2lip.training.validation import lip_figures


Tensors = dict[str, torch.Tensor]
REAL, SPOKEN, STILL, CROWD = "real", "spoken", "still", "crowd"
CROWDS, CROWD_SECONDS = (4, 12), 3.0  # how many speak at once, none of whom is meant
VALIDATED_CROWD = 4


@dataclass
class AudioLipsConfig(TrainerConfig):
    """Settings of a run, beside those of every run; the file `config.json` beside its checkpoints holds them."""

    prepared: str = "outputs/grid"  # folder of examples/prepare_grid.py: real lips; validated on its val, val_speaker
    spoken: str = "outputs/speech"  # folder of examples/prepare_speech.py
    output: str = "outputs/audio_lips"
    data: str = "Clips prepared by prepare_grid.py and prepare_speech.py, their `train` splits."
    start: str | None = None  # pipeline whose audio_lip_decoder to begin with, or such a decoder's own folder
    lip_decoder: dict[str, Any] = field(default_factory=dict)  # keyword arguments of LipDecoderModel, without start
    shares: dict[str, float] = field(  # of a batch; a crowd's voices are those of the real and spoken clips
        default_factory=lambda: {REAL: 0.41, SPOKEN: 0.33, STILL: 0.08, CROWD: 0.18}
    )
    drawn_in: dict[str, float] = field(  # how much narrower open lips of a kind are made, of their gap, see `draw_in`
        default_factory=lambda: {REAL: 0.15, SPOKEN: 0.1}
    )
    augmented: float = 0.8  # share of clips that are changed as if recorded elsewhere
    longest: int = 75  # frames of a clip that are heard at once, from a random place on
    max_steps: int = 3000
    batch_size: int = 32  # clips, on each process
    motion_weight: float = 1.0  # of this loss; motion and velocity are in units of 0.01 of the eyes' distance
    velocity_weight: float = 1.0  # of this loss
    width_weight: float = 0.2  # of this loss, on the distance of the mouth's corners, in the same units
    amplitude_weight: float = 0.2  # of this loss: as much motion and jerk as in the clips, over each batch
    validate_every: int = 200
    save_every: int = 200
    limit_clips: int | None = None  # use only so many of each split, evenly from all of it


@dataclass(frozen=True, eq=False)
class Lesson:
    """Sound, int16 (samples,) at 16 kHz, and motion, float32 (frames, 57, 2), at `fps` frames per second."""

    sound: np.ndarray
    motion: np.ndarray
    fps: float


def load_lessons(config: AudioLipsConfig) -> tuple[dict[str, list[Lesson]], float]:
    """Lessons of each kind of `shares`, and the width of the real talkers' mouths at rest."""
    lessons = {kind: [] for kind in (REAL, SPOKEN, STILL)}
    for folder, spoken in ((config.prepared, False), (config.spoken, True)):
        clips = load_prepared(folder, "train", config.limit_clips)
        for clip, row in zip(clips, read_prepared(folder, "train", ["audio"], config.limit_clips)):
            kind = REAL if not spoken else SPOKEN if any(phone.label for phone in clip.phones) else STILL
            motion = torch.from_numpy(clip.lips - rest_shape(clip))[None]
            motion = draw_in(motion, share=config.drawn_in.get(kind, 0.0))[0].numpy()
            lessons[kind].append(Lesson(row["audio"], motion, clip.fps))
        if not spoken:
            width = rest_width([to_sample(clip) for clip in clips])
    there = {**lessons, CROWD: [*lessons[REAL], *lessons[SPOKEN]]}
    if empty := [kind for kind, share in config.shares.items() if share and not there.get(kind)]:
        raise ValueError(f"shares: there are no clips of {empty}; give 0, or prepare some.")
    return lessons, width


def load_validation(config: AudioLipsConfig) -> dict[str, list[PreparedClip]]:
    """Clips to validate on, by what they are called in the figures, their features those of levelled sound."""
    wanted = [(config.prepared, "val", "same"), (config.prepared, "val_speaker", "others"), (config.spoken, "val", "")]
    sets = {}
    for folder, split, name in wanted:
        if split not in splits_of(folder):
            continue
        clips = load_clips(folder, split, config.limit_clips, "levelled")
        if name:
            sets[name] = clips
        else:
            sets[SPOKEN] = [clip for clip in clips if any(phone.label for phone in clip.phones)]
            sets[STILL] = [clip for clip in clips if not any(phone.label for phone in clip.phones)]
            rows = read_prepared(folder, split, ["audio"], config.limit_clips)
            sounds = [to_float(row["audio"]) for row in rows]
            voices = [sound for sound, clip in zip(sounds, clips) if any(phone.label for phone in clip.phones)]
            sets[CROWD] = [in_a_crowd(clip, voices, number) for number, clip in enumerate(sets[STILL]) if voices]
    return {name: clips for name, clips in sets.items() if clips}


def in_a_crowd(clip: PreparedClip, voices: list[np.ndarray], seed: int) -> PreparedClip:
    """A clip in which a mouth rests, and is heard to rest while `VALIDATED_CROWD` of the voices speak."""
    samples = int(len(clip.lips) / clip.fps * SAMPLING_RATE)
    sound = levelled(babble(np.random.default_rng(seed), samples, voices, VALIDATED_CROWD))
    return replace(clip, mel=log_mel(sound, len(clip.lips), clip.fps))


def build_network(config: AudioLipsConfig, width: float) -> LipDecoderModel:
    """The decoder to begin with; `width` is that of the mouths at rest of a new one."""
    torch.manual_seed(config.seed)
    if config.start is None:
        return LipDecoderModel(**{"reference_width": width, **config.lip_decoder})
    source = pipeline_source(config.start, "start")
    try:
        return LipDecoderModel.from_pretrained(source, subfolder="audio_lip_decoder", torch_dtype=torch.float32)
    except OSError:  # no pipeline: the decoder alone
        return LipDecoderModel.from_pretrained(source, torch_dtype=torch.float32)


class Run(Trainer):
    """Everything of one training run that is its own."""

    settings = AudioLipsConfig
    script = "train_audio_lips.py"
    meaning = (
        "Figures are of the network by itself on clean sound: `same` is the talker of training, `others` real ones "
        "that it never saw, `spoken` voices and languages that it never heard, `still` sounds at which a mouth rests, "
        "`crowd` four of those voices at once, at which it rests as well."
    )

    def __init__(self, config: AudioLipsConfig):
        accelerator = build_accelerator(config)
        self.lessons, width = load_lessons(config)
        self.voices = [*self.lessons[REAL], *self.lessons[SPOKEN]]
        self.behind = [levelled(to_float(lesson.sound)) for lesson in self.lessons[STILL]]
        self.val = load_validation(config)
        counts = {kind: len(some) for kind, some in self.lessons.items()}
        say(f"{counts} clips to learn from, { ({name: len(some) for name, some in self.val.items()}) } to validate on")
        network = build_network(config, width)
        self.start = began_with(config.start, network)
        ema = EMA(network, config.ema_decay)
        optimizer = torch.optim.AdamW(network.parameters(), lr=0.0, weight_decay=config.weight_decay)
        network, optimizer = accelerator.prepare(network, optimizer)
        self.weights = L.point_weights().to(accelerator.device)
        fixed = {"seed": config.seed, "batch_size": config.batch_size}
        super().__init__(config, accelerator, network, optimizer, ema, fixed)

    def batches(self, first: int, last: int) -> Iterator[Tensors]:
        """Lessons drawn by their shares, each changed or not."""
        config, rank = self.config, self.accelerator.process_index
        kinds, shares = list(config.shares), np.array(list(config.shares.values()))
        for step in range(first, last):
            rng = np.random.default_rng([config.seed, step, rank])
            drawn = rng.choice(kinds, config.batch_size, p=shares / shares.sum())
            chosen = (self.crowd(rng) if kind == CROWD else one_of(self.lessons[kind], rng) for kind in drawn)
            yield collate_lessons([self.hear(lesson, rng) for lesson in chosen], self.accelerator.device)

    def crowd(self, rng: np.random.Generator) -> Lesson:
        """Many voices at once, at which the mouth rests."""
        few, many = CROWDS
        count = int(few * (many / few) ** rng.uniform())  # the fewer, the more like one who is meant
        voices = [to_float(one_of(self.voices, rng).sound) for _ in range(count)]
        sound = babble(rng, int(CROWD_SECONDS * SAMPLING_RATE), voices, count)
        return Lesson(to_int16(sound), np.zeros((int(CROWD_SECONDS * 25), 57, 2), np.float32), 25.0)

    def hear(self, lesson: Lesson, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
        """Features, motion and rate of a part of a lesson."""
        first = rng.integers(max(1, len(lesson.motion) - self.config.longest + 1))
        motion = lesson.motion[first : first + self.config.longest]
        begin, samples = (int(frames / lesson.fps * 16_000) for frames in (first, len(motion)))
        sound = to_float(lesson.sound[begin : begin + samples])
        if rng.uniform() >= self.config.augmented:
            return log_mel(levelled(sound), len(motion), lesson.fps), motion, lesson.fps
        sound, speed = as_recorded_elsewhere(sound, self.behind, rng)
        features = through_another_tract(log_mel(sound, len(motion), lesson.fps * speed), rng)
        return features, motion, lesson.fps * speed

    def loss(self, batch: Tensors, generator: torch.Generator):
        """The sum of all losses of a batch, and each of them."""
        config, mask, real = self.config, batch["frame_mask"], batch["motion"]
        with self.accelerator.autocast():
            motion = self.network(batch["audio"], fps=batch["fps"], frame_mask=mask, return_dict=False)[0]
        losses = {
            "motion": (config.motion_weight, lambda: 100 * L.motion_l1(motion, real, mask, self.weights)),
            "velocity": (config.velocity_weight, lambda: 100 * L.velocity_l1(motion, real, mask, self.weights)),
            "width": (config.width_weight, lambda: 100 * L.width_l1(motion, real, mask)),
            "amplitude": (config.amplitude_weight, lambda: L.amplitude_loss(motion, real, mask)),
        }
        return L.weighted_sum(losses)

    def evaluate(self, network: LipDecoderModel) -> tuple[dict[str, float | None], float]:
        """Figures of every set of clips; the best network correlates best over all of them, and keeps still."""
        network.eval()
        figures, scores = {}, []
        for name, clips in self.val.items():
            motions = [move(network, clip) for clip in clips]
            if name in (STILL, CROWD):
                figures[f"{name}/motion"] = float(np.mean([np.linalg.norm(m, axis=-1).mean() for m in motions]))
                continue
            found = lip_figures([motion + rest_shape(clip) for motion, clip in zip(motions, clips)], clips)
            if name == SPOKEN:  # the average face's lips are not as near to each other as a film's
                del found["closure"]
            figures |= {f"{name}/{key}": value for key, value in found.items()}
            scores += [found["gap_r"] or 0.0, found["width_r"] or 0.0]
        network.train()
        error = (
            10 * sum(figures.get(f"{name}/motion", 0.0) for name in (STILL, CROWD)) - float(np.mean(scores))
            if scores
            else None
        )
        return {f"val/{name}": value for name, value in figures.items()}, error

    def write(self, network: LipDecoderModel, folder: Path, figures: dict[str, float | None]):
        """The decoder."""
        self.note(network, figures, self.start)
        network.save_pretrained(folder)


def one_of(lessons: list[Lesson], rng: np.random.Generator) -> Lesson:
    return lessons[rng.integers(len(lessons))]


def move(network: LipDecoderModel, clip: PreparedClip) -> np.ndarray:
    """Motion (frames, 57, 2) by the sound of a clip."""
    features = torch.from_numpy(clip.mel)[None].to(network.device)
    return network(features, fps=clip.fps).motion[0].float().cpu().numpy()


def collate_lessons(heard: list[tuple[np.ndarray, np.ndarray, float]], device: torch.device) -> Tensors:
    """Padded to the longest: audio, motion, fps and frame_mask, False for padding."""
    audio, motion, fps = zip(*heard)
    lengths = torch.tensor([len(part) for part in audio])
    pad = torch.nn.utils.rnn.pad_sequence
    batch = {
        "audio": pad([torch.from_numpy(part) for part in audio], batch_first=True),
        "motion": pad([torch.from_numpy(part) for part in motion], batch_first=True),
        "fps": torch.tensor(fps, dtype=torch.float32),
        "frame_mask": torch.arange(int(lengths.max())) < lengths[:, None],
    }
    return {name: value.to(device) for name, value in batch.items()}


main = Run.main


if __name__ == "__main__":
    main()
