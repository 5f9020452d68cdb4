"""What every source of frames has in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

from openplate.imaging.frame import Frame


class Source(Protocol):
    """Frames of one camera, video or folder, in order.

    Iterating a live source ends by an error only: SourceUnavailable or SourceEnded. ``close`` may be called more
    than once, by the thread that iterates.
    """

    is_live: bool
    decode_errors: int

    def __iter__(self) -> Iterator[Frame]: ...

    def close(self) -> None: ...


def without_password(where: str) -> str:
    """The address as it may be shown: user name and password left out, and what follows the ``?``."""
    parts = urlsplit(where)
    if not parts.netloc:
        return where
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))
