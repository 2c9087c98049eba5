"""Questions: who may answer and hand one on, what is recorded, and that an answer approves nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import text
from support import Core, a_request

from signoff import receipts
from signoff.approvals import audit
from signoff.approvals.errors import (
    AlreadyDecided,
    BlockedNow,
    EditedMeanwhile,
    NotAllowed,
    NotHanded,
    OtherKind,
    TimeRanOut,
    UnknownApproval,
)
from signoff.errors import Duplicate, Invalid, Limited, NotVerified
from signoff.guard import Guard
from signoff.models.approval import Approval
from signoff.models.messages import ApprovalRequest, Outcome
from signoff.models.people import Person
from signoff.models.questions import GivenAnswer
from signoff.queue import stream

ANA, BEN, MIA = "U0ANA", "U0BEN", "U0MIA"
SMITHS = {
    "question": "Which Smith do you mean?",
    "options": [{"id": "a", "text": "Ann Smith, Berlin"}, {"id": "b", "text": "Al Smith, Bonn"}],
    "free_text": True,
    "default": "a",
    "why": "ambiguous",
}
A = GivenAnswer(choice=("a",))


def a_question(payload: Any = None, **fields: Any) -> ApprovalRequest:
    return a_request("question", SMITHS if payload is None else payload, kind="question", **fields)


def asked(core: Core, payload: Any = None, **fields: Any) -> Approval:
    return core.approvals.submit("billing-bot", a_question(payload, **fields))


def receipt_of(core: Core, approval: Approval) -> Any:
    response = stream.response(core.redis, approval.agent, approval.request_id)
    assert response is not None
    keys = receipts.verify_keys(core.signer.verify_key)
    return receipts.accept(response, keys, agent=approval.agent, request_id=approval.request_id)


def lines(core: Core, approval: Approval) -> list[tuple[str, str, dict[str, Any]]]:
    with core.store.reading() as connection:
        query = text("SELECT kind, actor, data FROM audit_event WHERE approval_id = :id ORDER BY seq")
        found = connection.execute(query, {"id": approval.id}).all()
    return [(row.kind, row.actor, json.loads(row.data)) for row in found]


def test_an_answer_is_signed_with_who_gave_it_and_lets_nothing_run(core: Core) -> None:
    approval = asked(core)
    assert (approval.status, approval.editable) == ("pending", False)
    given = GivenAnswer(choice=("b",), text="  Al, not Ann ")
    ended = core.approvals.questions.answer(approval.id, 1, ANA, given, permalink="https://x/1")
    answer = {"choice": ["b"], "text": "Al, not Ann"}
    assert (ended.status, ended.decision.answer, ended.decision.vote) == ("answered", answer, "answer")  # type: ignore[union-attr]
    assert core.approvals.get(approval.id).decisions == ended.decisions
    receipt = receipt_of(core, approval)
    assert (receipt.status, receipt.kind, receipt.answer) == ("answered", "question", answer)
    assert (receipt.decided_by.id, receipt.approved, receipt.payload) == (ANA, False, None)
    response = stream.response(core.redis, approval.agent, approval.request_id)
    assert response is not None and response.payload is None
    [(_, who, told)] = [line for line in lines(core, approval) if line[0] == "decision"]
    assert who == ANA and told["vote"] == "answer" and len(told["answer"]) == 64
    assert "Al, not Ann" not in json.dumps([line[2] for line in lines(core, approval)])
    assert audit.verify(core.store, keys=receipts.verify_keys(core.signer.verify_key)).ok
    with pytest.raises(AlreadyDecided) as late:
        core.approvals.questions.answer(approval.id, 1, BEN, A)
    assert (late.value.status, late.value.by_id) == ("answered", ANA)


def test_what_it_is_up_to_the_agent_to_decide_is_told_apart_and_is_only_where_there_is_a_default(
    core: Core,
) -> None:
    approval = asked(core)
    ended = core.approvals.questions.answer(approval.id, 1, ANA, GivenAnswer(default=True))
    assert ended.decision is not None and ended.decision.answer == {"default": True, "choice": ["a"]}
    bare = asked(core, {name: said for name, said in SMITHS.items() if name != "default"})
    with pytest.raises(Invalid, match="no default"):
        core.approvals.questions.answer(bare.id, 1, ANA, GivenAnswer(default=True))
    assert core.approvals.get(bare.id).pending


def test_a_question_that_nobody_answers_expires_and_gives_no_default(core: Core) -> None:
    approval = asked(core, expires_in=60)
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE approval SET expires_at = created_at + 1"))
    with pytest.raises(TimeRanOut):
        core.approvals.questions.answer(approval.id, 1, ANA, A)
    core.approvals.expire(approval.id)
    receipt = receipt_of(core, approval)
    assert (receipt.status, receipt.answer, receipt.decided_by) == ("expired", None, None)


@pytest.mark.parametrize("door", ["approve", "reject", "edit", "note"])
def test_a_question_is_neither_approved_nor_rejected_nor_edited(core: Core, door: str) -> None:
    approval = asked(core)
    more: dict[str, Any] = {"edit": {"payload": dict(SMITHS, default="b")}, "note": {"reason": "x"}}.get(
        door, {}
    )
    with pytest.raises(OtherKind):
        core.approvals.decide(approval.id, 1, ANA, "reject" if door == "reject" else "approve", **more)
    with pytest.raises((Invalid, OtherKind)):
        core.approvals.decide(approval.id, 1, ANA, "answer", **more)  # type: ignore[arg-type]
    assert core.approvals.get(approval.id).pending and len(lines(core, approval)) == 2


def test_a_question_is_neither_spent_nor_reported(core: Core) -> None:
    approval = asked(core)
    core.approvals.questions.answer(approval.id, 1, ANA, A)
    response = core.approvals.spend("billing-bot", approval.request_id, "a-process-of-theirs")
    assert response.status != "spent"
    core.approvals.report("billing-bot", approval.request_id, Outcome(succeeded=True))
    after = core.approvals.get(approval.id)
    assert (after.status, after.spent_at, after.outcome) == ("answered", None, None)


def test_an_approval_is_not_answered_nor_handed(core: Core) -> None:
    """Handed to nobody who may not decide it, that is."""
    approval = core.submit()
    with pytest.raises(OtherKind):
        core.approvals.questions.answer(approval.id, 1, ANA, A)
    with pytest.raises(NotHanded):
        core.approvals.times.hands.hand(approval.id, 1, ANA, MIA)
    assert core.approvals.get(approval.id).pending and len(lines(core, approval)) == 2


def test_an_answered_receipt_passes_no_gate(core: Core, tmp_path: Any) -> None:
    """Nor does one whose status or answer is another's: signed by the right key, at the wrong place."""
    approval = asked(core)
    core.approvals.questions.answer(approval.id, 1, ANA, A)
    receipt = receipt_of(core, approval)
    with pytest.raises(NotVerified, match="approves nothing"):
        receipts.bind(receipt, action="question", payload=SMITHS)
    guard = Guard(f"sqlite:///{tmp_path}/spent.db", core.signer.verify_key, agents=["billing-bot"])
    with pytest.raises(NotVerified, match="approves nothing"):
        guard.spend(receipt, SMITHS, action="question")
    keys = receipts.verify_keys(core.signer.verify_key)
    for wrong in (
        {"status": "approved"},
        {"status": "approved", "answer": None},
        {"kind": "approval"},
        {"answer": None},
        {"status": "rejected", "answer": None},
        {"status": "expired"},
    ):
        forged = receipts.sign(core.signer, receipt.model_copy(update=wrong))
        with pytest.raises(NotVerified):
            receipts.verify(forged, keys, "billing-bot")
    approved = core.submit()
    core.approvals.decide(approved.id, 1, ANA, "approve")
    found = receipt_of(core, approved)
    forged = receipts.sign(core.signer, found.model_copy(update={"answer": {"choice": ["a"]}}))
    with pytest.raises(NotVerified):
        receipts.verify(forged, keys, "billing-bot")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (GivenAnswer(), "answers nothing"),
        (GivenAnswer(choice=("c",)), "none of the question's options"),
        (GivenAnswer(choice=("a", "b")), "Only one"),
        (GivenAnswer(choice=("a", "a")), "twice"),
        (GivenAnswer(text=" \u200b "), "answers nothing"),
        (GivenAnswer(date="2026-12-01"), "not answered by a date"),
        (GivenAnswer(none=True), "Say what is right"),
        (GivenAnswer(none=True, text="x", choice=("a",)), "or none of them"),
        (GivenAnswer(default=True, text="x"), "leave it to the agent"),
        (GivenAnswer(text="password: hunter2!"), "looks like a password"),
    ],
)
def test_what_does_not_answer_it_is_not_recorded(core: Core, given: GivenAnswer, says: str) -> None:
    approval = asked(core)
    with pytest.raises(Invalid, match=says) as refused:
        core.approvals.questions.answer(approval.id, 1, ANA, given)
    assert "hunter2" not in str(refused.value)
    assert core.approvals.get(approval.id).pending and len(lines(core, approval)) == 2


