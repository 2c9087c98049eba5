"""Undoing what the policy let run: an approval of its own, once, by who may, as the policy names it."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from support import Core, without_triggers

from signoff import receipts
from signoff.approvals import audit
from signoff.approvals.errors import (
    AlreadyUndone,
    BlockedNow,
    EditedMeanwhile,
    NotAllowed,
    NotRecorded,
    NotUndone,
    Tampered,
    UnknownApproval,
)
from signoff.approvals.sweep import Sweep
from signoff.bot.cards.undo_blocks import undo_blocks
from signoff.bot.text.undone import undone_line
from signoff.models import history
from signoff.models.approval import Approval
from signoff.models.bodies import CanUndo, UndoTest
from signoff.models.engine import snapshot
from signoff.models.messages import Outcome
from signoff.models.receipt import ApprovedReceipt
from signoff.models.undone import TRIED_SECONDS, VALID_SECONDS
from signoff.policy.replay import replay
from signoff.queue import stream
from signoff.receipts import verify_keys

ANA, BEN, MIA = "U0ANA", "U0BEN", "U0MIA"
HEAD = """agents: {billing-bot: {owner: U0MIA}}
risk: {refund.cancel: medium}
reversibility: {refund.cancel: costly}
rules:
"""
FREE = "  - {name: free, match: {action: refund.cancel}, verdict: allow}\n"
RULE = """  - name: refunds
    match: {action: refund.create}
    verdict: notify
    approvers: U0ANA
    undo_for: 1h
    undo: {action: refund.cancel, payload: {id: $result.id, amount: $payload.amount}}
