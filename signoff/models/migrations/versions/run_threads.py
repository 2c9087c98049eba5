"""The threads that the cards of a run are replies in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column and a table. Cards that are there stay outside threads."""
    op.add_column("card", sa.Column("thread_ts", sa.Text(), nullable=True))
    replies = sa.text("thread_ts IS NOT NULL")
    op.create_index(
        "card_thread", "card", ["channel", "thread_ts"], sqlite_where=replies, postgresql_where=replies
    )
    op.create_table(
        "thread",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("agent", sa.Text(), sa.ForeignKey("agent.name"), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("ts", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("shown_revision", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("agent", "run", "wanted"),
    )
    op.create_index("thread_message", "thread", ["channel", "ts"])
    stale = sa.text("shown_revision < revision")
    op.create_index("thread_stale", "thread", ["not_before"], sqlite_where=stale, postgresql_where=stale)
