"""The networks behind `FaceLandmarker`: a face detector and a face mesh.

They are MediaPipe's (Apache-2.0), rebuilt layer for layer so that the published weights fit:

- `BlazeFace`: the short-range detector. Bazarevsky et al. 2019, *BlazeFace: Sub-millisecond Neural Face Detection*,
  arXiv 1907.05047; in the revision with residual blocks of one depthwise convolution.
- `FaceMesh`: 468 points in three dimensions. Kartynnik et al. 2019, *Real-time Facial Surface Geometry from Monocular
  Video*, arXiv 1907.06724.
- `AttentionMesh`: the same, and a second look at lips and eyes, irises included. Grishchenko et al. 2020, *Attention
  Mesh: High-fidelity Face Mesh Prediction in Real-time*, arXiv 2006.10962.

They always compute in float32, whatever dtype their weights are stored in: half a pixel matters on a lip.
Weights are copied for it: where they lie in a file that was mapped changes the order of a sum, and the last bit.
"""

import torch
import torch.nn.functional as F
from torch import nn

from text2lip.faces.topology import LEFT_IRIS, LIPS, MOUTH_CORNERS, RIGHT_IRIS


# The points that `AttentionMesh` places again, in the order in which its branches give them.
# fmt: off
LIPS_AGAIN = (
    *LIPS,
    76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408,
    62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407,
)
RIGHT_EYE_AGAIN = (
    33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173,  # the contour
    130, 25, 110, 24, 23, 22, 26, 112, 243, 247, 30, 29, 27, 28, 56, 190,
    226, 31, 228, 229, 230, 231, 232, 233, 244, 113, 225, 224, 223, 222, 221, 189, 35, 124, 46, 53, 52, 65,
    143, 111, 117, 118, 119, 120, 121, 128, 245, 156, 70, 63, 105, 66, 107, 55, 193,
)
LEFT_EYE_AGAIN = (
    263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398,
    359, 255, 339, 254, 253, 252, 256, 341, 463, 467, 260, 259, 257, 258, 286, 414,
    446, 261, 448, 449, 450, 451, 452, 453, 464, 342, 445, 444, 443, 442, 441, 413, 265, 353, 276, 283, 282, 295,
    372, 340, 346, 347, 348, 349, 350, 357, 465, 383, 300, 293, 334, 296, 336, 285, 417,
)
# fmt: on
EYE_CONTOUR = 16  # of an eye's points; the first


class SameConv2d(nn.Conv2d):
    """Convolution with TensorFlow's SAME padding: for stride 2 the odd pixel goes right and below."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, groups: int = 1):
        # Stride 1 pads evenly, conv2d does it; stride 2 on an even side pads kernel_size - 2, the smaller half first.
        super().__init__(
            in_channels, out_channels, kernel_size, stride, kernel_size // 2 if stride == 1 else 0, groups=groups
        )
        before = (kernel_size - 2) // 2
        self.one_sided = None if stride == 1 else (before, kernel_size - 2 - before) * 2

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        if self.one_sided:
            hidden = F.pad(hidden, self.one_sided)
        weight, bias = self.weight.to(torch.float32, copy=True), self.bias.to(torch.float32, copy=True)
        return F.conv2d(hidden, weight, bias, self.stride, self.padding, groups=self.groups)


class Float32Linear(nn.Linear):
    """Linear map in float32."""

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return F.linear(hidden, self.weight.to(torch.float32, copy=True), self.bias.to(torch.float32, copy=True))


class Activation(nn.PReLU):
    """PReLU with a slope per channel, in float32."""

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return F.prelu(hidden, self.weight.to(torch.float32, copy=True))


class ResidualBlock(nn.Module):
    """Depthwise 3x3, pointwise, plus a shortcut that is max-pooled for stride 2 and padded with zero channels."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, prelu: bool = True):
        super().__init__()
        self.stride = stride
        self.extra_channels = out_channels - in_channels
        self.depthwise = SameConv2d(in_channels, in_channels, 3, stride, groups=in_channels)
        self.pointwise = SameConv2d(in_channels, out_channels, 1)
        self.activation = Activation(out_channels) if prelu else nn.ReLU()

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        residual = self.pointwise(self.depthwise(hidden))
        if self.stride == 2:
            hidden = F.max_pool2d(hidden, 2)
        if self.extra_channels:
            hidden = F.pad(hidden, (0, 0, 0, 0, 0, self.extra_channels))
        return self.activation(hidden + residual)


def _blocks(widths: list[tuple[int, int]], prelu: bool) -> nn.Sequential:
    """A chain of residual blocks from `(out_channels, stride)` pairs; the first pair only gives the input width."""
    pairs = zip(widths, widths[1:])
    return nn.Sequential(*(ResidualBlock(before, after, stride, prelu) for (before, _), (after, stride) in pairs))


