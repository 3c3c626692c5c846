"""Lip motion for timed visemes: the paper's networks or articulation, then rest, seal and pressed lips."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch

from text2lip.devices import execution_device
from text2lip.models.lip_decoder import LipDecoderModel
from text2lip.models.pseudo_audio import PseudoAudioModel, PseudoAudioModelOutput
from text2lip.models.time import token_times
from text2lip.models.viseme_encoder import VisemeEncoderModel
from text2lip.motion.articulation import ArticulatoryModel
from text2lip.motion.motion_plan import MotionPlan
from text2lip.motion.seal import press_lips, quiet_weight, rest_weight, seal_lips, settle, widest_gap
from text2lip.motion.shaping import draw_in, shape_lips
from text2lip.motion.tongue import tongue_poses
from text2lip.speech.features import SAMPLING_RATE, levelled, log_mel
from text2lip.speech.resampling import resampled_whole
from text2lip.text.timing import Timeline


SOUND_FPS = 25.0  # of the pictures that audio-driven lips are made for, whatever the clip's rate
PIECE, HEARD_AROUND = 1500, 150  # pictures of sound at once, and beyond either end what they are heard with
AHEAD = 2.0  # seconds of what follows a clip's end that its motion is made with


@dataclass(frozen=True, eq=False)
class LipMotion:
    """The lip motion of one clip, of no face in particular.

    Attributes:
        displacement (`np.ndarray`): float32 (frames, 57, 2), of the driven points from the talker's rest, in units of
            the outer eye corners' distance.
        reference_width (`float`, *optional*): the talker's mouth width at rest, same unit; None for motion that is
            not scaled to a face.
        fps (`float`): frames per second; frame f is the picture at (f + 1/2) / fps.
        timeline ([`Timeline`], *optional*): phones and words that it shows.
        tokens ([`VisemeEncoding`], *optional*): their visemes, tensors of one row.
        roles ([`Roles`], *optional*): of a dialogue, each speaker's lips, at rest while others speak.
        plan_of (`Callable`, *optional*): (names of speakers, or None for all; number of a face; `looks`, a number
            of its picture) -> its [`MotionPlan`]; None where all but the lips holds still.
    """

    displacement: np.ndarray
    reference_width: float | None
    fps: float
    timeline: Timeline | None = None
    tokens: Any = None
    roles: Mapping[str, "LipMotion"] | None = None
    plan_of: Callable[..., MotionPlan] | None = None

    def __len__(self) -> int:
        return len(self.displacement)

    @property
    def tongue(self) -> np.ndarray | None:
        """Poses of the tongue, (frames, 3), see [`tongue_poses`]; None where no phones are known."""
        return None if self.timeline is None else tongue_poses(self.timeline, len(self), self.fps)

    @property
    def rest(self) -> np.ndarray:
        """How far the mouth is at rest, (frames,) from 0 to 1, see [`rest_weight`]; 0 where no phones are known."""
        phones = self.timeline.phones if self.timeline else ()
        if not phones:
            return np.zeros(len(self), np.float32)
        start, end = (torch.tensor([[getattr(phone, side) for phone in phones]]) for side in ("start", "end"))
        silent = torch.tensor([[not phone.label for phone in phones]])
        return rest_weight(silent, start, end, len(self), self.fps)[0].numpy()

    @property
    def plan(self) -> MotionPlan | None:
        """What head and face do beside the lips, of no face in particular; see [`Portrait.plan`]."""
        return None if self.plan_of is None else self.plan_of()

    def of_speakers(self, names: Iterable[str], number: int = 0) -> "LipMotion":
        """The lips, phones and plan of the face of that number, which is these speakers' of a dialogue; its lips are
        at rest where they say nothing."""
        names = tuple(names)
        theirs = [self.roles[name] for name in names if name in (self.roles or {})]
        moved = sum((one.displacement for one in theirs), np.zeros_like(self.displacement))
        spoken = [phone for one in theirs if one.timeline for phone in one.timeline.phones if phone.label]
        timeline = self.timeline
        if timeline is not None:  # others' phones would move this tongue
            timeline = Timeline.from_phones(sorted(spoken, key=lambda phone: phone.start), (), timeline.duration)
        plan_of = self.plan_of and partial(self.plan_of, names, number)
        return replace(self, displacement=moved, timeline=timeline, roles=None, plan_of=plan_of)


class Roles(Mapping):
    """The lips of each speaker of a dialogue, by name: moved when asked for, as a scene with one face never does.

    Args:
        names (`Iterable[str]`): of the speakers.
        move (`Callable`): name -> [`LipMotion`].
    """

    def __init__(self, names: Iterable[str], move: Callable[[str], LipMotion]):
        self._names, self._move = tuple(names), lru_cache(None)(move)

    def __getitem__(self, name: str) -> LipMotion:
        if name not in self._names:
            raise KeyError(name)
        return self._move(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@dataclass(frozen=True, eq=False)
class LipNetworks:
    """The paper's way from visemes to lips: ṽ by the VisemeEncoder, pseudo-audio (Eq. 7), LipDecoder.

    Attributes:
        viseme_encoder ([`VisemeEncoderModel`]): tokens to states.
        pseudo_audio ([`PseudoAudioModel`]): states to what they sound like.
        lip_decoder ([`LipDecoderModel`], *optional*): both to lips; not needed for [`hear`].
    """

    viseme_encoder: VisemeEncoderModel
    pseudo_audio: PseudoAudioModel
    lip_decoder: LipDecoderModel | None = None

    def hear(self, tokens: dict[str, torch.Tensor], num_frames: int, fps: float) -> PseudoAudioModelOutput:
        """What visemes sound like; each network works on its own device, `tokens` may be on any."""
        device = execution_device(self.viseme_encoder)
        names = ("input_ids", "attention_mask", "phone_ids", "features")
        states = self.viseme_encoder(*(tokens[name].to(device) for name in names)).last_hidden_state
        device = execution_device(self.pseudo_audio)
        durations, mask = (tokens[name].to(device) for name in ("durations", "attention_mask"))
        return self.pseudo_audio(states.to(device), durations, num_frames, fps, mask)

    def decode(
        self, tokens: dict[str, torch.Tensor], num_frames: int, fps: float, audio_features: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Displacement (batch, num_frames, 57, 2) for tokens, and for real sound if `audio_features` are given."""
        pseudo = self.hear(tokens, num_frames, fps)
        audio = pseudo.audio_features if audio_features is None else audio_features
        device = execution_device(self.lip_decoder)
        audio, enhanced, durations, mask = (
            part.to(device) for part in (audio, pseudo.enhanced, tokens["durations"], tokens["attention_mask"])
        )
        return self.lip_decoder(audio, enhanced, durations, fps, mask).motion


