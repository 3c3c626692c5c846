import pytest
import torch

from text2lip.motion.articulation import ArticulatoryModel
from text2lip.text import VisemeTokenizer
from text2lip.training import Text2LipNetworks, collate, read_texts, rest_width, teacher_samples, training_samples


@pytest.fixture(scope="module")
def samples(clips):
    torch.manual_seed(0)
    teacher = ArticulatoryModel(reference_width=0.6)
    for parameter in teacher.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    rest = training_samples(clips)[0]["rest"]
    return teacher_samples([("en-us", "Hello there"), ("fr", "Bonjour madame")], VisemeTokenizer(), teacher, rest)


def test_samples_have_the_shape_of_real_ones(clips, samples):
    real = training_samples(clips)[0]
    assert len(samples) == 2
    for sample in samples:
        assert {key: value.shape[1:] for key, value in sample.items()} == {k: v.shape[1:] for k, v in real.items()}
        assert {key: value.dtype for key, value in sample.items()} == {k: v.dtype for k, v in real.items()}
        assert sample["motion"].abs().max() > 0 and not sample["real"]
        assert len(sample["motion"]) == int(float(sample["durations"].sum()) * 25 + 0.5)


def test_lessons_never_use_sound(clips, samples):
    data = training_samples(clips[:1], samples)
    assert len(data) == 3 and rest_width(data) == rest_width(training_samples(clips[:1]))
    batch = collate(data)
    assert batch["real"].tolist() == [True, False, False]
    sizes = {"viseme_encoder": {"hidden_dim": 8}, "pseudo_audio": {"hidden_dim": 8}}
    networks = Text2LipNetworks.from_config({**sizes, "lip_decoder": {"hidden_dim": 8, "token_dim": 8}}).eval()
    torch.nn.init.normal_(networks.lip_decoder.projection.weight)
    keep = torch.zeros_like(batch["frame_mask"])
    quiet, loud = networks(batch, keep).motion, networks({**batch, "audio": batch["audio"] + 1}, keep).motion
    assert torch.equal(quiet[1:], loud[1:]) and not torch.allclose(quiet[0], loud[0])


def test_texts_are_read_and_their_absence_told(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("fr\tBonjour\n\nHello: you\n", encoding="utf-8")
    assert read_texts(path) == [("fr", "Bonjour"), ("en-us", "Hello: you")]
    path.write_text("\n")
    for bad in (path, tmp_path / "none.txt"):
        with pytest.raises(ValueError, match="teacher_texts"):
            read_texts(bad)
