"""What a policy makes of requests, decisions and edits, on both databases."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from sqlalchemy import Connection, text
from support import Core, a_request, undelivered

from signoff import receipts
from signoff.approvals import audit
from signoff.approvals.errors import BlockedNow, NotAllowed, Tampered
from signoff.errors import Duplicate, Invalid, Limited
from signoff.models import first_look, flood, lists
from signoff.models.approval import Approval
from signoff.models.messages import Outcome
from signoff.queue import stream

RULES = """
autonomy: supervised
groups:
  finance: {users: [U0ANA]}
  board: {users: [U0MIA]}
agents:
  billing-bot: {owner: U0BEN}
rules:
  - name: small refunds
    match: {action: "refund.*"}
    when: payload.amount <= 50
    verdict: allow
  - name: reported
    match: {action: "files.edit"}
    verdict: notify
  - name: never
    match: {action: "iam.*"}
    verdict: block
    reason: Admins are made by people only.
  - name: huge refunds
    match: {action: "refund.*"}
    when: payload.amount > 5000
    verdict: block
  - name: large refunds
    match: {action: "refund.*"}
    when: payload.amount > 1000
    verdict: ask
    headline: "Refund {amount} to {customer}"
    channel: C0BOARD
    approvers: [board]
    require: [reason, impact]
  - name: refunds
    match: {action: "refund.*"}
    verdict: ask
    headline: "Refund {amount} to {customer}"
    approvers: [finance]
    editable: [amount]
    expires_in: 30m
