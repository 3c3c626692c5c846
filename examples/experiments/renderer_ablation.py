"""How much of the pictures' score is the renderer's? Four renderers, each with true and with predicted landmarks.

    python examples/prepare_pairs.py --output outputs/faces.safetensors
    python examples/experiments/renderer_ablation.py --prepared outputs/grid --faces outputs/faces.safetensors

Third of the plan's next checks. `geometric` and `learned` are the built-in ones. `direct` is a U-Net (of diffusers)
that is shown the portrait's mouth crop and drawings of both sets of landmarks and paints the crop anew: trained here
on the same pairs as the learned one, `--seeds` times, L1 alone. `echomimic` is a tiny EchoMimicUNet, given by
`--echomimic` (a pipeline that `train_echomimic.py` made). The still portrait is the floor.
"""

import argparse
import json
import os
import sys
import time
from collections import defaultdict

import numpy as np
import torch
from bench_films import films
from study import EXAMPLES, QUICK, finish, number, save, spread_of, study_parser
from tqdm import tqdm


sys.path.insert(0, str(EXAMPLES))

import rows  # noqa: E402
from diffusers import UNet2DModel  # noqa: E402
from mouths import FilmMouth  # noqa: E402
from quality import compare, detail  # noqa: E402
from readers import reading_figures  # noqa: E402

from text2lip import GeometricRenderer, Text2LipPipeline  # noqa: E402
from text2lip import metrics as M  # noqa: E402
from text2lip.faces.crop import CROP_SIZE, paste_back  # noqa: E402
from text2lip.files import replaced_folder  # noqa: E402
from text2lip.media.video import read_frames  # noqa: E402
from text2lip.renderers.mouth_correction import MouthCrop  # noqa: E402
from text2lip.renderers.mouth_drawing import draw_mouth  # noqa: E402
from text2lip.training.face_pack import load_faces  # noqa: E402
from text2lip.training.pairs import PairMix, make_pairs  # noqa: E402
from text2lip.training.renderer_augment import draw_batch  # noqa: E402
from text2lip.training.schedules import learning_rate  # noqa: E402
from text2lip.training.settings import errors_in_one_line  # noqa: E402


NAME = "renderer_ablation"
COLUMNS = ("ssim", "psnr", "mouth_ssim", "mouth_psnr", "mouth_lpips", "inner_mouth_psnr", "inner_lpips")
COLUMNS += ("inner_sharpness", "flicker", "wer_crops")
SHARES = {"smiles": 0.3, "mouths": 0.1, "talking": 0.35, "grid": 0.2, "portraits": 0.05}  # as renderer_faces.yaml
STEPS, BATCH, PEAK = 1500, 16, 1e-3


class DirectRenderer:
    """Paints the mouth crop of every frame by a network, with nothing of a warp.

    Args:
        network (`UNet2DModel`): (portrait's crop, drawings of both landmarks) -> crop.
    """

    takes_references, hears_sound, samples, shows_tongue = False, False, False, False

    def __init__(self, network: UNet2DModel):
        self.network = network.eval()
        line = np.linspace(0.5, CROP_SIZE - 0.5, CROP_SIZE)
        side = np.clip(np.minimum(line, CROP_SIZE - line) / 12, 0, 1)
        self.window = (side[:, None] * side[None]).astype(np.float32)

    @torch.no_grad()
    def render(self, portrait, landmarks, *, source_landmarks, **unused):
        """Yield one frame for each row of `landmarks`; see [`Renderer`]."""
        mouth = MouthCrop(source_landmarks, *portrait.shape[:2], CROP_SIZE)
        source = mouth.cut(portrait)
        own = draw_mouth(mouth.driven(source_landmarks), CROP_SIZE)
        for row in landmarks:
            drawings = np.concatenate([own, draw_mouth(mouth.driven(row), CROP_SIZE)], -1)
            shown = torch.cat([to_tensor(source) * 2 - 1, to_tensor(drawings)], 1)
            painted = self.network(shown, 0).sample[0].permute(1, 2, 0).numpy()
            yield paste_back(portrait, 255 * (np.clip(painted, -1, 1) + 1) / 2, mouth.matrix, self.window)


