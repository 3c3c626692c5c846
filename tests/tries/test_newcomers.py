"""What newcomers tried first: one portrait for many prompts, threads, lists, curves, breaking off."""

import copy
import re
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from text2lip import Text2LipPipeline
from text2lip.faces.cache import FaceCache
from text2lip.pipelines.request import Text2LipRequest
from text2lip.text import viseme_weights


TIMINGS = [("", 0.0, 0.1), ("a", 0.1, 0.2)]


@pytest.fixture
def counted(pipe, monkeypatch):
    """The pipeline, with nothing remembered, and a list that grows whenever a picture is searched for a face."""
    found, locate = [], type(pipe.face_landmarker).locate

    def count(self, picture, face_index=None):
        found.append(picture.shape)
        return locate(self, picture, face_index)

    monkeypatch.setattr(type(pipe.face_landmarker), "locate", count)
    monkeypatch.setattr(pipe, "_faces", FaceCache())
    return pipe, found


def test_one_portrait_is_searched_once_for_ten_prompts_and_later_calls(counted, portrait, portrait_file):
    pipe, found = counted
    result = pipe([None] * 10, portrait, timings=[TIMINGS] * 10)
    assert len(result.frames) == 10 and len(found) == 1
    again = pipe.stream(None, portrait_file, timings=TIMINGS)  # the same picture, as a file
    assert len(found) == 1
    np.testing.assert_array_equal(again.landmarks, result.landmarks[0])
    pipe.stream(None, np.ascontiguousarray(portrait[:, ::-1]), timings=TIMINGS)
    pipe.stream(None, portrait, timings=TIMINGS, face_index=0)
    assert len(found) == 3  # another picture, another question


def test_the_picture_of_a_person_is_searched_once_for_all_prompts_and_later_calls(counted, portrait_file, monkeypatch):
    pipe, _ = counted
    searched, locate_all = [], type(pipe.face_landmarker).locate_all

    def count(self, picture):
        searched.append(picture.shape)
        return locate_all(self, picture)

    monkeypatch.setattr(type(pipe.face_landmarker), "locate_all", count)
    two = {"face_index": portrait_file, "timings": [TIMINGS] * 5}
    whole = pipe([None] * 5, portrait_file, **two)
    assert len(whole.frames) == 5 and len(searched) == 1
    pipe.stream(None, portrait_file, face_index=portrait_file, timings=TIMINGS)
    assert len(searched) == 1


def finder():
    calls = []
    return SimpleNamespace(
        config={}, locate=lambda picture, which: calls.append(which) or np.full((478, 3), picture.mean())
    ), calls


def test_another_setting_of_the_landmarker_searches_again():
    landmarker, calls = finder()
    cache = FaceCache()
    for size in (24, 24, 500):
        landmarker.config = {"min_face_size": size}
        cache.locate(landmarker, picture(1))
    assert len(calls) == 2


def picture(value):
    return np.full((4, 4, 3), value, np.uint8)


def test_the_memory_is_bounded_and_forgets_the_oldest():
    landmarker, calls = finder()
    cache = FaceCache(2)
    for value in (1, 2, 1, 3, 1, 2):
        assert cache.locate(landmarker, picture(value)).mean() == value
    assert len(calls) == 4 and len(cache.faces) == 2  # 2 was forgotten, 1 was used in between
    cache.locate(landmarker, picture(2))[:] = 9
    assert cache.locate(landmarker, picture(2)).mean() == 2  # nobody can change what is remembered
    other, others = finder()
    cache.locate(other, picture(2))
    assert len(others) == 1  # another landmarker sees for itself
    assert len(copy.deepcopy(cache).faces) == 0


def test_all_faces_of_a_picture_are_remembered():
    for count in (0, 2):
        calls = []
        found = [np.full((478, 3), 0.1 * index, np.float32) for index in range(count)]
        find_all = lambda picture, found=found, calls=calls: calls.append(1) or found  # noqa: E731
        landmarker = SimpleNamespace(config={}, locate_all=find_all)
        cache = FaceCache()
        for _ in range(2):
            np.testing.assert_array_equal(cache.locate_all(landmarker, picture(5)), found)
        assert len(calls) == 1


def test_threads_find_the_same_faces():
    landmarker, _ = finder()
    cache, wrong = FaceCache(3), []

    def look():
        for value in list(range(6)) * 30:
            if cache.locate(landmarker, picture(value)).mean() != value:
                wrong.append(value)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and len(cache.faces) == 3


def test_too_many_clips_are_refused_before_they_are_all_spoken(counted, portrait, monkeypatch):
    pipe, _ = counted
    spoken, speak = [], Text2LipPipeline._heard
    monkeypatch.setattr(Text2LipPipeline, "_heard", lambda *args: spoken.append(1) or speak(*args))
    monkeypatch.setattr("text2lip.pipelines.output.free_memory", lambda: 5 * 2 * 2.5 * portrait.nbytes)
    with pytest.raises(ValueError, match="GB of memory"):
        pipe([None] * 50, portrait, timings=[TIMINGS] * 50)  # five frames each; there is room for two and a half
    assert len(spoken) == 3


