"""How long to wait before a source is opened again."""

from __future__ import annotations

import random

JITTER = 0.25  # so that cameras that went down together do not come back together


class Backoff:
    """Delays that double with each failure, from ``first_s`` up to ``most_s``, give or take a quarter."""

    def __init__(self, first_s: float, most_s: float, generator: random.Random | None = None) -> None:
        self._first_s, self._most_s = min(first_s, most_s), most_s
        self._failures = 0
        self._generator = generator or random.Random()

    def failed(self, lasted_s: float) -> float:
        """The delay after a connection that lasted so long (0: it never came about).

        One that held for longer than the delay after it would be counts as good: the delays start anew.
        """
        if lasted_s > self._delay_s():
            self._failures = 0
        delay_s = self._delay_s()
        self._failures += 1
        return min(delay_s * self._generator.uniform(1 - JITTER, 1 + JITTER), self._most_s)

    def _delay_s(self) -> float:
        return float(min(self._first_s * 2.0 ** min(self._failures, 60), self._most_s))
