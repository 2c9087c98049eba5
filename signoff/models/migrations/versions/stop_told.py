"""Of which changes of a stop admins were told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table more."""
    op.create_table(
        "stop_told",
        sa.Column("stop", sa.Text(), primary_key=True),
        sa.Column("changed", sa.BigInteger(), nullable=False),
    )
