from concurrent.futures import Future
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from skimage.data import astronaut, coffee

from text2lip import FaceLandmarker, VisemeTokenizer
from text2lip.data import ClipError, SourceClip, load_prepared, prepare_clip
from text2lip.data.preparation import bridge, smooth_landmarks, spread_phones
from text2lip.data.prepared import (
    load_record,
    parquet_path,
    read_prepared,
    record_path,
    save_record,
    splits_of,
    write_parquet,
)
from text2lip.media.video_writer import write_video
from text2lip.speech import synthesize
from text2lip.speech.audio import resample
from text2lip.text.timing import Segment


EXAMPLES = Path(__file__).parents[2] / "examples"
TEXT = "Bin blue at F two now"


@pytest.fixture(scope="module")
def models():
    return FaceLandmarker.from_builtin(), VisemeTokenizer()


@pytest.fixture(scope="module")
def spoken():
    return synthesize(TEXT, "espeak", "en-gb")


def film(tmp_path, picture, speech, frames=None, audio=None):
    frames = frames or round(speech.duration * 25)
    sound = speech.audio if audio is None else audio
    write_video(tmp_path / "a.mp4", [picture] * frames, audio=sound, sampling_rate=speech.sampling_rate)
    return SourceClip("x/a", "x", "train", tmp_path / "a.mp4", TEXT, "en-gb")


@pytest.fixture(scope="module")
def record(tmp_path_factory, models, spoken):
    clip = film(tmp_path_factory.mktemp("film"), astronaut()[:200, 120:320], spoken)
    return prepare_clip(clip, *models)


def test_everything_is_on_one_clock(record, spoken):
    frames = round(spoken.duration * 25)
    assert record["landmarks"].shape == (frames, 478, 3)
    assert record["lips"].shape == (frames, 57, 2) and record["head"].shape == (frames, 2, 3)
    assert record["mel"].shape == (frames, 320) and len(record["crops"]) == frames
    assert record["durations"].sum() == pytest.approx(len(record["audio"]) / 16000, abs=1e-3)
    assert len(record["phone_ids"]) == len(record["viseme_ids"]) == len(record["durations"])
    assert record["aligned_by"] == "sound"
    assert [word.label for word in record["words"]] == TEXT.split()


