"""Pseudo-audio against the real sound's features, by kind of phone, beside the best constant: the mean feature.

    python examples/benchmarks/pseudo_audio.py --prepared outputs/grid --split val

Per video frame, by the phone that sounds in its middle. `cosine` is of the features as they are (log-mel of about
[-1, 1]), `cosine, centred` of their distances from the train split's mean, which is the baseline's own 0.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from text2lip import Text2LipPipeline
from text2lip.data.prepared import PreparedClip, load_prepared
from text2lip.models.attention import frame_times, token_at
from text2lip.models.time import token_times
from text2lip.text.visemes import FEATURES, LETTER_CLASS, PHONE_INVENTORY, letter_features
from text2lip.training import Text2LipNetworks, collate, to_sample
from text2lip.training.lip_samples import load_clips


KINDS = ("silence", "bilabial", "labiodental", "other stop", "fricative", "nasal", "approximant")
KINDS += ("rounded vowel", "open vowel", "other vowel")
COLUMNS = ("cosine", "cosine of mean", "cosine, centred", "l1", "l1 of mean")


def main(arguments: list[str] | None = None) -> dict:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prepared", default="outputs/grid", help="folder made by prepare_grid.py")
    parser.add_argument("--split", default="val")
    parser.add_argument(
        "--pipeline", default="text2lip-grid", help="built-in name, folder (outputs/pvar/best) or Hub id"
    )
    parser.add_argument("--json", help="file for the figures (default: outputs/pseudo-audio-SPLIT.json)")
    args = parser.parse_args(arguments)
    pipe = Text2LipPipeline.from_pretrained(args.pipeline)
    networks = Text2LipNetworks(pipe.viseme_encoder, pipe.pseudo_audio, pipe.lip_decoder)
    mean = np.concatenate([clip.mel for clip in load_prepared(args.prepared, "train")]).mean(0)
    clips = load_clips(args.prepared, args.split, tokenizer=networks.tokenizer)
    rows = measure(networks.eval(), clips, mean)
    target = Path(args.json or f"outputs/pseudo-audio-{args.split}.json")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"split": args.split, "clips": len(clips), "rows": rows}, indent=1) + "\n")
    print("\n| phones | frames | " + " | ".join(COLUMNS) + " |\n| --- | --- |" + " --- |" * len(COLUMNS))
    for kind, row in rows.items():
        print(f"| {kind} | {row['frames']} | " + " | ".join(f"{row[column]:.3f}" for column in COLUMNS) + " |")
    return rows


@torch.no_grad()
def measure(networks: Text2LipNetworks, clips: list[PreparedClip], mean: np.ndarray) -> dict[str, dict[str, float]]:
    """Mean figures of the frames of each kind, and of all; kinds that are never said are left out."""
    found = defaultdict(list)
    for clip in tqdm(clips, desc="pseudo-audio", unit="clip"):
        batch = collate([to_sample(clip)])
        made = networks(batch, batch["frame_mask"]).pseudo_audio[0].float().cpu().numpy()
        real = batch["audio"][0].numpy()
        times = frame_times(len(real), batch["fps"], batch["durations"])
        index = token_at(times, token_times(batch["durations"])[1], batch["attention_mask"])[0]
        for kind, ours, true in zip((kind_of(int(i)) for i in batch["phone_ids"][0][index]), made, real):
            row = (cosine(ours, true), cosine(mean, true), cosine(ours - mean, true - mean))
            found[kind].append((*row, np.abs(ours - true).mean(), np.abs(mean - true).mean()))
    rows = {kind: found[kind] for kind in KINDS if found[kind]}
    rows["all"] = [row for kind in rows for row in found[kind]]
    return {
        kind: {"frames": len(values), **dict(zip(COLUMNS, np.mean(values, 0).tolist()))}
        for kind, values in rows.items()
    }


def kind_of(phone_id: int) -> str:
    """One of `KINDS` for an index in `PHONE_INVENTORY`."""
    letter = PHONE_INVENTORY[phone_id]
    features = dict(zip(FEATURES, letter_features(letter)))
    kind = LETTER_CLASS[letter]
    if kind == "silence":
        return "silence"
    if kind == "vowel":
        if features["rounding"] > 0.4:
            return "rounded vowel"
        return "open vowel" if features["jaw"] > 0.6 else "other vowel"
    if features["closure"] > 0.5:
        return "bilabial"
    if features["labiodental"] > 0.5:
        return "labiodental"
    others = {"stop": "other stop", "click": "other stop", "nasal": "nasal"}
    return others.get(kind, "fricative" if kind in ("fricative", "glottal") else "approximant")


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-9))


if __name__ == "__main__":
    main()
