"""Recordings without their text: recognised, or lips from the sound alone."""

import numpy as np
import pytest
import torch

from text2lip import LipDecoderModel, Text2LipPipeline
from text2lip.cli import main, way_taken
from text2lip.renderers.sound_features import sound_features


TEXT = "Who is Bob?"


@pytest.fixture(scope="module")
def sound():
    from text2lip.speech import synthesize

    return synthesize(TEXT, "espeak")


@pytest.fixture(scope="module")
def listening(pipe):
    """The built-in pipeline with a small decoder that has learnt nothing."""
    torch.manual_seed(0)
    decoder = LipDecoderModel(hidden_dim=16, token_dim=16, feed_forward_dim=16, num_layers=1).eval()
    torch.nn.init.normal_(decoder.projection.weight)
    made = Text2LipPipeline(**{**pipe.components, "audio_lip_decoder": decoder}, motion="networks")
    made.set_progress_bar_config(disable=True)
    return made


def hears(samples, sampling_rate, language):
    return TEXT, language


def test_lips_follow_the_sound_alone(listening, portrait, sound, tmp_path):
    asked = {"audio": sound, "recogniser": None, "renderer": "geometric"}
    stream = listening.stream(None, portrait, **asked)
    assert stream.times_from == "sound" and stream.words == stream.phones == stream.visemes == []
    assert len(stream) == round(25 * sound.duration) and np.ptp(stream.landmarks, 0).max() > 1e-3
    assert "sound alone" in way_taken(stream)
    for name in ("a.srt", "a.txt"):
        with pytest.raises(ValueError, match=r"subtitles: .* no words are known; give the text"):
            stream.save(tmp_path / "a.mp4", subtitles=tmp_path / name)
    assert not list(tmp_path.iterdir())
    longer = listening(None, portrait, num_frames=len(stream) + 9, **asked)
    assert longer.times_from == ["sound"] and longer.phones == [[]] and len(longer.frames[0]) == len(stream) + 9
    with pytest.raises(ValueError, match="subtitles: "):
        longer.save_subtitles(tmp_path / "a.srt")
    silent, heard = (listening.stream(None, portrait, num_frames=4, voice=v, **asked) for v in (None, "default"))
    assert silent.audio is None and np.array_equal(silent.landmarks, heard.landmarks)


def test_recognised_words_move_the_lips_as_given_ones(listening, portrait, sound):
    known, heard = (
        listening.stream(text, portrait, audio=sound, recogniser=hears, renderer="geometric") for text in (TEXT, None)
    )
    assert (known.times_from, heard.times_from) == ("alignment", "recognition")
    assert len(heard.confidence) == len(heard.words) == 3 and heard.words == known.words
    assert np.array_equal(heard.landmarks, known.landmarks)
    assert way_taken(heard) == f" Recognised: {TEXT}" and way_taken(known) == ""


def test_words_can_be_known_while_the_sound_moves_the_lips(listening, sound):
    speech = listening.speak(TEXT, audio=sound)
    by_sound, by_words = (listening.move(speech, motion=motion) for motion in ("sound", None))
    assert by_sound.tokens is not None and not np.array_equal(by_sound.displacement, by_words.displacement)
    alone = listening.move(listening.speak(None, audio=sound, recogniser=None))
    assert np.array_equal(alone.displacement, by_sound.displacement) and alone.tokens is None
    assert len(listening.move(listening.speak(TEXT), motion="sound")) > 10, "a voice has sound too"


def test_what_can_not_be_done_is_told(listening, pipe, portrait, sound):
    for asked, message in [
        ({"motion": "networks"}, "motion: 'networks', but it isn't known what is said; give the text"),
        ({"motion": "articulatory"}, "motion: 'articulatory', but it isn't known"),
        ({"recogniser": 3}, "recogniser: got int"),
    ]:
        with pytest.raises(ValueError, match=message):
            listening.stream(None, portrait, audio=sound, **{"recogniser": None, **asked})
    with pytest.raises(ValueError, match="motion: 'sound', but there is none"):
        listening.stream(TEXT, portrait, voice=None, motion="sound")
    unknown = listening.speak(None, audio=sound, recogniser=None)
    with pytest.raises(ValueError, match="audio_condition: 'pseudo', but it isn't known what is said"):
        sound_features("pseudo", unknown, listening.move(unknown), listening.components)
    deaf = Text2LipPipeline(**{**pipe.components, "audio_lip_decoder": None})
    for asked in ({"audio": sound, "recogniser": None}, {"prompt": TEXT, "motion": "sound"}):
        with pytest.raises(ValueError, match="has no audio_lip_decoder; give the text .*faster-whisper"):
            deaf.stream(image=portrait, **{"prompt": None, **asked})


def test_it_is_saved_and_loaded(listening, tmp_path):
    listening.save_pretrained(tmp_path)
    loaded = Text2LipPipeline.from_pretrained(tmp_path)
    assert loaded.config.motion == "networks"
    ours, theirs = (each.audio_lip_decoder.state_dict() for each in (loaded, listening))
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert "audio_lip_decoder" in listening.model_card("me/talker")


def test_the_command_wants_no_text_for_a_recording(tmp_path, capsys, monkeypatch):
    assert main(["--audio", str(tmp_path / "no.wav")]) == 2
    assert "--audio: no file" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    assert main(["--recogniser", "none"]) == 2
    assert "text: give one" in capsys.readouterr().err
