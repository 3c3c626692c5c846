"""Fit the articulatory model on the `train` split of prepared GRID, and print how it does on `val`.

    python examples/prepare_grid.py --output outputs/grid
    python examples/fit_articulation.py --prepared outputs/grid --output outputs/articulation

Targets and dominances of the letters that GRID says are fitted by gradient descent on real landmarks; those of the
other letters of the IPA follow from their articulatory features by Gaussian-process regression over the fitted ones.
"""

import argparse

import numpy as np
import torch

from text2lip.cards import record_training
from text2lip.data.prepared import PreparedClip
from text2lip.faces.canonical import lip_width
from text2lip.faces.topology import INNER_LOWER, INNER_UPPER, driven_index
from text2lip.licences import check_licence
from text2lip.motion.articulation import ArticulatoryModel
from text2lip.text.visemes import FEATURES, LETTER_CLASS, PHONE_INVENTORY, letter_features
from text2lip.training.lip_samples import load_splits, rest_shape
from text2lip.training.settings import errors_in_one_line


DATA = "Lip landmarks of the prepared split `train`, phones by forced alignment."
COMMAND = "python examples/fit_articulation.py --prepared outputs/grid --output outputs/articulation"
COMPONENTS = 10
SILENCE_FALL = 4.0  # log of 1 / s
ENOUGH, SEEN = 20, (0.15, 0.85)  # frames of a letter from which on its range is known, and what counts as that
RARE = 100  # times in the train split
RARE_GAP, JAW_GAP = 0.025, 0.14  # outer-eye distances: of a sound with a high jaw, and how much more with a low one
WEIGHT_INNER = 3.0  # the inner lips carry the gap, which is what one sees


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prepared", default="outputs/grid", help="folder made by prepare_grid.py")
    parser.add_argument("--output", required=True, help="folder for the model")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--ridge", type=float, default=3.0, help="how closely targets follow articulatory features")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--source", default=DATA, help="what the model card says of the clips")
    parser.add_argument("--licence", help="of the result, an SPDX identifier such as CC-BY-4.0; noted if given")
    args = parser.parse_args()
    licence = check_licence(args.licence, None)
    torch.manual_seed(args.seed)
    train, val = (Batch(clips) for clips in load_splits(args.prepared))
    model = ArticulatoryModel(len(PHONE_INVENTORY), COMPONENTS, reference_width=train.width)
    model.directions.data = principal_directions(train)
    fit(model, train, args)
    report("train", model, train)
    report("val", model, val)
    bound_targets(model, train)
    extend(model, train)
    report("val, after the features had their say", model, val)
    record_training(model, data=args.source, licence=licence, command=COMMAND)
    model.save_pretrained(args.output)
    print(f"Wrote {args.output}")


