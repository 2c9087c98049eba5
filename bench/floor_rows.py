"""The floor's database: the statements of a submit and a decision on plain sqlite3, nothing between.

The tables, indexes and triggers are Signoff's own, from its migrations, and so is every row that is written.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from typing import Any

JSON = dict[str, Any]
NOW = "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER) * 1000"
HEAD = "SELECT seq, hash FROM audit_event ORDER BY seq DESC LIMIT 1"
AUDIT = "INSERT INTO audit_event VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


class Rows:
    """One connection, as Signoff's are: WAL, synchronous=FULL, BEGIN IMMEDIATE."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=1500"):
            self._db.execute(f"PRAGMA {pragma}")

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def submit(self, request: JSON) -> None:
        """A request → a pending approval, its payload, its card and two lines of the audit log; committed."""
        run, id_ = self._db.execute, request["id"]
        run("BEGIN IMMEDIATE")
        run("SELECT id FROM approval WHERE agent = ? AND request_id = ?", ("floor", id_)).fetchone()
        now = self._now()
        run("INSERT OR IGNORE INTO agent (name, created_at) VALUES ('floor', ?)", (now,))
        text, salt = (
            json.dumps(request["payload"], sort_keys=True, separators=(",", ":")),
            secrets.token_hex(16),
        )
        run(
            "INSERT INTO approval (id, agent, request_id, action, status, version, revision,"
            " delivered_revision, digest_sent, verdict, reason, created_at, expires_at, not_before)"
            " VALUES (?, 'floor', ?, ?, 'pending', 1, 1, 0, ?, '{}', '', ?, ?, 0)",
            (id_, id_, request["action"], _sha256(text), now, now + 86_400_000_000),
        )
        run("INSERT INTO payload VALUES (?, 1, ?, ?, '{}', NULL)", (id_, text, salt))
        run(
            "INSERT INTO card (approval_id, shown_revision, lease_until) VALUES (?, 0, 0)",
            (id_,),
        )
        said = {"action": request["action"], "version": 1, "payload": _sha256(salt + text)}
        self._append(now, (id_, "submit", "floor", said), (id_, "verdict", "policy", {"answer": "ask"}))
        run("COMMIT")

    def token(self, id_: str) -> str:
        """The hash of a token."""
        found: tuple[str] = self._db.execute(
            "SELECT hash FROM agent_token WHERE id = ? AND revoked_at IS NULL", (id_,)
        ).fetchone()
        return found[0]

    def approval(self, id_: str) -> tuple[str, str, str, int]:
        """status, digest_sent, payload and version."""
        found: tuple[str, str, str, int] = self._db.execute(
            "SELECT status, digest_sent, text, approval.version FROM approval JOIN payload"
            " ON approval_id = id AND payload.version = approval.version WHERE id = ?", (id_,)
        ).fetchone()  # fmt: skip
        return found

    def lease(self, id_: str) -> None:
        """Take its card's lease; committed."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute(
            f"UPDATE card SET lease_until = {NOW} + 30000000 WHERE approval_id = ? AND lease_until < {NOW}",
            (id_,),
        )
        self._db.execute("COMMIT")

    def decide(self, id_: str, user: str, token: str) -> int:
        """Compare and set, the decision and two lines of the audit log; committed. Gives the time."""
        run = self._db.execute
        run("BEGIN IMMEDIATE")
        now = self._now()
        moved = run(
            "UPDATE approval SET status = 'approved', revision = revision + 1, ended_at = ?, receipt = ?,"
            f" not_before = 0 WHERE id = ? AND status = 'pending' AND version = 1 AND expires_at > {NOW}",
            (now, token, id_),
        )  # fmt: skip
        assert moved.rowcount == 1
        salt = run(
            "SELECT salt FROM payload WHERE approval_id = ? ORDER BY version DESC LIMIT 1", (id_,)
        ).fetchone()
        run(
            "INSERT INTO decision (approval_id, version, approver, name, vote, reason, resubmit, at)"
            " VALUES (?, 1, ?, 'ana', 'approve', '', 0, ?)", (id_, user, now)
        )  # fmt: skip
        said = {"answer": "approve", "version": 1, "reason": _sha256(salt[0])}
        self._append(
            now, (id_, "decision", user, said), (id_, "receipt", "signoff", {"signed": _sha256(token)})
        )
        run("COMMIT")
        return now

    def published(self, id_: str) -> None:
        """Its answer is in Redis; committed."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute(f"UPDATE approval SET published_at = {NOW} WHERE id = ?", (id_,))
        self._db.execute("COMMIT")

    def _now(self) -> int:
        return int(self._db.execute(f"SELECT {NOW}").fetchone()[0])

    def _append(self, now: int, *events: tuple[str, str, str, JSON]) -> None:
        seq, previous = self._db.execute(HEAD).fetchone() or (0, "0" * 64)
        for id_, kind, actor, said in events:
            seq, data = seq + 1, json.dumps(said, sort_keys=True)
            own = _sha256(json.dumps([seq, id_, kind, now, actor, data, previous]))
            self._db.execute(AUDIT, (seq, id_, kind, now, actor, data, previous, own))
            previous = own


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
