"""Which rejection a new request brings to mind: of the same, or of nearly the same, not long ago."""

from __future__ import annotations

import json

from sqlalchemy import Connection, bindparam, func, literal_column, select

from signoff.models.approval import Rejection
from signoff.models.messages import ApprovalRequest
from signoff.models.tables import ApprovalRow, DecisionRow, PayloadRow
from signoff.payload.likeness import MOST_BYTES, is_like

approvals = ApprovalRow.__table__  # type: ignore[attr-defined]
payloads = PayloadRow.__table__  # type: ignore[attr-defined]
decisions = DecisionRow.__table__  # type: ignore[attr-defined]

DAYS = 7
_DAY = 86_400_000_000
"""Of a time, in microseconds."""
LOOKED_AT = 50
"""Rejections of an agent's action, the newest, among which the same payload is sought."""
COMPARED = 5
"""Of those, how many payloads are compared field by field."""

_RECENT = (
    select(approvals.c.id, approvals.c.digest_sent)
    .where(
        approvals.c.status == literal_column("'rejected'"),
        approvals.c.agent == bindparam("agent"),
        approvals.c.action == bindparam("action"),
        approvals.c.ended_at > bindparam("since"),
    )
    .order_by(approvals.c.ended_at.desc())
    .limit(literal_column(str(LOOKED_AT)))
)
_TEXTS = select(payloads.c.approval_id, payloads.c.text).where(
    payloads.c.approval_id.in_(bindparam("ids", expanding=True)),
    payloads.c.version == literal_column("1"),
    func.length(payloads.c.text) <= literal_column(str(MOST_BYTES)),
)
_ONE = (
    select(approvals.c.digest_sent, decisions, payloads.c.text.label("payload"))
    .join(decisions, decisions.c.approval_id == approvals.c.id)
    .outerjoin(payloads, (payloads.c.approval_id == approvals.c.id) & (payloads.c.version == 1))
    .where(
        approvals.c.id == bindparam("which"), decisions.c.vote == "reject", decisions.c.withdrawn_at.is_(None)
    )
    .order_by(decisions.c.id.desc())
    .limit(1)
)


def recalled(connection: Connection, agent: str, request: ApprovalRequest, at: int) -> str | None:
    """The newest rejection, at most `DAYS` before `at`, of the same request, else of one like it: its id."""
    values = {"agent": agent, "action": request.action, "since": at - DAYS * _DAY}
    recent = connection.execute(_RECENT, values).all()
    for row in recent:
        if row.digest_sent == request.digest:
            return str(row.id)
    if not recent or len(request.payload_text) > MOST_BYTES:
        return None
    ids = [row.id for row in recent[:COMPARED]]
    texts = {row.approval_id: row.text for row in connection.execute(_TEXTS, {"ids": ids})}
    for one in ids:
        if texts.get(one) and is_like(json.loads(texts[one]), request.payload):
            return str(one)
    return None


def rejection(connection: Connection, approval_id: str, digest_sent: str) -> Rejection | None:
    """What is left of a rejection; `digest_sent` is of the payload that it is told beside."""
    found = connection.execute(_ONE, {"which": approval_id}).first()
    if found is None:
        return None
    same = found.digest_sent == digest_sent
    return Rejection(
        approval_id=approval_id,
        by_id=found.approver,
        at=found.at,
        reason=found.reason,
        resubmit=bool(found.resubmit),
        same=same,
        payload=json.loads(found.payload) if found.payload and not same else None,
    )
