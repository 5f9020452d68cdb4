"""A real store in a temporary folder, messages in it, and a clock that tests can turn."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from openplate.delivery.addresses import AddressPolicy
from openplate.delivery.connections import ConnectionPolicy
from openplate.delivery.dispatcher import Dispatcher, DispatcherOptions, TargetOptions
from openplate.delivery.mail import SendMail
from openplate.storage import Entry, File, Message, Store, Target

POLICY = ConnectionPolicy(AddressPolicy(allow_private=True), timeout_s=2)
OPTIONS = DispatcherOptions(senders=4, poll_s=0.02)


class Clock:
    """Runs with the real time, and can be turned forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def turn(self, **by: float) -> None:
        self.ahead += timedelta(**by)


@dataclass
class Desk:
    """A store with a clock; each message is numbered, so that order and loss can be seen."""

    store: Store
    clock: Clock = field(default_factory=Clock)
    policy: ConnectionPolicy = POLICY

    def tell(self, target: Target, *numbers: int, files: tuple[File, ...] = ()) -> None:
        """Records an event for the target under each of the numbers."""
        for number in numbers:
            body = json.dumps({"hook": {"id": target.id}, "data": {"number": number}})
            entry = Entry(uuid.uuid4().hex, None, None, self.clock(), "{}")
            self.store.record(replace(entry, messages=(Message(target.id, body, files),)), self.clock())

    @contextlib.contextmanager
    def dispatching(
        self,
        options: DispatcherOptions = OPTIONS,
        send_mail: SendMail | None = None,
        special: Mapping[int, TargetOptions] = MappingProxyType({}),
    ) -> Iterator[Dispatcher]:
        dispatcher = Dispatcher(self.store, self.policy, send_mail, options, self.clock, lambda: 0.5, dict(special))
        dispatcher.start()
        try:
            yield dispatcher
        finally:
            dispatcher.stop(5)
            assert dispatcher.counts().busy == 0

    def waiting(self) -> int:
        """Messages that wait for an attempt."""
        return sum(each.waiting for each in self.store.backlog())


@contextlib.contextmanager
def a_desk(folder: Path) -> Iterator[Desk]:
    store = Store.open(None, folder, min_free_bytes=1)
    try:
        yield Desk(store)
    finally:
        store.close()


def number_of(body: bytes) -> int:
    """The number of a message that came as JSON or as a form."""
    start, end = body.index(b'{"hook"'), body.rindex(b"}}") + 2
    number = json.loads(body[start:end])["data"]["number"]
    assert isinstance(number, int)
    return number
