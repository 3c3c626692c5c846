"""How much of the pictures' score is the renderer's? Four renderers, each with true and with predicted landmarks.

    python examples/prepare_pairs.py --output outputs/faces.safetensors
    python examples/experiments/renderer_ablation.py --prepared outputs/grid --faces outputs/faces.safetensors

Third of the plan's next checks. `geometric` and `learned` are the built-in ones. `direct` is a U-Net (of diffusers)
that is shown the portrait's mouth crop and drawings of both sets of landmarks and paints what is to change, nothing
being warped, four pixels to a place (space to depth: a third of the time): trained here on the same pairs as the
learned one, `--seeds` times, L1 alone. `echomimic` is a tiny EchoMimicUNet, given by `--echomimic` (a pipeline that
`train_echomimic.py` made, or one for each seed). The still portrait is the floor.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from bench_films import FilmMouth, compare, detail, film_options, films, of_way, reading_figures, rows
from diffusers import UNet2DModel
from study import MINUTES, QUICK, finish, parse, parser, save, slug, spread_table
from tqdm import tqdm

from text2lip import GeometricRenderer, Text2LipPipeline
from text2lip import metrics as M
from text2lip.faces.crop import CROP_SIZE, paste_back
from text2lip.files import replaced_folder
from text2lip.media.video import read_frames
from text2lip.renderers.mouth_correction import MouthCrop
from text2lip.renderers.mouth_drawing import draw_mouth
from text2lip.training.face_pack import load_faces
from text2lip.training.pairs import PairMix, make_pairs
from text2lip.training.renderer_augment import draw_batch
from text2lip.training.schedules import learning_rate
from text2lip.training.settings import errors_in_one_line


NAME = "renderer_ablation"
SPENT = "spent.json"  # beside a direct network: the minutes of processor time of its training
COLUMNS = ("ssim", "psnr", "mouth_ssim", "mouth_psnr", "mouth_lpips", "inner_mouth_psnr", "inner_lpips")
COLUMNS += ("inner_sharpness", "flicker", "wer_crops")
RENDERERS = ("geometric", "learned", "direct")
ABLE = ("ssim", "psnr", "lpips", "inner_lpips", "inner_sharpness")
SHARES = {"smiles": 0.3, "mouths": 0.1, "talking": 0.35, "grid": 0.2, "portraits": 0.05}  # as renderer_faces.yaml
STEPS, BATCH, PEAK = 1000, 8, 2e-3
FOLD = 2  # pixels on a side that are one place to the direct network


class DirectRenderer:
    """Paints into the mouth crop of every frame by a network, with nothing of a warp.

    Args:
        network (`UNet2DModel`): of [`paint`].
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
            painted = paint(self.network, shown[:, :3], shown[:, 3:])[0].permute(1, 2, 0).numpy()
            yield paste_back(portrait, 255 * (np.clip(painted, -1, 1) + 1) / 2, mouth.matrix, self.window)


def paint(network: UNet2DModel, source: torch.Tensor, drawings: torch.Tensor) -> torch.Tensor:
    """The mouth anew, (batch, 3, 96, 96): the crop and what is to be added to it, `FOLD` squared pixels to a place."""
    shown = F.pixel_unshuffle(torch.cat([source, drawings], 1), FOLD)
    return source + F.pixel_shuffle(network(shown, 0).sample.float(), FOLD)


def main(arguments: list[str] | None = None) -> dict:
    options = parser(__doc__, NAME, "seeds", "steps", "split")
    options.add_argument("--faces", default="outputs/faces.safetensors", help="file of prepare_pairs.py")
    options.add_argument("--pipeline", default="text2lip-grid", help="built-in name, folder or Hub id")
    options.add_argument("--echomimic", nargs="+", metavar="FOLDER", help="pipelines of train_echomimic.py")
    options.add_argument("--echomimic_clips", type=int, default=3, help="clips that it draws; it is slow")
    film_options(options)
    options.add_argument("--renderers", nargs="+", default=list(RENDERERS), choices=RENDERERS)
    args = parse(options, arguments)
    seeds = QUICK["seeds"] if args.quick else args.seeds
    pipe = Text2LipPipeline.from_pretrained(args.pipeline)
    renderers = {"geometric": lambda: [GeometricRenderer()], "learned": lambda: [pipe.make_renderer("learned")]}
    renderers["direct"] = lambda: [DirectRenderer(train(seed, args)) for seed in seeds]
    renderers["echomimic"] = lambda: [
        Text2LipPipeline.from_pretrained(folder).make_renderer("echomimic") for folder in args.echomimic
    ]
    split = args.split
    clips, found = films(args, split), {}
    moved = {"true": rows.true_landmarks, "predicted": rows.text_driven(pipe, "networks")}
    found["still portrait"], minutes = judged(args.output / f"still-{split}", clips, rows.still, [None])
    for name in (*args.renderers, *(["echomimic"] if args.echomimic else [])):
        some = renderers[name]()
        shown = clips[: args.echomimic_clips] if name == "echomimic" else clips
        for title, landmarks in moved.items():
            folder = args.output / f"{slug(name)}-{title}-{split}"
            fewer = f", {len(shown)} clips" if len(shown) < len(clips) else ""
            found[f"{name}, {title} landmarks{fewer}"], spent = judged(folder, shown, landmarks, some)
            minutes += spent
    for kept in [args.output / f"direct-{seed}" / SPENT for seed in seeds if "direct" in args.renderers]:
        minutes += json.loads(kept.read_text(encoding="utf-8")).get("processor_minutes", 0.0)
    told = f"{len(clips)} clips of `{split}`, {minutes:.0f} {MINUTES}. Mean ± standard deviation over trainings."
    table = spread_table(found, COLUMNS).replace("| seeds |", "| trained |", 1)
    finish(NAME, f"{told}\n\n{table}", args, minutes)
    return found