class Batch:
    """Prepared clips as padded tensors: motion from the talker's rest, phones, masks."""

    def __init__(self, clips: list[PreparedClip]):
        frames = max(len(clip.lips) for clip in clips)
        tokens = max(len(clip.phone_ids) for clip in clips)
        self.motion = torch.zeros(len(clips), frames, 57, 2)
        self.frame_mask = torch.zeros(len(clips), frames, dtype=torch.bool)
        self.ids = torch.zeros(len(clips), tokens, dtype=torch.long)
        self.durations = torch.zeros(len(clips), tokens)
        widths = []
        for i, clip in enumerate(clips):
            rest = rest_shape(clip)
            widths.append(float(lip_width(rest)))
            self.motion[i, : len(clip.lips)] = torch.from_numpy(clip.lips - rest)
            self.frame_mask[i, : len(clip.lips)] = True
            self.ids[i, : len(clip.phone_ids)] = torch.from_numpy(clip.phone_ids)
            self.durations[i, : len(clip.durations)] = torch.from_numpy(clip.durations)
        self.token_mask = self.durations > 0
        self.width = float(np.median(widths))
        self.fps = clips[0].fps

    def pick(self, index: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(x[index] for x in (self.ids, self.durations, self.token_mask, self.motion, self.frame_mask))


def principal_directions(batch: Batch) -> torch.Tensor:
    """First principal components of real motion, inner lips weighted: (components, 57, 2)."""
    weight = point_weights()
    flat = (batch.motion[batch.frame_mask] * weight).flatten(1)  # (frames, 114), not centred: rest is the origin
    _, _, rows = torch.linalg.svd(flat.T @ flat)
    return rows[:COMPONENTS].reshape(-1, 57, 2) / weight


def point_weights() -> torch.Tensor:
    weight = torch.ones(57, 1)
    weight[driven_index((*INNER_UPPER, *INNER_LOWER))] = WEIGHT_INNER**0.5
    return weight


def fit(model: ArticulatoryModel, batch: Batch, args: argparse.Namespace):
    """Least squares on motion and on its velocity, Adam with cosine decay."""
    generator = torch.Generator().manual_seed(args.seed)
    groups = [
        {"params": [model.targets], "lr": 0.01},
        {"params": [model.log_strength, model.log_attack, model.log_release], "lr": 0.03},
        {"params": [model.directions], "lr": 1e-4},
    ]
    optimizer = torch.optim.Adam(groups)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.steps)
    weight = point_weights() / point_weights().mean()
    counts = torch.bincount(batch.ids[batch.token_mask], minlength=len(PHONE_INVENTORY))
    seen = counts > 0
    for step in range(args.steps):
        index = torch.randint(len(batch.ids), (args.batch,), generator=generator)
        ids, durations, mask, real, frames = batch.pick(index)
        predicted = model(ids, durations, real.shape[1], batch.fps, attention_mask=mask).motion
        error = (predicted - real) * weight
        loss = error[frames].square().mean() + 2 * error.diff(dim=1)[frames[:, 1:]].square().mean()
        prior = model.log_strength.square().mean() + (model.log_attack - 3).square().mean()
        prior = 0.01 * (prior + (model.log_release - 3).square().mean())
        residual = model.targets[seen] - features_say(model.targets[seen], seen)
        prior = prior + args.ridge * residual.square().sum(1).mean()
        optimizer.zero_grad()
        (1e4 * loss + prior).backward()
        optimizer.step()
        schedule.step()
        model.targets.data[0] = 0  # silence is rest, and has no say far into speech
        model.log_strength.data[0].clamp_(min=0)
        model.log_attack.data[0].clamp_(min=SILENCE_FALL)
        model.log_release.data[0].clamp_(min=SILENCE_FALL)
        if step % 100 == 0:
            print(f"step {step} loss {loss.item():.3e}", flush=True)


def bound_targets(model: ArticulatoryModel, batch: Batch):
    """Keep gap and width of each letter's target within what the talker showed in it, by the smallest change.

    Fast speech falls short of its targets, so they are fitted beyond what is seen; slow speech would arrive there.
    """
    end = batch.durations.cumsum(1)
    times = (torch.arange(batch.motion.shape[1]) + 0.5) / batch.fps
    said = torch.searchsorted(end, times.expand(len(end), -1).contiguous()).clamp(max=end.shape[1] - 1)
    letters = batch.ids.gather(1, said).masked_fill(~batch.frame_mask, 0)
    for measure in (signed_gap, signed_width):
        direction, shown = measure(model.directions.data), measure(batch.motion)
        for letter in letters.unique().tolist():
            seen = shown[letters == letter]
            if letter and len(seen) >= ENOUGH:
                wanted = float(model.targets.data[letter] @ direction)
                excess = wanted - min(max(wanted, float(seen.quantile(SEEN[0]))), float(seen.quantile(SEEN[1])))
                model.targets.data[letter] -= excess * direction / (direction @ direction)


def kinship() -> torch.Tensor:
    """What makes letters alike: their articulatory features, and being a vowel. Double (letters, 7)."""
    rows = [[*letter_features(letter), float(LETTER_CLASS[letter] == "vowel")] for letter in PHONE_INVENTORY]
    return torch.tensor(rows, dtype=torch.float64)


