"""A plan of head, eyes, brows and breath for what is said, and for listening: by phrases, stress and chance.

What people do, and where it is from: heads nod on stressed syllables and hardly move while they listen (Hadar et al.
1983; Munhall et al. 2004), take another posture where a phrase begins (Graf et al. 2002), and brows rise with
emphasis, new topics and questions (Flecha-Garcia 2010; Srinivasan & Massaro 2003). Eyes blink some 17 times a minute
at rest, 26 in talk (Bentivoglio et al. 1997), between phrases (Nakano & Kitazawa 2010), closing faster than they open
(VanderWerf et al. 2003). Gaze leaves the other for a second in four while talking, seldom while
listening, in saccades of which most are small (Lee, Badler & Badler 2002), and turns against the head. Breath is drawn
before phrases (McFarland 2001). Sizes were set by those and by `examples/benchmarks/head_motion.py`.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from text2lip.motion.feelings import feeling_channels, liveliness
from text2lip.motion.motion_plan import CHANNELS, LIMITS, MotionPlan, channel_column
from text2lip.motion.phrasing import Phrase


# set by hand, seconds and degrees unless said otherwise
CLIP_EDGE = 0.7  # in which all motion sets in and dies away at either end of a clip
POSTURE = (2.0, 1.1, 1.2)  # standard deviations of yaw, pitch, roll
LISTENING = 0.4  # of the size of postures and noise, and
STILL_FOR = (3.0, 8.0)  # between changes, while nobody speaks
TURN_TIME = (0.45, 0.9)  # that a change of posture takes
HELD_FOR = 1.2  # that a posture is held for at least
DRIFT = {"headYaw": (0.5, 0.16), "headPitch": (0.4, 0.2), "headRoll": (0.35, 0.1), "headX": (0.004, 0.0),
         "headY": (0.003, 0.0)}  # fmt: skip
DRIFT_KNOTS = (1.1, 0.3)  # between the knots of that noise, slow and fast
NOD, NOD_SPREAD = 1.7, 0.35  # usual depth, and its spread (of the logarithm)
NOD_CHANCE, NOD_REST, NOD_MOST = 0.62, 0.4, 2.2  # of a stress of size 1; between two; size that counts
NOD_TIME = (0.16, 0.24), (0.25, 0.4)  # down, up
BLINK_EVERY = (3.3, 4.4)  # mean, speaking and listening
BLINK_SPREAD, BLINK_LEAST, BLINK_MOST = 0.5, 1.5, (6.0, 7.0)  # of the logarithm; between two, least and most
BLINK_NEAR = 0.9  # a blink comes at a boundary that is so near
BLINK_TIME = (0.1, 0.125), (0.01, 0.03), (0.17, 0.22)  # closing, shut, opening
LID_RISE = 0.75  # power of the time of opening: lids rise fast at first
LOOK, AWAY = (2.9, 7.0), (0.9, 0.5)  # mean, speaking and listening
LOOK_AWAY, GLANCE = 7.0, 0.7  # largest saccade away; usual one within a look
DEGREE_TIME = (0.025, 0.0024)  # a saccade takes, and for each degree
BROW_LEAD = 0.06  # brows go before the syllable
FEELING_TIME = (0.45, 0.5)  # a feeling comes, and goes
BREATH_REST, INHALE = (1.4, 2.6), 0.45  # in and out at rest; in, before a phrase


class _Bump(NamedTuple):
    """A row that comes between `start` and `full` and goes between `held` and `end`; "inf" for one that stays."""

    start: float
    full: float
    held: float
    end: float
    row: np.ndarray


def _ease(x: np.ndarray) -> np.ndarray:
    """0 below 0, 1 above 1, and between what a hand does: the least jerk (Flash & Hogan 1985)."""
    x = np.clip(x, 0, 1)
    return x * x * x * (10 + x * (6 * x - 15))


def _row(**channels: float) -> np.ndarray:
    """A plan's row; a name that both sides have, as `browOuterUp`, means both."""
    row = np.zeros(len(CHANNELS), np.float32)
    for name, value in channels.items():
        for one in [name] if name in CHANNELS else [name + "Left", name + "Right"]:
            row[channel_column(one)] = value
    return row


