"""A made-up request → an Approval, as the rows would give it; pure, but for ids that are made anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from signoff.models import identity
from signoff.models.approval import Approval
from signoff.models.identity import new_id
from signoff.models.messages import ApprovalRequest, payload_digest
from signoff.payload.canonical import canonical, digest
from signoff.policy.evaluate import evaluate
from signoff.policy.policy import Policy

BEGAN = 1_795_000_000_000_000
"""When all of them were asked, in microseconds since 1970."""
SECOND = 1_000_000
AGENT = "billing-bot"
POLICY = Policy(("U0ANA", "S0FINANCE"), "C0APPROVALS")
_REQUEST = {*ApprovalRequest.model_fields, "schema"} - {"id", "payload"}


def made_up(payload: dict[str, Any], **fields: Any) -> Approval:
    """An Approval that waits, but for what `fields` say: fields of its request, and its own, by name.

    `undone` is what is known of undoing it, as `undo` is the agent's claim.
    `verdict` is a dictionary of what the policy says otherwise, `decision` the one that decided it
    (`decisions`: several), and
    `payload_now` what an approver made of the payload. `reason` is the agent's, unless a status is given:
    then it is the reason why it ended so.
    """
    verdict = fields.pop("verdict", {})
    sent = {name: fields.pop(name) for name in list(fields) if name in _REQUEST and name != "reason"}
    if "reason" in fields and "status" not in fields:
        sent["reason"] = fields.pop("reason")
    request = _request(payload, **sent)
    text = canonical(payload)
    base = Approval(
        id=str(new_id()),
        agent=AGENT,
        request_id=str(request.id),
        action=request.action,
        status="pending",
        version=1,
        revision=1,
        created_at=BEGAN,
        expires_at=BEGAN + 3600 * SECOND,
        request=request,
        verdict=evaluate(request, AGENT, POLICY).model_copy(update=verdict),
        payload=payload,
        payload_text=text,
        digest_sent=digest(text),
        shown_at=BEGAN + SECOND,
    )
    if "undone" in fields:
        fields["undo"] = fields.pop("undone")
    if "payload_now" in fields:
        now = fields.pop("payload_now")
        fields |= {"payload": now, "payload_text": canonical(now), "version": 2}
    decision = fields.pop("decision", None)
    decisions = fields.pop("decisions", (decision,) if decision else ())
    return replace(base, decisions=decisions, **fields)


def _request(
    payload: dict[str, Any], action: str = "refund.create", kind: str = "approval", **sent: Any
) -> ApprovalRequest:
    """As the agent sends it: its id commits to what it asks."""
    nonce = sent.setdefault("nonce", identity.new_nonce())
    made = identity.request_id(kind, AGENT, action, payload_digest(payload), nonce)
    values = {"id": made, "kind": kind, "action": action, "payload": payload, **sent}
    return ApprovalRequest.model_validate(values)
