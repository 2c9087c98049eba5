"""What the policy lets run after a while: it runs once nobody has held it, or is asked about."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from sqlalchemy import text
from support import Core, without_triggers

from signoff import receipts
from signoff.approvals import audit
from signoff.approvals.errors import (
    AlreadyDecided,
    InGrace,
    NotAllowed,
    NotHeld,
    NotRecorded,
    Restored,
    Tampered,
    TimeRanOut,
)
from signoff.approvals.lists import Lists
from signoff.approvals.sweep import Sweep
from signoff.models.approval import Approval
from signoff.queue import hearing, stream
from signoff.queue.hearing import CALM, GONE, SECOND, SETTLED, Ears, heard, said
from signoff.receipts import verify_keys

ANA, BEN, MIA = "U0ANA", "U0BEN", "U0MIA"
RATED = (
    "risk: {'refund.*': low}\nreversibility: {'refund.*': reversible}\n"
    "agents: {billing-bot: {owner: U0MIA}}\n"
)
GRACE = RATED + (
    "rules: [{name: mild, match: {action: 'refund.*'}, verdict: allow, after: 1m, approvers: U0ANA}]"
)
ASKS = RATED + "rules: [{name: asks, match: {action: 'refund.*'}, verdict: ask, approvers: U0BEN}]"
BLOCKS = RATED + "rules: [{name: never, match: {action: 'refund.*'}, verdict: block}]"
ALLOWS = RATED + "rules: [{name: free, match: {action: 'refund.*'}, verdict: allow}]"


def in_grace(core: Core, *, shown: bool = True, **fields: Any) -> Approval:
    core.follow(GRACE)
    found: Approval = core.submit(**fields)
    if shown:
        core.approvals.cards.note_shown(core.approvals.judge.today(found), "C1", "1.1", None, "x")
    return core.approvals.get(found.id)


@pytest.fixture(autouse=True)
def ears(core: Core) -> None:
    """Somebody hears people all the time."""
    hearing.note(core.redis, "a-bot", Ears(0, 0, 1 << 60))


def changed(core: Core, one: Approval, seconds: float, *columns: str) -> None:
    """Its row says that its times are so much longer ago."""
    back = ", ".join(f"{name} = {name} - {int(seconds * 1e6)}" for name in columns)
    with core.store.transaction() as connection:
        connection.execute(text(f"UPDATE approval SET {back} WHERE id = :id"), {"id": one.id})


def moved(core: Core, one: Approval, seconds: float, *columns: str) -> None:
    """All of it is so much longer ago, as the log tells it too."""
    changed(core, one, seconds, *(columns or ("shown_at", "runs_at")))
    back = int(seconds * 1e6)
    with core.store.transaction() as connection:
        without_triggers(connection)
        rows = connection.execute(text("SELECT * FROM audit_event ORDER BY seq")).mappings().all()
        connection.execute(text("DELETE FROM audit_event"))
        for row in rows:
            data, at = json.loads(row["data"]), row["at"]
            if row["approval_id"] == one.id and row["kind"] in ("shown", "grace"):
                at -= back
                data |= {name: data[name] - back for name in ("runs_at", "since") if name in data}
            audit.append(connection, audit.Event(row["kind"], row["approval_id"], at, row["actor"], data))


def answer(core: Core, one: Approval) -> Any:
    return stream.response(core.redis, one.agent, one.request_id)


def step(core: Core) -> None:
    Sweep(core.approvals).step()


def verified(core: Core) -> bool:
    found = audit.verify(core.store, keys=verify_keys(core.signer.verify_key))
    assert not found.fault, found
    return True


def lines(core: Core, one: Approval, kind: str) -> list[Any]:
    with core.store.reading() as connection:
        query = text("SELECT actor, data FROM audit_event WHERE approval_id = :id AND kind = :k ORDER BY seq")
        return [(who, json.loads(data)) for who, data in connection.execute(query, {"id": one.id, "k": kind})]


def test_it_runs_when_its_time_is_over_and_not_before(core: Core) -> None:
    """Nobody is asked, nothing is signed before, and the time runs from when the card was shown."""
    one = in_grace(core, shown=False)
    assert (one.status, one.runs_at, one.receipt) == ("pending", 0, None) and one.verdict.in_grace
    assert core.changed == [one.id]
    step(core)
    core.approvals.cards.note_shown(core.approvals.judge.today(one), "C1", "1.1", None, "x")
    one = core.approvals.get(one.id)
    assert one.shown_at is not None and one.runs_at == one.shown_at + 60_000_000
    assert one.delivered_revision < one.revision  # its card tells when
    core.approvals.tell(one)
    assert answer(core, one).status == "pending"
    assert core.approvals.waiting_for(ANA) == []
    assert not Lists(core.approvals, core.people, ()).pending(ANA).items
    moved(core, one, 50)
    step(core)
    assert core.approvals.get(one.id).pending
    moved(core, one, 11)
    step(core)
    step(core)
    ended = core.approvals.get(one.id)
    assert (ended.status, ended.decision, ended.verdict.effect) == ("approved", None, "allow")
    receipt = receipts.accept(
        answer(core, one), verify_keys(core.signer.verify_key), agent=one.agent, request_id=one.id
    )
    assert receipt.approved and receipt.rule == "mild" and receipt.decided_by is None
    assert len(lines(core, one, "receipt")) == 1 and verified(core)


def test_a_hold_has_it_asked_about(core: Core) -> None:
    one = in_grace(core)
    for vote in ("approve", "reject"):
        with pytest.raises(InGrace):
            core.approvals.decide(one.id, 1, ANA, vote, reason="x")  # type: ignore[arg-type]
    with pytest.raises(NotAllowed):
        core.approvals.grace.hold(one.id, 1, BEN)
    held = core.approvals.grace.hold(one.id, 1, ANA)
    assert (held.status, held.verdict.effect, held.verdict.held_by, held.runs_at) == (
        "pending",
        "ask",
        ANA,
        None,
    )
    assert held.verdict.approvers == (ANA,) and held.expires_at == one.expires_at
    assert core.approvals.waiting_for(ANA) == [one.id]
    [(who, told)] = lines(core, one, "held")
    assert who == ANA and told["why"] == "person" and "Ana" not in json.dumps(told)
    for other in (ANA, MIA):
        with pytest.raises(NotHeld) as late:
            core.approvals.grace.hold(one.id, 1, other)
        assert late.value.by_id == ANA
    moved(core, one, 1000, "shown_at")
    step(core)
    moved(core, one, -1000, "shown_at")
    assert core.approvals.get(one.id).pending and core.approvals.judge.standing(held).effect == "ask"
    assert core.approvals.decide(one.id, 1, ANA, "approve").status == "approved"
    with pytest.raises(AlreadyDecided):
        core.approvals.grace.hold(one.id, 1, ANA)
    assert verified(core)


def test_its_agents_owner_may_hold_and_not_decide(core: Core) -> None:
    one = in_grace(core)
    assert core.approvals.grace.hold(one.id, 1, MIA).verdict.held_by == MIA
    with pytest.raises(NotAllowed):
        core.approvals.decide(one.id, 1, MIA, "approve")


def test_what_is_never_shown_is_asked_about(core: Core) -> None:
    one = in_grace(core, shown=False)
    moved(core, one, 61, "created_at")
    step(core)
    moved(core, one, -61, "created_at")
    found = core.approvals.get(one.id)
    assert (found.status, found.verdict.effect, found.runs_at) == ("pending", "ask", None)
    assert "could not be shown" in found.verdict.why and lines(core, one, "held")[0][0] == "signoff"
    assert verified(core)


@pytest.mark.parametrize("when", ["at once", "at the end"])
@pytest.mark.parametrize(
    ("policy", "status", "approvers"),
    [(ASKS, "pending", (BEN,)), (BLOCKS, "blocked", ()), (ALLOWS, "approved", ())],
)
def test_another_policy_wins(
    core: Core, policy: str, status: str, approvers: tuple[str, ...], when: str
) -> None:
    """One that asks or blocks by now; one that just allows makes it no quicker."""
    one = in_grace(core)
    core.follow(policy)
    if when == "at once":
        step(core)
        assert core.approvals.get(one.id).status == (status if status == "blocked" else "pending")
    else:
        moved(core, one, 61)
        core.approvals.grace.step(one.id)
        found = core.approvals.get(one.id)
        assert found.status == status
        if approvers:
            assert (found.verdict.effect, found.verdict.approvers) == ("ask", approvers)
            assert core.approvals.waiting_for(BEN) == [one.id]
    assert verified(core)


def test_a_policy_that_asks_by_now_lets_its_people_decide_even_before_that_is_noted(core: Core) -> None:
    one = in_grace(core)
    core.follow(ASKS)
    assert core.approvals.decide(one.id, 1, BEN, "reject", reason="no").status == "rejected"
    moved(core, one, 61)
    assert core.approvals.grace.step(one.id) is None and verified(core)


def test_whoever_is_first_wins_and_both_are_told_so(core: Core) -> None:
    """Hold at the last moment against the end of the time, in every order."""
    for hold_first in (True, False):
        one = in_grace(core, payload={"n": int(hold_first)})
        moved(core, one, 61)
        if hold_first:
            core.approvals.grace.hold(one.id, 1, ANA)
            assert core.approvals.grace.step(one.id) is None
            assert core.approvals.get(one.id).status == "pending"
        else:
            assert core.approvals.grace.step(one.id) is not None
            with pytest.raises(AlreadyDecided) as late:
                core.approvals.grace.hold(one.id, 1, ANA)
            assert late.value.status == "approved"
    assert verified(core)


def test_many_at_once_end_it_once(core: Core) -> None:
    one = in_grace(core)
    moved(core, one, 61)
    ready, found = threading.Barrier(8), list[str]()

    def press(number: int) -> None:
        ready.wait()
        try:
            if number % 2:
                core.approvals.grace.hold(one.id, 1, ANA)
                found.append("held")
            elif core.approvals.grace.step(one.id) is not None:
                found.append("ran")
        except NotRecorded as error:
            assert isinstance(error, NotHeld | AlreadyDecided)

    threads = [threading.Thread(target=press, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    status = core.approvals.get(one.id).status
    assert found == (["held"] if status == "pending" else ["ran"]) and verified(core)


def test_it_may_be_withdrawn_expire_and_be_closed_by_a_restore(core: Core) -> None:
    one = in_grace(core, payload={"n": 1})
    ended = core.approvals.cancel(one.agent, one.request_id, "no need")
    assert ended is not None and ended.status == "cancelled"
    moved(core, one, 61)
    assert core.approvals.grace.step(one.id) is None
    one = in_grace(core, payload={"n": 2})
    moved(core, one, 10**6, "shown_at", "runs_at", "expires_at")
    assert core.approvals.grace.step(one.id) is None
    with pytest.raises(TimeRanOut):
        core.approvals.grace.hold(one.id, 1, ANA)
    step(core)
    assert core.approvals.get(one.id).status == "expired"
    one = in_grace(core, payload={"n": 3})
    with core.store.transaction() as connection:
        connection.execute(
            text("UPDATE approval SET closed_in = 1, expires_at = 5 WHERE id = :id"), {"id": one.id}
        )
    moved(core, one, 61)
    assert core.approvals.grace.due() == [] and core.approvals.grace.step(one.id) is None
    with pytest.raises(Restored):
        core.approvals.grace.hold(one.id, 1, ANA)
    core.approvals.close_restored(one.id)
    assert core.approvals.get(one.id).status == "expired"


def test_rows_that_were_changed_meanwhile_let_nothing_run(core: Core) -> None:
    """An earlier `runs_at` is of no use, and another payload is never signed."""
    one = in_grace(core)
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE approval SET runs_at = 1 WHERE id = :id"), {"id": one.id})
    step(core)
    assert core.approvals.get(one.id).pending
    moved(core, one, 61, "shown_at")
    with core.store.transaction() as connection:
        values = {"id": one.id, "t": '{"amount":9999,"customer":"cus_42"}'}
        connection.execute(text("UPDATE payload SET text = :t WHERE approval_id = :id"), values)
    with pytest.raises(Tampered):
        core.approvals.grace.step(one.id)
    step(core)
    assert core.approvals.get(one.id).pending and answer(core, one).status == "pending"


def test_an_ask_whose_row_says_that_it_runs_does_not(core: Core) -> None:
    """An unanswered request ends as expired, never as approved."""
    core.follow(ASKS)
    one = core.submit()
    core.approvals.cards.note_shown(core.approvals.judge.today(one), "C1", "1.1", None, "x")
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE approval SET runs_at = 1 WHERE id = :id"), {"id": one.id})
    step(core)
    assert core.approvals.get(one.id).pending and core.approvals.get(one.id).receipt is None


def test_an_update_from_before_there_was_any_finds_nothing_wrong(core: Core) -> None:
    """Lines of before tell of no grace; a row that was written anew since holds what they leave out."""
    one = in_grace(core)
    with core.store.reading() as connection:
        verdict = json.loads(connection.execute(text("SELECT verdict FROM approval")).scalar_one())
    fits = audit.fits.Judged({name: verdict[name] for name in verdict if name != "after"}, None)
    assert fits.differing(json.dumps(verdict | {"after": None})) == []
    assert fits.differing(json.dumps(verdict | {"after": 1})) == ["after"] and one.pending


def times(core: Core, one: Approval) -> tuple[int, int]:
    """When it runs, and the database's clock."""
    runs_at = core.approvals.get(one.id).runs_at
    assert runs_at is not None
    return runs_at, core.store.clock()


