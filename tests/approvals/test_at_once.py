"""Several people, or processes, do the same at the very same moment: one is first, the others are told."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from approvals.test_feedback import owned, ran
from approvals.test_grace import in_grace, moved
from approvals.test_questions import asked
from approvals.test_undo import FREE, let_run, verified
from sqlalchemy import text
from support import Core

from signoff.approvals.errors import AlreadyDecided, AlreadyUndone, FeedbackGiven, NotHanded, NotHeld
from signoff.approvals.undo import Planned, Undos
from signoff.errors import Invalid
from signoff.models.messages import Freeze, Outcome
from signoff.models.questions import GivenAnswer
from signoff.queue import hearing
from signoff.queue.hearing import Ears

ANA, BEN, MIA = "U0ANA", "U0BEN", "U0MIA"


def at_once(*does: Callable[[], Any]) -> list[Any]:
    """All of them in threads that begin together; what each gave, or raised."""
    ready, found = threading.Barrier(len(does)), list[Any]([None] * len(does))

    def run(place: int, do: Callable[[], Any]) -> None:
        ready.wait()
        try:
            found[place] = do()
        except Exception as error:
            found[place] = error

    threads = [threading.Thread(target=run, args=one) for one in enumerate(does)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def split(found: list[Any]) -> tuple[list[Any], list[Exception]]:
    """What succeeded, and what was raised."""
    late = [one for one in found if isinstance(one, Exception)]
    return [one for one in found if not isinstance(one, Exception)], late


def counted(core: Core, what: str) -> int:
    with core.store.reading() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {what}")).scalar_one())


@pytest.fixture
def people(core: Core) -> Iterator[Core]:
    """Ana, Ben and Mia may all do what is asked here."""
    core.people.groups["S0FIN"] = {ANA, BEN, MIA}
    yield core


@pytest.mark.parametrize("where", ["checked", "told"])
def test_an_undo_is_pressed_by_two(core: Core, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """The second looked before the first had written; the first's receipt may stand in Redis by then."""
    first = let_run(core, {"id": "re_7"}, more=FREE)
    real, winner = Undos._known_to_redis, list[Any]()

    def slow(self: Undos, planned: Planned) -> bool:
        """Between the look and the write of the second one, the first is quicker."""
        if planned.person.id == MIA and not winner:
            winner.append(None)
            winner[0] = core.approvals.undo.ask(first.id, ANA)
            if where == "checked":
                return False
        return real(self, planned)

    monkeypatch.setattr(Undos, "_known_to_redis", slow)
    with pytest.raises(AlreadyUndone) as late:
        core.approvals.undo.ask(first.id, MIA)
    assert (late.value.by_id, late.value.is_done) == (ANA, False)
    core.approvals.report("billing-bot", winner[0].request_id, Outcome(succeeded=True))
    with pytest.raises(AlreadyUndone) as done:
        core.approvals.undo.ask(first.id, MIA)
    assert (done.value.by_id, done.value.is_done) == (ANA, True)
    assert counted(core, "approval") == 2 and verified(core)


def test_an_undo_is_pressed_by_many_again_and_again(core: Core) -> None:
    for number in range(5):
        one = let_run(core, {"id": f"re_{number}"}, more=FREE, payload={"amount": number})
        does = [lambda who=who, one=one: core.approvals.undo.ask(one.id, who) for who in (ANA, MIA) * 3]
        won, late = split(at_once(*does))
        assert len(won) == 1 and {type(error) for error in late} == {AlreadyUndone}, late
        assert {error.by_id for error in late if isinstance(error, AlreadyUndone)} == {
            won[0].decision.approver
        }
    assert counted(core, "approval") == 10 and verified(core)


def test_a_question_is_answered_and_handed_on_by_many(people: Core) -> None:
    questions = people.approvals.questions
    one = asked(people)
    gives = [
        lambda who=who, choice=choice: questions.answer(one.id, 1, who, GivenAnswer(choice=(choice,)))
        for who, choice in ((ANA, "a"), (BEN, "b"), (MIA, "a"))
    ]
    won, late = split(at_once(*gives, lambda: people.approvals.times.hands.hand(one.id, 1, ANA, BEN)))
    answered = [found for found in won if found.status == "answered"]
    assert len(answered) == 1 and {type(error) for error in late} == {AlreadyDecided}, late
    assert counted(people, "decision") == 1
    other = asked(people, {"question": "And now?", "free_text": True})
    won, late = split(at_once(*[lambda: people.approvals.times.hands.hand(other.id, 1, ANA, BEN)] * 3))
    assert len(won) == 1 and {type(error) for error in late} == {NotHanded}, late
    assert counted(people, f"audit_event WHERE kind = 'handed' AND approval_id = '{other.id}'") == 1
    assert verified(people)


