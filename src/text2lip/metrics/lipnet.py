"""LipNet: what a published lip reader, trained on GRID by others, understands.

Assael, Shillingford, Whiteson & de Freitas 2016, "LipNet: End-to-End Sentence-level Lipreading" (arXiv 1611.01599), in
the layers and names of VIPL's LipNet-PyTorch (MIT), so that its `.pt` files load by name
(utils/convert_metric_weights.py). Its published word error rates on real film are 13.3 % of talkers that it never saw
and 4.6 % of others, of which our talkers may be some. No weights ship.
"""

from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

from text2lip.faces.geometry import fit_similarity
from text2lip.metrics.frame_arrays import as_frames, mesh_points
from text2lip.metrics.judge import Judge
from text2lip.metrics.weights import find_weights


INPUTS = {1728: (50, 100), 3072: (64, 128)}
"""Height and width of the pictures, by the size of what the recurrent layers see: older files and newer ones."""
ALPHABET = " ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # after the blank
FACE, MOUTH = 256, (160, 80)  # pixels of the upright face, and of what is cut out of it
_PLACES = {  # mesh points, and where the mean face of 68 points that the reader was trained with has them
    33: (0.1217, 0.2168),
    133: (0.3346, 0.2317),
    362: (0.6456, 0.2317),
    263: (0.8585, 0.2168),
    168: (0.4901, 0.2034),
    4: (0.4901, 0.5156),
    2: (0.4901, 0.6281),
    61: (0.2541, 0.7802),
    291: (0.7261, 0.7802),
    0: (0.4901, 0.7426),
    17: (0.4901, 0.9093),
}
_CENTRE = (0.4901, 0.8060)  # of that face's mouth
_PADDING = 0.25


class LipNet(Judge):
    """Three convolutions over space and time, two recurrent layers both ways, a letter for every frame.

    Args:
        features (`int`): that the recurrent layers see, a key of `INPUTS`.
    """

    metric = "lipnet"

    def __init__(self, features: int = 3072):
        super().__init__()
        self.conv1 = nn.Conv3d(3, 32, (3, 5, 5), (1, 2, 2), (1, 2, 2))
        self.conv2 = nn.Conv3d(32, 64, (3, 5, 5), padding=(1, 2, 2))
        self.conv3 = nn.Conv3d(64, 96, 3, padding=1)
        self.gru1 = nn.GRU(features, 256, bidirectional=True)
        self.gru2 = nn.GRU(512, 256, bidirectional=True)
        self.FC = nn.Linear(512, len(ALPHABET) + 1)

    @classmethod
    def load(cls, path: str | Path | None = None) -> Self:
        """Read the weights from `path`, of either size; arguments and errors as [`find_weights`]."""
        state = load_file(find_weights(cls.metric, path))
        model = cls(state["gru1.weight_ih_l0"].shape[1])
        model.load_state_dict(state)
        return model.eval().requires_grad_(False)

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the pictures that it sees."""
        return INPUTS[self.gru1.input_size]

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Log probabilities (batch, frames, 28) of `pictures` (batch, 3, frames, height, width), BGR in [0, 1]."""
        for convolution in (self.conv1, self.conv2, self.conv3):
            pictures = F.max_pool3d(F.relu(convolution(pictures)), (1, 2, 2))
        hidden = pictures.movedim(2, 0).flatten(2)  # (frames, batch, features)
        for layer in (self.gru1, self.gru2):
            hidden = layer(hidden)[0]
        return self.FC(hidden).log_softmax(-1).transpose(0, 1)


@torch.no_grad()
def lipnet_reading(frames: Any, points: np.ndarray, model: LipNet | None = None) -> str:
    """What LipNet understands of a clip, in lower case.

    Args:
        frames (`np.ndarray`): (frames, height, width, 3) RGB, uint8 or float in [0, 1]; 25 a second.
        points (`np.ndarray`): (frames, 468 or more, 2 or more), landmarks in pixels.
        model (`LipNet`, *optional*): defaults to the weights in the weights folder, read once.

    Raises:
        ValueError: bad frames, landmarks of another number, or with NaN.
        MissingWeights: no model is given and the weights are not there.
    """
    frames, model = as_frames(frames), model or LipNet.published()
    points = mesh_points(points, len(frames))
    like = next(model.parameters())
    mouths = np.stack([_mouth(*pair, model.input_size) for pair in zip(frames, points)])
    pictures = torch.from_numpy(np.ascontiguousarray(mouths[..., ::-1])).to(like)
    return decode_letters(model(pictures.movedim(-1, 0)[None])[0].argmax(-1).tolist())


def decode_letters(letters: list[int]) -> str:
    """The text of a letter a frame (0: none): repeated ones are one (Graves et al. 2006, best path), lower case."""
    kept = [b for a, b in zip([0, *letters], letters) if b and a != b]
    return " ".join("".join(ALPHABET[letter - 1] for letter in kept).lower().split())


def _mouth(frame: np.ndarray, points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The mouth of an upright face of 256 px: float32 (height, width, 3) in [0, 1]."""
    place = (np.array([*_PLACES.values(), _CENTRE]) + _PADDING) / (1 + 2 * _PADDING) * FACE
    matrix = fit_similarity(points[list(_PLACES), :2].astype(np.float64), place[:-1])
    matrix[:, 2] += np.array(MOUTH) / 2 - place[-1]
    scale = 1.0 if frame.dtype == np.uint8 else 255.0
    mouth = cv2.warpAffine(frame.astype(np.float32) * scale, matrix, MOUTH)
    return cv2.resize(mouth, size[::-1]) / 255