def test_a_tuple_of_timings_is_a_list_of_them(portrait):
    def timings_of(timings, prompts):
        request = Text2LipRequest(prompts, portrait, timings=timings)
        return [clip.timings for clip in request.clips()]

    other = [("", 0.0, 0.3)]
    for timings in ((TIMINGS, other), [TIMINGS, other], (tuple(TIMINGS), None), ("a.srt", Path("b.json"))):
        assert timings_of(timings, ["One.", "Two."]) == list(timings)
    assert timings_of(tuple(TIMINGS), ["One.", "Two."]) == [tuple(TIMINGS)] * 2  # those of one clip, for both
    with pytest.raises(ValueError, match="timings: got 3 for 2 prompt"):
        timings_of((TIMINGS,) * 3, ["One.", "Two."])


def test_every_prompt_has_its_language_and_voice(pipe, portrait):
    result = pipe(["Ja.", "Yes."], portrait, language=["de", "en-us"], voice=["espeak", None])
    alone = pipe("Ja.", portrait, language="de", voice="espeak")
    assert [phone.label for phone in result.phones[0]] == [phone.label for phone in alone.phones[0]]
    assert result.phones[1] != result.phones[0]
    with pytest.raises(ValueError, match="language: got 1 for 2"):
        pipe(["Ja.", "Yes."], portrait, language=["de"])
    with pytest.raises(ValueError, match=r"language: \['de'\]; wants a code"):
        pipe("Ja.", portrait, language=["de"])


def test_voices_of_other_rates_and_silent_clips_share_a_call(pipe, portrait, tmp_path):
    import av

    given = {"num_frames": 25, "voice": ["espeak", None, "pico"]}
    result = pipe(["Bob.", "Bob.", "Bob."], portrait, **given)
    assert result.audio[1] is None and result.sampling_rate == 22050  # Pico has 16000
    assert [len(result.audio[i]) for i in (0, 2)] == [22050, 22050]
    for index in range(3):
        result.save(tmp_path / f"{index}.mp4", index)
        with av.open(str(tmp_path / f"{index}.mp4")) as file:
            assert len(file.streams.audio) == (index != 1)


def test_a_call_tells_how_far_it_is_and_can_be_broken_off(pipe, portrait):
    told = []
    pipe([None, None], portrait, timings=[TIMINGS, TIMINGS], progress=lambda *how_far: told.append(how_far))
    total = told[0][1]
    assert total > 2 and told == [(done, total) for done in range(1, total + 1)]

    def cancel(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pipe(None, portrait, timings=TIMINGS, progress=cancel)
    with pytest.raises(ValueError, match="progress: got bool; wants a function"):
        pipe(None, portrait, timings=TIMINGS, progress=True)


def test_a_stream_can_be_closed(pipe, portrait):
    stream = pipe.stream(None, portrait, timings=TIMINGS)
    next(stream)
    stream.close()
    assert list(stream) == [] and stream.num_done == 1
    stream.close()  # twice does no harm


def test_an_avatar_gets_curves_at_its_own_rate(pipe, portrait):
    stream = pipe.stream("Bob met me.", portrait, voice="espeak")
    weights = viseme_weights(stream.visemes, pipe.tokenizer.labels, fps=60)
    assert weights.shape == (round(stream.visemes[-1].end * 60), len(pipe.tokenizer.labels))
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-5)
    for label, start, end in stream.visemes:
        frames = slice(int(start * 60), int(end * 60) + 1)
        assert weights[frames, pipe.tokenizer.labels.index(label)].max() > 0.1, label


def test_two_threads_use_one_pipeline(pipe, portrait):
    long = [("a", 0.0, 0.4)]
    alone = [list(pipe.stream(None, portrait, timings=times)) for times in (TIMINGS, long)]
    made = [None, None]

    def make(index, times):
        made[index] = list(pipe.stream(None, portrait, timings=times))

    threads = [threading.Thread(target=make, args=given) for given in enumerate((TIMINGS, long))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for ours, theirs in zip(made, alone, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def scripts_with_a_pipeline():
    folder = Path(__file__).parents[2] / "examples"
    trains = {"train_pvar.py", "train_echomimic.py", "train_renderer.py"}  # which begin with the built-in one
    found = [path for path in folder.rglob("*.py") if "Text2LipPipeline.from_pretrained(" in path.read_text()]
    return [path for path in found if path.name not in trains]


def test_every_benchmark_takes_the_pipeline_that_it_measures():
    scripts = scripts_with_a_pipeline()
    assert {"quality.py", "dubbing.py", "limits.py", "speed.py", "open_text.py", "durations.py"} <= {
        path.name for path in scripts
    }
    for path in scripts:
        text = path.read_text()
        assert 'from_pretrained("text2lip-grid")' not in text, path
        told = ('"--pipeline', "clip_parser(", '"TEXT2LIP_MODEL"')  # a Space has no command line
        assert any(way in text for way in told), path


def test_every_script_of_training_and_looking_tells_a_users_error_in_one_line():
    scripts = [
        path for path in (Path(__file__).parents[2] / "examples").glob("*.py") if "__main__" in path.read_text()
    ]
    assert len(scripts) > 10
    for path in scripts:
        text = path.read_text()
        assert "with errors_in_one_line():" in text or "\nmain = Run.main\n" in text, path


def test_no_test_imports_from_whichever_conftest_was_loaded_last():
    paths = list((Path(__file__).parents[1]).rglob("*.py"))
    assert len(paths) > 50
    for path in paths:
        assert not re.search(r"^(from|import) conftest\b", path.read_text(), re.MULTILINE), path
