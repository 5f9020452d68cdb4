"""Files that rows need: webhook pictures and crops, each kept once under the SHA-256 of its bytes.

A file is whole and on the disk before the transaction whose rows name it. It is removed only in a transaction that
no other may overlap, after looking that no row names it; a transaction that is about to name it looks that it is
still there. So no row ever waits for a file that is gone.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, bindparam, delete, insert, select

from openplate.storage.database import Database, Plain
from openplate.storage.files import sync_folder, translated, write_by_way_of
from openplate.storage.records import Attachment, File
from openplate.storage.tables import files

Item = TypeVar("Item")

_FORGOTTEN_AFTER_S = 3600.0
"""A file that no row names and that is older was left by a process that died."""
_BATCH = 500

_INSERT = Plain(insert(files))
_NEEDED = select(files.c.sha256).where(files.c.sha256.in_(bindparam("digests", expanding=True))).distinct()
_OWNED = (
    select(files.c.owner_id, files.c.name, files.c.filename, files.c.sha256)
    .where(files.c.owner_id.in_(bindparam("owners", expanding=True)))
    .order_by(files.c.owner_id, files.c.position)
)
_DISOWN = delete(files).where(files.c.owner_id.in_(bindparam("owners", expanding=True)))


class Media:
    """The folder of kept files, and who needs them."""

    def __init__(self, folder: Path, database: Database) -> None:
        self._folder = folder
        self._database = database
        with translated(folder):
            (folder / "new").mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, wanted: Iterable[File]) -> dict[bytes, str]:
        """Write the files that are not there yet, each whole and on the disk when this returns: their SHA-256."""
        digests = {data: hashlib.sha256(data).hexdigest() for data in {each.data for each in wanted}}
        for data, digest in digests.items():
            path = self._path(digest)
            with translated(path):
                if not path.exists():
                    self._write(path, data)
        for folder in {self._path(digest).parent for digest in digests.values()}:
            with translated(folder):  # also of a file that another process has only just moved there
                sync_folder(folder)
        return digests

    def own(self, connection: Connection, owner_id: str, owned: Sequence[File], digests: Mapping[bytes, str]) -> None:
        """Note in this transaction that a row needs these files, which ``put`` wrote before."""
        self._database.hold_media(connection)
        gone = [each for each in owned if not self._path(digests[each.data]).exists()]
        if gone:  # somebody else's last need of them ended in between
            self.put(gone)
        for position, each in enumerate(owned):
            values = {"owner_id": owner_id, "position": position, "name": each.name, "filename": each.filename}
            _INSERT.run(connection, {**values, "sha256": digests[each.data]})

    def owned(self, connection: Connection, owners: Sequence[str]) -> dict[str, tuple[Attachment, ...]]:
        """The files of each owner, in their order; an owner without files has no key."""
        found: dict[str, list[Attachment]] = {}
        for row in connection.execute(_OWNED, {"owners": list(owners)}):
            found.setdefault(row.owner_id, []).append(Attachment(row.name, row.filename, self._path(row.sha256)))
        return {owner: tuple(attachments) for owner, attachments in found.items()}

    def disown(self, connection: Connection, owners: Sequence[str]) -> list[str]:
        """End the owners' needs; what this returns goes to ``discard`` after the transaction."""
        digests = [row.sha256 for row in connection.execute(_OWNED, {"owners": list(owners)})]
        if digests:
            connection.execute(_DISOWN, {"owners": list(owners)})
        return digests

    def discard(self, digests: Iterable[str]) -> int:
        """Remove those files that no row needs; how many were removed."""
        return sum(self._discard(batch) for batch in _batches(set(digests)))

    def sweep(self) -> int:
        """Remove what processes left that died between writing a file and recording it; how many files."""
        removed = 0
        limit = time.time() - _FORGOTTEN_AFTER_S
        for path in _files_before(self._folder / "new", limit):
            path.unlink(missing_ok=True)
            removed += 1
        for folder in sorted(self._folder.glob("??")):
            for batch in _batches(_files_before(folder, limit)):
                digests = {path.name for path in batch}
                removed += self.discard(digests - self._database.read(partial(_needed, digests=digests)))
        return removed

    def _discard(self, digests: list[str]) -> int:
        def remove(connection: Connection) -> int:
            self._database.hold_media(connection, is_alone=True)
            unneeded = set(digests) - _needed(connection, digests)
            for digest in unneeded:
                self._path(digest).unlink(missing_ok=True)
            return len(unneeded)

        with translated(self._folder):
            return self._database.write(remove, is_durable=False)

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest

    def _write(self, path: Path, data: bytes) -> None:
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            sync_folder(self._folder)
        write_by_way_of(self._folder / "new" / secrets.token_hex(16), path, data)


def _batches(everything: Iterable[Item]) -> Iterator[list[Item]]:
    rest = iter(everything)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _needed(connection: Connection, digests: Iterable[str]) -> set[str]:
    return set(connection.execute(_NEEDED, {"digests": list(digests)}).scalars())


def _files_before(folder: Path, limit: float) -> Iterator[Path]:
    with os.scandir(folder) as found:
        names = [each.name for each in found]
    for name in names:
        path = folder / name
        try:
            is_old = path.stat().st_mtime < limit
        except FileNotFoundError:  # another process was faster
            continue
        if is_old:
            yield path
