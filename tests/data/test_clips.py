import csv
import json

import pytest

from text2lip.data import avdigits_clips, folder_clips


def folder(tmp_path, *rows):
    for row in rows:
        (tmp_path / row["file_name"]).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / row["file_name"]).touch()
    (tmp_path / "metadata.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return tmp_path


def test_folder(tmp_path):
    root = folder(
        tmp_path,
        {"file_name": "ann/a.mp4", "text": "Hallo", "speaker": "ann", "split": "val", "language": "de"},
        {"file_name": "b.mp4", "text": "hello"},
    )
    first, second = folder_clips(root)
    assert (first.name, first.speaker, first.split, first.language, first.text) == (
        "ann/a",
        "ann",
        "val",
        "de",
        "Hallo",
    )
    assert (second.name, second.split, second.language) == ("b", "", "en-us")
    assert [clip.name for clip in folder_clips(root, "val")] == ["ann/a"]


def test_numbers_that_name_speakers_and_splits(tmp_path):
    rows = [
        {"file_name": "a.mp4", "text": "x", "speaker": 0, "split": 0},
        {"file_name": "b.mp4", "text": "x", "split": None},
    ]
    first, second = folder_clips(folder(tmp_path, *rows))
    assert (first.speaker, first.split) == ("0", "0") and (second.speaker, second.split) == ("", "")


@pytest.mark.parametrize("line", ['{"file_name": "b.mp4"}', "not json", '{"file_name": "missing.mp4", "text": "x"}'])
def test_a_bad_line_is_named(tmp_path, line):
    (tmp_path / "b.mp4").touch()
    (tmp_path / "metadata.jsonl").write_text(line)
    with pytest.raises(ValueError, match="line 1"):
        folder_clips(tmp_path)


def test_no_metadata(tmp_path):
    with pytest.raises(ValueError, match="no metadata.jsonl"):
        folder_clips(tmp_path)


def table(tmp_path, rows, columns=("clip", "speaker", "mode", "view", "text", "path")):
    path = tmp_path / "avdigits.csv"
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def test_avdigits(tmp_path):
    (tmp_path / "x.mp4").touch()
    rows = [
        ("1", "S1", "normal", "frontal", "one two", "x.mp4"),
        ("2", "S1", "whisper", "frontal", "one two", "x.mp4"),
        ("3", "S1", "normal", "profile", "one two", "x.mp4"),
    ]
    path = table(tmp_path, rows)
    assert [clip.name for clip in avdigits_clips(path)] == ["1"]
    assert [clip.name for clip in avdigits_clips(path, modes=("normal", "whisper"))] == ["1", "2"]
    with pytest.raises(ValueError, match="no clip of the modes"):
        avdigits_clips(path, views=("45",))


def test_avdigits_errors(tmp_path):
    with pytest.raises(ValueError, match="no column 'mode'"):
        avdigits_clips(table(tmp_path, [], ("clip", "speaker", "view", "text", "path")))
    with pytest.raises(ValueError, match="mode 'loud'"):
        avdigits_clips(table(tmp_path, [("1", "S1", "loud", "frontal", "x", "x.mp4")]))
    with pytest.raises(ValueError, match="not there"):
        avdigits_clips(table(tmp_path, [("1", "S1", "normal", "frontal", "x", "x.mp4")]))
