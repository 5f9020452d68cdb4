"""Stream's files of results: lines that are whole and on the disk, pictures of events. Threads may share one folder."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import Final

from openplate.storage.files import sync_folder, translated, write_whole

_LONGEST_LINE: Final = 2**20
_log = logging.getLogger(__name__)


class ResultFiles:
    """Files beneath one folder. Every method raises StorageError, and StorageFull where a disk is full."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def append(self, name: str, line: str, header: str = "") -> None:
        """Adds a line; a new file begins with the header, one that begins with another is moved aside first.

        A line that does not fit on the disk leaves nothing of itself behind.
        """
        path = self._folder / name
        with self._lock, translated(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if header:
                _move_other_aside(path, header)
            is_new = not path.exists()
            with path.open("ab") as file:
                size = file.tell()
                text = (header if size == 0 else _ending(path)) + line
                try:
                    file.write(text.encode())
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    _cut(path, size)
                    raise
            if is_new:
                sync_folder(path.parent)

    def save(self, name: str, data: bytes) -> None:
        """Writes a picture, unless it is there already: two vehicles may be told by one frame."""
        path = self._folder / name
        with translated(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                write_whole(path, data)


def _cut(path: Path, size: int) -> None:
    try:
        os.truncate(path, size)
    except OSError as error:
        _log.error("%s may end with part of a line: %s", path, error.strerror)


def _ending(path: Path) -> str:
    """What a file lacks that a kill or a power cut left with part of a line: its end, after an open quote."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _LONGEST_LINE))
        last = file.read().rpartition(b"\n")[2]
    if not last:
        return ""
    return '"\r\n' if path.suffix == ".csv" and last.count(b'"') % 2 else "\n"


def _move_other_aside(path: Path, header: str) -> None:
    """A table of the other version is kept as ``NAME.1.csv``."""
    if not path.exists() or not path.stat().st_size:
        return
    with path.open("rb") as file:
        first = file.readline(_LONGEST_LINE)
    if first.rstrip(b"\r\n") == header.rstrip("\r\n").encode():
        return
    number = 1
    while (aside := path.with_name(f"{path.stem}.{number}{path.suffix}")).exists():
        number += 1
    path.rename(aside)
    _log.warning("%s has other columns than events have now; it is kept as %s", path, aside.name)
