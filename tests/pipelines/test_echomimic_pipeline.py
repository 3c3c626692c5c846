"""Text to video by a converted EchoMimic pipeline, from its folder: a tiny checkpoint of the published layout."""

import re
import shutil
from pathlib import Path

import convert_echomimic_to_diffusers
import make_echomimic_golden as golden
import numpy as np
import pytest
import torch

from text2lip import PseudoAudioModel, Text2LipPipeline


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("echomimic")
    golden.write_checkpoint(dict(np.load(golden.GOLDEN)), folder)
    convert_echomimic_to_diffusers.convert("pose", folder, folder / "sd-vae-ft-mse", folder / "pipeline")
    return folder / "pipeline"


@pytest.fixture
def echo(folder):
    pipe = Text2LipPipeline.from_pretrained(folder)
    pipe.unet.register_to_config(sample_size=8)  # 64 pixels; published weights want 512
    pipe.set_progress_bar_config(disable=True)
    return pipe


CALL = {"num_inference_steps": 2, "num_frames": 3, "voice": None}
WHISPER = {"encoder_layers": 4, "encoder_attention_heads": 2, "encoder_ffn_dim": 16, "max_source_positions": 100}


@pytest.fixture(scope="module")
def whisper():
    from transformers import WhisperConfig, WhisperModel

    torch.manual_seed(0)
    decoder = {"decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 16, "decoder_start_token_id": 3}
    tokens = {"vocab_size": 9, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    return WhisperModel(WhisperConfig(d_model=24, **WHISPER, **decoder, **tokens)).eval()


SMALLER = {  # than the page's: what stands here for a GPU, its libraries and downloads
    '"cuda"': '"cpu"',
    "torch.float16": "torch.float32",
    '"openai/whisper-tiny"': '"whisper"',
    '"madebyollin/taesd"': '"taesd"',
    '"flash"': '"native"',
    "pipe.unet.compile_repeated_blocks(recompile_limit=64)": "assert pipe.unet._repeated_blocks",
    '"Good morning, and welcome.", "portrait.jpg",': '"Good.", "portrait.jpg", num_frames=4,',
    '"Good morning.", "portrait.jpg",': '"Good.", "portrait.jpg", num_frames=2,',
    "face[None], 48, 0": "face[None], 14, 0",
}


@pytest.mark.slow
def test_the_page_runs(folder, whisper, portrait, tmp_path, monkeypatch, capsys):
    from diffusers import AutoencoderTiny
    from PIL import Image

    page = (Path(__file__).parents[2] / "docs/source/en/echomimic.md").read_text(encoding="utf-8")
    program = "\n".join(re.findall(r"^```py\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    for ours, smaller in SMALLER.items():
        assert ours in program
        program = program.replace(ours, smaller)
    shutil.copytree(folder, tmp_path / "echomimic")
    config = tmp_path / "echomimic/unet/config.json"
    config.write_text(config.read_text().replace('"sample_size": null', '"sample_size": 8').replace("30", "2"))
    whisper.save_pretrained(tmp_path / "whisper")
    widths = {f"{side}_block_out_channels": (8,) * 4 for side in ("encoder", "decoder")}
    AutoencoderTiny(**widths, num_encoder_blocks=(1,) * 4, num_decoder_blocks=(1,) * 4).save_pretrained(
        tmp_path / "taesd"
    )
    Image.fromarray(portrait).save(tmp_path / "portrait.jpg")
    monkeypatch.chdir(tmp_path)
    exec(compile(program, "echomimic.md", "exec"), {"__name__": "page"})
    assert capsys.readouterr().out.count("(256, 256, 3)") == 14
    assert (tmp_path / "hello.mp4").exists() and (tmp_path / "spoken.mp4").exists()


def test_text_to_video(echo, portrait):
    seen = []

    def note(renderer, step, timestep, tensors):
        seen.append(int(timestep))
        return tensors

    given = {**CALL, "output_type": "np", "callback_on_step_end": note}
    result = echo("Bob.", portrait, generator=torch.Generator().manual_seed(1), **given)
    again = echo("Bob.", portrait, generator=torch.Generator().manual_seed(1), **given)
    other = echo("Bob.", portrait, generator=torch.Generator().manual_seed(2), **given)
    assert result.frames.shape == (1, 3, *portrait.shape) and seen[:2] == [999, 499] and len(seen) == 6
    assert np.array_equal(result.frames, again.frames) and not np.array_equal(result.frames, other.frames)
    assert np.abs(result.frames[0, 0] - portrait / 255).max() > 0.2  # random weights paint nonsense


def test_a_film_with_sound_at_constant_memory(echo, portrait, tmp_path):
    from text2lip.media.video import video_info

    echo.unet.register_to_config(num_inference_steps=1, guidance_scale=1.0)  # what the weights ask for
    stream = echo.stream("Bob.", portrait, num_frames=14)
    assert stream.save(tmp_path / "bob.mp4") == 14
    assert video_info(tmp_path / "bob.mp4").fps == 25 and stream.audio is not None
    one, two = (list(echo.stream("Bob.", portrait, num_frames=1, num_inference_steps=n))[0] for n in (1, 2))
    assert not np.array_equal(one, two)


def test_sound_of_speech_and_pseudo_audio(echo, portrait, whisper):
    given = {**CALL, "output_type": "np"}
    silent = echo("Bob.", portrait, **given).frames
    for condition in ("speech", "pseudo"):
        with pytest.raises(ValueError, match=f"audio_condition: '{condition}'"):
            echo("Bob.", portrait, audio_condition=condition, **given)
    with pytest.raises(ValueError, match="audio_condition: 'loud'"):
        echo("Bob.", portrait, audio_condition="loud", **given)
    echo.register_modules(audio_encoder=whisper)
    with pytest.raises(ValueError, match="no sound"):
        echo("Bob.", portrait, audio_condition="speech", **given)
    spoken = echo("Bob.", portrait, audio_condition="speech", **{**given, "voice": "default"}).frames
    torch.manual_seed(0)
    echo.register_modules(pseudo_audio=PseudoAudioModel(audio_dim=2 * 5 * 24).eval())
    made = echo("Bob.", portrait, audio_condition="pseudo", motion="articulatory", **given).frames
    still = echo("Bob.", portrait, motion="articulatory", **given).frames
    assert not np.array_equal(silent, spoken) and not np.array_equal(made, still)
    with pytest.raises(ValueError, match="hears nothing"):
        echo("Bob.", portrait, audio_condition="pseudo", renderer="geometric", num_frames=2)


def test_the_whisper_encoder_is_saved_with_the_pipeline(echo, whisper, tmp_path):
    echo.register_modules(audio_encoder=whisper)
    echo.save_pretrained(tmp_path)
    again = Text2LipPipeline.from_pretrained(tmp_path)
    assert torch.equal(again.audio_encoder.encoder.layers[3].fc1.weight, whisper.encoder.layers[3].fc1.weight)


def test_half_precision(echo, folder, portrait):
    want = echo("Bob.", portrait, **CALL, output_type="np").frames
    half = Text2LipPipeline.from_pretrained(folder, dtype=torch.bfloat16)
    half.unet.register_to_config(sample_size=8)
    half.set_progress_bar_config(disable=True)
    got = half("Bob.", portrait, **CALL, output_type="np").frames
    assert half.unet.dtype == half.vae.dtype == torch.bfloat16
    assert np.abs(got - want).mean() < 0.1 * np.abs(want - portrait / 255).mean()


@pytest.mark.parametrize("offload", ["leaf_level", "block_level"])
def test_group_offloading(echo, portrait, offload):
    want = echo("Bob.", portrait, **CALL, output_type="np").frames
    more = {"num_blocks_per_group": 1} if offload == "block_level" else {}
    echo.enable_group_offload(torch.device("cpu"), offload_type=offload, exclude_modules=["vae"], **more)
    assert np.array_equal(echo("Bob.", portrait, **CALL, output_type="np").frames, want)


def test_callbacks_get_the_pipeline(echo, portrait):
    seen = []

    def raise_guidance(pipe, step, timestep, tensors):
        seen.append((pipe, step, set(tensors), pipe.num_timesteps, pipe.guidance_scale))
        pipe._guidance_scale += 1.0
        return tensors

    wanted = Text2LipPipeline._callback_tensor_inputs
    given = {"callback_on_step_end": raise_guidance, "callback_on_step_end_tensor_inputs": wanted}
    echo("Bob.", portrait, guidance_scale=2.0, **given, **CALL)
    assert [row[1:] for row in seen] == [(0, set(wanted), 2, 2.0), (1, set(wanted), 2, 3.0)]
    assert all(row[0] is echo for row in seen) and (echo.guidance_scale, echo.num_timesteps) == (4.0, 2)


def test_a_callback_of_diffusers_ends_guidance(echo, portrait):
    from diffusers.callbacks import MultiPipelineCallbacks, SDCFGCutoffCallback

    def frames(**more):
        return echo("Bob.", portrait, guidance_scale=3.0, output_type="np", **{**CALL, **more}).frames

    rows = []
    echo.unet.register_forward_pre_hook(lambda unet, given: rows.append(len(given[0])))
    whole = frames()
    cut = frames(callback_on_step_end=SDCFGCutoffCallback(cutoff_step_ratio=None, cutoff_step_index=0))
    assert rows == [2, 2, 2, 1] and not np.array_equal(whole, cut)
    late = MultiPipelineCallbacks([SDCFGCutoffCallback(cutoff_step_ratio=1.0)])
    assert np.array_equal(frames(callback_on_step_end=late), whole)


def test_a_callback_interrupts(echo, portrait):
    passes = []
    echo.unet.register_forward_pre_hook(lambda *given: passes.append(1))

    def stop(pipe, step, timestep, tensors):
        pipe._interrupt = True
        return tensors

    result = echo("Bob.", portrait, callback_on_step_end=stop, output_type="np", **{**CALL, "num_inference_steps": 5})
    assert len(passes) == 1 and len(result.frames[0]) == 3
    echo("Bob.", portrait, **CALL)
    assert len(passes) == 3  # the next call begins anew


def test_an_interrupt_is_of_one_clip(echo, portrait):
    steps = []

    def stop(pipe, step, timestep, tensors):
        steps.append(step)
        pipe._interrupt = len(steps) == 1
        return tensors

    echo(["Bob.", "Bob."], portrait, callback_on_step_end=stop, **{**CALL, "num_inference_steps": 3})
    assert steps == [0, 0, 1, 2]


def test_threads_keep_their_own_guidance(echo, portrait):
    import threading

    def make(scale):
        def same(pipe, step, timestep, tensors):
            assert pipe.guidance_scale == scale
            return tensors

        given = {**CALL, "num_inference_steps": 6, "guidance_scale": scale, "callback_on_step_end": same}
        return echo("Bob.", portrait, output_type="np", **given).frames

    scales = (1.0, 5.0)
    alone, made = [make(scale) for scale in scales], {}
    threads = [threading.Thread(target=lambda s=scale: made.update({s: make(s)})) for scale in scales]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for scale, wanted in zip(scales, alone):
        assert np.array_equal(made[scale], wanted)


def test_changed_tensors_are_taken_back(echo, portrait, whisper):
    echo.register_modules(audio_encoder=whisper)
    given = {**CALL, "voice": "default", "audio_condition": "speech", "output_type": "np"}

    def mute(pipe, step, timestep, tensors):
        return {"prompt_embeds": torch.zeros_like(tensors["prompt_embeds"])}

    more = {"callback_on_step_end": mute, "callback_on_step_end_tensor_inputs": ["prompt_embeds"]}
    plain, muted = (echo("Bob.", portrait, **given, **some).frames for some in ({}, more))
    assert not np.array_equal(plain, muted)


@pytest.mark.parametrize(
    "option", [{"callback_on_step_end": "later"}, {"callback_on_step_end_tensor_inputs": ["add_text_embeds"]}]
)
def test_callbacks_that_cannot_be_used(echo, portrait, option):
    with pytest.raises(ValueError, match=f"{next(iter(option))}: "):
        echo("Bob.", portrait, **option, **CALL)
