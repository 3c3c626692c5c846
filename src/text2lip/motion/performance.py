"""All that moves for what is said: lips by a model, head and face by a plan."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, TypeAlias

import torch

from text2lip.models.lip_decoder import LipDecoderModel
from text2lip.motion.lips import LipMotion, Roles, animate, animate_sound
from text2lip.motion.liveliness import Planner
from text2lip.motion.motion_plan import MotionPlan
from text2lip.motion.phrasing import Phrase, phrases_of
from text2lip.speech.audio import to_mono
from text2lip.speech.utterance import Speech
from text2lip.text.feeling_marks import read_feeling


PlanOf: TypeAlias = Callable[..., MotionPlan]
FACES_APART = 7919  # between the seeds of the faces of one picture


def move_lips(
    speech: Speech,
    request: Any,
    num_frames: int,
    model: Any,
    tokenizer: Any,
    audio_features: torch.Tensor | None = None,
) -> LipMotion:
    """The lips of a clip, and of each speaker of a dialogue.

    Args:
        speech ([`Speech`]): its timeline as long as the clip, or longer.
        request ([`Text2LipRequest`]): its expressiveness, fps and language count.
        num_frames (`int`): of the clip.
        model: of [`~text2lip.motion.choice.choose_lip_model`].
        tokenizer ([`VisemeTokenizer`]): phones to visemes.
        audio_features (`torch.Tensor`, *optional*): see [`animate`].
    """
    timeline, fps = speech.timeline, float(request.fps or 25)
    tokens = None
    if timeline.phones:
        tokens = tokenizer(phones=timeline, language=request.language, return_tensors="pt")
    if isinstance(model, LipDecoderModel):
        displacement, width = animate_sound(model, to_mono(speech.audio), speech.sampling_rate, num_frames, fps)
    else:
        (displacement,), width = animate(model, tokens, num_frames, fps, audio_features)
    displacement = request.expressiveness * displacement.float().cpu().numpy()
    names = sorted({turn.speaker for turn in timeline.turns} - {""})
    roles = Roles(names, lambda name: move_lips(speech.part_of(name), request, num_frames, model, tokenizer))
    return LipMotion(displacement, width, fps, timeline, tokens, roles or None)


def plan_maker(speech: Speech, request: Any, num_frames: int) -> PlanOf | None:
    """What makes the plan of the named speakers, of all for None, for a face of that number and looks; each is made
    once. Chance goes by the request's generator, and without one by the looks: not everybody moves alike.

    None where nothing is planned: no `life`, no `expression` and no `motion_plan` is asked for.

    Raises:
        ValueError: an expression that can't be read.
    """
    fps, given = float(request.fps or 25), request.motion_plan
    if given is not None:
        return lambda names=None, number=0, looks=0: given.fitted(num_frames, fps)
    if not request.life and request.expression is None:
        return None
    guess = request.expression == "auto"
    feeling = {} if guess else read_feeling(request.expression)
    seed = plan_seed(request.generator) if request.life else 0
    text = request.prompt if isinstance(request.prompt, str) else None

    @cache
    def phrases() -> list[Phrase]:
        return phrases_of(speech, text, guess)

    @cache
    def made(names: Sequence[str] | None, chance: int) -> MotionPlan:
        theirs = [one for one in phrases() if names is None or one.speaker in names]
        return Planner(theirs, num_frames, fps, request.life, feeling, chance).plan()

    def plan_of(names: Iterable[str] | None = None, number: int = 0, looks: int = 0) -> MotionPlan:
        own = looks if request.generator is None and request.life else 0
        return made(names if names is None else tuple(names), seed + FACES_APART * number + own)

    return plan_of


def plan_seed(generator: torch.Generator | None = None) -> int:
    """A seed drawn from a generator; 0 without one, so that every call gives the same."""
    if generator is None:
        return 0
    return int(torch.randint(2**31, (), generator=generator, device=generator.device))