class BlazeFace(nn.Module):
    """Face detector for one 128-pixel square: a logit, a box and six keypoints for each of 896 anchors."""

    input_size = 128

    def __init__(self):
        super().__init__()
        self.stem = SameConv2d(3, 24, 5, stride=2)
        widths = [(24, 1), (24, 1), (28, 1), (32, 2), (36, 1), (42, 1), (48, 2), (56, 1), (64, 1), (72, 1), (80, 1)]
        self.fine = _blocks([*widths, (88, 1)], prelu=False)
        self.coarse = _blocks([(88, 1), (96, 2), (96, 1), (96, 1), (96, 1), (96, 1)], prelu=False)
        self.fine_score = SameConv2d(88, 2, 1)
        self.coarse_score = SameConv2d(96, 6, 1)
        self.fine_box = SameConv2d(88, 2 * 16, 1)
        self.coarse_box = SameConv2d(96, 6 * 16, 1)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Score every anchor.

        Args:
            images (`torch.Tensor` of shape `(batch, 3, 128, 128)`): RGB, float32 in [-1, 1].

        Returns:
            `(logits, boxes)`: `(batch, 896)`, and `(batch, 896, 8, 2)` where row 0 is the offset of the box's centre
            from the anchor, row 1 its width and height, rows 2 to 7 the keypoints' offsets; pixels of the input.
        """
        fine = self.fine(F.relu(self.stem(images)))  # (batch, 88, 16, 16)
        coarse = self.coarse(fine)  # (batch, 96, 8, 8)
        logits, boxes = [], []
        for hidden, score, box in (
            (fine, self.fine_score, self.fine_box),
            (coarse, self.coarse_score, self.coarse_box),
        ):
            logits.append(score(hidden).permute(0, 2, 3, 1).flatten(1))
            boxes.append(box(hidden).permute(0, 2, 3, 1).reshape(len(images), -1, 8, 2))
        return torch.cat(logits, 1), torch.cat(boxes, 1)


def blazeface_anchors() -> torch.Tensor:
    """Anchor centres `(896, 2)`, float32, pixels of the input: 2 per cell of 16x16, then 6 per cell of 8x8."""
    anchors = []
    for cells, per_cell in ((16, 2), (8, 6)):
        centre = (torch.arange(cells, dtype=torch.float32) + 0.5) * (BlazeFace.input_size / cells)
        y, x = torch.meshgrid(centre, centre, indexing="ij")
        anchors.append(torch.stack([x, y], -1).reshape(-1, 2).repeat_interleave(per_cell, 0))
    return torch.cat(anchors)


class FaceMesh(nn.Module):
    """468 points of the face in a 192-pixel square, and whether there is a face at all."""

    input_size = 192
    num_points = 468

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(SameConv2d(3, 16, 3, stride=2), Activation(16))
        widths = [(16, 1)] * 3 + [(32, 2)] + [(32, 1)] * 2 + [(64, 2)] + [(64, 1)] * 2
        self.trunk = _blocks([*widths, (128, 2), (128, 1), (128, 1), (128, 2), (128, 1), (128, 1)], prelu=True)
        self.points = nn.Sequential(
            *_blocks([(128, 1), (128, 2), (128, 1), (128, 1)], prelu=True),
            *(SameConv2d(128, 32, 1), Activation(32), ResidualBlock(32, 32)),
        )
        self.presence = nn.Sequential(
            *_blocks([(128, 1), (128, 2)], prelu=True),
            *(SameConv2d(128, 32, 1), Activation(32), ResidualBlock(32, 32)),
        )
        # A 3x3 convolution over the whole remaining 3x3 field is a linear layer.
        self.points_out = Float32Linear(32 * 3 * 3, 3 * self.num_points)
        self.presence_out = Float32Linear(32 * 3 * 3, 1)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Place the points.

        Args:
            images (`torch.Tensor` of shape `(batch, 3, 192, 192)`): RGB, float32 in [0, 1].

        Returns:
            `(points, logits)`: `(batch, 468, 3)`, x right and y down in pixels of the input, z in the same unit,
            smaller is nearer; and the logit of a face being there, `(batch,)`.
        """
        hidden = self.trunk(self.stem(images))  # (batch, 128, 6, 6)
        points, presence = self.points(hidden).flatten(1), self.presence(hidden).flatten(1)  # (batch, 32 * 3 * 3)
        points, presence = self.points_out(points), self.presence_out(presence)
        return points.reshape(-1, self.num_points, 3), presence[:, 0]


