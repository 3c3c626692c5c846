"""Frames that threads make ahead of the one that is asked for."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any


MOST_WORKERS = 8
MOST_AHEAD = 2**28  # bytes of all results that workers may be at


def map_ahead(function: Callable, *iterables: Iterable, nbytes: int = 0) -> Iterator[Any]:
    """`map(function, *iterables)`, the same results in the same order, made by threads that run ahead.

    As many threads as torch computes in (`torch.set_num_threads`), at most 8, and so many that their results stay
    within 256 MiB; where that is one, nothing is made before it is asked for. One result more than there are threads
    is there at once. What `function` raises comes where its result would have come. The iterables are used by the
    thread that asks alone; whoever stops early closes what was returned: what runs then ends, nothing more begins,
    and the iterables are closed too.

    Args:
        function (`Callable`): called in several threads at once.
        iterables: its arguments.
        nbytes (`int`): of a result.
    """
    import torch

    workers = min(torch.get_num_threads(), MOST_WORKERS, MOST_AHEAD // max(nbytes, 1))
    sources = [iter(iterable) for iterable in iterables]
    try:
        yield from map(function, *sources) if workers < 2 else _ahead(function, zip(*sources), workers)
    finally:
        for source in sources:
            getattr(source, "close", int)()


def _ahead(function: Callable, calls: Iterator[tuple], workers: int) -> Iterator[Any]:
    import torch

    pool = ThreadPoolExecutor(workers, "text2lip-frames", _compute_alone)
    waiting, failed, begun = deque(), None, Barrier(workers + 1)
    try:
        for _ in range(workers):
            pool.submit(begun.wait)
        begun.wait()
        torch.set_num_threads(torch.get_num_threads())  # also what threads will have that torch doesn't know yet
        while failed is None:
            try:
                waiting.append(pool.submit(function, *next(calls)))
            except Exception as error:  # told, as its end, after all that comes before it
                failed = error
            if waiting and (len(waiting) > workers or waiting[0].done()):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
        if not isinstance(failed, StopIteration):
            raise failed
    finally:
        pool.shutdown(cancel_futures=True)


def _compute_alone() -> None:
    """Let torch compute in the calling thread alone: where processors are short, the small operators of several wait
    long for each other."""
    import torch

    torch.get_num_threads()  # else its first use of torch undoes what follows
    torch.set_num_threads(1)
