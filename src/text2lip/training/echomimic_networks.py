"""Training of EchoMimic's networks: which part learns in which stage, the loss, and a look at what was learnt."""

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from text2lip.models.echomimic_reference import EchoMimicReferenceUNet
from text2lip.models.echomimic_unet import EchoMimicUNet
from text2lip.models.landmark_encoder import LandmarkEncoder


ECHOMIMIC_NETWORKS = {
    "unet": EchoMimicUNet,
    "reference_unet": EchoMimicReferenceUNet,
    "landmark_encoder": LandmarkEncoder,
}
STAGES = ("spatial", "motion")
LORA_TARGETS = ["to_q", "to_k", "to_v", "to_out.0"]
SCHEDULE = {  # configs/inference/inference_v2.yaml of antgroup/echomimic: for `DDIMScheduler`
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "linear",
    "clip_sample": False,
    "steps_offset": 1,
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "timestep_spacing": "trailing",
}


class EchoMimicNetworks(nn.Module):
    """The three networks that learn together."""

    def __init__(self, unet: EchoMimicUNet, reference_unet: EchoMimicReferenceUNet, landmark_encoder: LandmarkEncoder):
        super().__init__()
        self.unet, self.reference_unet, self.landmark_encoder = unet, reference_unet, landmark_encoder

    @classmethod
    def from_config(cls, configs: dict[str, dict[str, Any]]) -> "EchoMimicNetworks":
        """New networks; keyword arguments by their names, EchoMimic's own where there are none."""
        return cls(**{name: part(**configs.get(name, {})) for name, part in ECHOMIMIC_NETWORKS.items()})

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> "EchoMimicNetworks":
        """The networks of a pipeline's folder or Hub id, float32."""
        parts = {name: part.from_pretrained(folder, subfolder=name) for name, part in ECHOMIMIC_NETWORKS.items()}
        return cls(**parts).float()

    def set_stage(self, stage: str) -> None:
        """Choose what learns, as EchoMimic does: "spatial", on single frames: all but the motion modules; then
        "motion", on windows: the motion modules alone.

        Raises:
            ValueError: another stage.
        """
        if stage not in STAGES:
            raise ValueError(f"stage: {stage!r}; choose one of {STAGES}.")
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(("motion_modules" in name) == (stage == "motion"))

    def add_lora(self, rank: int) -> None:
        """Freeze everything, and add low-rank matrices (arXiv 2106.09685) to the denoiser's attentions.

        Raises:
            ImportError: peft is not installed.
        """
        try:
            from peft import LoraConfig
        except ImportError as error:
            raise ImportError("lora_rank wants peft: pip install peft") from error
        self.requires_grad_(False)
        self.unet.add_adapter(LoraConfig(r=rank, lora_alpha=rank, target_modules=LORA_TARGETS))

    def forward(
        self,
        sample: torch.Tensor,
        timestep: torch.Tensor,
        portrait: torch.Tensor,
        pictures: torch.Tensor,
        sound: torch.Tensor | None = None,
        dropped: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Predict v for noisy windows.

        Args:
            sample (`torch.Tensor`): float (batch, channels, frames, height, width).
            timestep (`torch.Tensor`): (batch,).
            portrait (`torch.Tensor`): clean latents of the reference, float (batch, channels, height, width).
            pictures (`torch.Tensor`): of the landmarks, float (batch, 3, frames, 8 * height, 8 * width) in [0, 1].
            sound (`torch.Tensor`, *optional*): float (batch, frames, 50, 384).
            dropped (`torch.Tensor`, *optional*): bool (batch,), rows that are to do without any condition.

        Returns:
            `torch.Tensor`: of the shape of `sample`.
        """
        if dropped is None:
            dropped = torch.zeros(len(sample), dtype=torch.bool, device=sample.device)
        order = dropped.int().argsort(descending=True, stable=True)  # the denoiser wants these rows first
        conditioned = (~dropped)[order][:, None, None, None]
        features = self.landmark_encoder(pictures[order]) * conditioned[..., None]
        sound = None if sound is None else sound[order] * conditioned
        portraits = portrait[order][int(dropped.sum()) :]
        states = self.reference_unet(portraits).reference_states if len(portraits) else None
        result = self.unet(sample[order], timestep[order], sound, features, states).sample
        return result[order.argsort()]


class VAETraining(nn.Module):
    """A VAE that gives its loss, so that it can be trained on several devices like any other module."""

    def __init__(self, vae: nn.Module):
        super().__init__()
        self.vae = vae

    def forward(self, images: torch.Tensor, noise: torch.Tensor, kl_weight: float) -> torch.Tensor:
        """Mean absolute error of pictures (batch, 3, height, width) that come back, and a little of how far their
        latents are from a normal distribution; `noise` is of the latents' shape."""
        latents = self.vae.encode(images).latent_dist
        decoded = self.vae.decode(latents.mean + latents.std * noise).sample
        return F.l1_loss(decoded.float(), images) + kl_weight * latents.kl().mean()


def encode_pictures(vae: Any, images: torch.Tensor) -> torch.Tensor:
    """Scaled latents, the mean of the VAE's distribution, of (batch, 3, height, width) or (batch, 3, frames, …)."""
    if images.ndim == 5:
        latents = encode_pictures(vae, images.transpose(1, 2).flatten(0, 1))
        return latents.unflatten(0, (len(images), -1)).transpose(1, 2)
    return vae.encode(images).latent_dist.mean * vae.config.scaling_factor


def decode_latents(vae: Any, latents: torch.Tensor) -> torch.Tensor:
    """Pictures in [-1, 1], (batch, 3, height, width), of scaled latents, one by one."""
    return torch.cat([vae.decode(row[None] / vae.config.scaling_factor).sample for row in latents]).clamp(-1, 1)


def velocity_loss(networks, scheduler, latents, conditions: dict, generator, drop: float = 0.0) -> torch.Tensor:
    """Mean squared error of v = sqrt(a) noise - sqrt(1 - a) x (arXiv 2202.00512) at random steps: a scalar.

    Args:
        networks ([`EchoMimicNetworks`]): perhaps wrapped.
        scheduler (`DDIMScheduler`): with EchoMimic's schedule.
        latents (`torch.Tensor`): clean, float (batch, channels, frames, height, width).
        conditions (`dict`): `portrait`, `pictures`, `sound` of [`EchoMimicNetworks`].
        generator (`torch.Generator`): on the CPU; draws steps, noise and rows without conditions.
        drop (`float`): share of those rows, for guidance.
    """
    batch, device = len(latents), latents.device
    timestep = torch.randint(scheduler.config.num_train_timesteps, (batch,), generator=generator).to(device)
    noise = torch.randn(latents.shape, generator=generator).to(latents)
    dropped = (torch.rand(batch, generator=generator) < drop).to(device)
    noisy = scheduler.add_noise(latents, noise, timestep)
    predicted = networks(noisy, timestep, dropped=dropped, **conditions)
    return F.mse_loss(predicted.float(), scheduler.get_velocity(latents, noise, timestep).float())


@torch.no_grad()
def sample(networks, scheduler, shape, conditions: dict, generator, steps: int, guidance: float = 1.0) -> torch.Tensor:
    """Latents of one window, by the scheduler: float `shape` = (batch, channels, frames, height, width)."""
    latents = torch.randn(shape, generator=generator).to(conditions["portrait"])
    scheduler.set_timesteps(steps, device=latents.device)
    rows = {name: torch.cat([value, value]) for name, value in conditions.items() if value is not None}
    dropped = torch.arange(2 * len(latents), device=latents.device) < len(latents)
    for step in scheduler.timesteps:
        if guidance > 1:
            both = networks(torch.cat([latents, latents]), step.repeat(2 * len(latents)), dropped=dropped, **rows)
            without, with_all = both.chunk(2)
            velocity = without + guidance * (with_all - without)
        else:
            velocity = networks(latents, step.repeat(len(latents)), **conditions)
        latents = scheduler.step(velocity, step, latents).prev_sample
    return latents
