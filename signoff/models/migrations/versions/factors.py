"""Second factors: codes of authenticator apps, invitations to enrol one, and what is known of tries."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Four tables."""
    op.create_table(
        "factor",
        sa.Column("id", sa.Text(), primary_key=True),
        *(_text(name) for name in ("user_id", "kind", "secret", "key", "by")),
        _number("created_at"),
        *(_number(name, nullable=True) for name in ("confirmed_at", "counts_from", "removed_at")),
        *(_number(name, server_default="0") for name in ("epoch", "last_step")),
    )
    op.create_index("factor_user", "factor", ["user_id"])
    op.create_table(
        "factor_invitation",
        sa.Column("id", sa.Text(), primary_key=True),
        *(_text(name) for name in ("user_id", "code_hash", "by")),
        *(_number(name) for name in ("created_at", "expires_at")),
        _number("used_at", nullable=True),
        _number("epoch", server_default="0"),
    )
    op.create_index("factor_invitation_user", "factor_invitation", ["user_id"])
    op.create_table(
        "factor_guard",
        sa.Column("user_id", sa.Text(), primary_key=True),
        _text("wrong"),
        _number("locked_until", server_default="0"),
        _text("session_of", nullable=True),
        _number("session_at", server_default="0"),
    )
    op.create_table(
        "factor_news",
        sa.Column("id", sa.Integer(), primary_key=True),
        *(_text(name) for name in ("user_id", "what", "by")),
        _number("at"),
        _number("told_at", nullable=True),
    )
    untold = sa.text("told_at IS NULL")
    op.create_index("factor_news_untold", "factor_news", ["at"], sqlite_where=untold, postgresql_where=untold)


def _text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _number(name: str, *, nullable: bool = False, server_default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable, server_default=server_default)
