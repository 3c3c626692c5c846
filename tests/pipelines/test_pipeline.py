"""What a call gives back: frames in every form, sound, times."""

import numpy as np
import pytest
import torch
from PIL import Image

from text2lip.media.frames import to_uint8
from text2lip.motion.durations import predict_timeline
from text2lip.pipelines.request import clip_length
from text2lip.pipelines.text2lip import LEAD, TAIL
from text2lip.text.timing import Segment


SAYS = "Bob."


@pytest.fixture(scope="module")
def result(pipe, portrait):
    return pipe(SAYS, portrait, output_type="np")


def same(a, b):
    return np.array_equal(np.asarray(a), np.asarray(b))


def test_result_holds_one_clip(result, portrait):
    count = len(result.frames[0])
    assert result.frames.shape == (1, count, *portrait.shape) and result.frames.dtype == np.float32
    assert result.frames.min() >= 0 and result.frames.max() <= 1
    assert result.landmarks[0].shape == (count, 478, 2) and result.landmarks[0].dtype == np.float32
    assert result.fps == 25
    assert [phone.label.strip("ˈː") for phone in result.phones[0]] == ["", "b", "ɑ", "b", ""]
    assert [word.label.strip(".") for word in result.words[0]] == ["Bob"]


def test_clip_is_as_long_as_its_speech(result):
    duration = result.phones[0][-1].end
    assert len(result.frames[0]) == int(duration * 25 + 0.5)
    assert len(result.audio[0]) == round(len(result.frames[0]) / 25 * result.sampling_rate)
    assert result.audio[0].dtype == np.float32 and 0.05 < np.abs(result.audio[0]).max() <= 1


def test_times_are_gapless_and_agree(result):
    for times in (result.phones[0], result.visemes[0]):
        assert times[0].start == 0
        assert all(isinstance(entry, Segment) for entry in times)
        assert [entry.start for entry in times[1:]] == pytest.approx([entry.end for entry in times[:-1]])
    assert result.visemes[0][-1].end == pytest.approx(result.phones[0][-1].end, abs=1e-3)
    assert {"PP", "sil"} <= {entry.label for entry in result.visemes[0]}


def test_mouth_is_closed_at_both_ends_and_on_b_and_open_between(result):
    gap = result.landmarks[0][:, 14, 1] - result.landmarks[0][:, 13, 1]  # of the image's height
    vowel = next(phone for phone in result.phones[0] if phone.label and phone.label not in "bpm")
    consonants = [phone for phone in result.phones[0] if phone.label == "b"]
    middle = [int((phone.start + phone.end) / 2 * 25) for phone in (vowel, *consonants)]
    assert gap[middle[0]] > 0.01
    assert len(consonants) == 2
    for index in (0, *middle[1:], -1):
        assert gap[index] < 0.0025  # under a pixel


def test_only_the_lower_face_moves_without_life(pipe, portrait):
    changed = (np.stack(list(pipe.stream(SAYS, portrait, life=0))) != portrait).any((0, 3))
    assert changed.any()
    assert not changed[:110].any() and not changed[:, :40].any()


def test_output_types_hold_the_same_pixels(pipe, portrait, result):
    pil = pipe(SAYS, portrait)
    assert isinstance(pil.frames[0][0], Image.Image) and pil.frames[0][0].mode == "RGB"
    pixels = np.rint(result.frames[0] * 255)
    assert same(np.stack([np.asarray(frame) for frame in pil.frames[0]]), pixels)
    pt = pipe(SAYS, portrait, output_type="pt")
    assert pt.frames.dtype == torch.float32 and pt.frames.shape == (1, len(pixels), 3, *portrait.shape[:2])
    assert same(pt.frames[0].permute(0, 2, 3, 1), result.frames[0])


@pytest.mark.parametrize("output_type", ["pil", "np", "pt"])
def test_saved_frames_are_the_frames(pipe, portrait, tmp_path, output_type):
    from text2lip.media.video import read_frames, video_info

    result = pipe(SAYS, portrait, output_type=output_type, fps=12.5, num_frames=5)
    result.save(tmp_path / "a.mp4")
    assert video_info(tmp_path / "a.mp4").fps == 12.5
    read = np.stack(list(read_frames(tmp_path / "a.mp4"))).astype(float)
    assert read.shape == (5, *portrait.shape)
    assert np.abs(read[0] - portrait).mean() < 4
    made = np.stack([to_uint8(frame) for frame in result.frames[0]]).astype(float)
    mouth = np.ptp(made, 0).max(-1) > 20  # where they differ, each is nearest to itself
    apart = np.abs(read[:, None] - made)[:, :, mouth].mean((2, 3))
    assert mouth.sum() > 200 and (apart.argmin(1) == np.arange(5)).all()