class Planner:
    """The motion of one face over one clip; any stretch of it can be asked for, and is the same however it's cut.

    Args:
        phrases (`Sequence[Phrase]`): what the face says, in order; none: it listens.
        frames (`int`): of the clip. All but `feeling` is at rest in its first and its last one.
        fps (`float`): frames per second.
        life (`float`): size of the motion, 0 to 2: 1 is natural, 0 leaves `feeling` alone. Blinks are whole ones.
        feeling (`dict[str, float]`): of the whole clip, where a phrase has none of its own.
        seed (`int`): of all that is left to chance; equal seeds give equal plans.
    """

    def __init__(
        self,
        phrases: Sequence[Phrase],
        frames: int,
        fps: float,
        life: float = 1.0,
        feeling: dict[str, float] | None = None,
        seed: int = 0,
    ):
        self.phrases, self.frames, self.fps, self.life, self.seed = list(phrases), frames, float(fps), life, seed
        self.feeling = dict(feeling or {})
        self.duration = max(frames - 1, 0) / self.fps
        self._moods = list(self._feelings())
        self._postures = list(self._posture_changes())
        self._gazes = list(self._gaze_shifts())
        self._breaths = list(self._breathing())
        self._bumps = sorted(self._gestures(), key=lambda bump: bump.start)
        self._lids = list(self._blinks())

    def plan(self, first: int = 0, last: int | None = None) -> MotionPlan:
        """Frames `first` to before `last`, all by default."""
        numbers = np.arange(first, self.frames if last is None else last)
        times = numbers / self.fps
        values = np.zeros((len(times), len(CHANNELS)), np.float32)
        if self.life:
            self._add_noise(values, times)
            values[:, :3] += self.life * _steps(self._postures, times)
            for bump in self._bumps:
                near = slice(*np.searchsorted(times, [bump.start, bump.end]))
                if near.start < near.stop:
                    values[near] += _weight(bump, times[near])[:, None] * bump.row
            values[:, channel_column("breath")] += min(self.life, 1) * _steps(self._breaths, times)[:, 0]
            gaze = [channel_column("gazeYaw"), channel_column("gazePitch")]
            values[:, gaze] += (
                min(self.life, 1) * _steps(self._gazes, times) - values[:, :2]
            )  # eyes stay where they look
            values *= (_ease(times / CLIP_EDGE) * _ease((self.duration - times) / CLIP_EDGE))[:, None]
            for bump in self._lids:  # none is near the ends, and blinks are whole ones
                values += _lid_weight(bump, times)[:, None] * bump.row
        for bump in self._moods:
            values += _weight(bump, times)[:, None] * bump.row
        low, high = np.float32([LIMITS[name] for name in CHANNELS]).T
        return MotionPlan(values.clip(low, high), self.fps)

    def _chance(self, *key: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, *key))

    def _speaking(self, times: np.ndarray) -> np.ndarray:
        """How far it speaks, 0 to 1, at times (n,)."""
        speaking = np.zeros(len(times))
        for phrase in self.phrases:
            bump = _Bump(phrase.start - 0.3, phrase.start, phrase.end, phrase.end + 0.6, None)
            speaking = np.maximum(speaking, _weight(bump, times))
        return speaking

    def _lively(self, time: float) -> float:
        feeling = next((p.feeling for p in self.phrases if p.start <= time <= p.end and p.feeling is not None), None)
        return liveliness(self.feeling if feeling is None else feeling)

    def _add_noise(self, values: np.ndarray, times: np.ndarray) -> None:
        """Small motion that never stops: noise through knots, a spline between them."""
        size = self.life * (LISTENING + (1 - LISTENING) * self._speaking(times))
        for number, (name, sizes) in enumerate(DRIFT.items()):
            for level, (knot, amount) in enumerate(zip(DRIFT_KNOTS, sizes)):
                place = times / knot
                before = np.floor(place).astype(int)
                part = place - before
                corners = np.stack([self._knots(number, level, before + k) for k in (-1, 0, 1, 2)])
                cubic = np.stack(
                    [(1 - part) ** 3, 3 * part**3 - 6 * part**2 + 4, 1 + 3 * part * (1 + part - part**2), part**3]
                )
                values[:, channel_column(name)] += amount * size * (corners * cubic).sum(0) / 6 / 0.69  # its own size

    def _knots(self, number: int, level: int, places: np.ndarray) -> np.ndarray:
        blocks = (places + 1) // 64
        known = {b: self._chance(1, number, level, b).standard_normal(64) for b in np.unique(blocks).tolist()}
        return np.array([known[b][(p + 1) % 64] for b, p in zip(blocks.tolist(), places.tolist())])

    def _posture_changes(self) -> Iterator[tuple[float, float, np.ndarray]]:
        """When it begins, when it is done, and yaw, pitch, roll of each posture."""
        clock = 0.0
        starts = [(phrase.start - 0.15, phrase) for phrase in self.phrases]
        for number, (start, phrase) in enumerate([*starts, (self.duration, None)]):
            quiet = self.phrases[number - 1].end if number else 0.0
            while start - max(clock, quiet) > STILL_FOR[1]:  # listening
                chance = self._chance(2, round(1e3 * clock))
                begin = max(clock, quiet) + chance.uniform(*STILL_FOR)
                length = chance.uniform(*TURN_TIME) * 1.3
                yield begin, begin + length, LISTENING * self._posture(chance)
                clock = begin + length
            if phrase is None or start < clock + HELD_FOR * (number > 0):
                continue
            chance = self._chance(3, number)
            length = chance.uniform(*TURN_TIME)
            yield max(start, clock), max(start, clock) + length, self._posture(chance) * self._lively(phrase.start)
            clock = max(start, clock) + length

    def _posture(self, chance: np.random.Generator) -> np.ndarray:
        return chance.standard_normal(3).clip(-2, 2) * POSTURE

    def _gestures(self) -> Iterator[_Bump]:
        """Nods and brows of stressed words, and what questions and ends of sentences ask for."""
        last = -1.0
        for number, phrase in enumerate(self.phrases):
            lively = self.life * self._lively(phrase.start)
            chance = self._chance(4, number)
            if phrase.opens and chance.random() < 0.3:
                start = phrase.start - 0.15
                row = min(lively, 1.5) * _row(browInnerUp=0.2, browOuterUp=0.28)
                yield _Bump(start, start + 0.2, start + 0.45, start + 1.0, row)
            for stress in phrase.stresses:
                dice, turn = chance.random(3), chance.standard_normal(3)
                if stress.emphatic or dice[1] < 0.1 * stress.size:
                    at, size = stress.time - BROW_LEAD, 0.75 if stress.emphatic else 0.3
                    row = min(lively, 1.5) * size * _row(browInnerUp=0.7, browOuterUp=1.0)
                    yield _Bump(at - 0.16, at, max(at + 0.1, stress.end - 0.05), max(at + 0.1, stress.end) + 0.3, row)
                if not stress.emphatic and (stress.time - last < NOD_REST or dice[0] > NOD_CHANCE * stress.size):
                    continue
                depth = lively * NOD * min(stress.size, NOD_MOST) ** 1.2 * np.exp(NOD_SPREAD * turn[0])
                down, up = (low + (high - low) * dice[2] for low, high in NOD_TIME)
                row = depth * _row(headPitch=-1.0, headYaw=0.25 * turn[1], headRoll=0.2 * turn[2], headY=0.003)
                yield _Bump(stress.time - down, stress.time, stress.time + 0.04, stress.time + up, row)
                last = stress.time
            yield from self._endings(phrase, lively, chance)

    def _endings(self, phrase: Phrase, lively: float, chance: np.random.Generator) -> Iterator[_Bump]:
        side, over = chance.choice([-1, 1]), max(phrase.start, phrase.end - 1.2)
        if phrase.question == "yes-no":
            row = lively * _row(headPitch=2.2, headRoll=side * 1.5) + min(lively, 1.5) * _row(
                browInnerUp=0.45, browOuterUp=0.55, eyeWide=0.15
            )
            last = phrase.stresses[-1].time if phrase.stresses else over
            yield _Bump(min(over, last) - 0.2, max(last, over + 0.1), phrase.end + 0.35, phrase.end + 0.9, row)
        elif phrase.question == "wh":
            row = lively * _row(headPitch=0.8, headRoll=side * 2.2) + min(lively, 1.5) * _row(
                browInnerUp=0.3, browDown=0.2
            )
            yield _Bump(phrase.start - 0.1, phrase.start + 0.4, phrase.end + 0.2, phrase.end + 0.8, row)
        elif phrase.mark in (".", "!"):
            row = lively * _row(headPitch=-0.9)
            yield _Bump(over, phrase.end, phrase.end + 0.25, phrase.end + 0.9, row)

    def _blinks(self) -> Iterator[_Bump]:
        """Blinks, by chance after the one before, but where a phrase ends or gaze goes far if that is near."""
        far = [start for start, _, gaze in self._gazes if np.hypot(*gaze) > 4]
        places = np.sort([*(phrase.end + 0.05 for phrase in self.phrases), *far])
        chance, clock, number = self._chance(5), 0.3, 0
        clock -= chance.exponential(1.5)
        while True:
            chance, number = self._chance(5, number), number + 1
            speaks = any(phrase.start - 0.3 <= clock + 2 <= phrase.end + 0.3 for phrase in self.phrases)
            mean = BLINK_EVERY[0 if speaks else 1]
            most = BLINK_MOST[0 if speaks else 1]
            waits = mean * np.exp(BLINK_SPREAD * chance.standard_normal(8) - BLINK_SPREAD**2 / 2)
            time = clock + next((wait for wait in waits if BLINK_LEAST < wait < most), mean)
            later = chance.uniform(-0.02, 0.14)
            near = places + later
            near = near[(np.abs(near - time) < BLINK_NEAR) & (near > clock + BLINK_LEAST) & (near < clock + most)]
            if len(near) and chance.random() < 0.85:
                time = float(near[np.abs(near - time).argmin()])
            close, shut, opening = (chance.uniform(*span) for span in BLINK_TIME)
            shut = max(shut, 1 / self.fps)  # seen in one frame at least
            if time + close + shut + opening > self.duration - CLIP_EDGE / 2:
                return
            if time > CLIP_EDGE / 2:
                row = _row(eyeBlink=1.0 if chance.random() > 0.08 else 0.75)
                yield _Bump(time, time + close, time + close + shut, time + close + shut + opening, row)
            clock = time

    def _gaze_shifts(self) -> Iterator[tuple[float, float, np.ndarray]]:
        """When a saccade begins, when it ends, and where gaze then is: yaw and pitch from who looks at the picture."""
        clock, number = 0.0, 0
        while clock < self.duration:
            chance, number = self._chance(6, number), number + 1
            speaks = any(phrase.start - 0.5 <= clock + 1 <= phrase.end + 0.5 for phrase in self.phrases)
            until = clock + max(0.6, chance.exponential(LOOK[0 if speaks else 1]))
            starts = [p.start - 0.1 for p in self.phrases if abs(p.start - until) < 0.8 and p.start > clock + 0.5]
            until = starts[0] if starts and _opens(self.phrases, starts[0]) and chance.random() < 0.7 else until
            while True:  # from one eye of the other to the other eye
                clock += chance.uniform(0.5, 1.6)
                if clock >= until:
                    break
                gaze = chance.standard_normal(2) * (GLANCE, 0.5 * GLANCE)
                yield clock, clock + 0.04, gaze
            far = min(LOOK_AWAY, max(1.5, -6.9 * np.log(chance.uniform(1, 15) / 15.7)))
            angle = chance.choice([0, np.pi, -0.5 * np.pi, 0.25 * np.pi, 0.75 * np.pi]) + chance.uniform(-0.35, 0.35)
            gaze, takes = far * np.array([np.cos(angle), 0.7 * np.sin(angle)]), DEGREE_TIME[0] + DEGREE_TIME[1] * far
            yield until, until + takes, gaze
            clock = until + max(0.3, chance.exponential(AWAY[0 if speaks else 1]))
            yield clock, clock + takes, np.zeros(2)

    def _breathing(self) -> Iterator[tuple[float, float, np.ndarray]]:
        """In and out: at its own pace at rest, in before a phrase that follows a pause, out while it is said."""
        clock, number = 0.0, 0
        phrases = [p for n, p in enumerate(self.phrases) if not n or p.start - self.phrases[n - 1].end > 0.25]
        for phrase in [*phrases, None]:
            begin = self.duration if phrase is None else phrase.start - INHALE
            while begin - clock > sum(BREATH_REST) * 1.2:
                chance, number = self._chance(7, number), number + 1
                within, out = chance.uniform(0.85, 1.2, 2) * BREATH_REST
                yield clock, clock + within, np.array([0.8])
                yield clock + within, clock + within + out, np.array([-0.6])
                clock += within + out
            if phrase is not None and begin >= clock - INHALE / 2:
                later = [p.start for p in phrases if p.start > phrase.start]
                ends = [
                    p.end for p in self.phrases if p.end <= (later[0] if later else np.inf) and p.end > phrase.start
                ]
                begin, end = max(begin, clock), max([phrase.start + 0.4, *ends[-1:]])
                yield begin, begin + INHALE, np.array([0.9])
                yield begin + INHALE, max(end, begin + INHALE + 0.3), np.array([-0.7])
                clock = max(end, begin + INHALE + 0.3)

    def _feelings(self) -> Iterator[_Bump]:
        """The feeling of the clip throughout, others from before their phrases until after them."""
        base = feeling_channels(self.feeling)
        yield _Bump(-2.0, -1.0, np.inf, np.inf, base)
        groups: list[list] = []
        for phrase in self.phrases:
            if phrase.feeling is None or phrase.feeling == self.feeling:
                groups.append([])
            elif groups and groups[-1] and groups[-1][-1].feeling == phrase.feeling:
                groups[-1].append(phrase)
            else:
                groups.append([phrase])
        for group in filter(None, groups):
            start = max(group[0].start - 0.3, 0.0)
            pace = min(1.0, max(self.duration - start, 0.0) / sum(FEELING_TIME))  # gone before the clip ends
            rise, fall = (pace * seconds for seconds in FEELING_TIME)
            held = max(start + rise, min(group[-1].end + 0.3, self.duration - fall))
            row = feeling_channels(group[0].feeling) - base
            yield _Bump(start, start + rise, held, held + fall, row)