def test_a_late_picture_keeps_to_the_sound(make_film, models, spoken, record):
    """Its first frame stands until its time has come."""
    face = astronaut()[:200, 120:320]
    count = round(spoken.duration * 25)
    moving = [np.roll(face, i // 2, 1) for i in range(count)]
    sound = resample(spoken.audio, spoken.sampling_rate, 16000)
    late = make_film("late.mkv", moving, sound=sound, picture_at=0.4)
    late = prepare_clip(SourceClip("x/late", "x", "train", late, TEXT, "en-gb"), *models)
    x = late["landmarks"][:, 1, 0] * 200
    assert len(x) == count + 10
    assert np.ptp(x[:8]) < 1 and x[20] - x[10] == pytest.approx(5, abs=1)


def test_aligned_words_are_where_they_were_spoken(record, spoken):
    ends = [word.end for word in record["words"]]
    assert np.abs(np.array(ends) - [word.end for word in spoken.timeline.words]).max() < 0.1


def test_a_still_picture_has_still_lips(record):
    assert np.abs(record["lips"] - record["lips"][:1]).max() < 0.01


@pytest.mark.parametrize(
    ("what", "match"),
    [("no face", "no face"), ("short", "too short"), ("silent", "silent"), ("broken", "can't be read")],
)
def test_clips_that_cannot_be_used_say_why(tmp_path, models, spoken, what, match):
    picture = coffee()[:200, :200] if what == "no face" else astronaut()[:200, 120:320]
    audio = np.zeros_like(spoken.audio) if what == "silent" else None
    clip = film(tmp_path, picture, spoken, 5 if what == "short" else 12, audio)
    if what == "broken":
        clip.video.write_bytes(clip.video.read_bytes()[:300])
    with pytest.raises(ClipError, match=match):
        prepare_clip(clip, *models)


def test_record_and_parquet_give_back_what_went_in(tmp_path, record):
    save_record(tmp_path / "cache/a.safetensors", record)
    again = load_record(tmp_path / "cache/a.safetensors")
    for name in ("landmarks", "lips", "mel", "audio", "phone_ids", "durations"):
        np.testing.assert_array_equal(again[name], record[name])
    assert again["phones"] == record["phones"] and again["crops"] == record["crops"]
    write_parquet(parquet_path(tmp_path, "train"), [again, again], 2)
    clips = load_prepared(tmp_path, "train")
    assert len(clips) == 2
    np.testing.assert_array_equal(clips[1].lips, record["lips"])
    assert clips[0].phones == record["phones"] and clips[0].fps == 25
    with pytest.raises(ValueError, match="not prepared"):
        load_prepared(tmp_path, "test")


def test_fewer_rows_are_of_all_of_the_split(tmp_path, record):
    rows = [{**record, "name": f"s1/{number}"} for number in range(20)]
    write_parquet(parquet_path(tmp_path, "train"), rows, len(rows))
    for limit, wanted in ((4, [0, 5, 10, 15]), (3, [0, 6, 13]), (20, range(20)), (50, range(20)), (None, range(20))):
        names = [f"s1/{number}" for number in wanted]
        assert [row["name"] for row in read_prepared(tmp_path, "train", ["name", "lips"], limit)] == names
    assert [clip.name for clip in load_prepared(tmp_path, "train", 2)] == ["s1/0", "s1/10"]
    with pytest.raises(ValueError, match="limit: got 0 clips; one is the least"):
        load_prepared(tmp_path, "train", 0)


def test_a_split_is_listed_by_its_whole_name(tmp_path):
    for split in ("train", "val-speaker"):
        path = parquet_path(tmp_path, split)
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert splits_of(tmp_path) == ["train", "val-speaker"]


def test_datasets_reads_the_folder(tmp_path, record):
    datasets = pytest.importorskip("datasets")
    write_parquet(parquet_path(tmp_path, "val_speaker"), [record], 1)
    loaded = datasets.load_dataset(str(tmp_path), cache_dir=str(tmp_path / "cache"))
    assert loaded["val_speaker"][0]["text"] == TEXT


def test_silent_frames_are_those_without_a_phone(tmp_path, record):
    write_parquet(parquet_path(tmp_path, "train"), [record], 1)
    clip = load_prepared(tmp_path, "train")[0]
    middle = (clip.words[2].start + clip.words[2].end) / 2
    assert not clip.silent[int(middle * 25)]


def test_bridge_and_smooth():
    landmarks = np.arange(10, dtype=np.float32)[:, None, None] * np.ones((1, 4, 3), np.float32)
    lost = np.zeros(10, bool)
    lost[4:6] = True
    holes = landmarks.copy()
    holes[lost] = np.nan
    np.testing.assert_allclose(bridge(holes, lost), landmarks, atol=1e-5)
    np.testing.assert_allclose(smooth_landmarks(landmarks), landmarks, atol=1e-4)
    noisy = landmarks + np.random.default_rng(0).normal(0, 0.1, landmarks.shape).astype(np.float32)
    assert np.abs(smooth_landmarks(noisy) - landmarks).mean() < 0.85 * np.abs(noisy - landmarks).mean()


def test_known_word_times_are_shared_among_phones():
    words = [Segment("bin", 0.5, 0.8), Segment("now", 1.0, 1.4)]
    clip = SourceClip("x", "x", "", None, "bin now", "en-gb")
    timeline = spread_phones(words, clip, 2.0)
    assert [phone.label for phone in timeline.phones] == ["", "b", "ɪ", "n", "", "n", "aʊ", ""]
    assert timeline.phones[3].end == pytest.approx(0.8) and timeline.phones[5].start == pytest.approx(1.0)


def test_clips_of_another_mesh_are_prepared_anew(monkeypatch, tmp_path, record, capsys):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    script, made = import_module("prepare_grid"), []

    def submit(work, clip, output):
        made.append(clip.name)
        job = Future()
        job.set_result(None)
        return job

    monkeypatch.setattr(script, "ProcessPoolExecutor", lambda workers: nullcontext(SimpleNamespace(submit=submit)))
    monkeypatch.setattr(script, "as_completed", list)
    for name, mesh in {"a": record["mesh"], "b": "face-0123", "c": None}.items():
        save_record(record_path(tmp_path, name), record | {"mesh": mesh})
    clips = [SourceClip(name, "x", "train", Path(), TEXT) for name in "abcd"]
    assert script.prepare_all(clips, tmp_path, 1) == {} and made == ["b", "c", "d"]
    assert "2 clips" in capsys.readouterr().out


def test_a_data_set_goes_out_with_its_stated_licence(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    script, pushed = import_module("prepare_grid"), []
    monkeypatch.setitem(script.LAYOUTS, "folder", lambda data: [])
    monkeypatch.setattr("datasets.load_dataset", lambda folder: SimpleNamespace(push_to_hub=pushed.append))
    monkeypatch.setattr("huggingface_hub.metadata_update", lambda *args, **more: pushed.append((args, more)))
    given = ["prepare_grid", "--data", str(tmp_path), "--layout", "folder", "--output", str(tmp_path / "made")]
    monkeypatch.setattr("sys.argv", [*given, "--push-to-hub", "me/clips"])
    with pytest.raises(ValueError, match="licence: None; what goes to 'me/clips'"):
        script.main()
    assert not (tmp_path / "made").exists()
    monkeypatch.setattr("sys.argv", [*given, "--push-to-hub", "me/clips", "--licence", "CC-BY-4.0"])
    script.main()
    stated = {"license": "cc-by-4.0"}
    assert pushed == ["me/clips", (("me/clips", stated), {"repo_type": "dataset", "overwrite": True})]
