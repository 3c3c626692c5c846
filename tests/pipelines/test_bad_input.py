"""Whatever is given: a clear ValueError that names the argument, its value and the remedy, or a defined result."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from text2lip import Text2LipPipeline
from text2lip.faces.landmarker import FaceNotFoundError
from text2lip.media.pixels import ImageError
from text2lip.speech import synthesize
from text2lip.speech.audio import resample


NAN = float("nan")
SENTENCE = "Bin blue at F two now."


@pytest.fixture(scope="module")
def speech():
    return synthesize(SENTENCE, "espeak", loudness=None)


@pytest.mark.parametrize(
    ("prompt", "match"),
    [
        ("", "prompt: '' is empty; give"),
        (" \n\t", "prompt: .* is empty; give"),
        ("...!?", "can be spoken; give at least one word"),
        ("\0", "can be spoken"),
        ("\ud800", "can be spoken"),
        ("😀", "can be spoken"),
        ("\u200b", "can be spoken"),
        ("<speak></speak>", "can be spoken"),
        ("<speak>open", "ssml: line 1, column 12"),
        ("<speak><x/></speak>", "ssml: <x> is unknown"),
        ("word " * 200_000, "1,000,000 characters; at most"),
        (b"bytes", "prompt: got bytes; wants a string"),
        (5, "prompt: got int"),
        ([], "prompt: got an empty list"),
        (["Yes.", ""], "prompt: '' is empty"),
        (["Yes.", None], "prompt: None, and no timings"),
        (["Yes.", "No."], "prompt: stream makes one clip, got 2"),
        (None, "prompt: None, and no timings either"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_prompt(pipe, portrait, prompt, match):
    with pytest.raises(ValueError, match=match):
        pipe.stream(prompt, portrait)


@pytest.mark.parametrize(
    "prompt", ["Hi\ud800 there\0.", "a" * 300, "A & B < C", "αβγ 한국", "<b>bold</b> **text**", "3.14 €"]
)
def test_odd_prompts_are_spoken(pipe, portrait, prompt):
    stream = pipe.stream(prompt, portrait)
    assert len(stream) >= 12 and any(phone.label for phone in stream.phones)
    assert np.isfinite(stream.landmarks).all()


def test_a_script_that_the_voice_would_spell_is_refused(pipe, portrait):
    with pytest.raises(ValueError, match="text: '日本語' is Chinese, which 'en-us' doesn't read; give language='zh'"):
        pipe.stream("日本語", portrait)


@pytest.mark.parametrize(
    ("argument", "value", "match"),
    [
        ("language", "xx", "language: 'xx' is not one of"),
        ("language", "", "language: ''; wants a code"),
        ("language", None, "language: None; wants a code"),
        ("language", "\0", "language: "),
        ("voice", "nope", "voice: no voice 'nope'; choose one of"),
        ("voice", "", "voice: no voice ''; choose"),
        ("voice", 5, "voice: got int; wants a name"),
        ("fps", 0, "fps: 0; wants a number from 1 to 120"),
        ("fps", NAN, "fps: nan"),
        ("fps", float("inf"), "fps: inf"),
        ("fps", "25", "fps: '25'"),
        ("fps", True, "fps: True"),
        ("num_frames", 0, "num_frames: 0; wants a whole number from 1"),
        ("num_frames", 2.5, "num_frames: 2.5"),
        ("num_frames", True, "num_frames: True"),
        ("num_frames", 10**9, "num_frames: 1000000000"),
        ("speaking_rate", 0, "speaking_rate: got 0; wants a number from"),
        ("speaking_rate", NAN, "speaking_rate: nan"),
        ("speaking_rate", "2", "speaking_rate: '2'"),
        ("expressiveness", NAN, "expressiveness: nan; wants a number from 0 to 2"),
        ("expressiveness", -1, "expressiveness: -1"),
        ("expressiveness", 2.1, "expressiveness: 2.1"),
        ("face_index", 1, "`face_index` is 1, but `image` shows one face"),
        ("face_index", -1, "`face_index` is -1"),
        ("face_index", "left", "`face_index` must be an index, a box"),
        ("face_index", "left", "a picture of the person or 'any'"),
        ("face_index", (0, 1), "a picture of the person, 'any' or a Face, got .0, 1."),
        ("face_index", (NAN, 0, 99, 99), "`face_index` must be .*, got .nan, 0, 99, 99."),
        ("face_index", (0, 0, 9, 9), "`face_index` is the box"),
        ("motion", "dance", "motion: 'dance'; choose one of"),
        ("renderer", "raytracer", "renderer: 'raytracer'; choose one of"),
        ("sampling_rate", 16000, "sampling_rate: 16000, but there is no audio; leave it out"),
        ("timings", [], "timings: empty"),
        ("timings", [("p", 0, NAN)], "timings: 'p' runs from 0.0 to nan"),
        ("timings", [("p", -1, 1)], "timings: 'p' runs from -1.0"),
        ("timings", [("p", 0, 0.5), ("a", 0.2, 1)], "sort the timings"),
        ("timings", [("p", 0, 0.1), ("", 0.1, 7300.0)], "at most 120 are made in one call"),
        ("timings", "missing.TextGrid", "timings: .*missing.TextGrid"),
        ("timings", 5, "timings: "),
    ],
)
def test_argument(pipe, portrait, argument, value, match):
    with pytest.raises(ValueError, match=match):
        pipe.stream("Hi.", portrait, **{argument: value})


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("num_inference_steps", 20),
        ("guidance_scale", 2.5),
        ("callback_on_step_end", print),
        ("callback_on_step_end_tensor_inputs", ["latents"]),
    ],
)
def test_sampler_arguments_need_a_sampler(pipe, portrait, argument, value):
    with pytest.raises(ValueError, match=f"{argument}: .* takes no steps; leave it out"):
        pipe("Hi.", portrait, **{argument: value})


@pytest.mark.parametrize("output_type", ["latent", "", None, 5])
def test_output_type(pipe, portrait, output_type):
    with pytest.raises(ValueError, match="output_type: .*; choose 'pil', 'np' or 'pt'"):
        pipe("Hi.", portrait, output_type=output_type)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"image": []}, "image: got 0 for 2 prompt"),
        ({"image": ["a", "b", "c"]}, "image: got 3 for 2 prompt"),
        ({"audio": [np.zeros(9)], "sampling_rate": 8000}, "audio: got 1 for 2 prompt"),
        ({"timings": [[("p", 0, 1)]]}, "timings: got 1 for 2 prompt"),
    ],
)
def test_lists_of_unequal_length(pipe, portrait, arguments, match):
    with pytest.raises(ValueError, match=match):
        pipe(["Yes.", "No."], **{"image": portrait, **arguments})


def test_frames_that_do_not_fit_into_memory_are_refused_before_the_first(pipe, portrait, monkeypatch):
    import psutil

    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=19 * portrait.nbytes))
    assert len(pipe("Hi.", portrait, num_frames=2, output_type="np").frames[0]) == 2
    with pytest.raises(ValueError, match=r"GB of memory .* call pipe.stream"):
        pipe("Hi.", portrait, num_frames=3, output_type="np")
    assert len(pipe("Hi.", portrait, num_frames=3).frames[0]) == 3


@pytest.mark.parametrize(
    ("image", "match"),
    [
        (None, "image: None; give a portrait"),
        ("missing.png", "no file at 'missing.png'"),
        ("", "no file at ''"),
        ("a\0.png", "no file at"),
        (".", "'.' is a folder; give a file"),
        ("clip.mp4", "image: no file at .clip.mp4."),
        ("https://example.org/a.png", "download it first"),
        (5, "must be a path, a PIL image or an array"),
        (np.zeros((3, 64, 64), np.uint8), "channels come last"),
        (np.zeros((1, 64, 64, 3), np.uint8), "no face in any of 1 frames"),
        (np.zeros((0, 64, 64, 3), np.uint8), "got no frames"),
        ([], "got no frames"),
        (np.zeros((64, 64, 3), np.int64), "must be a uint8, uint16 or float array, got int64"),
        (np.full((64, 64, 3), 255.0), r"must lie in \[0, 1\]"),
        (np.full((64, 64, 3), NAN), r"must lie in \[0, 1\], got values from nan"),
        (np.zeros((0, 64, 3), np.uint8), "no pixels"),
        (np.broadcast_to(np.uint8(0), (12_000, 12_000, 3)), "12000x12000 pixels, its longer side may be 4096"),
        (Image.new("L", (12_000, 20)), "12000x20 pixels"),
    ],
    ids=lambda value: repr(value)[:25] if not hasattr(value, "shape") else str(value.shape),
)
def test_image(pipe, image, match):
    with pytest.raises(ValueError, match=match):
        pipe.stream("Hi.", image)


def test_damaged_files(pipe, portrait_file, tmp_path):
    (tmp_path / "cut.png").write_bytes(portrait_file.read_bytes()[:20_000])
    (tmp_path / "text.jpg").write_text("I am no picture.")
    (tmp_path / "empty.png").touch()
    Image.new("L", (12_000, 16)).save(tmp_path / "wide.png")
    for name, match in [
        ("cut.png", "damaged or cut short"),
        ("text.jpg", "not a picture"),
        ("empty.png", "not a picture"),
        ("wide.png", "12000x16 pixels"),
    ]:
        with pytest.raises(ImageError, match=match):
            pipe.stream("Hi.", tmp_path / name)


def test_no_face_and_a_face_of_ten_pixels(pipe, portrait):
    tiny = np.full((256, 256, 3), 128, np.uint8)
    tiny[100:114, 100:114] = np.asarray(Image.fromarray(portrait[60:200, 60:200]).resize((14, 14), Image.BOX))
    for image in (np.zeros((128, 96, 3), np.uint8), np.zeros((1, 1, 3), np.uint8), tiny, tiny[100:114, 100:114]):
        with pytest.raises(FaceNotFoundError, match="no face found .* Give a picture that shows the face larger"):
            pipe.stream("Hi.", image)


@pytest.mark.parametrize("box", [(60, 60, 200, 145), (130, 40, 256, 256)])
def test_a_mouth_that_is_cut_off(pipe, portrait, box):
    left, top, right, bottom = box
    with pytest.raises(ValueError, match="(mouth is cut off by the edge|no face found)"):
        pipe.stream("Hi.", portrait[top:bottom, left:right])


@pytest.mark.parametrize(
    ("audio", "rate", "match"),
    [
        (np.zeros(32_000, np.float32), 16_000, "audio: silent"),
        (np.zeros(1, np.float32), 16_000, "audio: "),
        (np.full(1, 0.5, np.float32), 16_000, "audio: .*too short"),
        (np.zeros(0, np.float32), 16_000, r"audio: got shape \(0,\)"),
        (np.full(16_000, NAN, np.float32), 16_000, "audio: holds NaN"),
        (np.full(16_000, 3.0, np.float32), 16_000, "audio: samples reach 3"),
        (np.zeros((96_000, 2), np.float32), 96_000, "transpose it"),
        (np.zeros(16_000, np.float32), None, "sampling_rate: missing"),
        (np.zeros(16_000, np.float32), "16000", "sampling_rate: got '16000'"),
        (np.zeros(16_000, np.float32), NAN, "sampling_rate: got nan"),
        (np.zeros(16_000, np.float32), 10, "sampling_rate: got 10"),
        ([0.0, 0.1, 0.2], 16_000, r"give np.array\(audio, np.float32\)"),
        ("missing.wav", None, "audio: no file 'missing.wav'"),
        (__file__, None, "can't be decoded"),
        (np.random.default_rng(0).normal(0, 0.1, 32_000).clip(-1, 1), 16_000, "audio: the sound doesn't"),
    ],
    ids=lambda value: repr(value)[:25] if not hasattr(value, "shape") else str(value.shape),
)
def test_audio(pipe, portrait, audio, rate, match):
    with pytest.raises(ValueError, match=match):
        pipe.stream(SENTENCE, portrait, audio=audio, sampling_rate=rate)


def test_audio_that_does_not_say_the_text(pipe, portrait, speech):
    sound = {"audio": speech.audio, "sampling_rate": speech.sampling_rate}
    with pytest.raises(ValueError, match="audio: .* is too short for"):
        pipe.stream("An entirely different and far longer sentence that nobody has ever said.", portrait, **sound)
    with pytest.raises(ValueError, match="audio: the sound doesn't"):
        pipe.stream("Everyone enjoys warm soup.", portrait, **sound)


@pytest.mark.parametrize("rate", [8_000, 96_000])
def test_audio_of_any_rate_and_stereo(pipe, portrait, speech, rate):
    sound = resample(speech.audio, speech.sampling_rate, rate)
    stream = pipe.stream(SENTENCE, portrait, audio=np.stack([sound, sound]), sampling_rate=rate)
    assert stream.sampling_rate == rate and len(stream.audio) == 2
    assert len(stream.words) == 6
    reference = pipe.stream(SENTENCE, portrait, audio=speech.audio, sampling_rate=speech.sampling_rate)
    assert [word.start for word in stream.words] == pytest.approx([w.start for w in reference.words], abs=0.06)


@pytest.mark.parametrize("given", [{"speaking_rate": 1.2}, {"voice": "espeak"}])
def test_what_audio_and_timings_leave_no_room_for(pipe, portrait, speech, given):
    (name,) = given
    with pytest.raises(ValueError, match=f"{name}: "):
        pipe.stream(SENTENCE, portrait, audio=speech.audio, sampling_rate=speech.sampling_rate, **given)
    with pytest.raises(ValueError, match=f"{name}: "):
        pipe.stream(None, portrait, timings=[("p", 0.0, 0.1)], **given)


def test_bad_output(pipe, portrait, tmp_path):
    result = pipe("Hi.", portrait, num_frames=1)
    (tmp_path / "file").touch()
    before = sorted(tmp_path.iterdir())
    for path, match in [
        ("a.txt", "should end in"),
        ("none/a.mp4", "choose another place"),
        ("file/a.mp4", "choose another place"),
        ("x" * 300 + ".mp4", "choose another place"),
        ("a\0.mp4", "choose another place"),
    ]:
        with pytest.raises(ValueError, match=f"output: .*{match}"):
            result.save(f"{tmp_path}/{path}")
    with pytest.raises(ValueError, match="is a folder"):
        (tmp_path / "folder.mp4").mkdir()
        result.save(tmp_path / "folder.mp4")
    (tmp_path / "folder.mp4").rmdir()
    with pytest.raises(ValueError, match="subtitles: .* should end in .srt or .vtt"):
        result.save(tmp_path / "a.mp4", subtitles=tmp_path / "a.doc")
    for index in (1, -2, "0", 0.0, True):
        with pytest.raises(ValueError, match="index: .* choose one"):
            result.save(tmp_path / "a.mp4", index=index)
    assert sorted(tmp_path.iterdir()) == before


def test_what_a_clip_is_made_of_is_never_replaced(pipe, portrait, portrait_file, make_film, tmp_path):
    film, picture = tmp_path / "film.mp4", tmp_path / "p_0000.png"
    make_film("film.mp4", [portrait] * 5)
    picture.write_bytes(portrait_file.read_bytes())
    before = {path: path.read_bytes() for path in (film, picture)}
    for source, name in ((film, "film.mp4"), (picture, "p_%04d.png")):
        stream = pipe.stream("Hi.", source, voice=None, num_frames=1)
        with pytest.raises(ValueError, match="output: .* would replace the input .*; choose another name"):
            stream.save(tmp_path / name)
        assert stream.save(tmp_path / "a.gif") == 1  # it may be saved elsewhere
    assert {path: path.read_bytes() for path in before} == before


def test_which_of_several_clips_is_saved_is_said(pipe, portrait, tmp_path):
    result = pipe(["Yes.", "No."], portrait, voice=None, num_frames=2)
    width, height = result.frames[0][0].size
    facts = f"2 clips, 2 and 2 frames, 25 fps, {width}x{height}, silent"
    assert repr(result) == f"Text2LipPipelineOutput({facts})"
    for save in (result.save, result.save_subtitles):
        with pytest.raises(ValueError, match="index: None, but 2 clips were made; say which"):
            save(tmp_path / "a.srt")
    assert result.save(tmp_path / "a.gif", index=0) == 2
    with pytest.raises(ValueError, match="output: None"):
        result.save(None, index=0)


def test_save_replaces_and_writes_subtitles(pipe, portrait, tmp_path):
    result = pipe("Hello there.", portrait, num_frames=25)
    path = tmp_path / "a.mp4"
    path.write_text("old")
    result.save(str(path), subtitles=str(tmp_path / "a.srt"))
    result.save_subtitles(tmp_path / "a.vtt")
    with pytest.raises(ValueError, match="subtitles: can't write to"):
        result.save_subtitles(tmp_path / "no" / "a.vtt")
    assert path.stat().st_size > 1000
    assert "Hello there" in (tmp_path / "a.srt").read_text() and "00:00:00," in (tmp_path / "a.srt").read_text()
    assert (tmp_path / "a.vtt").read_text().startswith("WEBVTT")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.mp4", "a.srt", "a.vtt"]


class Voice:
    """A voice of the user's own that says what it is told to."""

    name, languages = "mine", None

    def __init__(self, speech):
        self.speech = speech

    def __call__(self, text, *, language="en-us", speaking_rate=1.0):
        return self.speech


def test_own_voices(pipe, portrait, speech):
    stream = pipe.stream("Hi.", portrait, voice=Voice(speech))
    assert stream.sampling_rate == speech.sampling_rate and len(stream.words) == 6
    with pytest.raises(ValueError, match="voice: 'mine' gave NoneType"):
        pipe.stream("Hi.", portrait, voice=Voice(None))
    with pytest.raises(ValueError, match="voice: the sound of 'mine' holds NaN"):
        pipe.stream("Hi.", portrait, voice=Voice(replace(speech, audio=speech.audio * NAN)))


def test_a_required_component_is_missing(pipe, portrait):
    lame = Text2LipPipeline(**{**pipe.components, "face_landmarker": None})
    with pytest.raises(ValueError, match="face_landmarker: None; this pipeline can do nothing without it"):
        lame.stream("Hi.", portrait)
