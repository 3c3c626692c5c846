"""Names that lead out of a folder, killed programs, containers, threads."""

import json
import os
import shutil
import threading

import pytest

from text2lip.data import avdigits_clips, folder_clips
from text2lip.data.prepared import parquet_path, record_path
from text2lip.files import inside, put_folder, replaced_file, replaced_folder
from text2lip.memory import free_memory
from text2lip.training.state import checkpoints, find_checkpoint


ASTRAY = ["../a.mp4", "s/../../a.mp4", "/etc/a.mp4", "C:a.mp4", "C:\\a.mp4", "..\\a.mp4", "\\\\host\\a.mp4", "a\0.mp4"]


@pytest.mark.parametrize("name", ASTRAY, ids=repr)
def test_a_name_from_data_stays_in_its_folder(name, tmp_path):
    root, other = tmp_path / "data", tmp_path / "other"
    for folder in (root, other):
        folder.mkdir()
    for place in (tmp_path, root, other):
        (place / "a.mp4").touch()
    (root / "metadata.jsonl").write_text(json.dumps({"file_name": name, "text": "hi"}))
    with pytest.raises(ValueError, match="line 1 .* leads out of"):
        folder_clips(root)
    columns = ["clip", "speaker", "mode", "view", "text", "path"]
    if "\0" not in name:  # csv itself refuses it
        (root / "a.csv").write_text(",".join(columns) + f"\na,s,normal,frontal,one,{name}\n")
        with pytest.raises(ValueError, match="line 2 .* leads out of"):
            avdigits_clips(root / "a.csv")


def test_films_on_another_disk_are_read_through_links_and_nothing_is_written_there(tmp_path):
    root, other = tmp_path / "data", tmp_path / "other"
    for folder in (root, other):
        folder.mkdir()
    (other / "a.mp4").touch()
    (root / "link").symlink_to(other)
    (root / "metadata.jsonl").write_text(json.dumps({"file_name": "link/a.mp4", "text": "hi"}))
    assert [clip.video for clip in folder_clips(root)] == [root / "link/a.mp4"]
    with pytest.raises(ValueError, match="leads out of"):
        inside(root, "link/a.safetensors")


@pytest.mark.parametrize("name", ASTRAY, ids=repr)
def test_nothing_is_written_outside_of_the_prepared_folder(name, tmp_path):
    for path in (record_path, parquet_path):
        with pytest.raises(ValueError, match="leads out of"):
            path(tmp_path, name)
    assert record_path(tmp_path, "s1/a..b") == tmp_path / "cache/s1/a..b.safetensors"
    assert inside(tmp_path, "s1/a") == tmp_path / "s1/a"


