"""Deputies: whom the policy lets, looked at again at the click; and what nobody gets by naming one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from approvals.test_calls import later, said, shown, swept
from faults.test_batch_points import dying_at
from sqlalchemy import text
from support import Core

from signoff.approvals import audit
from signoff.approvals.errors import Excluded, NotAllowed, NotAway, VotedInPlace
from signoff.approvals.sweep import Sweep
from signoff.models.people import Person
from signoff.receipts import verify, verify_keys

ANA, BEN, MIA, CAT = "U0ANA", "U0BEN", "U0MIA", "U0CAT"
DAY = 86_400_000_000
POLICY = f"""
groups:
  finance: {{users: [{ANA}], deputies: [{BEN}, {CAT}]}}
  security: {{users: [{MIA}, {ANA}], deputies: [{CAT}]}}
agents: {{cats-bot: {{owner: {CAT}}}}}
rules:
  - name: both
    match: {{action: both}}
    verdict: ask
    approvers: [{{from: [finance], need: 1}}, {{from: [security], need: 1}}]
  - name: ours
    match: {{action: own}}
    verdict: ask
    approvers: [finance, {MIA}]
    exclude: [owner]
  - name: refunds
    match: {{action: refund.create}}
    verdict: ask
    approvers: [finance]
    remind: [15m]
  - name: her
    match: {{action: her}}
    verdict: ask
    approvers: [{MIA}]
"""


@pytest.fixture
def away(core: Core) -> Core:
    core.people.persons[CAT] = Person(CAT, "cat", team_id="T1")
    core.follow(POLICY)
    return core


def leave(core: Core, person: str, deputy: str, days: float = 1) -> Any:
    until = core.store.clock() + int(days * DAY)
    return core.approvals.times.away.leave(person, until, deputy, by=person)


def lines(core: Core, kind: str) -> list[dict[str, Any]]:
    with core.store.reading() as connection:
        found = connection.execute(
            text("SELECT data FROM audit_event WHERE kind = :kind ORDER BY seq"), {"kind": kind}
        )
        return [json.loads(one) for one in found.scalars()]


def test_a_deputy_decides_in_the_place_of_who_is_away_and_the_receipt_says_so(away: Core) -> None:
    first = away.submit()
    with pytest.raises(NotAllowed):
        away.approvals.decide(first.id, 1, BEN, "approve")
    _, groups = leave(away, ANA, BEN)
    assert groups == ("finance",)
    assert away.approvals.waiting_for(BEN) == [first.id]
    decided = away.approvals.decide(first.id, 1, BEN, "approve")
    assert decided.decision and decided.decision.deputy_for == ANA
    receipt = verify(decided.receipt or "", verify_keys(away.signer.verify_key), "billing-bot")
    assert [(one.id, one.deputy_for) for one in receipt.voters] == [(BEN, ANA)]
    second = away.submit(payload={"amount": 2})
    assert away.approvals.decide(second.id, 1, ANA, "approve").decision.deputy_for is None, "she still can"
    away.approvals.times.away.back(ANA, by=ANA)
    third = away.submit(payload={"amount": 3})
    with pytest.raises(NotAllowed):
        away.approvals.decide(third.id, 1, BEN, "approve")
    assert [one["deputy"] for one in lines(away, "away")] == [BEN] and len(lines(away, "back")) == 1
    assert audit.verify(away.store).ok


def test_it_is_over_when_its_time_is(away: Core) -> None:
    approval = away.submit()
    leave(away, ANA, BEN)
    with away.store.transaction() as connection:
        connection.execute(text("UPDATE absence SET until = 1"))
    with pytest.raises(NotAllowed):
        away.approvals.decide(approval.id, 1, BEN, "approve")
    leave(away, ANA, CAT)
    assert away.approvals.decide(approval.id, 1, CAT, "approve").status == "approved"


@pytest.mark.parametrize(
    ("person", "deputy", "days", "why"),
    [
        (ANA, ANA, 1, "their own deputy"),
        (ANA, MIA, 1, "does not let them"),
        (MIA, BEN, 1, "does not let them"),
        (BEN, CAT, 1, "names no deputies"),
        (ANA, BEN, 31, "at most 30 days"),
        (ANA, BEN, -1, "from now on"),
        (ANA, BEN, 0, "from now on"),
    ],
)
def test_who_cannot_be_named(away: Core, person: str, deputy: str, days: float, why: str) -> None:
    with pytest.raises(NotAway, match=why):
        leave(away, person, deputy, days)
    assert not away.approvals.times.away.away() and not lines(away, "away")


def test_a_guest_or_a_stranger_is_nobodys_deputy(away: Core) -> None:
    away.people.persons[BEN] = Person(BEN, "ben", team_id="T1", guest=True)
    with pytest.raises(NotAway, match="no member"):
        leave(away, ANA, BEN)
    with pytest.raises(NotAllowed):
        leave(away, BEN, CAT)


def test_chains_are_followed_and_circles_refused(away: Core) -> None:
    away.follow(f"""
