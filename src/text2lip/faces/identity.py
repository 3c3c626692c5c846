"""`FaceIdentity`: who a face is, as a vector that is near to those of other pictures of the same person.

The network is dlib's (D. King 2017, `dlib_face_recognition_resnet_model_v1`, public domain): a ResNet (arXiv
1512.03385) of 29 convolutions, trained so that a person's vectors lie in a ball of diameter 0.6. Rebuilt layer for
layer, its affine layers folded into the convolutions.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import nn

from text2lip.cards import ModelCardMixin
from text2lip.devices import execution_device
from text2lip.faces.geometry import fit_similarity
from text2lip.faces.topology import EYES_AND_NOSE


CHIP_SIZE = 150  # pixels of a chip's side
SAME_PERSON = 0.55  # distance below which two faces are one person's; see docs/source/en/dubbing.md for its errors
CHIP = np.array(  # where dlib's chips have them, with a margin of a quarter around the face
    [[0.12058, 0.21373], [0.33409, 0.22906], [0.64606, 0.22897], [0.85957, 0.21350], [0.49011, 0.62780]]
)
CHIP = (CHIP + 0.25) / 1.5 * CHIP_SIZE
MEAN = (122.782, 117.001, 104.298)
LEVELS = ((32, 3), (64, 4), (128, 3), (256, 3), (256, 1))  # channels and blocks


class ShortcutBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut; where it halves the picture the shortcut is averaged. Zeros fill gaps."""

    def __init__(self, before: int, channels: int, down: bool):
        super().__init__()
        self.down = down
        self.first = nn.Conv2d(before, channels, 3, 2 if down else 1, 0 if down else 1)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        new = self.second(F.relu(self.first(hidden)))
        old = F.avg_pool2d(hidden, 2) if self.down else hidden
        shape = [max(sides) for sides in zip(new.shape[1:], old.shape[1:])]
        return F.relu(sum(_padded(part, shape) for part in (new, old)))


def _padded(hidden: torch.Tensor, shape: list[int]) -> torch.Tensor:
    """(batch, *shape): zeros are added behind, below and to the right."""
    missing = [wanted - is_ for wanted, is_ in zip(shape, hidden.shape[1:])]
    return F.pad(hidden, (0, missing[2], 0, missing[1], 0, missing[0])) if any(missing) else hidden


class FaceIdentity(ModelCardMixin, ModelMixin, ConfigMixin):
    """Vectors of faces; the distance of two tells whether they are one person's."""

    @register_to_config
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 7, 2)
        blocks, before = [], 32
        for level, (channels, count) in enumerate(LEVELS):
            for index in range(count):
                blocks.append(ShortcutBlock(before, channels, down=level > 0 and index == 0))
                before = channels
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(before, 128, bias=False)

    def forward(self, chips: torch.Tensor) -> torch.Tensor:
        """Vectors (batch, 128) of `chips` (batch, 3, 150, 150), RGB in [0, 255], see [`face_chip`]."""
        hidden = (chips.float() - chips.new_tensor(MEAN).float()[:, None, None]) / 256
        hidden = F.max_pool2d(F.relu(self.stem(hidden.to(self.dtype))), 3, 2)
        return self.head(self.blocks(hidden).mean((2, 3)))

    @torch.no_grad()
    def encode(self, chips: Iterable[np.ndarray]) -> np.ndarray:
        """Vectors float32 (count, 128) of chips, uint8 (150, 150, 3)."""
        device = execution_device(self)
        images = (torch.from_numpy(chip).permute(2, 0, 1)[None].to(device) for chip in chips)
        return np.array([self(image)[0].float().cpu().numpy() for image in images], np.float32).reshape(-1, 128)


@cache
def builtin_identity() -> FaceIdentity:
    """The network that comes with this package, on the CPU; read once."""
    folder = Path(__file__).parents[1] / "checkpoints" / "face_identity"
    return FaceIdentity.from_pretrained(str(folder), use_safetensors=True).eval()


def face_chip(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The upright face, eyes and nose where the network wants them.

    Args:
        image (`np.ndarray`): (height, width, 3) uint8.
        landmarks (`np.ndarray`): (468 or more, 2 or more) pixels.

    Returns:
        `np.ndarray`: uint8 (150, 150, 3).
    """
    points = landmarks[list(EYES_AND_NOSE), :2].astype(np.float64)
    return cv2.warpAffine(image, fit_similarity(points, CHIP), (CHIP_SIZE, CHIP_SIZE), flags=cv2.INTER_LINEAR)