"""


RULE_ONLY = HEAD.replace("agents: {billing-bot: {owner: U0MIA}}\n", "") + RULE


def let_run(
    core: Core, result: Any = None, succeeded: bool = True, more: str = "", **fields: Any
) -> Approval:
    core.follow(HEAD + RULE + more)
    found = core.approvals.get(core.submit(**fields).id)
    core.approvals.cards.note_shown(found, "C1", "1.1", None, "x")
    if result is not None:
        core.approvals.report(found.agent, found.request_id, Outcome(succeeded=succeeded, result=result))
    return core.approvals.get(found.id)


def receipt(core: Core, one: Approval) -> ApprovedReceipt:
    answer = stream.response(core.redis, one.agent, one.request_id)
    assert answer is not None
    keys = verify_keys(core.signer.verify_key)
    found = receipts.accept(answer, keys, agent=one.agent, request_id=one.request_id)
    assert isinstance(found, ApprovedReceipt)
    return found


def moved(core: Core, one: Approval, seconds: float, *columns: str) -> None:
    back = ", ".join(f"{name} = {name} - {int(seconds * 1e6)}" for name in columns)
    with core.store.transaction() as connection:
        connection.execute(text(f"UPDATE approval SET {back} WHERE id = :id"), {"id": one.id})


def said(core: Core, one: Approval) -> list[tuple[str, dict[str, Any]]]:
    with core.store.reading() as connection:
        query = text("SELECT kind, said FROM card_reply WHERE approval_id = :id ORDER BY id")
        return [(kind, json.loads(data)) for kind, data in connection.execute(query, {"id": one.id})]


def verified(core: Core) -> bool:
    found = audit.verify(core.store, keys=verify_keys(core.signer.verify_key))
    assert not found.fault, found
    return True


@pytest.mark.parametrize("who", [ANA, MIA])
def test_an_undo_is_an_approval_of_its_own_that_goes_to_its_agent(core: Core, who: str) -> None:
    """By one of the rule's people, or the agent's owner where the policy lets the undo run; its receipt is
    bound to what it undoes.
    """
    first = let_run(core, {"id": "re_7", "other": 1}, more=FREE)
    undone = core.approvals.undo.ask(first.id, who)
    assert (undone.status, undone.action, undone.undoes) == ("approved", "refund.cancel", first.id)
    assert undone.payload == {"id": "re_7", "amount": 120} and undone.card is None
    assert undone.request.commits("billing-bot") and str(undone.request.id) == undone.id
    found = receipt(core, undone)
    assert (found.undoes, found.action, found.payload) == (first.id, "refund.cancel", undone.payload)
    assert found.decided_by is not None and found.decided_by.id == who
    ids = [fields[b"id"].decode() for _, fields in core.redis.xrange(stream.decisions("billing-bot"))]
    assert ids[-1] == undone.id
    now = core.approvals.get(first.id)
    assert now.undo is not None and now.undo.done is not None
    assert (now.undo.done.by_id, now.undo.done.approval_id, now.undo.owner) == (who, undone.id, MIA)
    assert now.revision > first.revision and core.changed[-1] == first.id
    assert verified(core)
    with core.store.reading() as connection:
        query = text("SELECT data FROM audit_event WHERE approval_id = :id AND kind = 'submit'")
        assert json.loads(connection.execute(query, {"id": undone.id}).scalar_one())["undoes"] == first.id


def test_it_is_pressed_once(core: Core) -> None:
    first = let_run(core, {"id": "re_7"}, more=FREE)
    ready, won, late = threading.Barrier(6), list[str](), list[str]()

    def press(who: str) -> None:
        ready.wait()
        try:
            core.approvals.undo.ask(first.id, who)
            won.append(who)
        except AlreadyUndone as error:
            late.append(error.by_id)

    threads = [threading.Thread(target=press, args=(who,)) for who in (ANA, MIA) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1 and late == won * 5
    with core.store.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM approval")).scalar_one() == 2
    assert verified(core)


def test_who_may_not_and_what_cannot_be(core: Core) -> None:
    first = let_run(core, {"id": "re_7"})
    undo = core.approvals.undo
    with pytest.raises(NotAllowed):
        undo.ask(first.id, BEN)
    with pytest.raises(UnknownApproval):
        undo.ask("nothing", ANA)
    with pytest.raises(EditedMeanwhile):
        undo.ask(first.id, ANA, seen="0" * 64)
    for why, result, succeeded in (
        ("unreported", None, True), ("failed", {"id": 1}, False), ("missing", {"no": 1}, True)
    ):  # fmt: skip
        one = let_run(core, result, succeeded, payload={"amount": 1, "why": why})
        with pytest.raises(NotUndone) as error:
            undo.ask(one.id, ANA)
        assert error.value.why == why and (why != "missing" or error.value.detail == "$result.id")
    moved(core, first, 3601, "outcome_at", "undo_at")
    with pytest.raises(NotUndone) as over:
        undo.ask(first.id, ANA)
    assert over.value.why == "over"
    before = core.approvals.get(first.id).revision
    Sweep(core.approvals).step()
    assert core.approvals.get(first.id).revision == before + 1  # its card says no more that it may be
    core.follow("rules: [{name: plain, match: {action: refund.create}, verdict: notify}]")
    plain = core.submit(payload={"n": 1})
    with pytest.raises(NotUndone) as nothing:
        undo.ask(plain.id, "U0ANA" if core.approvals.judge.is_one_of("U0ANA", ("S0FIN",)) else MIA)
    assert nothing.value.why == "nothing"


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("  - {name: no, match: {action: refund.cancel}, verdict: block, reason: Never}\n", BlockedNow),
        ("  - {name: ben, match: {action: refund.cancel}, verdict: ask, approvers: U0BEN}\n", NotAllowed),
        ("  - {name: ana, match: {action: refund.cancel}, verdict: ask, approvers: U0ANA}\n", None),
        ("  - {name: some, match: {action: refund.cancel}, verdict: ask}\n", None),
        (FREE, None),
    ],
)
def test_the_policy_judges_the_undo_and_makes_it_no_looser(core: Core, more: str, fault: Any) -> None:
    first = let_run(core, {"id": "re_7"}, more=more)
    if fault:
        with pytest.raises(fault):
            core.approvals.undo.ask(first.id, ANA)
        assert core.approvals.get(first.id).undo.done is None  # type: ignore[union-attr]
        return
    undone = core.approvals.undo.ask(first.id, ANA)
    assert undone.verdict.effect == "ask" and ANA in undone.verdict.approvers
    if "free" in more:
        with pytest.raises(NotRecorded):
            core.approvals.undo.ask(let_run(core, {"id": 8}, more=more, payload={"amount": 8}).id, BEN)
    assert verified(core)


def test_what_becomes_of_it_is_told_on_the_first_card(core: Core) -> None:
    first = let_run(core, {"id": "re_7"})
    undone = core.approvals.undo.ask(first.id, ANA)
    moved(core, first, 31, "undo_at")
    moved(core, undone, 31, "ended_at")
    Sweep(core.approvals).step()
    Sweep(core.approvals).step()
    assert said(core, first) == [("undo_untaken", {"owner": MIA})]
    before = core.approvals.get(first.id).revision
    core.approvals.spend("billing-bot", undone.request_id, "a-worker-1234567890")
    at = core.approvals.get(first.id)
    assert at.undo and at.undo.done and at.undo.done.spent_at and at.revision == before + 1
    moved(core, first, 301, "undo_at")
    moved(core, undone, 301, "spent_at")
    Sweep(core.approvals).step()
    Sweep(core.approvals).step()
    assert said(core, first)[1:] == [("undo_unreported", {"owner": MIA})]
    before = core.approvals.get(first.id)
    line = undone_line(before, core.store.clock())
    assert "never reported" in str(line) and MIA in str(line)
    core.approvals.report("billing-bot", undone.request_id, Outcome(succeeded=False, note="closed"))
    at = core.approvals.get(first.id)
    assert at.undo and at.undo.done and at.undo.done.succeeded is False
    assert said(core, first)[2:] == [("undo_failed", {"by": ANA})]


def test_it_counts_against_the_rule_that_allowed_it(core: Core) -> None:
    first = let_run(core, {"id": "re_7"})
    core.approvals.undo.ask(first.id, ANA)
    with snapshot(core.store.engine) as connection:
        found = list(history.since(connection, 0))
    assert [one.status for one in found] == ["undone"]
    report = replay(core.policy, found)
    assert report.undone == {"refunds": 1} and report.requests == 1


def test_agents_say_what_they_can_undo_and_what_their_tests_came_to(core: Core) -> None:
    first = let_run(core, {"id": "re_7"})
    undo = core.approvals.undoers

    def known() -> tuple[bool, bool]:
        found = core.approvals.get(first.id).undo
        assert found is not None
        return found.known, found.tried

    def say(test_id: str, passed: bool, agent: str = "billing-bot", action: str = "refund.cancel") -> None:
        tested = UndoTest(id=test_id, action=action, passed=passed, fault="" if passed else "x" * 300)
        undo.told(agent, CanUndo(actions=("refund.cancel", "refund.other"), tested=tested))

    assert known() == (False, False) and not undo.tested("billing-bot", "refund.cancel", "", True)
    undo.register("a-stranger", ["refund.cancel"])
    for test_id in ("", "test:made-up"):  # its bare word, of a test that nobody asked for
        say(test_id, True)
        assert known() == (True, False)
    test_id = undo.test("billing-bot", "refund.cancel")
    core.submit("other-bot")
    for other in ({"agent": "other-bot"}, {"action": "refund.other"}):
        say(test_id, True, **other)
        assert not any(one.passed for one in undo.listed())
    say(test_id, False)
    assert known() == (True, False)
    [one] = [one for one in undo.listed() if one.tested_at]
    assert (one.agent, one.passed, len(one.fault or "")) == ("billing-bot", False, 300)
    say(test_id, True)  # once
    assert known() == (True, False)
    late = undo.test("billing-bot", "refund.cancel")
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE undo SET test_until = test_until - 121000000"))
    say(late, True)
    assert known() == (True, False)
    say(undo.test("billing-bot", "refund.cancel"), True)
    undo.register("billing-bot", ["refund.cancel"])
    assert known() == (True, True)
    with core.store.transaction() as connection:
        connection.execute(text(f"UPDATE undo SET tested_at = tested_at - {TRIED_SECONDS}000000"))
    assert known() == (True, False)  # what has passed a month ago says little


def test_one_is_listed_and_tried_before_its_agent_has_asked_for_anything(core: Core) -> None:
    """Its owner is the policy's, the log knows it, and its first request changes nothing of that."""
    core.follow(HEAD + RULE)
    undo = core.approvals.undoers
    for _ in range(2):
        undo.register("billing-bot", ["refund.cancel"])
    assert [one.action for one in undo.listed()] == ["refund.cancel"]
    assert undo.tested("billing-bot", "refund.cancel", undo.test("billing-bot", "refund.cancel"), True)
    first = let_run(core, {"id": "re_7"})
    assert first.undo and first.undo.tried and first.undo.owner == MIA
    assert verified(core)


