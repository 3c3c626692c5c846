"""What the page shows, and what its buttons do."""

import html
import io
import re
import traceback
from collections.abc import Iterator
from functools import partial
from numbers import Real
from threading import Thread
from typing import Any
from unicodedata import east_asian_width

import gradio as gr
import numpy as np
from PIL import Image

from text2lip.demo.clip_job import PREPARING, ClipJob
from text2lip.demo.looks import NOBODIES, PLAYHEAD
from text2lip.exports.clip import Clip
from text2lip.exports.timeline_figure import timeline_figure
from text2lip.exports.timing_files import write_timings
from text2lip.exports.writers import write_clip
from text2lip.faces.landmarker import FaceNotFoundError
from text2lip.files import is_address
from text2lip.media.animation import pictures_in
from text2lip.media.pixels import flatten, from_pil
from text2lip.pipelines.output import Text2LipStream
from text2lip.pipelines.request import FIELDS
from text2lip.pipelines.text2lip import Text2LipPipeline
from text2lip.speech import list_voices
from text2lip.speech.voices.kokoro import kokoro_is_installed
from text2lip.text import available_languages
from text2lip.text.feeling_marks import FEELINGS, vader_is_installed
from text2lip.text.ssml import is_ssml
from text2lip.wording import reworded, spoken_time


LABELS = {
    "prompt": "Text",
    "image": "Face",
    "voice": "Voice",
    "language": "Language",
    "speaking_rate": "Speaking rate",
    "expressiveness": "Lip motion",
    "expression": "Expression",
    "life": "Head, eyes and brows",
    "renderer": "Renderer",
    "reference": "More pictures of the person",
    "audio": "Your own speech",
}
"""Arguments of the pipeline -> what they are called on the page; `film` beside them takes the place of `image`."""
_NAMES = LABELS | {"text": "Text", "face": "Face", "face_index": "Face", "output": "Video"}
_VOICES = {"default": "By the language", "none": "No sound"}
_RENDERERS = {"Automatic": None, "Learned": "learned", "Geometric, quicker": "geometric"}
DOWNLOADS = {
    ".mp4": "Video",
    ".srt": "Subtitles",
    ".json": "Times",
    ".csv": "ARKit",
    ".glb": "Head in 3D",
    ".wav": "Sound",
}
TOLD = ValueError, ImportError, OSError  # in words; any other is a bug
POLL = 0.4  # seconds between two looks at how far a clip is
LARGEST_PICTURE = 1280  # pixels of a picture; larger ones are made so small
MOST_PIXELS = 50  # million, of a picture; larger ones are not read
LONGEST_TEXT = 360.0  # seconds of a text
MOST_CHARACTERS = 12_000  # of a text with all its tags
LONGEST_LINE = 20  # videos that are made or wait
_LETTERS = 15  # that are said in a second
_BY_COMMAND = "Shorten it, or make it by the command, which has no limit."
_CONSENT = (
    "Let nobody say what they would not: use your own face, that of someone who agrees, or of nobody. "
    "Nothing leaves the machine that serves this page."
)


