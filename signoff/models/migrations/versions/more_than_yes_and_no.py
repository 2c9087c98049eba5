"""Questions, batches, talks with agents, undoing and feedback."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Seven tables; columns of what is asked and decided, and indexes. What is there stays as it is."""
    op.add_column("approval", sa.Column("kind", sa.Text(), nullable=False, server_default="approval"))
    op.add_column("approval", sa.Column("batch_id", sa.Integer(), nullable=True))
    for name in ("handed_to", "handed_by", "undoes"):
        op.add_column("approval", sa.Column(name, sa.Text(), nullable=True))
    for name in ("runs_at", "undo_at"):
        op.add_column("approval", sa.Column(name, sa.BigInteger(), nullable=True))
    op.add_column("decision", sa.Column("answer", sa.Text(), nullable=True))
    _index("approval_batch", "approval", ["batch_id", "created_at"], "batch_id IS NOT NULL")
    _index("approval_runs", "approval", ["runs_at"], "runs_at IS NOT NULL AND status = 'pending'")
    _index("approval_undoes", "approval", ["undoes", "created_at"], "undoes IS NOT NULL")
    _index("approval_undo_at", "approval", ["undo_at"], "undo_at IS NOT NULL")
    _index("approval_edited", "approval", ["agent", "ended_at"], "version > 1 AND status = 'approved'")
    _index("approval_answered", "approval", ["agent", "ended_at"], "status = 'answered'")
    _batches()
    _talks()
    _afterwards()


def _batches() -> None:
    op.create_table(
        "batch",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("agent", sa.Text(), sa.ForeignKey("agent.name"), nullable=False),
        _text("name"),
        _text("title"),
        _text("run", nullable=True),
        sa.Column("size", sa.Integer(), nullable=False, server_default="0"),
        _text("state"),
        _number("created_at"),
        _number("frozen_at", nullable=True),
        *(
            _text(name, nullable=True)
            for name in ("ids", "salt", "wanted", "conversation", "thread", "message", "permalink")
        ),
        _number("revision", server_default="0"),
        _number("shown_revision", server_default="0"),
        _number("shown_at", nullable=True),
        *(_number(name, server_default="0") for name in ("not_before", "lease_until", "lease", "unsure")),
        sa.UniqueConstraint("agent", "name"),
    )
    op.create_index("batch_message", "batch", ["conversation", "message"])
    _index("audit_event_owners", "audit_event", ["seq"], "kind IN ('agent', 'policy')")
    _index("audit_event_batch", "audit_event", ["actor"], "kind = 'batch' AND approval_id IS NULL")
    _index("batch_stale", "batch", ["not_before"], "state = 'frozen' AND shown_revision < revision")
    _index("batch_undone", "batch", ["created_at"], "state <> 'frozen' AND shown_revision < revision")
    op.create_table(
        "batch_review",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        _text("user_id"),
        _text("items"),
        _number("seen", server_default="0"),
        _number("created_at"),
    )
    op.create_index("batch_review_created", "batch_review", ["created_at"])


def _talks() -> None:
    op.create_table(
        "talk",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("approval_id", sa.Text(), sa.ForeignKey("approval.id"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *(_text(name) for name in ("by_id", "name", "question", "state")),
        *(_number(name) for name in ("asked_at", "until")),
        _text("token"),
        _number("published_at", nullable=True),
        _text("answer", nullable=True),
        _number("answered_at", nullable=True),
    )
    op.create_index("talk_approval", "talk", ["approval_id", "asked_at"])
    _index("talk_untold", "talk", ["asked_at"], "published_at IS NULL")
    _index("talk_unanswered", "talk", ["until"], "state = 'asked'")
    op.create_table(
        "note",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("approval_id", sa.Text(), sa.ForeignKey("approval.id"), nullable=False),
        *(_text(name) for name in ("by_id", "name", "text")),
        _number("at"),
    )
    op.create_index("note_approval", "note", ["approval_id"])
    op.create_table(
        "card_reply",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("approval_id", sa.Text(), sa.ForeignKey("approval.id"), nullable=False),
        *(_text(name) for name in ("kind", "said")),
        _number("created_at"),
        _text("message", nullable=True),
        *(_number(name, server_default="0") for name in ("not_before", "lease")),
    )
    _index("card_reply_due", "card_reply", ["not_before"], "message IS NULL")
    op.create_index("card_reply_approval", "card_reply", ["approval_id"])


def _afterwards() -> None:
    op.create_table(
        "undo",
        sa.Column("agent", sa.Text(), sa.ForeignKey("agent.name"), primary_key=True),
        sa.Column("action", sa.Text(), primary_key=True),
        _number("seen_at"),
        _number("tested_at", nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=False, server_default=sa.false()),
        _text("fault", nullable=True),
        _text("test_id", nullable=True),
        _number("test_until", nullable=True),
        sa.Column("test_taken", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_table(
        "feedback",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("approval_id", sa.Text(), sa.ForeignKey("approval.id"), nullable=False),
        *(_text(name) for name in ("agent", "action")),
        _number("asked_at"),
        *(_text(name, nullable=True) for name in ("by_id", "name", "answer", "text")),
        _number("at", nullable=True),
        sa.UniqueConstraint("approval_id"),
    )
    op.create_index("feedback_agent", "feedback", ["agent", "action", "at"])


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _number(name: str, *, nullable: bool = False, server_default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable, server_default=server_default)


def _index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    held = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=held, postgresql_where=held)
