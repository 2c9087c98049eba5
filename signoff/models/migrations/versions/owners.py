"""The owner that `signoff agent add` was told, apart from the one that a policy's file names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column."""
    op.add_column("agent", sa.Column("added_owner", sa.Text(), nullable=True))
