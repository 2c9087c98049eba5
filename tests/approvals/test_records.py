"""A decision is signed only where the rows are what was asked: else nothing runs, whoever wrote to them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import text
from support import Core

from signoff.approvals.errors import Tampered
from signoff.models.identity import request_id
from signoff.payload.canonical import canonical, digest

ASKED = {"amount": 120, "customer": "cus_42"}
MORE = canonical({"amount": 999_999, "customer": "cus_42"})


def write(core: Core, *statements: str, **values: Any) -> None:
    with core.store.transaction() as connection:
        for statement in statements:
            connection.execute(text(statement), values)


PAYLOAD = "UPDATE payload SET text = :more WHERE approval_id = :id"
DIGEST = "UPDATE approval SET digest_sent = :digest WHERE id = :id"
REQUEST_ID = "UPDATE approval SET request_id = :made WHERE id = :id"
CHANGES: dict[str, tuple[str, ...]] = {
    "the payload": (PAYLOAD,),
    "the payload and its digest": (PAYLOAD, DIGEST),
    "the payload, its digest and the id": (PAYLOAD, DIGEST, REQUEST_ID),
    "the payload and its salt": (PAYLOAD, "UPDATE payload SET salt = '' WHERE approval_id = :id"),
    "the digest": (DIGEST,),
    "the action": ("UPDATE approval SET action = 'draft.note' WHERE id = :id",),
    "what the agent claims": ("UPDATE payload SET claims = :claims WHERE approval_id = :id",),
    "a version more": (
        "INSERT INTO payload (approval_id, version, text, salt) VALUES (:id, 2, :more, 'salt')",
        "UPDATE approval SET version = 2 WHERE id = :id",
    ),
    "a version more that is not asked about": (
        "INSERT INTO payload (approval_id, version, text, salt) VALUES (:id, 2, :more, 'salt')",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("vote", ["approve", "reject"])
def test_what_was_changed_behind_our_back_is_not_decided(core: Core, change: str, vote: Any) -> None:
    approval = core.submit(payload=ASKED)
    made = request_id("approval", "billing-bot", "refund.create", digest(MORE), approval.request.nonce)
    claims = json.loads(approval.request.claims()) | {"schema": {"type": "object"}, "reason": "Harmless"}
    values = {"id": approval.id, "more": MORE, "digest": digest(MORE), "made": str(made)}
    write(core, *CHANGES[change], **values, claims=json.dumps(claims))
    now = core.approvals.get(approval.id)
    with pytest.raises(Tampered):
        core.approvals.decide(approval.id, now.version, "U0ANA", vote)
    after = core.approvals.get(approval.id)
    assert after.pending and after.receipt is None
    write(core, "UPDATE approval SET expires_at = 1 WHERE id = :id", id=approval.id)
    ended = core.approvals.expire(approval.id)
    assert ended and ended.status == "expired", "its time runs out all the same"


def test_a_change_back_in_time_is_no_matter(core: Core) -> None:
    approval = core.submit(payload=ASKED)
    write(core, PAYLOAD, id=approval.id, more=MORE)
    write(core, PAYLOAD, id=approval.id, more=canonical(ASKED))
    assert core.approvals.decide(approval.id, 1, "U0ANA", "approve").status == "approved"


def test_a_correction_changes_what_was_asked_and_is_decided(core: Core) -> None:
    approval = core.submit(payload=ASKED)
    decided = core.approvals.decide(approval.id, 1, "U0ANA", "approve", payload={**ASKED, "amount": 80})
    assert decided.status == "approved" and decided.version == 2


def test_what_waits_from_before_ids_committed_ends_as_expired_and_says_why(core: Core) -> None:
    approval = core.submit(payload=ASKED)
    claims = {name: value for name, value in json.loads(approval.request.claims()).items() if name != "nonce"}
    write(core, "UPDATE payload SET claims = :claims", claims=json.dumps(claims))
    with pytest.raises(Tampered):
        core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    write(core, "UPDATE approval SET expires_at = 1")
    ended = core.approvals.expire(approval.id)
    assert ended and ended.status == "expired" and "does not commit" in ended.reason