def test_what_is_due_is_held_by_many(core: Core) -> None:
    """Its time is over: it runs, or is held, and never both."""
    hearing.note(core.redis, "a-bot", Ears(0, 0, 1 << 60))
    for number in range(4):
        one = in_grace(core, payload={"amount": number})
        moved(core, one, 61)
        holds = [
            lambda who=who, one=one: core.approvals.grace.hold(one.id, 1, who) for who in (ANA, MIA, ANA)
        ]
        found = at_once(*holds, lambda one=one: core.approvals.grace.step(one.id))
        now, (won, late) = core.approvals.get(one.id), split(found)
        held = [have for have in won if have is not None and have.verdict.held_by]
        if now.status == "approved":
            assert not held and {type(error) for error in late} == {AlreadyDecided}
        else:
            assert (now.status, now.verdict.effect, len(held)) == ("pending", "ask", 1), found
            assert {type(error) for error in late} <= {NotHeld} and len(late) == 2
        lines = counted(core, f"audit_event WHERE approval_id = '{one.id}' AND kind IN ('held', 'receipt')")
        assert lines == 1
    assert verified(core)


def test_whether_it_was_right_is_said_by_many(core: Core) -> None:
    owned(core)
    one = ran(core)
    says = [
        lambda who=who, answer=answer: core.approvals.feedback.give(one.id, who, answer, "Say so.")
        for who, answer in ((ANA, "right"), (MIA, "wrong"), (ANA, "partly"), (MIA, "right"))
    ]
    won, late = split(at_once(*says))
    assert len(won) == 1 and {type(error) for error in late} == {FeedbackGiven}, late
    assert {error.answer for error in late if isinstance(error, FeedbackGiven)} == {won[0].feedback.answer}
    assert counted(core, "audit_event WHERE kind = 'feedback'") == 1


def test_a_batch_is_frozen_by_many_and_an_agent_met_by_many(core: Core) -> None:
    """Each intake may have the same entry; nobody has heard of this agent before."""
    sent = [
        core.submit(action="ticket.tidy", payload={"n": n}, reversibility="reversible", batch="0" * 32)
        for n in range(3)
    ]
    frozen = Freeze(title="Clean up", run="r1", ids=tuple(uuid.UUID(one.request_id) for one in sent))
    batches = core.approvals.batches
    won, late = split(at_once(*[lambda: batches.freeze("billing-bot", "0" * 32, frozen)] * 4))
    assert not late and len({one.id for one in won}) == 1
    assert counted(core, "audit_event WHERE kind = 'batch' AND approval_id IS NULL") == 1
    other = frozen.model_copy(update={"ids": frozen.ids[:2]})
    won, late = split(at_once(*[lambda: batches.freeze("billing-bot", "0" * 32, other)] * 3))
    assert not won and {type(error) for error in late} == {Invalid}
    says = [lambda: core.approvals.undoers.register("new-bot", ["refund.cancel"])] * 4
    unseen = Freeze(title="t", ids=(uuid.uuid4(), uuid.uuid4()))
    early = [lambda name=name: batches.freeze("newer-bot", name * 32, unseen) for name in "123"]
    won, late = split(at_once(*says, *early))
    assert not late, late
    for name in ("new-bot", "newer-bot"):
        assert counted(core, f"agent WHERE name = '{name}'") == 1
        assert counted(core, f"audit_event WHERE kind = 'agent' AND data LIKE '%\"{name}\"%'") == 1
    assert verified(core)


def test_a_test_of_an_undo_is_taken_and_answered_once(core: Core) -> None:
    undoers = core.approvals.undoers
    undoers.register("billing-bot", ["refund.cancel"])
    test_id = undoers.test("billing-bot", "refund.cancel")
    taken, late = split(at_once(*[lambda: undoers.tests("billing-bot", ["refund.cancel"])] * 4))
    assert not late and [one.id for some in taken for one in some] == [test_id]
    assert undoers.tests("other-bot", ["refund.cancel"]) == []
    says = [
        lambda went=went: undoers.tested("billing-bot", "refund.cancel", test_id, went)
        for went in (True, False) * 2
    ]
    counts, late = split(at_once(*says))
    assert not late and sorted(counts) == [False, False, False, True]