def test_who_may_answer_is_looked_at_at_the_click_and_by_todays_policy(core: Core) -> None:
    core.follow("questions: {approvers: [U0ANA]}")
    approval = asked(core)
    assert (approval.verdict.named, approval.verdict.effect) == ((ANA,), "ask")
    with pytest.raises(NotAllowed):
        core.approvals.questions.answer(approval.id, 1, BEN, A)
    core.follow("questions: {approvers: [U0BEN]}")
    with pytest.raises(NotAllowed):
        core.approvals.questions.answer(approval.id, 1, ANA, A)
    assert core.approvals.waiting_for(BEN) == [approval.id] and core.approvals.waiting_for(ANA) == []
    with pytest.raises(EditedMeanwhile):
        core.approvals.questions.answer(approval.id, 2, BEN, A)
    with pytest.raises(UnknownApproval):
        core.approvals.questions.answer("0" * 8, 1, BEN, A)
    assert core.approvals.questions.answer(approval.id, 1, BEN, A).status == "answered"
    blocked = asked(core)
    core.follow("block: [question]")
    with pytest.raises(BlockedNow):
        core.approvals.questions.answer(blocked.id, 1, ANA, A)
    assert receipt_of(core, blocked).status == "blocked"
    assert asked(core, dict(SMITHS, question="Again?")).status == "blocked"


