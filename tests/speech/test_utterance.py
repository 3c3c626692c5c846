import pytest

from text2lip.speech.utterance import join, silence


def test_join_refuses_mixed_rates():
    with pytest.raises(ValueError, match="8000, 16000"):
        join([silence(1, 8_000), silence(1, 16_000)])
    with pytest.raises(ValueError):
        join([])
