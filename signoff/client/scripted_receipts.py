"""Receipts of tests: as a server would sign them, by a key that is made for the test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from signoff.client.script import AGENT, Script
from signoff.models.messages import ApprovalRequest, payload_digest
from signoff.models.receipt import Decider, Receipt, Status
from signoff.payload.canonical import digest
from signoff.receipts import new_jti

NOT_AFTER = timedelta(hours=1)


def receipt_of(
    request: ApprovalRequest,
    script: Script,
    final: str | None,
    answer: dict[str, Any] | None,
    undoes: str | None = None,
) -> Receipt:
    """What a script makes of a request; `final` is the approved payload, `undoes` what that undoes."""
    now = datetime.now(UTC)
    sent = payload_digest(request.payload)
    status: Status = script.status  # type: ignore[assignment]
    return Receipt(
        id=str(request.id),
        kind=request.kind,
        agent=AGENT,
        action=request.action,
        status=status,
        answer=answer,
        version=2 if final and digest(final) != sent else 1,
        digest_sent=sent,
        digest=digest(final) if final else None,
        decided_by=Decider(id="U0TEST", name=script.by, at=now) if script.by else None,
        reason=script.reason,
        resubmit=script.resubmit,
        jti=new_jti(),
        nonce=request.nonce,
        undoes=undoes,
        issued_at=now,
        not_after=now + NOT_AFTER,
    )