def main(arguments: list[str] | None = None) -> dict:
    parser = study_parser(__doc__, NAME)
    parser.add_argument("--faces", default="outputs/faces.safetensors", help="file of prepare_pairs.py")
    parser.add_argument("--pipeline", default="text2lip-grid", help="built-in name, folder or Hub id")
    parser.add_argument("--echomimic", help="pipeline with a tiny EchoMimicUNet, made by train_echomimic.py")
    parser.add_argument("--echomimic_clips", type=int, default=6, help="clips that it draws; it is slow")
    parser.add_argument("--data", default=os.environ.get("TEXT2LIP_DATA"), help="the films")
    args = parser.parse_args(arguments)
    seeds = QUICK["seeds"] if args.quick else args.seeds
    pipe = Text2LipPipeline.from_pretrained(args.pipeline)
    renderers = {"geometric": [GeometricRenderer()], "learned": [pipe.make_renderer("learned")]}
    renderers["direct"] = [DirectRenderer(train(seed, args)) for seed in seeds]
    if args.echomimic:
        drawer = Text2LipPipeline.from_pretrained(args.echomimic)
        renderers["echomimic"] = [drawer.make_renderer("echomimic")]
    clips = films(args, args.splits[0])
    report: dict = {"clips": len(clips), "rows": {"still": [judged(clips, rows.still, None)]}}
    for name, some in renderers.items():
        shown = clips[: args.echomimic_clips] if name == "echomimic" else clips
        for title, landmarks in (("true", rows.true_landmarks), ("predicted", rows.text_driven(pipe, "networks"))):
            report["rows"][f"{name}, {title} landmarks"] = [judged(shown, landmarks, renderer) for renderer in some]
            save(args.output / "figures.json", json.dumps(report, indent=1) + "\n")
    told = f"`python examples/experiments/{NAME}.py`: {len(clips)} clips of `{args.splits[0]}`, {len(seeds)} seeds of"
    finish(NAME, f"{told} `direct` (± standard deviation).\n\n{table(report)}", args)
    return report


def train(seed: int, args: argparse.Namespace) -> UNet2DModel:
    """The direct network of a seed, trained where its folder is not there."""
    folder = args.output / f"direct-{seed}"
    if folder.is_dir():
        return UNet2DModel.from_pretrained(str(folder), use_safetensors=True)
    torch.manual_seed(seed)
    network = UNet2DModel(
        sample_size=CROP_SIZE,
        in_channels=3 + 8,
        out_channels=3,
        block_out_channels=(32, 64, 128, 128),
        down_block_types=["DownBlock2D"] * 4,
        up_block_types=["UpBlock2D"] * 4,
        layers_per_block=1,
        norm_num_groups=8,
        add_attention=False,
    )
    generator, begun = np.random.default_rng(seed), time.perf_counter()
    people = load_faces(args.faces, list(SHARES))
    pairs = PairMix(make_pairs(people[:: 20 if args.quick else 1], np.random.default_rng(0)), SHARES)
    optimizer = torch.optim.AdamW(network.parameters())
    steps = QUICK["steps"] if args.quick else args.steps or STEPS
    for step in tqdm(range(steps), desc=f"direct, seed {seed}", unit="step"):
        optimizer.param_groups[0]["lr"] = learning_rate(step, PEAK, min(50, steps // 4), steps)
        batch = draw_batch(pairs, QUICK["batch_size"] if args.quick else BATCH, generator)
        with torch.autocast("cpu", torch.bfloat16):
            painted = network(torch.cat([batch["source"], batch["drawings"]], 1), 0).sample.float()
        loss = ((painted - batch["target"]).abs() * batch["judged"]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with replaced_folder(folder) as temporary:
        network.save_pretrained(str(temporary))
    print(f"direct, seed {seed}: {steps} steps, {(time.perf_counter() - begun) / 60:.1f} minutes, L1 {loss:.4f}")
    return network


def to_tensor(picture: np.ndarray) -> torch.Tensor:
    """uint8 (height, width, channels) as float (1, channels, height, width) in [0, 1]."""
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255


def judged(clips: list[rows.BenchClip], landmarks, renderer) -> dict[str, float | None]:
    """Figures of a renderer over all clips; None for the still portrait."""
    able = {metric for metric, reason in M.available_metrics().items() if reason is None}
    figures = defaultdict(lambda: defaultdict(list))
    for clip in tqdm(clips, unit="clip"):
        film = np.stack(list(read_frames(clip.video))[: len(clip.lips)])
        told, source = landmarks(clip), clip.record["landmarks"][0, :, :2]
        if renderer is None:
            frames = np.repeat(film[:1], len(film), 0)
        else:
            frames = np.stack(list(renderer.render(film[0], told, fps=clip.fps, source_landmarks=source)))
        compare(clip, film, {"row": frames}, figures, able)
        detail(FilmMouth(clip, film), {"row": frames}, {"row": told}, figures, able)
    values = figures["row"]
    made = {name: (M.pooled if name == "flicker" else M.mean_of)(values.get(name, [])) for name in COLUMNS}
    return made | {"wer_crops": reading_figures(values["read_crops"])["wer"]}


def table(report: dict) -> str:
    lines = ["| | " + " | ".join(COLUMNS) + " |", "| --- |" + " --- |" * len(COLUMNS)]
    for name, runs in report["rows"].items():
        cells = [spread_of([r[c] for r in runs]) if len(runs) > 1 else number(runs[0][c]) for c in COLUMNS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    with errors_in_one_line():
        main()
