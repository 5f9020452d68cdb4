"""The outbox: what waits for a target, and the lease by which one process at a time delivers to it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, or_, select, update

from openplate.storage import targets as receivers
from openplate.storage.database import Plain
from openplate.storage.media import Media
from openplate.storage.records import Backlog, Delivery, Message, Target, from_microseconds, to_microseconds
from openplate.storage.tables import deliveries, targets

_COLUMNS = ("id", "target_id", "event_id", "body", "attempts", "created_at", "next_at")
# Nothing for a target that is gone; a target that is there stays until the transaction ends.
_INSERT = Plain(
    insert(deliveries).from_select(
        _COLUMNS,
        select(*(bindparam(name, type_=deliveries.c[name].type) for name in _COLUMNS))
        .where(targets.c.id == bindparam("target_id", type_=targets.c.id.type))
        .with_for_update(read=True, key_share=True),
    )
)
_FREE = (
    targets.c.state == "active",
    targets.c.not_before <= bindparam("now"),
    or_(targets.c.lease_until <= bindparam("now"), targets.c.lease_owner == bindparam("owner")),
    exists().where(deliveries.c.target_id == targets.c.id, deliveries.c.next_at <= bindparam("now")),
)
# Who was served longest ago comes first, so that every target gets its turn.
_CHOICES = select(targets.c.id).where(*_FREE).order_by(targets.c.leased_at, targets.c.id)
_LEASE = (
    update(targets)
    .where(targets.c.id == bindparam("which"), *_FREE)
    .values(lease_owner=bindparam("owner"), lease_until=bindparam("until"), leased_at=bindparam("now"))
    .returning(*receivers.COLUMNS)
)
_RENEW = (
    update(targets)
    .where(targets.c.id == bindparam("which"), targets.c.lease_owner == bindparam("owner"))
    .where(targets.c.lease_until > bindparam("now"))
    .values(lease_until=bindparam("until"))
)
_RELEASE = (
    update(targets)
    .where(targets.c.id == bindparam("which"), targets.c.lease_owner == bindparam("owner"))
    .values(lease_owner=None, lease_until=0, not_before=bindparam("moment"))
)
# The sum keeps the database from sorting all that is due: it walks in order of arrival and stops at the limit.
_DUE = (
    select(deliveries)
    .where(deliveries.c.target_id == bindparam("which"), deliveries.c.next_at + 0 <= bindparam("now"))
    .order_by(deliveries.c.sequence)
    .limit(bindparam("most"))
)
_REMOVE = delete(deliveries).where(deliveries.c.id == bindparam("which")).returning(deliveries.c.target_id)
_POSTPONE = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("which"))
    .values(attempts=deliveries.c.attempts + 1, next_at=bindparam("moment"), error=bindparam("reason"))
    .returning(deliveries.c.target_id)
)
_WORKS = (
    update(targets)
    .where(targets.c.id == bindparam("which"), targets.c.failing_since.is_not(None))
    .values(failing_since=None)
)
_FAILS = (
    update(targets)
    .where(targets.c.id == bindparam("which"), targets.c.failing_since.is_(None))
    .values(failing_since=bindparam("moment"))
)
_REQUEUE = (
    update(deliveries)
    .where(deliveries.c.target_id == bindparam("which"))
    .values(next_at=bindparam("now"), created_at=bindparam("now"), attempts=0)
)
_NOT_LATER = (
    update(deliveries).where(deliveries.c.next_at > bindparam("now")).values(next_at=bindparam("now")),
    update(targets).where(targets.c.not_before > bindparam("now")).values(not_before=bindparam("now")),
    update(targets).where(targets.c.lease_until > bindparam("until")).values(lease_until=bindparam("until")),
)
_BACKLOG = (
    select(
        deliveries.c.target_id,
        func.count(deliveries.c.next_at),
        func.count(),
        func.min(deliveries.c.created_at),
    )
    .group_by(deliveries.c.target_id)
    .order_by(deliveries.c.target_id)
)


def add(
    connection: Connection,
    media: Media,
    event_id: str,
    messages: Sequence[Message],
    digests: Mapping[bytes, str],
    now: datetime,
) -> int:
    """Queue messages, in their order, for those of their targets that still exist; how many."""
    moment = to_microseconds(now)
    count = 0
    for message in messages:
        id = uuid.uuid4().hex
        values = {"id": id, "target_id": message.target_id, "event_id": event_id, "body": message.body}
        values |= {"attempts": 0, "created_at": moment, "next_at": moment}
        if _INSERT.run(connection, values).rowcount:
            count += 1
            if message.attachments:
                media.own(connection, id, message.attachments, digests)
    return count


def lease_target(connection: Connection, owner: str, now: datetime, until: datetime) -> Target | None:
    """Take an active target that has something due and that nobody else holds."""
    values = {"owner": owner, "now": to_microseconds(now), "until": to_microseconds(until)}
    for which in connection.execute(_CHOICES, values).scalars().all():
        row = connection.execute(_LEASE, {**values, "which": which}).one_or_none()
        if row is not None:  # None where another process was faster
            return receivers.from_row(row)
    return None


def has_work(connection: Connection, owner: str, now: datetime) -> bool:
    """Whether ``lease_target`` would find a target; only reads."""
    return connection.execute(_CHOICES, {"owner": owner, "now": to_microseconds(now)}).first() is not None


def renew_lease(connection: Connection, target_id: int, owner: str, now: datetime, until: datetime) -> bool:
    """Hold a target longer; False when the lease has ended, and somebody else may hold it."""
    values = {"which": target_id, "owner": owner, "now": to_microseconds(now), "until": to_microseconds(until)}
    return connection.execute(_RENEW, values).rowcount == 1


def release_target(connection: Connection, target_id: int, owner: str, not_before: datetime | None) -> None:
    """Let go of a target, which nobody takes again before ``not_before``."""
    moment = 0 if not_before is None else to_microseconds(not_before)
    connection.execute(_RELEASE, {"which": target_id, "owner": owner, "moment": moment})


def due(connection: Connection, media: Media, target_id: int, now: datetime, limit: int) -> list[Delivery]:
    """What is due for a target, in the order in which it was recorded."""
    values = {"which": target_id, "now": to_microseconds(now), "most": limit}
    rows = connection.execute(_DUE, values).all()
    attachments = media.owned(connection, [row.id for row in rows]) if rows else {}
    return [
        Delivery(
            id=row.id,
            target_id=row.target_id,
            event_id=row.event_id,
            body=row.body,
            attachments=attachments.get(row.id, ()),
            attempts=row.attempts,
            created_at=from_microseconds(row.created_at),
            next_at=from_microseconds(row.next_at),
        )
        for row in rows
    ]


def delivered(connection: Connection, media: Media, delivery_id: str) -> list[str]:
    """Forget a delivery that has arrived, again is no error; the files that it needed."""
    target_id = connection.execute(_REMOVE, {"which": delivery_id}).scalar()
    if target_id is None:
        return []
    connection.execute(_WORKS, {"which": target_id})
    return media.disown(connection, [delivery_id])


def failed(connection: Connection, delivery_id: str, now: datetime, next_at: datetime | None, error: str) -> None:
    """Note a failed attempt; without a next one the delivery waits to be queued again."""
    moment = None if next_at is None else to_microseconds(next_at)
    values = {"which": delivery_id, "moment": moment, "reason": error[:1000]}
    target_id = connection.execute(_POSTPONE, values).scalar()
    if target_id is not None:
        connection.execute(_FAILS, {"which": target_id, "moment": to_microseconds(now)})


def dropped(connection: Connection, media: Media, delivery_id: str, now: datetime) -> list[str]:
    """Forget a delivery that failed and is not to be kept; the files that it needed."""
    target_id = connection.execute(_REMOVE, {"which": delivery_id}).scalar()
    if target_id is None:
        return []
    connection.execute(_FAILS, {"which": target_id, "moment": to_microseconds(now)})
    return media.disown(connection, [delivery_id])


def requeue(connection: Connection, target_id: int, now: datetime) -> int:
    """Make all that a target has not got due now, as if it were new; how many."""
    return connection.execute(_REQUEUE, {"which": target_id, "now": to_microseconds(now)}).rowcount


def clock_set_back(connection: Connection, now: datetime, until: datetime) -> None:
    """Make due now what was to come later, and end leases by ``until``: the times were another clock's."""
    values = {"now": to_microseconds(now), "until": to_microseconds(until)}
    for statement in _NOT_LATER:
        connection.execute(statement, values)


def backlog(connection: Connection) -> tuple[Backlog, ...]:
    """What waits, for each target that something waits for."""
    return tuple(
        Backlog(target_id, waiting, every - waiting, from_microseconds(oldest))
        for target_id, waiting, every, oldest in connection.execute(_BACKLOG)
    )
