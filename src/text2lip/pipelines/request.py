"""All that can be asked of a clip, written once: the pipeline's methods and the command line are made from it."""

import math
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, fields, replace
from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeAlias

from text2lip.arguments import asked, is_number, taking
from text2lip.motion.motion_plan import MotionPlan
from text2lip.renderers.sampling import SamplingOptions
from text2lip.speech.dialogue import Scripted
from text2lip.speech.speakers import Speaker, is_dialogue, named_speakers, which_speaker
from text2lip.text.feeling_marks import read_feeling
from text2lip.text.timing import Timeline


if TYPE_CHECKING:
    import numpy as np
    import torch
    from PIL import Image

    from text2lip.faces.landmarker import Face
    from text2lip.faces.person import Person
    from text2lip.renderers.base import Renderer
    from text2lip.speech import Speech, Synthesizer

Picture: TypeAlias = "str | os.PathLike | Image.Image | np.ndarray | torch.Tensor"  # one, or all of a film
Sound: TypeAlias = "str | os.PathLike | np.ndarray | torch.Tensor | Speech"
Voice: TypeAlias = "str | Synthesizer | Callable | None"

MOTIONS = ("articulatory", "networks", "sound")
CONDITIONS = ("none", "speech", "pseudo")
BACKGROUNDS = ("replace", "keep")
VIDEO_ENDS = ("loop", "hold", "cut")
MAX_FPS = 120
MAX_MINUTES = 120  # of one clip; all of its landmarks stay in memory


def which_face(value: str) -> int | tuple[float, ...] | str:
    """A number, a box of four numbers, or the name of a picture."""
    try:
        box = tuple(float(number) for number in value.split(","))
    except ValueError:
        return value
    return int(value) if re.fullmatch(r"-?\d+", value.strip()) else box if len(box) == 4 else value


