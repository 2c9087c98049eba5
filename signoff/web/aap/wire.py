"""How a request stands, as the protocol tells it; a client compares it with what it has submitted."""

from __future__ import annotations

from typing import Any, assert_never

from signoff.models.approval import Approval
from signoff.models.messages import moment
from signoff.models.receipt_claims import APPROVAL
from signoff.web.aap.submission import AAP, not_ours


def is_ours(approval: Approval) -> bool:
    """Whether it was asked through this door: of others a client would be told less than was approved.

    Nothing but an approval is, whatever its context says: an answer approves nothing, and has no word here.
    """
    if approval.request.kind != APPROVAL:
        return False
    own = approval.request.context.get(AAP)
    return isinstance(own, dict) and isinstance(own.get("timeout"), str)


def told(approval: Approval) -> dict[str, Any]:
    """The request, with its decision and consumption where there are any.

    `arguments` are those that were approved: were they not what a client has sent, it would not run them.
    """
    own = approval.request.context[AAP]
    server = own.get("server") or ""
    found: dict[str, Any] = {
        "id": approval.request_id,
        "tool": approval.action.removeprefix(f"{server}/") if server else approval.action,
        "arguments": approval.payload,
        **{name: own[name] for name in ("timeout", "server", "context", "agent_reasoning") if name in own},
        "status": status_of(approval),
        "created_at": _time(approval.created_at),
        "deadline_at": _time(approval.expires_at),
    }
    if approval.request.reason:
        found.setdefault("agent_reasoning", approval.request.reason)
    if approval.ended_at is None:
        return found
    found["decision"] = decision = {"status": found["status"], "decided_at": _time(approval.ended_at)}
    if approval.reason:
        decision["note"] = approval.reason
    if approval.status == "approved":
        assert approval.receipt_expires_at is not None
        decision["expires_at"] = _time(approval.receipt_expires_at)
        if approval.has_run:
            found["consumption"] = _consumption(approval)
    return found


def status_of(approval: Approval) -> str:
    """The protocol's word for where it stands: the policy's no and a person's are one to it."""
    match approval.status:
        case "rejected" | "blocked":
            return "denied"
        case "pending" | "approved" | "expired" | "cancelled":
            return approval.status
        case "answered":
            raise not_ours()  # as `is_ours` has it: a question is not there
        case _:
            assert_never(approval.status)


def _consumption(approval: Approval) -> dict[str, Any]:
    at = approval.spent_at or approval.outcome_at or 0
    found: dict[str, Any] = {"consumed_at": _time(at)}
    if approval.outcome:
        said = approval.outcome
        outcome = {"status": outcome_of(said.succeeded), "reported_at": _time(approval.outcome_at or at)}
        found["outcome"] = outcome | ({"note": said.note} if said.note else {})
    return found


def outcome_of(succeeded: bool) -> str:
    """The protocol's word for what became of a call."""
    return "succeeded" if succeeded else "failed"


def _time(microseconds: int) -> str:
    return moment(microseconds).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
