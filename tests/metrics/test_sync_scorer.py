import numpy as np
import pytest
import torch

from text2lip import metrics
from text2lip.faces.crop import CROP_SIZE
from text2lip.metrics.sync_scorer import (
    LOST_FRAMES,
    SEEN_MARGIN,
    SEEN_SIZE,
    SyncScorer,
    agreement,
    grey_mouths,
    heard_sound,
    moved_lips,
    seen_mouths,
)


FRAMES = 45


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return SyncScorer(channels=16, size=8).eval()


@pytest.mark.parametrize("late", [-4, 0, 3])
def test_shifted_sound_is_found(late):
    generator = torch.Generator().manual_seed(0)
    seen = torch.nn.functional.normalize(torch.randn(60, 32, generator=generator), dim=-1)
    found = agreement(seen, seen.roll(late, 0))
    assert found.offset == -late  # positive: the sound comes too early
    assert found.confidence > 0.5
    assert agreement(seen, seen.flip(0).roll(7, 1)).confidence < 0.3
    assert agreement(seen[:1].expand(60, -1), seen).confidence < 0.3  # a still mouth
    with pytest.raises(ValueError, match="30 windows; wants more than 30"):
        agreement(seen[:30], seen[:30])


def test_every_frame_is_seen_with_four_on_both_sides(model):
    pictures, lips, sound = torch.randn(1, 20, 2, 48, 48), torch.randn(1, 20, 160), torch.randn(1, 20, 320)
    seen = model(pictures, lips, sound)
    assert [tuple(x.shape) for x in seen] == 3 * [(1, 20 - 2 * LOST_FRAMES, 8)]
    torch.testing.assert_close(seen[0].norm(dim=-1), torch.ones(1, 12))
    for part, alone in ((pictures, model.see), (lips, model.feel), (sound, model.hear)):
        other = part.clone()
        other[:, 10] += 1
        changed = (alone(other) - alone(part)).abs().amax((0, 2)) > 1e-6
        assert changed[10 - 2 * LOST_FRAMES : 11].all() and changed.sum() == 9


def test_light_place_and_level_do_not_matter():
    generator = np.random.default_rng(0)
    grey = torch.from_numpy(generator.uniform(50, 150, (FRAMES, 8, 8)))
    darker = 0.5 * grey + 20
    torch.testing.assert_close(seen_mouths(darker), seen_mouths(grey), atol=0.05, rtol=0.1)
    lips = torch.from_numpy(generator.normal(0, 0.02, (FRAMES, 57, 2)))
    torch.testing.assert_close(moved_lips(lips + 1), moved_lips(lips), atol=1e-4, rtol=0)
    mel = torch.from_numpy(generator.normal(size=(FRAMES, 320)))
    louder = mel + torch.linspace(0, 1, 80).repeat(4)  # another microphone
    torch.testing.assert_close(heard_sound(louder), heard_sound(mel), atol=1e-4, rtol=0)


@pytest.mark.parametrize("size", [CROP_SIZE, 2 * CROP_SIZE])
def test_the_middle_of_a_crop_is_seen_whatever_its_size(size):
    crop = np.zeros((1, size, size, 3), np.uint8)
    crop[:, : size // 2] = 200
    grey = grey_mouths(crop)
    assert grey.shape == (1, SEEN_SIZE + 2 * SEEN_MARGIN, SEEN_SIZE + 2 * SEEN_MARGIN)
    rows = grey[0].mean(1)
    assert (rows[:26] > 195).all() and (rows[30:] < 5).all()


def test_films_are_scored(model):
    generator = np.random.default_rng(0)
    crops = generator.integers(0, 256, (FRAMES, CROP_SIZE, CROP_SIZE, 3), np.uint8)
    audio, lips = generator.normal(0, 0.1, 30_000), generator.normal(0, 0.02, (FRAMES, 57, 2))
    by_pictures = metrics.sync_of_pictures(crops, audio, fps=25, model=model)
    assert 0 < by_pictures.confidence < 2 and abs(by_pictures.offset) <= 15
    assert metrics.sync_of_pictures(crops, 0.1 * audio, fps=25, model=model) == pytest.approx(by_pictures, abs=1e-3)
    assert metrics.sync_of_lips(lips, audio, fps=25, model=model) == pytest.approx(
        metrics.sync_of_lips(lips[:, :40], audio, fps=25, model=model)
    )
    with pytest.raises(ValueError, match=r"lips: has shape \(45, 30, 2\); wants"):
        metrics.sync_of_lips(lips[:, :30], audio, fps=25, model=model)
    with pytest.raises(ValueError, match=r"audio: has shape \(2, 15000\); wants mono"):
        metrics.sync_of_lips(lips, audio.reshape(2, -1), fps=25, model=model)
    with pytest.raises(ValueError, match="fps: 0; wants"):
        metrics.sync_of_lips(lips, audio, fps=0, model=model)
    with pytest.raises(ValueError, match="lips: has shape .*; wants finite"):
        metrics.sync_of_lips(lips * np.nan, audio, fps=25, model=model)
    with pytest.raises(ValueError, match="audio: has shape .*; wants mono, finite"):
        metrics.sync_of_lips(lips, audio * np.nan, fps=25, model=model)


@pytest.mark.parametrize("frames", [1, 5, 38])
def test_clips_that_are_too_short_to_judge_are_named(model, frames):
    audio = np.zeros(30_000)
    with pytest.raises(ValueError, match=f"crops: {frames} frames; wants 39 or more"):
        metrics.sync_of_pictures(np.zeros((frames, 96, 96, 3), np.uint8), audio, fps=25, model=model)
    with pytest.raises(ValueError, match=f"lips: {frames} frames; wants 39 or more"):
        metrics.sync_of_lips(np.zeros((frames, 57, 2)), audio, fps=25, model=model)
