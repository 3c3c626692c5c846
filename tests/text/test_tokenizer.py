import json

import numpy as np
import pytest
import torch

from text2lip.text import PHONE_INVENTORY, Timeline, VisemeTokenizer, split_phone
from text2lip.text.nominal_durations import PHONE_SECONDS, nominal_durations, pause_seconds, phone_class


@pytest.fixture(scope="module")
def tokenizer():
    return VisemeTokenizer()


HI = Timeline.from_phones(
    [("h", 0.1, 0.2), ("aɪ", 0.2, 0.5), ("b", 0.7, 0.75)], words=[("Hi", 0.1, 0.5), ("b", 0.7, 0.75)], duration=1.0
)


def test_phones_keep_their_times(tokenizer):
    encoding = tokenizer(phones=HI, return_tensors="np")
    assert [PHONE_INVENTORY[i] for i in encoding.phone_ids[0]] == ["", "h", "a", "ɪ", "", "b", ""]
    assert encoding.labels == [["sil", "aa", "aa", "ih", "sil", "PP", "sil"]]
    np.testing.assert_allclose(np.cumsum(encoding.durations[0]), [0.1, 0.2, 0.38, 0.5, 0.7, 0.75, 1.0], atol=1e-6)
    assert encoding.words == [["Hi", "b"]] and encoding.word_spans == [[(1, 4), (5, 6)]]
    assert encoding.features[0, 5, 0] == 1 and not encoding.features[0, [0, 4, 6]].any()
    assert np.array_equal(encoding.features[0, 1], encoding.features[0, 2])  # h looks like the vowel


def test_types_and_shapes(tokenizer):
    encoding = tokenizer(["Good morning, and welcome.", "Hi"], return_tensors="pt")
    batch, tokens = encoding.input_ids.shape
    assert batch == 2 and encoding["features"].shape == (2, tokens, 6)
    kinds = {"input_ids": torch.int64, "phone_ids": torch.int64, "features": torch.float32, "durations": torch.float32}
    assert {key: encoding[key].dtype for key in kinds} == kinds and encoding.attention_mask.dtype == torch.bool
    padding = ~encoding.attention_mask
    assert padding.any() and bool((encoding.input_ids[padding] == tokenizer.pad_token_id).all())
    for key in ("phone_ids", "features", "durations"):
        assert not encoding[key][padding].any()
    assert bool((encoding.durations[~padding] > 0).all())
    with pytest.raises(AttributeError, match="input_ids"):
        _ = encoding.nothing


def test_alone_and_in_a_batch_are_the_same(tokenizer):
    texts = ["Good morning, and welcome.", "Hi", "Bin blue at F two now."]
    together = tokenizer(texts, return_tensors="np")
    for i, text in enumerate(texts):
        alone = tokenizer(text, return_tensors="np")
        for key in ("input_ids", "phone_ids", "features", "durations"):
            assert np.array_equal(together[key][i][together.attention_mask[i]], alone[key][0])
    ragged = tokenizer(texts, padding=False)
    assert [len(row) for row in ragged.input_ids] == together.attention_mask.sum(1).tolist()
    with pytest.raises(ValueError, match="padding"):
        tokenizer(texts, padding=False, return_tensors="np")


def test_text_has_spans_and_pauses(tokenizer):
    encoding = tokenizer("Hello, who paid $5? Me.")
    text = encoding.text[0]
    assert text == "Hello, who paid $5? Me."
    assert encoding.words[0] == ["Hello,", "who", "paid", "$5?", "Me."]
    for word, (first, last) in zip(encoding.words[0], encoding.word_spans[0]):
        assert first < last
        assert {text[slice(*encoding.char_spans[0][i])] for i in range(first, last)} == {word}
    sil = [i for i, label in enumerate(encoding.labels[0]) if label == "sil"]
    assert all(encoding.char_spans[0][i] is None for i in sil)
    pauses = [encoding.durations[0][i] for i in sil]
    assert len(pauses) == 4 and pauses[2] > pauses[1] > 0.1  # edges, comma, question mark


def test_lips_close_and_round(tokenizer):
    encoding = tokenizer("boom", return_tensors="np")
    assert encoding.labels == [["sil", "PP", "ou", "PP", "sil"]]
    french = tokenizer("tu", language="fr", return_tensors="np")
    y = french.features[0, 2]
    assert y[2] > 0.9 and y[5] > 0.3  # rounded and front


def test_text_beside_phones_gives_characters(tokenizer):
    encoding = tokenizer("Oh Hi, b", phones=HI)
    assert encoding.char_spans == [[None, (3, 5), (3, 5), (3, 5), None, (7, 8), None]]


def test_lone_tone_marks_go_with_the_phone_before(tokenizer):
    encoding = tokenizer(phones=[("a", 0.0, 0.2), ("5", 0.2, 0.3), ("m", 0.3, 0.4)], return_tensors="np")
    assert encoding.labels == [["aa", "PP"]]
    np.testing.assert_allclose(encoding.durations, [[0.3, 0.1]], atol=1e-6)


def test_batches_of_phones(tokenizer):
    one = [("m", 0.0, 0.1), ("a", 0.1, 0.3)]
    assert len(tokenizer(phones=one).input_ids) == 1
    assert len(tokenizer(phones=[one, HI]).input_ids) == 2