@torch.no_grad()
def animate(
    model: LipNetworks | ArticulatoryModel,
    tokens: Any,
    num_frames: int,
    fps: float = 25,
    audio_features: torch.Tensor | None = None,
) -> tuple[torch.Tensor, float]:
    """Lip motion for timed visemes, lips sealed on /p b m/ and in pauses, nearly so on /f v/.

    Args:
        model ([`LipNetworks`] or [`ArticulatoryModel`]): what moves the lips, see [`Text2LipPipeline.lip_model`].
        tokens ([`VisemeEncoding`]): with `return_tensors="pt"`.
        num_frames (`int`): frames to make; fewer than the tokens last are the beginning of the whole motion.
        fps (`float`): frames per second.
        audio_features (`torch.Tensor`, *optional*): float (batch, num_frames, 320), log-mel of real sound, see
            [`log_mel`]; takes the place of the pseudo-audio. For [`LipNetworks`] alone.

    Returns:
        `tuple`: float32 displacement (batch, num_frames, 57, 2) from rest in units of the outer eyes' distance, and
        the mouth width at rest that it belongs to.
    """
    wanted = num_frames
    if audio_features is None:  # what comes after the last frame moves it too
        spoken = math.ceil(float(tokens["durations"].sum(1).max()) * fps)
        num_frames = max(num_frames, min(spoken, num_frames + math.ceil(AHEAD * fps)))
    last = model.lip_decoder if isinstance(model, LipNetworks) else model
    device = execution_device(last)
    tokens = {name: value.to(device) for name, value in tokens.items() if isinstance(value, torch.Tensor)}
    durations, mask = tokens["durations"], tokens["attention_mask"]
    if last is model:
        displacement = model(tokens["phone_ids"], durations, num_frames, fps, attention_mask=mask).motion
    else:
        displacement = model.decode(tokens, num_frames, fps, audio_features)
    widest = widest_gap(tokens["features"]).masked_fill(~mask, float("inf"))
    silent = mask & (tokens["phone_ids"] == 0)
    start, end = token_times(durations)
    rest = rest_weight(silent, start, end, num_frames, fps)
    sealed = seal_lips(settle(displacement.to(device, torch.float32), rest), rest)
    sealed = shape_lips(sealed, tokens["phone_ids"], tokens["features"], start, end, fps)
    return press_lips(sealed, widest, start, end, fps)[:, :wanted], last.config.reference_width