@pytest.mark.parametrize(
    "changed",
    [
        """approval SET verdict = replace(verdict, 'refund.cancel', 'money.wire')""",
        """approval SET verdict = replace(verdict, '"$result.id"', '"evil"')""",
        """approval SET verdict = replace(verdict, 'U0ANA', 'U0EVE')""",
        """approval SET verdict = replace(verdict, '3600', '360000')""",
        """approval SET outcome = replace(outcome, 're_7', 're_8')""",
        """approval SET outcome_at = outcome_at + 3000000000""",
        """approval SET digest_sent = replace(digest_sent, '1', '2')""",
        """payload SET text = replace(text, '120', '999')""",
        """payload SET claims = replace(claims, 'refund', 'x')""",
        """approval SET receipt = replace(receipt, '.', '.A')""",
        """audit_event SET data = replace(data, 'refund.create', 'x') WHERE kind = 'submit'""",
    ],
)
def test_nothing_is_signed_by_a_row_that_was_changed(core: Core, changed: str) -> None:
    """Action, payload, time, and who may: all that an undo is made of."""
    first = let_run(core, {"id": "re_7"})
    planned = core.approvals.undo.plan(first.id, ANA)
    core.people.persons["U0EVE"] = core.people.persons[ANA]
    with core.store.transaction() as connection:
        without_triggers(connection)
        connection.execute(text(f"UPDATE {changed}"))
    who = "U0EVE" if "U0EVE" in changed else ANA
    for seen in (planned.seen, None):
        with pytest.raises(Tampered):
            core.approvals.undo.ask(first.id, who, seen)
    with core.store.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM approval")).scalar_one() == 1


