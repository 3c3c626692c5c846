"""`examples/train_echomimic.py` on two synthetic films: every stage, exact resume, LoRA; and what it is made of."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler
from synthetic_clips import DISC_FRAMES, TINY_AUTOENCODER, TINY_ECHOMIMIC, write_disc_films

from text2lip.training.echomimic_networks import SCHEDULE, EchoMimicNetworks, sample, velocity_loss
from text2lip.training.face_windows import FaceBatches, FaceClips


EXAMPLES = Path(__file__).parents[2] / "examples"
FRAMES, SIZE = DISC_FRAMES, 64


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(EXAMPLES))
    try:
        import train_echomimic
    finally:
        sys.path.remove(str(EXAMPLES))
    return train_echomimic


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two films of a bright disc that is its own face, and what is prepared of them."""
    root, prepared = tmp_path_factory.mktemp("films"), tmp_path_factory.mktemp("prepared")
    write_disc_films(prepared, root)
    return prepared, root


@pytest.fixture
def arguments(folders, tmp_path):
    prepared, videos = folders
    base = {"prepared": prepared, "videos": videos, "networks": json.dumps(TINY_ECHOMIMIC), "size": SIZE, "cpu": True}
    base |= {"autoencoder": json.dumps(TINY_AUTOENCODER), "cache_clips": 2, "batch_size": 2, "max_steps": 4}
    base |= {"learning_rate": 0.003, "warmup_steps": 1, "validate_every": 100, "validate_batches": 1}
    base |= {"sample_steps": 2, "save_every": 2, "keep_checkpoints": 9}

    def build(output: str, **more):
        values = {**base, "output": tmp_path / output, **more}
        return [text for name, value in values.items() for text in (f"--{name}", str(value))]

    return build


@pytest.fixture(scope="module")
def vae(folders, tmp_path_factory):
    from diffusers import AutoencoderKL

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("vae")
    AutoencoderKL(**TINY_AUTOENCODER).save_pretrained(folder)
    return folder


def logged(folder: Path, key: str) -> dict[int, float]:
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return {row["step"]: row[key] for row in rows if key in row}


def weights(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / "unet/diffusion_pytorch_model.safetensors")


@pytest.mark.slow
def test_three_stages_make_a_pipeline(script, arguments, tmp_path, portrait):
    from text2lip import Text2LipPipeline

    script.main(arguments("vae", stage="vae", max_steps=20, validate_every=20))
    losses = logged(tmp_path / "vae", "val/loss")
    assert losses[20] < 0.9 * losses[0]
    vae = tmp_path / "vae/final/vae"
    script.main(arguments("spatial", vae=vae, max_steps=20, validate_every=20, data="Mine.", licence="MIT"))
    losses = logged(tmp_path / "spatial", "val/loss")
    assert losses[20] < 0.8 * losses[0] and 20 in logged(tmp_path / "spatial", "val/other_landmarks")
    script.main(arguments("motion", stage="motion", start=tmp_path / "spatial/final", frames=3))
    before, after = weights(tmp_path / "spatial/final"), weights(tmp_path / "motion/final")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all("motion_modules" in name for name in changed)
    assert {p.name for p in (tmp_path / "motion").glob("sheet-*.png")} == {"sheet-0.png", "sheet-4.png"}
    pipe = Text2LipPipeline.from_pretrained(tmp_path / "motion/final", use_safetensors=True)
    assert pipe.unet.config.num_inference_steps == 2 and pipe.unet.config.sample_size == SIZE // 8
    facts = pipe.unet.config._training  # of this run, not of the weights that it began with
    assert (
        "licence" not in facts
        and "began with the weights of spatial/final (data: Mine; licence: MIT)." in facts["data"]
    )
    assert pipe.reference_unet.config._training["data"] == "Mine."  # which this stage doesn't teach
    latents = pipe.vae.encode(torch.zeros(1, 3, SIZE, SIZE)).latent_dist.mean
    assert latents.shape == (1, 4, 8, 8) and pipe.vae.config.scaling_factor != 0.18215
    pipe.set_progress_bar_config(disable=True)
    frames = pipe("Hi.", portrait, voice=None, num_frames=2, output_type="np").frames[0]
    assert frames.shape == (2, *portrait.shape) and np.abs(frames[0] - portrait / 255).max() > 0.1


