"""Where does the lip decoder look, and which visemes do its lips tell apart? Two figures and a table.

    python examples/experiments/inside_networks.py --prepared outputs/grid

The first figure shows the decoder's two cross-attentions on one clip, and its lips beside the film's. The second shows
which viseme a mouth is taken for: a linear discriminant learns them from the film's lips in the middle of every phone
of `train`, and is then shown the film's lips, and the networks' from text alone, of a split that wasn't trained on. A
table has the lips of the built-in networks beside those of the paper's plain form.
"""

from pathlib import Path

import numpy as np
import torch
from study import FIGURES, PAGES, QUICK, finish, judged, lips_of, markdown, parse, parser, pyplot, split_of

from text2lip import Text2LipPipeline, VisemeTokenizer
from text2lip.data.prepared import PreparedClip, splits_of
from text2lip.faces.canonical import lip_gap
from text2lip.text.visemes import PHONE_INVENTORY
from text2lip.training.lip_networks import Text2LipNetworks
from text2lip.training.lip_samples import collate, load_clips, to_sample
from text2lip.training.settings import errors_in_one_line


NAME = "inside_networks"
AROUND = (-2, 0, 2)  # frames around the middle of a phone
SEEN = 24  # of the principal components of lips
PIPELINES = ("text2lip-grid", "text2lip-grid-paper")


def main(arguments: list[str] | None = None) -> dict:
    options = parser(__doc__, NAME, "splits")
    options.add_argument("--pipelines", nargs="+", default=list(PIPELINES), help="built-in names, folders or Hub ids")
    args = parse(options, arguments)
    limit, tokenizer = QUICK["limit"] if args.quick else None, VisemeTokenizer()
    splits = [split for split in args.splits if split in splits_of(args.prepared)] or ["val"]
    train = load_clips(args.prepared, "train", limit, "log_mel", tokenizer)
    shown = {split: split_of(args.prepared, split, limit, "log_mel", tokenizer) for split in splits}
    networks = {name: builtin_networks(name) for name in args.pipelines}
    body = [", ".join(args.pipelines) + "."]
    for split, (clips, sounds) in shown.items():
        figures = {
            f"{name}, {title}": judged(some, clips, sounds, silent)
            for name, some in networks.items()
            for title, silent in (("text alone", True), ("with the film's sound", False))
        }
        body += [f"**Lips, {len(clips)} clips of {split}**", markdown(figures, FIGURES)]
    clips, reader, labels = shown[splits[0]][0], Discriminant(train), tokenizer.visemes.labels
    lips = {"the film's lips": [clip.lips for clip in clips]}
    lips |= {f"{name}, text alone": [lips_of(some, clip, True) for clip in clips] for name, some in networks.items()}
    counts = {name: confusion(reader, moved, clips, len(labels)) for name, moved in lips.items()}
    target = args.output if args.quick or not args.write else PAGES
    target.mkdir(parents=True, exist_ok=True)
    draw_confusion(counts, labels, target / "viseme_confusion.png")
    draw_attention(networks[args.pipelines[0]], clips[0], target / "attention.png")
    rows = {name: shares(some, labels) for name, some in counts.items()}
    body += [f"**Taken for the right viseme, {splits[0]}, by what {len(train)} clips of train taught**"]
    body += [markdown(rows, ("right", "right, mean of visemes", *labels))]
    finish(NAME, "\n\n".join(body), args)
    return rows


def builtin_networks(name: str) -> Text2LipNetworks:
    pipe = Text2LipPipeline.from_pretrained(name)
    parts = (pipe.viseme_encoder, pipe.pseudo_audio, pipe.lip_decoder)
    return Text2LipNetworks(*parts, tokenizer=pipe.tokenizer).eval()


def middles(clip: PreparedClip) -> list[tuple[int, int]]:
    """Frame in the middle of every token, and its viseme."""
    ends = np.cumsum(clip.durations)
    frames = ((ends - clip.durations / 2) * clip.fps).astype(int).clip(0, len(clip.lips) - 1)
    return list(zip(frames.tolist(), np.asarray(clip.viseme_ids).tolist()))


def shapes(lips: np.ndarray, clip: PreparedClip) -> np.ndarray:
    """What a clip's lips look like in the middle of every token: (tokens, features), about the clip's mean shape."""
    moved = (lips - lips.mean(0)).reshape(len(lips), -1)
    frames = np.array([frame for frame, _ in middles(clip)])
    return np.concatenate([moved[(frames + shift).clip(0, len(moved) - 1)] for shift in AROUND], 1)


class Discriminant:
    """Linear discriminant of visemes, equal priors, on the principal components of the film's lips."""

    def __init__(self, clips: list[PreparedClip]):
        seen = np.concatenate([shapes(clip.lips, clip) for clip in clips])
        ids = np.array([viseme for clip in clips for _, viseme in middles(clip)])
        self.mean = seen.mean(0)
        _, _, axes = np.linalg.svd(seen - self.mean, full_matrices=False)
        self.axes = axes[:SEEN].T
        inner = (seen - self.mean) @ self.axes
        self.known = np.unique(ids)
        self.centres = np.stack([inner[ids == viseme].mean(0) for viseme in self.known])
        rest = inner - self.centres[np.searchsorted(self.known, ids)]
        self.inverse = np.linalg.inv(np.cov(rest.T) + 1e-9 * np.eye(inner.shape[1]))

    def __call__(self, seen: np.ndarray) -> np.ndarray:
        """The viseme of every row of [`shapes`]."""
        apart = ((seen - self.mean) @ self.axes)[:, None] - self.centres[None]
        return self.known[np.einsum("tkc,cd,tkd->tk", apart, self.inverse, apart).argmin(1)]