class RegionBranch(nn.Module):
    """A second look at one part of the face: cuts features of the 192-pixel square, gives points of that square.

    Args:
        points (`tuple[int, ...]`): of the mesh, in the order in which they are placed again; they span the part.
        level (`tuple[int, int]`): of the mesh, the part is turned until these lie level.
        num_irises (`int`): points of an iris that a second head places.
    """

    margin = 1.5  # side of the part, relative to the box of its points
    cells = 16  # side of what is cut
    unit = 64  # side of the part in what the heads give

    def __init__(self, points: tuple[int, ...], level: tuple[int, int], num_irises: int = 0):
        super().__init__()
        self.subset, self.level = list(points), list(level)
        self.trunk = _blocks([(32, 1), (32, 1), (32, 1), (64, 2), (64, 1), (64, 1), (128, 2)], prelu=True)
        counts = [len(points)] + [num_irises] * (num_irises > 0)
        self.heads = nn.ModuleList(
            nn.Sequential(
                *_blocks([(128, 1)] * 3 + [(128, 2), (128, 1), (128, 1)], prelu=True),
                *(SameConv2d(128, 32, 1), Activation(32), ResidualBlock(32, 32)),
                *(nn.Flatten(), Float32Linear(32 * 2 * 2, 2 * count)),
            )
            for count in counts
        )

    def forward(self, features: torch.Tensor, points: torch.Tensor) -> list[torch.Tensor]:
        """Points `(batch, count, 2)` of each head, of features `(batch, 32, 48, 48)` and points `(batch, 468, 3)`."""
        centre, axes = self.place(points[..., :2])
        steps = (torch.arange(self.cells, device=points.device, dtype=points.dtype) + 0.5) / self.cells - 0.5
        y, x = torch.meshgrid(steps, steps, indexing="ij")
        where = torch.stack([x, y], -1).reshape(1, -1, 2) @ axes.mT + centre
        grid = where.unflatten(1, (self.cells, self.cells)) * (2 / FaceMesh.input_size) - 1
        hidden = self.trunk(F.grid_sample(features, grid, align_corners=False))
        found = []
        for head in self.heads:
            inside = head(hidden).unflatten(1, (-1, 2)) / self.unit - 0.5
            found.append(inside @ axes.mT + centre)
        return found

    def place(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Where the part lies: centre `(batch, 1, 2)`, and its sides as columns `(batch, 2, 2)`."""
        x, y = (points[:, self.level[1]] - points[:, self.level[0]]).unbind(-1)
        angle = torch.atan2(y, x)
        turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], -1).unflatten(1, (2, 2))
        level = points[:, self.subset] @ turn
        low, high = level.amin(1, keepdim=True), level.amax(1, keepdim=True)
        return (low + high) / 2 @ turn.mT, turn * (high - low) * self.margin


class AttentionMesh(nn.Module):
    """478 points of the face in a 192-pixel square, lips and eyes placed twice, and whether there is a face at all."""

    input_size = 192
    num_points = 478

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(
            SameConv2d(3, 16, 3, stride=2), Activation(16), *_blocks([(16, 1)] * 3 + [(32, 2)], prelu=True)
        )
        widths = [(32, 1)] * 3 + [(64, 2), (64, 1), (64, 1), (128, 2), (128, 1), (128, 1), (128, 2)]
        self.trunk = nn.Sequential(
            *_blocks([*widths, (128, 1), (128, 1), (128, 2), (128, 1), (128, 1)], prelu=True),
            *(SameConv2d(128, 32, 1), Activation(32), ResidualBlock(32, 32)),
        )
        self.points_out = Float32Linear(32 * 3 * 3, 3 * FaceMesh.num_points)
        self.presence_out = Float32Linear(32 * 3 * 3, 1)
        self.lips = RegionBranch(LIPS_AGAIN, MOUTH_CORNERS)
        self.right_eye = RegionBranch(RIGHT_EYE_AGAIN, (33, 133), num_irises=5)
        self.left_eye = RegionBranch(LEFT_EYE_AGAIN, (362, 263), num_irises=5)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Place the points.

        Args:
            images (`torch.Tensor` of shape `(batch, 3, 192, 192)`): RGB, float32 in [0, 1].

        Returns:
            `(points, logits)`: `(batch, 478, 3)` and `(batch,)`, as of [`FaceMesh`]. The z of an iris is that of its
            eye.
        """
        features = self.stem(images)  # (batch, 32, 48, 48)
        hidden = self.trunk(features).flatten(1)
        points = self.points_out(hidden).unflatten(1, (FaceMesh.num_points, 3))
        (lips,) = self.lips(features, points)
        eyes = [branch(features, points) for branch in (self.right_eye, self.left_eye)]
        refined = torch.cat([points, points.new_zeros(len(points), 10, 3)], 1)
        refined[:, LIPS_AGAIN, :2] = lips
        for branch, first, (eye, iris) in zip((self.right_eye, self.left_eye), (RIGHT_IRIS, LEFT_IRIS), eyes):
            refined[:, branch.subset, :2] = eye
            refined[:, first : first + 5, :2] = iris
            refined[:, first : first + 5, 2] = points[:, branch.subset[:EYE_CONTOUR], 2].mean(1, keepdim=True)
        return refined, self.presence_out(hidden)[:, 0]
