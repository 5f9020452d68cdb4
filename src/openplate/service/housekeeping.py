"""What has had its time is removed, every few minutes, by a thread of its own."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from openplate.errors import OpenplateError
from openplate.settings import StorageSettings
from openplate.storage import Store

_EVERY_S: Final = 300.0

_log = logging.getLogger(__name__)


class Housekeeping:
    """Each process does it, at a time of its own; doing it twice does no harm."""

    def __init__(
        self,
        store: Store,
        settings: StorageSettings,
        every_s: float = _EVERY_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``now``: the time, aware."""
        self._store, self._settings, self._every_s, self._now = store, settings, every_s, now
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Asks it to end; a round that is under way ends by itself."""
        self._end.set()

    def _run(self) -> None:
        while not self._end.wait(self._every_s * random.uniform(0.5, 1.0)):
            self.tidy()

    def tidy(self) -> None:
        """One round. Trouble is logged: it must not end the rounds."""
        settings = self._settings
        try:
            removed = self._store.remove_expired(self._now(), settings.keep_for_s, settings.keep_bytes)
        except OpenplateError as error:
            _log.warning("what has had its time could not be removed: %s", error)
            return
        if removed.recognitions or removed.deliveries or removed.files:
            _log.info(
                "removed %d recognitions, %d undeliverable messages, %d files",
                removed.recognitions,
                removed.deliveries,
                removed.files,
            )
