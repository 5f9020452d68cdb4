"""Whether there is room for another call: asked before one is accepted, so that nothing is dropped later."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

from sqlalchemy import Connection, func, select

from openplate.errors import StorageError, StorageFull
from openplate.storage.database import Database
from openplate.storage.tables import deliveries

_LOOK_EVERY_S = 1.0


class Room:
    """The free bytes of the data folder's disk and the free rows of the outbox.

    Both are looked up once a second; in between each process knows of its own new rows only, so that the outbox
    may exceed its limit by what the other processes add in a second.
    """

    def __init__(self, database: Database, folder: Path, *, max_outbox_rows: int, min_free_bytes: int) -> None:
        self._database = database
        self._folder = folder
        self._max_outbox_rows = max_outbox_rows
        self._min_free_bytes = min_free_bytes
        self._lock = threading.Lock()
        self._free = 0
        self._rows: int | None = None
        self._looked_at = -_LOOK_EVERY_S

    def check(self, messages: int) -> None:
        """Raises StorageFull when the disk or, for so many messages more, the outbox has no room."""
        with self._lock:
            if time.monotonic() - self._looked_at >= _LOOK_EVERY_S:
                self._free = _free_bytes(self._folder)
                self._rows = None
                self._looked_at = time.monotonic()
            free = self._free
        if free < self._min_free_bytes:
            raise StorageFull(
                f"the disk of {self._folder} has {free} bytes left, {self._min_free_bytes} must stay free"
            )
        if messages and self._outbox_rows() + messages > self._max_outbox_rows:
            raise StorageFull(f"the outbox holds its {self._max_outbox_rows} messages; see what stops their targets")

    def add(self, messages: int) -> None:
        """Take note of new rows."""
        with self._lock:
            if self._rows is not None:
                self._rows += messages

    def _outbox_rows(self) -> int:
        with self._lock:
            if self._rows is None:
                self._rows = self._database.read(_count)
            return self._rows


def _free_bytes(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror or error}") from error


def _count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(deliveries)).scalar_one()
