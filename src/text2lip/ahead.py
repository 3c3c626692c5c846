"""Frames that threads make ahead of the one that is asked for."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache
from threading import Barrier
from typing import Any


MOST_WORKERS = 8
MOST_AHEAD = 2**28  # bytes of all calls that workers may be at


def map_ahead(function: Callable, *iterables: Iterable, nbytes: int = 0) -> Iterator[Any]:
    """`map(function, *iterables)`, the same results in the same order, made by threads that run ahead.

    As many threads as torch computes in (`torch.set_num_threads`), at most 8, and so many that their calls stay
    within 256 MiB; where that is one, nothing is made before it is asked for. One result more than there are threads
    is there at once. The threads take over torch's autocast, gradient and inference modes of the one that asks. What
    `function` raises comes where its result would have come. The iterables are used by the thread that asks alone;
    whoever stops early closes what was returned: what runs then ends, nothing more begins, and the iterables are
    closed too.

    Args:
        function (`Callable`): called in several threads at once.
        iterables: its arguments.
        nbytes (`int`): that a call needs at most, its result included.
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
    pool = ThreadPoolExecutor(workers, "text2lip-frames", _compute_alone)
    waiting, failed = deque(), None
    try:
        _start(pool, workers)
        while failed is None:
            try:
                waiting.append(pool.submit(_as_here(function), *next(calls)))
            except Exception as error:  # told, as its end, after all that comes before it
                failed = error
            if waiting and (len(waiting) > workers or waiting[0].done()):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
        if not isinstance(failed, StopIteration):
            raise failed
    finally:
        for future in waiting:  # `cancel_futures` fails where a program ends with frames left
            future.cancel()
        pool.shutdown()


def _start(pool: ThreadPoolExecutor, workers: int) -> None:
    """Start all threads of `pool`, and leave torch's number of threads elsewhere as it was."""
    import torch

    begun = Barrier(workers + 1)
    try:
        for _ in range(workers):
            pool.submit(begun.wait)
        begun.wait()
    finally:
        begun.abort()  # else those that did start would wait for ever for one that can't
        torch.set_num_threads(torch.get_num_threads())  # also what threads will have that torch doesn't know yet


def _as_here(function: Callable) -> Callable:
    """`function` in another thread, under this one's modes of torch."""
    import torch

    casts = [(kind, torch.get_autocast_dtype(kind)) for kind in _kinds() if torch.is_autocast_enabled(kind)]
    grad, inference = torch.is_grad_enabled(), torch.is_inference_mode_enabled()

    def run(*call: Any) -> Any:
        with ExitStack() as modes:
            modes.enter_context(torch.inference_mode(inference))
            modes.enter_context(torch.set_grad_enabled(grad))
            for cast in casts:
                modes.enter_context(torch.autocast(*cast))
            return function(*call)

    return run


@cache
def _kinds() -> tuple[str, ...]:
    """Of devices that this torch computes on."""
    import torch

    accelerator = torch.accelerator.current_accelerator()
    return ("cpu", accelerator.type) if accelerator else ("cpu",)


def _compute_alone() -> None:
    """Let torch compute in the calling thread alone: where processors are short, the small operators of several wait
    long for each other."""
    import torch

    torch.get_num_threads()  # else its first use of torch undoes what follows
    torch.set_num_threads(1)
