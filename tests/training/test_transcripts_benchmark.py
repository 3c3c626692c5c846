"""`examples/benchmarks/transcripts.py`: as which language a text is aligned."""

import numpy as np
import pytest


@pytest.mark.parametrize(
    ("language", "method", "english"),
    [("en-gb", "pocketsphinx", True), ("en-gb", "abroad", False), ("de", "auto", False), ("de", "dtw", None)],
)
def test_other_languages_and_what_is_aligned_like_them_are_no_english(
    benchmark_script, monkeypatch, language, method, english
):
    bench, asked = benchmark_script("transcripts"), []
    monkeypatch.setattr(bench, "align_pocketsphinx", lambda *given, english: asked.append(english) or given[1])
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, 24_000)
    bench.aligned(sound, 16_000, "ja gut", language, method)
    assert asked == ([] if english is None else [english])


def test_letters_have_the_names_of_grid_in_english_alone(benchmark_script, monkeypatch):
    bench, asked = benchmark_script("transcripts"), []
    monkeypatch.setattr(bench, "align", lambda sound, rate, text, *others: asked.append(text))
    bench.aligned(np.zeros(1), 16_000, "lay a by z", "en-gb", "dtw")
    bench.aligned(np.zeros(1), 16_000, "abre a porta", "pt-br", "auto")
    assert asked == ["lay eigh by Z", "abre a porta"]
