"""Text2LipPipeline: a sentence and a portrait in, a talking video with sound out.

The algorithm, after *Text2Lip* (arXiv 2508.02362), in four stages that can each be called alone:

    see    portrait or film -> the face, where and how it is, and its shots
    speak  text, sound or timings -> a timeline of IPA phones and words, and the sound
    move   timeline -> visemes -> VisemeEncoder -> pseudo-audio (Eq. 7) -> LipDecoder -> lip motion
    draw   face and lip motion -> landmarks -> renderer -> frames
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, DiffusionPipeline, SchedulerMixin
from transformers import PreTrainedModel

from text2lip import models
from text2lip.arguments import expect, is_number
from text2lip.cards import ModelCardMixin
from text2lip.devices import execution_device
from text2lip.faces.cache import FaceCache
from text2lip.faces.landmarker import FaceLandmarker
from text2lip.motion.articulation import ArticulatoryModel
from text2lip.motion.choice import choose_lip_model, choose_motion
from text2lip.motion.durations import predict_timeline
from text2lip.motion.lips import LipMotion
from text2lip.motion.performance import move_lips, plan_maker
from text2lip.pipelines.hub import lent_parts, loading_error, pipeline_card, pipeline_source
from text2lip.pipelines.offloading import Offloading
from text2lip.pipelines.output import Text2LipPipelineOutput, Text2LipStream, all_frames, within_memory
from text2lip.pipelines.request import MOTIONS, Text2LipRequest, clip_length, takes
from text2lip.registration import register_pipeline
from text2lip.renderers.base import Renderer
from text2lip.renderers.sampling import Sampling, SamplingOptions
from text2lip.renderers.selection import RENDERERS, check_references, choose_renderer
from text2lip.renderers.sound_features import check_condition, sound_features
from text2lip.scenes import Ensemble, Film, Portrait, ReferenceSet, check_life, open_scene
from text2lip.speech.utterance import Speech, surround
from text2lip.speech.voices.protocol import check_rate, clean_text
from text2lip.text.timing import Timeline
from text2lip.text.tokenizer import VisemeTokenizer


Scene: TypeAlias = Portrait | Film | Ensemble
REQUIRED = ("tokenizer", "face_landmarker", "articulation")
LIFE = ("life", "expression", "motion_plan")
LEAD, TAIL = 0.2, 0.36  # seconds of silence around what a voice says: the mouth begins and ends closed


class Text2LipPipeline(Sampling, ModelCardMixin, Offloading, DiffusionPipeline):
    """Text-driven talking faces after *Text2Lip* (arXiv 2508.02362).

    Load it with `Text2LipPipeline.from_pretrained("text2lip-grid")` (built in, offline), a folder or a Hub id.

    Args:
        tokenizer ([`VisemeTokenizer`]): phones to viseme ids, features and durations.
        face_landmarker ([`FaceLandmarker`]): face detector and 478-point mesh.
        articulation ([`ArticulatoryModel`]): dominance-function lip motion; baseline and fallback.
        viseme_encoder (*optional*): the paper's VisemeEncoder; the built-in one also sees phones and features.
        pseudo_audio (*optional*): the paper's pseudo-audio module (Eq. 7).
        lip_decoder (*optional*): the paper's LipDecoder.
        audio_lip_decoder (*optional*): a LipDecoder without visemes: lips from sound alone.
        unet (*optional*): the network of a renderer.
        reference_unet, landmark_encoder, vae, audio_encoder, scheduler (*optional*): what EchoMimic has beside it.
        motion (`str`): what moves the lips: "articulatory", "networks" or "sound".
        renderer (`str`): "auto" (the best there is), "geometric", "learned" or "echomimic".
        max_size (`int`): longest side of a portrait, pixels.
    """

    model_cpu_offload_seq = (
        "viseme_encoder->pseudo_audio->lip_decoder->audio_lip_decoder->audio_encoder->landmark_encoder->reference_unet"
        "->unet->vae"
    )
    _exclude_from_cpu_offload = ["face_landmarker", "articulation"]
    _optional_components = [
        "viseme_encoder",
        "pseudo_audio",
        "lip_decoder",
        "audio_lip_decoder",
        "unet",
        "reference_unet",
        "landmark_encoder",
        "vae",
        "audio_encoder",
        "scheduler",
    ]

    def __init__(
        self,
        tokenizer: VisemeTokenizer,
        face_landmarker: FaceLandmarker,
        articulation: ArticulatoryModel,
        viseme_encoder: models.VisemeEncoderModel | None = None,
        pseudo_audio: models.PseudoAudioModel | None = None,
        lip_decoder: models.LipDecoderModel | None = None,
        audio_lip_decoder: models.LipDecoderModel | None = None,
        unet: models.LandmarkGuidedUNet | models.EchoMimicUNet | None = None,
        reference_unet: models.EchoMimicReferenceUNet | None = None,
        landmark_encoder: models.LandmarkEncoder | None = None,
        vae: AutoencoderKL | AutoencoderTiny | None = None,
        audio_encoder: PreTrainedModel | None = None,
        scheduler: SchedulerMixin | None = None,
        motion: str = "articulatory",
        renderer: str = "auto",
        max_size: int = 4096,
    ):
        super().__init__()
        if motion not in MOTIONS:
            raise ValueError(f"motion: {motion!r}; choose one of {MOTIONS}.")
        renderer = "auto" if renderer == "unet" else renderer  # its name in older folders
        if renderer not in RENDERERS:
            raise ValueError(f"renderer: {renderer!r}; choose one of {RENDERERS}.")
        self.register_modules(
            tokenizer=tokenizer,
            face_landmarker=face_landmarker,
            articulation=articulation,
            viseme_encoder=viseme_encoder,
            pseudo_audio=pseudo_audio,
            lip_decoder=lip_decoder,
            audio_lip_decoder=audio_lip_decoder,
            unet=unet,
            reference_unet=reference_unet,
            landmark_encoder=landmark_encoder,
            vae=vae,
            audio_encoder=audio_encoder,
            scheduler=scheduler,
        )
        self.register_to_config(motion=motion, renderer=renderer, max_size=max_size)
        self._faces = FaceCache()

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | os.PathLike, **kwargs) -> "Text2LipPipeline":
        """Load a pipeline by built-in name ("text2lip-grid", "text2lip-grid-paper"), folder or Hub id.

        Raises:
            ValueError: the name is neither built in, nor a folder, nor of the form "user/name"; or a `variant` that is
                not there.
            OSError: there is no such Hub repository, or it can't be reached.
        """
        source = pipeline_source(os.fspath(pretrained_model_name_or_path))
        try:
            return super().from_pretrained(source, **{"use_safetensors": True, **lent_parts(source, kwargs), **kwargs})
        except (OSError, IndexError) as error:
            told = loading_error(source, kwargs.get("variant"), error)
            if told is error:
                raise
            raise told from error

    def model_card(self, repo_id: str) -> str:
        """Markdown for the README.md of the repository `repo_id`; see [`~text2lip.pipelines.hub.pipeline_card`]."""
        return pipeline_card(self, repo_id)

    @takes()
    @torch.no_grad()
    def __call__(
        self,
        request: Text2LipRequest,
        *,
        output_type: str = "pil",
        return_dict: bool = True,
        callback_on_step_end: Callable | None = None,
        callback_on_step_end_tensor_inputs: list[str] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Text2LipPipelineOutput | tuple:
        """Make the face in `image` say `prompt`.

        Args:
            {arguments}
            output_type (`str`): "pil", "np" or "pt".
            return_dict (`bool`): False for a plain tuple.
            callback_on_step_end (`Callable`, *optional*): called after each step of a renderer that samples, see
                [`SamplingOptions`], with
            callback_on_step_end_tensor_inputs (`list[str]`, *optional*): these of its tensors.
            progress (`Callable`, *optional*): `(done, total) -> None`, called after each frame with how many of all
                frames are made. What it raises ends the call.

        Returns:
            [`Text2LipPipelineOutput`], or its first eight values as a tuple: the last two None for a silent film.

        Raises:
            ValueError: an argument that can't be used; the message names it, its value and the remedy.

        Examples:

        ```python
        >>> from text2lip import Text2LipPipeline

        >>> pipe = Text2LipPipeline.from_pretrained("text2lip-grid")
        >>> result = pipe("Good morning, and welcome.", "portrait.jpg", language="en-gb")
        >>> result.save("hello.mp4")
        >>> print([word.label for word in result.words[0]], result.landmarks[0].shape)
        ```
        """
        # 1. Check what is asked for
        callbacks = {
            "callback_on_step_end": callback_on_step_end,
            "callback_on_step_end_tensor_inputs": callback_on_step_end_tensor_inputs,
        }
        self.check_inputs(request, output_type=output_type, **callbacks)
        if progress is not None and not callable(progress):
            raise ValueError(f"progress: got {type(progress).__name__}; wants a function (done, total).")
        with self._freed_hooks():
            # 2. See who talks, speak and move the lips: every clip up to its first frame
            streams = within_memory(self._streams(request, **callbacks), output_type, 4 if request.transparent else 3)
            # 3. Draw the frames
            frames = all_frames(streams, self.progress_bar, progress)
        # 4. Pack frames, landmarks, times and sound
        output = Text2LipPipelineOutput.of(streams, frames, output_type)
        return output if return_dict else output.to_tuple()[:8]

    @takes()
    @torch.no_grad()
    def stream(self, request: Text2LipRequest) -> Text2LipStream:
        """Like calling the pipeline for one clip, but the frames come one by one and are not kept.

        Args:
            {arguments}

        Returns:
            [`Text2LipStream`]: iterate for uint8 (height, width, 3) frames; carries `audio`, `sampling_rate`, `fps`.
        """
        self.check_inputs(request)
        if (count := len(request.clips())) != 1:
            raise ValueError(f"prompt: stream makes one clip, got {count}; call it once for each.")
        with self._freed_hooks():
            stream = next(self._streams(request))
        stream.frames = self._freeing(stream.frames)
        return stream

    def _streams(self, request: Text2LipRequest, **callbacks: Any) -> Iterator[Text2LipStream]:
        """The clips of a request up to their first frames, one after another; what they share is seen once."""
        scenes, reference_sets = {}, {}
        for clip in request.clips():
            pictures = id(clip.image), id(clip.reference)
            if pictures not in scenes:
                scenes[pictures] = self._scene(clip, reference_sets)
            scene = scenes[pictures]
            check_life(clip, scene)
            heard = self._heard(clip)
            num_frames = clip.num_frames or scene.frames_for(heard.timeline)
            lip_motion = self.move(heard, replace(clip, fps=scene.fps, num_frames=num_frames))
            speech = heard.without_sound() if clip.voice is None else heard
            features = sound_features(clip.audio_condition, speech, lip_motion, self.components)
            landmarks, frames = self.draw(scene, lip_motion, clip, audio_features=features, **callbacks)
            speech = clip.with_background(speech, len(landmarks) / scene.fps)
            yield Text2LipStream.of(scene, speech, lip_motion, landmarks, frames, self.tokenizer, clip)

    def idle(self, image: Any, seconds: float = 10.0, **asked: Any) -> Text2LipStream:
        """Someone who listens for so many `seconds`: [`stream`], whose other arguments it takes, without a word and
        with `life=1`. It begins and ends with the portrait at rest, as speech does: it may be looped, and speech put
        between. Seconds that are no number over 0 are a ValueError."""
        if not is_number(seconds) or seconds <= 0:
            raise ValueError(f"seconds: {seconds!r}; wants a number over 0.")
        asked = {"voice": None, "life": 1.0, "expressiveness": 0.0} | asked
        return self.stream(None, image, timings=Timeline.from_phones([("", 0.0, seconds)]), **asked)

    @takes("image", "speakers", "face_index", "reference", "fps", "video_end", "transparent")
    @torch.no_grad()
    def see(self, request: Text2LipRequest) -> Scene:
        """Stage 1: who talks. A scene may be drawn any number of times; a portrait's face is found once.

        Args:
            {arguments}

        Returns:
            [`Portrait`], [`Film`] or [`Ensemble`]: with `fps` and `size`.

        Raises:
            FaceNotFoundError: no face, or not the one asked for; of a film it shows when it is drawn.
            ValueError: a picture or film that can't be used.
        """
        return self._scene(request, {})

    def _scene(self, request: Text2LipRequest, reference_sets: dict[int, ReferenceSet]) -> Scene:
        """What [`see`] gives; reads no reference twice that is among `reference_sets`, by its id."""
        tools = self.face_landmarker, self._faces, self.progress_bar
        return open_scene(request, *tools, max_size=self.config.max_size, reference_sets=reference_sets)

    @takes(
        "prompt", "speakers", "voice", "audio", "sampling_rate", "timings", "recogniser", "language", "speaking_rate"
    )
    @torch.no_grad()
    def speak(self, request: Text2LipRequest) -> Speech:
        """Stage 2: what is said, when, and its sound.

        Times are those of `timings`, else of `audio` aligned to the text (given, or recognised), else of the voice;
        where no voice is wanted, those that the VisemeEncoder predicts, if there is one. Of `timings` that are
        subtitles, without `audio`, a voice speaks each at its start, see [`speak_script`].

        Args:
            {arguments}

        Returns:
            [`Speech`]: a timeline in seconds, and sound or None; `times_from` says which of these ways was taken.

        Raises:
            ValueError: a text, voice, sound or times that can't be used, or that don't fit each other.
        """
        speech = self._heard(request)
        return speech.without_sound() if request.voice is None else speech

    def _heard(self, request: Text2LipRequest) -> Speech:
        """What [`speak`] gives, with its sound also where the film is to be silent."""
        from text2lip import speech  # voices and aligners are loaded when they are used

        request.warn_of_tags()
        text, language = request.text, request.language
        if request.audio is not None:
            known = {"text": text, "timings": request.timings, "language": language, "recogniser": request.recogniser}
            return request.with_turns(speech.hear_recording(request.audio, request.sampling_rate, **known))
        if (script := request.script()) is not None:
            spoken = speech.speak_script(script, request.say, request.speaking_rate)
            return surround(spoken, LEAD, TAIL) if request.timings is None else spoken
        if request.timings is not None:
            timeline = speech.read_timeline(request.timings, language=language)
            return request.with_turns(Speech(None, None, timeline, "timings"))
        encoder = self.viseme_encoder
        if request.voice is None and encoder is not None and not encoder.misfit(self.tokenizer):
            text, pace = clean_text(text), check_rate(request.speaking_rate)
            timeline = predict_timeline(encoder, self.tokenizer, text, language, pace, LEAD, TAIL)
            return Speech(None, None, timeline, "prediction")
        voice = "default" if request.voice is None else request.voice
        return surround(speech.synthesize(text, voice, language, request.speaking_rate), LEAD, TAIL)

    @takes("motion", "expressiveness", "fps", "num_frames", "language", *LIFE, "generator")
    @torch.no_grad()
    def move(
        self, timeline: Timeline | Speech, request: Text2LipRequest, *, audio_features: Any = None, text: str = ""
    ) -> LipMotion:
        """Stage 3: how lips, head and face move, of no face in particular.

        Args:
            timeline ([`Timeline`] or [`Speech`]): phones with their times; with their sound for motion "sound".
            {arguments}
            audio_features (`torch.Tensor`, *optional*): float (1, num_frames, 320), log-mel of real sound, see
                [`log_mel`]; takes the place of the pseudo-audio. For "networks" alone.
            text (`str`): the prompt, whose emphasis and feelings the face shows.

        Returns:
            [`LipMotion`]: displacement of 57 driven points for each frame, and its `plan`.

        Raises:
            ValueError: a motion for which networks, phones or sound are missing.
        """
        expect("timeline", timeline, Timeline, Speech)
        speech = timeline if isinstance(timeline, Speech) else Speech(None, None, timeline)
        timeline, fps = speech.timeline, float(request.fps or 25)
        model = self.lip_model(choose_motion(speech, request.motion, self.config.motion))
        spoken = clip_length(timeline.duration, fps)
        num_frames = request.num_frames or spoken
        if num_frames > spoken:
            timeline = timeline.pad(num_frames / fps)
        speech, request = replace(speech, timeline=timeline), replace(request, prompt=text or request.prompt)
        motion = move_lips(speech, request, num_frames, model, self.tokenizer, audio_features)
        return replace(motion, plan_of=plan_maker(speech, request, num_frames))

    @takes("renderer", "num_inference_steps", "guidance_scale", "generator")
    @torch.no_grad()
    def draw(
        self,
        scene: Scene,
        lip_motion: LipMotion,
        request: Text2LipRequest,
        *,
        audio_features: torch.Tensor | None = None,
        callback_on_step_end: Callable | None = None,
        callback_on_step_end_tensor_inputs: list[str] | None = None,
    ) -> tuple[np.ndarray, Iterator[np.ndarray]]:
        """Stage 4: the scene with its lips moved.

        Args:
            scene ([`Portrait`], [`Film`] or [`Ensemble`]): of [`see`].
            lip_motion ([`LipMotion`]): of [`move`], at the scene's frames per second.
            {arguments}
            audio_features (`torch.Tensor`, *optional*): (frames, tokens, width), of [`sound_features`].
            callback_on_step_end, callback_on_step_end_tensor_inputs: see [`__call__`].

        Returns:
            `tuple`: landmarks, float32 (frames, 478, 2), normalised; and an iterator of frames, uint8 (height, width,
            3). Fewer than in `lip_motion` where a film that was to be cut ends sooner.

        Raises:
            ValueError: a renderer that can't be made or takes no references, another rate, a plan for a film.
        """
        expect("scene", scene, Portrait, Film, Ensemble)
        expect("lip_motion", lip_motion, LipMotion)
        check_life(request, scene)
        if lip_motion.fps != scene.fps:
            raise ValueError(f"lip_motion: {lip_motion.fps:g} frames per second, but the scene has {scene.fps:g}.")
        options = request.sampling(self._quiet, callback_on_step_end, callback_on_step_end_tensor_inputs)
        renderer = self.make_renderer(request.renderer, options)
        check_references(scene.references, renderer)
        return scene.draw(renderer, lip_motion, audio_features, request.generator)

    @property
    def _quiet(self) -> bool:
        return bool(getattr(self, "_progress_bar_config", {}).get("disable"))

    def lip_model(self, motion: str | None = None) -> Any:
        """What moves the lips, see [`choose_lip_model`]; this pipeline's own choice by default."""
        return choose_lip_model(Text2LipRequest(motion=motion).motion or self.config.motion, self.components)

    def make_renderer(
        self, renderer: str | Renderer | None = None, options: SamplingOptions | None = None
    ) -> Renderer:
        """What draws the frames, see [`choose_renderer`].

        Args:
            renderer (`str` or [`Renderer`], *optional*): this pipeline's own choice by default.
            options ([`SamplingOptions`], *optional*): for a renderer that samples; callbacks get this pipeline.
        """
        options = options or SamplingOptions(quiet=self._quiet)
        renderer = self.config.renderer if renderer is None else renderer
        return choose_renderer(renderer, self.components, options, pipe=self)

    @takes()
    def check_inputs(
        self,
        request: Text2LipRequest,
        *,
        output_type: str = "np",
        callback_on_step_end: Callable | None = None,
        callback_on_step_end_tensor_inputs: list[str] | None = None,
    ) -> None:
        """Refuse what this pipeline can't do; takes the arguments of a call.

        Raises:
            ValueError: a component that is missing, without data (on "meta") or doesn't fit another; an unknown
                `output_type`; references or sampler arguments for a renderer without use for them.
        """
        for name in REQUIRED:
            if getattr(self, name) is None:
                raise ValueError(f"{name}: None; this pipeline can do nothing without it, load it with its {name}.")
        if execution_device(self.face_landmarker).type == "meta":
            raise ValueError("device: 'meta', where tensors have no data; move the pipeline to one that computes.")
        if output_type not in ("pil", "np", "pt"):
            raise ValueError(f"output_type: {output_type!r}; choose 'pil', 'np' or 'pt'.")
        self.lip_model(request.motion)
        options = request.sampling(self._quiet, callback_on_step_end, callback_on_step_end_tensor_inputs)
        renderer = self.config.renderer if request.renderer is None else request.renderer
        renderer = choose_renderer(renderer, self.components, options)
        check_references(request.reference, renderer)
        check_condition(request.audio_condition, renderer, self.components)


register_pipeline(Text2LipPipeline)
