"""Record frames, landmarks, sound and times of twenty cases, or compare them with a record to the bit.

For changes that should change nothing. Needs the real data for four of the cases ($TEXT2LIP_DATA), and the folder of a
tiny EchoMimic pipeline for three, see `utils/convert_echomimic_to_diffusers.py`; without them these are left out.

    python utils/record_outputs.py before.npz --echomimic tiny/     # before the change
    python utils/record_outputs.py before.npz --echomimic tiny/ --compare
"""

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image


WHISPER = {"encoder_layers": 4, "encoder_attention_heads": 2, "encoder_ffn_dim": 16, "max_source_positions": 100}
TIMES = [("", 0.0, 0.1), ("b", 0.1, 0.2), ("ɑː", 0.2, 0.5), ("m", 0.5, 0.6), ("", 0.6, 0.72)]


def cases(data: Path | None, echomimic: str | None) -> dict:
    """Name -> function of a pipeline that makes the case; cases whose name begins with "echomimic" want that one."""
    from skimage.data import astronaut

    from text2lip.faces.builtin import builtin_portrait

    nobody = np.asarray(Image.open(builtin_portrait()).convert("RGB"))
    small = np.asarray(Image.fromarray(nobody).resize((256, 256)))
    woman = astronaut()[:256, 96:352].copy()
    shifted = [np.roll(woman, (i % 3, i % 5), (0, 1)) for i in range(12)]
    two_shots = [*shifted[:6], *(np.ascontiguousarray(frame[:, ::-1]) for frame in shifted[6:])]
    seed = torch.Generator
    found = {
        "builtin": lambda p: p("Good morning, Bob.", builtin_portrait(), num_frames=24),
        "geometric": lambda p: p("Bob moved.", woman, renderer="geometric"),
        "articulatory": lambda p: p("Very fine.", woman, motion="articulatory", expressiveness=0.8, voice="espeak"),
        "film": lambda p: p("Hello there.", shifted, output_type="np"),
        "film_two_shots": lambda p: p("Oh no.", two_shots, video_end="hold", face_index="any", fps=20),
        "references": lambda p: p("Hi there.", small, reference=[small, np.ascontiguousarray(small[:, ::-1])]),
        "life": lambda p: p("So.", small, life=1, generator=seed().manual_seed(3), num_frames=60, voice=None),
        "ssml": lambda p: p('<speak>One <break time="300ms"/> <prosody rate="fast">two</prosody>.</speak>', small),
        "own_sound": lambda p: p("Bob.", small, audio=sound(), sampling_rate=16000, timings=TIMES),
        "timings": lambda p: p(None, small, timings=TIMES, fps=30),
        "silent": lambda p: p("A silent film, please.", small, voice=None, speaking_rate=1.2, num_frames=20),
        "german": lambda p: p("Guten Morgen.", small, language="de", output_type="pt"),
        "french": lambda p: p("Bonjour.", woman, language="fr", voice=None),
        "chinese": lambda p: p("你好。", small, language="zh"),
        "batch": lambda p: p(["Yes.", "No, no."], [small, woman], voice=["default", "espeak"]),
        "stream": lambda p: p.stream("I see.", small, speaking_rate=0.9),
    }
    if data:
        talker, other = data / "grid/s1/video/bbaf3s.mkv", data / "grid/s3/video/sbia1a.mpg"
        portrait = str(data / "portraits/portrait_31.jpg")
        found["real_portrait"] = lambda p: p("Papa may have money.", portrait, num_frames=20)
        found["real_film"] = lambda p: p("Bin blue at f two now.", other, num_frames=40, language="en-gb")
        found["real_sound"] = lambda p: p("bin blue at f three soon", small, audio=talker, language="en-gb")
        found["real_references"] = lambda p: p("My turn.", portrait_of(other), reference=other, num_frames=12)
    if echomimic:
        sampled = {"num_inference_steps": 2, "num_frames": 3}
        found["echomimic"] = lambda p: p("Bob.", woman, voice=None, **sampled)
        found["echomimic_seed"] = lambda p: p(
            "Bob.", woman, voice=None, **sampled, guidance_scale=1.0, generator=seed().manual_seed(5)
        )
        found["echomimic_sound"] = lambda p: p("Bob.", woman, audio_condition="speech", **sampled)
    return found


