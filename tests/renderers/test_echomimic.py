"""EchoMimic's sampling on tiny random networks: windows, pieces, guidance, schedulers, memory, the way back."""

import gc
import weakref

import numpy as np
import pytest
import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    UniPCMultistepScheduler,
)

from text2lip import EchoMimicReferenceUNet, EchoMimicUNet, LandmarkEncoder
from text2lip.renderers.echomimic import Conditions, EchoMimicRenderer, FaceSquare, current_timestep
from text2lip.renderers.sampling import SamplingOptions
from text2lip.renderers.windows import (
    ContextWindows,
    disable_free_noise,
    enable_free_noise,
    free_noise_block,
    pieces,
    windows,
)


DDIM = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "linear",
    "clip_sample": False,
    "steps_offset": 1,
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "timestep_spacing": "trailing",
}
SOUND = 12


def make_parts() -> dict:
    torch.manual_seed(0)
    shared = {"block_out_channels": (32, 32), "layers_per_block": 1, "sample_size": 4}
    unet = EchoMimicUNet(
        **shared,
        down_block_types=("CrossAttnDownBlockMotion", "DownBlockMotion"),
        up_block_types=("UpBlockMotion", "CrossAttnUpBlockMotion"),
        num_attention_heads=2,
        motion_num_attention_heads=2,
        cross_attention_dim=SOUND,
        num_inference_steps=3,
        guidance_scale=1.0,
    )
    reference = EchoMimicReferenceUNet(
        **shared,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        attention_head_dim=2,
    )
    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
    vae = AutoencoderKL(**blocks, block_out_channels=(8,) * 4, norm_num_groups=4, latent_channels=4)
    encoder = LandmarkEncoder(32, block_out_channels=(4, 4, 4, 4))
    for name, parameter in [*unet.named_parameters(), *encoder.named_parameters()]:  # as if trained
        if ("motion_modules" in name and "proj_out" in name) or name.startswith("conv_out.weight"):
            torch.nn.init.normal_(parameter, std=0.1)
    parts = {"unet": unet, "reference_unet": reference, "landmark_encoder": encoder, "vae": vae}
    return {**{name: part.eval() for name, part in parts.items()}, "scheduler": DDIMScheduler(**DDIM)}


@pytest.fixture(scope="module")
def parts():
    return make_parts()


@pytest.fixture(scope="module")
def face(portrait, _one_thread):
    from text2lip import FaceLandmarker

    return FaceLandmarker.from_builtin().locate(portrait)[:, :2].astype(np.float32)


@pytest.fixture
def talk(face):
    """Landmarks whose lower lip and jaw sway."""

    def build(frames):
        landmarks = np.repeat(face[None], frames, 0)
        landmarks[:, [14, 17, 152, 87, 317]] += 0.03 * np.sin(np.arange(frames) / 4)[:, None, None] ** 2
        return landmarks

    return build


def make_renderer(parts, quiet=True, **options):
    """A renderer with `options` of either kind."""
    context = {name: options.pop(name) for name in vars(ContextWindows()) if name in options}
    return EchoMimicRenderer(
        **parts, options=SamplingOptions(**options, quiet=quiet), context=ContextWindows(**context)
    )


def draw(parts, portrait, face, landmarks, sound=None, seed=1, **options):
    renderer = make_renderer(parts, **options)
    generator = torch.Generator().manual_seed(seed)
    frames = renderer.render(portrait, landmarks, audio_features=sound, generator=generator, source_landmarks=face)
    return np.stack(list(frames))


# Windows


@pytest.mark.parametrize("frames", [1, 12, 13, 27, 240])
@pytest.mark.parametrize("closed", [True, False])
def test_every_frame_is_in_a_window_at_every_step(frames, closed):
    for step in range(30):
        found = windows(frames, step, closed=closed)
        assert {frame for window in found for frame in window} == set(range(frames))
        assert all(len(window) == len(set(window)) == min(frames, 12) for window in found)
        if not closed:
            assert all(window == list(range(window[0], window[-1] + 1)) for window in found)
            assert all(b[0] - a[0] <= 9 for a, b in zip(found, found[1:]))


def test_closed_windows_are_the_originals():
    """Numbers of `uniform(0, 30, 30, 12, 1, 3)` with the rotation of the pose pipeline."""
    assert len(windows(240, 0)) == 27
    first = windows(30, 0)
    assert [window[0] for window in first] == [0, 9, 18, 27]
    assert first[-1] == [27, 28, 29, 0, 1, 2, 3, 4, 5, 6, 7, 8]
    assert [window[0] for window in windows(30, 2)] == [6, 15, 24, 3]
    assert windows(12, 5) == [list(range(12))]


