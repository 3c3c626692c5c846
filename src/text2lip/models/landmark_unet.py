"""LandmarkGuidedUNet, the small renderer: what a warp of a portrait can't know of its mouth."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils import BaseOutput
from torch import nn

from text2lip.cards import ModelCardMixin


BRIGHTNESS, TINT = (0.2, 0.12), (0.04, 0.05)  # the most that light changes, logarithmic: around the mouth, and in it


@dataclass
class LandmarkGuidedUNetOutput(BaseOutput):
    """Output of [`LandmarkGuidedUNet`], all of the size of the crop.

    Attributes:
        flow (`torch.Tensor`): (batch, 2, size, size), where each pixel of the warp is taken from, relative to itself,
            (x right, y down), pixels.
        colour (`torch.Tensor`): (batch, 3, size, size), what is added to the moved warp; its range is 2 wide.
        mask (`torch.Tensor`): (batch, 1, size, size) in [0, 1], where the fine part of `colour` was let through.
        reference_share (`torch.Tensor`): (batch, 1, size, size) in [0, 1], share of the reference, all of a near one
            between the lips; 0 without one.
        light (`torch.Tensor`, *optional*): (batch, 3, size, size), smooth; pictures in [0, 1] are multiplied by its
            exponential. None of a network that paints, whose shade is in `colour`.
    """

    flow: torch.Tensor = None  # defaults, because accelerate rebuilds outputs from a dictionary
    colour: torch.Tensor = None
    mask: torch.Tensor = None
    reference_share: torch.Tensor = None
    light: torch.Tensor | None = None


class Block(nn.Module):
    """x + convolutions of x, the second one zero at first; group norm keeps strange faces in range."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = nn.GroupNorm(8, channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv2(F.silu(self.conv1(F.silu(self.norm(x)))))