def sound() -> np.ndarray:
    """A tone of 0.72 s at 16 kHz."""
    return (0.3 * np.sin(np.arange(11520) / 7)).astype(np.float32)


def portrait_of(film: Path) -> np.ndarray:
    """The first frame of a film."""
    import av

    with av.open(str(film)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def whisper():
    """A Whisper with random weights as narrow as the tiny EchoMimic."""
    from transformers import WhisperConfig, WhisperModel

    torch.manual_seed(0)
    decoder = {"decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 16, "decoder_start_token_id": 3}
    tokens = {"vocab_size": 9, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    return WhisperModel(WhisperConfig(d_model=24, **WHISPER, **decoder, **tokens)).eval()


def arrays(result) -> dict[str, np.ndarray]:
    """All that a result holds, by name."""
    if hasattr(result, "num_frames"):  # a stream
        stream = result
        names = ("landmarks", "visemes", "phones", "words", "audio")
        held = {name: [getattr(stream, name)] for name in names}
        held["frames"] = [list(stream)]
        fps, rate = stream.fps, stream.sampling_rate
    else:
        held, fps, rate = dict(result), result.fps, result.sampling_rate
    kept = {"rates": np.array([fps, rate or 0], np.float64)}
    for i in range(len(held["frames"])):
        kept[f"{i}/frames"] = np.stack([np.asarray(frame) for frame in held["frames"][i]])
        kept[f"{i}/landmarks"] = held["landmarks"][i]
        if held.get("audio") is not None and held["audio"][i] is not None:
            kept[f"{i}/audio"] = held["audio"][i]
        for name in ("visemes", "phones", "words"):
            kept[f"{i}/{name}"] = np.array(json.dumps([[s.label, s.start, s.end] for s in held[name][i]]))
    return kept


def main(argv: list[str] | None = None) -> int:
    """Record, or compare; 1 where anything differs."""
    from text2lip import Text2LipPipeline

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("record", type=Path)
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--echomimic", help="folder of a tiny EchoMimic pipeline")
    parser.add_argument("--only", nargs="*", help="names of cases")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    data = os.environ.get("TEXT2LIP_DATA")
    pipes = {"": Text2LipPipeline.from_pretrained("text2lip-grid")}
    if args.echomimic:
        pipes["echomimic"] = Text2LipPipeline.from_pretrained(args.echomimic)
        pipes["echomimic"].register_modules(audio_encoder=whisper())
    for pipe in pipes.values():
        pipe.set_progress_bar_config(disable=True)
    recorded = np.load(args.record) if args.compare else None
    found, differing = {}, 0
    for name, make in cases(Path(data) if data else None, args.echomimic).items():
        if args.only and name not in args.only:
            continue
        pipe = pipes["echomimic" if name.startswith("echomimic") else ""]
        result = {f"{name}/{key}": array for key, array in arrays(make(pipe)).items()}
        found |= result
        if recorded is None:
            print(name, result[f"{name}/0/frames"].shape, flush=True)
            continue
        expected = {key: recorded[key] for key in recorded.files if key.split("/")[0] == name}
        faults = sorted(key for key in {*expected, *result} if not equal(expected.get(key), result.get(key)))
        differing += bool(faults)
        print(f"{name}: {'differs: ' + ', '.join(faults) if faults else 'the same'}", flush=True)
    if recorded is None:
        np.savez(args.record, **found)
    return int(differing > 0)


def equal(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    """The same shape, type and bits; NaN equals NaN."""
    if one is None or other is None:
        return False
    return one.shape == other.shape and one.dtype == other.dtype and one.tobytes() == other.tobytes()


if __name__ == "__main__":
    sys.exit(main())
