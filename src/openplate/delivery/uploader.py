"""Uploads what a queue holds, as Scout's agent does: each message a POST of one JSON document.

2xx takes a message. A receiver that refuses one may take others: it is tried again later, by itself. One that does
not answer gets nothing but one attempt after growing delays, until it is back; then all that waits follows.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from openplate.delivery.addresses import AddressPolicy
from openplate.delivery.connections import Body, Caller, ConnectionPolicy
from openplate.delivery.schedule import JITTER, Outcome, outcome_of, retry_after_s
from openplate.delivery.upload_queue import UploadQueue, Waiting
from openplate.errors import DeliveryError, RequestError, StorageError

HEADERS: Final = MappingProxyType({"Accept": "application/json", "charsets": "utf-8"})
CONTENT_TYPE: Final = "application/json"
POLICY: Final = ConnectionPolicy(AddressPolicy(allow_private=True), timeout_s=30.0, max_redirects=3)
"""The address is the operator's own choice, so it may be on this machine or in this network."""
LONGEST_SILENCE_S: Final = 3600.0
"""The most that is waited when a receiver asks for silence."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class UploadOptions:
    """How to upload.

    Attributes:
        threads: messages that are sent at the same time.
        first_delay_s: before the second attempt; it doubles from one to the next.
        longest_delay_s: between attempts while the receiver does not answer.
        longest_refused_s: between attempts of a message that the receiver refuses.
    """

    threads: int = 2
    first_delay_s: float = 2.0
    longest_delay_s: float = 60.0
    longest_refused_s: float = 4 * 3600.0


@dataclass(frozen=True, slots=True)
class UploadCounts:
    """``uploaded`` and ``failed`` attempts since the start, ``dropped`` messages, and what waits now."""

    uploaded: int
    failed: int
    dropped: int
    waiting: int
    waiting_bytes: int
    is_failing: bool


class Uploader:
    """Empties a queue while it runs, in threads of its own."""

    def __init__(
        self,
        queue: UploadQueue,
        address: str,
        options: UploadOptions | None = None,
        policy: ConnectionPolicy = POLICY,
    ) -> None:
        self._queue, self._address, self._policy = queue, address, policy
        self._options = options or UploadOptions()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._uploaded = self._failed = self._in_a_row = 0
        self._rest_until = 0.0
        self._is_trying = False
        self._callers = [Caller(policy) for _ in range(self._options.threads)]
        self._threads = [
            threading.Thread(target=self._run, args=(caller,), name=f"upload {number}", daemon=True)
            for number, caller in enumerate(self._callers, 1)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Ends: what is being sent may finish until then; after it, it is cut off and waits for the next start."""
        until = time.monotonic() + timeout_s
        self._stopping.set()
        with self._queue.changed:
            self._queue.changed.notify_all()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))
        for thread, caller in zip(self._threads, self._callers, strict=True):
            if thread.is_alive():
                caller.abort()
                thread.join(1.0)

    def counts(self) -> UploadCounts:
        with self._lock:
            return UploadCounts(
                self._uploaded,
                self._failed,
                self._queue.dropped,
                len(self._queue),
                self._queue.used_bytes,
                self._in_a_row > 0,
            )

    def _run(self, caller: Caller) -> None:
        with caller:
            while not self._stopping.is_set():
                try:
                    self._turn(caller)
                except StorageError as error:
                    _log.error("the queue of uploads cannot be used: %s", error)
                    self._stopping.wait(self._options.first_delay_s)
                except Exception:
                    _log.exception("an upload failed in a way that nobody expected")
                    self._stopping.wait(self._options.first_delay_s)

    def _turn(self, caller: Caller) -> None:
        """One attempt, or a wait for something to do."""
        rest_s = self._may_try()
        if rest_s > 0:
            self._wait(rest_s)
            return
        message = self._queue.take()
        try:
            if message is None:
                due_s = self._queue.due_in_s()
            else:
                due_s = 0.0
                self._attempt(caller, message)
        finally:
            with self._lock:
                self._is_trying = False
        if message is None:
            self._wait(1.0 if due_s is None else min(due_s, 1.0))

    def _wait(self, seconds: float) -> None:
        """Until something changes in the queue, at most so long."""
        with self._queue.changed:
            if not self._stopping.is_set() and seconds > 0:
                self._queue.changed.wait(min(seconds, 1.0))

    def _may_try(self) -> float:
        """0: go on; else seconds to wait. While the receiver does not answer, one thread at a time tries."""
        with self._lock:
            if not self._in_a_row:
                return 0.0
            left = self._rest_until - time.monotonic()
            if left > 0:
                return left
            if self._is_trying:
                return 0.1
            self._is_trying = True
            return 0.0

    def _attempt(self, caller: Caller, message: Waiting) -> None:
        try:
            body = Body.of(CONTENT_TYPE, [message.path.read_bytes()])
        except FileNotFoundError:  # dropped meanwhile, or taken away by somebody
            self._queue.done(message)
            return
        except OSError as error:
            raise StorageError(f"{message.path}: {error.strerror or error}") from error
        asked_s: float | None = None
        try:
            answer = caller.exchange("POST", self._address, HEADERS, body)
        except (DeliveryError, RequestError) as error:
            if self._stopping.is_set():
                self._queue.again(message, 0.0, is_counted=False)
                return
            outcome, detail = Outcome.UNREACHABLE, str(error)
        else:
            outcome, detail = outcome_of(answer.status), f"HTTP status {answer.status}"
            asked_s = retry_after_s(answer.headers.get("retry-after"), datetime.now(UTC))
        if outcome is Outcome.DELIVERED:
            self._succeed(message)
        else:
            self._fail(message, outcome, detail, asked_s)

    def _succeed(self, message: Waiting) -> None:
        self._queue.done(message)
        with self._lock:
            self._uploaded += 1
            was_failing, self._in_a_row = self._in_a_row > 0, 0
        if was_failing:
            _log.warning("uploads to %s work again; %d wait", self._address, len(self._queue))

    def _fail(self, message: Waiting, outcome: Outcome, detail: str, asked_s: float | None) -> None:
        """The message waits longer each time; a silent receiver rests too, and then gets another message first, as
        it may be this one that it cannot swallow.
        """
        is_reachable = outcome is not Outcome.UNREACHABLE
        longest_s = self._options.longest_refused_s if is_reachable else self._options.longest_delay_s
        with self._lock:
            self._failed += 1
            is_first = not is_reachable and self._in_a_row == 0
            self._in_a_row = 0 if is_reachable else self._in_a_row + 1
            if not is_reachable:
                rest_s = self._delay_s(self._in_a_row, self._options.longest_delay_s, asked_s)
                self._rest_until = time.monotonic() + rest_s
        self._queue.again(message, self._delay_s(message.attempts + 1, longest_s, asked_s))
        if is_reachable:
            _log.warning("%s refuses %s %d: %s", self._address, message.kind, message.number, detail)
        elif is_first:
            _log.warning("uploads to %s fail, what comes waits: %s", self._address, detail)

    def _delay_s(self, attempts: int, longest_s: float, asked_s: float | None) -> float:
        grown = min(self._options.first_delay_s * 2.0 ** min(attempts - 1, 40), longest_s)
        delay_s = grown * (1 + JITTER * (2 * random.random() - 1))
        return delay_s if asked_s is None else max(delay_s, min(asked_s, LONGEST_SILENCE_S))
