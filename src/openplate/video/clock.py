"""The time of live frames: it runs evenly even where the machine's clock is set."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

logger = logging.getLogger(__name__)

TOLERATED_S = 1.0  # by which the two clocks may part before anything is done: they drift, NTP nudges
LARGEST_CATCH_UP_S = 60.0
DRIFT = 0.01  # of its rate, by which the time is kept in step with the machine's clock
CATCH_UP_RATE = 0.5  # seconds of frames' time for a second, while the machine's clock is behind


class SteadyClock:
    """UTC from the monotonic clock and an anchor on the machine's clock.

    Where the machine's clock is set forward, the time follows at once. Where it is set back by up to a minute,
    the time goes on at half its rate until the two agree, so that it never goes back; by more than that it goes
    back, once. Each step is logged and counted in ``steps``.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self._monotonic, self._wall = monotonic, wall
        self._at_monotonic, self._now_s = monotonic(), wall()
        self._is_catching_up = False
        self._lock = threading.Lock()
        self.steps = 0

    def now(self) -> datetime:
        with self._lock:
            return datetime.fromtimestamp(self._advance(), UTC)

    def _advance(self) -> float:
        monotonic, wall = self._monotonic(), self._wall()
        passed_s = max(monotonic - self._at_monotonic, 0.0)
        self._at_monotonic = monotonic
        ahead_s = self._now_s + passed_s - wall
        if self._is_catching_up and ahead_s <= passed_s * (1 - CATCH_UP_RATE):
            self._is_catching_up = False
            self._now_s = max(self._now_s, wall)
        elif self._is_catching_up and ahead_s <= LARGEST_CATCH_UP_S + TOLERATED_S:
            self._now_s += passed_s * CATCH_UP_RATE
        elif -TOLERATED_S <= ahead_s <= TOLERATED_S:
            self._now_s += passed_s - max(-DRIFT * passed_s, min(ahead_s, DRIFT * passed_s))
        elif TOLERATED_S < ahead_s <= LARGEST_CATCH_UP_S:
            self._step(f"back by {timedelta(seconds=round(ahead_s))}; frames' times slow down until they agree")
            self._is_catching_up = True
            self._now_s += passed_s * CATCH_UP_RATE
        else:
            word = "forward" if ahead_s < 0 else "back"
            self._step(f"{word} by {timedelta(seconds=round(abs(ahead_s)))}; frames' times follow")
            self._is_catching_up = False
            self._now_s = wall
        return self._now_s

    def _step(self, what: str) -> None:
        self.steps += 1
        logger.warning("the machine's clock was set %s", what)