@dataclass(frozen=True, eq=False)
class Text2LipRequest(Scripted):
    """What is asked of [`Text2LipPipeline`].

    Args:
        prompt (`str` or `list[str]`): what is said, plain text, SSML or the text of subtitles; a list makes a batch.
            With `speakers` a dialogue: a list of (speaker, text), or a text with lines such as "Ann: Hello."
            May be None where `timings` say what is spoken, and for `audio`, which then is recognised or moves the
            lips by itself.
        image: the portrait: path, `PIL.Image`, uint8 (height, width, 3), or a tensor (3, height, width) or
            (1, 3, height, width), float in [0, 1] or uint8. Or a film to dub: the path of a video, a list of
            pictures, an array (frames, height, width, 3), a tensor (frames, 3, height, width); only its mouth
            changes. For a list of prompts, one for all or a list of them.
        speakers (`dict[str, Speaker]`, *optional*): who speaks in a dialogue, by name: a [`Speaker`], with a voice and
            a face, or a dictionary of its arguments. Who does not speak listens, the mouth shut.
        voice: name of a voice (see [`list_voices`]), a function or [`Synthesizer`], or None for a silent film; for a
            list of prompts, one for all or a list of them.
        audio: the user's own speech: path or float (samples,) or (channels, samples) in [-1, 1], or a list; the
            lips are aligned to it, and it becomes the sound. Without a prompt see `recogniser`.
        sampling_rate (`int`, *optional*): of `audio` given as an array, Hz.
        timings: list of (IPA phone, start s, end s), or a timing file; takes the place of alignment. Subtitles (.srt,
            .vtt) are a script: the voice says each when it is shown, at a pace of 0.8 to 1.25; without a voice, or
            with `audio`, they are times alone.
        recogniser: what hears the words of `audio` that comes without prompt and timings: "auto" for a model that is
            installed, the folder or name of a Whisper model (see [`find_recogniser`]), a function, or None for
            nothing. Without any the lips follow the sound alone, and there are no words.
        language (`str`): espeak language code or alias, such as "en-us", "de", "fr", "zh"; for a list of prompts,
            one for all or a list of them. For `audio` without a prompt the default is found out by the recogniser.
        speaking_rate (`float`): 1 is the voice's own pace, 1.5 half as fast again; not with `audio`, `timings`.
        expressiveness (`float`): size of the lip motion, from 0 (none) to 2; 1 is that of the talker it was
            learnt from, who moves his lips little.
        fps (`float`, *optional*): frames per second; 25 for a portrait, the video's own (10 to 60) by default.
        num_frames (`int`, *optional*): length of the clip; defaults to floor(duration * fps + 0.5). Words, phones,
            visemes and subtitles of a shorter one end with it; a longer one ends in silence.
        video_end (`str`): what follows when a video is shorter than its new speech: "loop" plays it back and
            forth, "hold" stays at its last frame, "cut" ends with it. A longer one is always cut.
        background (`str`): what becomes of a film's old sound: "replace" it by the new one, or "keep" it, lowered
            while the new voice speaks; for the path of a film.
        motion (`str`, *optional*): "articulatory", "networks", or "sound": the lips follow the sound alone, words
            or not; by default only where no words are known.
        renderer (`str` or [`Renderer`], *optional*): "auto", "geometric", "learned" or "echomimic"; or an object that
            draws, as a voice may be one that speaks.
        face_index (*optional*): who speaks; the largest face by default. An `int`, largest first, a box
            (x0, y0, x1, y1) in pixels, or a picture of the person (path, `PIL.Image`, array), who is then
            recognised. In a film that person is followed through cuts, and other people say nothing; "any" for
            the largest face of every shot.
        reference (*optional*): other pictures of the person, from whose mouths teeth and tongue are taken: path of
            a video, a list of pictures, an array or a tensor of them, or one picture; for a list of
            prompts, one for all or a list of them. The person is recognised in them: pictures of others
            aren't taken. For the learned renderer ([`LandmarkGuidedUNet`]) alone; it takes a film's own frames
            unless others are given here.
        transparent (`bool`): cut the person of a portrait out: frames are RGBA, (height, width, 4). By the picture's
            own alpha where it has any, else by what is seen.
        life (`float`): size of the motion of a portrait's head, eyes, brows and breath, by what is said, from 0
            (none) to 2; 1 is natural. A film keeps its own.
        expression (`str` or `dict`, *optional*): feeling of the face, "happy", "sad", "angry", "surprised", "afraid",
            "disgusted", "serious" or "neutral", with strengths and as a mix: "happy 0.6, surprised 0.4", or a mapping;
            "auto" guesses it from English text, by VADER. Sentences of the text may have their own, see
            [`~text2lip.text.feeling_marks.feeling_marks`].
        motion_plan (*optional*): a [`MotionPlan`] in the place of what `life` and `expression` make, `life` then
            does nothing: one, the path of its JSON, a mapping of channels, or an array (frames, 34); for a list of
            prompts, one for all or a list of them.
        audio_condition (`str`): what a renderer that listens hears: "none", "speech" (real or synthesised, by
            `audio_encoder`), or "pseudo" (of networks trained on Whisper's features).
        num_inference_steps (`int`, *optional*): sampler steps, for a renderer that samples.
        guidance_scale (`float`, *optional*): classifier-free guidance, for a renderer that samples.
        generator (`torch.Generator`, *optional*): source of randomness, for `life` and a renderer that has any; a
            list holds one for each prompt.

    Raises:
        ValueError: a value that can't be used; the message names it and the remedy.
    """

    prompt: str | list[str] | list[tuple[str, str]] | None = None
    image: "Picture | list[Picture] | None" = asked(
        None, "-i", "--image", metavar="FILE", help="portrait, or a video to dub (default: nobody)"
    )
    _: KW_ONLY
    speakers: "Mapping[str, Speaker | Mapping[str, Any]] | None" = asked(
        None,
        "--speaker",
        action="append",
        type=lambda value: which_speaker(value, which_face),
        metavar="NAME=VOICE,FACE",
        help="who says lines such as 'Ann: Hello.' or subtitles; one option for each, see --voice and --face",
    )
    voice: "Voice | list[Voice]" = asked(
        "default", "-v", "--voice", help="voice, see --list-voices; 'none' for a silent film"
    )
    audio: "Sound | list[Sound] | None" = asked(
        None, "-a", "--audio", metavar="FILE", help="your own speech; the lips are aligned to it"
    )
    sampling_rate: int | None = asked(None)
    timings: Any = asked(
        None, "--timings", metavar="FILE", help="subtitles to speak (.srt, .vtt); or your own phone or word times"
    )
    recogniser: Any = asked(
        "auto",
        "--recogniser",
        metavar="MODEL",
        help="hears the words of --audio without a text: folder or name of a "
        "Whisper model; 'none' for lips by the sound alone",
    )
    language: str | list[str] = asked(
        "en-us", "-l", "--language", help="language of the text, such as en-gb, de, fr, zh"
    )
    speaking_rate: float = asked(
        1.0, "-r", "--rate", metavar="X", type=float, help="speaking rate; 0.8 is slower, 1.2 faster"
    )
    expressiveness: float = asked(
        1.25, "-e", "--expressiveness", metavar="X", type=float, help="size of the lip motion, 0 to 2"
    )
    fps: float | None = asked(None, "--fps", type=float, help="frames per second (default: 25, or the video's own)")
    num_frames: int | None = asked(None)
    video_end: str = asked(
        "loop",
        "--video-end",
        choices=VIDEO_ENDS,
        help="when a video is shorter than the speech: play it back and forth, hold its last frame, or end with it",
    )
    background: str = asked(
        "replace", "--background", choices=BACKGROUNDS, help="a video's old sound: replaced, or kept under the new one"
    )
    motion: str | None = asked(None, "--motion", choices=MOTIONS, help="what moves the lips")
    renderer: "str | Renderer | None" = asked(
        None, "--renderer", choices=("auto", "geometric", "learned", "echomimic"), help="what draws the frames"
    )
    face_index: "int | Sequence[float] | Face | Picture | Person | None" = asked(
        None,
        "--face",
        type=which_face,
        metavar="WHO",
        help="who speaks: a number (0 is the largest face, the default), a box X0,Y0,X1,Y1, a picture of the person, "
        "or 'any' for the largest face of every shot",
    )
    reference: "Picture | list[Picture] | None" = asked(
        None, "--reference", metavar="FILE", help="another video or picture of the person, for the teeth"
    )
    transparent: bool = asked(
        False, "--transparent", action="store_true", help="cut the person out, for .mov, .webm, .webp, .gif and .png"
    )
    life: float = asked(
        1.0, "--life", type=float, metavar="X", help="motion of head, eyes and brows: 1 is natural, 0 none"
    )
    expression: "str | Mapping[str, float] | None" = asked(
        None, "--expression", metavar="FEELING", help="such as happy, 'sad 0.5', or auto (from English text)"
    )
    motion_plan: "MotionPlan | str | os.PathLike | Mapping | np.ndarray | None" = asked(
        None, "--motion-plan", metavar="FILE", help="JSON of a plan, for all but the lips; it replaces --life"
    )
    audio_condition: str = asked("none")
    num_inference_steps: int | None = asked(None)
    guidance_scale: float | None = asked(None)
    generator: "torch.Generator | list[torch.Generator] | None" = asked(None)

    def __post_init__(self):
        if self.fps is not None and (not is_number(self.fps) or not 1 <= self.fps <= MAX_FPS):
            raise ValueError(f"fps: {self.fps!r}; wants a number from 1 to {MAX_FPS}; or leave it out.")
        if self.num_frames is not None:
            whole = isinstance(self.num_frames, Integral) and not isinstance(self.num_frames, bool)
            most = math.floor(MAX_MINUTES * 60 * (self.fps or 25))
            if not whole or not 1 <= self.num_frames <= most:
                raise ValueError(
                    f"num_frames: {self.num_frames!r}; wants a whole number from 1 to {most} ({MAX_MINUTES} minutes), "
                    "or None."
                )
        if not is_number(self.speaking_rate):
            raise ValueError(f"speaking_rate: {self.speaking_rate!r}; wants a number, 1.0 is the voice's own pace.")
        if not is_number(self.expressiveness) or not 0 <= self.expressiveness <= 2:
            raise ValueError(f"expressiveness: {self.expressiveness!r}; wants a number from 0 to 2.")
        if isinstance(self.audio, (list, tuple)) and self.audio and is_number(self.audio[0]):
            raise ValueError("audio: got a list of numbers; give np.array(audio, np.float32).")
        if self.speakers is not None:
            object.__setattr__(self, "speakers", named_speakers(self.speakers))
        if self.sampling_rate is not None and self.audio is None:
            raise ValueError(f"sampling_rate: {self.sampling_rate!r}, but there is no audio; leave it out.")
        if not isinstance(self.transparent, bool):
            raise ValueError(f"transparent: {self.transparent!r}; wants True or False.")
        if not is_number(self.life) or not 0 <= self.life <= 2:
            raise ValueError(f"life: {self.life!r}; wants a number from 0 to 2, 1 is natural.")
        if self.expression != "auto":
            read_feeling(self.expression)
        if self.motion_plan is not None:
            if self.expression is not None:
                raise ValueError("expression: a motion_plan is of the whole face; leave one of them out.")
            plans = self.motion_plan if is_list_of_plans(self.motion_plan) else [self.motion_plan]
            plans = [plan if plan is None else MotionPlan.of(plan, float(self.fps or 25)) for plan in plans]
            object.__setattr__(self, "motion_plan", plans if is_list_of_plans(self.motion_plan) else plans[0])
        for one in self.generator if isinstance(self.generator, (list, tuple)) else [self.generator]:
            if one is not None and type(one).__name__ != "Generator":
                raise ValueError(f"generator: got {type(one).__name__}; wants a torch.Generator.")
        choices = {
            "motion": (None, *MOTIONS),
            "video_end": VIDEO_ENDS,
            "background": BACKGROUNDS,
            "audio_condition": CONDITIONS,
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name}: {getattr(self, name)!r}; choose one of {tuple(c for c in allowed if c)}.")

    def sampling(self, quiet: bool, *callbacks: Any) -> SamplingOptions:
        """What a renderer that samples is asked; `callbacks` as [`SamplingOptions`] has them, `quiet` for no bar."""
        return SamplingOptions(self.num_inference_steps, self.guidance_scale, *callbacks, quiet=quiet)

    def clips(self, names: Sequence[str] | None = None) -> list["Text2LipRequest"]:
        """One request for each prompt, with its own image, voice, audio and so on.

        Args:
            names (`Sequence[str]`, *optional*): fields that have to be there, all by default.

        Raises:
            ValueError: a value that can't be used, or lists of unequal length.
        """
        batch = isinstance(self.prompt, (list, tuple)) and not is_dialogue(self.prompt)
        prompts = list(self.prompt) if batch else [self.prompt]
        if not prompts:
            raise ValueError("prompt: got an empty list; give at least one sentence.")

        def listed(value):
            return isinstance(value, (list, tuple))

        def pictures(value):  # else the frames of a film
            return listed(value) and (batch or len(value) == 1)

        is_list = {
            "image": pictures(self.image),
            "reference": pictures(self.reference),
            "audio": listed(self.audio),
            "generator": listed(self.generator),
            "motion_plan": listed(self.motion_plan),
            "timings": batch and _is_list_of_timings(self.timings),
            "voice": batch and listed(self.voice),
            "language": batch and listed(self.language),
        }
        values = {"prompt": prompts}
        for name, several in is_list.items():
            value = getattr(self, name)
            if several and len(value) != len(prompts):
                raise ValueError(
                    f"{name}: got {len(value)} for {len(prompts)} prompt(s); give one, or one for each prompt."
                )
            values[name] = value if several else [value] * len(prompts)
        clips = [replace(self, **dict(zip(values, row))) for row in zip(*values.values())]
        clips = [clip.with_script() for clip in clips]
        for clip in clips:
            clip._check_clip(FIELDS if names is None else names)
        return clips

    def with_background(self, speech: "Speech", seconds: float) -> "Speech":
        """What is heard for so many seconds: speech, over the film's old sound if that is kept."""
        if self.background == "replace":
            return speech
        from text2lip.speech.background import keep_background

        return keep_background(speech, self.image, seconds)

    def _check_clip(self, names: Iterable[str]) -> None:
        """Refuse no text, no image, and a pace or a voice that can't keep to the times that are given."""
        if not isinstance(self.language, str) or not self.language.strip():
            raise ValueError(f"language: {self.language!r}; wants a code such as 'en-us' or 'fr'.")
        if "prompt" in names and self.prompt is None and self.timings is None and self.audio is None:
            raise ValueError("prompt: None, and no timings either, nor audio; give the text that is said.")
        self.check_words()
        if "image" in names and self.image is None:
            raise ValueError(
                "image: None; give a portrait: a path, a PIL image, a uint8 array or a tensor; or a video."
            )
        if self.background == "keep":
            from text2lip.speech.background import check_background

            check_background(self.image, self.voice)
        if self.audio is None and self.timings is None:
            return
        if self.speaking_rate != 1:
            raise ValueError(
                f"speaking_rate: {self.speaking_rate}, but the times come from audio or timings; leave it at 1."
            )
        if self.voice is None or self.voice == "default":
            return
        from text2lip.speech.timings.formats import subtitles_in

        if self.audio is not None or subtitles_in(self.timings) is None:
            remedy = "leave voice out" if self.audio is not None else "give audio too, or leave voice out"
            raise ValueError(f"voice: {self.voice!r}, but a voice can't keep to given audio or timings; {remedy}.")