def features_say(targets: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """What the articulatory features alone predict for `targets` (letters, components) of the `seen` letters.

    A letter that is always said between the same two others has no target of its own in the data: "one" is the only
    word with its vowel. The distance from this linear fit is penalised, so that such letters behave like their kin.
    """
    features = kinship().to(targets)[seen]
    features = torch.cat([features, torch.ones_like(features[:, :1])], 1)
    gram = features.T @ features + 0.1 * torch.eye(features.shape[1])
    return features @ torch.linalg.solve(gram, features.T @ targets)


def extend(model: ArticulatoryModel, batch: Batch):
    """Give every letter of the inventory its parameters: fitted where data is plenty, by its features elsewhere."""
    counts = torch.bincount(batch.ids[batch.token_mask], minlength=len(PHONE_INVENTORY)).double()
    features = kinship()
    seen = (counts > 0) & (torch.arange(len(counts)) > 0)
    distance = torch.cdist(features, features)
    kernel = torch.exp(-0.5 * (distance / 0.35) ** 2) + 0.3 * (features @ features.T + 0.3)
    noise = torch.diag(0.05 + 5 / counts[seen])
    solve = kernel[:, seen] @ torch.linalg.inv(kernel[seen][:, seen] + noise)
    trust = (counts / (counts + 30))[:, None]
    for name in ("targets", "log_strength", "log_attack", "log_release"):
        value = getattr(model, name).data.double()
        mean = (value[seen] * counts[seen, None]).sum(0) / counts[seen].sum()
        guess = mean + solve @ (value[seen] - mean)
        mixed = trust * value + (1 - trust) * guess
        mixed[0] = value[0]
        getattr(model, name).data = mixed.float()
    part_rare_sounds(model, counts)


def part_rare_sounds(model: ArticulatoryModel, counts: torch.Tensor):
    """Open sounds that GRID hardly says part the lips as their jaw says, by the smallest change of their target.

    Their fitted kin may press the lips: the talker's /w/ and /r/ do, and would pull /ʃ/ and /ʊ/ along; and who never
    says "father" must not whisper it.
    """
    upper, lower = driven_index((13, 14))
    opening = model.directions.data[:, lower, 1] - model.directions.data[:, upper, 1]  # (components,)
    for i, letter in enumerate(PHONE_INVENTORY):
        closed = dict(zip(FEATURES, letter_features(letter)))
        missing = RARE_GAP + JAW_GAP * closed["jaw"] - float(model.targets.data[i] @ opening)
        if i and counts[i] < RARE and max(closed["closure"], closed["labiodental"]) < 0.5 and missing > 0:
            model.targets.data[i] += missing * opening / (opening @ opening)


@torch.no_grad()
def report(name: str, model: ArticulatoryModel, batch: Batch):
    """Print centred error and correlation of lip gap and mouth width."""
    frames = batch.motion.shape[1]
    predicted = model(batch.ids, batch.durations, frames, batch.fps, attention_mask=batch.token_mask).motion
    gaps, widths, errors = [], [], []
    for ours, real, mask in zip(predicted.numpy(), batch.motion.numpy(), batch.frame_mask.numpy()):
        ours, real = ours[mask][:, :40], real[mask][:, :40]
        errors.append(np.linalg.norm((ours - ours.mean(0)) - (real - real.mean(0)), axis=-1).mean())
        gaps.append(np.corrcoef(*(signed_gap(x) for x in (ours, real)))[0, 1])
        widths.append(np.corrcoef(*(signed_width(x) for x in (ours, real)))[0, 1])
    print(f"{name}: gap r {np.mean(gaps):.3f}, width r {np.mean(widths):.3f}, centred error {np.mean(errors):.5f}")


def signed_gap(motion: np.ndarray | torch.Tensor) -> np.ndarray | torch.Tensor:
    upper, lower = driven_index((13, 14))
    return motion[..., lower, 1] - motion[..., upper, 1]


def signed_width(motion: np.ndarray | torch.Tensor) -> np.ndarray | torch.Tensor:
    left, right = driven_index((61, 291))
    return motion[..., right, 0] - motion[..., left, 0]


if __name__ == "__main__":
    with errors_in_one_line():
        main()
