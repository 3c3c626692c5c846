"""Text alone against sound: does the mouth need to hear, and is a cascade, synthesised speech then sound, as good?

    python examples/experiments/progressive_replacement.py --prepared outputs/grid  # whose runs are looked at here
    python examples/experiments/audio_free.py --prepared outputs/grid

Third experiment of the plan. All of one budget: `text` are the networks of the paper's schedule without sound; `sound
and text` the same with the film's sound; `sound alone` the decoder that was never told any text; `cascade` that
decoder hearing the sentence from a synthesiser (`--voice`), each of its words moved to where the film has it.
Sentences are of a split that wasn't trained on. Every clip is drawn by the geometric renderer from its first frame.
"""

import argparse
import json
import os
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from bench_films import films
from study import EXAMPLES, QUICK, finish, load_networks, number, run_folder, save, spread_of, study_parser
from tqdm import tqdm


sys.path.insert(0, str(EXAMPLES))

import rows  # noqa: E402
from judges import Jury  # noqa: E402
from quality import compare  # noqa: E402
from readers import reading, reading_figures  # noqa: E402

from text2lip import GeometricRenderer, synthesize  # noqa: E402
from text2lip import metrics as M  # noqa: E402
from text2lip.data.grid import pronounced  # noqa: E402
from text2lip.media.video import read_frames  # noqa: E402
from text2lip.speech.features import SAMPLING_RATE, log_mel  # noqa: E402
from text2lip.speech.resampling import resample  # noqa: E402
from text2lip.text.timing import Timeline  # noqa: E402
from text2lip.training.lip_networks import Text2LipNetworks  # noqa: E402
from text2lip.training.settings import errors_in_one_line  # noqa: E402


NAME = "audio_free"
TEXT, SOUND = "linear 0 to 1 (paper)", "sound alone"
COLUMNS = ("gap_r", "width_r", "lmd_centred", "ssim", "psnr", "mouth_ssim", "mouth_psnr", "sync_confidence")
COLUMNS += ("wer_landmarks", "wer_crops", "bleu1_crops", "bleu4_crops")
BANDS = 80


def main(arguments: list[str] | None = None) -> dict:
    parser = study_parser(__doc__, NAME)
    parser.add_argument("--runs", type=Path, default=Path("outputs/experiments/progressive_replacement"))
    parser.add_argument("--voice", default="hibari", help="what speaks for the cascade")
    parser.add_argument("--data", default=os.environ.get("TEXT2LIP_DATA"), help="the films")
    args = parser.parse_args(arguments)
    seeds = QUICK["seeds"] if args.quick else args.seeds
    clips = films(args, args.splits[0])
    report = {"clips": len(clips), "still": judged(clips, {"still": rows.still})["still"], "seeds": []}
    for seed in seeds:
        target = args.output / f"seed-{seed}.json"
        if not target.exists():
            save(target, json.dumps(judged(clips, motions(seed, args)), indent=1) + "\n")
        report["seeds"].append(json.loads(target.read_text()))
    save(args.output / "figures.json", json.dumps(report, indent=1) + "\n")
    told = f"`python examples/experiments/{NAME}.py`: {len(clips)} clips of `{args.splits[0]}`, {len(seeds)} seeds; "
    finish(NAME, f"{told}mean ± standard deviation over seeds.\n\n{table(report)}", args)
    return report


def motions(seed: int, args: argparse.Namespace) -> dict:
    """Way -> function from a clip to landmarks (frames, 478, 2)."""
    text, sound = run_folder(args.runs, TEXT, seed), run_folder(args.runs, SOUND, seed)
    for folder in (text, sound):
        if not (folder / "final").is_dir():
            raise ValueError(f"runs: {folder} is no finished run; run progressive_replacement.py first.")
    both, alone = load_networks(text / "final", True), load_networks(sound / "final", False)
    return {
        "text": lambda clip: told(both, clip, None),
        "sound and text": lambda clip: told(both, clip, clip.sound),
        "sound alone": lambda clip: told(alone, clip, clip.sound),
        "cascade": lambda clip: told(alone, clip, synthesised(clip, args.voice)),
    }


