"""Reminders and escalations: by the card's clock, to whoever has not voted, once, never in quiet hours."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from faults.test_batch_points import dying_at
from sqlalchemy import text
from support import Core, eventually

from signoff.approvals import audit
from signoff.approvals.errors import NotAllowed
from signoff.approvals.sweep import Sweep
from signoff.models.approval import Approval
from signoff.models.people import Person

SECOND = 1_000_000
MINUTE = 60 * SECOND
POLICY = """
groups:
  finance: {users: [U0ANA, U0BEN]}
  managers: {users: [U0MIA]}
rules:
  - name: refunds
    match: {action: refund.create}
    verdict: ask
    approvers: [finance]
    expires_in: 4h
    remind: [15m, 1h]
    escalate: [{after: 30m, to: [managers]}]
"""


@pytest.fixture
def timed(core: Core) -> Core:
    core.follow(POLICY)
    return core


def shown(core: Core, **fields: Any) -> Approval:
    """A request whose card stands, as the delivery notes it."""
    approval = core.submit(**fields)
    drawn = core.approvals.judge.today(approval, core.store.clock())
    ts = f"17000000.{approval.id[-6:]}"
    assert core.approvals.cards.note_shown(drawn, "C0APPROVE", ts, None, "drawn")
    return core.approvals.get(approval.id)


def later(core: Core, minutes: float) -> None:
    """As if so much time had gone by: every moment in the rows lies so much further back."""
    by = int(minutes * MINUTE)
    with core.store.transaction() as connection:
        for table, columns in (
            ("approval", ("created_at", "expires_at", "shown_at")),
            ("call", ("created_at", "due_at", "said_at")),
            ("pinged", ("at",)),
        ):
            moved = ", ".join(f"{one} = {one} - {by}" for one in columns)
            connection.execute(text(f"UPDATE {table} SET {moved}"))
        connection.execute(text(f"UPDATE approval SET calls_at = calls_at - {by} WHERE calls_at > {by}"))


def swept(core: Core, times: int = 1) -> None:
    for _ in range(times):
        Sweep(core.approvals).step()


def said(core: Core) -> list[dict[str, Any]]:
    """What is to be said in threads."""
    with core.store.reading() as connection:
        found = connection.execute(text("SELECT said FROM card_reply WHERE kind = 'called' ORDER BY id"))
        return [json.loads(one) for one in found.scalars()]


def test_who_has_not_voted_is_reminded_once_for_each_step(timed: Core) -> None:
    approval = shown(timed)
    swept(timed)
    assert said(timed) == []
    later(timed, 16)
    swept(timed, 3)
    [first] = said(timed)
    assert (first["people"], first["why"], first["after"]) == (["U0ANA", "U0BEN"], "remind", 900)
    later(timed, 60)
    swept(timed, 3)
    assert [one["after"] for one in said(timed)][-1] == 3600 and len(said(timed)) == 2
    later(timed, 60)
    swept(timed, 2)
    assert len(said(timed)) == 2
    assert timed.approvals.decide(approval.id, 1, "U0ANA", "approve").status == "approved"


def test_a_reminder_tells_what_else_waits_and_nobody_is_pinged_twice_in_ten_minutes(timed: Core) -> None:
    timed.follow(POLICY.replace("15m", "2m"))
    one, two = shown(timed, payload={"amount": 1}), shown(timed, payload={"amount": 2})
    later(timed, 16)
    swept(timed, 2)
    [only] = said(timed)
    assert only["more"] == {"U0ANA": 1, "U0BEN": 1}, "the other one is counted, and is no message more"
    third = shown(timed, payload={"amount": 3})
    later(timed, 5)
    swept(timed, 2)
    assert len(said(timed)) == 1, "it came after that message, and is told once they may be pinged again"
    later(timed, 6)
    swept(timed, 2)
    assert len(said(timed)) == 2 and said(timed)[-1]["more"]["U0ANA"] == 2
    for approval in (one, two, third):
        timed.approvals.decide(approval.id, 1, "U0ANA", "approve")


def test_more_people_may_decide_once_it_has_waited_and_those_before_still_can(timed: Core) -> None:
    approval = shown(timed)
    with pytest.raises(NotAllowed):
        timed.approvals.decide(approval.id, 1, "U0MIA", "approve")
    later(timed, 31)
    swept(timed, 2)
    now = timed.approvals.get(approval.id)
    assert now.verdict.approvers == ("U0ANA", "U0BEN", "U0MIA") and now.verdict.added == ("managers",)
    assert now.revision > approval.revision, "its card is drawn anew"
    people = {one["why"]: one["people"] for one in said(timed)}
    assert people == {"escalate": ["U0ANA", "U0BEN", "U0MIA"]}, "one message, about what is new"
    assert timed.approvals.waiting_for("U0MIA") == [approval.id]
    assert timed.approvals.decide(approval.id, 1, "U0MIA", "approve").status == "approved"


def test_what_was_escalated_stays_so_under_another_policy(timed: Core) -> None:
    approval = shown(timed)
    later(timed, 31)
    swept(timed)
    timed.follow(POLICY.replace("users: [U0MIA]", "users: [U0EVE]") + "    headline: Refund\n")
    timed.people.persons["U0EVE"] = Person("U0EVE", "eve", team_id="T1")
    swept(timed)
    with pytest.raises(NotAllowed):
        timed.approvals.decide(approval.id, 1, "U0MIA", "approve")
    assert timed.approvals.decide(approval.id, 1, "U0EVE", "approve").status == "approved"


@pytest.mark.parametrize("point", ["call.written", "call.committed", "call.announced", "called.written",
                                   "called.committed", "sweep.call", "sweep.remind"])  # fmt: skip
def test_whatever_is_cut_it_is_said_once(timed: Core, point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown(timed)
    later(timed, 31)
    with dying_at(point, 1, monkeypatch):
        swept(timed)
    swept(timed, 3)
    assert len(said(timed)) == 1 and len(said(timed)[0]["people"]) == 3


def test_the_log_tells_of_it_and_the_rows_fit(core: Core) -> None:
    core.follow(POLICY.replace("[15m, 1h]", "[1s]").replace("30m", "2s") + "    clock: shown\n")
    approval = shown(core)

    def both() -> bool:
        swept(core)
        return core.approvals.get(approval.id).verdict.escalated == 2 and bool(said(core))

    eventually(both)
    with core.store.reading() as connection:
        kinds = connection.execute(text("SELECT kind FROM audit_event")).scalars().all()
    assert {"called", "escalated"} <= set(kinds)
    assert core.approvals.decide(approval.id, 1, "U0MIA", "approve").status == "approved"
    found = audit.verify(core.store, keys=core.approvals._receipts.keys)
    assert found.ok, found


def test_nobody_is_reminded_of_what_has_ended(timed: Core) -> None:
    approval = shown(timed)
    later(timed, 16)
    timed.approvals.times.calls.look(approval.id)
    timed.approvals.decide(approval.id, 1, "U0ANA", "approve")
    swept(timed, 2)
    assert said(timed) == []


def quiet_now(core: Core, zone: str = "UTC") -> str:
    """Quiet hours that have begun, and end in two hours, by the clock of the database."""
    hour = datetime.fromtimestamp(core.store.clock() / SECOND, UTC).hour
    return f'quiet: {{from: "{(hour - 1) % 24:02}:00", to: "{(hour + 3) % 24:02}:00", zone: {zone}}}'


def test_quiet_hours_delay_who_is_pinged_and_nothing_else(core: Core) -> None:
    core.follow(f"{quiet_now(core)}\n{POLICY}")
    approval = shown(core)
    drawn = core.approvals.judge.today(core.approvals.get(approval.id), core.store.clock())
    assert drawn.called and drawn.called.people == ()
    assert [one.name for one in drawn.called.later] == ["ana", "ben"]
    later(core, 31)
    swept(core, 2)
    assert said(core) == []
    assert core.approvals.get(approval.id).verdict.added == ("managers",), "who may decide is not delayed"
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE call SET due_at = 0"))
    swept(core, 2)
    assert len(said(core)) == 1, "all that was put off is one message"
    assert core.approvals.decide(approval.id, 1, "U0ANA", "approve").status == "approved"


def test_quiet_hours_are_each_persons_own(core: Core) -> None:
    core.people.persons["U0BEN"] = replace(core.people.persons["U0BEN"], tz="Asia/Tokyo")
    core.follow(f"{quiet_now(core, 'person')}\n{POLICY}")
    approval = shown(core)
    drawn = core.approvals.judge.today(core.approvals.get(approval.id), core.store.clock())
    assert drawn.called and [one.id for one in drawn.called.later] == ["U0ANA"]
    assert drawn.called.people == ("U0BEN",)
    core.follow(f"{quiet_now(core)[:-1]}, except: [high]}}\n{POLICY}")
    drawn = core.approvals.judge.today(core.approvals.get(approval.id), core.store.clock())
    assert drawn.called == type(drawn.called)(("U0ANA", "U0BEN")), "what is as risky is never quiet"


def test_the_clock_starts_when_the_card_is_shown_where_the_policy_says_so(core: Core) -> None:
    core.follow(POLICY + "    clock: shown\n")
    approval = core.submit()
    later(core, 100)
    drawn = core.approvals.judge.today(core.approvals.get(approval.id), core.store.clock())
    core.approvals.cards.note_shown(drawn, "C0APPROVE", "1700000000.000001", None, "drawn")
    now = core.approvals.get(approval.id)
    assert now.shown_at and now.expires_at == now.shown_at + 4 * 3600 * SECOND
    swept(core)
    told = core.approvals.response(core.approvals.get(approval.id))
    assert told.expires_at == now.expires_at
    assert now.revision > drawn.revision, "its card says until when, and is drawn anew"
