"""What goes out with trained networks: facts without paths of this machine, and a pipeline."""

import pytest

from text2lip.cards import component_card, record_training
from text2lip.training import Text2LipNetworks
from text2lip.training.publish import began_with, note_training


@pytest.fixture
def networks():
    small = {"hidden_dim": 16, "feed_forward_dim": 16}
    return Text2LipNetworks.from_config(
        {"viseme_encoder": small, "pseudo_audio": small, "lip_decoder": {**small, "token_dim": 16, "num_layers": 1}}
    )


def test_facts_hold_settings_and_figures_but_no_paths(networks, tmp_path):
    settings = {"data": "GRID, talker s1.", "prepared": "/a/b", "output": "/a/c", "teacher_texts": "/a/d/texts.txt"}
    settings |= {"seed": 3, "resume": None, "audio_features": "log_mel"}
    for part in networks.children():
        note_training(part, settings, {"text/gap_r": 0.912345, "text/closure": None}, 600, "train_pvar.py")
    networks.save_pretrained(tmp_path)
    for part in ("viseme_encoder", "pseudo_audio", "lip_decoder"):
        assert "/a/" not in (tmp_path / part / "config.json").read_text()
    card = component_card(Text2LipNetworks.from_pretrained(tmp_path).lip_decoder, "me/lips")
    for wanted in ("GRID, talker s1.", "| step | 600 |", "| text/gap_r | 0.9123 |", '"seed": 3', '"texts.txt"'):
        assert wanted in card
    assert "closure" not in card and "resume" not in card


@pytest.mark.parametrize("licence, shown", [(None, "not stated"), ("CC-BY-NC-4.0", "CC-BY-NC-4.0")])
def test_the_licence_is_the_one_that_the_run_states(networks, licence, shown):
    settings = {"data": "Clips of mine."} | ({} if licence is None else {"licence": licence})
    for part in (networks.viseme_encoder, networks.pseudo_audio, networks.lip_decoder):
        note_training(part, settings, None, 1, "train_pvar.py")
        card = component_card(part, "me/lips")
        assert f"Licence: {shown}." in card and "pache" not in card


def test_the_weights_that_a_run_began_with_are_told_with_what_was_recorded_of_them(networks, tmp_path):
    encoder = networks.viseme_encoder
    assert began_with(None, encoder) == ""
    assert began_with("me/lips", encoder) == " It began with the weights of me/lips."
    record_training(encoder, data="Clips of mine.", licence="CC-BY-NC-4.0")
    (tmp_path / "spatial/final").mkdir(parents=True)
    told = " It began with the weights of spatial/final (data: Clips of mine; licence: CC-BY-NC-4.0)."
    assert began_with(str(tmp_path / "spatial/final"), encoder) == told
