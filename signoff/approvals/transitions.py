"""What can happen to a row inside a transaction: it is created, it ends, or both.

All append to the audit log as their last statements, so that the chain's head is locked shortest.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row

from signoff.approvals import audit, records
from signoff.approvals.audit import Event, lines
from signoff.approvals.ballots import Ballot
from signoff.approvals.receipts import Receipts
from signoff.approvals.stop_errors import Held
from signoff.errors import Duplicate, Invalid
from signoff.models import (
    batch_rows,
    changes,
    codes,
    first_look,
    graces,
    outbox,
    progress,
    rejections,
    stop_rows,
    store,
    sums,
    talk_rows,
    votes,
)
from signoff.models.approval import Approval, End
from signoff.models.messages import ApprovalRequest, Decision, moment
from signoff.models.store import MICROSECONDS
from signoff.models.talks import Note
from signoff.models.telling import told_of
from signoff.models.verdict import Verdict
from signoff.payload import glimpse
from signoff.payload.canonical import canonical, digest


class Moved(Exception):
    """The row is no longer as it was seen: nothing was written."""


def check_key(connection: Connection, agent: str, request: ApprovalRequest) -> None:
    """Raise Duplicate or Invalid where another request of the agent has its key."""
    first = first_look.by_key(connection, agent, request.key) if request.key else None
    if first is None:
        return
    if first.digest_sent == request.digest and first.action == request.action:
        raise Duplicate(f"Its key was used by request {first.request_id}.")
    raise Invalid(
        f"Its key was used by request {first.request_id} with other content: "
        "a key names one request, so use another."
    )


@dataclass(frozen=True)
class Draft:
    """An Approval that is about to be written, and the salt of its digests in the audit log.

    `agent` is what the log says of an agent that asks for the first time; empty for others. `recalled` is the
    id of an approval whose rejection is shown beside it. `hooked`: a webhook wants to hear of its end.
    """

    approval: Approval
    salt: str
    agent: dict[str, Any]
    hooked: bool = False
    recalled: str | None = None


def draft(
    agent: str, request: ApprovalRequest, verdict: Verdict, before: Row[Any], owner: str | None
) -> Draft:
    """What a request becomes; `before` is of `first_look.before`, `owner` the agent's."""
    at, request_id, text = before.now, str(request.id), request.payload_text
    approval = Approval(
        id=request_id,
        agent=agent,
        request_id=request_id,
        action=request.action,
        status="pending",
        version=1,
        revision=1,
        created_at=at,
        expires_at=at + verdict.expires_in * MICROSECONDS,
        request=request,
        verdict=verdict,
        payload=request.payload,
        payload_text=text,
        digest_sent=digest(text),
        traceparent=request.traceparent,
    )
    return Draft(approval, new_salt(), {} if before.agent_known else {"owner": owner}, bool(before.hooked))


def beside_others(connection: Connection, draft: Draft, code_taken: bool) -> Draft:
    """The same, with a code that no other has, and the rejection that it brings to mind."""
    one, recalled = draft.approval, None
    if code_taken:
        others = [other for other, _ in first_look.with_heads(connection, codes.heads(one.code))]
        one = replace(one, code_length=codes.apart(one.id, others))
    if one.verdict.effect == "ask":
        recalled = rejections.recalled(connection, one.agent, one.request, one.created_at)
    return replace(draft, approval=one, recalled=recalled)


def create(connection: Connection, draft: Draft, channel: str | None) -> Approval:
    """A request → a pending Approval, with a card to be shown in a channel, if in one."""
    own = channel if draft.approval.batch_id is None else None  # what is in a batch is shown on its card
    changes.add_approval(connection, _values(draft), _payload(draft), own)
    sums.reserve(connection, draft.approval)
    audit.append(connection, *lines.asked(draft.approval, draft.salt, draft.agent))
    approval = store.load(connection, draft.approval.id)
    assert approval is not None
    return approval


def create_ended(
    connection: Connection, receipts: Receipts, draft: Draft, status: End, channel: str
) -> Approval:
    """A request that needs nobody → an Approval that has ended, with its receipt.

    Only one that the policy wants to be reported has a card. It counts as published, which saves a commit:
    its entry is acknowledged only after that, and until then comes again.
    """
    verdict, at = draft.approval.verdict, draft.approval.created_at
    shown = verdict.effect == "notify"
    receipt = receipts.end(draft.approval, status, at=at, reason=verdict.reason)
    ended = {
        "status": status,
        "reason": verdict.reason,
        "ended_at": at,
        "receipt": receipt.token,
        "receipt_expires_at": int(receipt.not_after.timestamp()) * MICROSECONDS,
        "published_at": at,
        "delivered_revision": 0 if shown else 1,
        "ages_at": at + progress.FIRST if shown and status == "approved" else None,
    }
    changes.add_approval(connection, _values(draft) | ended, _payload(draft), channel if shown else None)
    sums.settle(connection, draft.approval, status, at)
    if draft.hooked:
        outbox.add(connection, draft.approval.id, at)
    events = lines.ended(draft.approval, status, receipt, None, False, draft.salt, at, "policy")
    audit.append(connection, *lines.asked(draft.approval, draft.salt, draft.agent), *events)
    return replace(draft.approval, status=status, reason=verdict.reason, ended_at=at, receipt=receipt.token)


