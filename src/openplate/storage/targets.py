"""Webhook targets: who is told, of what, and whether just now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from openplate.errors import StorageError
from openplate.storage.records import (
    IMAGE_DONE,
    IMAGE_KINDS,
    TARGET_STATES,
    ImageKind,
    Target,
    TargetState,
    from_microseconds,
    to_microseconds,
)
from openplate.storage.tables import deliveries, targets

COLUMNS = tuple(targets.c[name] for name in Target.__dataclass_fields__)

_LIST = select(*COLUMNS).order_by(targets.c.id)
_ONE = select(*COLUMNS).where(targets.c.id == bindparam("which"))
_STATE = (
    update(targets).where(targets.c.id == bindparam("which")).values(state=bindparam("new_state")).returning(*COLUMNS)
)
_FRESH = update(targets).where(targets.c.id == bindparam("which")).values(failing_since=None, not_before=0)
_WAITING = select(deliveries.c.id).where(deliveries.c.target_id == bindparam("which"))
_DELETE = delete(targets).where(targets.c.id == bindparam("which"))


def create(
    connection: Connection,
    url: str,
    now: datetime,
    *,
    images: Sequence[ImageKind],
    header: str | None,
    secret: str | None,
    owner_email: str | None,
) -> Target:
    """A new active target."""
    unknown = [kind for kind in images if kind not in IMAGE_KINDS]
    if unknown:
        raise StorageError(f"a target's images are of {', '.join(IMAGE_KINDS)}; not {unknown[0]}")
    values: dict[str, Any] = {"url": url, "event": IMAGE_DONE, "images": ",".join(dict.fromkeys(images))}
    values |= {"header": header, "secret": secret, "owner_email": owner_email, "created_at": to_microseconds(now)}
    values |= {"state": "active", "not_before": 0, "lease_until": 0, "leased_at": 0}
    return from_row(connection.execute(insert(targets).values(**values).returning(*COLUMNS)).one())


def everyone(connection: Connection) -> tuple[Target, ...]:
    """All targets, oldest first."""
    return tuple(from_row(row) for row in connection.execute(_LIST))


def find(connection: Connection, target_id: int) -> Target | None:
    """One target."""
    row = connection.execute(_ONE, {"which": target_id}).one_or_none()
    return None if row is None else from_row(row)


def set_state(connection: Connection, target_id: int, state: TargetState) -> Target:
    """Pause, disable or enable; an enabled one starts without a history of failures."""
    if state not in TARGET_STATES:
        raise StorageError(f"a target is {', '.join(TARGET_STATES)}; not {state}")
    if state == "active":
        connection.execute(_FRESH, {"which": target_id})
    row = connection.execute(_STATE, {"which": target_id, "new_state": state}).one_or_none()
    if row is None:
        raise StorageError(f"there is no webhook target {target_id}")
    return from_row(row)


def remove(connection: Connection, target_id: int) -> list[str] | None:
    """Forget a target with all that waits for it: the ids of those deliveries; None when there is no such target."""
    waiting = list(connection.execute(_WAITING, {"which": target_id}).scalars())
    return waiting if connection.execute(_DELETE, {"which": target_id}).rowcount else None


def from_row(row: Row[Any]) -> Target:
    """A target from a row of ``COLUMNS``."""
    images: Any = tuple(row.images.split(",")) if row.images else ()
    return Target(
        id=row.id,
        url=row.url,
        event=row.event,
        images=images,
        header=row.header,
        secret=row.secret,
        state=row.state,
        owner_email=row.owner_email,
        created_at=from_microseconds(row.created_at),
        failing_since=None if row.failing_since is None else from_microseconds(row.failing_since),
    )
