"""Tokens: who may call, and how fast. Only the SHA-256 of a secret is kept."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from openplate.errors import RateExceeded, StorageError
from openplate.storage.records import Token, from_microseconds, to_microseconds
from openplate.storage.tables import tokens

_SECRET_BYTES = 20
_SECRET = re.compile(r"[0-9a-f]{40}")
_PREFIX = re.compile(r"[0-9a-f]{6}")
_SECOND = 1_000_000
_CLOCKS_DIFFER_BY = 60 * _SECOND
"""At most, among the machines that share a database and the moments at which their calls began."""

_VALUE = tuple(tokens.c[name] for name in Token.__dataclass_fields__)
_FIND = select(*_VALUE, tokens.c.secret_sha256).where(tokens.c.secret_sha256 == bindparam("digest"))
_LIST = select(*_VALUE).order_by(tokens.c.id)
_REVOKE = (
    update(tokens)
    .where(tokens.c.id == bindparam("which"), tokens.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("moment"))
)
_KEEP_BUSY = update(tokens).where(tokens.c.id == bindparam("which")).values(busy_until=bindparam("moment"))
_BUSY_UNTIL = select(tokens.c.busy_until).where(tokens.c.id == bindparam("which")).with_for_update()


def create(
    connection: Connection,
    name: str,
    now: datetime,
    *,
    calls_per_month: int | None,
    calls_per_second: float | None,
) -> tuple[str, Token]:
    """A new secret, which nobody can be told again, and its token."""
    _check(name, calls_per_month, calls_per_second)
    secret = secrets.token_hex(_SECRET_BYTES)
    values: dict[str, Any] = {"name": name, "prefix": secret[:6], "created_at": to_microseconds(now)}
    values |= {"calls_per_month": calls_per_month, "calls_per_second": calls_per_second}
    row = connection.execute(
        insert(tokens).values(**values, secret_sha256=_digest(secret), busy_until=0).returning(*_VALUE)
    ).one()
    return secret, _token(row)


def _check(name: str, calls_per_month: int | None, calls_per_second: float | None) -> None:
    if not name.strip() or not name.isprintable() or len(name) > 200:
        raise StorageError("a token needs a name of 1 to 200 printable characters")
    if calls_per_month is not None and not 0 <= calls_per_month < 2**53:
        raise StorageError(f"the calls per month must be 0 or more, not {calls_per_month}")
    if calls_per_second is not None and not 0.001 <= calls_per_second <= 1_000_000:
        raise StorageError(f"the calls per second must be 0.001 to 1000000, not {calls_per_second}")


def find(connection: Connection, secret: str) -> Token | None:
    """The token of a secret, unless it is revoked. How long it takes says nothing about other secrets."""
    if not _SECRET.fullmatch(secret):
        return None
    digest = _digest(secret)
    row = connection.execute(_FIND, {"digest": digest}).one_or_none()
    if row is None or not hmac.compare_digest(row.secret_sha256, digest) or row.revoked_at is not None:
        return None
    return _token(row)


def everyone(connection: Connection) -> tuple[Token, ...]:
    """All tokens, revoked ones too, oldest first."""
    return tuple(_token(row) for row in connection.execute(_LIST))


def revoke(connection: Connection, which: int | str, now: datetime) -> Token:
    """Revoke by number or by the first six characters of the secret; again is no error."""
    found = [token for token in everyone(connection) if _is_meant(token, which)]
    if len(found) != 1:
        raise StorageError(f"{'no token is' if not found else 'several tokens are'} called {which}; give its number")
    connection.execute(_REVOKE, {"which": found[0].id, "moment": to_microseconds(now)})
    return next(token for token in everyone(connection) if token.id == found[0].id)


def _is_meant(token: Token, which: int | str) -> bool:
    if isinstance(which, str) and _PREFIX.fullmatch(which):
        return token.prefix == which
    return str(token.id) == str(which)


def take_rate(connection: Connection, token: Token, now: datetime) -> None:
    """Let one call of a token through, as many per second as it may, or raise RateExceeded.

    A virtual clock moves on by 1/rate with each call and may be ahead by the calls of one second at most
    (one call, where the rate is less), so that a second's calls may also come all at once.
    """
    if token.calls_per_second is None:
        return
    moment = to_microseconds(now)
    step = round(_SECOND / token.calls_per_second)
    ahead = (max(int(token.calls_per_second), 1) - 1) * step
    busy_until: int | None = connection.execute(_BUSY_UNTIL, {"which": token.id}).scalar()
    if busy_until is None:
        return
    if busy_until > moment + ahead + step + _CLOCKS_DIFFER_BY:
        busy_until = moment  # the clock was set back, which must not lock anybody out
    if busy_until > moment + ahead:
        raise RateExceeded(
            f"more than {token.calls_per_second:g} calls per second", (busy_until - moment - ahead) / _SECOND
        )
    connection.execute(_KEEP_BUSY, {"which": token.id, "moment": max(busy_until, moment) + step})


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _token(row: Any) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        prefix=row.prefix,
        created_at=from_microseconds(row.created_at),
        revoked_at=None if row.revoked_at is None else from_microseconds(row.revoked_at),
        calls_per_month=row.calls_per_month,
        calls_per_second=row.calls_per_second,
    )
