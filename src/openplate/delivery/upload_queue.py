"""What waits to be uploaded in Scout's way: one file for each message, bounded by size, the oldest dropped first.

The outbox of webhooks has other rules: it refuses what it has no room for, and gives up and disables a target that
fails for days. An agent with a bad line to its server keeps what is newest, for as long as it takes. A message is on
the disk before ``put`` returns, and its file goes when the receiver has taken it: a process that is killed at any
moment loses nothing, and sends at most what it was sending once more. One process works on a folder at a time.
"""

from __future__ import annotations

import heapq
import json
import logging
import os
import re
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openplate.storage.files import translated, write_whole

BLOCK: Final = 4096
"""What a file takes on the disk is a multiple of it."""
FRAME_RESULTS: Final = "alpr_results"
_PRECIOUS: Final = frozenset({"alpr_group", "vehicle"})
"""Kinds that survive a power cut too; the others only the end of the process."""

_KIND = re.compile(r"[a-z_]{1,40}")
_FILE = re.compile(r"(?P<number>[0-9]{15,18})-(?P<kind>[a-z_]{1,40})\.json")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One message; ``attempts`` counts the failed ones since the queue was opened, ``size`` is on the disk."""

    number: int
    kind: str
    path: Path
    size: int
    attempts: int = 0


class UploadQueue:
    """Messages in the order in which they came; threads may share one."""

    def __init__(self, folder: Path, max_bytes: int, *, groups_only: bool = False) -> None:
        """Opens the folder, makes it where it is missing. ``groups_only``: results of single frames are left out.

        Raises:
            StorageError: the folder cannot be used.
        """
        self._folder = folder
        self._max_bytes = max_bytes
        self._groups_only = groups_only
        self.changed = threading.Condition()
        """Notified when there is something new; held while the queue is looked at."""
        self._waiting: dict[int, Waiting] = {}  # oldest first
        self._fresh: deque[int] = deque()
        self._again: list[tuple[float, int]] = []  # by the monotonic time when it is due
        self._bytes = self._dropped = 0
        with translated(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._load()
        with self.changed:
            self._next = 1 + max(self._waiting, default=0)
            self._make_room(0)

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def groups_only(self) -> bool:
        return self._groups_only

    @property
    def used_bytes(self) -> int:
        return self._bytes

    @property
    def dropped(self) -> int:
        """Messages that went unsent to make room, since the queue was opened."""
        return self._dropped

    def put(self, message: Mapping[str, object]) -> bool:
        """Queues a message by its ``data_type``; False: it is not wanted, or alone larger than the queue may be.

        Raises:
            ValueError: it has no data type, or is no JSON.
            StorageFull, StorageError: it cannot be written.
        """
        kind = str(message.get("data_type", ""))
        if not _KIND.fullmatch(kind):
            raise ValueError(f"a message needs its data_type, not {kind[:60]!r}")
        if self._groups_only and kind == FRAME_RESULTS:
            return False
        body = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        taken = _blocks(len(body))
        with self.changed, translated(self._folder):
            if taken > self._max_bytes:
                self._dropped += 1
                _log.error("a message of %d bytes is larger than the whole queue may be and is dropped", len(body))
                return False
            self._make_room(taken)
            number = self._next
            self._next += 1
            path = self._folder / f"{number:015}-{kind}.json"
            write_whole(path, body, is_durable=kind in _PRECIOUS)
            self._add(Waiting(number, kind, path, taken))
            self.changed.notify()
        return True

    def take(self) -> Waiting | None:
        """The oldest message that is due; it is nobody else's until ``done`` or ``again``. None: nothing is due."""
        with self.changed:
            self._skip_dropped()
            due = self._again[0][1] if self._again and self._again[0][0] <= time.monotonic() else None
            if due is not None and (not self._fresh or due < self._fresh[0]):
                heapq.heappop(self._again)
                return self._waiting[due]
            return self._waiting[self._fresh.popleft()] if self._fresh else None

    def due_in_s(self) -> float | None:
        """Seconds until something is due, 0 for now; None: nothing waits but what is being sent."""
        with self.changed:
            self._skip_dropped()
            if self._fresh:
                return 0.0
            return max(0.0, self._again[0][0] - time.monotonic()) if self._again else None

    def done(self, message: Waiting) -> None:
        """The receiver has it."""
        with self.changed, translated(self._folder):
            self._forget(message.number)

    def again(self, message: Waiting, delay_s: float, *, is_counted: bool = True) -> None:
        """It is due once more after that time; with ``is_counted`` as one that failed."""
        with self.changed:
            if message.number not in self._waiting:  # dropped meanwhile
                return
            attempts = message.attempts + is_counted
            self._waiting[message.number] = Waiting(message.number, message.kind, message.path, message.size, attempts)
            heapq.heappush(self._again, (time.monotonic() + delay_s, message.number))
            self.changed.notify()

    def _skip_dropped(self) -> None:
        while self._fresh and self._fresh[0] not in self._waiting:
            self._fresh.popleft()
        while self._again and self._again[0][1] not in self._waiting:
            heapq.heappop(self._again)

    def _make_room(self, wanted: int) -> None:
        before = self._dropped
        while self._waiting and self._bytes + wanted > self._max_bytes:
            self._forget(next(iter(self._waiting)))
            self._dropped += 1
        if self._dropped > before:
            _log.warning(
                "%d messages are dropped unsent to make room, %d by now", self._dropped - before, self._dropped
            )

    def _add(self, message: Waiting) -> None:
        self._waiting[message.number] = message
        self._fresh.append(message.number)
        self._bytes += message.size

    def _forget(self, number: int) -> None:
        message = self._waiting.pop(number, None)
        if message is not None:
            self._bytes -= message.size
            message.path.unlink(missing_ok=True)

    def _load(self) -> None:
        """What waits from before; unfinished files go, what is not ours stays."""
        found = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                named = _FILE.fullmatch(entry.name)
                if named and entry.is_file(follow_symlinks=False):
                    size = _blocks(entry.stat(follow_symlinks=False).st_size)
                    found.append(Waiting(int(named["number"]), named["kind"], self._folder / entry.name, size))
                elif entry.name.startswith(".") and entry.name.endswith(".new"):
                    with suppress(FileNotFoundError):
                        os.unlink(entry.path)  # noqa: PTH108
        for message in sorted(found, key=lambda each: each.number):
            self._add(message)


def _blocks(size: int) -> int:
    return max(1, -(-size // BLOCK)) * BLOCK
