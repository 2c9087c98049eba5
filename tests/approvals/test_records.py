"""A decision is signed only where the rows are what was asked: else nothing runs, whoever wrote to them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from support import Core

from signoff.approvals import audit
from signoff.approvals.audit import salted
from signoff.approvals.errors import Tampered
from signoff.models.identity import request_id
from signoff.models.messages import Outcome
from signoff.payload.canonical import canonical, digest
from signoff.receipts import sign, verify, verify_keys

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


@pytest.mark.parametrize("end", ["rejected", "expired", "cancelled", "approved", "spent"])
def test_what_has_ended_is_not_decided_again_though_its_row_says_that_it_waits(core: Core, end: str) -> None:
    approval = core.submit(payload=ASKED)
    if end == "expired":
        write(core, "UPDATE approval SET expires_at = 1 WHERE id = :id", id=approval.id)
        core.approvals.expire(approval.id)
    elif end == "cancelled":
        core.approvals.cancel("billing-bot", approval.request_id)
    else:
        core.approvals.decide(approval.id, 1, "U0ANA", "reject" if end == "rejected" else "approve")
    if end == "spent":
        core.approvals.spend("billing-bot", approval.request_id, "one-" + "a" * 20)
    write(
        core,
        "UPDATE approval SET status = 'pending', receipt = NULL, ended_at = NULL, spent_at = NULL, "
        "spent_by = NULL, outcome = NULL, expires_at = created_at + 3600000000 WHERE id = :id",
        "DELETE FROM decision WHERE approval_id = :id",
        id=approval.id,
    )
    with pytest.raises(Tampered):
        core.approvals.decide(approval.id, 1, "U0ANA", "approve")


def test_a_second_submit_line_does_not_make_another_payload_the_one_that_was_asked(core: Core) -> None:
    """Whoever writes to the database can append to the log: its chain has no key."""
    approval = core.submit(payload=ASKED)
    nonce = approval.request.nonce
    made = str(request_id("approval", "billing-bot", "refund.create", digest(MORE), nonce))
    claims = json.dumps(json.loads(approval.request.claims()) | {"id": made})
    with core.store.transaction() as connection:
        values = {"id": approval.id, "more": MORE, "digest": digest(MORE), "made": made, "claims": claims}
        for statement in (PAYLOAD, DIGEST, REQUEST_ID, *CHANGES["what the agent claims"]):
            connection.execute(text(statement), values)
        salt = connection.execute(text("SELECT salt FROM payload")).scalar_one()
        told = {
            "action": "refund.create", "version": 1, "payload": salted(salt, MORE),
            "claims": salted(salt, claims),
        }  # fmt: skip
        audit.append(connection, audit.Event("submit", approval.id, 1, "billing-bot", told))
    with pytest.raises(Tampered):
        core.approvals.decide(approval.id, 1, "U0ANA", "approve")


def test_who_may_decide_is_not_taken_from_a_row_that_was_changed(core: Core) -> None:
    approval = core.submit(payload=ASKED)
    verdict = approval.verdict.model_copy(update={"named": ("U0EVE",), "approvers": ("U0EVE",)})
    write(
        core, "UPDATE approval SET verdict = :v WHERE id = :id", id=approval.id, v=verdict.model_dump_json()
    )
    with pytest.raises(Tampered):
        core.approvals.decide(approval.id, 1, "U0ANA", "approve")


@pytest.mark.parametrize("said", ["spend", "outcome"])
def test_what_the_log_says_has_run_is_not_spent_again(core: Core, said: str) -> None:
    approval = core.submit(payload=ASKED)
    core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    if said == "spend":
        core.approvals.spend("billing-bot", approval.request_id, "one-" + "a" * 20)
    else:
        core.approvals.report("billing-bot", approval.request_id, Outcome(succeeded=True))
    write(core, "UPDATE approval SET spent_at = NULL, spent_by = NULL, outcome = NULL")
    core.redis.flushall()
    core.approvals.spend("billing-bot", approval.request_id, "two-" + "b" * 20)
    assert core.approvals.get(approval.id).spent_by != "two-" + "b" * 20


def test_an_approval_whose_time_is_over_is_not_spent(core: Core) -> None:
    approval = core.submit(payload=ASKED)
    core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    keys, real = verify_keys(core.signer.verify_key), core.approvals.get(approval.id).receipt or ""
    over = verify(real, keys, "billing-bot").model_copy(
        update={"not_after": datetime(2020, 1, 1, tzinfo=UTC)}
    )
    write(core, "UPDATE approval SET receipt = :token", token=sign(core.signer, over))
    core.approvals.spend("billing-bot", approval.request_id, "one-" + "a" * 20)
    assert core.approvals.get(approval.id).spent_at is None


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