def train(seed: int, args: argparse.Namespace) -> UNet2DModel:
    """The direct network of a seed, trained where its folder is not there."""
    folder = args.output / f"direct-{seed}"
    if folder.is_dir():
        return UNet2DModel.from_pretrained(str(folder), use_safetensors=True)
    torch.manual_seed(seed)
    network = UNet2DModel(
        sample_size=CROP_SIZE // FOLD,
        in_channels=(3 + 8) * FOLD**2,
        out_channels=3 * FOLD**2,
        block_out_channels=(48, 96, 96),
        down_block_types=["DownBlock2D"] * 3,
        up_block_types=["UpBlock2D"] * 3,
        layers_per_block=1,
        norm_num_groups=8,
        add_attention=False,
    )
    generator, begun = np.random.default_rng(seed), time.process_time()
    pairs = pairs_of(args.faces, args.quick)
    optimizer = torch.optim.AdamW(network.parameters())
    steps = QUICK["steps"] if args.quick else args.steps or STEPS
    for step in tqdm(range(steps), desc=f"direct, seed {seed}", unit="step"):
        optimizer.param_groups[0]["lr"] = learning_rate(step, PEAK, min(50, steps // 4), steps)
        batch = draw_batch(pairs, QUICK["batch_size"] if args.quick else BATCH, generator)
        with torch.autocast("cpu", torch.bfloat16):
            painted = paint(network, batch["source"], batch["drawings"])
        loss = ((painted - batch["target"]).abs() * batch["judged"]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with replaced_folder(folder) as temporary:
        network.save_pretrained(str(temporary))
        minutes = (time.process_time() - begun) / 60
        save(Path(temporary) / SPENT, json.dumps({"processor_minutes": minutes}) + "\n")
    print(f"direct, seed {seed}: {steps} steps, {minutes:.1f} {MINUTES}, L1 {loss:.4f}")
    return network


@cache
def pairs_of(faces: str, quick: bool) -> PairMix:
    """All pairs of a file of faces; they take minutes to make, so all seeds share them."""
    people = load_faces(faces, list(SHARES))
    return PairMix(make_pairs(people[:: max(1, len(people) // 12) if quick else 1], np.random.default_rng(0)), SHARES)


def to_tensor(picture: np.ndarray) -> torch.Tensor:
    """uint8 (height, width, channels) as float (1, channels, height, width) in [0, 1]."""
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255


def judged(
    folder: Path, clips: list[rows.BenchClip], landmarks: Callable, renderers: list
) -> tuple[list[dict], float]:
    """Figures of renderers over all clips, one dictionary for each; and the minutes. None is the still portrait."""
    figures, minutes = [], 0.0
    for number, renderer in enumerate(renderers):
        found, spent = of_way(folder / str(number), clips, landmarks, partial(of_clip, renderer=renderer))
        made = {name: M.mean_of(found.get(name, [])) for name in COLUMNS}
        figures.append(made | {"wer_crops": reading_figures(found["read_crops"])["wer"]})
        minutes += spent
    return figures, minutes


def of_clip(clip: rows.BenchClip, landmarks: np.ndarray, renderer) -> dict:
    """Every figure of a clip's pictures."""
    film = np.stack(list(read_frames(clip.video))[: len(clip.lips)])
    if renderer is None:
        frames = np.repeat(film[:1], len(film), 0)
    else:
        source = clip.record["landmarks"][0, :, :2]
        frames = np.stack(list(renderer.render(film[0], landmarks, fps=clip.fps, source_landmarks=source)))
    able, figures = {name for name in ABLE if M.available_metrics()[name] is None}, defaultdict(list)
    kept = {"row": figures, "film": defaultdict(list)}
    compare(clip, film, {"row": frames}, kept, able)
    detail(FilmMouth(clip, film), {"row": frames}, {"row": landmarks}, kept, able)
    made = {name: some[0] for name, some in figures.items() if name in (*COLUMNS, "read_crops")}
    return made | {"flicker": figures["flicker"][0].value}


if __name__ == "__main__":
    with errors_in_one_line():
        main()
