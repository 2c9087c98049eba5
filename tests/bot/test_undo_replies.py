"""What somebody is told who comes too late to hold or undo, or who may not."""

from __future__ import annotations

from typing import Any

import pytest
from approvals.test_grace import GRACE, in_grace, moved
from approvals.test_undo import FREE, let_run
from support import Core

from signoff.approvals.errors import AlreadyDecided, AlreadyUndone, NotAllowed
from signoff.bot.listeners.replies import sentence
from signoff.models.messages import Outcome
from signoff.queue import hearing
from signoff.queue.hearing import Ears

ANA, BEN, MIA = "U0ANA", "U0BEN", "U0MIA"


def told(core: Core, approval_id: str, error: Exception) -> str:
    return str(sentence(error, core.approvals.get(approval_id), core.store.clock()))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_who_holds_too_late_is_told_that_the_policy_let_it_run(core: Core) -> None:
    """Nobody has approved it: it was allowed, and nobody held it."""
    hearing.note(core.redis, "a-bot", Ears(0, 0, 1 << 60))
    one = in_grace(core)
    moved(core, one, 61)
    assert core.approvals.grace.step(one.id) is not None
    with pytest.raises(AlreadyDecided) as late:
        core.approvals.grace.hold(one.id, 1, ANA)
    said = told(core, one.id, late.value)
    assert said.startswith("Too late to hold: the policy allowed this, nobody held it in time")
    assert "let it run at" not in said and "let run at <!date^" in said and "Somebody" not in said
    asked = in_grace(core, payload={"n": 2})
    core.approvals.grace.hold(asked.id, 1, ANA)
    core.approvals.decide(asked.id, 1, ANA, "approve")
    with pytest.raises(AlreadyDecided) as decided:
        core.approvals.grace.hold(asked.id, 1, ANA)
    assert "<@U0ANA> approved this" in told(core, asked.id, decided.value)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("more", "who"),
    [("", "Only <@U0ANA> can undo this."), (FREE, "Only <@U0ANA>, <@U0MIA> can undo this.")],
)
def test_who_may_not_is_told_who_may(core: Core, more: str, who: str) -> None:
    first = let_run(core, {"id": "re_7"}, more=more)
    with pytest.raises(NotAllowed) as undo:
        core.approvals.undo.plan(first.id, BEN)
    assert told(core, first.id, undo.value) == who
    core.follow(GRACE)
    held = in_grace(core, payload={"n": 3})
    with pytest.raises(NotAllowed) as hold:
        core.approvals.grace.hold(held.id, 1, BEN)
    assert told(core, held.id, hold.value) == "Only <@U0ANA>, or its agent's owner, can hold this."


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_who_undoes_what_is_being_undone_is_told_by_whom(core: Core) -> None:
    first = let_run(core, {"id": "re_7"}, more=FREE)
    pressed: Any = core.approvals.undo.ask(first.id, ANA)

    def again() -> str:
        with pytest.raises(AlreadyUndone) as late:
            core.approvals.undo.ask(first.id, MIA)
        return told(core, first.id, late.value)

    assert again().startswith("This is already being undone, by <@U0ANA> since ")
    core.approvals.report("billing-bot", pressed.request_id, Outcome(succeeded=True))
    assert again().startswith("This was undone already, by <@U0ANA> at ")
