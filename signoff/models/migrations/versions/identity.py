"""Ids commit to what they name, and what was approved is spent: see docs/decisions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from signoff.models import log

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
    connection = op.get_bind()
    now = int(connection.execute(sa.text(f"SELECT {NOW[connection.dialect.name]}")).scalar_one())
    ended = "UPDATE approval SET expires_at = :now WHERE status = 'pending' AND expires_at > :now"
    if connection.execute(sa.text(ended), {"now": now}).rowcount:
        log.append(
            connection, log.Event("migrated", None, now, "signoff", {"to": revision, "expires_at": now})
        )
