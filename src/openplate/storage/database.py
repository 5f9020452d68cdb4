"""A database, SQLite or PostgreSQL, behind three verbs: read, write, close.

SQLite: write-ahead log, one writer at a time (BEGIN IMMEDIATE), a durable commit is on the disk when it returns.
What a driver raises becomes StorageError here, a full disk StorageFull.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import ClauseElement, Connection, Engine, create_engine, event, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from openplate.errors import StorageError, StorageFull

Result = TypeVar("Result")

BUSY_TIMEOUT_S = 30.0
"""How long a writer waits for the others before it gives up."""
_WAIT_S = 0.05
_TRIES = 5
_MEDIA_LOCK = 0x6F70_6C61  # any number that only this program locks
_SQLITE_FULL = 13
_POSTGRESQL_FULL = "53100"
_POSTGRESQL_UNDONE = ("40P01", "40001")  # deadlock_detected, serialization_failure: nothing was done


class Plain:
    """A statement of the busiest path: compiled once, then run past SQLAlchemy, which saves most of its time."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._texts: dict[str, str] = {}

    def run(self, connection: Connection, values: Mapping[str, object]) -> Any:
        """A cursor of the driver's."""
        dialect = connection.dialect
        text = self._texts.get(dialect.name)
        if text is None:
            named = sqlite.dialect(paramstyle="named") if dialect.name == "sqlite" else dialect
            text = self._texts[dialect.name] = str(self._statement.compile(dialect=named))
        raw: Any = connection.connection.driver_connection
        return raw.execute(text, values)