class LandmarkGuidedUNet(ModelCardMixin, ModelMixin, ConfigMixin):
    """(portrait, warp, drawings, reference) -> residual flow, and light or paint over the warp.

    The geometric renderer's frame carries identity and detail. A network that paints moves it a little, shades it,
    and repaints the mouth where its mask asks to: the mean of all mouths that could be there, which is a blur. One
    that does not paint moves it and multiplies it by smooth light alone: fine detail stays the geometric renderer's,
    or the person's own. Where another picture of the person shows a mouth that is near the wanted one
    ([`MouthReferences`]), what it has between the lips is shown, and around them what either network likes of it.
    After the image inpainting branch of IP_LAP (Zhong et al. 2023, arXiv 2305.08293), which works from landmark
    sketches too, made some twenty times smaller and relative to a warp. Untrained and without a reference it gives the
    warp itself, exactly.

    Everything is seen in the stabilised mouth crop, `text2lip.faces.crop`: 96 px for 1.5 outer eye distances.

    Args:
        sample_size (`int`): pixels of the crop's side, divisible by 8.
        block_out_channels (`tuple[int]`): channels at 1/2, 1/4 and 1/8 of the crop's size.
        layers_per_block (`int`): residual blocks on each level on the way down, and on the way up.
        drawing_channels (`int`): of the drawings of source and target landmarks together.
        max_flow (`float`): pixels.
        edge (`int`): pixels at the sides of the crop over which every change fades to nothing.
        reach (`int`): pixels, even: fine colour fades to nothing so far from the lips, all else so far from the face
            below the ears.
        paints (`bool`): whether it repaints the mouth; else it gives light.
    """

    @register_to_config
    def __init__(
        self,
        sample_size: int = 96,
        block_out_channels: tuple[int, int, int] = (32, 64, 128),
        layers_per_block: int = 1,
        drawing_channels: int = 8,
        max_flow: float = 6.0,
        edge: int = 6,
        reach: int = 6,
        paints: bool = True,
    ):
        super().__init__()
        first, second, third = block_out_channels
        self.enter = nn.Conv2d(4 * (10 + drawing_channels), first, 3, padding=1)
        self.down1 = self._blocks(first, layers_per_block)
        self.shrink1 = nn.Conv2d(first, second, 3, stride=2, padding=1)
        self.down2 = self._blocks(second, layers_per_block)
        self.shrink2 = nn.Conv2d(second, third, 3, stride=2, padding=1)
        self.middle = self._blocks(third, 2 * layers_per_block)
        self.grow2 = nn.Conv2d(third, second, 1)
        self.up2 = self._blocks(second, layers_per_block)
        self.grow1 = nn.Conv2d(second, first, 1)
        self.up1 = self._blocks(first, layers_per_block)
        self.smooth = nn.Conv2d(first, 5, 3, padding=1)  # flow and shading, at half the size
        self.fine = nn.Conv2d(first, 4 * (5 if paints else 1), 3, padding=1)  # colour, mask, share of the reference
        for layer in (self.smooth, self.fine):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        nn.init.constant_(self.fine.bias[-4:], -2.0)  # little at first
        line = torch.linspace(0.5, sample_size - 0.5, sample_size)
        side = (torch.minimum(line, sample_size - line) / edge).clamp(0, 1)
        side = side * side * (3 - 2 * side)
        self.register_buffer("window", side[:, None] * side[None], persistent=False)

    @staticmethod
    def _blocks(channels: int, count: int) -> nn.Sequential:
        return nn.Sequential(*(Block(channels) for _ in range(count)))

    def forward(
        self,
        source: torch.Tensor,
        warped: torch.Tensor,
        drawings: torch.Tensor,
        reference: torch.Tensor | None = None,
        return_dict: bool = True,
    ) -> LandmarkGuidedUNetOutput | tuple:
        """One step, each frame on its own.

        Args:
            source (`torch.Tensor`): (batch, 3, size, size) in [-1, 1], the portrait's mouth crop.
            warped (`torch.Tensor`): the same of the geometric renderer's frame.
            drawings (`torch.Tensor`): (batch, 8, size, size) in [0, 1], masks of [`draw_mouth`] at the portrait's
                landmarks, then at the frame's.
            reference (`torch.Tensor`, *optional*): (batch, 4, size, size), what [`MouthReferences.draw`] found for
                the frame: a crop in [-1, 1] and how near it is in [0, 1]; all zero for a frame without one.
            return_dict (`bool`): False for a plain tuple.
        """
        size = self.config.sample_size
        wanted = (len(source), 10 + self.config.drawing_channels, size, size)
        if reference is None:
            reference = torch.zeros_like(source[:, :1]).expand(-1, 4, -1, -1)
        x = torch.cat([source, warped, drawings, reference], 1)
        if x.shape != wanted:
            raise ValueError(
                "`source`, `warped`, `drawings` and `reference` together must be "
                f"{wanted}, got {tuple(x.shape)}; see their shapes in the documentation."
            )
        x = self.enter(F.pixel_unshuffle(x, 2))
        half = self.down1(x)
        quarter = self.down2(self.shrink1(half))
        x = self.middle(self.shrink2(quarter))
        x = self.up2(quarter + F.interpolate(self.grow2(x), scale_factor=2))
        x = self.up1(half + F.interpolate(self.grow1(x), scale_factor=2))
        smooth = self.smooth(x)
        flow = F.interpolate(smooth[:, :2], scale_factor=2, mode="bilinear", align_corners=False)
        fine = F.pixel_shuffle(self.fine(x), 2)
        lips, face = self.near(drawings, slice(0, 3)) * self.window, self.near(drawings, slice(3, 4)) * self.window
        flow = self.config.max_flow * torch.tanh(flow) * face
        inside = F.avg_pool2d(F.max_pool2d(drawings[:, 6:7], 3, 1, 1), 3, 1, 1)
        share = torch.sigmoid(fine[:, -1:])
        reference_share = (share + inside * (1 - share)) * face * reference[:, 3:]
        light = None
        if self.config.paints:
            shade = F.interpolate(smooth[:, 2:], scale_factor=2, mode="bilinear", align_corners=False)
            mask = torch.sigmoid(fine[:, 3:4]) * lips
            colour = shade * face + mask * fine[:, :3]
        else:
            light = self._light(smooth[:, 2:], drawings) * face
            flow = flow * (1 - inside)  # teeth stay where they are
            colour, mask = torch.zeros_like(light), torch.zeros_like(lips)
        if not return_dict:
            return tuple(x for x in (flow, colour, mask, reference_share, light) if x is not None)
        return LandmarkGuidedUNetOutput(
            flow=flow, colour=colour, mask=mask, reference_share=reference_share, light=light
        )

    def _light(self, raw: torch.Tensor, drawings: torch.Tensor) -> torch.Tensor:
        """Logarithms of light in cells of four pixels: brightness and, less, its colour; less of it in the mouth."""
        raw, inside = F.avg_pool2d(raw, 2), F.avg_pool2d(drawings[:, 6:7], 3, 1, 1)
        brightness = raw.mean(1, keepdim=True)
        cells = torch.cat([torch.tanh(brightness), torch.tanh(raw - brightness)], 1)
        cells = F.interpolate(cells, scale_factor=4, mode="bilinear", align_corners=False)
        brightest, strongest = (around + inside * (within - around) for around, within in (BRIGHTNESS, TINT))
        return cells[:, :1] * brightest + cells[:, 1:] * strongest

    def _fix_state_dict_keys_on_load(self, state_dict: dict):
        """Weights from before there were references: of one they take nothing but what is between the lips."""
        super()._fix_state_dict_keys_on_load(state_dict)
        enter, fine, bias = (state_dict[name] for name in ("enter.weight", "fine.weight", "fine.bias"))
        if len(bias) == 16:
            state_dict["enter.weight"] = torch.cat([enter, enter.new_zeros(len(enter), 16, 3, 3)], 1)
            state_dict["fine.weight"] = torch.cat([fine, fine.new_zeros(4, *fine.shape[1:])])
            state_dict["fine.bias"] = torch.cat([bias, bias.new_full((4,), -30.0)])

    def near(self, drawings: torch.Tensor, channels: slice) -> torch.Tensor:
        """(batch, 1, size, size) in [0, 1]: one on those masks of either drawing, fading around them."""
        source, target = (part[:, channels].sum(1, True).clamp(0, 1) for part in drawings.chunk(2, 1))
        reach = self.config.reach
        wide = F.max_pool2d(torch.maximum(source, target), (reach + 1, 1), 1, (reach // 2, 0))  # two steps are quicker
        wide = F.max_pool2d(wide, (1, reach + 1), 1, (0, reach // 2))
        tall = F.avg_pool2d(wide, (reach + 1, 1), 1, (reach // 2, 0))
        return F.avg_pool2d(tall, (1, reach + 1), 1, (0, reach // 2))


def compose(
    warped: torch.Tensor,
    output: LandmarkGuidedUNetOutput,
    share: torch.Tensor | float = 1.0,
    reference: torch.Tensor | None = None,
) -> torch.Tensor:
    """The frame's crop, float32 (batch, 3, size, size): `warped`, in [-1, 1], moved by the flow, with light, the
    reference (batch, 4, size, size) that the network saw, and colour on it; `share`, (batch,) in [0, 1], is that of
    all changes."""
    height, width = warped.shape[-2:]
    share = torch.as_tensor(share, device=warped.device).float().view(-1, 1, 1, 1)
    flow = share * output.flow.float()
    rows = (torch.arange(height, device=flow.device) + 0.5)[:, None]
    columns = (torch.arange(width, device=flow.device) + 0.5)[None]
    grid = torch.stack([(columns + flow[:, 0]) * 2 / width, (rows + flow[:, 1]) * 2 / height], -1) - 1
    crops = F.grid_sample(warped.float(), grid, mode="bicubic", padding_mode="border", align_corners=False)
    if output.light is not None:
        crops = crops + share * torch.expm1(output.light.float()) * (crops + 1)
    if reference is not None:
        crops = crops + share * output.reference_share.float() * (reference[:, :3].float() - crops)
    return crops + share * output.colour.float()