groups:
  a: {{users: [{ANA}], deputies: [{BEN}, {CAT}]}}
  b: {{users: [{BEN}], deputies: [{CAT}, {ANA}]}}
  c: {{users: [{CAT}], deputies: [{ANA}]}}
rules: [{{name: r, match: {{action: refund.create}}, verdict: ask, approvers: [a]}}]
""")
    leave(away, ANA, BEN)
    leave(away, BEN, CAT)
    approval = away.submit()
    with pytest.raises(NotAway, match="left it to you"):
        leave(away, CAT, ANA)
    with pytest.raises(NotAllowed):
        away.approvals.decide(approval.id, 1, BEN, "approve")
    decided = away.approvals.decide(approval.id, 1, CAT, "approve")
    assert decided.decision and decided.decision.deputy_for == ANA


def test_only_where_all_of_the_group_is_asked_and_the_policy_of_today_lets(away: Core) -> None:
    leave(away, ANA, BEN)
    approval = away.submit(action="her")
    with pytest.raises(NotAllowed):
        away.approvals.decide(approval.id, 1, BEN, "approve")
    waits = away.submit()
    away.follow(POLICY.replace(f"deputies: [{BEN}, {CAT}]", f"deputies: [{CAT}]"))
    with pytest.raises(NotAllowed):
        away.approvals.decide(waits.id, 1, BEN, "approve")
    away.follow(POLICY.replace(f"finance: {{users: [{ANA}]", f"finance: {{users: [{MIA}]"))
    with pytest.raises(NotAllowed):
        away.approvals.decide(waits.id, 1, BEN, "approve")
    away.follow(POLICY)
    away.people.persons[ANA] = Person(ANA, "ana", team_id="T1", deleted=True)
    with pytest.raises(NotAllowed):
        away.approvals.decide(waits.id, 1, BEN, "approve")


def test_what_excludes_either_holds(away: Core) -> None:
    leave(away, ANA, CAT)
    approval = away.submit("cats-bot", action="own")
    with pytest.raises(Excluded):
        away.approvals.decide(approval.id, 1, CAT, "approve")
    away.follow(POLICY.replace(f"owner: {CAT}", f"owner: {ANA}"))
    with pytest.raises(Excluded):
        away.approvals.decide(approval.id, 1, CAT, "approve")
    assert away.approvals.decide(approval.id, 1, CAT, "reject", reason="No").status == "rejected"


def test_a_mandate_counts_once_whoever_votes(away: Core) -> None:
    leave(away, ANA, CAT)
    approval = away.submit(action="both")
    kept = away.approvals.decide(approval.id, 1, CAT, "approve")
    assert kept.pending and kept.decisions[0].deputy_for == ANA
    with pytest.raises(VotedInPlace):
        away.approvals.decide(approval.id, 1, ANA, "approve")
    ended = away.approvals.decide(approval.id, 1, MIA, "approve")
    assert ended.status == "approved"
    other = away.submit(action="both", payload={"n": 2})
    away.approvals.decide(other.id, 1, ANA, "approve")
    with pytest.raises(VotedInPlace):
        away.approvals.decide(other.id, 1, CAT, "approve")
    assert audit.verify(away.store).ok


def test_a_deputys_vote_is_lost_with_what_made_them_one(away: Core) -> None:
    leave(away, ANA, CAT)
    approval = away.submit(action="both")
    away.approvals.decide(approval.id, 1, CAT, "approve")
    away.approvals.times.away.back(ANA, by=ANA)
    kept = away.approvals.decide(approval.id, 1, MIA, "approve")
    assert kept.pending and [one.approver for one in kept.decisions] == [MIA]
    assert away.approvals.decide(approval.id, 1, ANA, "approve").status == "approved"


def test_admins_and_cards_are_told_whatever_is_killed(away: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    approval = shown(away)
    told: list[str] = []

    def sweep() -> None:
        Sweep(away.approvals, tell=lambda found: bool(told.extend(found)) or True).step()

    leave(away, ANA, BEN)
    with dying_at("absence.written", 1, monkeypatch):
        sweep()
    sweep()
    sweep()
    now = away.approvals.get(approval.id)
    assert now.revision == approval.revision + 1, "drawn anew once"
    drawn = away.approvals.judge.today(now, away.store.clock())
    assert drawn.called and drawn.called.people == (BEN,)
    assert [(one.name, one.deputy) for one in drawn.called.stand_ins] == [("ana", BEN)]
    assert all("ana (U0ANA) is away until" in one and "ben (U0BEN)" in one for one in told) and told
    away.approvals.times.away.back(ANA, by=ANA)
    sweep()
    assert "ana (U0ANA) decides for themselves again" in told[-1]
    assert away.approvals.get(approval.id).revision == now.revision + 1


def test_whoever_stands_in_is_reminded(away: Core) -> None:
    leave(away, ANA, BEN)
    shown(away)
    later(away, 16)
    swept(away, 2)
    assert [one["people"] for one in said(away)] == [[BEN]]
