"""Threads that work on pictures: as many at once as there are workers, a bounded number waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from time import monotonic
from typing import Any, Final, TypeVar

from openplate.errors import Overloaded

Result = TypeVar("Result")

_FIRST_GUESS_S: Final = 0.1
_MEMORY: Final = 0.1  # share of the newest piece of work in the mean time that work takes
_LONGEST_RETRY_S: Final = 60.0


class _Piece:
    """Work, and who waits for it on which event loop."""

    __slots__ = ("future", "loop", "work")

    def __init__(self, work: Callable[[], Any], loop: asyncio.AbstractEventLoop) -> None:
        self.work, self.loop = work, loop
        self.future: asyncio.Future[Any] = loop.create_future()

    def do(self) -> Callable[[], None]:
        """Runs it in this thread; what is returned tells the loop, once, which is all that it costs there."""
        try:
            return partial(self._tell, self._finish, self.work())
        except BaseException as error:  # whatever it is, it belongs to whoever waits
            return partial(self._tell, self._fail, error)

    def _tell(self, step: Callable[[Any], None], value: object) -> None:
        try:
            self.loop.call_soon_threadsafe(step, value)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return

    def _finish(self, result: object) -> None:
        if not self.future.done():
            self.future.set_result(result)

    def _fail(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)


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
        self._pieces: SimpleQueue[_Piece | None] = SimpleQueue()
        self._idle = threading.Condition()
        self._accepted = 0
        self._closed = False
        self._mean_s = _FIRST_GUESS_S
        # They end with the process: one that hangs must not hold it.
        self._threads = [
            threading.Thread(target=self._work, name=f"{name} {number}", daemon=True) for number in range(workers)
        ]
        for thread in self._threads:
            thread.start()

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
        piece = _Piece(work, asyncio.get_running_loop())
        with self._idle:
            self.check()
            self._accepted += 1
            self._pieces.put(piece)
        result: Result = await piece.future
        return result

    def close(self, timeout_s: float) -> bool:
        """Takes nothing more and waits for what was accepted; False: some of it is still running."""
        with self._idle:
            if not self._closed:
                self._closed = True
                for _ in self._threads:
                    self._pieces.put(None)
            return self._idle.wait_for(lambda: self._accepted == 0, timeout_s)

    def _work(self) -> None:
        while (piece := self._pieces.get()) is not None:
            start = monotonic()
            tell = None if piece.future.cancelled() else piece.do()
            with self._idle:  # before it is told: whoever hears of an answer may count on the place
                self._mean_s += _MEMORY * (monotonic() - start - self._mean_s)
                self._accepted -= 1
                self._idle.notify_all()
            if tell is not None:
                tell()
            del piece, tell  # with the picture that they hold, before the next one comes

    def _retry_after_s(self) -> float:
        """About how long the waiting pieces take."""
        return min(max(1.0, self._mean_s * self._accepted / self.workers), _LONGEST_RETRY_S)