@pytest.mark.parametrize("rank", [0, 2])
def test_facts_are_those_of_what_learnt(script, arguments, vae, tmp_path, rank):
    if rank:
        pytest.importorskip("peft")
    script.main(arguments("spatial", vae=vae, max_steps=1, data="Mine.", licence="MIT"))
    more = {"lora_rank": rank} if rank else {"stage": "motion"}
    start = tmp_path / "spatial/final"
    script.main(arguments("next", start=start, max_steps=1, frames=3, data="Yours.", licence="CC-BY-4.0", **more))
    if rank:
        told = (tmp_path / "next/final/README.md").read_text()
        assert "license: cc-by-4.0" in told and "Licence: CC-BY-4.0." in told and '"lora_rank": 2' in told
    else:
        facts = {
            name: json.loads((tmp_path / f"next/final/{name}/config.json").read_text())["_training"]
            for name in ("unet", "reference_unet", "landmark_encoder")
        }
        assert facts["reference_unet"]["data"] == facts["landmark_encoder"]["data"] == "Mine."
        told = facts["unet"]["data"]
        assert facts["unet"]["licence"] == "CC-BY-4.0" and str(tmp_path) not in json.dumps(facts)
    assert "Yours. It began with the weights of spatial/final (data: Mine; licence: MIT)." in told


@pytest.mark.parametrize("stage", ["vae", "spatial"])
def test_resume_is_exact(script, arguments, tmp_path, vae, stage):
    options = {"stage": stage, "vae": vae}
    script.main(arguments("whole", **options))
    script.main(arguments("parts", **options, stop_after=2))
    assert not (tmp_path / "parts/final").exists()
    script.main(arguments("parts", **options, resume="latest"))
    assert logged(tmp_path / "parts", "loss") == logged(tmp_path / "whole", "loss")
    made = sorted(path.relative_to(tmp_path / "whole") for path in (tmp_path / "whole/final").rglob("*.safetensors"))
    assert made
    for name in made:
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes(), name


@pytest.mark.parametrize(
    "more, error, message",
    [
        ({}, ValueError, "vae: None; give a folder of an AutoencoderKL"),
        ({"stage": "motion", "vae": "VAE"}, ValueError, "start: None; the motion stage and LoRA begin with"),
        ({"stage": "dance", "vae": "VAE"}, ValueError, "stage: 'dance'; choose one of"),
        ({"vae": "VAE", "frames": 13}, ValueError, "frames: a window of 13, but a clip has only 12"),
        ({"vae": "VAE", "videos": "OTHER"}, ValueError, "has no film of the prepared clip '0'"),
    ],
)
def test_bad_settings(script, arguments, vae, tmp_path, more, error, message):
    (tmp_path / "metadata.jsonl").write_text("")
    places = {"VAE": vae, "OTHER": tmp_path}
    with pytest.raises(error, match=message):
        script.main(arguments("run", **{k: places.get(v, v) for k, v in more.items()}))


def test_the_films_place_is_read_when_a_run_is_set_up(script, monkeypatch):
    monkeypatch.setenv("TEXT2LIP_DATA", "/films")
    assert script.TrainConfig().videos == "/films"
    monkeypatch.delenv("TEXT2LIP_DATA")
    assert script.TrainConfig().videos == "data"


