"""Before anything is signed that follows from what has ended, the rows of that answer for themselves.

As `records` does it of what waits: whoever can write to the database could change what ran, whom its rule
names, or what its agent has reported, after that was noted. The log's lines say what the rows have to hold.
"""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import Connection, bindparam, select

from signoff.approvals.audit import events
from signoff.approvals.audit.account import OF_ALL, Account
from signoff.approvals.audit.rows import read
from signoff.approvals.audit.token import differing
from signoff.approvals.audit.told import Contradiction, Row
from signoff.approvals.errors import Tampered
from signoff.models import identity
from signoff.models.approval import Approval
from signoff.models.store import MICROSECONDS, payloads
from signoff.payload.canonical import canonical, digest
from signoff.receipts import VerifyKeys

log = logging.getLogger("signoff.approvals")

_WHICH: Any = bindparam("approval_id")
_LINES = select(events).where(events.c.approval_id == _WHICH).order_by(events.c.seq)
_OF_ALL = select(events).where(events.c.kind.in_(OF_ALL), events.c.seq > bindparam("since"))
_TEXTS = select(payloads).where(payloads.c.approval_id == _WHICH).order_by(payloads.c.version)


def check(connection: Connection, approval: Approval, keys: VerifyKeys) -> None:
    """Raise Tampered unless an Approval that has ended, as its row has it, is what the log and its own
    receipt say: what was asked, its payloads, the verdict, how it ended, and what was reported.

    `keys` are those that receipts are verified by; of a receipt of before them only the log is asked.
    """
    if not _whole(connection, approval, keys):
        log.error("rows were changed behind Signoff's back: id=%s; see `signoff audit verify`", approval.id)
        raise Tampered


def _whole(connection: Connection, approval: Approval, keys: VerifyKeys) -> bool:
    lines = [read(dict(row)) for row in connection.execute(_LINES, {"approval_id": approval.id}).mappings()]
    texts = list(connection.execute(_TEXTS, {"approval_id": approval.id}).mappings())
    if not lines or not texts or any(row["text"] is None or row["salt"] is None for row in texts):
        return False
    of_all = [read(dict(row)) for row in connection.execute(_OF_ALL, {"since": lines[0].seq}).mappings()]
    try:
        account = Account(approval.id, {row["version"]: row["salt"] for row in texts}).add(lines, of_all)
    except Contradiction:
        return False
    row = _row(approval)
    return (
        account.receipt is not None
        and [row["version"] for row in texts] == list(account.payloads)
        and all(_fits(account.payloads[row["version"]], row) for row in texts)
        and texts[-1]["text"] == approval.payload_text
        and _commits(approval, texts[0]["text"])
        and {"verdict", "outcome"} <= account.approval.keys()
        and _fits({name: told for name, told in account.approval.items() if name in row}, row)
        and not differing(row, _votes(approval), approval.payload_text, account.receipt, keys).what
    )


def _fits(told: Row, row: Any) -> bool:
    return all(one.fit.fits(row[name]) for name, one in told.items())


def _commits(approval: Approval, sent: str) -> bool:
    """Whether its id is the one of just what was asked for."""
    asked = approval.request
    made = identity.request_id(asked.kind, approval.agent, approval.action, digest(sent), asked.nonce)
    return str(made) == approval.request_id == approval.id and digest(sent) == approval.digest_sent


def _row(approval: Approval) -> dict[str, Any]:
    """What an Approval says of its row."""
    names = (
        "id", "agent", "request_id", "action", "status", "version", "digest_sent", "reason", "created_at",
        "ended_at", "receipt", "receipt_expires_at", "outcome_at", "undoes",
    )  # fmt: skip
    return {
        **{name: getattr(approval, name) for name in names},
        "verdict": approval.verdict.model_dump_json(),
        "outcome": approval.outcome.model_dump_json() if approval.outcome else None,
    }


def _votes(approval: Approval) -> list[dict[str, Any]]:
    """Its votes, as rows have them."""
    return [
        {
            "approver": one.approver,
            "name": one.name,
            "at": round(one.at.timestamp() * MICROSECONDS) if one.at else None,
            "answer": None if one.answer is None else canonical(one.answer),
        }
        for one in approval.decisions
    ]
