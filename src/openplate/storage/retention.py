"""Removing what has been kept long enough, in small transactions that let others in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, func, select

from openplate.storage.database import Database
from openplate.storage.media import Media
from openplate.storage.records import to_microseconds
from openplate.storage.tables import counted, deliveries, recognitions

_BATCH = 500
_SECOND = 1_000_000


def remove_recognitions(
    database: Database, media: Media, now: datetime, keep_for_s: float | None, keep_bytes: int | None
) -> tuple[int, int]:
    """Remove the recognitions that are too old, then the oldest until the rest fits: recognitions, files."""
    rows = files = 0
    if keep_for_s is not None:
        limit = to_microseconds(now) - round(keep_for_s * _SECOND)
        rows, files = _remove_all(database, media, lambda connection: _before(connection, limit))
    if keep_bytes is not None:
        more = _remove_all(database, media, lambda connection: _oldest_above(connection, keep_bytes))
        rows, files = rows + more[0], files + more[1]
    return rows, files


def _remove_all(database: Database, media: Media, choose: Callable[[Connection], list[str]]) -> tuple[int, int]:
    def remove(connection: Connection) -> tuple[list[str], list[str]]:
        ids = choose(connection)
        connection.execute(delete(recognitions).where(recognitions.c.id.in_(ids)))
        return ids, media.disown(connection, ids)

    rows = files = 0
    while database.read(choose):
        ids, digests = database.write(remove, is_durable=False)
        rows += len(ids)
        files += media.discard(digests)
    return rows, files


def _before(connection: Connection, limit: int) -> list[str]:
    oldest = select(recognitions.c.id).where(recognitions.c.at < limit).order_by(recognitions.c.at).limit(_BATCH)
    return list(connection.execute(oldest).scalars())


def _oldest_above(connection: Connection, keep_bytes: int) -> list[str]:
    total = connection.execute(select(func.coalesce(func.sum(recognitions.c.size), 0))).scalar_one()
    chosen = []
    if total > keep_bytes:
        oldest = select(recognitions.c.id, recognitions.c.size).order_by(recognitions.c.at).limit(_BATCH)
        for row in connection.execute(oldest):
            if total <= keep_bytes:
                break
            total -= row.size
            chosen.append(row.id)
    return chosen


def remove_given_up(database: Database, media: Media, now: datetime, keep_for_s: float) -> tuple[int, int]:
    """Remove deliveries that were given up and are too old: deliveries, files."""
    limit = to_microseconds(now) - round(keep_for_s * _SECOND)
    is_old = deliveries.c.next_at.is_(None), deliveries.c.created_at < limit

    def remove(connection: Connection) -> tuple[list[str], list[str]]:
        ids = list(connection.execute(select(deliveries.c.id).where(*is_old).limit(_BATCH)).scalars())
        connection.execute(delete(deliveries).where(deliveries.c.id.in_(ids)))
        return ids, media.disown(connection, ids)

    rows = files = 0
    while database.read(lambda connection: connection.execute(select(deliveries.c.id).where(*is_old)).first()):
        ids, digests = database.write(remove, is_durable=False)
        rows += len(ids)
        files += media.discard(digests)
    return rows, files


def forget_counted(database: Database, now: datetime, keep_for_s: float) -> None:
    """Forget the ids of calls that nobody will record a second time any more."""
    is_old = counted.c.at < to_microseconds(now) - round(keep_for_s * _SECOND)
    some = select(counted.c.id).where(is_old).limit(_BATCH)
    while database.write(lambda connection: _delete_counted(connection, counted.c.id.in_(some)), is_durable=False):
        pass


def _delete_counted(connection: Connection, which: ColumnElement[bool]) -> int:
    return connection.execute(delete(counted).where(which)).rowcount
