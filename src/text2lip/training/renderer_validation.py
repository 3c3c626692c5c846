"""The learned renderer on faces that it does not train on, in the protocol's crop, beside the warp and the still."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch

from text2lip import metrics as M
from text2lip.devices import compute_dtype, execution_device
from text2lip.faces.canonical import lip_gap
from text2lip.faces.crop import CROP_SIDE, CROP_SIZE
from text2lip.metrics import inner_lip_polygon
from text2lip.models.landmark_unet import LandmarkGuidedUNet, compose
from text2lip.renderers.learned import reference_input
from text2lip.renderers.mouth_correction import motion_share
from text2lip.renderers.mouth_drawing import draw_mouth
from text2lip.renderers.mouth_references import MouthReferences
from text2lip.training.face_pack import load_faces
from text2lip.training.pairs import APART, PAIR_MARGIN, film_pairs


SHOWN = 12  # frames of a clip on a sheet


def load_films(path: str | Path, kinds: Iterable[str] = ("grid", "talking")) -> dict[str, dict[str, np.ndarray]]:
    """The films of the split `val` of packed faces, in the network's crop; their first picture is the portrait.

    Args:
        path (`str` or `Path`): file of [`save_faces`].
        kinds (`Iterable[str]`): of people.

    Returns:
        `dict`: name -> uint8 `source` (96, 96, 3), `target` and `warped` (frames, 96, 96, 3), `drawings`
        (frames, 96, 96, 8), float32 `points` (frames, 57, 2), `moved` (frames,), see [`motion_share`]; `references`,
        what [`MouthReferences.draw`] of the film's first half says of every frame.
    """
    films, inner = {}, slice(PAIR_MARGIN, PAIR_MARGIN + CROP_SIZE)
    for person in load_faces(path, kinds, "val"):
        frames = person.read()
        stored = film_pairs(frames, person.landmarks, [0], range(len(frames)), person.moments)
        moments = np.array(person.moments)
        early = max(int((moments < moments[-1] / 2 - APART / 2).sum()), 1)
        target, warped, source = (
            x[..., inner, inner, :] for x in (stored["target"], stored["warped"][0], stored["source"][0])
        )
        references = MouthReferences(target[:early], stored["own_points"][:early] - np.float32(PAIR_MARGIN))
        points = stored["target_points"][0] - PAIR_MARGIN
        shares = references.choose(points, CROP_SIZE)
        source_drawing = draw_mouth(stored["source_points"][0] - PAIR_MARGIN, CROP_SIZE)
        drawings = [np.concatenate([source_drawing, draw_mouth(row, CROP_SIZE)], -1) for row in points]
        films[person.name] = {
            "source": source,
            "target": target,
            "warped": warped,
            "drawings": np.stack(drawings),
            "points": points,
            "moved": motion_share(points, stored["source_points"] - PAIR_MARGIN).astype(np.float32),
            "references": [references.draw(row, CROP_SIZE, share) for row, share in zip(points, shares)],
        }
    return films


@torch.no_grad()
def draw_film(
    network: LandmarkGuidedUNet, film: dict[str, np.ndarray], refer: bool = False, batch_size: int = 16
) -> np.ndarray:
    """The network's crops of a film of [`load_films`], uint8 (frames, 96, 96, 3); with its references if `refer`."""
    drawn, training = [], network.training
    device, dtype = execution_device(network), compute_dtype(network)
    network.eval()
    for start in range(0, len(film["warped"]), batch_size):
        warped, drawings = (_tensor(film[name][start : start + batch_size]) for name in ("warped", "drawings"))
        warped, drawings = (x.to(device, dtype) for x in (2 * warped - 1, drawings))
        source = (2 * _tensor(film["source"][None]) - 1).to(warped).expand_as(warped)
        share = torch.from_numpy(film["moved"][start : start + batch_size]).to(warped.device)
        reference = reference_input(film["references"][start : start + batch_size]).to(warped) if refer else None
        crops = compose(warped, network(source, warped, drawings, reference), share, reference).cpu()
        drawn.append((127.5 * (crops + 1)).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy())
    network.train(training)
    return np.concatenate(drawn)


def _tensor(pictures: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 255


def validate_renderer(
    network: LandmarkGuidedUNet | None, films: dict, perceptual=None
) -> tuple[dict[str, float], np.ndarray]:
    """Mean figures over the films, and a sheet to look at.

    Args:
        network ([`LandmarkGuidedUNet`], *optional*): without it the warp and the still alone are measured.
        films (`dict`): of [`load_films`].
        perceptual ([`LPIPSModel`], *optional*): for `mouth_lpips`.

    Returns:
        `tuple`: figures named row/metric, for "half/…" of the film's second half alone; and a uint8 sheet: of each
        film's second half the frames, the warp, the network's, and the network's with the first half as reference.
    """
    values, sheet = defaultdict(list), []
    for film in films.values():
        rows = {"real": film["target"], "warp": film["warped"]}
        if network is None:
            rows["still"] = np.repeat(film["source"][None], len(film["target"]), 0)
        else:
            rows["ours"], rows["referred"] = draw_film(network, film), draw_film(network, film, refer=True)
        half = len(film["target"]) // 2  # what follows is not among the references
        outline = inner_lip_polygon(film["points"]) - 0.5
        gap = lip_gap(film["points"]) * CROP_SIDE / CROP_SIZE
        whole, later = slice(None), slice(half, None)
        parts = {name: (name, whole) for name in rows if name not in ("real", "referred")}
        parts |= {"half/warp": ("warp", later), "half/ours": ("ours", later), "half/referred": ("referred", later)}
        for name, (row, part) in parts.items():
            if row not in rows:
                continue
            drawn, real = rows[row][part], film["target"][part]
            values[f"{name}/mouth_ssim"].append(M.ssim(drawn, real))
            values[f"{name}/mouth_psnr"].append(M.psnr(drawn, real))
            values[f"{name}/inner_mouth_psnr"].append(M.inner_mouth_psnr(drawn, real, outline[part], gap[part]))
            if perceptual is not None:
                values[f"{name}/mouth_lpips"].append(M.lpips(drawn, real, perceptual))
        picks = half + np.linspace(0, len(film["target"]) - 1 - half, SHOWN).round().astype(int)
        sheet += [np.concatenate(list(x[picks]), 1) for x in rows.values()]
    figures = {name: float(np.mean([v for v in found if v is not None])) for name, found in values.items()}
    return figures, np.concatenate(sheet)