"""


@pytest.fixture
def core(core: Core) -> Core:
    core.follow(RULES)
    return core


def refund(core: Core, amount: int, **said: Any) -> Approval:
    found: Approval = core.submit(payload={"customer": "cus_42", "amount": amount}, **said)
    return found


def receipt_of(core: Core, approval: Approval) -> Any:
    answer = stream.response(core.redis, approval.agent, approval.request_id)
    assert answer is not None
    keys = receipts.verify_keys(core.signer.verify_key)
    return receipts.accept(answer, keys, agent=approval.agent, request_id=approval.request_id)


def logged(core: Core, approval: Approval, kind: str) -> dict[str, Any]:
    with core.store.reading() as connection:
        query = text("SELECT data FROM audit_event WHERE approval_id = :id AND kind = :kind")
        found = connection.execute(query, {"id": approval.id, "kind": kind}).scalar_one()
    return dict(json.loads(found))


def cards_of(core: Core, approval: Approval) -> int:
    with core.store.reading() as connection:
        query = text("SELECT count(*) FROM card WHERE approval_id = :id")
        return int(connection.execute(query, {"id": approval.id}).scalar_one())


def test_what_is_allowed_is_approved_at_once_without_a_card(core: Core) -> None:
    approval = refund(core, 50)
    receipt = receipt_of(core, approval)
    assert receipt.approved and receipt.payload == {"customer": "cus_42", "amount": 50}
    assert (receipt.policy, receipt.rule) == (core.policy.digest, "small refunds") and receipt.why
    assert receipt.decided_by is None
    assert cards_of(core, approval) == 0 and core.changed == [] and not undelivered(core.store)
    stored = core.store.get(approval.id)
    assert stored and stored.status == "approved" and stored.verdict.rule == "small refunds"
    assert audit.verify(core.store).ok


def test_the_outcome_of_what_was_allowed_is_kept(core: Core) -> None:
    approval = refund(core, 50)
    core.approvals.report("billing-bot", approval.request_id, Outcome(succeeded=True, note="re_1"))
    stored = core.store.get(approval.id)
    assert stored and stored.outcome and stored.outcome.note == "re_1"


def test_what_is_notified_is_approved_at_once_and_has_a_card(core: Core) -> None:
    approval = core.submit(action="files.edit", payload={"path": "a.txt"})
    assert receipt_of(core, approval).approved
    assert cards_of(core, approval) == 1 and core.changed == [approval.id]


def test_what_is_blocked_is_told_why_and_nobody_is_asked(core: Core) -> None:
    approval = core.submit(action="iam.grant_admin", payload={"user": "ben"})
    receipt = receipt_of(core, approval)
    assert receipt.status == "blocked" and "Admins are made by people only." in receipt.reason
    assert cards_of(core, approval) == 0 and core.changed == []


def test_who_is_asked_where_and_how_long_is_the_rules(core: Core) -> None:
    approval = refund(core, 120)
    assert approval.pending and approval.verdict.approvers == ("U0ANA",)
    assert approval.verdict.headline == "Refund 120 to cus_42"
    assert approval.expires_at - approval.created_at == 30 * 60 * 1_000_000
    assert approval.editable == ("amount",)
    with pytest.raises(NotAllowed):
        core.approvals.decide(approval.id, 1, "U0BEN", "approve")
    core.approvals.decide(approval.id, 1, "U0ANA", "approve")


def test_the_log_has_the_rule_and_why_and_nothing_of_the_payload(core: Core) -> None:
    said = logged(core, refund(core, 120), "verdict")
    assert (said["rule"], said["policy"]) == ("refunds", core.policy.digest)
    assert said["why"] and "cus_42" not in json.dumps(said)


def test_what_a_rule_requires_is_named_where_it_is_missing(core: Core) -> None:
    with pytest.raises(Invalid, match=r"large refunds.* wants impact with refund\.create"):
        refund(core, 1200, reason="twice charged")
    assert refund(core, 1200, reason="twice charged", impact="one customer").pending


def test_the_same_while_it_waits_is_a_duplicate_of_it(core: Core) -> None:
    first = refund(core, 120)
    with pytest.raises(Duplicate, match=first.request_id):
        refund(core, 120, key="another")
    assert core.submit(agent="other-bot", payload=first.payload).pending
    assert refund(core, 121).pending
    core.approvals.decide(first.id, 1, "U0ANA", "reject", reason="no")
    assert refund(core, 120).pending


def test_a_request_that_two_intakes_take_at_once_is_no_duplicate_of_itself(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    core.follow(RULES.replace("{owner: U0BEN}", "{limits: {pending: 1}}"))
    first, before = refund(core, 120, key="k"), first_look.before

    def too_early(connection: Connection, agent: str, request_id: str) -> Any:
        found = before(connection, agent, request_id)
        return SimpleNamespace(**{**found._mapping, "approval_id": None, "taken": False})

    monkeypatch.setattr(first_look, "before", too_early)
    assert core.approvals.submit(first.agent, first.request).id == first.id
    with pytest.raises(Limited):
        refund(core, 121)


def test_what_is_allowed_is_never_a_duplicate(core: Core) -> None:
    assert refund(core, 10).id != refund(core, 10).id


def test_over_an_hours_limit_nothing_more_is_taken_until_there_is_room(core: Core) -> None:
    core.follow(RULES.replace("{owner: U0BEN}", "{limits: {per_hour: 2}}"))
    first = refund(core, 10)
    refund(core, 11)
    with pytest.raises(Limited, match=r"may ask 2 times in any hour, and has: try again after \d{4}-"):
        refund(core, 12)
    assert core.submit(agent="other-bot", payload={"amount": 12}).status == "approved"
    with core.store.transaction() as connection:
        query = text("UPDATE approval SET created_at = created_at - :hour WHERE id = :id")
        connection.execute(query, {"id": first.id, "hour": flood.HOUR})
    assert refund(core, 12).status == "approved"


def test_over_the_limit_of_pending_only_what_asks_is_refused(core: Core) -> None:
    core.follow(RULES.replace("{owner: U0BEN}", "{limits: {pending: 1}}"))
    first = refund(core, 120)
    with pytest.raises(Limited, match="try again once one is decided"):
        refund(core, 121)
    assert refund(core, 10).status == "approved"
    with pytest.raises(Limited, match="once one is decided, under another key"):
        refund(core, 121, key="k")
    core.approvals.decide(first.id, 1, "U0ANA", "reject", reason="no")
    assert refund(core, 121).pending


def test_what_was_refused_is_not_asked_about_when_it_comes_once_more(core: Core) -> None:
    """Its entry stood on the stream twice, or its agent asks again with the same key and content."""
    core.follow(RULES.replace("{owner: U0BEN}", "{limits: {pending: 1}}"))
    first, request = refund(core, 120), a_request(payload={"customer": "cus_42", "amount": 121})
    with pytest.raises(Limited) as told:
        core.approvals.submit("billing-bot", request)
    core.approvals.refuse("billing-bot", str(request.id), "limited", told.value.detail)
    core.approvals.decide(first.id, 1, "U0ANA", "reject", reason="no")
    with pytest.raises(Limited, match="try again once one is decided"):
        core.approvals.submit("billing-bot", request)
    assert core.store.find("billing-bot", str(request.id)) is None
    assert refund(core, 121).pending, "another request is"


def test_a_channel_is_told_of_a_flood_once(core: Core) -> None:
    core.follow(RULES.replace("{owner: U0BEN}", "{limits: {per_hour: 1}}"))
    refund(core, 10)
    for amount in range(20):
        with pytest.raises(Limited):
            refund(core, amount)
    assert flood.untold(core.store) == ["billing-bot"]
    notice = flood.claim(core.store, "billing-bot")
    assert notice and (notice["conversation"], notice["most"]) == ("C0APPROVE", 1)
    assert flood.claim(core.store, "billing-bot") is None and flood.untold(core.store) == []
    with pytest.raises(Limited):
        refund(core, 99)
    assert flood.untold(core.store) == []
    flood.give_back(core.store, "billing-bot", notice)
    assert flood.untold(core.store) == ["billing-bot"]


def test_a_new_agent_has_the_owner_that_the_policy_names(core: Core) -> None:
    refund(core, 10)
    assert lists.owner(core.store, "billing-bot") == "U0BEN"


def test_approvers_are_todays(core: Core) -> None:
    approval = refund(core, 120)
    core.follow(RULES.replace("finance: {users: [U0ANA]}", "finance: {users: [U0BEN]}"))
    with pytest.raises(NotAllowed) as refused:
        core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    assert refused.value.approvers == ("U0BEN",)
    assert core.approvals.waiting_for("U0ANA") == [] and core.approvals.waiting_for("U0BEN") == [approval.id]
    core.approvals.decide(approval.id, 1, "U0BEN", "approve")


def test_a_pending_approval_keeps_its_verdict(core: Core) -> None:
    approval = refund(core, 120)
    core.follow(RULES.replace("payload.amount <= 50", "payload.amount <= 500"))
    assert core.store.get(approval.id).pending  # type: ignore[union-attr]
    assert receipt_of_decision(core, approval).policy == approval.verdict.policy != core.policy.digest


def receipt_of_decision(core: Core, approval: Approval) -> Any:
    core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    return receipt_of(core, approval)


@pytest.mark.parametrize(("amount", "fault"), [(80, None), (20, None), (9000, BlockedNow)])
def test_an_edit_is_judged_again_and_never_looser(core: Core, amount: int, fault: Any) -> None:
    approval = refund(core, 120, reason="twice", impact="one")
    edited = {"customer": "cus_42", "amount": amount}
    if fault:
        with pytest.raises(fault):
            core.approvals.decide(approval.id, 1, "U0ANA", "approve", payload=edited)
        assert core.store.get(approval.id).pending  # type: ignore[union-attr]
    else:
        core.approvals.decide(approval.id, 1, "U0ANA", "approve", payload=edited)
        assert receipt_of(core, approval).payload == edited


def test_who_may_decide_the_stricter_rule_may_edit_into_it(core: Core) -> None:
    both = RULES.replace("board: {users: [U0MIA]}", "board: {users: [U0MIA, U0ANA]}")
    core.follow(both)
    approval = refund(core, 120, reason="twice", impact="one")
    edited = {"customer": "cus_42", "amount": 1200}
    core.approvals.decide(approval.id, 1, "U0ANA", "approve", payload=edited)
    stored = core.store.get(approval.id)
    assert (
        stored
        and stored.verdict.rule == "large refunds"
        and stored.verdict.headline == "Refund 1200 to cus_42"
    )
    assert logged(core, approval, "edit")["verdict"]["rule"] == "large refunds"
    assert audit.verify(core.store).ok


def test_an_edit_may_need_what_the_agent_has_not_said(core: Core) -> None:
    core.follow(RULES.replace("board: {users: [U0MIA]}", "board: {users: [U0ANA]}"))
    approval = refund(core, 120)
    with pytest.raises(Invalid, match="wants reason and impact"):
        core.approvals.decide(
            approval.id, 1, "U0ANA", "approve", payload={"customer": "cus_42", "amount": 1200}
        )


def test_the_policy_says_which_fields_may_be_changed(core: Core) -> None:
    approval = refund(core, 120)
    with pytest.raises(Invalid, match="The policy does not let anyone change 'customer'"):
        core.approvals.decide(
            approval.id, 1, "U0ANA", "approve", payload={"customer": "cus_1", "amount": 120}
        )


def test_a_verdict_of_before_there_was_a_policy_still_loads(core: Core) -> None:
    approval = refund(core, 120)
    old = {
        "effect": "ask", "approvers": ["S0FIN"], "conversation": "C1", "expires_in": 60,
        "reversibility": "irreversible", "reversibility_from": "nobody",
        "risk": "high", "risk_from": "nobody",
    }  # fmt: skip
    with core.store.transaction() as connection:
        query = text("UPDATE approval SET verdict = :old WHERE id = :id")
        connection.execute(query, {"id": approval.id, "old": json.dumps(old)})
    assert core.approvals.waiting_for("U0ANA") == [approval.id]  # whom today's policy asks
    assert core.approvals.waiting_for("U0BEN") == []
    assert core.approvals.get(approval.id).verdict.named == ()
    with pytest.raises(Tampered):  # the log tells of another one, which this row had a moment ago
        core.approvals.decide(approval.id, 1, "U0ANA", "approve")


def test_without_a_file_the_same_may_wait_twice(core: Core) -> None:
    core.policy = type(core.policy)(approvers=("S0FIN",), conversation="C0APPROVE")
    one, other = a_request(), a_request()
    assert core.approvals.submit("billing-bot", one).pending
    assert core.approvals.submit("billing-bot", other).pending


def test_what_is_allowed_as_redis_goes_away_is_published_later(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise redis.ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(core.approvals.publisher, "publish", away)
        approval = refund(core, 50)
    assert core.store.unpublished(-60) == [approval.id]
    core.approvals.tell(core.approvals.get(approval.id))
    assert receipt_of(core, approval).approved and core.store.unpublished(-60) == []
