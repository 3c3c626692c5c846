"""`examples/benchmarks/voices.py`: how DNSMOS is asked, without its model."""

import numpy as np
import pytest


def test_dnsmos_hears_windows_a_second_apart_and_short_sound_again_and_again(benchmark_script, monkeypatch):
    bench = benchmark_script("voices")
    heard = []
    monkeypatch.setattr(bench, "dnsmos_model", lambda: lambda window: heard.append(window) or len(heard))
    score = bench.dnsmos(np.arange(11 * 16_000) / 1e6)
    assert [round(1e6 * window[0]) for window in heard] == [0, 16_000]
    curve = [-0.06766283, 1.11546468, 0.04602535]
    assert score == pytest.approx((np.polyval(curve, 1) + np.polyval(curve, 2)) / 2)
    heard.clear()
    bench.dnsmos(np.array([0.5, 2.0, -3.0] * 25_000))
    assert len(heard) == 1 and heard[0].shape == (144_160,) and heard[0].dtype == np.float32
    assert heard[0][-1] == heard[0][144_159 - 75_000] and heard[0].max() == 1 and heard[0].min() == -1
    monkeypatch.setattr(bench, "dnsmos_model", lambda: None)
    assert bench.dnsmos(np.zeros(9)) is None