def test_nothing_runs_while_nobody_hears_and_then_its_time_begins_anew(core: Core) -> None:
    """An outage pauses; a few times, then a person is asked."""
    one = in_grace(core)
    hearing.leave(core.redis, "a-bot")
    moved(core, one, 3600)  # no server ran for an hour
    for number in range(4):
        first = core.approvals.get(one.id)
        step(core)
        assert core.approvals.get(one.id) == first  # nobody hears yet
        now = core.store.clock()
        hearing.note(core.redis, f"bot-{number}", Ears(now, now, now + GONE))  # somebody does, from now on
        step(core)
        found = core.approvals.get(one.id)
        if number < 3:
            runs_at, now = times(core, one)
            assert found.verdict.in_grace and found.pending and found.revision > first.revision
            assert 0 <= now + 60 * SECOND - runs_at < 30 * SECOND
            moved(core, one, 61)
        hearing.leave(core.redis, f"bot-{number}")
    assert (found.status, found.verdict.effect, found.runs_at) == ("pending", "ask", None)
    assert "away again and again" in found.verdict.why and verified(core)


def test_a_hold_that_a_bot_still_has_in_its_hands_is_waited_for(core: Core) -> None:
    one = in_grace(core)
    moved(core, one, 61)
    runs_at, _ = times(core, one)
    hearing.note(core.redis, "a-bot", Ears(0, 0, runs_at - SECOND))  # it stands still since then
    step(core)
    assert core.approvals.get(one.id).pending
    assert core.approvals.grace.hold(one.id, 1, ANA).verdict.held_by == ANA


