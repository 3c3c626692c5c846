"""The files that a clip is written to, by suffix: `save` and the command read this one table."""

import os
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from text2lip.exports.animation_files import write_animation
from text2lip.exports.clip import SAVE_OPTIONS, Clip, SaveOptions, mark_of
from text2lip.exports.frame_size import read_size, resized, scale_into, side_by_side
from text2lip.exports.gltf import save_glb
from text2lip.exports.kept_inputs import check_inputs_kept
from text2lip.exports.live_link import write_live_link
from text2lip.exports.marking import mark_file, signer_for
from text2lip.exports.motion_json import write_motion_json
from text2lip.exports.mouth_cues import write_mouth_cues
from text2lip.exports.picture_files import write_pictures
from text2lip.exports.picture_label import labelled
from text2lip.exports.sound_files import SOUND_DIGEST, digest_of, sound_beside, write_sound
from text2lip.exports.sound_mark import load_watermark, mark_sound
from text2lip.exports.subtitle_files import new_subtitles, write_subtitles
from text2lip.exports.video_files import write_film
from text2lip.exports.viseme_files import write_visemes
from text2lip.files import is_folder_name, replaced_file


@dataclass(frozen=True)
class Writer:
    """How a clip becomes a file.

    Attributes:
        kind (`str`): what the file is, in a word: "video".
        needs (`tuple[str, ...]`): what of the clip goes into it, of "frames", "sound", "words" and "motion": without
            "frames" none is drawn, and "words" have to be known.
        write (`Callable[[Path, Clip, SaveOptions], int]`): writes it under a temporary name, renames it, and returns
            the number of frames. Heavy imports belong inside.
    """

    kind: str
    needs: tuple[str, ...]
    write: Callable[[str | Path, Clip, SaveOptions], int]
    several: bool = False  # files, which the writer marks itself
    encoded: bool = False  # as `crf` and `codec` say


def write_glb(path: str | Path, clip: Clip, options: SaveOptions) -> int:
    """Write the built-in head that says `clip` as .glb, and its sound beside it as .wav, marked like any other;
    returns the number of frames. Neither takes its name before both are whole. `asset.extras` of the .glb hold the
    sound's SHA-256, unmarked as well: by it the sound is known as its own.

    Raises:
        ValueError: a place can't be written to, or as [`sound_beside`].
    """
    sound = None if clip.audio is None else sound_beside(path)
    extras = dict(mark_of(clip, options) or {})
    with replaced_file(path) as head, replaced_file(sound) if sound else nullcontext() as beside:
        if sound:
            check_inputs_kept(sound, clip.origin.inputs)
            write_clip(beside, clip, options)
            extras[SOUND_DIGEST] = digest_of(beside)
        save_glb(head, clip.blendshapes, extras=extras)
    return clip.num_frames


VIDEO = Writer("video", ("frames", "sound"), write_film, encoded=True)
ANIMATION = Writer("animation", ("frames",), write_animation)
PICTURES = Writer("numbered pictures", ("frames",), write_pictures, several=True)
SOUND_ALONE = Writer("sound", ("sound",), write_sound)
SUBTITLES = Writer("subtitles", ("words",), write_subtitles)
VISEMES = Writer("visemes", ("words",), write_visemes)
CUES = Writer("mouth cues", ("words",), write_mouth_cues)

WRITERS = {
    ".mp4": VIDEO,
    ".mov": VIDEO,
    ".mkv": VIDEO,
    ".webm": VIDEO,
    ".gif": ANIMATION,
    ".webp": ANIMATION,
    ".png": PICTURES,
    "/": PICTURES,  # a folder
    ".wav": SOUND_ALONE,
    ".srt": SUBTITLES,
    ".vtt": SUBTITLES,
    ".glb": Writer("a talking head", ("motion",), write_glb),
    ".csv": Writer("ARKit weights", ("motion",), write_live_link),
    ".json": Writer("motion", ("motion",), write_motion_json),
    ".oculus.csv": VISEMES,
    ".oculus.json": VISEMES,
    ".azure.csv": VISEMES,
    ".azure.json": VISEMES,
    ".tsv": CUES,
    ".xml": CUES,
    ".rhubarb.json": CUES,
}
"""End of a file's name -> writer. A new kind of file is a line here."""


