"""Three voters, an editor and the clock at once: nothing ends without a full quorum."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from support import Core

from signoff import receipts
from signoff.approvals import audit
from signoff.approvals.errors import NotRecorded
from signoff.models.approval import Approval
from signoff.models.people import Person

ANA, BEN, MIA, EVA = "U0ANA", "U0BEN", "U0MIA", "U0EVA"
RULES = """\
groups:
  finance: {users: [U0ANA, U0EVA]}
  security: {users: [U0BEN, U0MIA, U0ANA]}
rules: [{name: rest, verdict: ask, exclude: [], approvers: [{from: [finance]}, {from: [security], need: 2}]}]
"""
SEATS = {"finance": {ANA, EVA}, "security": {BEN, MIA, ANA}}


def together(*steps: Callable[[], object]) -> None:
    """All at once; what a person is told is no fault."""
    barrier, faults = threading.Barrier(len(steps)), list[BaseException]()

    def run(step: Callable[[], object]) -> None:
        barrier.wait(timeout=60)
        try:
            step()
        except NotRecorded:
            pass
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=run, args=(step,)) for step in steps]
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=120)
        assert not one.is_alive()
    assert not faults, faults


def checked(core: Core, one: Approval) -> None:
    """What stands is what seats and versions allow."""
    found = core.approvals.get(one.id)
    voters = [vote.approver for vote in found.decisions if vote.vote == "approve"]
    assert len(set(voters)) == len(voters)
    if found.status == "approved":
        keys = receipts.verify_keys(core.signer.verify_key)
        receipt = receipts.verify(found.receipt or "", keys, found.agent)
        seats = [(vote.id, vote.seat) for vote in receipt.voters]
        assert sorted(seat for _, seat in seats) == ["finance", "security", "security"]
        assert len({who for who, _ in seats}) == 3 and all(who in SEATS[seat] for who, seat in seats)
        assert {who for who, _ in seats} == set(voters) and receipt.version == found.version
    elif found.pending:
        assert len(voters) < 3, "a full quorum ends it"


def rounds(core: Core, count: int) -> None:
    core.people.persons |= {EVA: Person(EVA, "eva", team_id="T1")}
    core.follow(RULES)
    ends = set[str]()
    for number in range(count):
        one = core.submit(payload={"n": number, "amount": 1})
        core.approvals.decide(one.id, 1, BEN, "approve")

        def vote(who: str, of: Approval = one) -> Any:
            version = core.approvals.get(of.id).version
            return core.approvals.decide(of.id, version, who, "approve")

        def edit(of: Approval = one, at: int = number) -> Any:
            return core.approvals.decide(of.id, 1, EVA, "approve", payload={"n": at, "amount": 2})

        def clock(of: Approval = one) -> None:
            with core.store.transaction() as connection:
                connection.execute(text("UPDATE approval SET expires_at = 1 WHERE id = :id"), {"id": of.id})
            core.approvals.expire(of.id)

        def back(of: Approval = one) -> Any:
            return core.approvals.take_back(of.id, 1, BEN)

        steps = [lambda: vote(ANA), lambda: vote(MIA), lambda: vote(EVA)]
        more = ([], [edit], [back], [edit, clock], [clock], [edit, back])[number % 6]
        together(*steps, *more)
        checked(core, one)
        ends.add(core.approvals.get(one.id).status)
    assert "approved" in ends
    found = audit.verify(core.store, keys=receipts.verify_keys(core.signer.verify_key))
    if all(status != "expired" for status in ends):  # the clock is moved in rows, which the log does not tell
        assert found.ok, found


def test_votes_an_edit_and_the_clock_race_and_no_seat_is_filled_twice(core: Core) -> None:
    rounds(core, 12)


@pytest.mark.long
def test_the_same_many_times(core: Core) -> None:
    rounds(core, 1_000)


def test_two_last_votes_at_once_end_it_once(core: Core) -> None:
    core.people.persons |= {EVA: Person(EVA, "eva", team_id="T1")}
    core.follow(RULES)
    for number in range(5):
        one = core.submit(payload={"n": number})
        together(
            *(
                lambda who=who, of=one: core.approvals.decide(of.id, 1, who, "approve")
                for who in (EVA, BEN, MIA)
            )
        )
        assert core.approvals.get(one.id).status == "approved"
        checked(core, one)
    assert audit.verify(core.store, keys=receipts.verify_keys(core.signer.verify_key)).ok
