"""The worker's turns: one bad card holds nobody up, an outage pauses, and the timer comes back."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import exc
from support import Core, eventually

from signoff.bot.delivery import turns as bot_turns
from signoff.bot.delivery.turns import Turns
from signoff.models import turns
from signoff.models.turns import Turn


class Nothing:
    """No batch waits."""

    def step(self) -> None: ...


class Delivery:
    """Shows what it is told to, but fails on `bad`."""

    def __init__(self, core: Core, bad: str = "") -> None:
        self.core, self.bad = core, bad
        self.taken: list[str] = []
        self.batches = Nothing()

    def take(self, turn: Turn) -> None:
        if turn.approval_id == self.bad:
            raise ZeroDivisionError
        self.taken.append(turn.approval_id)
        approval = self.core.approvals.get(turn.approval_id)
        self.core.approvals.cards.note_shown(approval, "C1", turn.approval_id, None, "", "a thread")

    def postpone(self, approval_id: str, seconds: float) -> None:
        self.core.approvals.cards.postpone(approval_id, seconds)

    def tell(self, thread_id: int) -> None:
        raise AssertionError(f"there is no thread {thread_id}")


def make(core: Core, bad: str = "") -> tuple[Turns, Delivery]:
    delivery = Delivery(core, bad)
    return Turns(core.store, delivery), delivery  # type: ignore[arg-type]


def test_one_wake_up_delivers_all_that_is_due(core: Core) -> None:
    found, delivery = make(core)
    ids = [core.submit(agent).id for agent in ("a", "a", "b")]
    found.wake("whatever")
    assert sorted(delivery.taken) == sorted(ids)


def test_a_card_that_breaks_delivery_is_postponed_and_the_others_go_on(core: Core) -> None:
    bad, good = core.submit("a"), core.submit("a")
    found, delivery = make(core, bad.id)
    found.wake(bad.id)
    assert delivery.taken == [good.id]
    assert turns.next_turn(core.store) is None and core.store.get(bad.id).pending  # type: ignore[union-attr]


def test_the_timer_rests_until_slacks_pause_is_over_and_no_longer(core: Core) -> None:
    found, delivery = make(core)
    core.submit("a")
    turns.pause(core.store, turns.POST, "C0APPROVE", 1.0)
    assert 0 < found.step() <= 1.0 and not delivery.taken
    turns.pause(core.store, turns.POST, "C0APPROVE", 3600)
    assert found.step() == bot_turns.LOOK_SECONDS


def test_an_outage_pauses_deliveries_and_ends_nothing(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot_turns, "LOOK_SECONDS", 0.01)
    found, delivery = make(core)
    approval, following, calls = core.submit("a"), turns.next_turn, []

    def away(*given: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) < 5:
            raise exc.OperationalError("select", {}, Exception("gone"))
        return following(*given, **more)

    monkeypatch.setattr(turns, "next_turn", away)
    found.wake(approval.id)
    stop = threading.Event()
    timer = threading.Thread(target=found.run, args=(stop,))
    timer.start()
    eventually(lambda: delivery.taken == [approval.id])
    stop.set()
    timer.join(timeout=20)
    assert not timer.is_alive()