def test_pieces_share_frames_and_are_of_about_equal_length():
    assert pieces(240, 240, 3) == [range(240)]
    for frames in (241, 500, 1500):
        found = pieces(frames, 240, 3)
        assert found[0].start == 0 and found[-1].stop == frames
        assert all(a.stop - b.start == 3 for a, b in zip(found, found[1:]))
        assert max(map(len, found)) <= 240 and max(map(len, found)) - min(map(len, found)) <= 4


# Sampling


def plain_ddim(parts, conditions, noise, steps, window=None) -> torch.Tensor:
    """All frames in one pass, or a plain loop over windows; what the renderer should do, written out."""
    scheduler = DDIMScheduler(**DDIM)
    scheduler.set_timesteps(steps)
    latents, frames = noise, noise.shape[2]
    renderer = make_renderer(parts)
    with torch.no_grad():
        for step, timestep in enumerate(scheduler.timesteps):
            rows = [list(range(frames))] if window is None else windows(frames, step, *window)
            predictions = [[] for _ in range(frames)]
            for row in rows:
                out = renderer.predict(latents[:, :, row], timestep, conditions, row)
                for i, frame in enumerate(row):
                    predictions[frame].append(out[:, :, i])
            mean = torch.stack([sum(found) / len(found) for found in predictions], 2)
            latents = scheduler.step(mean, timestep, latents).prev_sample
    return latents


def sampled(parts, conditions, seed=1, **options) -> torch.Tensor:
    renderer = make_renderer(parts, **options)
    with torch.no_grad():
        return torch.stack(list(renderer._sample(conditions, torch.Generator().manual_seed(seed))), 2)


@pytest.fixture
def conditions(parts, portrait, face, talk):
    square = FaceSquare(portrait, face, 32)
    reference = make_renderer(parts).look

    def build(frames):
        with torch.no_grad():
            return Conditions(square.place(talk(frames)), None, reference(square.picture))

    return build


def test_a_short_clip_is_one_window(parts, conditions):
    given = conditions(12)
    noise = torch.randn(1, 4, 12, 4, 4, generator=torch.Generator().manual_seed(1))
    want = plain_ddim(parts, given, noise, 3)
    assert torch.equal(sampled(parts, given), want)
    assert (want - noise).abs().mean() > 0.1


def test_windows_are_averaged(parts, conditions):
    given = conditions(20)
    noise = torch.randn(1, 4, 20, 4, 4, generator=torch.Generator().manual_seed(1))
    want = plain_ddim(parts, given, noise, 3, (12, 3))
    torch.testing.assert_close(sampled(parts, given), want, rtol=0, atol=1e-5)
    together = plain_ddim(parts, given, noise, 3)  # the positions' table is long enough for all 20
    assert 0 < (want - together).abs().mean() < 0.5 * (want - noise).abs().mean()


def test_pieces_go_on_where_the_last_one_was(parts, conditions):
    """Shared frames take the same way through all steps in both pieces, so that the seam is like any other place."""
    seen = []
    options = {"chunk_frames": 24, "num_inference_steps": 8}
    renderer = make_renderer(parts, **options)
    renderer.callback = lambda *given: seen.append(given[3]["latents"])
    with torch.no_grad():
        latents = list(renderer._sample(conditions(45), torch.Generator().manual_seed(1)))
    assert len(latents) == 45 and [tensor.shape[2] for tensor in seen] == [24] * 16
    clip, first, second = torch.stack(latents, 2), seen[7], seen[15]
    assert torch.equal(clip[:, :, :24], first) and torch.equal(clip[:, :, 24:], second[:, :, 3:])
    apart = (first[:, :, -3:] - second[:, :, :3]).abs().mean()  # only the last step may differ
    stranger = sampled(parts, conditions(45).part(range(21, 45)), seed=2, **options)
    assert apart < 0.15 * (first[:, :, -3:] - stranger[:, :, :3]).abs().mean()


def test_guidance_is_between_nothing_and_all_conditions(parts, conditions):
    given = conditions(4)
    given.sound = torch.randn(4, 6, SOUND)
    noisy, renderer = torch.randn(1, 4, 4, 4, 4), make_renderer(parts, guidance_scale=2.5)
    with torch.no_grad():
        guided = renderer.predict(noisy, 500, given, [0, 1, 2, 3])
        led = parts["unet"](noisy, 500, given.sound[None], renderer._landmark_features(given.landmarks),
                            given.reference).sample  # fmt: skip
        without = parts["unet"](noisy, 500).sample
    torch.testing.assert_close(guided, without + 2.5 * (led - without), rtol=0, atol=1e-4)
    assert (led - without).abs().mean() > 0.01


