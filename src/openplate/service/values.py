"""What goes between the service and those who speak for it: small frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


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
