"""What lists are read by, and who has opened App Home."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add four indexes and a table."""
    op.create_index("approval_created", "approval", ["created_at"])
    op.create_index("approval_agent", "approval", ["agent", "created_at"])
    op.create_index("approval_action", "approval", ["action", "created_at"])
    op.create_index("approval_prefix", "approval", [sa.text("substr(id, 1, 8)")])
    op.create_table(
        "home",
        sa.Column("user_id", sa.Text(), primary_key=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=True),
    )
