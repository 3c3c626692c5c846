"""The `text2lip` command: a sentence and a portrait in, a video file with sound out."""

import argparse
import gc
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from text2lip import __version__
from text2lip.exports.clip import SAVE_OPTIONS, SaveOptions
from text2lip.exports.kept_inputs import check_inputs_kept, inputs_of
from text2lip.exports.picture_files import where_pictures_go
from text2lip.exports.sound_files import sound_beside
from text2lip.exports.writers import check_options, possible_suffixes, writer_for
from text2lip.media.codecs import choose_codec
from text2lip.pipelines.request import FIELDS
from text2lip.wording import reworded, spoken_time, with_warnings


LONG = 30  # seconds; what takes longer is announced
FLAGS = {name: field.metadata["flags"][-1] for name, field in FIELDS.items() if field.metadata.get("flags")}
"""Arguments of the pipeline -> what they are called on the command line."""
NAMES = FLAGS | {"prompt": "text", "face": FLAGS["face_index"], "pretrained_model_name_or_path": "--model"}
NAMES |= {name: f"--{name}" for name in ("output", "subtitles", "device", "host", "port")}
NAMES |= {name: field.metadata["flags"][-1] for name, field in SAVE_OPTIONS.items()}
"""What errors of the library begin with -> what that is called on the command line."""

EPILOG = """examples:
  text2lip "Good morning." --output hello.mp4                       a built-in portrait says it
  text2lip "Guten Morgen." --image me.jpg --language de             your own portrait, another language
  text2lip "What I said." --image me.jpg --audio speech.wav         your own voice; the lips follow it
  text2lip --image me.jpg --audio speech.wav                        the same without its text
  text2lip "Something else." --image talk.mp4                       dubs a video: only its mouth changes
  text2lip "Slow, please." --rate 0.8 --subtitles slow.srt          slower, with subtitles
  text2lip '<speak>One <break time="1s"/> two.</speak>'             SSML
  text2lip --file letter.txt --output letter.mp4                    text from a file ("-" reads standard input)
  text2lip --file film.srt --image film.mp4                         dubs it: what subtitles say, when they say it
  text2lip --list-voices          text2lip --list-languages
  text2lip inspect hello.mp4                                        what a file says of where it comes from
  text2lip demo                                                     all of this as a page in your browser

A text that is such a sub-command needs "--" before it: text2lip -- demo

Ctrl-C stops a run and leaves no half file. Exit codes: 0 done, 2 wrong input, 130 interrupted, 1 a bug.
"""