def build_page(pipe: Text2LipPipeline, folder: str | None = None) -> gr.Blocks:
    """The page of a pipeline that is loaded, which makes clips in `folder`; see [`~text2lip.demo.server.launch`]."""
    line: list[ClipJob] = []  # those that are made one after the other
    jobs: dict[str, ClipJob] = {}  # the one of each visitor
    off, on = gr.update(interactive=False), gr.update(interactive=True)

    def stop(request: gr.Request) -> None:
        if job := jobs.get(request.session_hash):
            job.stop()

    def make(request: gr.Request, *values: Any) -> Iterator[dict]:
        try:
            asked = call_of(**dict(zip((*LABELS, "film"), values)))
            check_line(line)
            smaller: list[str] = []
            job = ClipJob(partial(begun, pipe, asked, smaller), folder, line, preparing(asked))
            jobs[request.session_hash] = job
            try:
                yield {status: progress_bar(job), button: off, stopper: on}
                yield from film_of(job, smaller)
            finally:  # also when the visitor has gone, and then in the thread that serves all others
                if jobs.get(request.session_hash) is job:  # not the next one of the same visitor
                    del jobs[request.session_hash]
                Thread(target=job.clean, daemon=True).start()
        except Exception as error:
            if not isinstance(error, TOLD):
                traceback.print_exc()
            yield {status: told(error)}
        yield {button: on, stopper: off}

    def film_of(job: ClipJob, notes: list[str]) -> Iterator[dict]:
        while job.running:
            job.wait(POLL)
            yield {status: progress_bar(job)}
        if job.stopped:
            yield {status: note("Stopped. No video was written.")}
        elif job.error:
            raise job.error
        else:
            hidden = dict.fromkeys(downloads.values(), gr.update(visible=False))
            film = {video: str(job.video), timeline: "", results: gr.update(visible=True), stopper: off}
            yield {status: made(job, *notes, "Writing what belongs to it …")} | film | hidden
            files, drawn, words = results_of(job, notes)
            shown = {downloads[end]: gr.DownloadButton(value=path, visible=True) for end, path in files.items()}
            yield {status: words, timeline: drawn} | shown

    with gr.Blocks(title="text2lip", analytics_enabled=False, delete_cache=(3600, 3600)) as page:
        gr.Markdown("# text2lip\nType a sentence, choose a face, and press the button: the face says it.")
        with gr.Row(equal_height=False):
            with gr.Column():
                text, face, button, stopper = first_view()
                status = gr.HTML(elem_id="status")
            with gr.Column(visible=False) as results:
                video = gr.Video(label="Video", autoplay=True, interactive=False, elem_id="film")
                timeline = gr.HTML(label="Time line", elem_id="timeline", js_on_load=PLAYHEAD)
                with gr.Row(elem_id="downloads"):
                    downloads = {
                        suffix: gr.DownloadButton(f"{label} ({suffix[1:]})", visible=False, size="md", min_width=150)
                        for suffix, label in DOWNLOADS.items()
                    }
        chosen = more_choices()
        gr.Markdown(_CONSENT, elem_id="consent")
        inputs = [{"prompt": text, "image": face, **chosen}[name] for name in (*LABELS, "film")]
        outputs = [status, button, stopper, results, video, timeline, *downloads.values()]
        gr.on([button.click, text.submit], make, inputs, outputs, show_progress="hidden", concurrency_limit=None)
        stopper.click(stop, queue=False)
        page.unload(stop)
    return page


def first_view() -> tuple[gr.Textbox, gr.Image, gr.Button, gr.Button]:
    """Text, face and the two buttons."""
    text = gr.Textbox(
        label="Text",
        value="Good morning. Nobody has ever recorded this sentence.",
        lines=3,
        info="Plain text or SSML. Shift+Enter starts too.",
    )
    face = gr.Image(
        label="Face",
        value=str(NOBODIES[0]),
        type="filepath",
        sources=["upload", "webcam", "clipboard"],
        buttons=[],
        height=300,
        elem_id="face",
    )
    as_uploaded(face).preprocess = path_of  # what can't be read is told by the pipeline, in words
    gr.Examples([[str(path)] for path in NOBODIES], [face], label="Or someone who does not exist", elem_id="samples")
    with gr.Row(elem_id="buttons"):
        button = gr.Button("Make the video", variant="primary", elem_id="make", scale=3)
        stopper = gr.Button("Stop", variant="stop", interactive=False, elem_id="stop", scale=1, min_width=80)
    return text, face, button, stopper


