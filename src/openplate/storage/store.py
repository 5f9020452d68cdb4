"""The store: all that the server remembers. Safe to use from several threads and, each with its own, processes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection

from openplate.errors import StorageError
from openplate.storage import migrations, outbox, recognitions, retention, targets, tokens, usage
from openplate.storage.database import Database
from openplate.storage.media import Media
from openplate.storage.records import (
    Backlog,
    Delivery,
    Entry,
    ImageKind,
    Removed,
    StoredRecognition,
    Target,
    TargetState,
    Token,
    Usage,
)
from openplate.storage.room import Room

MAX_OUTBOX_ROWS = 1_000_000
MIN_FREE_BYTES = 256 * 2**20
FORCED_EVERY_S = 1.0
"""How long counts of calls, of which nothing else is recorded, may wait to be forced to the disk."""
COUNTED_FOR_S = 86_400.0
"""How long the same entry may be recorded again without being counted again."""
GIVEN_UP_FOR_S = 30 * 86_400.0
"""How long a delivery that was given up can still be queued again."""


def default_url(data_folder: Path) -> str:
    """The database where none is asked for: a file in the data folder."""
    return f"sqlite:///{quote(str(data_folder / 'openplate.db'))}"


def _now() -> datetime:
    return datetime.now(UTC)


class Store:
    """Made by ``Store.open``. Every method may raise StorageError, and StorageFull where a disk is full."""

    def __init__(self, database: Database, media: Media, room: Room, calls_per_month: int | None) -> None:
        self._database = database
        self._media = media
        self._room = room
        self._calls_per_month = calls_per_month
        self._forced_at = -FORCED_EVERY_S

    @classmethod
    def open(
        cls,
        url: str | None,
        data_folder: Path,
        *,
        calls_per_month: int | None = None,
        max_outbox_rows: int = MAX_OUTBOX_ROWS,
        min_free_bytes: int = MIN_FREE_BYTES,
    ) -> Store:
        """Open, and where needed create or update, the database and the folder of files.

        Args:
            url: ``sqlite:///PATH`` or ``postgresql://USER@HOST/NAME``; None for a file in the data folder.
            data_folder: where files are kept; created when missing.
            calls_per_month: the allowance of calls without a token, None for any number.
            max_outbox_rows: no call with messages is accepted once so many wait.
            min_free_bytes: no call is accepted once the data folder's disk has less.
        """
        try:
            data_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot create the data folder {data_folder}: {error.strerror}") from error
        database = Database.open(url or default_url(data_folder))
        try:
            migrations.upgrade(database)
            room = Room(database, data_folder, max_outbox_rows=max_outbox_rows, min_free_bytes=min_free_bytes)
            return cls(database, Media(data_folder / "media", database), room, calls_per_month)
        except BaseException:
            database.close()
            raise

    def close(self) -> None:
        """Close all connections."""
        self._database.close()

    # Tokens

    def create_token(
        self, name: str, calls_per_month: int | None, calls_per_second: float | None, now: datetime | None = None
    ) -> tuple[str, Token]:
        """A new secret of 40 hex digits, which is not kept, and its token."""
        return self._database.write(
            lambda connection: tokens.create(
                connection, name, now or _now(), calls_per_month=calls_per_month, calls_per_second=calls_per_second
            )
        )

    def tokens(self) -> tuple[Token, ...]:
        """All tokens, revoked ones too, oldest first."""
        return self._database.read(tokens.everyone)

    def revoke_token(self, which: int | str, now: datetime | None = None) -> Token:
        """Revoke by number or by the secret's first six characters; StorageError when there is no such one."""
        return self._database.write(lambda connection: tokens.revoke(connection, which, now or _now()))

    def find_token(self, secret: str) -> Token | None:
        """The token of a secret; None for an unknown or a revoked one."""
        return self._database.read(lambda connection: tokens.find(connection, secret))

    def take_rate(self, token: Token, now: datetime) -> None:
        """Let one call through or raise RateExceeded; all processes together let as many through as the token may."""
        if token.calls_per_second is not None:
            self._database.write(lambda connection: tokens.take_rate(connection, token, now), is_durable=False)

    # Usage

    def usage(self, token: Token | None, now: datetime) -> Usage:
        """The calls of this month with a token, or of all without one."""
        return self._database.read(lambda connection: usage.read(connection, *self._account(token), now))

    def check_quota(self, token: Token | None, now: datetime) -> Usage:
        """As ``usage``, but QuotaExceeded where no further call is allowed."""
        return self._database.read(lambda connection: usage.check_quota(connection, *self._account(token), now))

    def check_room(self, messages: int = 0) -> None:
        """Raises StorageFull where a call with so many messages could not be recorded: ask before the work is done."""
        self._room.check(messages)

    def record(self, entry: Entry, now: datetime) -> Usage:
        """Count a call, keep what is to be kept and queue its messages: all of it, on the disk, or nothing.

        A call with nothing to keep and nobody to tell is only counted, which is forced to the disk once a second:
        a kill takes none of it back, a power cut at most the counts of one second. The same ``entry.id`` again
        changes nothing. Messages for targets that are no more are dropped. Raises QuotaExceeded, StorageFull.
        """
        self._room.check(len(entry.messages))
        attachments = [each for message in entry.messages for each in message.attachments]
        wanted = [*attachments, *entry.crops] if entry.keep else attachments
        digests = self._media.put(wanted) if wanted else {}
        is_forced = entry.keep or bool(entry.messages) or time.monotonic() - self._forced_at >= FORCED_EVERY_S
        found, queued = self._database.write_again(
            lambda connection: self._record(connection, entry, digests, now),
            is_durable=is_forced,
        )
        if is_forced:
            self._forced_at = time.monotonic()
        self._room.add(queued)
        return found

    def _record(
        self, connection: Connection, entry: Entry, digests: dict[bytes, str], now: datetime
    ) -> tuple[Usage, int]:
        allowed = self._calls_per_month
        if entry.token_id is not None:
            allowed = usage.allowance(connection, entry.token_id)
        calls = usage.count(connection, entry.id, entry.token_id, allowed, now)
        if calls is None:
            return usage.read(connection, entry.token_id, allowed, now), 0
        if entry.keep:
            recognitions.save(connection, self._media, entry, digests)
        queued = outbox.add(connection, self._media, entry.id, entry.messages, digests, now) if entry.messages else 0
        return usage.usage_of(calls, allowed, now), queued

    def _account(self, token: Token | None) -> tuple[int | None, int | None]:
        return (None, self._calls_per_month) if token is None else (token.id, token.calls_per_month)

    # Webhook targets

    def targets(self) -> tuple[Target, ...]:
        """All webhook targets, oldest first."""
        return self._database.read(targets.everyone)

    def target(self, target_id: int) -> Target | None:
        """One webhook target."""
        return self._database.read(lambda connection: targets.find(connection, target_id))

    def create_target(
        self,
        url: str,
        *,
        images: Sequence[ImageKind] = (),
        header: str | None = None,
        secret: str | None = None,
        owner_email: str | None = None,
        now: datetime | None = None,
    ) -> Target:
        """A new active webhook target."""
        return self._database.write(
            lambda connection: targets.create(
                connection, url, now or _now(), images=images, header=header, secret=secret, owner_email=owner_email
            )
        )

    def set_target_state(self, target_id: int, state: TargetState) -> Target:
        """Pause, disable or enable a target; StorageError when there is none. Enabling forgets its failures."""
        return self._database.write(lambda connection: targets.set_state(connection, target_id, state))

    def delete_target(self, target_id: int) -> None:
        """Forget a target and all that waits for it; StorageError when there is none."""

        def remove(connection: Connection) -> list[str]:
            waiting = targets.remove(connection, target_id)
            if waiting is None:
                raise StorageError(f"there is no webhook target {target_id}")
            return self._media.disown(connection, waiting) if waiting else []

        self._media.discard(self._database.write(remove))

    # Outbox

    def lease_target(self, owner: str, now: datetime, lease_s: float) -> Target | None:
        """An active target that has something due and that nobody holds, held by ``owner`` for ``lease_s``.

        The one that was leased longest ago comes first. An owner is a name that no other thread uses.
        """
        if not self._database.read(lambda connection: outbox.has_work(connection, owner, now)):
            return None
        until = now + timedelta(seconds=lease_s)
        return self._database.write(
            lambda connection: outbox.lease_target(connection, owner, now, until), is_durable=False
        )

    def renew_lease(self, target_id: int, owner: str, now: datetime, lease_s: float) -> bool:
        """Hold a target longer; False when the lease has ended: then stop, for another may hold it."""
        until = now + timedelta(seconds=lease_s)
        return self._database.write(
            lambda connection: outbox.renew_lease(connection, target_id, owner, now, until), is_durable=False
        )

    def release_target(self, target_id: int, owner: str, not_before: datetime | None = None) -> None:
        """Let go of a target; nobody leases it before ``not_before``."""
        self._database.write(
            lambda connection: outbox.release_target(connection, target_id, owner, not_before), is_durable=False
        )

    def due(self, target_id: int, now: datetime, limit: int) -> list[Delivery]:
        """What is due for a target, in the order in which it was recorded, ``limit`` at most."""
        return self._database.read(lambda connection: outbox.due(connection, self._media, target_id, now, limit))

    def delivered(self, delivery_id: str, now: datetime) -> None:  # noqa: ARG002
        """Forget a delivery that has arrived; again is no error. Its target is no longer failing."""
        digests = self._database.write(
            lambda connection: outbox.delivered(connection, self._media, delivery_id), is_durable=False
        )
        if digests:
            self._media.discard(digests)

    def failed(self, delivery_id: str, now: datetime, next_at: datetime | None, error: str) -> None:
        """Note a failed attempt and when the next one is due; None gives up until it is queued again."""
        self._database.write(
            lambda connection: outbox.failed(connection, delivery_id, now, next_at, error), is_durable=False
        )

    def dropped(self, delivery_id: str, now: datetime) -> None:
        """Forget a delivery that failed and is not to be kept; again is no error. Its target is failing."""
        digests = self._database.write(
            lambda connection: outbox.dropped(connection, self._media, delivery_id, now), is_durable=False
        )
        if digests:
            self._media.discard(digests)

    def requeue(self, target_id: int, now: datetime | None = None) -> int:
        """Make all that a target has not got due now, given-up ones too, as if it were new; how many."""
        return self._database.write(lambda connection: outbox.requeue(connection, target_id, now or _now()))

    def clock_set_back(self, now: datetime, lease_s: float) -> None:
        """The machine's clock has been set back: what waits for a time by the old one is due now.

        A lease of a process that is no more ends ``lease_s`` from now at the latest.
        """
        until = now + timedelta(seconds=lease_s)
        self._database.write(lambda connection: outbox.clock_set_back(connection, now, until), is_durable=False)

    def backlog(self) -> tuple[Backlog, ...]:
        """What waits, for each target that something waits for."""
        return self._database.read(outbox.backlog)

    # Kept recognitions

    def recognitions(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        text: str | None = None,
        limit: int = 100,
    ) -> list[StoredRecognition]:
        """Kept recognitions, newest first, from ``since`` on, before ``until``, with ``text`` in a plate's text."""
        return self._database.read(
            lambda connection: recognitions.find(connection, self._media, since, until, text, limit)
        )

    def remove_expired(self, now: datetime, keep_for_s: float | None, keep_bytes: int | None) -> Removed:
        """Remove recognitions by age and, oldest first, by size, and whatever else has had its time.

        That is deliveries given up a month ago, ids of calls counted a day ago, files that no row needs.
        Call it every few minutes, from any one process or from all.
        """
        rows, files = retention.remove_recognitions(self._database, self._media, now, keep_for_s, keep_bytes)
        given_up, more = retention.remove_given_up(self._database, self._media, now, GIVEN_UP_FOR_S)
        retention.forget_counted(self._database, now, COUNTED_FOR_S)
        swept = self._media.sweep()
        self._database.shrink()
        return Removed(recognitions=rows, deliveries=given_up, files=files + more + swept)
