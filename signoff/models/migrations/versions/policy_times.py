"""A policy is in force since its last line in the log: each start had set it later, without a line."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_LINES = "FROM audit_event WHERE kind = 'policy' AND data LIKE '%\"text\":\"' || policy.digest || '\"%'"


def upgrade() -> None:
    """Take each time from the log. Where another policy came back without a line, the next start logs it."""
    op.execute(
        f"UPDATE policy SET since = (SELECT at {_LINES} ORDER BY seq DESC LIMIT 1) "
        f"WHERE since > 0 AND EXISTS (SELECT 1 {_LINES})"
    )