@pytest.mark.parametrize(
    "kind", [DPMSolverMultistepScheduler, UniPCMultistepScheduler, EulerAncestralDiscreteScheduler]
)
def test_other_schedulers(parts, portrait, face, talk, kind):
    mine = {**parts, "scheduler": kind.from_config(parts["scheduler"].config, rescale_betas_zero_snr=False)}
    frames = [draw(mine, portrait, face, talk(3), num_inference_steps=4, seed=seed) for seed in (1, 1, 2)]
    assert np.array_equal(frames[0], frames[1]) and not np.array_equal(frames[0], frames[2])
    assert mine["scheduler"].num_inference_steps is None  # the pipeline's own one is left as it was
    assert not np.array_equal(frames[0], draw(parts, portrait, face, talk(3), num_inference_steps=4))


def test_the_generator_decides(parts, portrait, face, talk):
    first, again, other = (draw(parts, portrait, face, talk(3), seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    silent = make_renderer(parts)
    pair = [np.stack(list(silent.render(portrait, talk(2), source_landmarks=face))) for _ in range(2)]
    assert np.array_equal(*pair)


def test_sound_and_landmarks_have_a_say(parts, portrait, face, talk):
    plain = draw(parts, portrait, face, talk(3))
    zeros = draw(parts, portrait, face, talk(3), np.zeros((3, 6, SOUND), np.float32))
    assert np.abs(plain.astype(int) - zeros).max() <= 1  # no sound is zeros
    assert not np.array_equal(plain, draw(parts, portrait, face, talk(3), torch.randn(3, 6, SOUND)))
    assert not np.array_equal(plain, draw(parts, portrait, face, talk(4)[1:]))


def test_the_callback_sees_and_changes_latents(parts, portrait, face, talk):
    seen = []

    def note(renderer, step, timestep, tensors):
        seen.append((step, int(timestep), tensors["latents"].shape))
        return {"latents": torch.zeros_like(tensors["latents"])} if step == 2 else tensors

    frames = draw(parts, portrait, face, talk(3), callback_on_step_end=note)
    assert seen == [(0, 999, (1, 4, 3, 4, 4)), (1, 666, (1, 4, 3, 4, 4)), (2, 332, (1, 4, 3, 4, 4))]
    assert np.array_equal(frames[0], frames[2])


def test_taesd_and_half_precision(portrait, face, talk):
    parts = make_parts()
    widths = {"encoder_block_out_channels": (8,) * 4, "decoder_block_out_channels": (8,) * 4}
    taesd = AutoencoderTiny(**widths, num_encoder_blocks=(1,) * 4, num_decoder_blocks=(1,) * 4)
    assert draw({**parts, "vae": taesd.eval()}, portrait, face, talk(3)).shape == (3, *portrait.shape)
    want = draw(parts, portrait, face, talk(3))
    half = {name: part.to(torch.bfloat16) if name != "scheduler" else part for name, part in parts.items()}
    got = draw(half, portrait, face, talk(3))
    assert np.abs(got.astype(int) - want).mean() < 0.1 * np.abs(want.astype(int) - portrait).mean()


# FreeNoise and caches


@pytest.fixture
def free(parts):
    enable_free_noise(parts["unet"], 6, 2)
    yield parts
    disable_free_noise(parts["unet"])
    assert free_noise_block(parts["unet"]) is None


def test_free_noise_takes_all_frames_in_one_pass(free, portrait, face, talk):
    calls = []
    hook = free["unet"].register_forward_pre_hook(lambda module, args: calls.append(args[0].shape[2]))
    frames = draw(free, portrait, face, talk(20))
    hook.remove()
    assert calls == [20] * 3 and len(frames) == 20
    latents = make_renderer(free)._noise(20, torch.Generator().manual_seed(1))
    copies = (latents[0, :, 6:, None] == latents[0, :, None, :6]).all(-1).all(-1).all(0).any(1)
    assert copies.any() and latents.shape == (1, 4, 20, 4, 4)
    with pytest.raises(ValueError, match="disable_free_noise"):
        draw(free, portrait, face, talk(5))


def test_free_noise_leaves_no_trace(parts, portrait, face, talk):
    before = draw(parts, portrait, face, talk(14))
    enable_free_noise(parts["unet"])
    during = draw(parts, portrait, face, talk(14))
    disable_free_noise(parts["unet"])
    assert np.array_equal(draw(parts, portrait, face, talk(14)), before) and not np.array_equal(during, before)


def test_attention_broadcast_only_where_all_frames_are_in_one_pass(portrait, face, talk):
    from diffusers import PyramidAttentionBroadcastConfig

    parts = make_parts()
    calls = []
    for name, module in parts["unet"].named_modules():
        if name.endswith("attentions.0.transformer_blocks.0.attn1"):
            module.to_q.register_forward_hook(lambda *_: calls.append(1))
    draw(parts, portrait, face, talk(5))
    full = len(calls)
    skips = {"spatial_attention_block_skip_range": 2, "spatial_attention_timestep_skip_range": (100, 900)}
    parts["unet"].enable_cache(PyramidAttentionBroadcastConfig(**skips, current_timestep_callback=current_timestep))
    frames = [draw(parts, portrait, face, talk(5)) for _ in range(2)]
    assert len(calls) - full < 2 * full and np.array_equal(*frames)
    with pytest.raises(ValueError, match="disable_cache"):
        draw(parts, portrait, face, talk(13))


# The way back


def test_only_the_square_is_painted_and_its_edge_is_soft(parts, portrait, face, talk):
    square = FaceSquare(portrait, face, 64)
    white = square.paste(np.full((64, 64, 3), 255, np.uint8)).astype(int) - portrait
    side = round(64 / square.transform[0, 0])
    low = np.rint(-square.transform[:, 2] / square.transform[0, 0]).astype(int)
    inside = np.zeros(portrait.shape[:2], bool)
    inside[low[1] : low[1] + side, low[0] : low[0] + side] = True
    assert not white[~inside].any() and (white[inside] > 0).mean() > 0.8
    points = face * portrait.shape[1::-1]
    assert (points.min(0) >= low).all() and (points.max(0) <= low + side).all()
    back = square.place(face[None])[0] * 64
    assert (back >= 0).all() and (back <= 64).all()
    again = FaceSquare(square.picture, square.place(face[None])[0].astype(np.float32), 64)
    assert np.abs(square.picture.astype(int)).mean() > 10 and again.size == 64


def test_a_square_stays_in_the_picture(portrait, face):
    """A face that fills a wide picture; as upstream, the shorter side decides."""
    wide = portrait[20:200]
    landmarks = (face * 256 - (0, 20)) / (256, 180)
    square = FaceSquare(wide, landmarks.astype(np.float32), 64)
    side, low = 64 / square.transform[0, 0], -square.transform[:, 2] / square.transform[0, 0]
    assert side <= 180 and (low >= 0).all() and (low + side <= (256.5, 180.5)).all()


# Memory, cost, arguments


@pytest.mark.slow
def test_a_minute_at_constant_memory(parts, portrait, face, talk):
    """1500 frames; what is alive at a time: one frame, and the latents of a piece."""
    renderer = make_renderer(parts, chunk_frames=48, num_inference_steps=1, context_frames=24)
    gone, count, numbers = [], 0, []
    for frame in renderer.render(portrait, talk(1500), source_landmarks=face):
        weakref.finalize(frame, gone.append, count)
        count += 1
        assert count - len(gone) <= 2
        if count in (100, 1400):
            gc.collect()
            numbers.append(sum(o.numel() for o in gc.get_objects() if type(o) in (torch.Tensor, torch.nn.Parameter)))
    assert count == 1500 and numbers[1] <= 1.02 * numbers[0]


def test_the_cost_is_told_before_the_start(parts, portrait, face, talk, capsys):
    renderer = make_renderer(parts, quiet=False, num_inference_steps=17)
    frames = renderer.render(portrait, talk(20), source_landmarks=face)
    assert not capsys.readouterr().err
    next(frames)
    assert "3 windows x 17 steps of" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_inference_steps": 0}, "num_inference_steps: 0"),
        ({"guidance_scale": -1.0}, "guidance_scale"),
        ({"callback_on_step_end_tensor_inputs": ["noise"]}, "noise"),
        ({"context_frames": 40}, "context_frames"),
        ({"context_overlap": 12}, "context_overlap"),
        ({"chunk_frames": 20}, "chunk_frames"),
    ],
)
def test_bad_options(parts, options, message):
    with pytest.raises(ValueError, match=message):
        make_renderer(parts, **options)


def test_bad_sound(parts, portrait, face, talk):
    for shape in ((2, 6, SOUND), (3, 6, 5), (3, SOUND)):
        with pytest.raises(ValueError, match="audio_features"):
            draw(parts, portrait, face, talk(3), np.zeros(shape, np.float32))