def more_choices() -> dict[str, gr.components.Component]:
    """What most people leave as it is, behind a fold; by the names of `LABELS`, and `film`."""
    voices = [name for name in list_voices() if "<" not in name and (name != "kokoro" or kokoro_is_installed())]
    languages = [(f"{title} ({code})", code) for code, title in available_languages().items()]
    feelings = [("None of its own", ""), *FEELINGS, *["auto"] * vader_is_installed()]
    slider = partial(gr.Slider, step=0.05)
    with gr.Accordion("More choices", open=False, elem_id="more"):
        with gr.Row():
            voice = gr.Dropdown([*((_VOICES.get(v, v.capitalize()), v) for v in (*voices, "none"))], value="default")
            language = gr.Dropdown(languages, value=FIELDS["language"].default)
            feeling = gr.Dropdown(feelings, value="", allow_custom_value=True)
            renderer = gr.Dropdown(list(_RENDERERS), value="Automatic")
        with gr.Row():
            rate = slider(0.5, 2, value=1, info="1 is the voice's own pace")
            lips = slider(0, 2, value=FIELDS["expressiveness"].default, info="0 is none")
            life = slider(0, 2, value=FIELDS["life"].default, info="1 is natural, 0 none")
        with gr.Row():
            film = gr.Video(label="A film in place of the face", sources=["upload"], include_audio=True, height=280)
            reference = gr.File(file_count="multiple", file_types=["image", "video"], height=280)
            audio = gr.Audio(type="filepath", sources=["upload", "microphone"], buttons=[])
        gr.Markdown(
            "Feelings may be mixed: happy 0.6, surprised 0.4. A film is dubbed: only its mouth changes. Pictures "
            "of the person give the teeth. With your own speech the lips follow it, best with its text above; voice "
            "and rate don't matter then."
        )
    parts = {"voice": voice, "language": language, "speaking_rate": rate, "expressiveness": lips, "life": life}
    parts |= {"expression": feeling, "renderer": renderer, "reference": reference, "audio": audio}
    for name, part in parts.items():
        part.label = LABELS[name]
    as_uploaded(reference)
    for part in (film, audio):
        as_uploaded(part).preprocess = path_of
    return parts | {"film": film}


def as_uploaded(part: gr.components.Component) -> gr.components.Component:
    """`part`, which now takes files that were uploaded alone: gradio would fetch the address that a program sends."""
    keep = part.async_move_resource_to_block_cache

    async def keep_files(path: Any) -> str | None:
        if is_address(str(path)):
            raise gr.Error(
                f"{part.label}: {path} is an address; nothing is fetched here. Upload it.", print_exception=False
            )
        return await keep(path)

    part.async_move_resource_to_block_cache = keep_files
    return part


def path_of(payload: Any) -> str | None:
    """The file that was uploaded, as it is."""
    return payload.path if payload else None


def call_of(**asked: Any) -> dict[str, Any]:
    """Arguments of the pipeline for what is on the page, by the names of `LABELS`, and `film`.

    Raises:
        ValueError: neither a text nor speech; a text that is too long; neither a face nor a film.
    """
    film = asked.pop("film")
    asked["prompt"] = (asked["prompt"] or "").strip() or None
    asked["image"] = film or asked["image"]
    if asked["prompt"] is None and not asked["audio"]:
        raise ValueError("text: empty; type what is to be said.")
    if (length := len(asked["prompt"] or "")) > MOST_CHARACTERS:
        raise ValueError(f"text: {length:,} characters, here it may have {MOST_CHARACTERS:,}. {_BY_COMMAND}")
    if (seconds := seconds_of(asked)) > LONGEST_TEXT:
        raise ValueError(
            f"text: to say its {length:,} characters takes about {spoken_time(seconds)}, here it may be "
            f"{spoken_time(LONGEST_TEXT)}. {_BY_COMMAND}"
        )
    if asked["image"] is None:
        raise ValueError("face: none; upload a picture, take one, or choose one of those below.")
    asked["voice"] = {"none": None}.get(asked["voice"], asked["voice"])
    asked["expression"] = (asked["expression"] or "").strip() or None
    asked["renderer"] = _RENDERERS[asked["renderer"]]
    references = asked["reference"] or []
    asked["reference"] = references[0] if len(references) == 1 else references or None
    if asked["audio"]:
        asked |= {"voice": "default", "speaking_rate": 1.0}
    return asked


