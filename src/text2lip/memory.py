"""Memory that is left for this process, of the machine and the container that it runs in; what is given back of it;
and long arrays that need none, as they lie in temporary files."""

import contextlib
import ctypes
import math
import mmap
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np


IN_MEMORY = 2**23  # bytes; longer arrays lie in a file: sound of 24 kHz from 87 s on
ENTRIES_AT_ONCE = 2**20  # entries


def free_memory(root: str | Path = "/") -> int:
    """Bytes that can still be used: the least of what the machine has and what each control group allows.

    Reads Linux control groups of version 2 (`memory.max`) and 1 (`memory.limit_in_bytes`), as set by Docker,
    Kubernetes and systemd, in the file system at `root`; file pages that can be dropped don't count as used.
    """
    import psutil

    return min([psutil.virtual_memory().available, *_group_room(Path(root))])


def give_back_memory() -> None:
    """Let the system have what was freed but is kept for later, where the C library (glibc) can."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


class Growing:
    """A table (length, columns) that grows by rows. Beyond `IN_MEMORY` bytes it lies in a temporary file, which goes
    with the last array of it; the environment variable TMPDIR says where."""

    def __init__(self, columns: int, dtype: type = np.float32):
        self._columns, self._dtype = columns, np.dtype(dtype)
        self._held, self._file = bytearray(), None

    def append(self, rows: np.ndarray) -> None:
        """Entries of whole rows, in order, of any shape.

        Raises:
            ValueError: there is no room for the file.
        """
        self._held += np.ascontiguousarray(rows, self._dtype).tobytes()
        if len(self._held) > (IN_MEMORY if self._file is None else ENTRIES_AT_ONCE):
            self._write()

    def array(self) -> np.ndarray:
        """All of it, which can be written to; nothing can be appended any more."""
        if self._file is None:
            return np.frombuffer(self._held, self._dtype).reshape(-1, self._columns)
        self._write()
        with self._file:
            pages = _Pages(self._file.fileno(), 0)
        return np.frombuffer(pages, self._dtype).reshape(-1, self._columns)

    def _write(self) -> None:
        try:
            self._file = self._file or tempfile.TemporaryFile()  # noqa: SIM115, `array` closes it
            self._file.write(self._held)
            self._file.flush()
        except OSError as error:
            raise ValueError(
                f"audio: too long for memory, and there is no room for a temporary file ({error.strerror or error}); "
                "set TMPDIR to a folder on another disk."
            ) from error
        self._held = bytearray()


class _Pages(mmap.mmap):
    """A file of ours in memory: unlike what others have mapped, what is let go of it can be read again."""


def room(shape: tuple[int, ...], dtype: type = np.float32) -> np.ndarray:
    """Zeros, in a temporary file where they are many, see [`Growing`]."""
    count, zeros = math.prod(shape), Growing(1, dtype)
    if count * np.dtype(dtype).itemsize <= IN_MEMORY:
        return np.zeros(shape, dtype)
    for start in range(0, count, ENTRIES_AT_ONCE):
        zeros.append(np.zeros(min(ENTRIES_AT_ONCE, count - start), dtype))
    return zeros.array().reshape(shape)


def walk(array: np.ndarray, at_once: int = ENTRIES_AT_ONCE) -> Iterator[np.ndarray]:
    """Pieces of the last axis in order, views; of an array in a file no more than one of them is in memory."""
    for start in range(0, array.shape[-1], at_once):
        yield array[..., start : start + at_once]
        let_go(array)


def copied(array: np.ndarray, length: int) -> np.ndarray:
    """A float32 copy of (..., length), cut to that length or filled up with zeros, see [`room`]."""
    copy = room((*array.shape[:-1], length))
    for made, piece in zip(walk(copy), walk(array)):
        made[..., : piece.shape[-1]] = piece[..., : made.shape[-1]]
    return copy


def in_file(array: np.ndarray) -> bool:
    """Whether it lies in a temporary file of [`Growing`] or [`room`]."""
    return _pages(array) is not None


def let_go(*arrays: np.ndarray) -> None:
    """Take arrays that lie in files, see [`in_file`], out of memory until they are used again; others stay."""
    for pages in map(_pages, arrays):
        if pages is not None and hasattr(mmap, "MADV_DONTNEED"):
            pages.madvise(mmap.MADV_DONTNEED)


def _pages(array: np.ndarray) -> "_Pages | None":
    while isinstance(array, np.ndarray):
        array = array.base
    pages = getattr(array, "obj", None)
    return pages if isinstance(pages, _Pages) else None


def _group_room(root: Path) -> list[int]:
    """What is left in each control group of this process, bytes."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # not Linux
        return []
    room = []
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if not controllers:
            base, names = root / "sys/fs/cgroup", ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            base = root / "sys/fs/cgroup/memory"
        else:
            continue
        place = base / group.strip("/")
        for folder in [place, *place.parents]:  # a group can't have more than those that it is in
            room += _room(folder, *names)
            if folder == base:
                break
    return room


def _room(folder: Path, limit: str, usage: str, droppable: str) -> list[int]:
    try:
        most, used = (int((folder / name).read_text()) for name in (limit, usage))  # "max": not limited
        stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return []
    return [max(0, most - used + int(stat.get(droppable, 0)))]