@torch.no_grad()
def animate_sound(
    model: LipDecoderModel, audio: np.ndarray, sampling_rate: int, num_frames: int, fps: float = 25
) -> tuple[torch.Tensor, float]:
    """Lip motion from sound alone, whatever is said: no text, no phones; mouth at rest where nothing is heard.

    Mouths are drawn in as they open ([`draw_in`]). The model hears [`log_mel`] of [`levelled`] sound at 25 fps, in
    pieces of a minute, so memory grows with the motion alone, some 6 MiB a minute. At another rate the motion is
    interpolated, without overshoot (Fritsch & Carlson 1980).

    Args:
        model ([`LipDecoderModel`]): trained on sound alone, see `examples/configs/audio_lips.yaml`.
        audio (`np.ndarray`): float (samples,) in [-1, 1], mono, see [`~text2lip.speech.audio.load_audio`].
        sampling_rate (`int`): Hz.
        num_frames (`int`): frames to make; frame f is the picture at (f + 1/2) / fps. Past the sound it is silent.
        fps (`float`): frames per second.

    Returns:
        `tuple`: float32 displacement (num_frames, 57, 2) from rest in units of the outer eyes' distance, on the CPU,
        and the mouth width at rest that it belongs to.
    """
    audio = levelled(resampled_whole(audio, sampling_rate, SAMPLING_RATE))
    heard = max(2, math.ceil(num_frames / fps * SOUND_FPS) + 1)
    motion = torch.cat([_hear_piece(model, audio, first, heard) for first in range(0, heard, PIECE)])
    if fps != SOUND_FPS:
        from scipy.interpolate import PchipInterpolator

        times = (np.arange(num_frames) + 0.5) / fps * SOUND_FPS - 0.5
        times = times.clip(0, heard - 1)
        curves = (PchipInterpolator(np.arange(heard), point)(times) for point in motion.numpy().swapaxes(0, 1))
        motion = torch.from_numpy(np.stack([curve.astype(np.float32) for curve in curves], 1))
    motion, rest = motion[None, :num_frames], quiet_weight(audio, num_frames, fps)
    return draw_in(seal_lips(settle(motion, rest), rest))[0], model.config.reference_width


def _hear_piece(model: LipDecoderModel, audio: np.ndarray, first: int, frames: int) -> torch.Tensor:
    """Motion (up to `PIECE`, 57, 2) from picture `first` on of `frames`, heard with what is around it."""
    begin, end = max(0, first - HEARD_AROUND), min(frames, first + PIECE + HEARD_AROUND)
    samples = audio[round(begin / SOUND_FPS * SAMPLING_RATE) :]
    features = torch.from_numpy(log_mel(samples, end - begin, SOUND_FPS))[None]
    motion = model(features.to(execution_device(model)), fps=SOUND_FPS).motion[0].float().cpu()
    return motion[first - begin :][:PIECE]
