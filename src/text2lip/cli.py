"""The `text2lip` command: a sentence and a portrait in, a video file with sound out."""

import argparse
import os
import sys
import time
from pathlib import Path

from text2lip import __version__


EPILOG = """examples:
  text2lip "Good morning." --output hello.mp4                       a built-in portrait says it
  text2lip "Guten Morgen." --image me.jpg --language de             your own portrait, another language
  text2lip "What I said." --image me.jpg --audio speech.wav         your own voice; the lips follow it
  text2lip "Slow, please." --rate 0.8 --subtitles slow.srt          slower, with subtitles
  text2lip '<speak>One <break time="1s"/> two.</speak>'             SSML
  text2lip --file letter.txt --output letter.mp4                    text from a file ("-" reads standard input)
  text2lip --list-voices          text2lip --list-languages
"""


def build_parser() -> argparse.ArgumentParser:
    """The command line, with help that teaches."""
    parser = argparse.ArgumentParser(
        prog="text2lip",
        description="Make a portrait say a sentence. Writes a video with sound; works offline, on a CPU.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("text", nargs="?", help="what is said: plain text, or SSML that starts with <speak>")
    parser.add_argument("-i", "--image", metavar="FILE", help="portrait (default: a built-in face of nobody)")
    parser.add_argument("-o", "--output", metavar="FILE", default="text2lip.mp4", help="video file: .mp4 .mov .mkv")
    parser.add_argument("-l", "--language", default="en-us", help="language of the text, such as en-gb, de, fr, zh")
    parser.add_argument("-v", "--voice", default="default", help="voice, see --list-voices; 'none' for a silent film")
    parser.add_argument("-r", "--rate", type=float, default=1.0, help="speaking rate; 0.8 is slower, 1.2 faster")
    parser.add_argument("-e", "--expressiveness", type=float, default=1.0, help="size of the lip motion, 0 to 2")
    parser.add_argument("-a", "--audio", metavar="FILE", help="your own speech; the lips are aligned to it")
    parser.add_argument("-s", "--subtitles", metavar="FILE", help="write subtitles too: .srt or .vtt")
    parser.add_argument("-f", "--file", metavar="FILE", help="read the text from a file, '-' is standard input")
    parser.add_argument("--timings", metavar="FILE", help="your own phone or word times: TextGrid, JSON of a TTS, …")
    parser.add_argument("--fps", type=float, default=25, help="frames per second (default: 25)")
    parser.add_argument("--face", type=int, metavar="N", help="which face, 0 is the largest (default)")
    parser.add_argument("--motion", choices=("articulatory", "networks"), help="what moves the lips")
    parser.add_argument("--renderer", choices=("auto", "geometric", "unet"), help="what draws the frames")
    parser.add_argument("--model", default="text2lip-grid", help="built-in name, folder or Hub id of a pipeline")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bar, no report")
    parser.add_argument("--list-voices", action="store_true", help="list the voices and stop")
    parser.add_argument("--list-languages", action="store_true", help="list the languages and stop")
    parser.add_argument("--version", action="version", version=f"text2lip {__version__}")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit code: 0 done, 2 wrong input, 130 interrupted."""
    parser = build_parser()
    args = parser.parse_args(argv)
    try:
        if args.list_voices or args.list_languages:
            print_list(args.list_voices)
        else:
            run(args)
    except (ValueError, ImportError, OSError) as error:
        print(f"text2lip: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ntext2lip: interrupted, nothing was written.", file=sys.stderr)
        return 130
    return 0


def print_list(voices: bool):
    if voices:
        from text2lip.speech import list_voices as table
    else:
        from text2lip.text import available_languages as table
    for name, description in table().items():
        print(f"{name:16} {description}")


def read_text(args: argparse.Namespace) -> str | None:
    """The text to say, from the argument, a file or standard input.

    Raises:
        ValueError: none or two of them are given, or the file can't be read as UTF-8.
    """
    if (args.text is None) == (args.file is None) and not (args.timings and args.file is None):
        raise ValueError('text: give one, in quotes: text2lip "Good morning." (or --file FILE). See text2lip --help.')
    if args.file is None:
        return args.text
    try:
        return sys.stdin.read() if args.file == "-" else Path(args.file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"--file: can't read {args.file!r} as text ({error}).") from error


def check_output(path: str):
    """Refuse an output that can't be written before any work is done.

    Raises:
        ValueError: unknown suffix, a folder that is missing or can't be written to, or a folder in its place.
    """
    target = Path(path)
    if target.suffix.lower() not in (".mp4", ".mov", ".mkv"):
        raise ValueError(f"--output: {path!r} should end in .mp4, .mov or .mkv.")
    if target.is_dir() or not target.absolute().parent.is_dir():
        raise ValueError(f"--output: no folder to write {path!r} into; make it first or choose another place.")
    if not os.access(target.absolute().parent, os.W_OK):
        raise ValueError(f"--output: the folder of {path!r} can't be written to; choose another place.")


def run(args: argparse.Namespace):
    """Make the video that `args` ask for."""
    text = read_text(args)
    check_output(args.output)
    if args.subtitles and Path(args.subtitles).suffix.lower() not in (".srt", ".vtt"):
        raise ValueError(f"--subtitles: {args.subtitles!r} should end in .srt or .vtt.")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")
    started = time.perf_counter()

    from diffusers.utils.logging import disable_progress_bar
    from tqdm import tqdm

    from text2lip.faces.builtin import builtin_portrait
    from text2lip.pipelines.output import save_subtitles
    from text2lip.pipelines.text2lip import Text2LipPipeline

    disable_progress_bar()
    pipe = Text2LipPipeline.from_pretrained(args.model)
    stream = pipe.stream(
        text,
        args.image or builtin_portrait(),
        voice=None if args.voice.lower() == "none" else args.voice,
        audio=args.audio,
        timings=args.timings,
        language=args.language,
        speaking_rate=args.rate,
        expressiveness=args.expressiveness,
        fps=args.fps,
        motion=args.motion,
        renderer=args.renderer,
        face_index=args.face,
    )
    seconds = stream.num_frames / stream.fps
    if not args.quiet:
        print(f"{seconds:.1f} s of speech, {stream.num_frames} frames.", file=sys.stderr)
    stream.frames = iter(tqdm(stream.frames, total=stream.num_frames, unit="frame", disable=args.quiet, leave=False))
    stream.save(args.output)
    if args.subtitles:
        save_subtitles(args.subtitles, stream.words)
    if not args.quiet:
        spent = time.perf_counter() - started
        print(f"Wrote {args.output}: {seconds:.1f} s of video in {spent:.1f} s.", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