def seconds_of(asked: dict[str, Any]) -> float:
    """About how long the text takes to say; 0 without one or a rate, and with speech, whose length is known."""
    text, rate = asked["prompt"] or "", asked.get("speaking_rate")
    if asked["audio"] or not isinstance(rate, Real) or not rate > 0:
        return 0.0
    if is_ssml(text):
        text = re.sub(r"<[^>]*>", "", text)
    letters = sum(3 if east_asian_width(letter) in "WF" else 1 for letter in text)
    return letters / _LETTERS / rate


def preparing(asked: dict[str, Any]) -> str:
    """What is said until the first frame is drawn, with what a long text costs."""
    seconds = seconds_of(asked)
    return f"{PREPARING} The text takes about {spoken_time(seconds)} to say." if seconds > 30 else PREPARING


def check_line(line: list[ClipJob]) -> None:
    """Refuse one more where as many wait as may; a ValueError."""
    if len(line) >= LONGEST_LINE:
        raise ValueError(f"{len(line)} other videos wait to be made, and no more can. Try again in some minutes.")


def begun(pipe: Text2LipPipeline, asked: dict[str, Any], notes: list[str]) -> Text2LipStream:
    """The clip that is asked for, of a face that is `fitted`; a line about that is added to `notes`.

    Raises:
        ValueError: the text or the film is too long, as is known now, or whatever the pipeline refuses.
    """
    image, *smaller = fitted(asked["image"])
    notes += smaller
    stream = pipe.stream(**asked | {"image": image})
    seconds = stream.num_frames / stream.fps
    if seconds > LONGEST_TEXT and not asked["audio"]:
        stream.close()
        raise ValueError(f"text or film: {seconds:.0f} s long, here it may be {LONGEST_TEXT:.0f} s. {_BY_COMMAND}")
    return stream


def fitted(picture: str) -> tuple[str | np.ndarray, *tuple[str, ...]]:
    """A picture that is larger than `LARGEST_PICTURE` made so small, and a line about it; all else as it is.

    Raises:
        ValueError: it has more than `MOST_PIXELS`, by its header, or is damaged.
    """
    try:
        opened = Image.open(picture)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return (picture,)  # a film, or what the pipeline tells
    with opened:
        width, height = opened.size
        if width * height > MOST_PIXELS * 1e6:
            most = f"here it may have {MOST_PIXELS} million"
            raise ValueError(f"face: {width}x{height} pixels, {most}. Make it smaller, or cut out the face.")
        if max(width, height) <= LARGEST_PICTURE or pictures_in(picture) != 1:
            return (picture,)
        opened.draft(None, (LARGEST_PICTURE, LARGEST_PICTURE))  # a JPEG is read at a part of its size
        smaller = Image.fromarray(flatten(from_pil(opened, None, repr(picture)))[0])
    if (width > height) != (smaller.width > smaller.height):
        width, height = height, width  # it was turned
    smaller.thumbnail((LARGEST_PICTURE, LARGEST_PICTURE))
    after = f"{smaller.width}x{smaller.height}"
    return np.asarray(
        smaller
    ), f"Face: made smaller, {width}x{height} to {after} pixels; the command keeps up to 4096."


def results_of(job: ClipJob, notes: list[str]) -> tuple[dict[str, str], str, str]:
    """Files by suffix, time line and what is said of a clip that is done; the film also where the rest fails."""
    try:
        files, missing = files_of(job)
        return files, timeline_svg(job.clip), made(job, *notes, *missing)
    except Exception as error:
        traceback.print_exc()
        return {".mp4": str(job.video)}, "", made(job, *notes) + told(error)


