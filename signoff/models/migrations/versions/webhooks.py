"""Webhooks: how an endpoint does, when a message was sent last, and each endpoint's own queue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns, and an index by which a long queue of one endpoint is passed over for another's."""
    for name in ("rotated_at", "answered_at"):
        op.add_column("webhook_endpoint", sa.Column(name, sa.BigInteger(), nullable=True))
    op.add_column("webhook_endpoint", sa.Column("answer", sa.Text(), nullable=True))
    op.add_column("webhook_endpoint", sa.Column("failing_since", sa.BigInteger(), nullable=True))
    op.add_column(
        "webhook_endpoint", sa.Column("rests_until", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.add_column("webhook_endpoint", sa.Column("told_at", sa.BigInteger(), nullable=True))
    op.add_column("webhook_delivery", sa.Column("sent_at", sa.BigInteger(), nullable=True))
    op.drop_index("webhook_delivery_due", "webhook_delivery")
    due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "webhook_delivery_due", "webhook_delivery", ["endpoint_id", "due_at"],
        sqlite_where=due, postgresql_where=due,
    )  # fmt: skip
    op.create_index("webhook_delivery_created", "webhook_delivery", ["created_at"])
