"""Queues between a loader's processes: messages of any length, in order, from processes that were forked or spawned."""

import multiprocessing
import os
import queue
import signal
import time

import pytest

import attune


def send(results, number, lengths):
    for step, length in enumerate(lengths):
        results.put((number, step, b"x" * length))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_messages_arrive_in_order(method):
    """Short ones go straight through the pipe, long ones by the thread; once it has begun, all do."""
    context = attune.context(method)
    results = context.Queue()
    lengths = [1, 10, 3000, 100_000, 1, 5000, 20] * 4
    processes = [context.Process(target=send, args=(results, n, lengths)) for n in range(2)]
    for process in processes:
        process.start()
    seen = {0: [], 1: []}
    for _ in range(2 * len(lengths)):
        number, step, data = results.get(timeout=30)
        seen[number].append((step, len(data)))
    assert seen == {n: list(enumerate(lengths)) for n in (0, 1)}
    for process in processes:
        process.join(30)
        assert process.exitcode == 0


def test_short_messages_start_no_thread():
    results = attune.context("fork").Queue()
    for i in range(100):
        results.put(i)
        assert results.get(timeout=5) == i
    assert results._thread is None
    results.put(b"x" * 10_000)
    assert results._thread is not None
    assert len(results.get(timeout=5)) == 10_000


def test_a_full_pipe_stops_nobody():
    """What does not fit waits in memory, as with an ordinary queue."""
    results = attune.context("fork").Queue()
    begin = time.monotonic()
    for i in range(200):
        results.put((i, b"x" * 3000))
    assert time.monotonic() - begin < 5
    assert [results.get(timeout=5)[0] for _ in range(200)] == list(range(200))


def test_nothing_there():
    results = attune.context("fork").Queue()
    with pytest.raises(queue.Empty):
        results.get(timeout=0.05)
    results.close()
    with pytest.raises(ValueError):
        results.put(1)


def test_a_killed_writer_leaves_the_queue_usable():
    context = attune.context("fork")
    results, ready = context.Queue(), context.Event()

    def write():
        results.put(os.getpid())
        ready.set()
        time.sleep(60)

    process = context.Process(target=write)
    process.start()
    ready.wait(10)
    assert results.get(timeout=10) == process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join(10)
    results.put("here")
    assert results.get(timeout=5) == "here"


def test_the_context_is_one_of_multiprocessing():
    assert isinstance(attune.context(), type(multiprocessing.get_context()))
    with pytest.raises(ValueError):
        attune.context("none")
