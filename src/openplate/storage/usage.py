"""Usage: each call counted once, in calendar months (UTC), and the quota that may end them."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, bindparam, select, text

from openplate.errors import QuotaExceeded, StorageError
from openplate.storage.database import Plain
from openplate.storage.records import Usage, to_microseconds
from openplate.storage.tables import NOBODY, tokens, usage

ANY_NUMBER = 2**62
"""Stands for 'no limit' where the database compares."""

# The casts are for PostgreSQL, which must know the type of a value that is only selected.
_COUNT = Plain(
    text("""
    INSERT INTO usage (token_id, period, calls)
    SELECT CAST(:token_id AS BIGINT), CAST(:period AS INTEGER), 1
    WHERE CAST(:allowed AS BIGINT) > 0
    ON CONFLICT (token_id, period) DO UPDATE SET calls = usage.calls + 1
    WHERE usage.calls < CAST(:allowed AS BIGINT)
    RETURNING calls
""")
)
_REMEMBER = Plain(text("INSERT INTO counted (id, at) VALUES (:id, :at) ON CONFLICT (id) DO NOTHING"))
_CALLS = select(usage.c.calls).where(usage.c.token_id == bindparam("token_id"), usage.c.period == bindparam("period"))
_ALLOWED = Plain(select(tokens.c.calls_per_month).where(tokens.c.id == bindparam("token_id")))


def count(
    connection: Connection, entry_id: str, token_id: int | None, allowed: int | None, now: datetime
) -> int | None:
    """Count a call and return the calls of the month; None when that call was counted before.

    Raises QuotaExceeded, and then counts nothing once the transaction is undone.
    """
    remembered = _REMEMBER.run(connection, {"id": entry_id, "at": to_microseconds(now)})
    if remembered.rowcount == 0:
        return None
    limit = ANY_NUMBER if allowed is None else allowed
    values = {"token_id": NOBODY if token_id is None else token_id, "period": _period(now), "allowed": limit}
    row = _COUNT.run(connection, values).fetchone()
    if row is None:
        raise _exceeded(allowed, now)
    calls: int = row[0]
    return calls


def read(connection: Connection, token_id: int | None, allowed: int | None, now: datetime) -> Usage:
    """The calls of the month so far."""
    account = NOBODY if token_id is None else token_id
    calls = connection.execute(_CALLS, {"token_id": account, "period": _period(now)}).scalar() or 0
    return usage_of(calls, allowed, now)


def check_quota(connection: Connection, token_id: int | None, allowed: int | None, now: datetime) -> Usage:
    """As ``read``, but raises QuotaExceeded when no further call is allowed."""
    found = read(connection, token_id, allowed, now)
    if allowed is not None and found.calls >= allowed:
        raise _exceeded(allowed, now)
    return found


def allowance(connection: Connection, token_id: int) -> int | None:
    """How many calls a month a token may make."""
    row = _ALLOWED.run(connection, {"token_id": token_id}).fetchone()
    if row is None:
        raise StorageError(f"there is no token {token_id}")
    allowed: int | None = row[0]
    return allowed


def resets_on(now: datetime) -> datetime:
    """The first moment of the next month, UTC."""
    now = now.astimezone(UTC)
    year, month = (now.year + 1, 1) if now.month == 12 else (now.year, now.month + 1)
    return datetime(year, month, 1, tzinfo=UTC)


def _period(now: datetime) -> int:
    now = now.astimezone(UTC)
    return now.year * 100 + now.month


def usage_of(calls: int, allowed: int | None, now: datetime) -> Usage:
    """The usage of the month that ``now`` is in."""
    utc = now.astimezone(UTC)
    return Usage(calls=calls, allowed=allowed, year=utc.year, month=utc.month, resets_on=resets_on(now))


def _exceeded(allowed: int | None, now: datetime) -> QuotaExceeded:
    return QuotaExceeded(f"the {allowed} calls of this month are used up; the next begins on {resets_on(now):%Y-%m-%d}")