def test_lora_without_peft(monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(ImportError, match="pip install peft"):
        networks().add_lora(4)


def test_lora_learns_matrices_alone():
    pytest.importorskip("peft")
    model = networks()
    model.add_lora(4)
    learning = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    assert learning and all("lora" in name and name.startswith("unet") for name in learning)


def networks() -> EchoMimicNetworks:
    torch.manual_seed(0)
    return EchoMimicNetworks.from_config(TINY_ECHOMIMIC).eval()


def conditions(batch: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = {"portrait": (batch, 4, 8, 8), "pictures": (batch, 3, 2, 64, 64), "sound": (batch, 2, 5, 8)}
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def test_stages_divide_the_parameters():
    model = networks()
    model.set_stage("spatial")
    spatial = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    model.set_stage("motion")
    motion = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert not spatial & motion and len(spatial | motion) == len(list(model.parameters()))
    assert motion and all("motion_modules" in name for name in motion)


def test_dropped_rows_know_nothing_and_others_do_not_change():
    model, given = networks(), conditions(3)
    torch.nn.init.normal_(model.landmark_encoder.conv_out.weight)
    noisy, timestep = torch.randn(3, 4, 2, 8, 8), torch.tensor([10, 500, 900])
    with torch.no_grad():
        all_rows = model(noisy, timestep, **given)
        mixed = model(noisy, timestep, **given, dropped=torch.tensor([False, True, False]))
        alone = model.unet(noisy[1:2], timestep[1:2]).sample
    torch.testing.assert_close(mixed[[0, 2]], all_rows[[0, 2]], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(mixed[1:2], alone, atol=1e-5, rtol=1e-4)
    assert (all_rows[1] - alone[0]).abs().mean() > 1e-3


def spots(size: int, generator: torch.Generator) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Latents with one bright spot each, and pictures with a thin line where it is."""
    latents, pictures = torch.full((size, 4, 1, 8, 8), -0.5), torch.zeros(size, 3, 1, 64, 64)
    rows, columns = torch.randint(1, 7, (2, size), generator=generator)
    for i, (row, column) in enumerate(zip(rows.tolist(), columns.tolist())):
        latents[i, :, :, row - 1 : row + 2, column - 1 : column + 2] = 1.5
        pictures[i, :, :, 8 * row + 3 : 8 * row + 5, 8 * column - 4 : 8 * column + 12] = 0.5
    return latents, {"portrait": torch.zeros(size, 4, 8, 8), "pictures": pictures}


@pytest.mark.slow
def test_landmarks_are_learnt_to_be_followed():
    """Thin lines must not fade out in an untrained encoder: they tell within 50 steps where the light is."""
    model, scheduler, generator = networks().train(), DDIMScheduler(**SCHEDULE), torch.Generator().manual_seed(0)
    model.set_stage("spatial")
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 2e-3)
    for _ in range(50):
        velocity_loss(model, scheduler, *spots(8, generator), generator, 0.1).backward()
        optimizer.step()
        optimizer.zero_grad()
    latents, given = spots(32, torch.Generator().manual_seed(9))
    with torch.no_grad():
        right, wrong = (
            velocity_loss(model, scheduler, latents, {**given, "pictures": pictures}, torch.Generator().manual_seed(1))
            for pictures in (given["pictures"], given["pictures"].roll(1, 0))
        )
    assert wrong > 2 * right


def test_velocity_loss_is_that_of_the_schedule():
    """A denoiser that knows the answer has no loss, and the answer leads the sampler back to the film."""
    scheduler, latents, given = DDIMScheduler(**SCHEDULE), torch.randn(2, 4, 2, 8, 8), conditions(2)
    alphas = scheduler.alphas_cumprod[:, None, None, None, None]

    def knows(noisy, timestep, dropped=None, **_):
        alpha = alphas[timestep]
        noise = (noisy - alpha.sqrt() * latents) / (1 - alpha).sqrt()
        return alpha.sqrt() * noise - (1 - alpha).sqrt() * latents

    assert velocity_loss(knows, scheduler, latents, given, torch.Generator().manual_seed(1)) < 1e-6
    made = sample(knows, scheduler, latents.shape, given, torch.Generator().manual_seed(2), 5)
    torch.testing.assert_close(made, latents, atol=1e-3, rtol=1e-3)


def test_batches_depend_on_seed_step_and_rank(folders):
    clips = FaceClips(*folders, "train", SIZE, cache=2)
    batch = FaceBatches(clips, 2, 3, 0, 0, range(5, 9))
    first = batch[1]
    assert len(batch) == 4 and {name: tuple(value.shape) for name, value in first.items()} == {
        "images": (2, 3, 3, SIZE, SIZE),
        "portrait": (2, 3, SIZE, SIZE),
        "pictures": (2, 3, 3, SIZE, SIZE),
    }
    assert -1 <= first["images"].min() < first["images"].max() <= 1 and first["pictures"].min() >= 0
    assert torch.equal(first["images"], FaceBatches(clips, 2, 3, 0, 0, range(6, 7))[0]["images"])
    for seed, rank, steps in ((1, 0, range(5, 9)), (0, 1, range(5, 9)), (0, 0, range(6, 9))):
        assert not torch.equal(first["images"], FaceBatches(clips, 2, 3, seed, rank, steps)[1]["images"])


def test_landmarks_lie_on_the_face(folders):
    clip = FaceClips(*folders, "train", SIZE).read(1)
    assert clip["frames"].shape == (FRAMES, SIZE, SIZE, 3) and clip["landmarks"].shape == (FRAMES, 478, 2)
    bright = clip["frames"][5, ..., 0] > 130
    middle = np.argwhere(bright).mean(0)[::-1] / SIZE
    assert np.abs(clip["landmarks"][5].mean(0) - middle).max() < 0.03


def test_sound_comes_with_whisper(folders):
    from transformers import WhisperConfig, WhisperModel

    torch.manual_seed(0)
    size = {"d_model": 8, "encoder_ffn_dim": 8, "encoder_attention_heads": 2, "encoder_layers": 4}
    decoder = {"decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 8, "vocab_size": 20}
    tokens = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}
    whisper = WhisperModel(WhisperConfig(**size, **decoder, **tokens, max_source_positions=50)).eval()
    batch = FaceBatches(FaceClips(*folders, "train", SIZE, whisper), 2, 3, 0, 0, range(1))[0]
    assert batch["sound"].shape == (2, 3, 50, 8) and batch["sound"].any()
