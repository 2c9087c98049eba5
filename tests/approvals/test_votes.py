"""Several people, one vote each: what is kept, taken back, void, handed over, and what receipts say."""

from __future__ import annotations

from typing import Any

import pytest
from support import Core

from signoff import receipts
from signoff.approvals import audit
from signoff.approvals.errors import (
    AlreadyDecided,
    EditedMeanwhile,
    Excluded,
    HasNotVoted,
    HasVoted,
    NotAllowed,
    NotNeeded,
    Tampered,
)
from signoff.errors import Invalid
from signoff.models.approval import Approval
from signoff.models.people import Person
from signoff.models.receipt import Receipt

ANA, BEN, MIA, CTO, OWN = "U0ANA", "U0BEN", "U0MIA", "U0CTO", "U0OWN"
GROUPS = """\
groups:
  finance: {users: [U0ANA, U0OWN]}
  security: {users: [U0BEN, U0MIA, U0ANA]}
  board: {users: [U0CTO]}
agents: {billing-bot: {owner: U0OWN}}
"""
SEATS = "approvers: [{from: [finance], need: 1}, {from: [security, U0CTO], need: 2}]"


def rules(more: str = "", seats: str = SEATS, first: str = "") -> str:
    rest = f"{{name: rest, verdict: ask, {seats}{', ' + more if more else ''}}}"
    return f"{GROUPS}rules: [{first + ', ' if first else ''}{rest}]"


@pytest.fixture
def people(core: Core) -> Core:
    for id_, name in ((CTO, "cto"), (OWN, "own")):
        core.people.persons[id_] = Person(id_, name, team_id="T1")
    return core


def asked(core: Core, text: str = "", **fields: Any) -> Approval:
    core.follow(text or rules("exclude: []"))
    approval: Approval = core.submit(action="refund.create", **fields)
    return approval


def vote(core: Core, one: Approval, who: str, choice: Any = "approve", **more: Any) -> Approval:
    return core.approvals.decide(one.id, one.version, who, choice, **more)


def receipt_of(core: Core, one: Approval) -> Receipt:
    stored = core.approvals.get(one.id)
    assert stored.receipt
    return receipts.verify(stored.receipt, receipts.verify_keys(core.signer.verify_key), one.agent)


def whole(core: Core) -> None:
    found = audit.verify(core.store, keys=receipts.verify_keys(core.signer.verify_key))
    assert found.ok, found


def seated(one: Approval) -> list[tuple[str, str]]:
    return [(vote.approver, vote.seat) for vote in one.decisions]


def test_all_seats_have_to_be_filled_and_the_receipt_names_all_who_did(people: Core) -> None:
    one = asked(people)
    assert vote(people, one, OWN).pending and vote(people, one, BEN).pending
    waits = people.approvals.get(one.id)
    assert seated(waits) == [(OWN, "finance"), (BEN, "security, U0CTO")]
    assert vote(people, one, CTO).status == "approved"
    receipt = receipt_of(people, one)
    assert receipt.decided_by and receipt.decided_by.id == CTO
    told = [(one.id, one.seat, one.self_approved) for one in receipt.voters]
    assert told == [(OWN, "finance", True), (BEN, "security, U0CTO", False), (CTO, "security, U0CTO", False)]
    assert receipt.voters[0].at <= receipt.voters[-1].at == receipt.decided_by.at
    whole(people)


def test_who_fits_several_seats_moves_to_where_it_helps_most(people: Core) -> None:
    one = asked(people)
    for who in (ANA, BEN):  # ana fits both: she has finance, and moves when somebody of finance comes
        vote(people, one, who)
    assert people.approvals.get(one.id).pending
    assert vote(people, one, OWN).status == "approved"
    told = {one.id: one.seat for one in receipt_of(people, one).voters}
    assert told == {ANA: "security, U0CTO", BEN: "security, U0CTO", OWN: "finance"}
    whole(people)


def test_nobody_fills_two_seats_and_nobody_votes_twice(people: Core) -> None:
    one = asked(people)
    vote(people, one, ANA)
    with pytest.raises(HasVoted):
        vote(people, one, ANA)
    vote(people, one, BEN)
    vote(people, one, MIA) if people.approvals.get(one.id).pending else None
    assert people.approvals.get(one.id).status == "approved"
    assert [one.id for one in receipt_of(people, one).voters] == [ANA, BEN, MIA]


def test_two_accounts_of_one_person_are_one(people: Core) -> None:
    one = asked(people, "people: {ben: [U0BEN, U0MIA]}\n" + rules("exclude: []"))
    vote(people, one, BEN)
    with pytest.raises(HasVoted):
        vote(people, one, MIA)


def test_a_vote_for_what_is_taken_is_not_kept(people: Core) -> None:
    one = asked(people, rules("exclude: []", "approvers: [{from: [finance]}, {from: [board]}]"))
    vote(people, one, ANA)
    with pytest.raises(NotNeeded) as refused:
        vote(people, one, OWN)
    assert refused.value.seats == ("board",)
    assert [one.approver for one in people.approvals.get(one.id).decisions] == [ANA]


