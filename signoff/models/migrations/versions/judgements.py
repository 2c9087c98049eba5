"""Under which policy an approval was last judged, what its card shows of that, and what sums count."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three columns, a partial index and a table. What waits is judged again once, by the policy in force.

    What came before any policy had sums counts for none.
    """
    op.add_column("approval", sa.Column("judged", sa.Text(), nullable=True))
    op.add_column("approval", sa.Column("drawn", sa.Text(), nullable=True))
    op.add_column("approval", sa.Column("moved", sa.Integer(), nullable=False, server_default="0"))
    moved = sa.text("moved = 1")
    op.create_index("approval_moved", "approval", ["created_at"], sqlite_where=moved, postgresql_where=moved)
    op.create_table(
        "amount",
        sa.Column("approval_id", sa.Text(), sa.ForeignKey("approval.id"), primary_key=True),
        sa.Column("sum", sa.Text(), primary_key=True),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("bucket", sa.Text(), nullable=False),
        sa.Column("whole", sa.BigInteger(), nullable=False),
        sa.Column("millionths", sa.Integer(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
    )
    op.create_index("amount_sum", "amount", ["agent", "sum", "bucket", "until"])
