"""Ids commit to what they name, and what was approved is spent: see docs/decisions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

NOW = {
    "postgresql": "(extract(epoch from clock_timestamp()) * 1000000)::bigint",
    "sqlite": "cast((julianday('now') - 2440587.5) * 86400000000 as integer)",
}


def upgrade() -> None:
    """What waits under an id that commits to nothing runs out of time: sweep ends it, and says why."""
    op.add_column("approval", sa.Column("spent_by", sa.Text()))
    op.add_column("approval", sa.Column("spent_at", sa.BigInteger()))
    now = NOW[op.get_bind().dialect.name]
    op.execute(f"UPDATE approval SET expires_at = {now} WHERE status = 'pending' AND expires_at > {now}")
