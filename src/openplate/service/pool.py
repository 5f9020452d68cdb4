"""Threads that work on pictures: as many at once as there are workers, a bounded number waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Final, TypeVar

from openplate.errors import Overloaded

Result = TypeVar("Result")

_FIRST_GUESS_S: Final = 0.1
_MEMORY: Final = 0.1  # share of the newest piece of work in the mean time that work takes
_LONGEST_RETRY_S: Final = 60.0


class BoundedPool:
    """Work of coroutines in threads. The networks let go of Python's lock, so threads keep all cores busy."""

    def __init__(self, workers: int, queue: int, name: str) -> None:
        """
        Args:
            workers: pieces of work at the same time.
            queue: further pieces that may wait.
            name: of the threads.
        """
        self.workers, self.queue = workers, queue
        self._executor = ThreadPoolExecutor(workers, name)
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._accepted = 0
        self._closed = False
        self._mean_s = _FIRST_GUESS_S

    @property
    def busy(self) -> int:
        """Pieces that are being worked on."""
        return min(self._accepted, self.workers)

    @property
    def waiting(self) -> int:
        """Pieces that were accepted and have not begun."""
        return max(0, self._accepted - self.workers)

    def check(self) -> None:
        """Tell now what ``run`` would: Overloaded when the queue is full or the pool closes."""
        if self._closed:
            raise Overloaded("The server is stopping.", 1.0)
        if self._accepted >= self.workers + self.queue:
            raise Overloaded("The server is busy: too many pictures are waiting.", self._retry_after_s())

    async def run(self, work: Callable[[], Result]) -> Result:
        """What ``work`` returns or raises, from a thread. Work that was accepted is finished, or never begun
        when nobody waits for it any more.

        Raises:
            Overloaded: the queue is full or the pool closes; ``retry_after_s`` is when a place may be free.
        """
        with self._lock:
            self.check()
            self._accepted += 1
        try:
            future = self._executor.submit(self._timed, work)
        except RuntimeError:
            self._leave()
            raise Overloaded("The server is stopping.", 1.0) from None
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def close(self, timeout_s: float) -> bool:
        """Takes nothing more and waits for what was accepted; False: some of it is still running."""
        with self._idle:
            self._closed = True
            is_done = self._idle.wait_for(lambda: self._accepted == 0, timeout_s)
        self._executor.shutdown(wait=is_done, cancel_futures=True)
        return is_done

    def _timed(self, work: Callable[[], Result]) -> Result:
        start = monotonic()
        try:
            return work()
        finally:
            self._mean_s += _MEMORY * (monotonic() - start - self._mean_s)

    def _leave(self, _: object = None) -> None:
        with self._idle:
            self._accepted -= 1
            self._idle.notify_all()

    def _retry_after_s(self) -> float:
        """About how long the waiting pieces take."""
        return min(max(1.0, self._mean_s * self._accepted / self.workers), _LONGEST_RETRY_S)
