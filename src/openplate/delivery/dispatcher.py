"""The dispatcher: takes messages out of the outbox and brings them to their targets, a thread for each busy one."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from openplate.delivery.connections import Caller, ConnectionPolicy
from openplate.delivery.mail import SendMail
from openplate.delivery.messages import sample_body
from openplate.delivery.schedule import GIVE_UP_AFTER, Outcome, has_failed_too_long, next_attempt
from openplate.delivery.sender import Attempt, attempt, send
from openplate.errors import DeliveryError, StorageError
from openplate.storage import Store
from openplate.storage.records import Delivery, Target

BATCH: Final = 16
TURN_S: Final = 10.0
"""After that long a thread looks whether other targets wait for one."""
CROWDED_S: Final = 5.0
"""How long a failing target rests when too many of them are being tried."""
MAIL_S: Final = 300.0
"""How long a target is held while its owner is told."""
REFUSALS_IN_A_ROW: Final = 3
"""A target that refuses that many messages, one after the other, rests like one that does not answer."""

CLOCK_TOLERATED_S: Final = 2.0
"""By so much the machine's clock may go back from one look at the outbox to the next, as NTP does."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DispatcherOptions:
    """How a dispatcher works.

    Attributes:
        senders: targets that are sent to at the same time.
        poll_s: how often the outbox is looked at, beside ``wake``.
        give_up_after: how long a message is tried, and how long a target may fail.
        lease_margin_s: a target is held for that long beyond the time of one attempt. When a process is killed,
            its targets wait until that is over.
    """

    senders: int = 32
    poll_s: float = 1.0
    give_up_after: timedelta = GIVE_UP_AFTER
    lease_margin_s: float = 15.0


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """What holds for one target alone.

    Attributes:
        timeout_s: for one attempt, at most that of the policy; None: that of the policy.
        tries_once: a message that it does not take is forgotten, and the next one follows at once.
    """

    timeout_s: float | None = None
    tries_once: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """What a dispatcher did since it was made.

    ``failed`` are attempts, ``dropped`` messages that were forgotten after theirs; ``busy`` is how many targets it is
    sending to right now.
    """

    delivered: int = 0
    failed: int = 0
    dropped: int = 0
    disabled: int = 0
    busy: int = 0


