"""What came in, as it was sent: for judging it anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, and_, bindparam, select

from signoff.errors import Invalid
from signoff.models.messages import ApprovalRequest
from signoff.models.store import approvals, payloads
from signoff.models.verdict import Effect


@dataclass(frozen=True)
class Past:
    """A request that came in, the effect of its verdict then, and what became of it (a status).

    `request` is None where its payload has been erased. `at` is when it came, in microseconds since 1970.
    """

    id: str
    agent: str
    action: str
    effect: Effect
    status: str
    request: ApprovalRequest | None
    at: int = 0


_SINCE = (
    select(
        approvals.c.request_id,
        approvals.c.agent,
        approvals.c.action,
        approvals.c.verdict,
        approvals.c.status,
        approvals.c.created_at,
        payloads.c.text,
        payloads.c.claims,
    )
    .outerjoin_from(
        approvals, payloads, and_(payloads.c.approval_id == approvals.c.id, payloads.c.version == 1)
    )
    .where(approvals.c.created_at >= bindparam("since"))
    .order_by(approvals.c.created_at)
)
ROWS = 500
"""Rows that are in memory at once."""


def since(connection: Connection, moment: int) -> Iterator[Past]:
    """All requests from `moment` (microseconds since 1970) on, the oldest first."""
    found = connection.execution_options(yield_per=ROWS).execute(_SINCE, {"since": moment})
    for row in found:
        effect = json.loads(row.verdict)["effect"]
        request = _request(row.text, row.claims)
        yield Past(row.request_id, row.agent, row.action, effect, row.status, request, row.created_at)


def _request(text: str | None, claims: str | None) -> ApprovalRequest | None:
    if text is None or claims is None:
        return None
    try:
        return ApprovalRequest.from_rows(claims, json.loads(text))
    except (ValueError, Invalid):  # of a version of the wire that is no longer taken
        return None
