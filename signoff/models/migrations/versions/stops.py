"""What was stopped, and which guards have heard of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two tables more."""
    op.create_table(
        "stop",
        sa.Column("id", sa.Text(), primary_key=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("number", "changed")),
        *(
            sa.Column(name, sa.Text(), nullable=False)
            for name in ("kind", "name", "by_id", "by_name", "reason", "salt")
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("undos", sa.Boolean(), nullable=False, server_default=sa.false()),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("staged_at", "ended_at")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("resumed_by", "resumed_name")),
    )
    stands = sa.text("ended_at IS NULL")
    op.create_index("stop_stands", "stop", ["at"], sqlite_where=stands, postgresql_where=stands)
    op.create_index("stop_changed", "stop", ["changed"])
    op.create_table(
        "stop_seen",
        sa.Column("token", sa.Text(), primary_key=True),
        sa.Column("guard", sa.Text(), primary_key=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("fresh", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
