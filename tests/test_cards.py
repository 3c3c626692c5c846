"""Cards of components: what they say, and that facts of training travel with the weights."""

import pytest

import text2lip
from text2lip.cards import MARK, UNTOLD, component_card, record_training, summary, write_card
from text2lip.models import PseudoAudioModel
from text2lip.registration import CLASSES


@pytest.fixture
def model():
    return PseudoAudioModel(hidden_dim=16, audio_dim=8, feed_forward_dim=16)


def test_every_component_has_a_card_of_its_own():
    from text2lip.cards import ModelCardMixin

    for name in CLASSES:
        kind = getattr(text2lip, name)
        assert issubclass(kind, ModelCardMixin), name
        assert kind._upload_folder is ModelCardMixin._upload_folder, name


def test_the_card_tells_what_is_there(model, pipe):
    card = component_card(model, "me/sounds")
    count = sum(p.numel() for p in model.parameters())
    assert card.startswith("---\nlibrary_name: text2lip\n") and "# sounds" in card
    assert f"{count:,} parameters" in card and 'PseudoAudioModel.from_pretrained("me/sounds")' in card
    assert '"audio_dim": 8' in card and UNTOLD in card and summary(model) in card
    assert "no weights" in component_card(pipe.tokenizer, "me/words")


def test_facts_of_training_travel_with_the_weights(model, tmp_path):
    record_training(model, data="GRID", command="python train.py", figures={"gap_r": 0.81234, "clips": 7})
    model.save_pretrained(str(tmp_path))
    again = PseudoAudioModel.from_pretrained(str(tmp_path), use_safetensors=True)
    card = component_card(again, "me/sounds")
    for part in ("Data: GRID", "```bash\npython train.py\n```", "| gap_r | 0.8123 |", "| clips | 7 |"):
        assert part in card
    assert UNTOLD not in card and "_training" not in card.split("## Configuration")[1]
    with pytest.raises(ValueError, match="author"):
        record_training(model, author="me")


def test_a_card_written_by_hand_stays(tmp_path):
    write_card(tmp_path, f"first {MARK}")
    write_card(tmp_path, f"second {MARK}")
    assert (tmp_path / "README.md").read_text() == f"second {MARK}"
    (tmp_path / "README.md").write_text("---\nlibrary_name: diffusers\n---\n")
    write_card(tmp_path, f"third {MARK}")
    assert "third" in (tmp_path / "README.md").read_text()
    (tmp_path / "README.md").write_text("My own words.")
    write_card(tmp_path, f"fourth {MARK}")
    assert (tmp_path / "README.md").read_text() == "My own words."
