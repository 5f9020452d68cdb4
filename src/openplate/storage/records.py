"""What is stored and handed out, as small frozen values. Times are aware datetimes, given out in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from openplate.errors import StorageError

ImageKind = Literal["original", "vehicle", "plate"]
TargetState = Literal["active", "paused", "disabled"]

IMAGE_KINDS: tuple[ImageKind, ...] = ("original", "vehicle", "plate")
TARGET_STATES: tuple[TargetState, ...] = ("active", "paused", "disabled")
IMAGE_DONE = "image.done"
"""The one event that targets are told of."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_microseconds(moment: datetime) -> int:
    """Microseconds since 1970, as the database has them. A moment without a time zone is a StorageError."""
    if moment.tzinfo is None:
        raise StorageError(f"a stored time needs a time zone: {moment.isoformat()}")
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """The moment in UTC."""
    return _EPOCH + microseconds * _MICROSECOND


@dataclass(frozen=True, slots=True)
class Token:
    """Who may call. The secret itself is not kept; ``prefix`` is its first six characters.

    ``calls_per_month`` and ``calls_per_second`` are its limits, None for none.
    """

    id: int
    name: str
    prefix: str
    created_at: datetime
    revoked_at: datetime | None = None
    calls_per_month: int | None = None
    calls_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """The calls of one calendar month (UTC) and how many are allowed, None for any number.

    ``resets_on`` is the first moment of the next month.
    """

    calls: int
    allowed: int | None
    year: int
    month: int
    resets_on: datetime


@dataclass(frozen=True, slots=True)
class Target:
    """A webhook receiver. ``failing_since`` is the first failure after the last success."""

    id: int
    url: str
    event: str
    images: tuple[ImageKind, ...]
    header: str | None
    secret: str | None
    state: TargetState
    owner_email: str | None
    created_at: datetime
    failing_since: datetime | None = None


class File(NamedTuple):
    """A file to be kept: the field it is sent as, the name it is sent under, its bytes."""

    name: str
    filename: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Attachment:
    """A kept file: the field it is sent as, the name it is sent under, where its bytes are."""

    name: str
    filename: str
    path: Path


@dataclass(frozen=True, slots=True)
class Message:
    """What a target is to be told: the JSON text of the body, and the files that go with it."""

    target_id: int
    body: str
    attachments: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One recognition call. ``id`` (32 hex digits) is what makes recording it twice harmless.

    ``keep`` asks for the recognition with its crops to be kept, findable by the plates' ``texts``.
    """

    id: str
    token_id: int | None
    camera_id: str | None
    at: datetime
    recognition_json: str
    keep: bool = False
    crops: tuple[File, ...] = ()
    messages: tuple[Message, ...] = ()
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way to one target; ``id`` (32 hex digits) stays the same over all attempts.

    ``created_at`` is when it was queued, or queued again by an enabled target.
    """

    id: str
    target_id: int
    event_id: str
    body: str
    attachments: tuple[Attachment, ...]
    attempts: int
    created_at: datetime
    next_at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for a target: ``waiting`` for an attempt, and ``given_up`` until it is queued again."""

    target_id: int
    waiting: int
    given_up: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class StoredRecognition:
    """A kept recognition, as Openplate's own JSON, with its crops."""

    id: str
    at: datetime
    camera_id: str | None
    token_id: int | None
    recognition_json: str
    crops: tuple[Attachment, ...]


@dataclass(frozen=True, slots=True)
class Removed:
    """What a round of tidying removed: recognitions, given-up deliveries, files that nobody needed."""

    recognitions: int = 0
    deliveries: int = 0
    files: int = 0
