import numpy as np
import pytest
import torch

from text2lip import metrics
from text2lip.metrics.sync import sync_features, syncnet_mfcc


def test_scoring_rule_by_hand():
    # one dimension, 3 windows, shifts of one frame; sound past the ends is 0
    lips = np.array([[1.0], [4.0], [2.0]])
    sound = np.array([[4.0], [2.0], [3.0]])
    # sound one frame later: |1-0| |4-4| |2-2| -> 1/3; in step: 3, 2, 1 -> 2; one earlier: 1, 1, 2 -> 4/3
    scores = metrics.sync_scores(lips, sound, max_shift=1)
    assert scores.lse_d == pytest.approx(1 / 3, abs=1e-5)
    assert scores.lse_c == pytest.approx(4 / 3 - 1 / 3, abs=1e-5)
    assert scores.offset == 1  # the sound has at once what the lips show a frame later


@pytest.mark.parametrize("late", [-4, 0, 3])
def test_shifted_sound_is_found(late):
    generator = np.random.default_rng(0)
    lips = generator.normal(size=(60, 32))
    sound = np.roll(lips, late, axis=0) + 0.1 * generator.normal(size=lips.shape)
    assert metrics.sync_scores(lips, sound).offset == -late


def test_fooling_sound_of_another_clip():
    generator = np.random.default_rng(1)
    lips = generator.normal(size=(60, 32))
    good = metrics.sync_scores(lips, lips + 0.3 * generator.normal(size=lips.shape))
    other = metrics.sync_scores(lips, generator.normal(size=lips.shape))
    still = metrics.sync_scores(np.repeat(lips[:1], 60, 0), lips)
    for fooled in (other, still):
        assert fooled.lse_d > good.lse_d + 1
        assert fooled.lse_c < good.lse_c - 1


def test_mfcc_golden():
    # python_speech_features 0.6 with its defaults, on the same samples of 16 bits
    t = np.arange(4000) / 16000
    coefficients = syncnet_mfcc(0.4 * np.sin(2 * np.pi * 220 * t * (1 + t)) + 0.2 * np.sin(2 * np.pi * 1500 * t))
    assert coefficients.shape == (13, 24)
    expected = [21.1773, 15.9132, -18.6991, -3.9665, 28.6657, 12.3257, -36.1895, -45.0390, -10.0897, 1.1689]
    np.testing.assert_allclose(coefficients[:10, 5], expected, atol=1e-3)
    np.testing.assert_allclose(coefficients[:3, -1], [21.0349, 15.9516, -16.3537], atol=1e-3)
    assert np.isfinite(syncnet_mfcc(np.zeros(1000))).all()


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return metrics.SyncNet().eval()


def test_network_has_the_published_layout(net):
    shapes = {
        "netcnnaud.0.weight": (64, 1, 3, 3),
        "netcnnaud.18.weight": (512, 256, 5, 4),
        "netfcaud.3.weight": (1024, 512),
        "netcnnlip.0.weight": (96, 3, 5, 7, 7),
        "netcnnlip.19.running_mean": (512,),
        "netfclip.1.bias": (512,),
    }
    state = net.state_dict()
    assert {name: tuple(state[name].shape) for name in shapes} == shapes


def test_features_and_scores(net):
    generator = np.random.default_rng(0)
    faces = generator.integers(0, 256, (8, 224, 224, 3), np.uint8)
    audio = generator.uniform(-0.1, 0.1, 8 * 640)
    lips, sound = sync_features(faces, audio, fps=25, sampling_rate=16000, model=net, batch_size=2)
    assert lips.shape == sound.shape == (3, 1024)
    again, _ = sync_features(faces[1:], audio[640:], fps=25, sampling_rate=16000, model=net)
    np.testing.assert_allclose(again[0], lips[1], rtol=1e-3, atol=1e-4)  # each window by itself
    scores = metrics.lse(faces, audio, fps=25, sampling_rate=16000, model=net)
    assert scores.lse_d == pytest.approx(metrics.sync_scores(lips, sound).lse_d, rel=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fps": 30}, "fps: 30; SyncNet judges 25"),
        ({"sampling_rate": 22050}, "sampling_rate: 22050; SyncNet hears 16000"),
        ({"faces": np.zeros((8, 96, 96, 3), np.uint8)}, "faces: are 96 x 96 px"),
        ({"audio": np.zeros((2, 6000))}, r"audio: has shape \(2, 6000\); wants mono"),
        ({"audio": np.zeros(3000)}, "faces: 8 frames with 3000 samples; wants more than 5"),
    ],
)
def test_bad_input_is_named(net, change, message):
    given = {"faces": np.zeros((8, 224, 224, 3), np.uint8), "audio": np.zeros(5120), "fps": 25}
    given |= {"sampling_rate": 16000, "model": net} | change
    with pytest.raises(ValueError, match=message):
        metrics.lse(**given)