FIELDS = {field.name: field for field in fields(Text2LipRequest)}


takes = taking(Text2LipRequest)


def _is_list_of_timings(timings: Any) -> bool:
    """Whether `timings` lists sources for several clips rather than the (phone, start, end) of one."""
    if not isinstance(timings, (list, tuple)) or not timings:
        return False
    nested = (list, tuple, Mapping)
    return all(
        item is None
        or isinstance(item, (str, os.PathLike, Timeline))
        or (isinstance(item, (list, tuple)) and len(item) > 0 and isinstance(item[0], nested))
        for item in timings
    )


def is_list_of_plans(value: Any) -> bool:
    """Whether it lists plans, or their files and so on, rather than the rows of one."""
    kinds = (MotionPlan, str, os.PathLike, Mapping, type(None))
    return isinstance(value, (list, tuple)) and all(isinstance(v, kinds) or getattr(v, "ndim", 1) == 2 for v in value)


def clip_length(duration: float, fps: float) -> int:
    """Frames of a clip of `duration` seconds: floor(duration * fps + 0.5), at least 1.

    Raises:
        ValueError: longer than `MAX_MINUTES`.
    """
    if duration > MAX_MINUTES * 60:
        raise ValueError(
            f"duration: the clip would last {duration / 60:.0f} minutes, at most {MAX_MINUTES} are made in one call; "
            "make it in parts."
        )
    return max(1, math.floor(duration * fps + 0.5))