@pytest.mark.parametrize(
    ("ears", "expected"),
    [
        ([], "not yet"),
        ([Ears(0, 0, 104)], "yes"),
        ([Ears(40, 40, 104)], "yes"),
        ([Ears(41, 41, 104)], "no"),  # it was not there all the time
        ([Ears(0, 0, 103)], "not yet"),  # what came last may be in its hands
        ([Ears(0, 103, 106)], "not yet"),  # it stood still for a moment, and goes through what came
        ([Ears(0, 103, 107)], "yes"),
        ([Ears(0, 0, 90)], "not yet"),  # dead, or stopped: nobody hears
        ([Ears(0, 0, 90), Ears(0, 0, 105)], "no"),  # one of two is: what was pressed there is lost
        ([Ears(0, 0, 39), Ears(0, 0, 105)], "yes"),
        ([Ears(95, 95, 106), Ears(0, 0, 105)], "yes"),  # another one joined
    ],
)
def test_who_is_heard(ears: list[Ears], expected: str) -> None:
    """Of what was pressed from second 40 to 100, now that it is second 108."""
    found = [Ears(*(value * SECOND for value in one)) for one in ears]
    assert heard(found, 40 * SECOND, 100 * SECOND, 108 * SECOND) == expected


def test_who_stood_still_says_so_by_what_it_says_next() -> None:
    first = said(None, 5)
    assert first == Ears(5, 5, 5) and said(first, 5 + CALM) == Ears(5, 5, 5 + CALM)
    assert said(first, 6 + CALM) == Ears(5, 6 + CALM, 6 + CALM) and said(first, 6 + GONE)[0] == 6 + GONE
    assert SETTLED > CALM


