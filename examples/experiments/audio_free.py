"""Text alone against sound: does the mouth need to hear, and is a cascade, synthesised speech then sound, as good?

    python examples/experiments/progressive_replacement.py --prepared outputs/grid  # whose runs are looked at here
    python examples/experiments/audio_free.py --prepared outputs/grid

Third experiment of the plan. All of one budget: `text` are the networks of the paper's schedule without sound; `sound
and text` the same with the film's sound; `sound alone` the decoder that was never told any text; `cascade` that
decoder hearing the sentence from a synthesiser (`--voices`), each of its words moved to where the film has it. The
built-in decoder on sound had another budget and many voices; of its cascades the lips are moved so, not the sound.
Sentences are of a split that wasn't trained on. Every clip of `--drawn_seeds` is drawn by the geometric renderer from
its first frame; the film's own sound judges all of them.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from bench_films import (
    DRAWN,
    MOVED,
    drawn_figures,
    film_and_still,
    film_options,
    films,
    moved_by,
    moved_figures,
    of_way,
    rows,
    summary,
)
from study import MINUTES, QUICK, finish, load_networks, number, parse, parser, run_folder, slug, spread_table

from text2lip import Text2LipPipeline, synthesize
from text2lip.data.grid import pronounced
from text2lip.motion.lips import animate_sound
from text2lip.speech.audio import to_float
from text2lip.speech.features import SAMPLING_RATE, log_mel
from text2lip.speech.resampling import resample
from text2lip.speech.utterance import Speech
from text2lip.text.timing import Timeline
from text2lip.training.settings import errors_in_one_line


NAME = "audio_free"
TEXT, SOUND = "linear 0 to 1 (paper)", "sound alone"
BANDS = 80
PAPER = {"ssim": 0.740, "psnr": 19.023, "fvd": 277.655}


def main(arguments: list[str] | None = None) -> dict:
    options = parser(__doc__, NAME, "seeds", "split")
    film_options(options)
    options.add_argument("--runs", type=Path, default=Path("outputs/experiments/progressive_replacement"))
    options.add_argument("--pipeline", default="text2lip-grid", help="whose built-in decoder on sound is set beside")
    options.add_argument("--voices", nargs="+", default=["hibari", "pico"], help="that speak for the cascade")
    options.add_argument("--drawn_seeds", type=int, nargs="+", help="whose clips are drawn (default: every seed)")
    args = parse(options, arguments)
    seeds = QUICK["seeds"] if args.quick else args.seeds
    drawn = seeds if args.drawn_seeds is None else [seed for seed in seeds if seed in args.drawn_seeds]
    split = args.split
    clips = films(args, split)
    bounds, _ = film_and_still(args.runs / f"bounds-{split}", clips, not args.quick)
    moved, pictures, minutes = [], [], 0.0
    for seed in seeds:
        made = judged(ways(seed, args), clips, bounds["film"], args, seed in drawn)
        moved.append(made[0])
        pictures += [made[1]] if made[1] else []
        minutes += made[2]
    more_moved, more_pictures, spent = judged(builtin_ways(args), clips, bounds["film"], args, bool(drawn))
    bounds = {name: summary(values, bounds["film"]) for name, values in bounds.items()}
    minutes += spent
    told = f"{len(clips)} clips of `{split}`, {minutes:.0f} {MINUTES}. Mean ± standard deviation over seeds."
    body = f"{told}\n\n**Lips**\n\n{with_bounds(moved, more_moved, bounds, MOVED)}"
    if pictures:
        named = ", ".join(map(str, drawn))
        paper = " | ".join(number(PAPER.get(column)) for column in DRAWN)
        body += f"\n\n**Drawn, seeds {named}**\n\n{with_bounds(pictures, more_pictures, bounds, DRAWN)}"
        body += f"\n| the paper's own, of another protocol | – | {paper} |"
    finish(NAME, body, args, minutes)
    return {"moved": moved, "drawn": pictures, "bounds": bounds}


def judged(
    some: dict, clips: list[rows.BenchClip], film: dict[str, list], args: argparse.Namespace, drawn: bool
) -> tuple[dict, dict, float]:
    """Figures of the lips of some ways, and where they are to be drawn, of the pictures; and the minutes it took."""
    moved, pictures, minutes = {}, {}, 0.0
    for name, (folder, way) in some.items():
        kept = folder / f"{slug(name)}-{args.split}"
        values, spent = of_way(kept, clips, way, moved_figures)
        moved[name] = summary(values)
        if drawn:
            figures = partial(drawn_figures, fvd=not args.quick)
            values, more = of_way(kept.with_name(f"{kept.name}-drawn"), clips, way, figures)
            pictures[name], spent = summary(values, film), spent + more
        minutes += spent
    return moved, pictures, minutes


def with_bounds(seeds: list[dict], once: dict, bounds: dict, columns: tuple[str, ...]) -> str:
    """A table of the rows of all seeds and those of one, between the film and the still portrait."""
    found = {name: [rows[name] for rows in seeds] for name in seeds[0]} | {name: [row] for name, row in once.items()}
    return spread_table({"film": [bounds["film"]], **found, "still portrait": [bounds["still portrait"]]}, columns)


def ways(seed: int, args: argparse.Namespace) -> dict[str, tuple[Path, Callable]]:
    """Way -> where its figures are kept, and the function from a clip to landmarks (frames, 478, 2)."""
    text, sound = run_folder(args.runs, TEXT, seed), run_folder(args.runs, SOUND, seed)
    for folder in (text, sound):
        if not (folder / "final").is_dir():
            raise ValueError(f"runs: {folder} is no finished run; run progressive_replacement.py first.")
    both, alone = load_networks(text / "final", True), load_networks(sound / "final", False)

    def cascade(clip: rows.BenchClip, voice: str) -> np.ndarray:
        return moved_by(alone, clip, synthesised(clip, voice))

    voices = args.voices[:1] if args.quick else args.voices
    return {
        "text": (text, lambda clip: moved_by(both, clip, None)),
        "sound and text": (text, lambda clip: moved_by(both, clip, clip.sound)),
        "sound alone": (sound, lambda clip: moved_by(alone, clip, clip.sound)),
        **{f"cascade, {voice}": (sound, partial(cascade, voice=voice)) for voice in voices},
    }


def builtin_ways(args: argparse.Namespace) -> dict[str, tuple[Path, Callable]]:
    """The built-in decoder on sound, which learnt from many voices: on the film's, and in a cascade."""
    decoder = Text2LipPipeline.from_pretrained(args.pipeline).audio_lip_decoder

    def heard(clip: rows.BenchClip) -> np.ndarray:
        motion, width = animate_sound(decoder, to_float(clip.record["audio"]), SAMPLING_RATE, len(clip.lips), clip.fps)
        return clip.mouth().retarget(motion.numpy(), width)

    def cascade(clip: rows.BenchClip, voice: str) -> np.ndarray:
        speech = spoken(clip, voice)
        frames = round(speech.duration * clip.fps)
        motion, width = animate_sound(decoder, speech.audio, speech.sampling_rate, frames, clip.fps)
        times = (np.arange(len(clip.lips)) + 0.5) / clip.fps
        moved = at_times(
            motion.numpy().reshape(frames, -1), warp_times(clip.timeline, speech.timeline)(times) * clip.fps
        )
        return clip.mouth().retarget(moved.reshape(len(times), *motion.shape[1:]), width)

    return {
        "built-in decoder on sound": (args.output, heard),
        **{
            f"built-in decoder on sound, cascade, {voice}": (args.output, partial(cascade, voice=voice))
            for voice in (args.voices[:1] if args.quick else args.voices)
        },
    }


