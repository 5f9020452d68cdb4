"""The tables as they are now. A change here needs a step in migrations/versions; a test compares the two.

Times are whole microseconds since 1970, so that both databases keep and compare them exactly.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

NOBODY = 0
"""The ``token_id`` under which calls without a token are counted."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

# SQLite counts up by itself only in a column that is called INTEGER.
_Number = BigInteger().with_variant(Integer(), "sqlite")

tokens = Table(
    "tokens",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("prefix", String(6), nullable=False),
    Column("secret_sha256", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("calls_per_month", BigInteger),
    Column("calls_per_second", Float(53)),
    Column("busy_until", BigInteger, nullable=False),
    UniqueConstraint("secret_sha256"),
    sqlite_autoincrement=True,
)

usage = Table(
    "usage",
    metadata,
    Column("token_id", BigInteger, primary_key=True, autoincrement=False),
    Column("period", Integer, primary_key=True, autoincrement=False),  # 202603 for March 2026
    Column("calls", BigInteger, nullable=False),
)

counted = Table(
    "counted",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("at", BigInteger, nullable=False, index=True),
    sqlite_with_rowid=False,
)

targets = Table(
    "targets",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=True),
    Column("url", Text, nullable=False),
    Column("event", String(32), nullable=False),
    Column("images", Text, nullable=False),  # kinds separated by commas
    Column("header", Text),
    Column("secret", Text),
    Column("state", String(8), nullable=False),
    Column("owner_email", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("failing_since", BigInteger),
    Column("not_before", BigInteger, nullable=False),
    Column("lease_owner", Text),
    Column("lease_until", BigInteger, nullable=False),
    Column("leased_at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("sequence", _Number, primary_key=True, autoincrement=True),
    Column("id", String(32), nullable=False),
    Column("target_id", _Number, ForeignKey("targets.id", ondelete="CASCADE"), nullable=False),
    Column("event_id", String(32), nullable=False),
    Column("body", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("next_at", BigInteger),  # NULL once given up
    Column("error", Text),
    UniqueConstraint("id"),
    sqlite_autoincrement=True,
)
Index(None, deliveries.c.target_id, deliveries.c.next_at)

recognitions = Table(
    "recognitions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("camera_id", Text),
    Column("token_id", BigInteger),
    Column("body", Text, nullable=False),
    Column("size", BigInteger, nullable=False),  # bytes of the body and of the crops
)
Index(None, recognitions.c.at, recognitions.c.size)

plates = Table(
    "plates",
    metadata,
    Column("recognition_id", String(32), ForeignKey("recognitions.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False, index=True),
)

files = Table(
    "files",
    metadata,
    Column("owner_id", String(32), primary_key=True),  # of a delivery or a recognition
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("sha256", String(64), nullable=False, index=True),
)
