"""Reminders, quiet hours, and who is away."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three tables; when a request's next reminder is due, and in whose place somebody voted."""
    op.add_column("approval", sa.Column("calls_at", sa.BigInteger(), nullable=True))
    _index("approval_calls", "approval", ["calls_at"], "calls_at IS NOT NULL")
    op.add_column("decision", sa.Column("deputy_for", sa.Text(), nullable=True))
    op.create_table(
        "call",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("approval_id", sa.Text(), sa.ForeignKey("approval.id"), nullable=False),
        *(_text(name) for name in ("person", "why")),
        *(_number(name) for name in ("after", "created_at", "due_at")),
        _number("said_at", nullable=True),
        sa.UniqueConstraint("approval_id", "person", "why", "after"),
    )
    _index("call_due", "call", ["due_at"], "said_at IS NULL")
    op.create_table("pinged", sa.Column("person", sa.Text(), primary_key=True), _number("at"))
    op.create_table(
        "absence",
        sa.Column("id", sa.Integer(), primary_key=True),
        *(_text(name) for name in ("person", "deputy", "by_id")),
        *(_number(name) for name in ("since", "until")),
        _number("ended_at", nullable=True),
        _number("told", server_default="0"),
    )
    _index("absence_stands", "absence", ["person"], "ended_at IS NULL", unique=True)
    _index("absence_untold", "absence", ["until"], "told < 2")


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False)


def _number(name: str, *, nullable: bool = False, server_default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable, server_default=server_default)


def _index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    held = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=held, postgresql_where=held)
