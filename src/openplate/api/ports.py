"""What the HTTP side needs from the service: one protocol, which ``openplate.service.Service`` fulfils.

Everything here is called on the event loop's thread and must not block it: whatever touches the database,
the network or a picture is a coroutine that waits for a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeVar

from openplate.formats.snapshot_request import SnapshotRequest
from openplate.pipeline import Recognizer
from openplate.storage.records import Target, Token

Flavour = Literal["sdk", "cloud"]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """What is refused while it arrives.

    Attributes:
        max_body_bytes: largest request body; more is answered with 413.
        body_deadline_s: seconds after the head of the request by which its whole body must be there.
        max_waiting_bytes: bodies of all requests together that this process holds; more is answered with 503.
        max_parts: most fields and files in one form.
        max_field_bytes: longest value of a field that is not the picture.
    """

    max_body_bytes: int = 64 * 2**20
    body_deadline_s: float = 60.0
    max_waiting_bytes: int = 512 * 2**20
    max_parts: int = 100
    max_field_bytes: int = 64 * 2**10


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture file as it was sent or fetched: its bytes, undecoded, and the last part of its name."""

    data: bytes
    filename: str


@dataclass(frozen=True, slots=True)
class NewTarget:
    """A receiver of webhooks as a client describes it; the service checks the address."""

    url: str
    event: Literal["image.done"] = "image.done"
    images: tuple[Literal["original", "vehicle", "plate"], ...] = ()
    header: str | None = None
    secret: str | None = None
    owner_email: str | None = None


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """What a receiver answered to a test message: ``status`` is None when there was no HTTP answer."""

    __test__ = False  # no test of pytest's

    delivered: bool
    status: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether requests can be served now; ``checks`` says "ok" or the trouble for each part."""

    ready: bool
    checks: Mapping[str, str]


class ServicePort(Protocol):
    """The service behind the routes. Errors are those of ``openplate.errors``; ``api.errors`` has their answers."""

    @property
    def flavour(self) -> Flavour: ...

    @property
    def success_status(self) -> int:
        """Status of a recognition that worked: 200 or 201."""
        ...

    @property
    def token_required(self) -> bool:
        """Whether recognition asks for a token; True in the cloud flavour."""
        ...

    @property
    def limits(self) -> RequestLimits: ...

    @property
    def recognizer(self) -> Recognizer:
        """The loaded networks, for ``in_pool`` work."""
        ...

    async def find_token(self, secret: str) -> Token:
        """The token with that secret.

        Raises:
            TokenError: there is none, or it is revoked.
        """
        ...

    async def admit(self, token: Token | None) -> None:
        """Called before the body of a picture is read; cheap. ``token`` is None where none is asked for.

        Raises:
            RateExceeded: the token's calls per second are used up; takes one call otherwise.
            QuotaExceeded: no calls are left in the period. Nothing is counted yet.
            Overloaded: the queue is full.
            StorageFull: an answer could not be kept or passed on.
        """
        ...

    async def fetch(self, url: str) -> Picture:
        """The picture at an ``upload_url``.

        Raises:
            AddressRefused: not an address that may be connected to.
            RequestError: it could not be fetched: status, size, time.
        """
        ...

    async def recognize(
        self, picture: Picture, request: SnapshotRequest, token: Token | None, received_at: datetime
    ) -> Mapping[str, object]:
        """The body of the answer in the service's flavour; the call is counted, kept and passed on by then.

        Args:
            picture: as sent.
            request: what is asked for.
            token: who asks.
            received_at: when the request came in, aware, UTC.

        Raises:
            ImageError: the picture cannot be used.
            RequestError: the request cannot be fulfilled.
            Overloaded: the queue is full; ``retry_after_s`` is a guess from the queue.
            QuotaExceeded: the last call of the period was taken meanwhile.
            StorageError: the answer could not be kept.
            ModelError: a network failed.
        """
        ...

    async def in_pool(self, work: Callable[[], Result]) -> Result:
        """Runs other work on pictures (blurring) in the same bounded pool of threads.

        Raises:
            Overloaded: the queue is full.
        """
        ...

    async def statistics(self, token: Token | None) -> Mapping[str, object]:
        """The body of ``/v1/statistics/``."""
        ...

    async def info(self) -> Mapping[str, object]:
        """The body of ``/info/``."""
        ...

    async def targets(self) -> Sequence[Target]: ...

    async def target(self, target_id: int) -> Target | None: ...

    async def create_target(self, target: NewTarget) -> Target:
        """Checks and stores it.

        Raises:
            RequestError: the address is not one that messages can be sent to, or another field is wrong.
        """
        ...

    async def set_target_state(self, target_id: int, state: Literal["active", "paused"]) -> Target | None:
        """Pauses or resumes it (a disabled one is enabled with its backlog); None: there is no such target."""
        ...

    async def delete_target(self, target_id: int) -> bool:
        """Removes it with its backlog; False: there is no such target."""
        ...

    async def test_target(self, target_id: int) -> TestOutcome | None:
        """Sends one sample message at once, past the queue; None: there is no such target."""
        ...

    async def readiness(self) -> Readiness: ...

    async def gauges(self) -> Mapping[str, float]:
        """Levels for /metrics by name: queue_length, busy_workers, outbox_messages, targets_disabled, ..."""
        ...
