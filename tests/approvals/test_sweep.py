"""What the timer finds and has done."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import exc, text
from support import Core, eventually, undelivered

from signoff.approvals import sweep
from signoff.approvals.sweep import Sweep
from signoff.queue import stream


def change(core: Core, statement: str, **values: Any) -> None:
    with core.store.transaction() as connection:
        connection.execute(text(statement), values)


def test_what_is_overdue_expires_and_its_agent_is_told(core: Core) -> None:
    late, early = core.submit(), core.submit()
    change(core, "UPDATE approval SET expires_at=1 WHERE id=:id", id=late.id)
    Sweep(core.approvals).step()
    assert core.store.get(late.id).status == "expired"  # type: ignore[union-attr]
    assert core.store.get(early.id).pending  # type: ignore[union-attr]
    assert stream.response(core.redis, late.agent, late.request_id).status == "expired"  # type: ignore[union-attr]


def test_a_decision_makes_a_postponed_card_due(core: Core) -> None:
    approval = core.submit()
    core.approvals.cards.postpone(approval.id, 3600)
    core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    assert undelivered(core.store) == [approval.id]


def test_an_answer_that_was_never_published_is(core: Core) -> None:
    approval = core.submit()
    core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    core.redis.flushall()
    change(core, "UPDATE approval SET published_at=NULL, ended_at=ended_at-5000000")
    Sweep(core.approvals).step()
    answer = stream.response(core.redis, approval.agent, approval.request_id)
    assert answer is not None and answer.status == "approved"
    assert core.store.unpublished(0) == []


def test_one_bad_row_does_not_stop_the_others(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = core.submit(), core.submit()
    change(core, "UPDATE approval SET expires_at=1")
    expire = core.approvals.expire

    def fails(approval_id: str) -> Any:
        if approval_id == bad.id:
            raise ZeroDivisionError
        return expire(approval_id)

    monkeypatch.setattr(core.approvals, "expire", fails)
    Sweep(core.approvals).step()
    assert core.store.get(good.id).status == "expired"  # type: ignore[union-attr]
    assert core.store.get(bad.id).pending  # type: ignore[union-attr]


def test_an_outage_is_survived(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "SWEEP_SECONDS", 0.01)
    calls: list[int] = []

    def away(*_: Any) -> Any:
        calls.append(1)
        raise exc.OperationalError("select", {}, Exception("gone"))

    for name in ("overdue", "unpublished"):
        monkeypatch.setattr(core.store, name, away)
    stop = threading.Event()
    thread = threading.Thread(target=Sweep(core.approvals).run, args=(stop,))
    thread.start()
    eventually(lambda: len(calls) > 10)
    stop.set()
    thread.join(timeout=20)
    assert not thread.is_alive()


def test_a_redis_that_lost_everything_gets_all_answers_again(core: Core) -> None:
    decided, waiting = core.submit(), core.submit()
    core.approvals.decide(decided.id, 1, "U0ANA", "approve")
    swept = Sweep(core.approvals)
    swept.step()
    core.redis.flushall()
    change(core, "UPDATE approval SET ended_at=ended_at-5000000 WHERE ended_at IS NOT NULL")
    swept.step()
    answer = stream.response(core.redis, decided.agent, decided.request_id)
    assert answer is not None and answer.status == "approved"
    assert stream.response(core.redis, waiting.agent, waiting.request_id).status == "pending"  # type: ignore[union-attr]


def test_an_agent_is_told_again_of_what_nobody_sees_before_its_batch_is_frozen(core: Core) -> None:
    waiting = core.submit(batch="0123456789abcdef0123456789abcdef", reversibility="reversible")
    core.redis.flushall()
    Sweep(core.approvals).step()
    told = stream.response(core.redis, "billing-bot", waiting.request_id)
    assert told is not None and told.status == "pending"
    assert core.approvals.waiting_for("U0ANA") == [], "which shows it to nobody"


def test_a_restarted_redis_gets_what_its_last_second_lost(core: Core) -> None:
    approval = core.submit()
    swept = Sweep(core.approvals)
    swept.step()
    core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    core.redis.delete(stream.decision(approval.agent, approval.request_id))  # the write was not on disk
    stream.remember_instance(core.redis, "the run before")
    change(core, "UPDATE approval SET ended_at=ended_at-5000000 WHERE ended_at IS NOT NULL")
    swept.step()
    assert stream.response(core.redis, approval.agent, approval.request_id) is not None


def test_a_first_start_says_nothing_of_redis_and_one_that_lost_something_does(
    core: Core, caplog: pytest.LogCaptureFixture
) -> None:
    swept = Sweep(core.approvals)
    swept.step()
    core.redis.flushall()  # as it is where nothing was published yet
    waiting = core.submit()
    core.approvals.tell(waiting)  # as intake does once it has it
    swept.step()
    assert "publishing them anew" not in caplog.text
    core.redis.flushall()
    swept.step()
    assert caplog.text.count("publishing them anew") == 1, "what waits was told to this Redis, and is gone"
    core.approvals.decide(waiting.id, 1, "U0ANA", "approve")
    core.redis.flushall()
    swept.step()
    assert caplog.text.count("publishing them anew") == 2


def test_a_redis_that_lost_nothing_is_left_alone(core: Core) -> None:
    approval = core.submit()
    swept = Sweep(core.approvals)
    swept.step()
    core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    before = core.redis.xlen(stream.decisions(approval.agent))
    for _ in range(3):
        swept.step()
    assert core.redis.xlen(stream.decisions(approval.agent)) == before == 1
