"""Kept recognitions: saved with their crops, found by time and plate text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, insert, select

from openplate.storage.database import Plain
from openplate.storage.media import Media
from openplate.storage.records import Entry, StoredRecognition, from_microseconds, to_microseconds
from openplate.storage.tables import plates, recognitions
from openplate.text import normalise

_INSERT = Plain(insert(recognitions))
_INSERT_PLATES = Plain(insert(plates))


def save(connection: Connection, media: Media, entry: Entry, digests: Mapping[bytes, str]) -> None:
    """Keep an entry's recognition and crops, the latter written before."""
    size = len(entry.recognition_json.encode()) + sum(len(crop.data) for crop in entry.crops)
    values: dict[str, Any] = {"id": entry.id, "at": to_microseconds(entry.at), "camera_id": entry.camera_id}
    values |= {"token_id": entry.token_id, "body": entry.recognition_json, "size": size}
    _INSERT.run(connection, values)
    texts = dict.fromkeys(normalise(text) for text in entry.texts)
    for position, text in enumerate(texts):
        _INSERT_PLATES.run(connection, {"recognition_id": entry.id, "position": position, "text": text})
    if entry.crops:
        media.own(connection, entry.id, entry.crops, digests)


def find(
    connection: Connection,
    media: Media,
    since: datetime | None,
    until: datetime | None,
    text: str | None,
    limit: int,
) -> list[StoredRecognition]:
    """Newest first, from ``since`` on and before ``until``; ``text`` may be part of a plate's."""
    conditions: list[ColumnElement[bool]] = []
    if since is not None:
        conditions.append(recognitions.c.at >= to_microseconds(since))
    if until is not None:
        conditions.append(recognitions.c.at < to_microseconds(until))
    if text is not None:
        conditions.append(
            exists().where(plates.c.recognition_id == recognitions.c.id, plates.c.text.contains(normalise(text)))
        )
    order = recognitions.c.at.desc(), recognitions.c.id
    rows = connection.execute(select(recognitions).where(*conditions).order_by(*order).limit(limit)).all()
    crops = media.owned(connection, _ids(rows)) if rows else {}
    return [
        StoredRecognition(
            id=row.id,
            at=from_microseconds(row.at),
            camera_id=row.camera_id,
            token_id=row.token_id,
            recognition_json=row.body,
            crops=crops.get(row.id, ()),
        )
        for row in rows
    ]


def _ids(rows: Sequence[Any]) -> list[str]:
    return [row.id for row in rows]
