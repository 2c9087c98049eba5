"""Policies by their digest, and what channels are told of agents that ask too much."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two tables and an index."""
    op.create_table(
        "policy",
        sa.Column("digest", sa.Text(), primary_key=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
    )
    op.create_table(
        "notice",
        sa.Column("agent", sa.Text(), primary_key=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=False),
    )
    pending = sa.text("status = 'pending'")
    op.create_index(
        "approval_asked",
        "approval",
        ["agent", "action", "digest_sent"],
        sqlite_where=pending,
        postgresql_where=pending,
    )