@torch.no_grad()
def told(networks: Text2LipNetworks, clip: rows.BenchClip, sound: torch.Tensor | None) -> np.ndarray:
    """Landmarks by networks that are told a clip's phones and hear `sound`, float (1, frames, 320), or nothing."""
    tokens = networks.tokenizer(phones=clip.timeline, language=clip.record["language"], return_tensors="pt")
    frames = torch.ones(1, len(clip.lips), dtype=torch.bool)
    batch = {**tokens, "fps": torch.tensor([clip.fps]), "frame_mask": frames, "real": torch.ones(1, dtype=torch.bool)}
    batch["audio"] = torch.zeros_like(clip.sound) if sound is None else sound
    moved = networks(batch, torch.full_like(frames, sound is None)).motion[0]
    return clip.mouth().retarget(moved.float().numpy(), networks.lip_decoder.config.reference_width)


def synthesised(clip: rows.BenchClip, voice: str) -> torch.Tensor:
    """Log-mel of the sentence from a synthesiser, as loud as the film, word for word at the film's times."""
    speech = synthesize(pronounced(clip.record["text"]), voice, clip.record["language"])
    audio = resample(speech.audio, speech.sampling_rate, SAMPLING_RATE)
    film = clip.record["audio"].astype(np.float32) / 32768
    audio = audio * np.sqrt(np.mean(film**2) / np.mean(audio**2))
    heard = log_mel(audio, round(speech.duration * clip.fps), clip.fps).reshape(-1, BANDS)
    steps = heard.shape[0] / speech.duration
    wanted = (np.arange(len(clip.lips) * 4) + 0.5) / (4 * clip.fps)
    places = warp_times(clip.timeline, speech.timeline)(wanted) * steps - 0.5
    moved = np.stack([np.interp(places, np.arange(len(heard)), band) for band in heard.T], 1)
    return torch.from_numpy(moved.reshape(1, len(clip.lips), -1).astype(np.float32))


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


def judged(clips: list[rows.BenchClip], ways: dict) -> dict[str, dict[str, float | None]]:
    """Figures of every way over all clips."""
    able = {"ssim", "psnr"}
    renderer, figures = GeometricRenderer(), defaultdict(lambda: defaultdict(list))
    for clip in tqdm(clips, unit="clip"):
        film = np.stack(list(read_frames(clip.video))[: len(clip.lips)])
        landmarks = {name: way(clip) for name, way in ways.items()}
        source = clip.record["landmarks"][0, :, :2]
        drawn = {
            name: np.stack(list(renderer.render(film[0], some, fps=clip.fps, source_landmarks=source)))
            for name, some in landmarks.items()
        }
        cropped, jury = compare(clip, film, drawn, figures, able), Jury(clip, film, able)
        for name, frames in drawn.items():
            lips, values = rows.lips_of(clip, landmarks[name]), figures[name]
            for metric in ("gap_r", "width_r", "lmd_centred"):
                values[metric].append(getattr(M, metric)(lips, clip.lips))
            values["read_landmarks"].append(reading("landmarks", lips, clip))
            values["sync_confidence"].append(jury.figures(frames, cropped[name], landmarks[name])["sync_confidence"])
    return {name: summary(values) for name, values in figures.items() if name in ways}


def summary(values: dict[str, list]) -> dict[str, float | None]:
    figures = {name: M.mean_of(values.get(name, [])) for name in COLUMNS}
    for sees in ("landmarks", "crops"):
        read = reading_figures(values[f"read_{sees}"])
        figures |= {f"{name}_{sees}": value for name, value in read.items()}
    return figures


def table(report: dict) -> str:
    lines = ["| | " + " | ".join(COLUMNS) + " |", "| --- |" + " --- |" * len(COLUMNS)]
    lines.append("| still portrait | " + " | ".join(number(report["still"][column]) for column in COLUMNS) + " |")
    for name in report["seeds"][0]:
        cells = [spread_of([seed[name][column] for seed in report["seeds"]]) for column in COLUMNS]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    with errors_in_one_line():
        main()