def confusion(reader: Discriminant, moved: list[np.ndarray], clips: list[PreparedClip], size: int) -> np.ndarray:
    """How often lips of a viseme (rows) are taken for another (columns)."""
    counts = np.zeros((size, size), int)
    for lips, clip in zip(moved, clips):
        said = [viseme for _, viseme in middles(clip)]
        np.add.at(counts, (said, reader(shapes(lips, clip))), 1)
    return counts


def shares(counts: np.ndarray, labels: list[str]) -> dict[str, float | None]:
    """How often visemes are taken for themselves: all together, their mean, each."""
    said, right = counts.sum(1), counts.diagonal()
    each = {label: float(right[i] / said[i]) if said[i] else None for i, label in enumerate(labels)}
    known = [value for value in each.values() if value is not None]
    return {"right": float(right.sum() / said.sum()), "right, mean of visemes": float(np.mean(known)), **each}


def draw_confusion(counts: dict[str, np.ndarray], labels: list[str], target: Path):
    """One square for each kind of lips, rows of equal weight."""
    plt = pyplot()
    figure, axes = plt.subplots(1, len(counts), figsize=(4.6 * len(counts), 4.8), layout="constrained", squeeze=False)
    for axis, (name, some) in zip(axes[0], counts.items()):
        shown = axis.imshow(some / some.sum(1, keepdims=True).clip(min=1), cmap="Blues", vmin=0, vmax=1)
        right = shares(some, labels)["right, mean of visemes"]
        axis.set(title=f"{name}\nright: {right:.0%} of each viseme on average", xlabel="is taken for")
        axis.set_xticks(range(len(labels)), labels, rotation=90)
        axis.set_yticks(range(len(labels)), labels)
    axes[0, 0].set_ylabel("viseme said (example: PP = p b m, FF = f v, ou = boot)")
    figure.colorbar(shown, ax=axes[0], label="share of the times it is said", shrink=0.7)
    figure.savefig(target, dpi=70)
    plt.close(figure)


@torch.no_grad()
def draw_attention(networks: Text2LipNetworks, clip: PreparedClip, target: Path):
    """Both cross-attentions, mean over heads and layers, and the lips that come of it, over a clip's time."""
    batch = collate([to_sample(clip)], networks.viseme_encoder.config.num_visemes)
    states = networks.viseme_encoder(
        batch["input_ids"], batch["attention_mask"], batch["phone_ids"], batch["features"], return_dict=False
    )[0]
    told = (batch["durations"], len(clip.lips), batch["fps"], batch["attention_mask"])
    pseudo, enhanced = networks.pseudo_audio(states, *told, return_dict=False)
    made = networks.lip_decoder(
        pseudo, enhanced, batch["durations"], batch["fps"], batch["attention_mask"], output_attentions=True
    )
    maps = {
        "to pseudo-audio, seconds": torch.stack([layer.audio[0].mean(0) for layer in made.attentions]).mean(0),
        "to visemes": torch.stack([layer.visemes[0].mean(0) for layer in made.attentions]).mean(0),
    }
    plt = pyplot()
    figure, axes = plt.subplots(3, 1, figsize=(10, 9), layout="constrained", sharex=True, height_ratios=(1, 1.4, 0.6))
    seconds, ends = len(clip.lips) / clip.fps, np.cumsum(clip.durations)
    axes[0].imshow(maps["to pseudo-audio, seconds"].T, extent=(0, seconds, 0, seconds), origin="lower", aspect="auto")
    axes[0].set(
        ylabel="looks at pseudo-audio at (s)", title=f"Where the lip decoder looks while it says “{clip.text}”"
    )
    edges = np.linspace(0, seconds, len(clip.lips) + 1)
    weights = maps["to visemes"].T.numpy()
    axes[1].pcolormesh(edges, np.arange(len(ends) + 1), weights)
    axes[1].step([0, *ends], [*range(len(ends)), len(ends) - 1], where="post", color="white", lw=0.8)
    labels = networks.tokenizer.visemes.labels
    names = [f"{PHONE_INVENTORY[p] or '–'} {labels[v]}" for p, v in zip(clip.phone_ids, clip.viseme_ids)]
    axes[1].set_yticks(np.arange(len(names)) + 0.5, names, fontsize=7)
    axes[1].set(ylabel="looks at phone, viseme (white: said now)")
    axes[1].invert_yaxis()
    times = (np.arange(len(clip.lips)) + 0.5) / clip.fps
    ours = made.motion[0].numpy() + batch["rest"][0].numpy()
    axes[2].plot(times, lip_gap(clip.lips), label="film")
    axes[2].plot(times, lip_gap(ours), label="text alone")
    axes[2].set(ylabel="lips apart (eye distances)", xlabel="time of the picture (s)")
    axes[2].legend()
    figure.savefig(target, dpi=70)
    plt.close(figure)


if __name__ == "__main__":
    with errors_in_one_line():
        main()
