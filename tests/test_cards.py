"""Cards of components: what they say, and that facts of training travel with the weights."""

import json
import re
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import diffusers
import pytest
from huggingface_hub import ModelCard, ModelCardData

import text2lip
from text2lip import Text2LipPipeline
from text2lip.cards import GENERIC, UNTOLD, component_card, record_training, signed, summary, write_card
from text2lip.licences import hub_metadata, spdx_id
from text2lip.models import PseudoAudioModel
from text2lip.pipelines.hub import CHECKPOINTS
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


def metadata(card):
    return ModelCard(card).data.to_dict()


def test_a_licence_is_stated_by_who_trains_or_not_at_all(model, pipe):
    card = component_card(model, "me/sounds")
    assert metadata(card)["license"] == "unknown" and "Licence: not stated." in card and "pache" not in card
    record_training(model, data="AV Digits", licence="cc-by-nc-4.0")
    card = component_card(model, "me/sounds")
    assert metadata(card)["license"] == "cc-by-nc-4.0" and "Licence: CC-BY-NC-4.0." in card and "pache" not in card
    record_training(model, licence="LicenseRef-mine")
    assert metadata(component_card(model, "me/sounds")) | {"license_name": "licenseref-mine", "license": "other"} == (
        metadata(component_card(model, "me/sounds"))
    )
    with pytest.raises(ValueError, match="licence: 'free for all' is no SPDX identifier.*CC-BY-4.0"):
        record_training(model, licence="free for all")
    assert metadata(component_card(pipe.lip_decoder, "me/lips"))["license"] == "apache-2.0"  # as stated for it
    assert metadata(component_card(pipe.face_landmarker, "me/faces"))["license"] == "apache-2.0"


def test_every_built_in_weight_states_a_licence_that_the_hub_knows():
    folders = [path.parent for path in CHECKPOINTS.rglob("*.safetensors")]
    assert len(folders) >= 7
    for folder in folders:
        licence = json.loads((folder / "config.json").read_text())["_training"]["licence"]
        assert spdx_id(licence) == licence and hub_metadata([licence])["license"] == licence.lower(), folder.name


def test_the_card_of_a_pipeline_has_the_licences_of_its_parts(pipe, model):
    mine = Text2LipPipeline(**pipe.components | {"pseudo_audio": model})
    card = mine.model_card("me/talker")
    assert metadata(card)["license"] == "unknown" and re.search(r"`PseudoAudioModel` \| [\d,]+ \| not stated \|", card)
    record_training(model, licence="MIT")
    assert metadata(mine.model_card("me/talker")) | {"license": "other", "license_name": "several"} == (
        metadata(mine.model_card("me/talker"))
    )
    assert metadata(pipe.model_card("me/talker"))["license"] == "apache-2.0"


def test_all_cards_name_one_library(model, pipe):
    built_in = (CHECKPOINTS / "text2lip-grid" / "README.md").read_text(encoding="utf-8")
    cards = (component_card(model, "me/sounds"), pipe.model_card("me/talker"), built_in)
    assert {metadata(card)["library_name"] for card in cards} == {"text2lip"}


@pytest.mark.parametrize("kind", ["pipeline", "model"])
def test_cards_of_ours_and_those_that_diffusers_fills_in_are_replaced(tmp_path, kind):
    readme, card = tmp_path / "README.md", signed("---\nlicense: mit\ntags: [a, b]\n---\n\n# First\n")
    write_card(tmp_path, card)
    assert readme.read_text() == card
    ModelCard.load(readme).save(readme)  # as diffusers does with what it finds on the Hub
    write_card(tmp_path, signed("second"))
    assert readme.read_text() == signed("second")
    generic = ModelCard.from_template(ModelCardData(library_name="diffusers"), model_description=GENERIC.format(kind))
    generic.save(readme)
    write_card(tmp_path, card)
    assert readme.read_text() == card


@pytest.mark.parametrize(
    "text",
    [
        "My own words.",
        "---\nlibrary_name: diffusers\n---\nMy own words.",
        signed("Ours, to begin with.").replace("to begin with", "and a sentence of mine"),
        signed("---\nlicense: unknown\n---\nOurs").replace("license: unknown", "license: mit"),
        GENERIC.format("model") + " I filled in the rest.",
        "",
    ],
)
def test_a_card_that_somebody_wrote_or_changed_stays(tmp_path, text):
    (tmp_path / "README.md").write_text(text)
    write_card(tmp_path, signed("ours"))
    assert (tmp_path / "README.md").read_text() == text


@pytest.mark.parametrize(
    "raw",
    [
        "Größe, as Windows once wrote it.".encode("cp1252"),
        "In two bytes each.".encode("utf-16"),
        b"Two\r\nlines.",
        signed("Ours").encode().replace(b"Ours", b"\xff"),
        b"---\nlicense: [mit\n---\n" + signed("Ours, its metadata broken").encode(),
        b"---\nlicense: [mit\n---\n" + GENERIC.format("model").encode(),
    ],
)
def test_a_card_in_any_encoding_stays_byte_for_byte(model, tmp_path, monkeypatch, raw):
    (tmp_path / "README.md").write_bytes(raw)
    model.save_pretrained(tmp_path)
    write_card(tmp_path, signed("ours"))
    assert (tmp_path / "README.md").read_bytes() == raw
    monkeypatch.setattr(diffusers.utils.PushToHubMixin, "_upload_folder", lambda *a, **k: None)
    monkeypatch.setattr(model, "_readme", raw)
    (tmp_path / "README.md").write_text("diffusers wrote over it")
    model._upload_folder(tmp_path, "me/mine")
    assert (tmp_path / "README.md").read_bytes() == raw


@pytest.mark.parametrize("what", ["pipeline", "component", "tokenizer"])
def test_saving_with_an_upload_leaves_a_readme_as_it_is(pipe, model, tmp_path, monkeypatch, what):
    saved = {"pipeline": pipe, "component": model, "tokenizer": pipe.tokenizer}[what]
    uploaded = []
    base = diffusers.utils.PushToHubMixin
    monkeypatch.setattr(
        base, "_upload_folder", lambda self, folder, *a, **k: uploaded.append(Path(folder, "README.md").read_text())
    )
    for module in ("modeling_utils", "pipelines.pipeline_utils"):
        where = import_module(f"diffusers.{'models.' * (module == 'modeling_utils')}{module}")
        generic = ModelCard.from_template(ModelCardData(), model_description=GENERIC.format("model"))
        monkeypatch.setattr(where, "load_or_create_model_card", lambda *a, made=generic, **k: made)
        monkeypatch.setattr(where, "create_repo", lambda *a, **k: SimpleNamespace(repo_id="me/mine"))
    monkeypatch.setattr(
        diffusers.configuration_utils, "create_repo", lambda *a, **k: SimpleNamespace(repo_id="me/mine")
    )
    saved.save_pretrained(str(tmp_path / "new"), push_to_hub=True, repo_id="me/mine")
    assert "from text2lip import" in uploaded[-1]
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "README.md").write_text("My own words.")
    saved.save_pretrained(str(tmp_path / "old"), push_to_hub=True, repo_id="me/mine")
    assert uploaded[-1] == (tmp_path / "old" / "README.md").read_text() == "My own words."