def test_tuple_has_the_order_of_the_fields(pipe, portrait, result):
    frames, landmarks, visemes, phones, words, fps, audio, rate = pipe(
        SAYS, portrait, output_type="np", return_dict=False
    )
    assert same(frames, result.frames) and same(landmarks, result.landmarks) and same(audio, result.audio)
    assert (visemes, phones, words) == (result.visemes, result.phones, result.words)
    assert (fps, rate) == (result.fps, result.sampling_rate)


def test_same_call_same_bytes(pipe, portrait, result):
    again = pipe(SAYS, portrait, output_type="np")
    assert same(again.frames, result.frames) and same(again.audio, result.audio)


def test_batch_equals_single_calls(pipe, portrait, result):
    batch = pipe([SAYS, "Who are you?"], portrait, output_type="np")
    assert isinstance(batch.frames, list) and len(batch.frames) == 2  # ragged
    single = pipe("Who are you?", portrait, output_type="np")
    assert same(batch.frames[0], result.frames[0]) and same(batch.frames[1], single.frames[0])
    assert same(batch.audio[1], single.audio[0]) and batch.words[1] == single.words[0]


def test_batch_of_equal_lengths_is_one_array(pipe, portrait):
    assert pipe(["Yes.", "No."], portrait, output_type="np", num_frames=3).frames.shape == (2, 3, *portrait.shape)
    frames = pipe(["Yes.", "No."], portrait, output_type="np", num_frames=12).frames
    tensor = pipe(["Yes.", "No."], portrait, output_type="pt", num_frames=12).frames
    assert tensor.shape == (2, 12, 3, *portrait.shape[:2]) and same(tensor.permute(0, 1, 3, 4, 2), frames)
    alone = pipe("No.", portrait, output_type="np", num_frames=12).frames[0]
    assert same(frames[1], alone) and not same(frames[0], alone)


def test_every_prompt_may_have_its_image(pipe, portrait, portrait_file):
    small = Image.fromarray(portrait).resize((201, 199))
    batch = pipe(["Yes.", "No."], [portrait_file, small], num_frames=2)
    assert [clip[0].size for clip in batch.frames] == [(256, 256), (201, 199)]
    assert same(batch.frames[0][0], pipe("Yes.", portrait, num_frames=2).frames[0][0])
    ragged = pipe(["Yes.", "No."], [portrait_file, small], num_frames=2, output_type="pt").frames
    assert [tuple(clip.shape) for clip in ragged] == [(2, 3, 256, 256), (2, 3, 199, 201)]


@pytest.mark.parametrize("fps", [10, 12.5, 24, 29.97, 60, np.float32(15)])
def test_any_rate(pipe, portrait, fps):
    stream = pipe.stream(SAYS, portrait, fps=fps)
    duration = stream.phones[-1].end
    assert len(stream) == int(duration * float(fps) + 0.5)
    assert len(stream.audio) == round(len(stream) / float(fps) * stream.sampling_rate)


@pytest.mark.parametrize("count", [1, 7, 60, np.int64(7)])
def test_num_frames_is_exact(pipe, portrait, count):
    stream = pipe.stream(SAYS, portrait, num_frames=count)
    assert len(list(stream)) == len(stream) == count
    assert len(stream.audio) == round(count / 25 * stream.sampling_rate)


def test_no_voice_is_a_silent_film_of_predicted_length(pipe, portrait, result, tmp_path):
    silent = pipe(SAYS, portrait, voice=None, output_type="np")
    assert silent.audio is None and silent.sampling_rate is None
    timeline = predict_timeline(pipe.viseme_encoder, pipe.tokenizer, SAYS, "en-us", lead=LEAD, tail=TAIL)
    assert silent.phones[0] == timeline.phones and len(silent.frames[0]) == clip_length(timeline.duration, 25)
    assert [word.label for word in silent.words[0]] == [word.label for word in result.words[0]]
    silent.save(tmp_path / "silent.mp4")
    import av

    with av.open(str(tmp_path / "silent.mp4")) as container:
        assert not container.streams.audio


def test_own_audio_is_kept_and_drives_the_lips(pipe, portrait):
    from text2lip.speech import synthesize

    speech = synthesize("Bin blue at F two now.", "espeak")
    stream = pipe.stream("Bin blue at F two now.", portrait, audio=speech.audio, sampling_rate=speech.sampling_rate)
    assert stream.sampling_rate == speech.sampling_rate
    count = min(len(stream.audio), len(speech.audio))
    assert abs(len(stream.audio) - len(speech.audio)) <= speech.sampling_rate / 25
    assert same(stream.audio[:count], speech.audio[:count])
    assert [word.label.strip(".") for word in stream.words] == ["Bin", "blue", "at", "F", "two", "now"]
    silent = pipe.stream(
        "Bin blue at F two now.", portrait, audio=speech.audio, sampling_rate=speech.sampling_rate, voice=None
    )
    assert silent.audio is None and same(silent.landmarks, stream.landmarks)