@dataclass(slots=True)
class _Turn:
    """One target in the hands of one thread."""

    target: Target
    owner: str
    caller: Caller
    held_until: float = 0.0
    """Monotonic seconds."""
    began_failing: bool = False
    refusals: int = 0
    rest_until: datetime | None = None


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(eq=False)
class Dispatcher:
    """Delivers what is in a store's outbox while it runs; several processes may do so with the same store.

    Args:
        store: the outbox.
        policy: what may be connected to, and for how long.
        send_mail: tells owners that their target was disabled; None where there is no mail server.
        special: targets that are treated in a way of their own, by their ids.
        now: the time, aware. random: numbers from 0 to 1.
    """

    store: Store
    policy: ConnectionPolicy
    send_mail: SendMail | None = None
    options: DispatcherOptions = field(default_factory=DispatcherOptions)
    now: Callable[[], datetime] = _utc_now
    random: Callable[[], float] = random.random
    special: dict[int, TargetOptions] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._news = threading.Event()
        self._slots = threading.BoundedSemaphore(self.options.senders)
        self._lock = threading.Lock()
        self._turns: dict[str, tuple[_Turn, threading.Thread]] = {}
        self._totals = dict.fromkeys(("delivered", "failed", "dropped", "disabled"), 0)
        self._leader: threading.Thread | None = None
        self._clock_ahead_s: float | None = None  # of the monotonic one, at the last look

    def start(self) -> None:
        """Begins to deliver, in threads of its own."""
        if self._leader is not None:
            raise RuntimeError("the dispatcher was started before")
        self._leader = threading.Thread(target=self._lead, name="deliveries", daemon=True)
        self._leader.start()

    def wake(self) -> None:
        """Says that there is something new in the outbox; cheap, from any thread."""
        self._news.set()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Ends: attempts that are under way may finish until then, after it they are cut off and count for nothing."""
        until = time.monotonic() + timeout_s
        self._stopping.set()
        self._news.set()
        if self._leader is not None:
            self._leader.join(max(0.0, until - time.monotonic()))
        for _, thread in self._current():
            thread.join(max(0.0, until - time.monotonic()))
        for turn, thread in self._current():
            turn.caller.abort()
            thread.join(1.0)

    def counts(self) -> Counts:
        with self._lock:
            return Counts(**self._totals, busy=len(self._turns))

    def send_test(self, target: Target) -> Attempt:
        """Sends a sample message at once, past the queue and without any consequence for the target."""
        now = self.now()
        with Caller(self._policy_of(target)) as caller:
            return send(caller, target, uuid.uuid4().hex, sample_body(target, now), now)

    def _policy_of(self, target: Target) -> ConnectionPolicy:
        timeout_s, most_s = self.special.get(target.id, TargetOptions()).timeout_s, self.policy.timeout_s
        return self.policy if timeout_s is None else replace(self.policy, timeout_s=min(timeout_s, most_s))

    def _current(self) -> list[tuple[_Turn, threading.Thread]]:
        with self._lock:
            return list(self._turns.values())

    # The leader: finds targets with work, and gives each a thread.

    def _lead(self) -> None:
        while not self._stopping.is_set():
            self._news.clear()
            if not self._slots.acquire(timeout=self.options.poll_s):
                continue
            try:
                self._notice_clock()
                begun = self._begin_turn()
            except StorageError as error:
                _log.error("the outbox cannot be read: %s", error)
                begun = False
            except Exception:
                _log.exception("no target could be chosen")
                begun = False
            if not begun:
                self._slots.release()
                self._news.wait(self.options.poll_s)

    def _notice_clock(self) -> None:
        """Where the clock was set back, nothing waits for it to come as far again."""
        now = self.now()
        before_s, ahead_s = self._clock_ahead_s, now.timestamp() - time.monotonic()
        if before_s is not None and ahead_s < before_s - CLOCK_TOLERATED_S:
            _log.warning("the clock was set back by %.0f s: what waits is due now", before_s - ahead_s)
            # Holders of longer leases renew them.
            self.store.clock_set_back(now, max(self._lease_s, MAIL_S))
        self._clock_ahead_s = ahead_s

    def _begin_turn(self) -> bool:
        """Whether there was a target with work; its thread then has the slot."""
        owner = f"{os.getpid()}-{uuid.uuid4().hex}"
        target = self.store.lease_target(owner, self.now(), self._lease_s)
        while target is not None and target.failing_since is not None and not self._has_slot_for_failing():
            rest_until = self.now() + timedelta(seconds=CROWDED_S)
            self.store.release_target(target.id, owner, rest_until)
            target = self.store.lease_target(owner, self.now(), self._lease_s)
        if target is None:
            return False
        held_until = time.monotonic() + self._lease_s
        turn = _Turn(target, owner, Caller(self._policy_of(target)), held_until, target.failing_since is not None)
        thread = threading.Thread(target=self._run, args=(turn,), name=f"deliveries to {target.id}", daemon=True)
        with self._lock:
            self._turns[owner] = turn, thread
            try:
                thread.start()
            except RuntimeError as error:  # no more threads; the lease ends by itself
                _log.error("no thread for deliveries to target %d: %s", target.id, error)
                del self._turns[owner]
                return False
        return True

    def _has_slot_for_failing(self) -> bool:
        """Targets that fail share half of the slots, so that many hanging ones leave room for those that work."""
        failing = sum(turn.began_failing for turn, _ in self._current())
        return failing < max(1, self.options.senders // 2)

    @property
    def _lease_s(self) -> float:
        return self.policy.timeout_s + self.options.lease_margin_s

    # A sender: one target, until nothing is due or its turn is over.

    def _run(self, turn: _Turn) -> None:
        try:
            with turn.caller:
                self._deliver_all(turn)
        except StorageError as error:
            _log.error("deliveries to target %d stop for now: %s", turn.target.id, error)
            turn.rest_until = self.now() + timedelta(seconds=self.options.poll_s)
        except Exception:
            _log.exception("deliveries to target %d stop for now", turn.target.id)
            turn.rest_until = self.now() + timedelta(minutes=1)
        finally:
            with suppress(StorageError):  # then the lease ends by itself
                self.store.release_target(turn.target.id, turn.owner, turn.rest_until)
            with self._lock:
                del self._turns[turn.owner]
            self._slots.release()
            self._news.set()

    def _deliver_all(self, turn: _Turn) -> None:
        turn_ends = time.monotonic() + TURN_S
        while batch := self.store.due(turn.target.id, self.now(), BATCH):
            for delivery in batch:
                if self._stopping.is_set() or time.monotonic() > turn_ends or not self._still_holds(turn):
                    return
                if not self._deliver(turn, delivery):
                    return

    def _still_holds(self, turn: _Turn) -> bool:
        """Whether the target is active still, as it is now, and leased for long enough for another attempt."""
        target = self.store.target(turn.target.id)
        if target is None or target.state != "active":
            return False
        turn.target = target
        if turn.held_until - time.monotonic() > self._lease_s - self.options.lease_margin_s / 2:
            return True
        turn.held_until = time.monotonic() + self._lease_s
        return self.store.renew_lease(target.id, turn.owner, self.now(), self._lease_s)

    def _deliver(self, turn: _Turn, delivery: Delivery) -> bool:
        """One attempt with its consequences; whether to go on with the target's next message."""
        made = attempt(turn.caller, turn.target, delivery, self.now())
        if made.outcome is Outcome.DELIVERED:
            self.store.delivered(delivery.id, self.now())
            turn.refusals = 0
            self._count("delivered")
            return True
        if self._stopping.is_set() and made.status is None:
            return False  # cut off by us: no failure of the receiver's
        self._count("failed")
        if self.special.get(turn.target.id, TargetOptions()).tries_once and made.outcome is not Outcome.GONE:
            self.store.dropped(delivery.id, self.now())
            self._count("dropped")
            _log.error("message %s to target %d is not kept: %s", delivery.id, turn.target.id, made.detail)
            return True
        return self._fail(turn, delivery, made)

    def _fail(self, turn: _Turn, delivery: Delivery, made: Attempt) -> bool:
        now, attempts = self.now(), delivery.attempts + 1
        target, give_up_after = turn.target, self.options.give_up_after
        is_gone = made.outcome is Outcome.GONE
        following: datetime | None = now
        if not is_gone:  # a target that is gone keeps its backlog as it is
            chance = self.random()
            following = next_attempt(attempts, delivery.created_at, now, made.retry_after_s, chance, give_up_after)
        self.store.failed(delivery.id, now, following, made.detail)
        _log.warning("message %s to target %d, attempt %d: %s", delivery.id, target.id, attempts, made.detail)
        if following is None:
            _log.error("message %s to target %d is given up after %d attempts", delivery.id, target.id, attempts)
        if is_gone or has_failed_too_long(
            target.failing_since, attempts, now, is_given_up=following is None, give_up_after=give_up_after
        ):
            self.store.renew_lease(target.id, turn.owner, now, MAIL_S)
            self._disable(target, made)
            return False
        turn.refusals += 1
        if made.outcome is Outcome.REFUSED and turn.refusals < REFUSALS_IN_A_ROW:
            return True
        turn.rest_until = following
        return False

    def _disable(self, target: Target, made: Attempt) -> None:
        """Tells the owner, then disables: whoever is killed in between tells twice rather than never."""
        _log.error("target %d (%s) is disabled: %s", target.id, target.url, made.detail)
        if target.owner_email is not None and self.send_mail is not None:
            subject, text = _farewell(target, made)
            try:
                self.send_mail(target.owner_email, subject, text)
            except DeliveryError as error:
                _log.error("the owner of target %d could not be told: %s", target.id, error)
        self.store.set_target_state(target.id, "disabled")
        self._count("disabled")

    def _count(self, what: str) -> None:
        with self._lock:
            self._totals[what] += 1


def _farewell(target: Target, made: Attempt) -> tuple[str, str]:
    since = "" if target.failing_since is None else f" since {target.failing_since:%Y-%m-%d %H:%M} UTC"
    reason = "said that it wants no more messages" if made.outcome is Outcome.GONE else f"took no message{since}"
    lines = (
        f"Openplate no longer sends messages to webhook {target.id}, {target.url},",
        f"because it {reason}. The last attempt ended with: {made.detail}.",
        "",
        "What waits for it is kept; results from now on are not queued for it. When the receiver works again,",
        "",
        f"    openplate webhooks resume {target.id}",
        "",
        "sends what waits and all that follows.",
    )
    return f"Openplate: webhook {target.id} is disabled", "\n".join(lines)