def spoken(clip: rows.BenchClip, voice: str) -> Speech:
    return synthesize(pronounced(clip.record["text"]), voice, clip.record["language"])


def synthesised(clip: rows.BenchClip, voice: str) -> torch.Tensor:
    """Log-mel of the sentence from a synthesiser, as loud as the film, word for word at the film's times."""
    speech = spoken(clip, voice)
    audio = resample(speech.audio, speech.sampling_rate, SAMPLING_RATE)
    film = clip.record["audio"].astype(np.float32) / 32768
    audio = audio * np.sqrt(np.mean(film**2) / np.mean(audio**2))
    heard = log_mel(audio, round(speech.duration * clip.fps), clip.fps).reshape(-1, BANDS)
    times = (np.arange(len(clip.lips) * 4) + 0.5) / (4 * clip.fps)
    places = warp_times(clip.timeline, speech.timeline)(times) * len(heard) / speech.duration
    return torch.from_numpy(at_times(heard, places).reshape(1, len(clip.lips), -1).astype(np.float32))


def at_times(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Rows of `values` (steps, channels), whose middles are at 0.5, 1.5, …, between them at `places`."""
    return np.stack([np.interp(places - 0.5, np.arange(len(values)), channel) for channel in values.T], 1)


def warp_times(film: Timeline, speech: Timeline):
    """From seconds of the film to those of the synthesised speech: words begin and end together.

    Raises:
        ValueError: they have not as many words.
    """
    if len(film.words) != len(speech.words):
        raise ValueError(f"words: the film has {len(film.words)}, the synthesised speech {len(speech.words)}.")
    knots = [
        np.array([0.0, *(edge for word in line.words for edge in (word.start, word.end)), line.duration])
        for line in (film, speech)
    ]
    return lambda seconds: np.interp(seconds, np.maximum.accumulate(knots[0]), knots[1])


if __name__ == "__main__":
    with errors_in_one_line():
        main()
