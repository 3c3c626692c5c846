"""Memory that is left for this process, of the machine and the container that it runs in; what is given back of it."""

import contextlib
import ctypes
from pathlib import Path


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
