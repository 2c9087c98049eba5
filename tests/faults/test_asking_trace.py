"""Between any two things that questions, talks, undos, batches and feedback do there is a crash point."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from bot.test_batch_delivery import NAME, Channel
from faults.test_batch_points import dying_at
from faults.trace import Trace, trace_commits, traced
from sqlalchemy import text
from support import Core

from signoff.approvals import audit
from signoff.models import figures, progress
from signoff.models.approval import Approval
from signoff.models.messages import Freeze, Outcome, Reply
from signoff.models.questions import GivenAnswer
from signoff.queue import hearing, stream
from signoff.queue.hearing import Ears

ANA, BEN, MIA = "U0ANA", "U0BEN", "U0MIA"
POLICY = """agents: {billing-bot: {owner: U0MIA}}
risk: {'*': low}
reversibility: {'*': reversible, 'tick.close': reversible}
rules:
  - name: refunds
    match: {action: refund.create}
    verdict: notify
    feedback: 100%
    undo_for: 1h
    undo: {action: refund.cancel, payload: {id: $result.id}}
  - {name: mild, match: {action: tick.close, risk: [low]}, verdict: allow, after: 1m}
"""
LONGER = POLICY.replace("after: 1m", "after: 2m")
SMITHS = {"question": "Which?", "options": [{"id": "a", "text": "Ann"}, {"id": "b", "text": "Al"}]}
AGENT = "billing-bot"


@pytest.fixture
def trace(core: Core, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trace]:
    hearing.note(core.redis, "a-bot", Ears(0, 0, 1 << 60))
    found = traced(monkeypatch)
    trace_commits(found, core.store.engine)
    yield found
    assert not found.bare(), "\n".join(found.bare())


def shown(core: Core, approval: Approval) -> Approval:
    found = core.approvals.judge.today(core.approvals.get(approval.id))
    core.approvals.cards.note_shown(found, "C1", approval.id, None, "x")
    return core.approvals.get(approval.id)


def earlier(core: Core, table: str, column: str, seconds: int = 3_600) -> None:
    """What is due in that column was due long ago."""
    with core.store.transaction() as connection:
        connection.execute(text(f"UPDATE {table} SET {column} = {column} - {seconds * 1_000_000}"))


def test_what_people_ask_and_answer(core: Core, trace: Trace) -> None:
    approvals = core.approvals
    asked = shown(core, core.submit(action="question", payload=SMITHS, kind="question"))
    approvals.times.hands.hand(asked.id, 1, ANA, BEN)
    approvals.questions.answer(asked.id, 1, BEN, GivenAnswer(choice=("a",)))
    one = shown(core, core.submit())
    first, late = (approvals.talks.ask(one.id, 1, ANA, f"Why {n}?") for n in range(2))
    approvals.talks.reply(AGENT, first.id, Reply(text="Because."))
    approvals.talks.note(one.id, ANA, "Book it.")
    earlier(core, "talk", "until")
    approvals.talks.silence(late.id)
    approvals.talks.untell()
    approvals.talks.tell(late.id)
    wanted = {"hand", "talk", "told", "talked", "note", "silence", "untell"}
    assert wanted <= {name.partition(".")[0] for name in trace.points}


def test_what_the_policy_lets_run(core: Core, trace: Trace) -> None:
    core.follow(POLICY)
    approvals = core.approvals
    ran = shown(core, core.submit())
    approvals.spend(AGENT, ran.request_id, "a process")
    approvals.report(AGENT, ran.request_id, Outcome(succeeded=True, result={"id": "re_1"}))
    approvals.feedback.give(ran.id, MIA, "wrong", "It was net.")
    undo = approvals.undo.ask(ran.id, ANA)
    earlier(core, "approval", "undo_at")
    approvals.undo.age(ran.id)
    assert undo.id not in progress.due(core.store)
    earlier(core, "approval", "ages_at")
    for due in progress.due(core.store):
        progress.note(core.store, due)
    with core.store.reading() as connection:
        behind = connection.execute(figures._UNSHOWN).one()
    assert behind[0] == 0, "an undo has no card: none is due, however long nobody takes it"
    approvals.spend(AGENT, undo.request_id, "a process")
    approvals.report(AGENT, undo.request_id, Outcome(succeeded=True))
    held, later = (shown(core, core.submit(action="tick.close", payload={"n": n})) for n in range(2))
    approvals.grace.hold(held.id, 1, ANA)
    core.follow(LONGER)
    approvals.judge_again(later.id)
    wanted = {"spend", "report", "feedback", "undo", "untaken", "grace", "hold"}
    assert wanted <= {name.partition(".")[0] for name in trace.points}


def test_what_is_asked_together(core: Core, trace: Trace) -> None:
    approvals, channel = core.approvals, Channel(core)
    frozen = channel.batch(3)
    channel.turns.wake("any")
    review = approvals.batches.review(ANA, [one.id for one in frozen.items], frozen.id)
    approvals.batches.saw(review.id, ANA, 3)
    approvals.batches.decide(review.id, ANA, "approve")
    lost = uuid.uuid4().hex
    core.submit(action="ticket.tidy", payload={"n": 9}, reversibility="reversible", batch=lost)
    earlier(core, "batch", "created_at")
    (which,) = approvals.batches.undone()
    approvals.batches.drop(which)
    wanted = {"freeze", "batch", "review", "seen", "drop"}
    assert wanted <= {name.partition(".")[0] for name in trace.points}


@pytest.mark.parametrize("point", ["complete.written", "complete.committed"])
def test_a_batch_of_which_all_that_is_missing_was_refused_is_shown_wherever_that_is_cut(
    point: str, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = Channel(core)
    fields: dict[str, Any] = {"reversibility": "reversible", "batch": NAME}
    sent = [core.submit(action="ticket.tidy", payload={"n": n}, **fields) for n in range(2)]
    refused = uuid.uuid4()
    core.approvals.refuse(AGENT, str(refused), "limited", "Too many.")
    body = Freeze(title="Clean up", ids=(*(uuid.UUID(one.request_id) for one in sent), refused))
    told_at = stream.frozen(stream.batch_id(NAME), b"body")
    with dying_at(point, 1, monkeypatch):
        core.approvals.freeze(AGENT, NAME, body, told_at)
    core.approvals.freeze(AGENT, NAME, body, told_at)  # its entry comes again
    earlier(core, "batch", "not_before")
    channel.turns.step()
    batch = core.approvals.batches.find(AGENT, NAME)
    assert batch and (batch.state, len(batch.items), len(channel.slack.posted)) == ("frozen", 2, 1)
    assert audit.verify(core.store).ok


@pytest.mark.parametrize("point", ["drop.written", "drop.committed", "end.committed"])
def test_a_batch_that_nobody_froze_comes_to_nothing_wherever_that_is_cut(
    point: str, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = Channel(core)
    fields: dict[str, Any] = {"reversibility": "reversible", "batch": NAME}
    sent = [core.submit(action="ticket.tidy", payload={"n": n}, **fields) for n in range(3)]
    earlier(core, "batch", "created_at")
    (which,) = core.approvals.batches.undone()
    with dying_at(point, 1, monkeypatch):
        core.approvals.batches.drop(which)
    for again in core.approvals.batches.undone():
        core.approvals.batches.drop(again)
    channel.turns.step()
    assert [core.approvals.get(one.id).status for one in sent] == ["cancelled"] * 3
    assert not channel.slack.posted and not core.approvals.batches.undone()
    with core.store.reading() as connection:
        ends = connection.execute(text("SELECT data FROM audit_event WHERE kind = 'receipt'")).scalars()
        assert len([json.loads(one) for one in ends]) == 3
    assert audit.verify(core.store).ok
