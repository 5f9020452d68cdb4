"""Bring a database to the tables of this version; alembic is loaded only when there is something to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text

from openplate.errors import StorageError
from openplate.storage.database import Database

HEAD = "0001"
"""The newest step; what a database of this version says it is at."""

_UPGRADE_LOCK = 0x6F70_6C62


def upgrade(database: Database) -> None:
    """Apply what is missing, in one transaction, while every other process that opens the database waits."""
    if database.read(_version) != HEAD:
        database.write(lambda connection: _upgrade(connection, database.is_sqlite))


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return version


def _upgrade(connection: Connection, is_sqlite: bool) -> None:
    if not is_sqlite:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})"))
    version = _version(connection)
    if version == HEAD:  # somebody else was faster
        return
    from alembic import command
    from alembic.script import ScriptDirectory

    config = configuration(connection)
    known = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
    if version is not None and version not in known:
        raise StorageError(f"the database is of a newer version of Openplate (its step {version} is not known here)")
    command.upgrade(config, "head")


def configuration(connection: Connection) -> Any:
    """An alembic configuration that works on an open connection."""
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
