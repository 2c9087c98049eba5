"""Approvals to draw, and ways to look at what was drawn."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from support import a_request

from signoff.models.approval import Approval
from signoff.models.messages import ApprovalRequest, new_id
from signoff.payload.canonical import canonical, digest
from signoff.policy.evaluate import evaluate
from signoff.policy.policy import Policy
from signoff.sandbox.remote import nodes

BEGAN = 1_795_000_000_000_000
REQUEST = {*ApprovalRequest.model_fields, "schema"} - {"kind", "id", "payload"}


@pytest.fixture(scope="session")
def make() -> Callable[..., Approval]:
    """make(payload, **fields of request or Approval, verdict={…}, decision=…) → a pending Approval."""

    def approval(payload: dict[str, Any], **fields: Any) -> Approval:
        verdict = fields.pop("verdict", {})
        sent = {name: fields.pop(name) for name in list(fields) if name in REQUEST and name != "reason"}
        if "reason" in fields and "status" not in fields:
            sent["reason"] = fields.pop("reason")
        request = a_request(payload=payload, **sent)
        found = evaluate(request, "billing-bot", Policy(("U0ANA", "S0FINANCE"), "C0APPROVALS"))
        text = canonical(payload)
        base = Approval(
            id=str(new_id()),
            agent="billing-bot",
            request_id=str(request.id),
            action=request.action,
            status="pending",
            version=1,
            revision=1,
            created_at=BEGAN,
            expires_at=BEGAN + 3600 * 1_000_000,
            request=request,
            verdict=found.model_copy(update=verdict),
            payload=payload,
            payload_text=text,
            digest_sent=digest(text),
            shown_at=BEGAN + 1_000_000,
        )
        if "payload_now" in fields:
            now = fields.pop("payload_now")
            fields |= {"payload": now, "payload_text": canonical(now), "version": 2}
        decision = fields.pop("decision", None)
        return replace(base, decisions=(decision,) if decision else (), **fields)

    return approval


@pytest.fixture(scope="session")
def walk() -> Callable[[Any], Iterator[dict[str, Any]]]:
    """Every object in blocks or a view, in the order in which they stand."""
    return nodes


@pytest.fixture(scope="session")
def seen() -> Callable[[Any], str]:
    """All text that a person sees, joined."""
    kinds = ("plain_text", "mrkdwn", "text")
    return lambda value: "".join(part["text"] for part in nodes(value) if part.get("type") in kinds)


@pytest.fixture(scope="session")
def markup() -> Callable[[Any], str]:
    """All text that Slack reads markup in."""
    return lambda value: "\n".join(part["text"] for part in nodes(value) if part.get("type") == "mrkdwn")
