"""A video file that somebody sent, and what is refused of such files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FileLimits:
    """What is refused while it arrives.

    Attributes:
        max_bytes: largest body; more is answered with 413.
        deadline_s: seconds after the head of the request by which its whole body must be there.
        min_free_bytes: the disk must have so much more than the body, else it is answered with 503.
        max_at_once: bodies that come in or are worked on at the same time; more is answered with 503.
        max_parts: most fields in one form; max_field_bytes: longest value of one that is not the file.
    """

    max_bytes: int = 4 * 2**30
    deadline_s: float = 3600.0
    min_free_bytes: int = 512 * 2**20
    max_at_once: int = 8
    max_parts: int = 100
    max_field_bytes: int = 64 * 2**10


DEFAULT_FILE_LIMITS = FileLimits()


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A video file that is on the disk until it is worked on; the fields that came with it, by name."""

    path: Path
    filename: str
    fields: Mapping[str, tuple[str, ...]]
