"""Votes that are kept: their seats, why one does not count any more, and who has changed a payload."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns of votes, payloads and approvals. What is there stays as it is: it had one seat."""
    for name in ("seat", "fits"):
        op.add_column("decision", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column(
        "decision", sa.Column("self_approved", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("decision", sa.Column("void", sa.Text(), nullable=True))
    op.add_column("payload", sa.Column("by_id", sa.Text(), nullable=True))
    op.add_column("card_double", sa.Column("moved", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("approval", sa.Column("ballots", sa.Integer(), nullable=False, server_default="0"))
