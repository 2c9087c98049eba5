"""Under which policy a pending approval was last judged, and what its card shows of the verdict."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three columns and a partial index. What waits is judged again once, by the policy in force."""
    op.add_column("approval", sa.Column("judged", sa.Text(), nullable=True))
    op.add_column("approval", sa.Column("drawn", sa.Text(), nullable=True))
    op.add_column("approval", sa.Column("moved", sa.Integer(), nullable=False, server_default="0"))
    moved = sa.text("moved = 1")
    op.create_index("approval_moved", "approval", ["created_at"], sqlite_where=moved, postgresql_where=moved)
