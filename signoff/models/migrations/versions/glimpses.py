"""What tells a request from others: its first values, how long its code is, and which rejection was alike."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Four columns and a partial index. What came before has no first values in lists, and no memory."""
    op.add_column("approval", sa.Column("glimpse", sa.Text(), nullable=True))
    op.add_column("approval", sa.Column("code_length", sa.Integer(), nullable=False, server_default="6"))
    op.add_column("approval", sa.Column("rejected_before", sa.Text(), nullable=True))
    op.add_column("approval", sa.Column("deserted_at", sa.BigInteger(), nullable=True))
    rejected = sa.text("status = 'rejected'")
    op.create_index(
        "approval_rejected",
        "approval",
        ["agent", "action", "ended_at"],
        sqlite_where=rejected,
        postgresql_where=rejected,
    )