def _values(draft: Draft) -> dict[str, Any]:
    one = draft.approval
    names = ("id", "agent", "request_id", "action", "status", "version", "revision", "digest_sent", "reason")
    return {
        **{
            name: getattr(one, name)
            for name in (*names, "created_at", "expires_at", "code_length", "traceparent", "batch_id")
        },
        "glimpse": glimpse_of(one),
        "rejected_before": draft.recalled,
        "key": one.request.key,
        "run": one.request.run,
        "undoes": one.undoes,
        "runs_at": graces.UNSHOWN if one.verdict.in_grace else None,
        "kind": one.request.kind,
        "delivered_revision": 0,
        "verdict": one.verdict.model_dump_json(),
        "not_before": 0,
        "conversation": one.verdict.conversation,
        "judged": one.verdict.policy,
    }


def _payload(draft: Draft) -> dict[str, Any]:
    one = draft.approval
    claims = one.request.claims()
    return {
        "approval_id": one.id,
        "version": 1,
        "text": one.payload_text,
        "salt": draft.salt,
        "claims": claims,
    }


def end(
    connection: Connection,
    receipts: Receipts,
    approval: Approval,
    status: End,
    *,
    actor: str,
    reason: str = "",
    decision: Decision | None = None,
    judged: Verdict | None = None,
    ballot: Ballot | None = None,
) -> Approval:
    """Pending → `status`, with its receipt; raises Moved where the row is no longer as `approval` says,
    Tampered where a decision would be about something else than what was asked, and Held where it is stopped.

    `decision` is the approver's; with a payload it makes a new version. `judged` is the verdict by which it
    ends: the row, the log and the receipt have it. `ballot` is what all votes have come to, of which this is
    the last; without it this is the only one.
    """
    batch = approval.batch_id  # its row first, as whoever freezes it does
    found = records.held(connection, approval.id, *([] if batch is None else [batch_rows.stirred(batch)]))
    if found.any_stop and (decision or status == "approved"):
        check_held(connection, approval)
    at, salt = found.now, found.salt
    before, seen, edited = approval, approval.version, decision is not None and decision.payload is not None
    if decision:
        decision = decision.model_copy(update={"at": moment(at)})
    approval = replace(approval, verdict=judged or approval.verdict)
    if decision and (payload := decision.payload) is not None:
        approval = replace(approval, version=seen + 1, payload=payload, payload_text=canonical(payload))
    voters = _voters(ballot, decision)
    receipt = receipts.end(approval, status, at=at, reason=reason, decision=decision, voters=voters)
    values = {
        "counted": before.ballots if ballot else None,
        "to_status": status,
        "to_version": approval.version,
        "to_verdict": approval.verdict.model_dump_json(),
        "to_glimpse": glimpse_of(approval) if edited else None,
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
    if decision or status == "approved":
        records.check(found, before)
    sums.settle(connection, approval, status, at, before.verdict)
    if found.hooked:
        outbox.add(connection, approval.id, at)
    if edited:
        salt = new_salt()
        by_id = decision.approver if decision else None
        changes.add_payload(connection, approval.id, approval.version, approval.payload_text, salt, by_id)
    events = lines.ended(approval, status, receipt, decision, edited, salt, at, actor)
    if judged and judged != before.verdict and not edited:
        events.insert(0, Event("verdict", approval.id, at, "policy", lines.judged(judged, salt)))
    if ballot:
        events = [*void(connection, before, ballot, at, actor), *events]
    last = [talk_rows.noted(approval.id)]  # a note may have come since it was read
    if decision:
        last.append(votes.added(approval.id, approval.version, decision, at))
    notes = [Note(*one) for one in audit.append(connection, *events, after=last)[0]]
    return replace(
        approval,
        status=status,
        revision=approval.revision + 1,
        reason=reason,
        ended_at=at,
        receipt=receipt.token,
        decisions=(*stand(before, ballot, edited), decision) if decision else approval.decisions,
        notes=tuple(notes),
    )


def void(connection: Connection, approval: Approval, ballot: Ballot, at: int, actor: str) -> list[Event]:
    """Votes that count no more, `at`; gives what the log says of them."""
    found = []
    for whose, why in ballot.void:
        if not votes.void(connection, approval.id, approval.version, whose, at, why):
            raise Moved
        found.append(Event("void", approval.id, at, actor, lines.void(whose, approval.version, why)))
    return found


def stand(approval: Approval, ballot: Ballot | None, edited: bool) -> tuple[Decision, ...]:
    """The votes of before that still do."""
    gone = {whose for whose, _ in ballot.void} if ballot else set[str]()
    return () if edited else tuple(one for one in approval.decisions if one.approver not in gone)


def _voters(ballot: Ballot | None, decision: Decision | None) -> tuple[Decision, ...]:
    if ballot:
        return ballot.voters
    return (decision,) if decision else ()


def check_held(connection: Connection, approval: Approval) -> None:
    """Raises Held where somebody has stopped it."""
    undo = approval.undoes is not None
    stop = stop_rows.holding(connection, approval.agent, approval.action, undo=undo)
    if stop is not None:
        raise Held(stop)


def glimpse_of(approval: Approval) -> str:
    """What lists show of its payload."""
    return glimpse.written(glimpse.glimpse(approval.request.json_schema, told_of(approval)))


def new_salt() -> str:
    return secrets.token_hex(16)