def test_own_timings_are_taken_as_they_are(pipe, portrait):
    times = [("", 0.0, 0.2), ("m", 0.2, 0.4), ("ɑ", 0.4, 0.9)]
    stream = pipe.stream(None, portrait, timings=times)
    assert [tuple(phone) for phone in stream.phones] == times
    assert len(stream) == 23 and stream.audio is None
    tone = np.full(8000, 0.1, np.float32)
    sounded = pipe.stream(None, portrait, timings=times, audio=tone, sampling_rate=8000)
    assert len(sounded) == 25 and sounded.phones[-1].end == 1.0 and same(sounded.audio, tone)


def test_timings_and_audio_of_a_batch(pipe, portrait):
    times = [[("m", 0.0, 0.2)], [("p", 0.0, 0.4)]]
    batch = pipe([None, None], portrait, timings=times, output_type="np")
    assert [len(clip) for clip in batch.frames] == [5, 10]
    both = pipe([None, None], portrait, timings=times[0], output_type="np")
    assert both.frames.shape[:2] == (2, 5)
    sounds = [np.zeros(8000, np.float32), np.zeros(16000, np.float32)]
    long = pipe([None, None], portrait, timings=times, audio=sounds, sampling_rate=16000, output_type="np")
    assert [len(sound) for sound in long.audio] == [round(13 / 25 * 16000), 16000]


def test_word_timings_keep_their_words_and_language(pipe, portrait):
    words = [{"text": "wir", "start": 0.1, "end": 0.5}, {"text": "jetzt", "start": 0.5, "end": 1.0}]
    pytest.importorskip("openfacefx")
    stream = pipe.stream(None, portrait, timings=words, language="de")
    assert [word.label for word in stream.words] == ["wir", "jetzt"]
    assert stream.phones[1].label == "v"  # in English "w"


def test_speaking_rate_and_language_change_the_speech(pipe, portrait):
    normal, fast = (len(pipe.stream("One two three four.", portrait, speaking_rate=rate)) for rate in (1, 2))
    assert fast < 0.75 * normal
    german = pipe.stream("Wie geht es?", portrait, language="de")
    assert any(phone.label.startswith("v") for phone in german.phones)


def test_ssml_pause_is_exact(pipe, portrait):
    stream = pipe.stream('<speak>One <break time="1s"/> two.</speak>', portrait)
    assert max(phone.end - phone.start for phone in stream.phones if not phone.label) >= 1.0


def test_expressiveness_scales_the_motion(pipe, portrait, result):
    def travel(size):
        marks = pipe.stream(SAYS, portrait, expressiveness=size, life=0).landmarks
        return np.abs(marks - marks[0]).max()

    still, half, whole = travel(0), travel(0.5), travel(1)
    assert still < 1e-6
    assert 0.3 * whole < half < 0.8 * whole


def test_the_named_face_speaks(pipe, portrait):
    two = np.full((256, 400, 3), 90, np.uint8)
    two[:, :256] = portrait
    two[64:192, 272:] = portrait[::2, ::2]
    moved = [
        np.ptp(np.stack(list(pipe.stream(SAYS, two, face_index=face, life=0))), 0).any((0, 2)).nonzero()[0]
        for face in (None, 0, 1, (272, 64, 400, 192))
    ]
    assert np.array_equal(moved[0], moved[1]) and moved[1].max() < 256
    assert np.array_equal(moved[2], moved[3]) and moved[2].min() >= 272


def test_names_of_motion_and_renderer(pipe, portrait, result):
    named = pipe(SAYS, portrait, motion="networks", renderer="learned", output_type="np")
    assert same(named.frames, result.frames)


def test_any_picture_is_taken(pipe, portrait, portrait_file, tmp_path):
    picture = Image.fromarray(portrait)
    exif = Image.Exif()
    exif[0x112] = 6  # shown turned by 90 degrees to the right
    picture.rotate(90, expand=True).save(tmp_path / "turned.png", exif=exif)
    Image.fromarray(portrait[..., 1].astype(np.uint16) * 257).save(tmp_path / "grey16.png")
    picture.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    picture.convert("RGBA").save(tmp_path / "rgba.png")
    picture.convert("P").save(tmp_path / "palette.png")
    first = next(pipe.stream(SAYS, portrait))
    assert same(next(pipe.stream(SAYS, portrait_file)), first)
    assert same(next(pipe.stream(SAYS, str(portrait_file))), first)
    assert same(next(pipe.stream(SAYS, tmp_path / "turned.png")), first)
    assert same(next(pipe.stream(SAYS, tmp_path / "rgba.png")), first)
    assert same(next(pipe.stream(SAYS, portrait.astype(np.uint16) * 257)), first)
    for name in ("grey16.png", "cmyk.jpg", "palette.png"):
        assert next(pipe.stream(SAYS, tmp_path / name)).shape == portrait.shape
    odd = portrait[:255, :253]
    assert next(pipe.stream(SAYS, odd)).shape == odd.shape


