"""One meaning a word (conversation, message, vote, effect), what a restore has closed, no log replies."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

COLUMNS = {
    "approval": {"channel": "conversation"},
    "card": {"channel": "conversation", "ts": "message", "thread_ts": "thread"},
    "thread": {"channel": "conversation", "ts": "message"},
    "pause": {"channel": "conversation"},
    "decision": {"answer": "vote"},
    "epoch": {"settled_at": "told_at"},
    "draft": {"form": "id"},
}
VERDICT = {"answer": "effect", "channel": "conversation", "thread_ts": "thread"}
"""Keys of the verdicts that rows hold as JSON."""
CLAIMS = {"channel": "conversation"}
ROWS = 500


def upgrade() -> None:
    """Rename columns and what rows hold as JSON; the audit log stays as it was written."""
    connection = op.get_bind()
    op.drop_index("card_unlogged", "card")  # before its columns: SQLite would not let them go
    for column in ("log_ts", "log_revision"):
        op.drop_column("card", column)
    for table, columns in COLUMNS.items():
        for old, new in columns.items():
            op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")
    if connection.dialect.name == "postgresql":
        was, now = "card_approval_id_channel_key", "card_approval_id_conversation_key"
        op.execute(f"ALTER TABLE card RENAME CONSTRAINT {was} TO {now}")
    op.add_column("card", sa.Column("channel", sa.Text(), nullable=False, server_default="slack"))
    op.add_column("approval", sa.Column("closed_in", sa.Integer(), nullable=True))
    last = "(SELECT max(number) FROM epoch)"
    op.execute(
        f"UPDATE approval SET closed_in = {last} WHERE status IN ('pending', 'expired') AND reason <> ''"
    )
    op.execute("UPDATE approval SET reason = '' WHERE status = 'pending'")
    op.create_table(
        "flood_warning",
        sa.Column("agent", sa.Text(), primary_key=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=False),
    )
    op.execute("INSERT INTO flood_warning (agent, text, until) SELECT agent, text, until FROM notice")
    op.drop_table("notice")
    _rename_keys(connection, "approval", ("id",), "verdict", VERDICT)
    _rename_keys(connection, "payload", ("approval_id", "version"), "claims", CLAIMS)
    _rename_keys(connection, "flood_warning", ("agent",), "text", CLAIMS)


def _rename_keys(
    connection: sa.Connection, table: str, keys: tuple[str, ...], column: str, names: dict[str, str]
) -> None:
    """The same JSON objects with some of their keys under another name."""
    one = " AND ".join(f"{key} = :{key}" for key in keys)
    change = sa.text(f"UPDATE {table} SET {column} = :to WHERE {one}")
    found = connection.execute(
        sa.text(f"SELECT {', '.join(keys)}, {column} AS held FROM {table} WHERE {column} IS NOT NULL")
    )
    for rows in iter(lambda: found.fetchmany(ROWS), []):
        changed: list[dict[str, Any]] = []
        for row in rows:
            held = json.loads(row.held)
            if held.keys() & names.keys():
                to = json.dumps(
                    {names.get(key, key): value for key, value in held.items()},
                    ensure_ascii=False,
                    separators=(",", ":"),
                )
                changed.append({**{key: getattr(row, key) for key in keys}, "to": to})
        if changed:
            connection.execute(change, changed)
