"""Doors by HTTP: agents' tokens, webhooks, what guards have spent by us, and where a trace comes from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Four tables, two of them with an index, and a column. What is there stays as it is."""
    op.create_table(
        "agent_token",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("off_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
    )
    op.create_index("agent_token_agent", "agent_token", ["agent"])
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("off_at", sa.BigInteger(), nullable=True),
        sa.Column("off_reason", sa.Text(), nullable=True),
    )
    op.create_index("webhook_endpoint_agent", "webhook_endpoint", ["agent"])
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("endpoint_id", sa.Text(), nullable=False),
        sa.Column("approval_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("lease", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.UniqueConstraint("endpoint_id", "approval_id", "kind"),
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "webhook_delivery_due", "webhook_delivery", ["due_at"], sqlite_where=due, postgresql_where=due
    )
    op.create_table(
        "signoff_spent",
        sa.Column("kid", sa.String(64), primary_key=True),
        sa.Column("agent", sa.String(64), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("spent_by", sa.String(200), nullable=False),
        sa.Column("spent_at", sa.String(64), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
    )
    op.add_column("approval", sa.Column("traceparent", sa.Text(), nullable=True))
