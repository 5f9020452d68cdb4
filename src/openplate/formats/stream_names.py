"""Names of files as Plate Recognizer's Stream writes them: ``$(camera)_%y-%m-%d.csv``, beneath one folder."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Final

CAMERA: Final = "$(camera)"
USER_DATA: Final = "/user-data/"
"""The folder of Stream's container. A pattern that begins with it means the same as without it."""

_LONGEST_PART: Final = 255
_LONGEST: Final = 1000
_A_TIME: Final = datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


def file_name(pattern: str, camera: str, at: datetime, zone: tzinfo) -> str:
    """The name of a file beneath the folder of results, with ``/`` between its parts.

    Args:
        pattern: ``$(camera)`` stands for the camera's id; then the codes of strftime, ``%f`` for microseconds.
        camera: the id; its own percent signs are no codes.
        at: the frame's time, aware.
        zone: in which the name tells it.

    Raises:
        ValueError: it would lie elsewhere, or is no name of a file.
    """
    if at.utcoffset() is None:
        raise ValueError("a time needs its time zone")
    local = pattern.removeprefix(USER_DATA).replace(CAMERA, camera.replace("%", "%%"))
    name = at.astimezone(zone).strftime(local)
    parts = name.split("/")
    if not local.isprintable() or not name.isprintable() or len(name) > _LONGEST or "\\" in name:
        raise ValueError(f"{name[:200]!r} is no name of a file")
    for part in parts:
        if part.strip() in ("", ".", "..") or len(part.encode()) > _LONGEST_PART:
            raise ValueError(f"{name[:200]!r} is no name of a file beneath the folder of results")
    if len(parts[0]) > 1 and parts[0][1] == ":":
        raise ValueError(f"{name[:200]!r} names a drive")
    return name


def check_pattern(pattern: str, camera: str) -> None:
    """Raises ValueError for a pattern that makes no name of a file."""
    file_name(pattern, camera, _A_TIME, UTC)


def check_camera_id(camera: str) -> None:
    """Raises ValueError for an id that cannot be part of a file's name."""
    is_plain = camera.isprintable() and not set(camera) & set('/\\:*?"<>|')
    if not is_plain or camera.strip(" .") != camera or not 0 < len(camera) <= 100:
        raise ValueError(f"{camera[:200]!r} cannot be part of the name of a file")