def test_a_vote_can_be_taken_back_until_the_last_one(people: Core) -> None:
    one = asked(people)
    with pytest.raises(HasNotVoted):
        people.approvals.take_back(one.id, 1, BEN)
    vote(people, one, BEN)
    vote(people, one, MIA)
    assert [d.approver for d in people.approvals.take_back(one.id, 1, BEN).decisions] == [MIA]
    assert vote(people, one, OWN).pending
    assert vote(people, one, BEN).status == "approved"  # and be given again
    with pytest.raises(AlreadyDecided):
        people.approvals.take_back(one.id, 1, BEN)
    whole(people)


def test_any_rejection_ends_it_and_says_who(people: Core) -> None:
    one = asked(people)
    vote(people, one, BEN)
    assert vote(people, one, MIA, "reject", reason="no").status == "rejected"
    assert [one.id for one in receipt_of(people, one).voters] == [MIA]
    whole(people)


def test_where_two_have_to_reject_one_no_stands_and_may_be_taken_back(people: Core) -> None:
    one = asked(people, rules("exclude: [], reject: 2"))
    assert vote(people, one, MIA, "reject", reason="wrong").pending
    with pytest.raises(HasVoted) as refused:
        vote(people, one, MIA)
    assert refused.value.vote == "reject"
    people.approvals.take_back(one.id, 1, MIA)
    assert vote(people, one, MIA).pending
    assert vote(people, one, MIA, "reject").pending  # who changes their mind says no with one press
    assert vote(people, one, CTO, "reject", reason="no").status == "rejected"
    assert [one.id for one in receipt_of(people, one).voters] == [MIA, CTO]
    whole(people)


def test_it_ends_once_the_quorum_cannot_be_reached_any_more(people: Core) -> None:
    seats = "approvers: [{from: [U0ANA, U0BEN], need: 2}]"
    one = asked(people, rules("exclude: [], reject: 2", seats))
    assert vote(people, one, BEN, "reject", reason="no").status == "rejected"


def test_an_edit_voids_the_votes_of_others_and_keeps_its_editors(people: Core) -> None:
    one = asked(people, payload={"customer": "cus_42", "amount": 120})
    vote(people, one, BEN)
    edited = vote(people, one, OWN, payload={"customer": "cus_42", "amount": 80})
    assert edited.pending and edited.version == 2
    stored = people.approvals.get(one.id)
    assert seated(stored) == [(OWN, "finance")] and stored.editors == (OWN,)
    assert [(one.approver, one.version, one.why) for one in stored.voided] == [(BEN, 1, "edited")]
    with pytest.raises(EditedMeanwhile):
        vote(people, one, MIA)
    vote(people, stored, BEN)
    assert vote(people, stored, MIA).status == "approved"
    receipt = receipt_of(people, one)
    assert receipt.edited and [one.id for one in receipt.voters] == [OWN, BEN, MIA]
    assert receipt.voters[0].self_approved
    whole(people)


def test_an_excluded_editor_only_proposes_also_where_somebody_edited_after_them(people: Core) -> None:
    one = asked(people, rules("exclude: [editor]"), payload={"amount": 120})
    first = vote(people, one, BEN, payload={"amount": 80})
    assert first.pending and first.decisions == ()
    second = vote(people, first, MIA, payload={"amount": 70})
    for who in (BEN, MIA):
        with pytest.raises(Excluded) as refused:
            vote(people, second, who)
        assert refused.value.why == ("editor",)
    with pytest.raises(Invalid, match="nobody is left who may approve"):
        vote(people, second, ANA, payload={"amount": 60})
    assert people.approvals.get(one.id).version == 3
    assert vote(people, second, BEN, "reject").status == "rejected"
    whole(people)


def test_the_owner_may_not_approve_where_the_policy_excludes_them_and_may_reject(people: Core) -> None:
    one = asked(people, rules("exclude: [owner]"))
    with pytest.raises(Excluded):
        vote(people, one, OWN)
    assert vote(people, one, OWN, "reject").status == "rejected"


def test_who_it_is_asked_for_may_not_approve_and_a_quorum_that_fails_then_is_invalid(people: Core) -> None:
    one = asked(people, rules("exclude: [requester]"), requested_by="<@U0BEN>")
    with pytest.raises(Excluded) as refused:
        vote(people, one, BEN)
    assert refused.value.why == ("requester",)
    people.follow(rules("exclude: [requester]", "approvers: [{from: [U0BEN, U0MIA], need: 2}]"))
    with pytest.raises(Invalid, match="Without U0BEN"):
        people.submit(requested_by="U0BEN", payload={"n": 1})
    with pytest.raises(Invalid, match="by a Slack user id"):
        people.submit(requested_by="ben@example.com", payload={"n": 1})
    assert people.submit(requested_by="", payload={"n": 1}).pending