def build_parser() -> argparse.ArgumentParser:
    """The command line, with help that teaches."""
    parser = argparse.ArgumentParser(
        prog="text2lip",
        description="Make a portrait say a sentence. Writes a video with sound; works offline, on a CPU.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("text", nargs="*", help="what is said, quoted: plain text, or SSML that starts with <speak>")
    for name in FLAGS:
        field = FIELDS[name]
        parser.add_argument(*field.metadata["flags"], dest=name, default=field.default, **field.metadata["parser"])
    what = f"what to write: {possible_suffixes()}".replace("%", "%%")  # argparse formats it
    parser.add_argument("-o", "--output", metavar="FILE", default="text2lip.mp4", help=what)
    for name, field in SAVE_OPTIONS.items():
        parser.add_argument(*field.metadata["flags"], dest=name, default=field.default, **field.metadata["parser"])
    parser.add_argument("-s", "--subtitles", metavar="FILE", help="write subtitles too: .srt or .vtt")
    parser.add_argument("-f", "--file", metavar="FILE", help="text, SSML or subtitles to say, '-' is standard input")
    parser.add_argument("--model", default="text2lip-grid", help="built-in name, folder or Hub id of a pipeline")
    parser.add_argument("--device", help="where it runs: cpu (default), cuda, mps, …")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bar, no report")
    parser.add_argument("--list-voices", action="store_true", help="list the voices and stop")
    parser.add_argument("--list-languages", action="store_true", help="list the languages and stop")
    parser.add_argument("--debug", action="store_true", help="on an error, show where it came from")
    parser.add_argument("--version", action="version", version=f"text2lip {__version__}")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit code: 0 done, 1 a bug, 2 wrong input, 130 interrupted, 143 terminated."""
    for console in (sys.stdout, sys.stderr):
        if hasattr(console, "reconfigure"):
            console.reconfigure(errors="replace")  # "?" for what the console can't show
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        with ending_cleanly(quiet=not {"-q", "--quiet"}.isdisjoint(words)) as stopped:
            if words and words[0] in COMMANDS:
                COMMANDS[words[0]](words[1:])
            else:
                make(build_parser().parse_args(words), stopped)
    except KeyboardInterrupt:
        return complain("interrupted, nothing was written.", 130)
    except BrokenPipeError:  # | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        if "--debug" in words:
            raise
        if isinstance(error, (ValueError, ImportError, OSError)):
            return complain(f"error: {in_flags(str(error))}", 2)
        kind = type(error).__name__
        return complain(f"error: {kind}: {error}. This should not happen: please report it with --debug.", 1)
    return 0


def demo(words: list[str]):
    """`text2lip demo`: the page in a browser."""
    from text2lip.demo.server import serve

    serve(words, load_pipeline)


def inspect(words: list[str]):
    """`text2lip inspect FILE …`: what files say of where they come from."""
    from text2lip.exports.inspection import inspection_report

    print(inspection_report(words))


COMMANDS = {"demo": demo, "inspect": inspect}
"""First word of the command line -> what takes the words after it, in place of making a clip."""


def complain(message: str, code: int) -> int:
    print(f"text2lip: {message}", file=sys.stderr)
    return code


@contextmanager
def ending_cleanly(quiet: bool = True):
    """Let SIGINT, SIGTERM and SIGHUP unwind the stack, so that no half file stays behind.

    Yields a list that holds the exception once a signal has come: a library that happens to be in a callback then may
    swallow it, so [`until`] looks again. A signal that the caller of the command ignores (nohup) stays ignored.
    """
    stopped: list[BaseException] = []
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return

    def stop(number, frame):
        if number == signal.SIGINT and not stopped and not quiet:  # models take seconds to let go
            with suppress(OSError):
                os.write(2, b"\ntext2lip: stopping...\n")  # print isn't safe here
        stopped.append(KeyboardInterrupt() if number == signal.SIGINT else SystemExit(128 + number))
        raise stopped[-1]

    signals = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    handled = [number for number in signals if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in handled}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def until(stopped: list[BaseException], frames: Iterable) -> Iterator:
    """Pass frames on until a signal has come."""
    for frame in frames:
        if stopped:
            raise stopped[-1]
        yield frame


def in_flags(message: str) -> str:
    """What the library says in the words of the command line: "speaking_rate: …" becomes "--rate: …", `image` --image,
    and language='zh' --language zh."""
    return reworded(message, NAMES, FLAGS)


def print_list(voices: bool):
    if voices:
        from text2lip.speech import list_voices as table
    else:
        from text2lip.text import available_languages as table
    for name, description in table().items():
        print(f"{name:20} {description}")


def given_text(args: argparse.Namespace) -> str | None:
    """The text to say, from the argument, a file or standard input.

    Raises:
        ValueError: none or two of them are given, or the file can't be read or is in an unknown encoding.
    """
    enough = args.file is None and (args.timings or args.audio)
    if len(args.text) > 1:
        raise ValueError(f'text: got {len(args.text)} of them; put it in quotes: text2lip "{" ".join(args.text)}".')
    if (not args.text) == (args.file is None) and not enough:
        raise ValueError('text: give one, in quotes: text2lip "Good morning." (or --file FILE). See text2lip --help.')
    if args.file is None:
        return args.text[0] if args.text else None
    from text2lip.files import decode_text

    try:
        if args.file == "-":
            if sys.stdin is None:
                raise ValueError("standard input is closed")
            raw = getattr(sys.stdin, "buffer", sys.stdin).read()
        else:
            raw = Path(args.file).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"--file: can't read {args.file!r} as text ({reason}); check the name.") from error
    return raw if isinstance(raw, str) else decode_text(raw, f"--file: {args.file!r}")


def check_files(args: argparse.Namespace):
    """Refuse files that can't be read or written, and two speakers of one name, before any work is done.

    Raises:
        ValueError: an input that is no file; a name given twice; an output with an unknown suffix or in a place that
            can't be written to.
    """
    from text2lip.files import local_path

    for name in ("image", "audio", "timings", "reference"):
        path = getattr(args, name)
        if path is not None:
            local_path(path, FLAGS[name])
    if isinstance(args.face_index, str) and args.face_index != "any":
        try:
            local_path(args.face_index, "--face")
        except ValueError as error:
            wanted = "an index, a box X0,Y0,X1,Y1, a picture of the person or 'any'"
            raise ValueError(f"--face must be {wanted}: {str(error).removeprefix('--face: ')}") from error
    names = [name for name, _ in args.speakers or ()]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"--speaker: {twice[0]!r} is there twice; give each name once.")
    check_output("--output", args.output)
    if writer_for(args.output).kind == "video":
        choose_codec(args.codec, Path(args.output).suffix.lower(), bool(args.transparent), args.crf)
    if args.output.lower().endswith(".glb") and (args.audio or args.voice.lower() != "none"):
        sound_beside(args.output, "--output")
    inputs = inputs_of(args, args.file, args.certificate)
    check_inputs_kept(args.output, inputs, "--output")
    if args.subtitles is not None:
        check_output("--subtitles", args.subtitles, "subtitles")
        check_inputs_kept(args.subtitles, inputs, "--subtitles")


def check_output(flag: str, path: str, kind: str | None = None):
    """Refuse a file that can't be written; of that kind, see `WRITERS`."""
    from text2lip.files import check_place

    target = Path(os.path.realpath(path)) if os.path.islink(path) else Path(path).absolute()
    if writer_for(path, flag, kind).several:
        where_pictures_go(path)
        return
    if not os.path.isdir(target.parent):
        raise ValueError(f"{flag}: no folder to write {path!r} into; make it first or choose another place.")
    check_place(path, flag)


def make(args: argparse.Namespace, stopped: list[BaseException]):
    """What is asked for by the command without a sub-command: a list, or a clip."""
    if args.list_voices or args.list_languages:
        print_list(args.list_voices)
    else:
        run(args, stopped)


def run(args: argparse.Namespace, stopped: list[BaseException]):
    """Make the video that `args` ask for; ends at the next frame once `stopped` holds something."""
    text = given_text(args)
    check_files(args)
    options = {name: getattr(args, name) for name in SAVE_OPTIONS}
    check_options(writer_for(args.output), SaveOptions.of(**options))  # what is wrong is told before any work
    if text is not None and not text.strip():
        raise ValueError("text: empty; give the words to say.")
    started = time.perf_counter()

    from text2lip.devices import usable_device
    from text2lip.faces.builtin import builtin_portrait
    from text2lip.speech.voices.registry import unload_voices

    device = usable_device(args.device) if args.device else None
    pipe = load_pipeline(args.model)
    if device is not None:
        pipe.to(device)
    pipe.set_progress_bar_config(desc="face", unit="frame", delay=2, leave=False, disable=args.quiet)
    asked = {name: getattr(args, name) for name in FLAGS}
    asked["image"] = args.image or builtin_portrait()
    asked["speakers"] = dict(args.speakers) if args.speakers else None
    for name in ("voice", "recogniser"):
        asked[name] = None if asked[name].lower() == "none" else asked[name]
    stream = telling(partial(pipe.stream, text, **asked))
    unload_voices()  # all is said; what follows takes as much memory again
    seconds = len(stream) / stream.fps
    if not args.quiet:
        print(f"{seconds:.1f} s of speech, {len(stream)} frames.{way_taken(stream)}", file=sys.stderr)
    show = iter if args.quiet else show_progress
    asked = {"subtitles": args.subtitles, "progress": lambda frames: until(stopped, show(frames))} | options
    telling(partial(stream.save, args.output, **asked))
    if not args.quiet:
        spent, kind = time.perf_counter() - started, writer_for(args.output).kind
        print(f"Wrote {args.output}: {seconds:.1f} s of {kind} in {spent:.1f} s.", file=sys.stderr)


def way_taken(stream) -> str:
    """How the lips were found for a recording without its text, or how fast subtitles are spoken; else ""."""
    if stream.times_from == "sound":
        return " No words are known, so the lips follow the sound alone; give the text or --recogniser."
    if stream.times_from == "recognition":
        return " Recognised: " + " ".join(word.label for word in stream.words)
    if paces := {turn.cue: turn.pace for turn in stream.turns if turn.cue}:
        slow, fast = (least(paces, key=paces.get) for least in (min, max))
        return f" {len(paces)} cues, at paces from {paces[slow]:.2f} (cue {slow}) to {paces[fast]:.2f} (cue {fast})."
    return ""


def telling(make: Callable):
    """What `make` returns; a mouth that may look wrong, who isn't dubbed in a film, what of a text is doubted or read
    badly, and what is late, is said."""
    result, told = with_warnings(make)
    for message in told:
        complain(f"warning: {in_flags(message)}", 0)
    return result


def load_pipeline(name: str):
    """The pipeline, with the chatter of the libraries under it silenced."""
    warnings.simplefilter("ignore")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

    with uncollected():
        from diffusers.utils.logging import disable_progress_bar

        from text2lip.pipelines.text2lip import Text2LipPipeline

    disable_progress_bar()
    return Text2LipPipeline.from_pretrained(name)


@contextmanager
def uncollected():
    """Import without searches for garbage, which take a quarter of the time and find none: modules stay."""
    if "torch" in sys.modules or not gc.isenabled():  # it's done already, or is the caller's business
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def show_progress(stream) -> Iterator:
    """Pass frames on; a bar after 2 seconds, and what it will cost, by the frames after the first, when that is more
    than `LONG` seconds."""
    from tqdm import tqdm

    told = False
    for done, frame in enumerate(tqdm(stream, total=len(stream), unit="frame", delay=2, leave=False)):
        if done == 0:  # it has waited for what is done once
            started = time.perf_counter()
        elif not told and (spent := time.perf_counter() - started) > 2:
            told, total = True, spent * len(stream) / done
            if total > LONG:
                tqdm.write(f"This will take about {spoken_time(total)}; Ctrl-C stops it.", file=sys.stderr)
        yield frame


if __name__ == "__main__":
    sys.exit(main())
