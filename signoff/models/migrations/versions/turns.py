"""Whose card is next: the channel a card is for, when an agent had its turn, and what Slack asked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CHANNEL = {"sqlite": "json_extract(verdict, '$.channel')", "postgresql": "verdict::json->>'channel'"}


def upgrade() -> None:
    """Two columns, one table, three partial indexes. What waits to be shown is told its channel."""
    op.add_column("approval", sa.Column("channel", sa.Text(), nullable=True))
    op.execute(f"UPDATE approval SET channel = {CHANNEL[op.get_bind().dialect.name]}")
    op.add_column("agent", sa.Column("served_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "pause",
        sa.Column("method", sa.Text(), primary_key=True),
        sa.Column("channel", sa.Text(), primary_key=True),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
    )
    stale = "delivered_revision < revision"
    _partial_index("approval_unshown", "approval", ["agent", "created_at"], f"shown_at IS NULL AND {stale}")
    _partial_index("approval_stale", "approval", ["not_before"], f"shown_at IS NOT NULL AND {stale}")
    unlogged = "ts IS NOT NULL AND thread_ts IS NULL AND log_revision < shown_revision"
    _partial_index("card_unlogged", "card", ["id"], unlogged)


def _partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    held = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=held, postgresql_where=held)