def test_by_default_nobody_approves_for_themselves_at_a_high_risk_where_others_can(people: Core) -> None:
    people.follow(f"{GROUPS}rules: [{{name: rest, verdict: ask, approvers: [finance]}}]")
    one = people.submit()
    with pytest.raises(Excluded):
        vote(people, one, OWN)
    people.people.persons[ANA] = Person(ANA, "ana", team_id="T1", deleted=True)
    assert vote(people, one, OWN).status == "approved"  # nobody else is left: and the receipt says so
    assert receipt_of(people, one).voters[0].self_approved


def test_a_founder_alone_in_a_user_group_is_not_locked_out(people: Core) -> None:
    people.people.groups["S0ALL"] = {OWN}
    people.follow(f"{GROUPS}rules: [{{name: rest, verdict: ask, approvers: [S0ALL]}}]")
    assert vote(people, people.submit(), OWN).status == "approved"
    people.follow(f"{GROUPS}rules: [{{name: rest, verdict: ask, approvers: [S0ALL], exclude: [owner]}}]")
    with pytest.raises(Excluded):
        vote(people, people.submit(), OWN)


def test_at_every_vote_all_voters_are_looked_at_again(people: Core) -> None:
    one = asked(people)
    vote(people, one, BEN)
    vote(people, one, OWN)
    people.people.persons[BEN] = Person(BEN, "ben", team_id="T1", guest=True)
    assert vote(people, one, CTO).pending
    stored = people.approvals.get(one.id)
    assert [one.approver for one in stored.decisions] == [OWN, CTO]
    assert [(one.approver, one.why) for one in stored.voided] == [(BEN, "lost")]
    assert vote(people, one, MIA).status == "approved"
    assert [one.id for one in receipt_of(people, one).voters] == [OWN, CTO, MIA]
    whole(people)


def test_todays_seats_count_at_the_last_vote(people: Core) -> None:
    one = asked(people, rules("exclude: []", "approvers: [{from: [finance]}, {from: [security]}]"))
    vote(people, one, BEN)
    people.follow(rules("exclude: []"))
    assert vote(people, one, OWN).pending  # a policy of today wants two of security
    assert vote(people, one, MIA).status == "approved"
    whole(people)


STRICT = '{name: large, when: payload.amount > 500, verdict: ask, channel: "C0BOARD", approvers: [board]}'


def test_an_edit_under_a_stricter_rule_is_handed_over_and_its_card_moves(people: Core) -> None:
    one = asked(people, rules("exclude: []", "approvers: [finance]", STRICT), payload={"amount": 120})
    shown = people.approvals.judge.today(one)
    people.approvals.cards.note_shown(shown, "C0APPROVE", "1.1", "https://slack/1", "drawn")
    handed = vote(people, one, ANA, payload={"amount": 900})
    assert handed.pending and handed.version == 2 and handed.decisions == ()
    stored = people.approvals.get(one.id)
    assert stored.verdict.rule == "large" and stored.verdict.conversation == "C0BOARD"
    assert stored.card and stored.card.message is None and stored.editors == (ANA,)
    with pytest.raises(NotAllowed):
        vote(people, stored, ANA)
    whole(people)
    people.approvals.cards.note_shown(
        people.approvals.judge.today(stored), "C0BOARD", "2.2", "https://slack/2", "drawn"
    )
    assert vote(people, stored, CTO).status == "approved"
    assert receipt_of(people, one).payload is None and receipt_of(people, one).edited
    whole(people)


def test_a_vote_that_somebody_wrote_into_the_database_is_none(people: Core) -> None:
    from sqlalchemy import text

    one = asked(people)
    vote(people, one, BEN)
    forged = (
        "INSERT INTO decision (id, approval_id, version, approver, name, vote, reason, resubmit, at, seat, "
        "fits, self_approved) SELECT 99, approval_id, version, 'U0MIA', 'mia', vote, reason, resubmit, at, "
        "seat, fits, self_approved FROM decision WHERE approver = 'U0BEN'"
    )
    with people.store.transaction() as connection:
        connection.execute(text(forged))
    with pytest.raises(Tampered):
        vote(people, one, OWN)
    assert people.approvals.get(one.id).pending


def test_what_expires_with_votes_on_it_says_nobody_decided(people: Core) -> None:
    from sqlalchemy import text

    one = asked(people)
    vote(people, one, BEN)
    with people.store.transaction() as connection:
        connection.execute(text("UPDATE approval SET expires_at = 1"))
    ended = people.approvals.expire(one.id)
    assert ended and ended.status == "expired" and receipt_of(people, one).voters == ()


def test_who_has_voted_is_asked_no_more_and_who_cannot_help_neither(people: Core) -> None:
    one = asked(people)
    vote(people, one, BEN)
    assert people.approvals.waiting_for(BEN) == []
    assert people.approvals.waiting_for(MIA) == [one.id] == people.approvals.waiting_for(OWN)
    vote(people, one, MIA)
    assert people.approvals.waiting_for(CTO) == []
    assert people.approvals.waiting_for(OWN) == [one.id]


def test_a_request_of_several_has_a_card_of_its_own(people: Core) -> None:
    one = asked(people)
    policy = people.approvals.judge.policy
    alike = one.verdict.model_copy(update={"reversibility": "reversible"})
    assert policy.batch.why_alone(one.action, alike) == "it takes more than one person"