def test_a_file_is_written_without_touching_the_umask(tmp_path, monkeypatch):
    before = os.umask(0o027)
    try:
        monkeypatch.setattr(os, "umask", lambda mask: pytest.fail("the umask is the whole process's"))
        with replaced_file(tmp_path / "a.txt") as temporary:
            temporary.write_text("whole")
    finally:
        monkeypatch.undo()
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_threads_that_write_one_name_leave_one_whole_file(tmp_path):
    def write(letter):
        for _ in range(20):
            with replaced_file(tmp_path / "a.txt") as temporary:
                temporary.write_text(letter * 1000)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    text = (tmp_path / "a.txt").read_text()
    assert len(text) == 1000 and len(set(text)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_old_weights_are_there_until_the_new_ones_are(tmp_path, monkeypatch):
    best = tmp_path / "best"
    best.mkdir()
    (best / "weights").write_text("old")

    def killed(folder, **_):
        if (folder / "weights").exists():
            raise SystemExit("killed")

    monkeypatch.setattr(shutil, "rmtree", killed)  # wherever a folder with weights is removed, the program dies
    with pytest.raises(SystemExit), replaced_folder(best) as folder:
        (folder / "weights").write_text("new")
    assert (best / "weights").read_text() == "new"
    monkeypatch.undo()
    with replaced_folder(best) as folder:
        (folder / "weights").write_text("newer")
    assert (best / "weights").read_text() == "newer"
    assert [path.name for path in tmp_path.iterdir()] == ["best"]


def test_a_folder_behind_a_link_is_replaced_where_it_is(tmp_path):
    there, best = tmp_path / "disk/weights", tmp_path / "best"
    there.mkdir(parents=True)
    best.symlink_to(there)
    (tmp_path / "disk/old-weights").symlink_to(tmp_path)  # as earlier versions left one
    for text in ("one", "two"):
        with replaced_folder(best) as folder:
            (folder / "weights").write_text(text)
        assert best.is_symlink() and (there / "weights").read_text() == text
        assert [path.name for path in there.parent.iterdir()] == ["weights"]


def test_an_error_leaves_the_old_folder_and_no_other(tmp_path):
    with replaced_folder(tmp_path / "best") as folder:
        (folder / "weights").write_text("old")
    with pytest.raises(OSError), replaced_folder(tmp_path / "best") as folder:
        (folder / "weights").write_text("half")
        raise OSError("disk full")
    assert [path.name for path in tmp_path.iterdir()] == ["best"]
    assert (tmp_path / "best/weights").read_text() == "old"


def test_a_checkpoint_half_removed_is_none(tmp_path):
    for step in (1, 2):
        made = tmp_path / f"tmp-{step}"
        made.mkdir()
        (made / "run.json").write_text("{}")
        put_folder(made, tmp_path / f"checkpoint-{step}")
    (tmp_path / "checkpoint-2/run.json").unlink()
    assert [path.name for path in checkpoints(tmp_path)] == ["checkpoint-1"]
    assert find_checkpoint(tmp_path, "latest").name == "checkpoint-1"


def group(root, line: str, files: dict[str, str]):
    """A file system with one line in /proc/self/cgroup."""
    for name, text in {"proc/self/cgroup": line + "\n", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return free_memory(root)


def test_a_containers_memory_is_all_there_is(tmp_path):
    files = {"memory.max": "2000000\n", "memory.current": "1500000\n", "memory.stat": "anon 5\ninactive_file 400000\n"}
    second = {f"sys/fs/cgroup/{name}": text for name, text in files.items()}
    assert group(tmp_path / "two", "0::/", second) == 900_000
    old = {
        "memory.limit_in_bytes": "2000000",
        "memory.usage_in_bytes": "1900000",
        "memory.stat": "total_inactive_file 0",
    }
    first = {f"sys/fs/cgroup/memory/docker/{name}": text for name, text in old.items()}
    assert group(tmp_path / "one", "9:cpu,memory:/docker/abc", first) == 100_000  # of the group above


def test_without_a_limit_the_machines_memory_counts(tmp_path):
    import psutil

    unlimited = {"sys/fs/cgroup/memory.max": "max", "sys/fs/cgroup/memory.current": "5"}
    for free in (group(tmp_path, "0::/", unlimited), free_memory(tmp_path / "nowhere")):
        assert free == pytest.approx(psutil.virtual_memory().available, rel=0.5)


def test_a_stream_can_be_a_key(pipe, portrait):
    stream = pipe.stream(None, portrait, timings=[("a", 0.0, 0.2)])
    assert {stream: 1}[stream] == 1 and stream != pipe.stream(None, portrait, timings=[("a", 0.0, 0.2)])


def test_clips_of_faces_go_to_another_process(tmp_path):
    """Workers of a data loader are sent the clips, where processes are spawned."""
    import pickle

    from synthetic_clips import write_disc_films

    from text2lip.training.face_windows import FaceClips

    videos, prepared = tmp_path / "films", tmp_path / "prepared"
    videos.mkdir()
    write_disc_films(prepared, videos)
    clips = FaceClips(prepared, videos, "train", size=64, cache=2)
    sent = pickle.loads(pickle.dumps(clips))
    assert sent.read(0)["frames"].shape == clips.read(0)["frames"].shape
    assert clips.read(0) is clips.read(0)
    for index in range(len(clips)):
        clips.read(index)
    assert len(clips._read) == min(2, len(clips))