def test_segments_are_gapless_and_joined(tokenizer):
    encoding = tokenizer(phones=HI, return_tensors="pt")
    segments = tokenizer.segments(encoding, 0)
    assert [s.label for s in segments] == ["sil", "aa", "ih", "sil", "PP", "sil"]
    assert segments[0].start == 0 and segments[-1].end == pytest.approx(1.0)
    assert all(a.end == b.start for a, b in zip(segments, segments[1:]))
    padded = tokenizer(phones=[[("m", 0, 0.1)], HI], return_tensors="np")
    assert [s.label for s in tokenizer.segments(padded, 0)] == ["PP"]


def test_decode(tokenizer):
    encoding = tokenizer(["boom", "Good morning"], return_tensors="pt")
    assert tokenizer.decode(encoding.input_ids[0]) == ["sil", "PP", "ou", "PP", "sil"]
    with pytest.raises(ValueError, match="99"):
        tokenizer.decode([99])


def test_azure_diphthongs():
    azure = VisemeTokenizer("azure")
    assert azure.labels == tuple(map(str, range(22))) and azure.pad_token_id == 22
    assert azure("tie now").labels == [["0", "19", "11", "11", "19", "9", "9", "0"]]


def test_ssml(tokenizer):
    encoding = tokenizer('<speak>Ma <break time="2s"/> <phoneme ph="ˈpuː">whatever</phoneme></speak>')
    assert encoding.labels == [["sil", "PP", "aa", "sil", "PP", "ou", "sil"]]
    assert encoding.durations[0][3] == pytest.approx(2.0)
    assert encoding.text[0][slice(*encoding.char_spans[0][4])] == "whatever"
    slow = tokenizer('<speak><prosody rate="50%">Mama</prosody></speak>', return_tensors="np").durations[0, 1:-1]
    fast = tokenizer("Mama", return_tensors="np").durations[0, 1:-1]
    np.testing.assert_allclose(slow, 2 * fast, rtol=1e-5)


@pytest.mark.parametrize(
    "kwargs",
    [
        {}, {"text": ""}, {"text": "?!"}, {"text": []}, {"text": [3]}, {"phones": []}, {"phones": [("a", 0)]},
        {"phones": [("a", 1, 0.5)]}, {"phones": [("a", 0, 1), ("b", 0.5, 2)]}, {"phones": [("a", 0, float("nan"))]},
        {"text": "x", "language": "xx"}, {"text": "x", "phones": [HI, HI]}, {"text": "x", "return_tensors": "tf"},
    ],
)  # fmt: skip
def test_bad_input(tokenizer, kwargs):
    with pytest.raises(ValueError):
        tokenizer(**kwargs)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"viseme_set": "azure", "language": "de"},
        {"table": {"p": "MBP", "a": "open", "": "rest"}},
        {"g2p": "gruut"},
    ],
)
def test_save_and_load(tmp_path, arguments):
    tokenizer = VisemeTokenizer(**arguments)
    tokenizer.save_pretrained(tmp_path)
    again = VisemeTokenizer.from_pretrained(tmp_path)
    assert again.labels == tokenizer.labels and again.config.language == tokenizer.config.language
    assert again(phones=HI).input_ids == tokenizer(phones=HI).input_ids
    assert VisemeTokenizer.from_pretrained(tmp_path, language="fr").config.language == "fr"


def test_a_table_file_travels_with_the_tokenizer(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"p": "closed", "a": "open"}))
    tokenizer = VisemeTokenizer(str(path))
    tokenizer.save_pretrained(tmp_path / "saved")
    path.unlink()
    again = VisemeTokenizer.from_pretrained(tmp_path, "saved")
    assert again.vocab_size == again.pad_token_id == len(again.labels)
    assert again.labels == ("sil", "closed", "open") and again.config.viseme_set == "mine"


def test_unknown_set():
    with pytest.raises(ValueError, match="viseme_set"):
        VisemeTokenizer("nonsense")


def test_phone_classes():
    expected = {
        "ˈaɪ": "diphthong", "iː": "long vowel", "ˈɪ": "short vowel", "ə": "reduced vowel", "tʃ": "affricate",
        "t": "voiceless stop", "ɡ": "voiced stop", "s": "voiceless fricative", "v": "voiced fricative", "m": "nasal",
        "l": "approximant", "ɾ": "tap", "h": "glottal", "ǀ": "click", "ɑːɹ": "long vowel",
    }  # fmt: skip
    assert {phone: phone_class(phone) for phone in expected} == expected
    for letter in PHONE_INVENTORY[1:]:
        assert phone_class(letter) in PHONE_SECONDS, letter


def test_nominal_durations():
    inner, final = nominal_durations([["n", "ˈaʊ"]], final=False), nominal_durations([["n", "ˈaʊ"]])
    assert inner[0][0] == final[0][0] and final[0][1] == pytest.approx(1.4 * inner[0][1])
    assert nominal_durations([["n", "ˈaʊ"]], rate=2)[0][1] == pytest.approx(final[0][1] / 2)
    assert [pause_seconds(m) for m in ("", ",", ";", ".", "。", "\n\n")] == [0, 0.15, 0.23, 0.3, 0.3, 0.53]


def test_split_is_what_the_tokens_are(tokenizer):
    encoding = tokenizer(phones=[("tʃ", 0.0, 1.0)], return_tensors="np")
    np.testing.assert_allclose(encoding.durations[0], [share for _, share in split_phone("tʃ")], atol=1e-6)
