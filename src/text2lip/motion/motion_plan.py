"""What a face does beside its lips, frame by frame: head, gaze, lids, brows, mouth corners, breath."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from text2lip.files import replaced_file


_HEAD = ("headYaw", "headPitch", "headRoll", "headX", "headY")
_GAZE = ("gazeYaw", "gazePitch")
FACE_UNITS = (
    "eyeBlinkLeft", "eyeBlinkRight", "eyeWideLeft", "eyeWideRight", "eyeSquintLeft", "eyeSquintRight",
    "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "browDownLeft", "browDownRight",
    "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight",
    "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight", "mouthPressLeft", "mouthPressRight",
    "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight", "jawOpen",
)  # fmt: skip
CHANNELS = (*_HEAD, *_GAZE, *FACE_UNITS, "breath")
"""Channels of a [`MotionPlan`], in the order of its columns."""
LIMITS = (
    dict.fromkeys((*_HEAD[:3], *_GAZE), (-30.0, 30.0))
    | dict.fromkeys(_HEAD[3:], (-0.5, 0.5))
    | dict.fromkeys(FACE_UNITS, (0.0, 1.0))
    | {"breath": (-1.0, 1.0)}
)
"""The least and the most that each channel may be."""
MAX_FRAMES = 10**6
"""The most frames that a plan's JSON may say there are."""
_COLUMNS = {name: column for column, name in enumerate(CHANNELS)}


