"""What a writer is given: one clip, whose frames are perhaps not drawn yet, and what is asked of its file."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from text2lip.arguments import asked
from text2lip.exports.frame_size import read_size
from text2lip.exports.picture_label import LEAST, letters_of
from text2lip.exports.provenance import Origin
from text2lip.media.codecs import CODECS
from text2lip.motion.motion_plan import MotionPlan
from text2lip.text.timing import Segment


if TYPE_CHECKING:
    from text2lip.motion.blendshapes import BlendShapes
    from text2lip.motion.lips import LipMotion


@dataclass(eq=False)
class Clip:
    """One clip for a writer.

    Attributes:
        frames (`Iterable[np.ndarray]`): uint8 (height, width, 3), drawn as they are taken, once; a writer that needs
            none leaves them alone.
        num_frames (`int`): how many those are.
        fps (`float`): frames per second.
        size (`tuple[int, int]`): height and width of the frames, pixels.
        audio (`np.ndarray`, *optional*): float32 in [-1, 1], (samples,) or (channels, samples).
        sampling_rate (`int`, *optional*): of `audio`, Hz.
        landmarks (`np.ndarray`): float32 (num_frames, 478, 2), normalised by width and height.
        visemes, phones, words (`list[Segment]`): with times in seconds.
        times_from (`str`, *optional*): what those come from, see [`Speech`]; of "sound" there are none.
        motion_plan ([`MotionPlan`], *optional*): of a portrait that does more than move its lips.
        origin ([`Origin`]): what it was made of.
        before (`Callable[[int], Iterable[np.ndarray]]`, *optional*): gives that, as so many frames of the same size.
        lip_motion ([`LipMotion`], *optional*): what a face makes of them, for files of motion.
    """

    frames: Iterable[np.ndarray]
    num_frames: int
    fps: float
    size: tuple[int, int]
    audio: np.ndarray | None
    sampling_rate: int | None
    landmarks: np.ndarray
    visemes: list[Segment]
    phones: list[Segment]
    words: list[Segment]
    times_from: str | None
    motion_plan: MotionPlan | None
    origin: Origin = Origin()
    before: Callable[[int], Iterable[np.ndarray]] | None = None
    lip_motion: "LipMotion | None" = None

    @cached_property
    def blendshapes(self) -> "BlendShapes":
        """Weights of ARKit's shapes, see [`blendshapes_of`]; of the lips alone where there is no `motion_plan`.

        Raises:
            ValueError: nobody knows how the lips move.
        """
        if self.lip_motion is None:
            raise ValueError("lip_motion: None; a file of motion needs it.")
        from text2lip.motion.blendshapes import blendshapes_of

        plan = self.motion_plan
        motion = replace(self.lip_motion, plan_of=None if plan is None else lambda: plan)
        return blendshapes_of(motion, self.num_frames)

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.num_frames / self.fps


@dataclass(frozen=True)
class SaveOptions:
    """What may be asked of a file, the same for `save` and for the command.

    Args:
        crf (`int`, *optional*): quality of a video, from 0 (best) to 51, or 63 of VP9 and AV1; by default one that
            looks like the frames. ProRes has none.
        codec (`str`, *optional*): "h264", "h265", "vp9", "av1" or "prores", see [`~text2lip.media.codecs.CODECS`]; by
            default the one that most players know.
        size (`int` or `str`, *optional*): longest side in pixels, or "WIDTHxHEIGHT", into which the frames are fitted.
        compare (`bool`): what the clip was made of on the left, the clip on the right.
        mark (`bool`): say in the file that it is synthetic: in its metadata, and by a signed C2PA manifest where the
            format has a place for one; see `docs/source/en/synthetic_mark.md`.
        certificate (`str`, *optional*): who signs that, see [`signing_identity`]; a local certificate by default.
        label (`bool` or `str`): a line of text in a corner of the picture; True for "AI-generated".

    Raises:
        ValueError: a value that can't be used.
    """

    crf: int | None = asked(
        None, "--crf", type=int, metavar="N", help="quality of the video: 0 is the best, 51 the worst (default: 18)"
    )
    codec: str | None = asked(
        None, "--codec", choices=tuple(CODECS), help="of the video (default: h264; webm: vp9; transparent mov: prores)"
    )
    size: int | str | None = asked(
        None, "--size", metavar="N", help="longest side in pixels, or WIDTHxHEIGHT to fit into (default: as it is)"
    )
    compare: bool = asked(False, "--compare", action="store_true", help="before and after, side by side")
    mark: bool = asked(True, "--no-mark", action="store_false", help="don't say in the file that it is synthetic")
    certificate: str | os.PathLike | None = asked(
        None, "--certificate", metavar="FILE", help="PEM of a key and its certificate, which sign the mark"
    )
    label: bool | str = asked(
        False, "--label", nargs="?", const=True, metavar="TEXT", help="write 'AI-generated', or TEXT, in the picture"
    )

    def __post_init__(self):
        if self.crf is not None and (type(self.crf) is not int or not 0 <= self.crf <= 63):
            raise ValueError(f"crf: {self.crf!r}; wants a whole number from 0 (best) to 51, or 63 of VP9 and AV1.")
        if self.codec not in (None, *CODECS):
            raise ValueError(f"codec: {self.codec!r}; choose one of {', '.join(CODECS)}.")
        if self.size is not None:
            read_size(self.size)
        if not isinstance(self.label, (bool, str)):
            raise ValueError(f"label: {self.label!r}; wants True, False or a text.")
        if isinstance(self.label, str):
            letters_of(self.label, LEAST)
        if self.certificate is not None and not self.mark:
            raise ValueError("certificate: given, but mark is False; leave one of them out.")

    @classmethod
    def of(cls, **asked: Any) -> "SaveOptions":
        """Options by name.

        Raises:
            TypeError: there is no option of that name.
            ValueError: as above.
        """
        if unknown := sorted(asked.keys() - SAVE_OPTIONS.keys()):
            raise TypeError(f"save() has no option {unknown[0]!r}; there are {', '.join(SAVE_OPTIONS)}.")
        return cls(**asked)


SAVE_OPTIONS = {field.name: field for field in fields(SaveOptions)}


def mark_of(clip: Clip, options: SaveOptions) -> dict[str, str]:
    """What a file of motion says of its origin, by IPTC's vocabulary; nothing if no mark is asked for."""
    told = {"digitalSourceType": clip.origin.source_type, "statement": clip.origin.statement}
    return told if options.mark else {}