def _opens(phrases: Sequence[Phrase], start: float) -> bool:
    """Whether a sentence begins at that start."""
    return any(phrase.opens for phrase in phrases if abs(phrase.start - 0.1 - start) < 1e-6)


def _weight(bump: _Bump, times: np.ndarray) -> np.ndarray:
    rise = _ease((times - bump.start) / max(bump.full - bump.start, 1e-6))
    if bump.end == np.inf:
        return rise
    return rise * (1 - _ease((times - bump.held) / max(bump.end - bump.held, 1e-6)))


def _lid_weight(bump: _Bump, times: np.ndarray) -> np.ndarray:
    """Of a blink: evener than other motion when it closes, and opening fast at first."""
    closing = np.clip((times - bump.start) / (bump.full - bump.start), 0, 1)
    opening = np.clip((times - bump.held) / (bump.end - bump.held), 0, 1) ** LID_RISE
    return closing * closing * (3 - 2 * closing) * (1 - opening * opening * (3 - 2 * opening))


def _steps(steps: Sequence[tuple[float, float, np.ndarray]], times: np.ndarray) -> np.ndarray:
    """What goes from each value to the next one, in order and each in its time: (times, n), from 0."""
    if not steps:
        return np.zeros((len(times), 1))
    starts, ends = np.array([step[:2] for step in steps]).T
    values = np.array([np.zeros_like(steps[0][2]), *(step[2] for step in steps)])
    which = np.searchsorted(starts, times, side="right")
    before, after = values[np.maximum(which - 1, 0)], values[which]
    last = np.maximum(which - 1, 0)
    part = _ease((times - starts[last]) / (ends[last] - starts[last]))
    return np.where(which[:, None] > 0, before + (after - before) * part[:, None], values[0])