@dataclass(frozen=True, eq=False)
class MotionPlan:
    """The motion of a face beside its lips, relative to how the portrait holds it; all zeros is the portrait itself.

    "Left" is the person's own left. Degrees: `headYaw` (over 0: the nose goes to the viewer's right), `headPitch`
    (over 0: up), `headRoll` (over 0: the top of the head goes to the viewer's right), `gazeYaw` and `gazePitch` (as
    the head's, beside it). Fractions of the face's width: `headX` (right), `headY` (down). From 0 to 1, by their names
    in ARKit's `ARFaceAnchor.BlendShapeLocation`: eyes, brows, cheeks, nose and mouth; `jawOpen` opens further what
    speech opens. `breath` from -1 (out) to 1 (in), of the shoulders. Limits are in `LIMITS`.

    Args:
        values (`np.ndarray`): float32 (frames, 34), a column for each of `CHANNELS`.
        fps (`float`): frames per second; frame f is the picture at (f + 1/2) / fps.

    Raises:
        ValueError: values of another shape, or that a channel may not have.

    Examples:

    ```python
    >>> plan = MotionPlan.still(50, 25)
    >>> plan["headYaw"][:] = np.linspace(0, 5, 50)  # turns by 5 degrees
    >>> plan.save("turn.json")
    ```
    """

    values: np.ndarray
    fps: float

    def __post_init__(self):
        values = np.array(self.values, np.float32)
        if values.ndim != 2 or values.shape[1] != len(CHANNELS):
            raise ValueError(f"motion_plan: values of shape {values.shape}; wants (frames, {len(CHANNELS)}).")
        if isinstance(self.fps, bool) or not isinstance(self.fps, Real) or not 0 < self.fps < 1e6:
            raise ValueError(f"motion_plan: fps {self.fps!r}; wants a number of frames per second over 0, to 1e6.")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "fps", float(self.fps))
        self.check()

    def check(self) -> "MotionPlan":
        """Itself, if each value is within its channel's limits; `ValueError` names the first that isn't."""
        low, high = np.float32([LIMITS[name] for name in CHANNELS]).T
        wrong = np.argwhere(~((self.values >= low) & (self.values <= high)))
        if len(wrong):
            frame, column = wrong[0]
            least, most = LIMITS[CHANNELS[column]]
            value = f"{CHANNELS[column]} is {self.values[frame, column]:g} in frame {frame}"
            raise ValueError(f"motion_plan: {value}; wants a number from {least:g} to {most:g}.")
        return self

    @classmethod
    def still(cls, frames: int, fps: float) -> "MotionPlan":
        """A face that holds still."""
        return cls(np.zeros((frames, len(CHANNELS)), np.float32), fps)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, key: str | slice) -> "np.ndarray | MotionPlan":
        """A channel by its name, float32 (frames,), a view that may be written to; or some of the frames, as a plan.

        Raises:
            ValueError: no channel of that name.
        """
        if isinstance(key, slice):
            return MotionPlan(self.values[key], self.fps)
        return self.values[:, channel_column(key)]

    def row(self, frame: int) -> dict[str, float]:
        """The channels of one frame, by name."""
        return dict(zip(CHANNELS, self.values[frame].tolist()))

    def fitted(self, frames: int, fps: float) -> "MotionPlan":
        """The same motion in so many frames at another rate: what is too long is cut, at its end it stays.

        Raises:
            ValueError: a plan without frames.
        """
        if not len(self):
            raise ValueError("motion_plan: 0 frames; wants one at least.")
        if self.fps == fps and len(self) == frames:
            return self
        times, known = (np.arange(frames) + 0.5) / fps, (np.arange(len(self)) + 0.5) / self.fps
        return MotionPlan(np.stack([np.interp(times, known, channel) for channel in self.values.T], 1), fps)

    @classmethod
    def of(cls, plan: Any, fps: float | None = None) -> "MotionPlan":
        """A plan of what a user gives: a plan, a path to its JSON, an array, or a mapping as in the JSON.

        Args:
            plan: the plan. A mapping of channels needs `fps`, as does an array (frames, 34).
            fps (`float`, *optional*): frames per second of what doesn't say them.

        Raises:
            ValueError: it can't be read as a plan, or a value is out of range.
        """
        if isinstance(plan, cls):
            return plan.check()
        if isinstance(plan, (str, os.PathLike)):
            return cls.load(plan, fps)
        if isinstance(plan, Mapping):
            told = plan if "channels" in plan else {"channels": plan}
            return cls.from_json({"fps": fps, **told})
        try:
            values = np.asarray(plan, np.float32)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"motion_plan: got {type(plan).__name__}; wants a MotionPlan, its JSON, or an array (frames, "
                f"{len(CHANNELS)})."
            ) from error
        return cls(values, fps)

    def to_json(self) -> dict[str, Any]:
        """`{"fps": 25.0, "frames": 75, "channels": {"headYaw": [...], ...}}`; channels that are all 0 are left out."""
        channels = {name: [round(float(value), 4) for value in self[name]] for name in CHANNELS if np.any(self[name])}
        return {"fps": self.fps, "frames": len(self), "channels": channels}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "MotionPlan":
        """The plan of [`to_json`]; a number in the place of a list holds for all frames, what is left out is 0.

        A list of another length than the longest's, or than `frames`, is fitted, as [`fitted`] does.

        Raises:
            ValueError: a channel that there isn't, no values, over `MAX_FRAMES` of them, or one out of range.
        """
        if not isinstance(told, Mapping) or not isinstance(told.get("channels"), Mapping):
            raise ValueError('motion_plan: wants {"fps": ..., "channels": {"headYaw": [...], ...}}.')
        channels = told["channels"]
        lengths = {name: len(row) for name, row in channels.items() if isinstance(row, (list, tuple, np.ndarray))}
        frames = told.get("frames", max(lengths.values(), default=1))
        if isinstance(frames, bool) or not isinstance(frames, (int, np.integer)) or not 0 <= frames <= MAX_FRAMES:
            raise ValueError(f"motion_plan: frames {frames!r}; wants how many there are, to {MAX_FRAMES}.")
        plan = cls.still(int(frames), told.get("fps"))
        for name, row in channels.items():
            column = channel_column(name)
            if frames and not lengths.get(name, frames):
                raise ValueError(f"motion_plan: {name} has no values for {frames} frames; give one at least.")
            if name in lengths:
                row = [*row[:frames], *([row[-1]] * (frames - lengths[name]) if frames else ())]
            try:
                plan.values[:, column] = row
            except (TypeError, ValueError, OverflowError) as error:
                raise ValueError(f"motion_plan: {name} holds what is no number ({error}).") from error
        return plan.check()

    def save(self, path: str | os.PathLike) -> None:
        """Write [`to_json`] to `path`, a channel a line."""
        told = self.to_json()
        rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in told["channels"].items())
        text = f'{{"fps": {json.dumps(self.fps)}, "frames": {len(self)}, "channels": {{\n{rows}\n}}}}\n'
        with replaced_file(path, "motion_plan") as temporary:
            temporary.write_text(text, "utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike, fps: float | None = None) -> "MotionPlan":
        """Read what [`save`] wrote, or a mapping of channels, which needs `fps`.

        Raises:
            ValueError: there is no such file, or it holds no plan.
        """
        try:
            told = json.loads(Path(path).read_text("utf-8"))
        except FileNotFoundError as error:
            raise ValueError(f"motion_plan: no file at {os.fspath(path)!r}.") from error
        except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
            raise ValueError(f"motion_plan: {os.fspath(path)!r} can't be read as JSON ({error}).") from error
        return cls.of(told, fps) if isinstance(told, Mapping) else cls.from_json(told)


def channel_column(name: str) -> int:
    """Number of a channel among `CHANNELS`.

    Raises:
        ValueError: there is no such channel.
    """
    if name not in _COLUMNS:
        raise ValueError(f"motion_plan: there is no channel {name!r}; there are {', '.join(CHANNELS)}.")
    return _COLUMNS[name]