def test_callers_picture_is_not_written_to(pipe, portrait):
    before = portrait.copy()
    frame = next(pipe.stream(SAYS, portrait))
    frame[:] = 0
    assert same(portrait, before)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_head_on_its_side_speaks_too(pipe, portrait, turns):
    frames = np.stack(list(pipe.stream(SAYS, np.rot90(portrait, turns), life=0)))
    moved = np.rot90(np.ptp(frames, 0).any(-1), -turns)
    assert moved.any() and not moved[:100].any() and not moved[:, :40].any()


@pytest.mark.parametrize("box", [(60, 60, 200, 170), (80, 70, 180, 180)])
def test_a_face_at_the_edge_of_the_picture(pipe, portrait, box):
    left, top, right, bottom = box  # below the mouth, and close around the face
    frames = np.stack(list(pipe.stream(SAYS, portrait[top:bottom, left:right], life=0)))
    assert frames.shape[1:] == (bottom - top, right - left, 3)
    moved = np.ptp(frames, 0).max(-1) > 20
    assert moved.sum() > 1000 and not moved[:50].any()  # the mouth and the chin, down to the picture's end


def test_threads_may_share_a_pipeline(pipe, portrait):
    from concurrent.futures import ThreadPoolExecutor

    def make(job):
        return np.stack(list(pipe.stream(*job[:1], portrait, voice=job[1], num_frames=20)))

    jobs = [("Papa.", "espeak"), ("Who?", "pico")] * 3
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(make, jobs))
    assert all(same(clip, make(job)) for clip, job in zip(made, jobs[:2]))
    assert all(same(clip, made[index % 2]) for index, clip in enumerate(made))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_weights(pipe, portrait, result, dtype):
    from text2lip import Text2LipPipeline

    half = Text2LipPipeline.from_pretrained("text2lip-grid", dtype=dtype)
    assert half.lip_decoder.dtype == dtype
    marks = half.stream(SAYS, portrait).landmarks
    moved = np.ptp(result.landmarks[0], 0).max()  # 0.03 of the picture
    assert np.abs(marks - result.landmarks[0]).max() < 0.02 * moved


def test_tensors_give_the_same_frames(pipe, portrait):
    def frames(image, **more):
        return pipe("Bob.", image, num_frames=3, output_type="np", **more).frames

    tensor = torch.from_numpy(portrait).permute(2, 0, 1) / 255
    want = frames(portrait)
    assert np.array_equal(frames(tensor), want) and np.array_equal(frames(tensor[None]), want)
    assert np.array_equal(frames(torch.from_numpy(portrait)), want)
    film = np.stack([portrait] * 4)
    as_tensor = torch.from_numpy(film).permute(0, 3, 1, 2) / 255
    assert np.array_equal(frames(as_tensor), frames(film))
    assert np.array_equal(frames(portrait, reference=as_tensor), frames(portrait, reference=film))
    assert np.array_equal(frames(portrait, reference=tensor), frames(portrait, reference=portrait))
    two = pipe(["Yes.", "No."], [tensor, tensor], num_frames=2, output_type="np").frames
    assert np.array_equal(two[1], pipe("No.", portrait, num_frames=2, output_type="np").frames[0])


def test_tuples_are_of_one_length(pipe, portrait):
    sound = pipe("Bob.", portrait, num_frames=2, return_dict=False)
    silent = pipe("Bob.", portrait, num_frames=2, voice=None, return_dict=False)
    assert len(sound) == len(silent) == 8 and silent[6:] == (None, None)
    assert sound[7] > 0 and sound[6][0].ndim == 1 and sound[5] == silent[5] == 25


def test_the_renderers_are_what_their_names_say(pipe, portrait):
    """`test_renderers.py` chooses among stand-ins; this is with the built-in weights."""
    from text2lip.renderers.geometric import GeometricRenderer
    from text2lip.renderers.learned import LearnedRenderer

    made = pipe.make_renderer()
    assert type(made) is LearnedRenderer and made.unet is pipe.unet
    assert type(pipe.make_renderer("geometric")) is GeometricRenderer
    timings = [("", 0.0, 0.1), ("a", 0.1, 0.3)]
    auto, unet, warp = (
        np.stack(list(pipe.stream(None, portrait, timings=timings, renderer=name)))
        for name in (None, "learned", "geometric")
    )
    assert np.array_equal(auto, unet)
    apart = np.abs(auto.astype(int) - warp).max((0, 3))
    assert apart.max() > 10 and not apart[:100].any()  # the network corrects the mouth and nothing above it
