"""What can happen to a request, on both databases."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import exc, text
from support import Core, a_request

from signoff import receipts
from signoff.approvals import audit
from signoff.approvals.errors import AlreadyDecided, EditedMeanwhile, NotAllowed, TimeRanOut, UnknownApproval
from signoff.errors import Duplicate, Invalid
from signoff.models.approval import Approval
from signoff.models.messages import Outcome, payload_digest
from signoff.payload.canonical import digest
from signoff.queue import stream


def overdue(core: Core, approval: Approval) -> None:
    """Move the row, not the clock."""
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE approval SET expires_at = 1 WHERE id = :id"), {"id": approval.id})


def receipt_of(core: Core, approval: Approval) -> Any:
    answer = stream.response(core.redis, approval.agent, approval.request_id)
    assert answer is not None
    keys = receipts.verify_keys(core.signer.verify_key)
    return receipts.accept(answer, keys, agent=approval.agent, request_id=approval.request_id)


def test_a_request_waits_for_the_policys_approvers(core: Core) -> None:
    approval = core.submit(reason="Duplicate charge", reversibility="reversible")
    assert approval.status == "pending"
    assert approval.verdict.approvers == ("S0FIN",)
    assert approval.expires_at - approval.created_at == 24 * 3600 * 1_000_000
    assert core.changed == [approval.id]


def test_submitting_again_changes_nothing(core: Core) -> None:
    request = a_request()
    first = core.approvals.submit("billing-bot", request)
    again = core.approvals.submit("billing-bot", request)
    assert again.id == first.id
    assert core.changed == [first.id]
    assert audit.verify(core.store).lines == 2


def test_an_id_belongs_to_the_agent_that_it_was_made_for(core: Core) -> None:
    request = a_request()
    mine = core.approvals.submit("billing-bot", request)
    with pytest.raises(Invalid, match="commits"):
        core.approvals.submit("other-bot", request)
    assert core.store.get(mine.id).pending  # type: ignore[union-attr]
    assert core.store.find("other-bot", str(request.id)) is None


def test_a_key_with_other_content_is_invalid_and_leaves_the_first_alone(core: Core) -> None:
    first = core.submit(key="order-7")
    with pytest.raises(Invalid, match="with other content"):
        core.submit(key="order-7", payload={"amount": 1})
    with pytest.raises(Duplicate):
        core.submit(key="order-7", nonce="0" * 32)  # of an agent whose secret was changed
    assert core.submit(key="order-7").id == first.id
    assert core.store.get(first.id).pending  # type: ignore[union-attr]


def test_an_approval_is_signed_for_exactly_what_was_sent(core: Core) -> None:
    approval = core.submit(payload={"b": 1, "a": [1.5, "ü"]})
    core.approvals.decide(approval.id, 1, "U0ANA", "approve", reason="as agreed")
    receipt = receipt_of(core, approval)
    assert receipt.approved and not receipt.edited
    assert receipt.payload == {"a": [1.5, "ü"], "b": 1}
    assert receipt.digest == receipt.digest_sent == payload_digest({"b": 1, "a": [1.5, "ü"]})
    assert (receipt.decided_by.id, receipt.decided_by.name) == ("U0ANA", "ana")
    assert receipt.reason == "as agreed"
    assert receipt.policy == approval.verdict.policy


def test_an_edit_is_a_new_version_and_the_receipt_has_both_digests(core: Core) -> None:
    approval = core.submit()
    ended = core.approvals.decide(
        approval.id, 1, "U0BEN", "approve", payload={"customer": "cus_42", "amount": 80}
    )
    assert (ended.version, ended.status) == (2, "approved")
    receipt = receipt_of(core, approval)
    assert receipt.edited and receipt.payload == {"customer": "cus_42", "amount": 80}
    assert receipt.digest_sent == approval.digest_sent
    assert receipt.digest == digest(ended.payload_text)
    stored = core.store.get(approval.id)
    assert stored is not None and stored.request.payload["amount"] == 120 and stored.edited


def test_an_edit_that_changes_nothing_is_no_edit(core: Core) -> None:
    approval = core.submit(payload={"amount": 120})
    ended = core.approvals.decide(approval.id, 1, "U0BEN", "approve", payload={"amount": 120.0})
    assert ended.version == 1 and not receipt_of(core, approval).edited


@pytest.mark.parametrize(
    ("fields", "payload", "says"),
    [
        ({"editable": False}, {"customer": "cus_42", "amount": 1}, "does not let anyone change 'amount'"),
        ({"editable": ["amount"]}, {"customer": "other", "amount": 120}, "change 'customer'"),
        ({"editable": ["amount"]}, {"amount": 120}, "change 'customer'"),
        (
            {"schema": {"type": "object", "properties": {"amount": {"maximum": 500}}}},
            {"customer": "cus_42", "amount": 501},
            "500",
        ),
        ({}, {"customer": "\x00", "amount": 1}, "NUL"),
    ],
)
def test_an_edit_that_is_not_allowed_changes_nothing(
    core: Core, fields: dict[str, Any], payload: dict[str, Any], says: str
) -> None:
    approval = core.submit(**fields)
    with pytest.raises(Invalid, match=says):
        core.approvals.decide(approval.id, 1, "U0ANA", "approve", payload=payload)
    assert core.store.get(approval.id).pending  # type: ignore[union-attr]


def test_a_rejection_tells_why_and_whether_to_come_back(core: Core) -> None:
    approval = core.submit()
    core.approvals.decide(approval.id, 1, "U0ANA", "reject", reason="net amount, please", resubmit=True)
    receipt = receipt_of(core, approval)
    assert (receipt.status, receipt.reason, receipt.resubmit) == ("rejected", "net amount, please", True)
    assert receipt.payload is None


def test_a_second_decision_changes_nothing_and_says_who_decided(core: Core) -> None:
    approval = core.submit()
    core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    before = receipt_of(core, approval)
    with pytest.raises(AlreadyDecided) as caught:
        core.approvals.decide(approval.id, 1, "U0BEN", "reject", reason="no")
    assert (caught.value.status, caught.value.by, caught.value.by_id) == ("approved", "ana", "U0ANA")
    assert caught.value.at > 0
    assert receipt_of(core, approval) == before


def test_of_many_decisions_at_once_exactly_one_counts(core: Core) -> None:
    approval = core.submit()
    barrier, outcomes = threading.Barrier(8), []

    def decide(number: int) -> None:
        barrier.wait()
        try:
            answer = "approve" if number % 2 else "reject"
            core.approvals.decide(approval.id, 1, "U0ANA" if number % 3 else "U0BEN", answer, reason="x")  # type: ignore[arg-type]
            outcomes.append("won")
        except AlreadyDecided as error:
            outcomes.append(error.status)

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    stored = core.store.get(approval.id)
    assert stored is not None
    assert sorted(outcomes) == sorted(["won"] + [stored.status] * 7)
    with core.store.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM decision")).scalar() == 1
        assert connection.execute(text("SELECT count(*) FROM audit_event WHERE kind='receipt'")).scalar() == 1
    assert audit.verify(core.store).ok


def test_after_its_time_nothing_is_approved(core: Core) -> None:
    approval = core.submit()
    overdue(core, approval)
    with pytest.raises(TimeRanOut):
        core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    expired = core.approvals.expire(approval.id)
    assert expired is not None and expired.status == "expired"
    with pytest.raises(TimeRanOut):
        core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    receipt = receipt_of(core, approval)
    assert receipt.status == "expired" and receipt.never_shown


def test_what_is_not_overdue_does_not_expire(core: Core) -> None:
    approval = core.submit()
    assert core.approvals.expire(approval.id) is None
    assert core.store.get(approval.id).pending  # type: ignore[union-attr]


def test_a_click_on_another_version_changes_nothing(core: Core) -> None:
    approval = core.submit()
    with pytest.raises(EditedMeanwhile):
        core.approvals.decide(approval.id, 2, "U0ANA", "approve")
    with pytest.raises(UnknownApproval):
        core.approvals.decide("no-such-id", 1, "U0ANA", "approve")


def test_only_the_approvers_may_decide(core: Core) -> None:
    approval = core.submit()
    with pytest.raises(NotAllowed):
        core.approvals.decide(approval.id, 1, "U0MIA", "approve")
    core.people.groups["S0FIN"].add("U0MIA")
    assert core.approvals.decide(approval.id, 1, "U0MIA", "approve").status == "approved"


def test_an_agent_withdraws_its_own_request_only_while_it_waits(core: Core) -> None:
    approval = core.submit()
    assert core.approvals.cancel("other-bot", approval.request_id) is None
    cancelled = core.approvals.cancel("billing-bot", approval.request_id, "not needed")
    assert cancelled is not None and cancelled.status == "cancelled"
    assert receipt_of(core, approval).status == "cancelled"
    with pytest.raises(AlreadyDecided):
        core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    second = core.submit()
    core.approvals.decide(second.id, 1, "U0ANA", "approve")
    kept = core.approvals.cancel("billing-bot", second.request_id)
    assert kept is not None and kept.status == "approved"


def test_the_first_report_of_an_approved_action_counts(core: Core) -> None:
    approval = core.submit()
    core.approvals.report("billing-bot", approval.request_id, Outcome(succeeded=True))
    assert core.store.get(approval.id).outcome is None  # type: ignore[union-attr]
    core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    core.approvals.report("billing-bot", approval.request_id, Outcome(succeeded=False, note="card closed"))
    core.approvals.report("billing-bot", approval.request_id, Outcome(succeeded=True))
    stored = core.store.get(approval.id)
    assert stored is not None and stored.outcome == Outcome(succeeded=False, note="card closed")


def test_redis_being_away_does_not_reach_who_decides_and_is_made_good(core: Core, own_redis: Any) -> None:
    import redis

    from signoff.approvals.sweep import Sweep

    client = redis.Redis(port=own_redis.port, socket_timeout=0.5)
    publisher = core.approvals.publisher
    theirs, publisher._redis = publisher._redis, client
    approval = core.submit()
    own_redis.stop()
    ended = core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    assert ended.status == "approved"
    assert core.store.get(approval.id).published_at is None  # type: ignore[union-attr]
    publisher._redis = theirs
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE approval SET ended_at = ended_at - 5000000"))
    Sweep(core.approvals, lambda _: None).step()
    assert core.store.get(approval.id).published_at is not None  # type: ignore[union-attr]
    assert receipt_of(core, approval).approved
    client.close()


def test_a_database_that_is_locked_after_the_commit_does_not_reach_who_decides(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: str) -> None:
        raise exc.OperationalError("UPDATE", {}, Exception("database is locked"))

    approval = core.submit()
    with monkeypatch.context() as patched:
        patched.setattr(core.store, "mark_published", locked)
        assert core.approvals.decide(approval.id, 1, "U0ANA", "approve").status == "approved"
    found = core.approvals.get(approval.id)
    assert found.status == "approved" and found.published_at is None, "sweep does it again"
    assert receipt_of(core, found).approved


def test_the_log_has_every_step_and_no_payload(core: Core) -> None:
    canary = "canary-7f3a"
    approval = core.submit(payload={"amount": 1, "secret": canary}, reason=canary, title=canary)
    shown = core.store.get(approval.id)
    assert shown is not None
    core.approvals.cards.note_shown(shown, "C0APPROVE", "1.0001", None, f"rendered {canary}")
    edited = {"amount": 2, "secret": canary}
    core.approvals.decide(approval.id, 1, "U0ANA", "approve", reason=canary, payload=edited)
    core.approvals.report("billing-bot", approval.request_id, Outcome(succeeded=True, note=canary))
    with core.store.reading() as connection:
        lines = connection.execute(text("SELECT kind, actor, data FROM audit_event ORDER BY seq")).all()
    kinds = [line.kind for line in lines]
    assert kinds == ["submit", "verdict", "shown", "edit", "decision", "receipt", "outcome"]
    assert not any(canary in line.data for line in lines)
    assert '"shown_for_ms":' in lines[4].data and lines[4].actor == "U0ANA"
    assert audit.verify(core.store).ok
