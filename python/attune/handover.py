"""How a loader's processes give each other batches: straight through the pipe.

`multiprocessing.Queue` hands each message to a thread of its own, which writes it. Beside a batch that is a few numbers
about shared memory that costs more than the message: two changes of threads, and the interpreter's lock with them. Here
the process that has a message writes it, where it fits the pipe at once; else the thread does, as ever.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.queues
import os
import select
import time
from multiprocessing.context import BaseContext
from multiprocessing.reduction import ForkingPickler
from queue import Empty
from typing import Any

_PATIENCE = 0.1  # seconds


class Queue(multiprocessing.queues.Queue):  # type: ignore[type-arg]
    """A queue whose short messages need no thread. Their order is that of the calls, by whichever way they went."""

    def _pollers(self) -> tuple[Any, Any]:
        """What waits for the two ends; each process has its own."""
        known = self.__dict__.get("_polling")
        if known is None or known[0] != os.getpid():
            reading, writing = select.poll(), select.poll()
            reading.register(self._reader.fileno(), select.POLLIN)  # type: ignore[attr-defined]
            writing.register(self._writer.fileno(), select.POLLOUT)  # type: ignore[attr-defined]
            known = self.__dict__["_polling"] = (os.getpid(), reading, writing)
        return known[1], known[2]

    def put(self, obj: Any, block: bool = True, timeout: float | None = None) -> None:
        # Once the thread has begun, what follows must queue up behind what it has still to write.
        if self._closed or self._thread is not None or not self._write(obj):  # type: ignore[attr-defined]
            super().put(obj, block, timeout)

    def _write(self, obj: Any) -> bool:
        """Writes a message if that is certain not to block: a full pipe must never stop a process that others wait for."""
        message = ForkingPickler.dumps(obj)
        # A pipe that can be written to takes so many bytes, the length before them included.
        if len(message) > select.PIPE_BUF - 16 or not self._wlock.acquire(True, _PATIENCE):  # type: ignore[attr-defined]
            return False
        try:
            if not self._pollers()[1].poll(_PATIENCE * 1000) or not self._sem.acquire(False):  # type: ignore[attr-defined]
                return False
            self._writer.send_bytes(message)  # type: ignore[attr-defined]
            return True
        finally:
            self._wlock.release()  # type: ignore[attr-defined]

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        if self._closed or not block or timeout is None:  # type: ignore[attr-defined]
            return super().get(block, timeout)
        deadline = time.monotonic() + timeout
        if not self._rlock.acquire(True, timeout):  # type: ignore[attr-defined]
            raise Empty
        try:
            if not self._pollers()[0].poll(max(deadline - time.monotonic(), 0) * 1000):
                raise Empty
            message = self._reader.recv_bytes()  # type: ignore[attr-defined]
            self._sem.release()  # type: ignore[attr-defined]
        finally:
            self._rlock.release()  # type: ignore[attr-defined]
        return ForkingPickler.loads(message)


def context(method: str | None = None) -> BaseContext:
    """For DataLoader's `multiprocessing_context`: "fork", "spawn" or "forkserver" (None: the default), with such queues."""
    base = multiprocessing.get_context(method)
    if not hasattr(select, "poll"):
        return base

    def queue(self: BaseContext, maxsize: int = 0) -> Queue:
        return Queue(maxsize, ctx=base)

    made: BaseContext = type("Context", (type(base),), {"Queue": queue})()
    return made
