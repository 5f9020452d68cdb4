"""Files that are on the disk as a whole or not at all, and what the system says when they cannot be."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from openplate.errors import StorageError, StorageFull


def write_whole(path: Path, data: bytes, *, is_durable: bool = True) -> None:
    """Writes beside the place and moves there; with ``is_durable`` it survives a power cut from then on.

    A process that is killed in between leaves a file ``.NAME.new``. Raises OSError.
    """
    write_by_way_of(path.with_name(f".{secrets.token_hex(8)}.new"), path, data, is_durable=is_durable)
    if is_durable:
        sync_folder(path.parent)


def write_by_way_of(new: Path, path: Path, data: bytes, *, is_durable: bool = True) -> None:
    """Writes ``new`` (in the same file system), on the disk with ``is_durable``, and moves it to its place.

    The name in the folder is on the disk after ``sync_folder`` only. Raises OSError, and leaves no ``new`` then.
    """
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            if is_durable:
                os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def sync_file(path: Path) -> None:
    """What was written without being durable survives a power cut from then on, its name too. Raises OSError."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """The names in a folder survive a power cut from then on."""
    if os.name == "nt":  # has no way to do so and needs none
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Failures of the system as StorageFull and StorageError."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"no room left for {path}") from error
        raise StorageError(f"{path}: {error.strerror or error}") from error
