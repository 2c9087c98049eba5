"""When a card next tells that nobody has reported, and whether the agent waits for its answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three columns and a partial index. What was approved before tells no age by itself."""
    op.add_column("approval", sa.Column("ages_at", sa.BigInteger(), nullable=True))
    op.add_column("approval", sa.Column("waiter", sa.Text(), nullable=True))
    op.add_column("approval", sa.Column("absent_at", sa.BigInteger(), nullable=True))
    aging = sa.text("ages_at IS NOT NULL")
    op.create_index("approval_aging", "approval", ["ages_at"], sqlite_where=aging, postgresql_where=aging)