def writer_for(path: str | Path, argument: str = "output", kind: str | None = None) -> Writer:
    """What writes a file of that name; `argument` is what it was given as, for errors.

    Args:
        kind (`str`, *optional*): what it has to be, such as "subtitles"; anything in the table by default.

    Raises:
        ValueError: the suffix is of no such file; what there is is listed.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise ValueError(f"{argument}: {path!r}; give the name of a file.")
    writers = {suffix: writer for suffix, writer in WRITERS.items() if kind in (None, writer.kind)}
    name = "/" if is_folder_name(path) else Path(path).name.lower()
    for suffix in sorted(writers, key=len, reverse=True):
        if name.endswith(suffix) and (name != suffix or suffix == "/"):
            return writers[suffix]
    raise ValueError(f"{argument}: {os.fspath(path)!r} should end in {possible_suffixes(kind)}.")


def possible_suffixes(kind: str | None = None) -> str:
    """Suffixes in words: ".mp4, .mov or .mkv for video, .srt or .vtt for subtitles"; of one kind without its name."""
    kinds: dict[str, list[str]] = {}
    for suffix, writer in WRITERS.items():
        kinds.setdefault(writer.kind, []).append({"/": "FOLDER/", ".png": "%04d.png"}.get(suffix, suffix))
    told = {name: " or ".join(filter(None, (", ".join(all_[:-1]), all_[-1]))) for name, all_ in kinds.items()}
    return told[kind] if kind else ", ".join(f"{suffixes} for {name}" for name, suffixes in told.items())


def write_clip(
    path: str | Path, clip: Clip, options: SaveOptions | None = None, subtitles: str | Path | None = None
) -> int:
    """Write a clip to a file of the kind that its suffix says, and its subtitles if asked: both files or none.

    Args:
        path (`str` or `Path`): see `WRITERS`; an existing file is replaced, and only when the new one is whole.
        clip ([`Clip`]): its frames are taken one by one.
        options ([`SaveOptions`], *optional*): what is asked of the file.
        subtitles (`str` or `Path`, *optional*): file for the words, SRT or WebVTT by its suffix.

    Returns:
        `int`: number of frames.

    Raises:
        ValueError: a file can't be written, has a suffix of no format or would replace what the clip is made of, no
            words are known for it, or it has nothing that an option could change.
    """
    writer, options = writer_for(path), options or SaveOptions()
    check_options(writer, options)
    if writer.needs == ("sound",) and clip.audio is None:
        raise ValueError(f"output: {str(path)!r}, but the clip is silent; choose a voice, or write a video.")
    check_inputs_kept(path, clip.origin.inputs)
    if "words" in writer.needs:
        check_words_known(path, clip, "output")
    if subtitles is None:
        beside = nullcontext()
    else:
        check_words_known(subtitles, clip)
        writer_for(subtitles, "subtitles", "subtitles")
        check_inputs_kept(subtitles, clip.origin.inputs, "subtitles")
        beside = new_subtitles(subtitles, clip)
    marked = options.mark and not writer.several and bool({"frames", "sound"} & set(writer.needs))
    identity = signer_for(path, options.certificate) if marked else None
    if "frames" in writer.needs:
        clip = replace(clip, frames=as_asked(clip, options))
    if marked and "sound" in writer.needs and clip.audio is not None and not clip.origin.own_sound:
        network = load_watermark()
        clip = clip if network is None else replace(clip, audio=mark_sound(clip.audio, clip.sampling_rate, network))
    with beside:
        if not marked:
            return writer.write(path, clip, options)
        with replaced_file(path) as unmarked:
            count = writer.write(unmarked, clip, options)
            mark_file(unmarked, clip.origin, identity)
            return count


def check_options(writer: Writer, options: SaveOptions) -> None:
    """Refuse what would change nothing in the files of `writer`.

    Raises:
        ValueError: such an option was given.
    """
    drawn, encoded = "frames" in writer.needs, writer.encoded
    changes = {"crf": encoded, "codec": encoded, "size": drawn, "compare": drawn, "label": drawn}
    for name, something in changes.items():
        value = getattr(options, name)
        if not something and value is not SAVE_OPTIONS[name].default:
            other = possible_suffixes("video") + ("" if name in ("crf", "codec") else " or pictures")
            raise ValueError(f"{name}: {value!r} changes nothing in {writer.kind}; leave it out, or write {other}.")


def as_asked(clip: Clip, options: SaveOptions) -> Iterable[np.ndarray]:
    """The frames of a clip as they go into a file: with a label, beside what they were made of, of another size."""
    height, width = clip.size
    size = None if options.size is None else read_size(options.size)
    scale = 1.0 if size is None else scale_into(size, height, width * (2 if options.compare else 1))
    frames = labelled(clip.frames, options.label, scale) if options.label else clip.frames
    if options.compare:
        if clip.before is None:
            raise ValueError("compare: it isn't known what the clip was made of; save what the pipeline gave.")
        frames = side_by_side(clip.before(clip.num_frames), frames)
    return frames if size is None else resized(frames, size)


def check_words_known(path: str | Path, clip: Clip, argument: str = "subtitles") -> None:
    """Refuse a file of words for a sound of which nobody knows what it says, see [`Speech`] for `times_from`.

    Raises:
        ValueError: there are no words for it.
    """
    if clip.times_from == "sound":
        raise ValueError(
            f"{argument}: {str(path)!r}, but the lips follow the sound alone and no words are known; give the "
            "text, timings or a recogniser."
        )
