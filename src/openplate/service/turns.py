"""Who may work now: so many threads at a time, the others one after the other in the order in which they came."""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType
from typing import Final, Self


class Turns:
    """``with turns:`` waits for a turn. Unlike with a semaphore, nobody who comes later is served earlier, so no camera
    waits longer than one frame of each other camera takes.
    """

    def __init__(self, count: int) -> None:
        """``count``: how many have a turn at the same time, 1 or more."""
        if count < 1:
            raise ValueError(f"there must be 1 turn or more, not {count}")
        self.count: Final = count
        self._lock = threading.Lock()
        self._free = count
        self._waiting: deque[threading.Lock] = deque()  # each is held until it is its thread's turn

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def __enter__(self) -> Self:
        with self._lock:
            if self._free:
                self._free -= 1
                return self
            place = threading.Lock()
            place.acquire()
            self._waiting.append(place)
        place.acquire()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1
