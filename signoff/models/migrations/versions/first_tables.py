"""The tables of the first version, and an audit log that the database refuses to change."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

REFUSED = "audit_event is append-only"

_SQLITE = (
    f"""
    CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event
    BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END
    """,
    f"""
    CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event
    BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END
    """,
    # INSERT OR REPLACE deletes the old row without asking the trigger above.
    f"""
    CREATE TRIGGER audit_event_no_replace BEFORE INSERT ON audit_event
    WHEN EXISTS (SELECT 1 FROM audit_event WHERE seq = NEW.seq OR hash = NEW.hash)
    BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END
    """,
)
_POSTGRESQL = (
    f"""
    CREATE FUNCTION audit_event_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '{REFUSED}' USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_event_refuse()
    """,
    # So that it also holds in a session that plays a replica.
    "ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_event_append_only",
)


def upgrade() -> None:
    """Create everything."""
    _agent()
    _approval()
    _payload()
    _decision()
    _card()
    _audit_event()
    dialect = op.get_bind().dialect.name
    for statement in _SQLITE if dialect == "sqlite" else _POSTGRESQL:
        op.execute(statement)


def _agent() -> None:
    op.create_table(
        "agent",
        _text("name", primary_key=True),
        _text("owner", nullable=True),
        _time("created_at"),
    )


def _approval() -> None:
    op.create_table(
        "approval",
        _text("id", primary_key=True),
        sa.Column("agent", sa.Text(), sa.ForeignKey("agent.name"), nullable=False),
        _text("request_id"),
        _text("key", nullable=True),
        _text("run", nullable=True),
        _text("action"),
        _text("status"),
        _count("version"),
        _count("revision"),
        _count("delivered_revision"),
        _text("digest_sent"),
        _text("verdict"),
        _text("reason"),
        _time("created_at"),
        _time("expires_at"),
        _time("shown_at", nullable=True),
        _time("ended_at", nullable=True),
        _time("not_before"),
        _time("published_at", nullable=True),
        _text("receipt", nullable=True),
        _time("receipt_expires_at", nullable=True),
        _text("outcome", nullable=True),
        _time("outcome_at", nullable=True),
        sa.UniqueConstraint("agent", "request_id"),
        sa.UniqueConstraint("agent", "key"),
    )
    _partial_index("approval_pending", "approval", ["created_at"], "status = 'pending'")
    _partial_index("approval_overdue", "approval", ["expires_at"], "status = 'pending'")
    _partial_index(
        "approval_unpublished", "approval", ["ended_at"], "published_at IS NULL AND ended_at IS NOT NULL"
    )
    _partial_index("approval_undelivered", "approval", ["not_before"], "delivered_revision < revision")


def _payload() -> None:
    op.create_table(
        "payload",
        sa.Column("approval_id", sa.Text(), sa.ForeignKey("approval.id"), primary_key=True),
        _count("version", primary_key=True),
        _text("text", nullable=True),
        _text("salt", nullable=True),
        _text("claims", nullable=True),
        _time("erased_at", nullable=True),
    )


def _decision() -> None:
    op.create_table(
        "decision",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("approval_id", sa.Text(), sa.ForeignKey("approval.id"), nullable=False),
        _count("version"),
        _text("approver"),
        _text("name"),
        _text("answer"),
        _text("reason"),
        sa.Column("resubmit", sa.Boolean(), nullable=False),
        _text("second_factor", nullable=True),
        _time("at"),
        _time("withdrawn_at", nullable=True),
    )
    once = ["approval_id", "version", "approver"]
    _partial_index("decision_once", "decision", once, "withdrawn_at IS NULL", unique=True)
    op.create_index("decision_approver", "decision", ["approver", "at"])


def _card() -> None:
    op.create_table(
        "card",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("approval_id", sa.Text(), sa.ForeignKey("approval.id"), nullable=False),
        _text("channel", nullable=True),
        _text("ts", nullable=True),
        _text("log_ts", nullable=True),
        _text("permalink", nullable=True),
        _count("shown_revision"),
        _count("log_revision"),
        _time("lease_until"),
        _text("fault", nullable=True),
        sa.UniqueConstraint("approval_id", "channel"),
    )
    op.create_index("card_message", "card", ["channel", "ts"])


def _audit_event() -> None:
    op.create_table(
        "audit_event",
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        _text("approval_id", nullable=True),
        _text("kind"),
        _time("at"),
        _text("actor"),
        _text("data"),
        _text("previous"),
        _text("hash"),
        sa.UniqueConstraint("hash"),
    )
    op.create_index("audit_event_approval", "audit_event", ["approval_id"])


def _text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), **{"nullable": False, **options})


def _time(name: str, **options: Any) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), **{"nullable": False, **options})


def _count(name: str, **options: Any) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), **{"nullable": False, **options})


def _partial_index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