def files_of(job: ClipJob) -> tuple[dict[str, str], list[str]]:
    """Suffix -> path of what can be downloaded of a clip that is done, written now; what can't and why, in words."""
    times = job.folder / "times.json"
    write_timings(times, job.clip)
    files, missing = {".mp4": str(job.video), ".json": str(times)}, []
    still = job.clip.lip_motion is None and "it isn't known how one head moves"
    why_not = {".srt": job.clip.times_from == "sound" and "no words are known", ".csv": still, ".glb": still}
    for suffix, why in (why_not | {".wav": job.clip.audio is None and "the clip is silent"}).items():
        path = job.video.with_suffix(suffix)
        try:
            if not why and not path.exists():  # the sound comes with the head
                write_clip(path, job.clip)
        except (ValueError, OSError) as error:
            why = in_labels(str(error)).rstrip(".")
        if why:
            missing.append(f"No {DOWNLOADS[suffix]} ({suffix[1:]}): {why}.")
        else:
            files[suffix] = str(path)
    return files, missing


def timeline_svg(clip: Clip) -> str:
    """The figure of the clip as a part of the page, in a box that scrolls; where its axes are, for the play head."""
    figure, drawn = timeline_figure(clip), io.StringIO()
    import matplotlib

    with matplotlib.rc_context({"svg.fonttype": "none", "font.family": "sans-serif"}):
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None})
    svg = re.sub(r"^.*?(?=<svg)", "", drawn.getvalue(), flags=re.DOTALL)
    axes, width = figure.axes[0].get_position(), figure.get_figwidth()
    words = html.escape(" ".join(word.label for word in clip.words)) or "sound alone"
    place = f'data-left="{axes.x0:.5f}" data-width="{axes.width:.5f}" data-seconds="{clip.duration:.4f}"'
    return (
        f'<div class="scroll" tabindex="0" role="img" aria-label="Sound, words, visemes and lip gap of: {words}">'
        f'<div class="time" style="width:{width * 72:.0f}px" {place}>{svg}<div class="head"></div></div></div>'
    )


def progress_bar(job: ClipJob) -> str:
    """How far a clip is."""
    share, words = job.progress()
    value = f'value="{share:.3f}"' if share else ""  # a bar without a value moves to and fro
    return f'<progress max="1" {value} aria-label="Progress"></progress><p>{html.escape(words)}</p>'


def made(job: ClipJob, *missing: str) -> str:
    """What was made, what the library warned of, and which files there are none of."""
    how = {"sound": " No words are known, so the lips follow the sound alone."}.get(job.clip.times_from, "")
    if job.clip.times_from == "recognition":
        how = " Recognised: " + " ".join(word.label for word in job.clip.words)
    return note(f"{job.clip.duration:.1f} s of video.{how}", *map(in_labels, job.notes), *missing)


def note(*lines: str) -> str:
    """Lines that a screen reader reads out."""
    return '<div role="status">' + "".join(f"<p>{html.escape(line)}</p>" for line in lines) + "</div>"


def told(error: Exception) -> str:
    """An error in the words of the page."""
    message = in_labels(str(error))
    if isinstance(error, FaceNotFoundError) and (size := re.search(r"\(\d+x\d+ pixels\): looked", message)):
        seen = size[0].removesuffix(": looked")
        message = f"Face: none found in the picture {seen}; give one that shows it larger and from the front."
    if not isinstance(error, TOLD):
        message = f"{type(error).__name__}: {message}. This should not happen: please report it."
    return f'<div role="alert"><p>{html.escape(message)}</p></div>'


def in_labels(message: str) -> str:
    """What the library says in the words of the page, with files by their names: not where they lie."""
    return re.sub(r"(?<![\w<:/])/(?:[^/\s']+/)+(?=[^/\s'])", "", reworded(message, _NAMES, LABELS))
