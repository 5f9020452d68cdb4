"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
moment = sa.BigInteger


def upgrade() -> None:
    _create_accounts()
    _create_outbox()
    _create_recognitions()


def _create_accounts() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", number, primary_key=True, autoincrement=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("prefix", sa.String(6), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("revoked_at", moment),
        sa.Column("calls_per_month", sa.BigInteger),
        sa.Column("calls_per_second", sa.Float(53)),
        sa.Column("busy_until", moment, nullable=False),
        sa.UniqueConstraint("secret_sha256", name="uq_tokens_secret_sha256"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "usage",
        sa.Column("token_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("period", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("calls", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "counted",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("at", moment, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_counted_at", "counted", ["at"])


def _create_outbox() -> None:
    op.create_table(
        "targets",
        sa.Column("id", number, primary_key=True, autoincrement=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("images", sa.Text, nullable=False),
        sa.Column("header", sa.Text),
        sa.Column("secret", sa.Text),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("owner_email", sa.Text),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("failing_since", moment),
        sa.Column("not_before", moment, nullable=False),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_until", moment, nullable=False),
        sa.Column("leased_at", moment, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "deliveries",
        sa.Column("sequence", number, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column(
            "target_id",
            number,
            sa.ForeignKey("targets.id", ondelete="CASCADE", name="fk_deliveries_target_id"),
            nullable=False,
        ),
        sa.Column("event_id", sa.String(32), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("next_at", moment),
        sa.Column("error", sa.Text),
        sa.UniqueConstraint("id", name="uq_deliveries_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deliveries_target_id_next_at", "deliveries", ["target_id", "next_at"])


def _create_recognitions() -> None:
    op.create_table(
        "recognitions",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("at", moment, nullable=False),
        sa.Column("camera_id", sa.Text),
        sa.Column("token_id", sa.BigInteger),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_recognitions_at_size", "recognitions", ["at", "size"])
    op.create_table(
        "plates",
        sa.Column(
            "recognition_id",
            sa.String(32),
            sa.ForeignKey("recognitions.id", ondelete="CASCADE", name="fk_plates_recognition_id"),
            primary_key=True,
        ),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("ix_plates_text", "plates", ["text"])
    op.create_table(
        "files",
        sa.Column("owner_id", sa.String(32), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("filename", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    op.create_index("ix_files_sha256", "files", ["sha256"])
