"""One process at a time works on a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from openplate.errors import StorageError
from openplate.storage.files import translated

_NAME: Final = ".lock"


class FolderLock:
    """Held until ``release``, or until the process ends in whatever way."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder where it is missing.

        Raises:
            StorageError: it cannot be used, or another process holds it.
        """
        with translated(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._handle: int | None = os.open(folder / _NAME, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(self._handle)
        except OSError as error:
            self.release()
            raise StorageError(
                f"{folder} is in use by another `openplate watch`; give this one a folder of its own "
                "(OPENPLATE_STORAGE_DATA_FOLDER)"
            ) from error

    def release(self) -> None:
        """May be called more than once."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


if os.name == "posix":
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

else:
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
