"""The files of payloads that stand in their cards' threads."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a table and its index. Cards that are there get their files when they are shown the next time."""
    op.create_table(
        "card_file",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("approval_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("conversation", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("lease", sa.BigInteger(), nullable=False, server_default="0"),
        sa.UniqueConstraint("approval_id", "digest", "conversation", "thread"),
    )
    due = sa.text("state <> 'posted'")
    op.create_index("card_file_due", "card_file", ["not_before"], sqlite_where=due, postgresql_where=due)