def test_it_is_handed_to_somebody_who_may_and_all_others_still_can(core: Core) -> None:
    core.follow("questions: {approvers: [U0ANA, U0BEN]}")
    core.people.persons["U0GONE"] = Person(id="U0GONE", name="Gone", team_id="T1", deleted=True)
    approval = asked(core)
    core.changed.clear()
    handed = core.approvals.times.hands.hand(approval.id, 1, ANA, BEN)
    assert (handed.handed_to, handed.handed_by, handed.revision) == (BEN, ANA, approval.revision + 1)
    assert core.changed == [approval.id]
    assert ("handed", ANA, {"to": BEN}) in lines(core, approval)
    with core.store.reading() as connection:
        said = connection.execute(text("SELECT kind, said FROM card_reply")).one()
    assert (said.kind, json.loads(said.said)) == ("handed", {"to": BEN, "by": ANA})
    for who, to, why in (
        (BEN, BEN, "You have it already"),
        (ANA, BEN, "They have it already"),
        (ANA, MIA, "does not name them"),
        (ANA, "U0GONE", "does not name them"),
    ):
        with pytest.raises(NotHanded, match=why):
            core.approvals.times.hands.hand(approval.id, 1, who, to)
    with pytest.raises(NotAllowed):
        core.approvals.times.hands.hand(approval.id, 1, MIA, ANA)
    keys = receipts.verify_keys(core.signer.verify_key)
    assert audit.verify(core.store, keys=keys).ok
    assert core.approvals.times.hands.hand(approval.id, 1, BEN, ANA).handed_to == ANA
    assert core.approvals.questions.answer(approval.id, 1, BEN, A).status == "answered"
    assert audit.verify(core.store, keys=keys).ok
    with pytest.raises(AlreadyDecided):
        core.approvals.times.hands.hand(approval.id, 1, ANA, BEN)


