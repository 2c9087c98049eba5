"""What came in, as it was sent: for judging it anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, and_, bindparam, exists, select

from signoff.errors import Invalid
from signoff.models.messages import ApprovalRequest
from signoff.models.store import approvals, payloads
from signoff.models.verdict import answer


@dataclass(frozen=True)
class Past:
    """A request that came in, what was answered then (`verdict.answer`), and what became of it: a status, or
    `undone`. What people did to undo something is none.

    `request` is None where its payload has been erased. `at` is when it came, in microseconds since 1970.
    `shared` says whether it stood on the card of a batch.
    """

    id: str
    agent: str
    action: str
    effect: str
    status: str
    request: ApprovalRequest | None
    at: int = 0
    shared: bool = False


UNDONE = "undone"
"""What became of what was let run, where somebody undid it."""
_undo = approvals.alias("undoing")
_SINCE = (
    select(
        approvals.c.request_id,
        approvals.c.agent,
        approvals.c.action,
        approvals.c.verdict,
        approvals.c.status,
        approvals.c.created_at,
        approvals.c.batch_id,
        exists().where(_undo.c.undoes == approvals.c.id).label("undone"),
        payloads.c.text,
        payloads.c.claims,
    )
    .outerjoin_from(
        approvals, payloads, and_(payloads.c.approval_id == approvals.c.id, payloads.c.version == 1)
    )
    .where(approvals.c.created_at >= bindparam("since"), approvals.c.undoes.is_(None))
    .order_by(approvals.c.created_at)
)
ROWS = 500
"""Rows that are in memory at once."""


def since(connection: Connection, moment: int) -> Iterator[Past]:
    """All requests from `moment` (microseconds since 1970) on, the oldest first."""
    found = connection.execution_options(yield_per=ROWS).execute(_SINCE, {"since": moment})
    for row in found:
        said = json.loads(row.verdict)
        effect = answer(said["effect"], said.get("after"), said.get("held_by", ""))
        request, status = _request(row.text, row.claims), UNDONE if row.undone else row.status
        shared = row.batch_id is not None
        yield Past(row.request_id, row.agent, row.action, effect, status, request, row.created_at, shared)


def _request(text: str | None, claims: str | None) -> ApprovalRequest | None:
    if text is None or claims is None:
        return None
    try:
        return ApprovalRequest.from_rows(claims, json.loads(text))
    except (ValueError, Invalid):  # of a version of the wire that is no longer taken
        return None