def test_what_is_signed_is_what_was_shown(core: Core) -> None:
    """The same payload for another action is another undo."""
    first = let_run(core, {"id": "re_7"})
    planned = core.approvals.undo.plan(first.id, ANA)
    other = planned.request.model_copy(update={"action": "money.wire"})
    assert replace(planned, request=other).seen != planned.seen
    assert core.approvals.undo.ask(first.id, ANA, planned.seen).status == "approved"


@pytest.mark.parametrize(
    ("policy", "owner", "ana", "ben"),
    [
        (HEAD + RULE, False, True, False),
        (HEAD + RULE + FREE, True, True, False),
        ((HEAD + RULE + FREE).replace("medium", "critical"), False, True, False),
        (HEAD + RULE + "  - {name: c, match: {action: refund.cancel}, verdict: ask}\n", False, True, True),
        ("always_ask: [refund.cancel]\n" + HEAD + RULE + FREE, False, True, True),
        (HEAD + RULE + "  - {name: c, match: {action: refund.cancel}, verdict: ask, approvers: U0BEN}\n",
         False, False, True),
    ],
)  # fmt: skip
def test_whoever_undoes_is_one_whom_todays_policy_asks(
    core: Core, policy: str, owner: bool, ana: bool, ben: bool
) -> None:
    """U0ANA and U0BEN are default approvers; U0MIA owns the agent, and is asked about nothing."""
    first = let_run(core, {"id": "re_7"})
    core.follow(policy)
    for who, may in ((MIA, owner), (ANA, ana), (BEN, ben)):
        if may:
            assert who in core.approvals.undo.plan(first.id, who).verdict.approvers
        else:
            with pytest.raises(NotAllowed):
                core.approvals.undo.ask(first.id, who)
    assert core.approvals.get(first.id).undo.done is None  # type: ignore[union-attr]


def test_one_that_failed_or_that_nobody_took_in_time_is_tried_again(core: Core) -> None:
    first = let_run(core, {"id": "re_7"})
    one = core.approvals.undo.ask(first.id, ANA)
    assert (receipt(core, one).not_after - receipt(core, one).issued_at).total_seconds() == VALID_SECONDS
    core.approvals.report(one.agent, one.request_id, Outcome(succeeded=False, note="x"))
    second = core.approvals.undo.ask(first.id, ANA)
    assert second.id != one.id and second.payload == one.payload
    with pytest.raises(AlreadyUndone):  # it may still be taken
        core.approvals.undo.ask(first.id, ANA)
    moved(core, second, VALID_SECONDS, "ended_at", "receipt_expires_at")
    third = core.approvals.undo.ask(first.id, ANA)
    assert len({one.id, second.id, third.id}) == 3
    core.approvals.spend(third.agent, third.request_id, "a-worker-1234567890")
    moved(core, third, VALID_SECONDS, "receipt_expires_at")
    with pytest.raises(AlreadyUndone):  # it runs, or has run
        core.approvals.undo.ask(first.id, ANA)
    now = core.approvals.get(first.id).undo
    assert now and now.attempts == 3 and now.done and now.done.approval_id == third.id


