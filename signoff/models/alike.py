"""Which requests wait on cards of their own and are alike: same agent, same action, asked close together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, literal_column, select

from signoff.models.approval import Approval
from signoff.models.store import MICROSECONDS, approvals, now

ALIKE_SECONDS = 600
"""Requests that were asked so close together may be offered to be looked through together."""
_SAME = ("effect", "named", "reversibility", "reversibility_from", "risk", "risk_from")
"""Of a verdict what has to be the same for one look at them to do."""
_ALIKE = (
    select(approvals.c.id, approvals.c.verdict)
    .where(
        approvals.c.agent == bindparam("agent"),
        approvals.c.action == bindparam("action"),
        approvals.c.status == literal_column("'pending'"),
        approvals.c.kind == literal_column("'approval'"),
        approvals.c.batch_id.is_(None),
        approvals.c.closed_in.is_(None),
        approvals.c.expires_at > now(),
        approvals.c.created_at.between(bindparam("since"), bindparam("until")),
    )
    .order_by(approvals.c.created_at, approvals.c.id)
    .limit(bindparam("most"))
)


def rows(connection: Connection, first: Approval, most: int) -> Sequence[Any]:
    """id and verdict (JSON) of those like `first`, the oldest first, itself among them."""
    values = {
        "agent": first.agent,
        "action": first.action,
        "since": first.created_at - ALIKE_SECONDS * MICROSECONDS,
        "until": first.created_at + ALIKE_SECONDS * MICROSECONDS,
        "most": most,
    }
    return connection.execute(_ALIKE, values).all()


def count(found: Sequence[Any], first: Approval) -> int:
    """How many of such rows the same people decide, undone and rated as `first` is; 0 without itself."""
    kinds = {row.id: _kind(json.loads(row.verdict)) for row in found}
    return list(kinds.values()).count(kinds[first.id]) if first.id in kinds else 0


def _kind(verdict: dict[str, Any]) -> list[Any]:
    return [verdict.get(name) for name in _SAME]
