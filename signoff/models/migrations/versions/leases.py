"""Leases count who has had them, what a delivery left unsure is known, and doubles wait to be redrawn."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

COUNTS = (("card", "lease"), ("card", "unsure"), ("thread", "lease"), ("thread", "unsure"), ("home", "lease"))


def upgrade() -> None:
    """Add columns and a table. A lease that is held counts as nobody's: its holder runs the old program."""
    for table, column in COUNTS:
        op.add_column(table, sa.Column(column, sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "card_double",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("approval_id", sa.Text(), sa.ForeignKey("approval.id"), nullable=False),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=True),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("conversation", "message"),
    )
    op.create_index("card_double_approval", "card_double", ["approval_id"])
