"""The two things that can happen to a row inside a transaction: it is created, and it ends.

Both append to the audit log as their last statements, so that the chain's head is locked shortest.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from signoff import audit
from signoff.answers import Receipts
from signoff.audit import Event, salted
from signoff.canonical import canonical, digest
from signoff.models import changes, store
from signoff.models.approval import Approval
from signoff.models.messages import ApprovalRequest, Decision, Receipt, Status, moment, new_id
from signoff.models.store import MICROSECONDS
from signoff.policy import Verdict


class Moved(Exception):
    """The row is no longer as it was seen: nothing was written."""


def create(connection: Connection, agent: str, request: ApprovalRequest, verdict: Verdict) -> Approval:
    """A request → a pending Approval, whatever the verdict says."""
    at = changes.clock(connection)
    request_id, text, claims, salt = str(request.id), canonical(request.payload), request.claims(), _salt()
    # Another agent's request may have this id: that one keeps it.
    approval_id = str(new_id()) if store.exists(connection, request_id) else request_id
    values = {
        "id": approval_id,
        "agent": agent,
        "request_id": request_id,
        "key": request.key,
        "run": request.run,
        "action": request.action,
        "status": "pending",
        "version": 1,
        "revision": 1,
        "delivered_revision": 0,
        "digest_sent": digest(text),
        "verdict": verdict.model_dump_json(),
        "reason": "",
        "created_at": at,
        "expires_at": at + verdict.expires_in * MICROSECONDS,
        "not_before": 0,
        "channel": verdict.channel,
    }
    payload = {"approval_id": approval_id, "version": 1, "text": text, "salt": salt, "claims": claims}
    changes.add_approval(connection, values, payload)
    asked = {
        "action": request.action,
        "version": 1,
        "payload": salted(salt, text),
        "claims": salted(salt, claims),
    }
    answered = {
        "answer": verdict.answer,
        "approvers": list(verdict.approvers),
        "channel": verdict.channel,
        "policy": verdict.policy,
        "expires_at": values["expires_at"],
    }
    audit.append(
        connection,
        Event("submit", approval_id, at, agent, asked),
        Event("verdict", approval_id, at, "policy", answered),
    )
    approval = store.load(connection, approval_id)
    assert approval is not None
    return approval


def end(
    connection: Connection,
    receipts: Receipts,
    approval: Approval,
    status: Status,
    *,
    actor: str,
    reason: str = "",
    decision: Decision | None = None,
) -> Approval:
    """Pending → `status`, with its receipt; raises Moved where the row is no longer as `approval` says.

    `decision` is the approver's, where one decided; with a payload it makes a new version.
    """
    at, salt = changes.clock_and_salt(connection, approval.id)
    seen, edited = approval.version, decision is not None and decision.payload is not None
    if decision:
        decision = decision.model_copy(update={"at": moment(at)})
    if decision and decision.payload is not None:
        text = canonical(decision.payload)
        approval = replace(approval, version=seen + 1, payload=decision.payload, payload_text=text)
    receipt = receipts.end(approval, status, at=at, reason=reason, decision=decision)
    values = {
        "to_status": status,
        "to_version": approval.version,
        "why": reason,
        "at": at,
        "token": receipt.token,
        "token_end": int(receipt.not_after.timestamp()) * MICROSECONDS,
    }
    if status == "expired":
        moved = changes.expire(connection, approval.id, values)
    else:
        moved = changes.end(connection, approval.id, seen, values)
    if not moved:
        raise Moved
    if edited:
        salt = _salt()
        changes.add_payload(connection, approval.id, approval.version, approval.payload_text, salt)
    if decision:
        changes.add_decision(connection, approval.id, approval.version, decision, at)
    audit.append(connection, *_events(approval, receipt, decision, edited, salt, at, actor))
    return replace(
        approval,
        status=status,
        revision=approval.revision + 1,
        reason=reason,
        ended_at=at,
        receipt=receipt.token,
        decision=decision,
    )


def _events(
    approval: Approval,
    receipt: Receipt,
    decision: Decision | None,
    edited: bool,
    salt: str,
    at: int,
    actor: str,
) -> list[Event]:
    found = []

    def say(kind: str, who: str, **data: Any) -> None:
        found.append(Event(kind, approval.id, at, who, data))

    version, reason = approval.version, salted(salt, receipt.reason)
    if edited:
        say("edit", actor, version=version, payload=salted(salt, approval.payload_text))
    if decision:
        shown_for = (at - approval.shown_at) // 1000 if approval.shown_at else None
        say("decision", actor, answer=decision.answer, version=version, shown_for_ms=shown_for, reason=reason)
    elif receipt.status == "expired":
        say("expiry", actor, never_shown=receipt.never_shown)
    elif receipt.status == "cancelled":
        say("cancel", actor, reason=reason)
    signed = hashlib.sha256(receipt.token.encode()).hexdigest()
    say("receipt", "signoff", status=receipt.status, nonce=receipt.nonce, version=version, signed=signed)
    return found


def _salt() -> str:
    return secrets.token_hex(16)
