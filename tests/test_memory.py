"""Arrays that lie in temporary files: the same numbers, no memory."""

import errno
import mmap
import tempfile
from pathlib import Path

import numpy as np
import pytest

from text2lip import memory


def resident() -> int:
    """Bytes of files that this process has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[2]) * mmap.PAGESIZE


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(memory, "IN_MEMORY", 1000)


@pytest.mark.parametrize("rows", [[3, 5], [3, 0, 400, 1, 700], [2000]])
@pytest.mark.parametrize("columns", [1, 2])
def test_what_has_grown_is_all_there_and_can_be_changed(short, rows, columns):
    blocks = [np.random.default_rng(count).normal(size=(count, columns)).astype(np.float32) for count in rows]
    growing = memory.Growing(columns)
    for block in blocks:
        growing.append(block)
    array = growing.array()
    assert np.array_equal(array, np.concatenate(blocks)) and array.dtype == np.float32
    assert memory.in_file(array[1:, 0]) == (sum(rows) * columns * 4 > 1000)
    array[-1] = 7
    memory.let_go(array)
    assert (array[-1] == 7).all() and np.array_equal(array[:-1], np.concatenate(blocks)[:-1])


def test_room_is_empty_and_copies_are_cut_or_filled_up(short):
    for shape in ((200,), (3, 200), (3, 2000)):
        place = memory.room(shape)
        assert place.shape == shape and not place.any() and memory.in_file(place) == (place.size * 4 > 1000)
    sound = np.arange(6000, dtype=np.float32).reshape(2, 3000)
    assert np.array_equal(memory.copied(sound, 2500), sound[:, :2500])
    longer = memory.copied(sound, 3100)
    assert np.array_equal(longer[:, :3000], sound) and not longer[:, 3000:].any()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="asks Linux")
def test_a_walk_leaves_nothing_in_memory():
    array, before = memory.room((16 * memory.ENTRIES_AT_ONCE,)), resident()
    assert max([piece.sum() * 0 + resident() for piece in memory.walk(array)]) - before < array.nbytes / 4
    for piece in memory.walk(array):
        piece += 1
    assert resident() - before < array.nbytes / 16
    assert array.sum() == array.size and resident() - before > array.nbytes / 2, "else nothing was measured"


def test_what_others_have_mapped_stays_theirs(tmp_path):
    theirs = np.memmap(tmp_path / "theirs", np.float32, "w+", shape=100)
    theirs.flush()
    own = np.memmap(tmp_path / "theirs", np.float32, "c", shape=100)  # changes of it are in memory alone
    own[:] = 5
    assert not memory.in_file(own) and all((piece == 5).all() for piece in memory.walk(own)) and (own == 5).all()


def test_a_full_disk_is_told_with_its_remedy(short, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(ValueError, match="No space left on device.*TMPDIR"):
        memory.room((2000,))
