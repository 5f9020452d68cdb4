"""What the HTTP side needs from the service: one protocol, which ``openplate.service.Service`` fulfils.

Everything here is called on the event loop's thread and must not block it: whatever touches the database,
the network or a picture is a coroutine that waits for a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol, TypeVar

from openplate.formats.snapshot_request import SnapshotRequest
from openplate.pipeline import Recognizer
from openplate.service.values import NewTarget, Picture, Readiness, RequestLimits, TestOutcome
from openplate.storage.records import Target, Token

__all__ = ["Flavour", "NewTarget", "Picture", "Readiness", "RequestLimits", "ServicePort", "TestOutcome", "TokenPort"]

Flavour = Literal["sdk", "cloud"]
Result = TypeVar("Result")


class TokenPort(Protocol):
    """Who may ask."""

    @property
    def token_required(self) -> bool: ...

    async def find_token(self, secret: str) -> Token: ...


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

    async def count(self, token: Token | None, camera_id: str | None, at: datetime) -> None:
        """Counts a call of which nothing is kept or passed on.

        Raises:
            QuotaExceeded: the last call of the period was taken meanwhile.
            StorageError: it could not be counted.
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