def test_only_full_members_of_the_workspace_are_handed_anything(core: Core) -> None:
    core.follow("questions: {approvers: [U0ANA, U0GUEST]}")
    core.people.persons["U0GUEST"] = Person(id="U0GUEST", name="Guest", team_id="T1", guest=True)
    approval = asked(core)
    with pytest.raises(NotHanded):
        core.approvals.times.hands.hand(approval.id, 1, ANA, "U0GUEST")


def test_policy_says_how_often_and_that_is_apart_from_approvals(core: Core) -> None:
    core.follow("questions: {per_hour: 2}\nagents: {billing-bot: {limits: {per_hour: 1, pending: 1}}}")
    asked(core)
    asked(core, dict(SMITHS, question="And where?"))
    with pytest.raises(Limited, match="2 questions in any hour"):
        asked(core, dict(SMITHS, question="And when?"))
    assert core.submit().status == "pending"
    with pytest.raises(Limited, match="once in any hour"):
        core.submit(payload={"amount": 2})


def test_the_same_question_that_waits_is_a_duplicate_and_a_key_attaches(core: Core) -> None:
    core.follow("autonomy: supervised")
    first = asked(core, key="smith")
    with pytest.raises(Duplicate):
        asked(core)
    assert asked(core, key="smith").id == first.id
    with pytest.raises(Invalid, match="is that of questions"):  # nothing else is called so
        core.submit(action="question", payload=SMITHS)


@pytest.mark.parametrize(
    ("owner", "policy", "who"),
    [
        (None, "autonomy: full_auto", ("S0FIN",)),
        (MIA, "autonomy: full_auto", (MIA,)),
        (MIA, "agents: {billing-bot: {owner: U0BEN}}", (BEN,)),
        (MIA, "questions: {approvers: [U0ANA]}", (ANA,)),
    ],
)
def test_the_owner_is_asked_where_the_policy_names_nobody(
    core: Core, owner: str | None, policy: str, who: tuple[str, ...]
) -> None:
    if owner:
        with core.store.transaction() as connection:
            insert = "INSERT INTO agent (name, owner, created_at) VALUES ('billing-bot', :owner, 0)"
            connection.execute(text(insert), {"owner": owner})
    core.follow(policy)
    approval = asked(core)
    assert approval.verdict.approvers == who
    assert core.approvals.judge.standing(approval).approvers == who
    core.follow("questions: {approvers: [U0BEN]}")
    assert core.approvals.judge.standing(approval).approvers == (BEN,)


@pytest.mark.parametrize(
    "given", [{"schema": {"type": "object"}}, {"editable": True}, {"editable": ("default",)}]
)
def test_nobody_edits_what_an_agent_asks(core: Core, given: dict[str, Any]) -> None:
    approval = asked(core, **given)
    assert approval.request.editable is False and approval.request.json_schema is None


@pytest.mark.parametrize(
    "fields",
    [{"action": "refund.create"}, {"payload": {"question": "x"}}, {"payload": {}}, {"batch": "0" * 32}],
)
def test_what_is_no_question_is_refused(core: Core, fields: dict[str, Any]) -> None:
    said = {"action": "question", "payload": SMITHS, **fields}
    with pytest.raises(Invalid):
        core.approvals.submit("billing-bot", a_request(kind="question", **said))
