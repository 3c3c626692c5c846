import pytest
import torch
from safetensors.torch import load_file

from text2lip.cards import record_training
from text2lip.models import VisemeEncoderModel
from text2lip.text import Timeline, VisemeTokenizer
from text2lip.training.duration_head import (
    EncodedLessons,
    believable,
    fit_head,
    lesson,
    span_duration_loss,
    write_head,
)


WORDS = [("blue", 0.1, 0.4), ("eye", 0.4, 0.7)]
PHONES = [("b", 0.1, 0.2), ("l", 0.2, 0.3), ("uː", 0.3, 0.4), ("aɪ", 0.4, 0.7)]
SAID = Timeline.from_phones(PHONES, WORDS, duration=1.0)


@pytest.fixture(scope="module")
def tokenizer():
    return VisemeTokenizer()


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    sizes = {"hidden_dim": 32, "feed_forward_dim": 32, "num_phones": 128, "num_features": 6}
    return VisemeEncoderModel(**sizes).eval()


def test_words_are_spans(tokenizer):
    whole = lesson(tokenizer, SAID, whole_words=True)
    assert whole.spans.tolist() == [0, 1, 1, 1, 2, 2, 3]  # silence, three phones, a diphthong of two, silence
    assert lesson(tokenizer, SAID).spans.tolist() == list(range(7))
    slower = lesson(tokenizer, SAID, pace=0.5).durations
    torch.testing.assert_close(slower, whole.durations * torch.tensor([1, 2, 2, 2, 2, 2, 1.0]))


def test_loss_measures_the_sums_of_spans():
    durations, spans = torch.tensor([0.1, 0.1, 0.2, 0.3]), torch.tensor([0, 0, 0, 1])
    other = torch.tensor([0.2, 0.15, 0.05, 0.3]).log()
    assert span_duration_loss(other, durations, spans, shape_weight=0).item() == pytest.approx(0, abs=1e-6)
    assert span_duration_loss(other, durations, spans, shape_weight=0.1) > 0.05
    longer = (1.1 * durations).log()
    expected = 1.5 * torch.tensor(1.1).log()
    assert span_duration_loss(longer, durations, spans, shape_weight=0.5).item() == pytest.approx(expected.item())


def test_drawn_sentences_are_whole(encoder, tokenizer):
    short = lesson(tokenizer, Timeline.from_phones([("a", 0.1, 0.2)], duration=0.3))
    pool = EncodedLessons(encoder, [lesson(tokenizer, SAID, whole_words=True), short])
    states, durations, spans = pool.draw(20, torch.Generator().manual_seed(0))
    assert len(states) == len(durations) == len(spans) and states.shape[1] == 32
    sums = torch.zeros(int(spans.max()) + 1).index_add(0, spans, durations)
    assert {round(x, 3) for x in sums.tolist()} == {0.1, 0.3}
    alone = EncodedLessons(encoder, [short])
    torch.testing.assert_close(pool.states[:3], alone.states, rtol=1e-2, atol=2e-3)  # padding changes nothing


def test_fitted_words_have_their_length(encoder, tokenizer):
    pool = EncodedLessons(encoder, [lesson(tokenizer, SAID, whole_words=True)])
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    head = fit_head(encoder, [(pool, 1)], steps=200, learning_rate=3e-3)
    seconds = head(pool.states.float())[:, 0].exp().detach()
    assert seconds[1:4].sum() == pytest.approx(0.3, rel=0.1) and seconds[4:6].sum() == pytest.approx(0.3, rel=0.1)
    assert all(torch.equal(before[name], value) for name, value in encoder.state_dict().items())


def test_written_head_leaves_the_rest_bit_for_bit(encoder, tmp_path):
    encoder.half().save_pretrained(tmp_path / "old")
    head = torch.nn.Sequential(torch.nn.Linear(32, 32), torch.nn.GELU(), torch.nn.Linear(32, 1))
    write_head(tmp_path / "old", encoder, head, tmp_path / "new")
    old, new = (load_file(tmp_path / name / "diffusion_pytorch_model.safetensors") for name in ("old", "new"))
    assert old.keys() == new.keys()
    changed = {name for name, value in old.items() if not torch.equal(value, new[name])}
    assert changed == {name for name in old if name.startswith("duration_head.")}
    assert {value.dtype for value in new.values()} == {torch.float16}
    assert VisemeEncoderModel.from_pretrained(tmp_path / "new").config.hidden_dim == 32
    record_training(encoder, data="Clips of yours.", licence="MIT")
    encoder.save_pretrained(tmp_path / "old")
    for licence in (None, "cc-by-4.0"):  # the encoder's is not that of what the head learnt from
        write_head(tmp_path / "old", encoder, head, tmp_path / "new", licence)
        facts = VisemeEncoderModel.from_pretrained(tmp_path / "new").config._training
        assert facts == {"data": "Clips of yours."} | ({"licence": "CC-BY-4.0"} if licence else {})
    with pytest.raises(ValueError, match="head"):
        write_head(tmp_path / "old", encoder, torch.nn.Sequential(torch.nn.Linear(32, 1)), tmp_path / "new")
    encoder.norm.weight.data += 1
    with pytest.raises(ValueError, match="source"):
        write_head(tmp_path / "old", encoder, head, tmp_path / "new")


def test_voices_are_drawn_towards_nominal_times():
    said = Timeline.from_phones([("", 0, 0.5), ("s", 0.5, 0.501), ("aː", 0.501, 3), ("", 3, 3.2)])
    pause, short, long, end = (phone.end - phone.start for phone in believable(said).phones)
    assert (pause, end) == (pytest.approx(0.5), pytest.approx(0.2))
    assert 0.03 < short < 0.09 and 0.2 < long < 0.3
    nominal = [phone.end - phone.start for phone in believable(said, share=1).phones]
    assert nominal[1:3] == [pytest.approx(0.09), pytest.approx(0.15 * 1.4)]