class Database:
    """Reads and writes as functions of a connection; safe to use from several threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._errors: type[Exception] = engine.dialect.loaded_dbapi.Error
        self._reading = engine if self.is_sqlite else engine.execution_options(isolation_level="AUTOCOMMIT")
        # SQLite makes waiting writers sleep and try again; inside one process a lock wakes them in turn.
        self._writing = threading.Lock()
        self._writer: Connection | None = None
        self._is_durable: bool | None = None

    @classmethod
    def open(cls, url: str) -> Database:
        """Connect to ``sqlite:///path`` or ``postgresql://user@host/name``."""
        parsed = _parse(url)
        try:
            if parsed.drivername.startswith("sqlite"):
                database = cls(_sqlite_engine(parsed))
                database._prepare_sqlite()
            else:
                database = cls(create_engine(parsed, pool_size=5, max_overflow=20, pool_pre_ping=True))
        except ModuleNotFoundError as error:
            raise StorageError("PostgreSQL needs a driver: pip install 'openplate[postgres]'") from error
        return database

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """What ``work`` reads; each of its statements sees what was committed before it."""
        with self._translated(), self._reading.connect() as connection:
            return work(connection)

    def write(self, work: Callable[[Connection], Result], *, is_durable: bool = True) -> Result:
        """Run ``work`` in one transaction. What is not durable may be undone by a power cut, never torn."""
        with self._translated():
            if not self.is_sqlite:
                return self._write_until_done(work, is_durable)
            with self._writing:
                if self._writer is None:
                    self._writer = self._engine.connect()
                return self._write_sqlite(self._writer, work, is_durable)

    def write_again(self, work: Callable[[Connection], Result], *, is_durable: bool = True) -> Result:
        """As ``write``, once more if the connection was lost: ``work`` must do no harm when run twice."""
        try:
            return self.write(work, is_durable=is_durable)
        except StorageError as error:
            if not self._is_lost(error.__cause__):
                raise
        return self.write(work, is_durable=is_durable)

    def hold_media(self, connection: Connection, *, is_alone: bool = False) -> None:
        """Until the transaction ends, keep files from being removed, or ``is_alone`` from being counted on.

        SQLite has one writer at a time anyway.
        """
        if not self.is_sqlite:
            lock = "pg_advisory_xact_lock" if is_alone else "pg_advisory_xact_lock_shared"
            connection.execute(text(f"SELECT {lock}({_MEDIA_LOCK})"))

    def shrink(self) -> None:
        """Give pages that SQLite has emptied back to the disk, some at a time, and force all that was written to it.

        PostgreSQL does so by itself.
        """
        if self.is_sqlite:
            with self._translated(), self._writing, self._engine.connect() as connection:
                raw: Any = connection.connection.driver_connection
                raw.executescript("PRAGMA incremental_vacuum(5000)")  # a plain execute would free one page only
                raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def close(self) -> None:
        """Give all connections back."""
        with self._writing:
            if self._writer is not None:
                self._writer.close()
                self._writer = None
                self._is_durable = None
        self._engine.dispose()

    def _write_sqlite(self, connection: Connection, work: Callable[[Connection], Result], is_durable: bool) -> Result:
        raw: Any = connection.connection.driver_connection
        if is_durable is not self._is_durable:
            raw.execute("PRAGMA synchronous=FULL" if is_durable else "PRAGMA synchronous=NORMAL")
            self._is_durable = is_durable
        raw.execute("BEGIN IMMEDIATE")
        try:
            result = work(connection)
            raw.execute("COMMIT")
            return result
        finally:
            connection.rollback()  # for SQLAlchemy, which has not seen the beginning nor the end
            if raw.in_transaction:
                raw.execute("ROLLBACK")

    def _write_until_done(self, work: Callable[[Connection], Result], is_durable: bool) -> Result:
        for _ in range(_TRIES - 1):
            try:
                return self._write_postgresql(work, is_durable)
            except (DBAPIError, self._errors) as error:
                if getattr(getattr(error, "orig", error), "sqlstate", None) not in _POSTGRESQL_UNDONE:
                    raise
            time.sleep(random.uniform(0, 2 * _WAIT_S))  # so that the other one gets what it waited for
        return self._write_postgresql(work, is_durable)

    def _write_postgresql(self, work: Callable[[Connection], Result], is_durable: bool) -> Result:
        with self._engine.begin() as connection:
            if not is_durable:
                connection.execute(text("SET LOCAL synchronous_commit TO off"))
            return work(connection)

    def _is_lost(self, error: BaseException | None) -> bool:
        if isinstance(error, DBAPIError):
            return error.connection_invalidated
        driver_error: Any = error
        return isinstance(error, self._errors) and self._engine.dialect.is_disconnect(driver_error, None, None)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, self._errors) as error:
            reason = error.orig if isinstance(error, DBAPIError) else error
            message = f"the database failed: {str(reason).strip()}"
            if _is_full(reason):
                raise StorageFull(message) from error
            raise StorageError(message) from error

    def _prepare_sqlite(self) -> None:
        if sqlite3.sqlite_version_info < (3, 35):
            raise StorageError(f"SQLite 3.35 or newer is needed, this is {sqlite3.sqlite_version}")
        with self._translated(), self._engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            deadline = time.monotonic() + BUSY_TIMEOUT_S
            while raw.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                try:
                    raw.execute("PRAGMA auto_vacuum=INCREMENTAL")
                    raw.execute("PRAGMA journal_mode=WAL")
                except sqlite3.OperationalError:  # another process is just doing it; no time-out of SQLite's applies
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(_WAIT_S)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StorageError("the database must be sqlite:///PATH or postgresql://USER@HOST/NAME") from error
    kind = parsed.drivername.partition("+")[0]
    if kind in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if kind != "sqlite":
        raise StorageError(f"the database must be sqlite:///PATH or postgresql://USER@HOST/NAME, not {kind}")
    if not parsed.database or parsed.database == ":memory:":
        raise StorageError("SQLite needs a file: sqlite:///PATH (four slashes for an absolute path)")
    return parsed.set(drivername="sqlite+pysqlite")


def _sqlite_engine(url: URL) -> Engine:
    path = Path(str(url.database))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)  # the log beside it takes the same mode: it holds secrets of targets
    except OSError as error:
        raise StorageError(f"cannot write the database {path}: {error.strerror}") from error
    engine = create_engine(
        url,
        connect_args={"isolation_level": None, "check_same_thread": False, "timeout": BUSY_TIMEOUT_S},
        pool_size=8,
        max_overflow=-1,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA cache_size=-256")  # KiB; every thread has a connection, the system keeps pages too
        connection.execute("PRAGMA journal_size_limit=67108864")

    return engine


def _is_full(error: object) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return (code is not None and code & 0xFF == _SQLITE_FULL) or getattr(error, "sqlstate", None) == _POSTGRESQL_FULL
