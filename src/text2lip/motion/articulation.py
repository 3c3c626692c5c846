"""The articulatory model: lip motion from timed phones by dominance functions fitted on real video.

Every phone has a target shape of lips and jaw, and for each direction of motion a dominance function that says how
strongly and how far from its own time the phone pulls towards its target; the motion is the mean of all targets
weighted by dominance (Löfqvist 1990; Cohen & Massaro 1993, "Modeling coarticulation in synthetic visual speech",
Eq. 1-4). Targets and dominances are not set by hand: `examples/fit_articulation.py` fits them on real landmarks.
"""

from dataclasses import dataclass

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils import BaseOutput
from torch import nn

from text2lip.cards import ModelCardMixin
from text2lip.models.time import token_times
from text2lip.registration import register
from text2lip.text.visemes import PHONE_INVENTORY, PHONE_TO_ID, TRANSPARENT, resolve_transparent


register()

TRANSPARENT_IDS = [PHONE_TO_ID[letter] for letter in sorted(TRANSPARENT)]

REACH = 0.6  # seconds; a phone farther away has no say
SHARPNESS = 0.01  # seconds; rounds the kink of |distance| where a phone begins and ends


@dataclass
class ArticulatoryModelOutput(BaseOutput):
    """Output of [`ArticulatoryModel`].

    Attributes:
        motion (`torch.Tensor`): (batch, frames, 57, 2), displacement of the driven points from the mouth at rest, in
            units of the outer eye corners' distance; 0 in padded frames.
    """

    motion: torch.Tensor = None  # a default, because accelerate rebuilds outputs from a dictionary


class ArticulatoryModel(ModelCardMixin, ModelMixin, ConfigMixin):
    """Co-articulated lip motion from phones and their times.

    Args:
        num_phones (`int`): size of `PHONE_INVENTORY`, silence included.
        num_components (`int`): directions of lip motion (principal components of real motion).
        num_points (`int`): driven landmarks.
        reference_width (`float`): mouth width at rest of the talker it was fitted on, canonical units.
    """

    @register_to_config
    def __init__(
        self,
        num_phones: int = 128,
        num_components: int = 10,
        num_points: int = 57,
        reference_width: float = 0.6,
    ):
        super().__init__()
        self.directions = nn.Parameter(torch.zeros(num_components, num_points, 2))
        self.targets = nn.Parameter(torch.zeros(num_phones, num_components))
        self.log_strength = nn.Parameter(torch.zeros(num_phones, num_components))
        self.log_attack = nn.Parameter(torch.full((num_phones, num_components), 3.0))  # 1 / s
        self.log_release = nn.Parameter(torch.full((num_phones, num_components), 3.0))

    def forward(
        self,
        phone_ids: torch.Tensor,
        durations: torch.Tensor,
        num_frames: int,
        fps: float = 25.0,
        attention_mask: torch.Tensor | None = None,
        return_dict: bool = True,
    ) -> ArticulatoryModelOutput | tuple[torch.Tensor]:
        """Motion for phones that follow each other without gap from time 0.

        Args:
            phone_ids (`torch.Tensor`): int64 (batch, tokens), indices in `PHONE_INVENTORY`, 0 is silence.
            durations (`torch.Tensor`): float (batch, tokens), seconds; 0 for padding.
            num_frames (`int`): frames to make; frame f is the picture at (f + 1/2) / fps.
            fps (`float`): frames per second.
            attention_mask (`torch.Tensor`, *optional*): bool (batch, tokens), False for padding.

        Returns:
            [`ArticulatoryModelOutput`] or a tuple with its `motion`.
        """
        phone_ids = open_throat(phone_ids)
        start, end = token_times(durations.float())  # all in float32, whatever the type of the weights
        if attention_mask is None:
            attention_mask = durations > 0
        weights = self.component_weights(phone_ids, start, end, attention_mask, num_frames, fps)
        motion = torch.einsum("bfc,cpd->bfpd", weights, self.directions.float())
        frames = (torch.arange(num_frames, device=motion.device) + 0.5) / fps
        motion = motion * (frames[None] < end[:, -1:] + 1 / fps)[..., None, None]
        return ArticulatoryModelOutput(motion) if return_dict else (motion,)

    def component_weights(self, phone_ids, start, end, mask, num_frames: int, fps: float) -> torch.Tensor:
        """Dominance-weighted targets (Cohen & Massaro 1993, Eq. 4): float (batch, frames, components)."""
        blocks = []
        for first in range(0, num_frames, 128):  # near tokens only: time and memory stay linear in the clip's length
            last = min(first + 128, num_frames)
            times = (torch.arange(first, last, device=start.device, dtype=start.dtype) + 0.5) / fps
            near = mask & (end > times[0] - REACH) & (start < times[-1] + REACH)
            columns = near.any(0).nonzero()[:, 0]
            if not len(columns):
                blocks.append(start.new_zeros(len(start), last - first, self.config.num_components))
                continue
            span = slice(int(columns[0]), int(columns[-1]) + 1)
            ids = phone_ids[:, span]
            before = (start[:, None, span] - times[None, :, None]).clamp(min=0)  # (batch, frames, tokens)
            after = (times[None, :, None] - end[:, None, span]).clamp(min=0)
            before, after = ((x * x + SHARPNESS**2).sqrt() - SHARPNESS for x in (before, after))
            strength = self.log_strength.float()[ids][:, None]  # (batch, 1, tokens, components)
            fall = before[..., None] * self.log_attack.float().exp()[ids][:, None]
            fall = fall + after[..., None] * self.log_release.float().exp()[ids][:, None]
            dominance = (strength - fall).masked_fill(~mask[:, None, span, None], float("-inf"))
            dominance = dominance.softmax(2).nan_to_num()
            blocks.append(torch.einsum("bfnc,bnc->bfc", dominance, self.targets.float()[ids]))
        return torch.cat(blocks, 1)


def open_throat(phone_ids: torch.Tensor) -> torch.Tensor:
    """Phones with h, ʔ and their like replaced by the neighbour whose mouth shape they borrow: "who" rounds at once.

    Args:
        phone_ids (`torch.Tensor`): int64 (batch, tokens), indices in `PHONE_INVENTORY`.
    """
    if not torch.isin(phone_ids, phone_ids.new_tensor(TRANSPARENT_IDS)).any():
        return phone_ids
    rows = [resolve_transparent([PHONE_INVENTORY[i] for i in row]) for row in phone_ids.tolist()]
    return phone_ids.new_tensor([[PHONE_TO_ID[letter] for letter in row] for row in rows])