@pytest.mark.parametrize("ran", ["no", "spent", "reported"])
def test_a_database_that_was_put_back_undoes_nothing_twice(core: Core, ran: str) -> None:
    """The undo is found again by its id, which follows from what it undoes."""
    first = let_run(core, {"id": "re_7"})
    tables = ("audit_event", "decision", "payload", "approval")
    with core.store.reading() as connection:
        last = connection.execute(text("SELECT max(seq) FROM audit_event")).scalar_one()
    one = core.approvals.undo.ask(first.id, ANA)
    if ran != "no":
        core.approvals.spend(one.agent, one.request_id, "a-worker-1234567890")
    if ran == "reported":
        core.approvals.report(one.agent, one.request_id, Outcome(succeeded=True))
    with core.store.transaction() as connection:
        without_triggers(connection)
        for table in tables:
            which = f"seq > {last}" if table == "audit_event" else f"approval_id = '{one.id}'"
            which = f"id = '{one.id}'" if table == "approval" else which
            connection.execute(text(f"DELETE FROM {table} WHERE {which}"))
    assert core.approvals.get(first.id).undo.done is None  # type: ignore[union-attr]
    with pytest.raises(AlreadyUndone) as known:
        core.approvals.undo.ask(first.id, ANA)
    assert known.value.by_id == ANA
    again = core.approvals.get(one.id)
    assert (again.status, again.undoes, again.receipt) == ("approved", first.id, one.receipt)
    assert bool(again.has_run) is (ran != "no") and verified(core)


def test_who_owns_an_agent_is_the_logs_word(core: Core) -> None:
    """Whoever writes to the database makes nobody an owner: of an undo, a hold, or feedback."""
    first = let_run(core, {"id": "re_7"}, more=FREE)
    core.follow(RULE_ONLY + FREE)
    assert core.approvals.undo.plan(first.id, MIA).person.id == MIA
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE agent SET owner = 'U0BEN'"))
    for who in (BEN, MIA):
        with pytest.raises(Tampered):
            core.approvals.undo.ask(first.id, who)
    assert core.approvals.undo.plan(first.id, ANA).person.id == ANA
    core.follow(HEAD + RULE + FREE)  # a file that names the owner is the word
    assert core.approvals.undo.plan(first.id, MIA).person.id == MIA
    with pytest.raises(NotAllowed):
        core.approvals.undo.plan(first.id, BEN)


def test_an_owner_that_a_later_policy_names_is_known_by_its_line(core: Core) -> None:
    first = let_run(core, {"id": "re_7"}, more=FREE)
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE agent SET owner = 'U0BEN'"))
        data = {"policy": "0" * 16, "text": "0" * 64, "owners": {"billing-bot": BEN, "other": MIA}}
        audit.append(connection, audit.Event("policy", None, 1, "policy", data))
    core.follow(RULE_ONLY + FREE)
    assert core.approvals.undo.plan(first.id, BEN).person.id == BEN
    with pytest.raises(NotAllowed):
        core.approvals.undo.plan(first.id, MIA)
    with core.store.transaction() as connection:
        connection.execute(text("UPDATE agent SET owner = NULL"))
        audit.append(
            connection, audit.Event("agent", None, 2, "operator", {"agent": "billing-bot", "owner": None})
        )
    with pytest.raises(NotAllowed):
        core.approvals.undo.plan(first.id, BEN)


def test_cards_that_say_never_tried_are_drawn_anew_once_it_was(core: Core) -> None:
    """Those whose window is open, of this agent and action; and again where a later test fails."""
    undoers = core.approvals.undoers
    cards = [let_run(core, {"id": n}, payload={"amount": n}) for n in range(3)]
    over, unreported = cards[2], let_run(core, payload={"amount": 9})
    moved(core, over, 3601, "outcome_at", "undo_at")
    undoers.register("billing-bot", ["refund.cancel", "refund.other"])

    def test(passed: bool, action: str = "refund.cancel") -> list[int]:
        """Which cards are due more often than before."""
        every = [*cards, unreported]
        before = [core.approvals.get(one.id).revision for one in every]
        assert undoers.tested("billing-bot", action, undoers.test("billing-bot", action), passed)
        return [core.approvals.get(one.id).revision - was for one, was in zip(every, before, strict=True)]

    assert "never tried" in str(undo_blocks(core.approvals.get(cards[0].id)))
    assert test(False) == [0, 0, 0, 0] and test(True, "refund.other") == [0, 0, 0, 0]
    assert test(True) == [1, 1, 0, 0] and test(True) == [0, 0, 0, 0]
    assert "never tried" not in str(undo_blocks(core.approvals.get(cards[0].id)))
    assert test(False) == [1, 1, 0, 0]
