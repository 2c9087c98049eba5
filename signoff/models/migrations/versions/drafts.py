"""What people have typed into forms of several pages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "draft",
        sa.Column("form", sa.Text(), primary_key=True),
        sa.Column("approval_id", sa.Text(), sa.ForeignKey("approval.id"), nullable=False),
        sa.Column("approver", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("draft_approval", "draft", ["approval_id"])