LONGER = GRACE.replace("after: 1m", "after: 5m").replace("name: mild", "name: milder")
SHORTER = GRACE.replace("after: 1m", "after: 5s").replace("name: mild", "name: quicker")


@pytest.mark.parametrize("at_once", [True, False])
def test_todays_policy_may_have_it_wait_for_longer_and_never_for_less(core: Core, at_once: bool) -> None:
    """And it is today's whose name stands in the receipt."""
    one = in_grace(core)
    core.follow(SHORTER)
    step(core)
    assert core.approvals.get(one.id).runs_at == one.runs_at and core.approvals.get(one.id).pending
    core.follow(LONGER)
    if at_once:
        step(core)
    else:
        moved(core, one, 61)
        core.approvals.grace.step(one.id)
    found = core.approvals.get(one.id)
    assert found.pending and found.runs_at == (found.shown_at or 0) + 300 * SECOND
    assert found.revision > one.revision
    core.follow(SHORTER)
    moved(core, one, 100)
    step(core)
    assert core.approvals.get(one.id).pending
    moved(core, one, 201)
    step(core)
    ended = core.approvals.get(one.id)
    assert (ended.status, ended.verdict.rule) == ("approved", "quicker")
    receipt = receipts.accept(
        answer(core, one), verify_keys(core.signer.verify_key), agent=one.agent, request_id=one.id
    )
    assert (receipt.rule, receipt.policy) == ("quicker", core.policy.digest) and verified(core)


@pytest.mark.parametrize(
    "change",
    [
        "shown_at = 5, runs_at = 5",
        "runs_at = runs_at - 61000000",
        "shown_at = shown_at - 61000000, runs_at = runs_at - 61000000",
        "verdict = replace(verdict, 'after\"\\:60', 'after\"\\:1'), runs_at = 5",
    ],
)
def test_a_row_says_by_itself_of_nothing_that_it_runs(core: Core, change: str) -> None:
    """When its card was first shown, and when it runs, stands in the log."""
    one = in_grace(core)
    with core.store.transaction() as connection:
        connection.execute(text(f"UPDATE approval SET {change} WHERE id = :id"), {"id": one.id})
    with pytest.raises(Tampered):
        core.approvals.grace.step(one.id)
    step(core)
    found = core.approvals.get(one.id)
    assert found.pending and found.receipt is None and not audit.verify(core.store).ok


def test_a_row_that_says_that_its_card_was_shown_does_not_run(core: Core) -> None:
    one = in_grace(core, shown=False)
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE approval SET shown_at = 5, runs_at = 5"))
    with pytest.raises(Tampered):
        core.approvals.grace.step(one.id)
    assert core.approvals.get(one.id).pending
