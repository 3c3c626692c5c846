"""Text2LipPipeline: a sentence and a portrait in, a talking video with sound out."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, DiffusionPipeline, SchedulerMixin
from diffusers.utils import logging
from transformers import PreTrainedModel

from text2lip.cards import ModelCardMixin
from text2lip.devices import execution_device
from text2lip.faces.cache import FaceCache
from text2lip.faces.crop import CROP_SIZE
from text2lip.faces.detection import Face
from text2lip.faces.landmarker import FaceLandmarker
from text2lip.faces.person import Person
from text2lip.media.footage import ENDS, is_footage
from text2lip.models.echomimic_reference import EchoMimicReferenceUNet
from text2lip.models.echomimic_unet import EchoMimicUNet
from text2lip.models.landmark_encoder import LandmarkEncoder
from text2lip.models.landmark_unet import LandmarkGuidedUNet
from text2lip.models.lip_decoder import LipDecoderModel
from text2lip.models.pseudo_audio import PseudoAudioModel
from text2lip.models.viseme_encoder import VisemeEncoderModel
from text2lip.motion.articulation import ArticulatoryModel
from text2lip.motion.durations import predict_timeline
from text2lip.motion.lips import LipMotion
from text2lip.pipelines.card import pipeline_card
from text2lip.pipelines.inputs import Clip, Options, Picture, Request, Sound, Voice, clip_length, fit_audio, is_number
from text2lip.pipelines.loading import loading_error, pipeline_source
from text2lip.pipelines.offloading import Offloading
from text2lip.pipelines.output import Text2LipPipelineOutput, pack_frames, within_memory
from text2lip.pipelines.rendering import RENDERERS, add_life, make_renderer, renderer_kind
from text2lip.pipelines.sound import check_condition, sound_tokens
from text2lip.pipelines.stream import Text2LipStream, all_frames, sound_of
from text2lip.registration import register_pipeline
from text2lip.renderers.sampling import Sampling
from text2lip.scenes.film import Dub
from text2lip.scenes.portrait import Still
from text2lip.scenes.reference_set import references_of
from text2lip.text.timing import cut_segments
from text2lip.text.tokenizer import VisemeTokenizer


logger = logging.get_logger(__name__)

MOTIONS = ("articulatory", "networks")
REQUIRED = ("tokenizer", "face_landmarker", "articulation")


class Text2LipPipeline(LipMotion, Sampling, ModelCardMixin, Offloading, DiffusionPipeline):
    """Text-driven talking faces after *Text2Lip* (arXiv 2508.02362).

    Load it with `Text2LipPipeline.from_pretrained("text2lip-grid")` (built in, offline), a folder or a Hub id.

    Args:
        tokenizer ([`VisemeTokenizer`]): phones to viseme ids, features and durations.
        face_landmarker ([`FaceLandmarker`]): face detector and 478-point mesh.
        articulation ([`ArticulatoryModel`]): dominance-function lip motion; baseline and fallback.
        viseme_encoder (*optional*): the paper's VisemeEncoder; the built-in one also sees phones and features.
        pseudo_audio (*optional*): the paper's pseudo-audio module (Eq. 7).
        lip_decoder (*optional*): the paper's LipDecoder.
        unet (*optional*): a learned renderer.
        reference_unet (*optional*): its reference network.
        landmark_encoder (*optional*): its landmark network.
        vae (*optional*): its autoencoder.
        audio_encoder (*optional*): features of real sound.
        scheduler (*optional*): its noise schedule.
        motion (`str`): what moves the lips: "articulatory" or "networks".
        renderer (`str`): "auto" (the best there is), "geometric" or "unet".
        max_size (`int`): longest side of a portrait, pixels.
    """

    model_cpu_offload_seq = (
        "viseme_encoder->pseudo_audio->lip_decoder->audio_encoder->landmark_encoder->reference_unet->unet->vae"
    )
    _exclude_from_cpu_offload = ["face_landmarker", "articulation"]
    _optional_components = [
        "viseme_encoder",
        "pseudo_audio",
        "lip_decoder",
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
        viseme_encoder: VisemeEncoderModel | None = None,
        pseudo_audio: PseudoAudioModel | None = None,
        lip_decoder: LipDecoderModel | None = None,
        unet: LandmarkGuidedUNet | EchoMimicUNet | None = None,
        reference_unet: EchoMimicReferenceUNet | None = None,
        landmark_encoder: LandmarkEncoder | None = None,
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
        if renderer not in RENDERERS:
            raise ValueError(f"renderer: {renderer!r}; choose one of {RENDERERS}.")
        self.register_modules(
            tokenizer=tokenizer,
            face_landmarker=face_landmarker,
            articulation=articulation,
            viseme_encoder=viseme_encoder,
            pseudo_audio=pseudo_audio,
            lip_decoder=lip_decoder,
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
        """Load a pipeline by built-in name ("text2lip-grid"), folder or Hub id; see [`DiffusionPipeline`].

        Raises:
            ValueError: the name is neither built in, nor a folder, nor of the form "user/name"; or a `variant` that is
                not there.
            OSError: there is no such Hub repository, or it can't be reached.
        """
        source = pipeline_source(os.fspath(pretrained_model_name_or_path))
        try:
            return super().from_pretrained(source, **{"use_safetensors": True, **kwargs})
        except (OSError, IndexError) as error:
            told = loading_error(source, kwargs.get("variant"), error)
            if told is error:
                raise
            raise told from error

    def model_card(self, repo_id: str) -> str:
        """Markdown for the README.md of the repository `repo_id`; see [`~text2lip.pipelines.card.pipeline_card`]."""
        return pipeline_card(self, repo_id)

    @torch.no_grad()
    def __call__(
        self,
        prompt: str | list[str] | None,
        image: Picture | list[Picture],
        *,
        voice: Voice | list[Voice] = "default",
        audio: Sound | list[Sound] | None = None,
        sampling_rate: int | None = None,
        timings: Any = None,
        language: str | list[str] = "en-us",
        speaking_rate: float = 1.0,
        expressiveness: float = 1.25,
        fps: float | None = None,
        num_frames: int | None = None,
        video_end: str = "loop",
        motion: str | None = None,
        renderer: str | None = None,
        face_index: int | Sequence[float] | Face | Picture | None = None,
        reference: Picture | list[Picture] | None = None,
        idle: bool | float = False,
        audio_condition: str = "none",
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        generator: torch.Generator | list[torch.Generator] | None = None,
        output_type: str = "pil",
        return_dict: bool = True,
        callback_on_step_end: Callable | None = None,
        callback_on_step_end_tensor_inputs: list[str] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Text2LipPipelineOutput | tuple:
        """Make the face in `image` say `prompt`.

        Args:
            prompt (`str` or `list[str]`): what is said, plain text or SSML; a list makes a batch. May be None where
                `timings` say what is spoken.
            image: the portrait: path, `PIL.Image`, uint8 (height, width, 3), or a tensor (3, height, width) or
                (1, 3, height, width), float in [0, 1] or uint8. Or a film to dub: the path of a video, a list of
                pictures, an array (frames, height, width, 3), a tensor (frames, 3, height, width); only its mouth
                changes. For a list of prompts, one for all or a list of them.
            voice: name of a voice (see [`list_voices`]), a synthesiser object, or None for a silent film; for a list
                of prompts, one for all or a list of them.
            audio: the user's own speech: path or float (samples,) or (channels, samples) in [-1, 1], or a list; the
                lips are aligned to it, and it becomes the sound.
            sampling_rate (`int`, *optional*): of `audio` given as an array, Hz.
            timings: list of (IPA phone, start s, end s), or a timing file; takes the place of alignment.
            language (`str`): espeak language code or alias, such as "en-us", "de", "fr", "zh"; for a list of prompts,
                one for all or a list of them.
            speaking_rate (`float`): 1 is the voice's own pace, 1.5 half as fast again; not with `audio`, `timings`.
            expressiveness (`float`): size of the lip motion, from 0 (none) to 2; 1 is that of the talker it was
                learnt from, who moves his lips little.
            fps (`float`, *optional*): frames per second; 25 for a portrait, the video's own (10 to 60) by default.
            num_frames (`int`, *optional*): length of the clip; defaults to floor(duration * fps + 0.5). Words, phones,
                visemes and subtitles of a shorter one end with it; a longer one ends in silence.
            video_end (`str`): what follows when a video is shorter than its new speech: "loop" plays it back and
                forth, "hold" stays at its last frame, "cut" ends with it. A longer one is always cut.
            motion (`str`, *optional*): "articulatory" or "networks".
            renderer (`str`, *optional*): "auto", "geometric" or "unet".
            face_index (*optional*): who speaks; the largest face by default. An `int`, largest first, a box
                (x0, y0, x1, y1) in pixels, or a picture of the person (path, `PIL.Image`, array), who is then
                recognised. In a film that person is followed through cuts, and other people say nothing; "any" for
                the largest face of every shot.
            reference (*optional*): other pictures of the person, from whose mouths teeth and tongue are taken: path of
                a video, a list of pictures, an array or a tensor of them, or one picture; for a list of
                prompts, one for all or a list of them. The person is recognised in them: pictures of others
                aren't taken. For the learned renderer ([`LandmarkGuidedUNet`]) alone; it takes a film's own frames
                unless others are given here.
            idle (`bool` or `float`): blinks and a slight sway of the head, 1 or True; a smaller or larger number, up
                to 2, for less or more of it. Portraits alone: a film moves by itself.
            audio_condition (`str`): what a renderer that listens hears: "none", "speech" (real or synthesised, by
                `audio_encoder`), or "pseudo" (of networks trained on Whisper's features).
            num_inference_steps (`int`, *optional*): sampler steps, for a renderer that samples.
            guidance_scale (`float`, *optional*): classifier-free guidance, for a renderer that samples.
            generator (`torch.Generator`, *optional*): source of randomness, for `idle` and a renderer that has any; a
                list holds one for each prompt.
            output_type (`str`): "pil", "np" or "pt".
            return_dict (`bool`): False for a plain tuple.
            callback_on_step_end (`Callable`, *optional*): `(pipe, step, timestep, tensors) -> tensors`, called after
                each sampler step of a renderer that samples; or a `PipelineCallback` of diffusers. What it may read
                and set: [`Sampling`].
            callback_on_step_end_tensor_inputs (`list[str]`, *optional*): tensors that the callback gets, and may give
                back changed: "latents" (by default), "prompt_embeds" (the sound), see [`EchoMimicRenderer`].
            progress (`Callable`, *optional*): `(done, total) -> None`, called after each frame with how many of all
                frames are made. What it raises ends the call.

        Returns:
            [`Text2LipPipelineOutput`], or its eight values as a tuple, whose last two are None for a silent film.

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
        sampler = {
            "num_inference_steps": num_inference_steps,
            "guidance_scale": guidance_scale,
            "callback_on_step_end": callback_on_step_end,
            "callback_on_step_end_tensor_inputs": callback_on_step_end_tensor_inputs,
        }
        said = (prompt, image, voice, audio, sampling_rate, timings, language, speaking_rate, fps, num_frames)
        request = Request(*said, generator, reference)
        options = Options(motion, renderer, expressiveness, face_index, idle, video_end, audio_condition, sampler)
        self.check_inputs(options, output_type)
        if progress is not None and not callable(progress):
            raise ValueError(f"progress: got {type(progress).__name__}; wants a function (done, total).")
        with self._freed_hooks():
            streams = within_memory(self._streams(request.clips(), options), output_type)
            frames = all_frames(streams, self.progress_bar, progress)
        audio, rate = sound_of(streams)
        output = Text2LipPipelineOutput(
            frames=pack_frames(frames, output_type),
            landmarks=[stream.landmarks for stream in streams],
            visemes=[stream.visemes for stream in streams],
            phones=[stream.phones for stream in streams],
            words=[stream.words for stream in streams],
            fps=streams[0].fps,
            audio=audio,
            sampling_rate=rate,
        )
        return output if return_dict else output.to_tuple()

    @torch.no_grad()
    def stream(
        self,
        prompt: str | None,
        image: Picture | list[Picture],
        *,
        voice: Voice = "default",
        audio: Sound | None = None,
        sampling_rate: int | None = None,
        timings: Any = None,
        language: str = "en-us",
        speaking_rate: float = 1.0,
        expressiveness: float = 1.25,
        fps: float | None = None,
        num_frames: int | None = None,
        video_end: str = "loop",
        motion: str | None = None,
        renderer: str | None = None,
        face_index: int | Sequence[float] | Face | Picture | None = None,
        reference: Picture | list[Picture] | None = None,
        idle: bool | float = False,
        audio_condition: str = "none",
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
        generator: torch.Generator | None = None,
    ) -> Text2LipStream:
        """Like calling the pipeline for one clip, but the frames come one by one and are not kept.

        Takes the arguments of [`__call__`] for a single prompt and image.

        Returns:
            [`Text2LipStream`]: iterate for uint8 (height, width, 3) frames; carries `audio`, `sampling_rate`, `fps`.
        """
        said = (prompt, image, voice, audio, sampling_rate, timings, language, speaking_rate, fps, num_frames)
        request = Request(*said, generator, reference)
        sampler = {"num_inference_steps": num_inference_steps, "guidance_scale": guidance_scale}
        options = Options(motion, renderer, expressiveness, face_index, idle, video_end, audio_condition, sampler)
        self.check_inputs(options)
        clips = request.clips()
        if len(clips) != 1:
            raise ValueError(f"prompt: stream makes one clip, got {len(clips)}; call it once for each.")
        with self._freed_hooks():
            stream = next(self._streams(clips, options))
        stream.frames = self._freeing(stream.frames)
        return stream

    def check_inputs(self, options: Options, output_type: str = "np"):
        """Refuse values that no part of this pipeline can use.

        Raises:
            ValueError: a required component is None or has no data (on "meta"), unknown `motion`, `renderer` or
                `output_type`, one whose components are missing, networks for other visemes than the tokenizer's, or
                sampler arguments for a renderer that has no sampler.
        """
        for name in REQUIRED:
            if getattr(self, name) is None:
                raise ValueError(f"{name}: None; this pipeline can do nothing without it, load it with its {name}.")
        if execution_device(self.face_landmarker).type == "meta":
            raise ValueError("device: 'meta', where tensors have no data; move the pipeline to one that computes.")
        size = options.expressiveness
        motion = self.config.motion if options.motion is None else options.motion
        if not is_number(size) or not 0 <= size <= 2:
            raise ValueError(f"expressiveness: {size!r}; wants a number from 0 to 2.")
        if output_type not in ("pil", "np", "pt"):
            raise ValueError(f"output_type: {output_type!r}; choose 'pil', 'np' or 'pt'.")
        if motion not in MOTIONS:
            raise ValueError(f"motion: {motion!r}; choose one of {MOTIONS}.")
        for name in ("viseme_encoder", "pseudo_audio", "lip_decoder") if motion == "networks" else ():
            if getattr(self, name) is None:
                raise ValueError(f"motion: 'networks', but this pipeline has no {name}; choose 'articulatory'.")
        if motion == "networks":
            self.viseme_encoder.check_tokenizer(self.tokenizer)
        kind = renderer_kind(self, options.renderer)
        check_condition(self, options.audio_condition, kind)
        given = [name for name, value in options.sampler.items() if value is not None]
        if given and kind != "echomimic":
            value = options.sampler[given[0]]
            raise ValueError(f"{given[0]}: {value!r}, but this renderer takes no steps; leave it out.")
        if options.video_end not in ENDS:
            raise ValueError(f"video_end: {options.video_end!r}; choose one of {ENDS}.")
        if not isinstance(options.idle, bool) and (not is_number(options.idle) or not 0 <= options.idle <= 2):
            raise ValueError(f"idle: {options.idle!r}; wants True, False or a strength from 0 to 2.")

    def _streams(self, clips: list[Clip], options: Options) -> Iterator[Text2LipStream]:
        kind = renderer_kind(self, options.renderer)
        looks = references_of(clips, self.face_landmarker, self.config.max_size, self.progress_bar)
        if any(looks) and kind != "learned":
            value = next(clip.reference for clip in clips if clip.reference is not None)
            value = repr(value) if isinstance(value, (str, os.PathLike)) else f"got {type(value).__name__}"
            raise ValueError(f"reference: {value}, but the {kind} renderer takes no reference; leave it out.")
        own = kind == "learned" and self.unet.config.sample_size == CROP_SIZE  # a film's own frames, cut for 96 px
        landmarker = self.face_landmarker
        person = Person.of(options.face_index, landmarker, partial(self._faces.locate_all, landmarker))
        options = replace(options, face_index=person)
        return (self._stream(clip, options, given or own) for clip, given in zip(clips, looks))

    def _stream(self, clip: Clip, options: Options, looks: Callable | bool) -> Text2LipStream:
        subject = self._subject(clip, options, looks)
        encoder = self.viseme_encoder
        predicts = encoder is not None and not encoder.misfit(self.tokenizer)
        speech = clip.speak(partial(predict_timeline, encoder, self.tokenizer) if predicts else None)
        timeline = speech.timeline
        num_frames = clip.num_frames or clip_length(timeline.duration, subject.fps)
        if num_frames > clip_length(timeline.duration, subject.fps):
            timeline = timeline.pad(num_frames / subject.fps)
        tokens = self.tokenizer(phones=timeline, language=clip.language, return_tensors="pt")
        moved, width = self.animate(tokens, num_frames, subject.fps, options.motion)
        renderer = self.make_renderer(options.renderer, **options.sampler)
        heard = sound_tokens(self, options.audio_condition, tokens, speech, num_frames, subject.fps)

        def render(portrait, landmarks, source_landmarks, part, references):
            same = {"fps": subject.fps, "generator": clip.generator}
            same["audio_features"] = None if heard is None else heard[part]
            if references is not None:
                same["references"] = references
            return renderer.render(portrait, landmarks, source_landmarks=source_landmarks, **same)

        motion = options.expressiveness * moved[0].float().cpu().numpy()
        landmarks, frames = subject.perform(motion, width, render)
        if options.idle:
            given = frames, landmarks, subject.face[:, :2], float(options.idle), clip.generator
            frames, landmarks = add_life(*given, fps=subject.fps, size=subject.size)
        visemes = self.tokenizer.segments(tokens, 0)
        if len(landmarks) < clip_length(timeline.duration, subject.fps):
            timeline = timeline.cut(len(landmarks) / subject.fps)
            visemes = cut_segments(visemes, timeline.duration)
        sound = None
        if speech.audio is not None:
            sound = fit_audio(speech.audio, speech.sampling_rate, len(landmarks), subject.fps)
        return Text2LipStream(
            frames=frames,
            num_frames=len(landmarks),
            fps=subject.fps,
            audio=sound,
            sampling_rate=None if sound is None else speech.sampling_rate,
            landmarks=landmarks,
            visemes=visemes,
            phones=list(timeline.phones),
            words=list(timeline.words),
            size=subject.size,
        )

    def _subject(self, clip: Clip, options: Options, looks: Callable | bool) -> Still | Dub:
        """Who talks: a portrait, or the face in a film."""
        shared = {"fps": clip.fps, "face_index": options.face_index.anew(), "max_size": self.config.max_size}
        if not is_footage(clip.image):
            looks = looks if callable(looks) else None
            return Still(clip.image, self.face_landmarker, **shared, looks=looks, faces=self._faces)
        if options.idle:
            raise ValueError(f"idle: {options.idle!r}, but the head of a video has its own life; leave it out.")
        film = {"video_end": options.video_end, "progress": self.progress_bar, "looks": looks}
        return Dub(clip.image, self.face_landmarker, **film, **shared)

    def make_renderer(self, renderer: str | None = None, **sampler: Any):
        """The renderer of that name, "auto" or None for this pipeline's own choice; `sampler` for one that samples."""
        return make_renderer(self, renderer, **sampler)


register_pipeline(Text2LipPipeline)
