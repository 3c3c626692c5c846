import subprocess
import sys
import threading
import time

import pytest
import torch

from text2lip.ahead import MOST_AHEAD, map_ahead


@pytest.fixture(params=[1, 3], ids=["one thread", "three threads"])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.fixture
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield 3
    torch.set_num_threads(before)


def test_results_come_in_order_however_long_each_takes(threads):
    def slowly(item, other):
        time.sleep(0.003 * ((7 * item) % 5))
        return item, other

    assert list(map_ahead(slowly, range(12), "abcdefghijklmn")) == list(zip(range(12), "abcdefghijklmn"))
    assert list(map_ahead(slowly, [], [])) == []


def test_several_are_made_at_once(three_threads):
    together = threading.Barrier(3)
    assert list(map_ahead(lambda item: together.wait(timeout=10) >= 0, range(6))) == [True] * 6


def test_at_most_one_result_more_than_threads_is_there(three_threads):
    begun, taken = [], 0
    for _ in map_ahead(begun.append, range(20)):
        taken += 1
        time.sleep(0.002)
        assert len(begun) <= taken + three_threads
    assert taken == 20


@pytest.mark.parametrize("nbytes, most", [(MOST_AHEAD, 1), (MOST_AHEAD // 2, 3)])
def test_large_results_are_made_by_fewer_threads(three_threads, nbytes, most):
    begun = []
    results = map_ahead(begun.append, range(20), nbytes=nbytes)
    next(results)
    time.sleep(0.02)
    assert 1 <= len(begun) <= most
    results.close()


def test_an_error_comes_where_its_result_would_have(threads):
    def function(item):
        if item == 3:
            raise ValueError("three")
        return item

    results = map_ahead(function, range(9))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)


def test_an_error_of_an_iterable_comes_after_what_was_before_it(threads):
    def items():
        yield from range(4)
        raise KeyError("fifth")

    results = map_ahead(lambda item: item, items())
    assert [next(results) for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(KeyError, match="fifth"):
        next(results)


def test_closing_ends_threads_and_closes_the_iterables(threads):
    closed, begun = [], []

    def items():
        try:
            yield from range(1000)
        finally:
            closed.append(threading.current_thread())

    before = threading.active_count()
    results = map_ahead(begun.append, items())
    next(results)
    results.close()
    assert closed == [threading.current_thread()] and len(begun) <= 5
    assert threading.active_count() == before


def test_torch_computes_in_each_thread_alone_and_elsewhere_as_before(three_threads):
    assert set(map_ahead(lambda item: torch.get_num_threads(), range(8))) == {1}
    seen = []
    new = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    new.start()
    new.join()
    assert torch.get_num_threads() == three_threads and seen == [three_threads]


def test_modes_of_torch_are_those_of_who_asks(threads):
    def modes(_):
        cast = torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu")
        return cast, torch.is_grad_enabled(), torch.is_inference_mode_enabled()

    assert set(map_ahead(modes, range(6))) == {(False, True, False)}
    with torch.autocast("cpu", torch.float16), torch.no_grad():
        assert set(map_ahead(modes, range(6))) == {(torch.float16, False, False)}
    with torch.inference_mode():
        assert set(map_ahead(modes, range(6))) == {(False, False, True)}


def test_a_thread_that_cannot_start_is_an_error(three_threads, monkeypatch):
    start, before = threading.Thread.start, threading.active_count()

    def failing(thread):
        if thread.name == "text2lip-frames_2":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", failing)
    raised = []

    def ask():
        try:
            list(map_ahead(abs, range(6)))
        except RuntimeError as error:
            raised.append(error)

    asking = threading.Thread(target=ask, daemon=True)  # which would wait for ever
    asking.start()
    asking.join(5)
    assert len(raised) == 1 and threading.active_count() == before and torch.get_num_threads() == three_threads


def test_a_program_that_stops_asking_ends_quietly():
    code = (
        "import torch; torch.set_num_threads(3); from text2lip.ahead import map_ahead; g = map_ahead(abs, range(99))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code + "; next(g)"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
