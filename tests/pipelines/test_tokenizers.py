"""Other visemes than those that the networks were trained for: refused by name; articulation takes them all."""

import re

import numpy as np
import pytest

from text2lip import Text2LipPipeline, VisemeTokenizer
from text2lip.motion.durations import predict_timeline
from text2lip.text.visemes import OCULUS_LABELS, get_viseme_set


CALL = {"num_frames": 3, "output_type": "np"}


def fifteen_labels() -> dict[str, str]:
    """A table with as many labels as Oculus has."""
    phones = "pfθtkʃsnɹaɛɪou"
    return {"": "rest", **{phone: f"shape {phone}" for phone in phones}}


def swapped_oculus() -> VisemeTokenizer:
    """The labels of Oculus in their order, with two phones that change places."""
    tokenizer = VisemeTokenizer()
    letters = dict(tokenizer.visemes.letters)
    letters["p"], letters["a"] = letters["a"], letters["p"]
    object.__setattr__(tokenizer.visemes, "letters", letters)
    return tokenizer


OTHERS = {
    "azure": lambda: VisemeTokenizer(viseme_set="azure"),
    "three labels": lambda: VisemeTokenizer(table={"": "rest", "a": "open", "p": "shut"}),
    "fifteen other labels": lambda: VisemeTokenizer(table=fifteen_labels()),
    "fifteen labels, two phones swapped": swapped_oculus,
}


@pytest.fixture(params=OTHERS)
def other(pipe, request):
    made = Text2LipPipeline(**{**pipe.components, "tokenizer": OTHERS[request.param]()}, motion="networks")
    made.set_progress_bar_config(disable=True)
    return made


def test_networks_refuse_it_by_name(other, portrait):
    for text in ("Hello Bob, are you there?", "Ah"):  # ids that fit by chance too
        with pytest.raises(ValueError, match="^tokenizer: .*viseme_encoder was trained for: .*motion='articulatory'"):
            other(text, portrait, **CALL)
        with pytest.raises(ValueError, match="examples/train_pvar.py --viseme_set"):
            other.stream(text, portrait)
    with pytest.raises(ValueError, match="^tokenizer: "):
        other.lip_model()
    with pytest.raises(ValueError, match="^tokenizer: "):
        predict_timeline(other.viseme_encoder, other.tokenizer, "Ah")


def test_the_articulatory_model_takes_any_table(other, pipe, portrait):
    given = {**CALL, "motion": "articulatory", "timings": [("b", 0.0, 0.1), ("ɑ", 0.1, 0.3)]}
    want, got = pipe(None, portrait, **given), other(None, portrait, **given)
    assert np.array_equal(want.frames, got.frames)
    assert {segment.label for segment in got.visemes[0]} <= set(other.tokenizer.labels)


def test_a_silent_film_of_any_table_has_the_voices_times(other, portrait):
    result = other("Hello Bob.", portrait, voice=None, motion="articulatory", **CALL)
    assert result.audio is None and result.phones[0]


def test_weights_of_before_are_for_oculus(pipe, portrait):
    encoder = pipe.viseme_encoder
    assert encoder.config.viseme_labels == list(OCULUS_LABELS)
    assert encoder.config.viseme_phones == get_viseme_set("oculus").phones_of_each()
    config = {k: v for k, v in encoder.config.items() if not k.startswith("viseme_")}
    old = type(encoder).from_config(config)
    assert old.config.viseme_labels is None and old.misfit(pipe.tokenizer) is None
    assert "its labels are rest, shape a" in old.misfit(VisemeTokenizer(table=fifteen_labels()))
    assert "it has 22 labels, wanted are 15" in old.misfit(VisemeTokenizer(viseme_set="azure"))
    of_another_size = type(encoder)(num_visemes=22, hidden_dim=8, feed_forward_dim=8)
    assert of_another_size.misfit(VisemeTokenizer(viseme_set="azure")) is None


def test_what_does_not_fit_is_said(pipe):
    assert pipe.viseme_encoder.misfit(swapped_oculus()) == "it shows 'p' as 'aa', wanted is 'PP'"
    with pytest.raises(ValueError, match=re.escape("its viseme set 'custom'")):
        pipe.viseme_encoder.check_tokenizer(OTHERS["three labels"]())
