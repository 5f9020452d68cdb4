"""What waits for the database or for other machines, out of the event loop's way: short, many at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Final, Generic, TypeVar

Result = TypeVar("Result")
Value = TypeVar("Value")

_THREADS: Final = 8


class Errands:
    """A few threads; how much may wait is bounded by those who are let in before."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(_THREADS, "errand")

    async def run(self, work: Callable[[], Result]) -> Result:
        """What ``work`` returns or raises, from a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def close(self) -> None:
        """Ends it without waiting for what hangs."""
        self._executor.shutdown(wait=False, cancel_futures=True)


class Remembered(Generic[Value]):
    """A value that many threads want and that may be a moment old."""

    def __init__(self, read: Callable[[], Value], for_s: float) -> None:
        """
        Args:
            read: finds it out.
            for_s: how old it may become.
        """
        self._read, self._for_s = read, for_s
        self._lock = threading.Lock()
        self._value: Value
        self._until = 0.0

    @property
    def is_fresh(self) -> bool:
        return monotonic() < self._until

    def get(self) -> Value:
        """The value; whatever finding it out raises."""
        with self._lock:
            if not self.is_fresh:
                self._value = self._read()
                self._until = monotonic() + self._for_s
            return self._value

    def forget(self) -> None:
        """The next one reads again."""
        self._until = 0.0
