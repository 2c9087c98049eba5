"""Many decided by one person in one go: what each costs is counted, not timed; and Redis may be away."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from approvals.test_batches import freeze, send
from redis.exceptions import ConnectionError as Away
from sqlalchemy import event

from signoff.approvals import audit, rush
from signoff.approvals.sweep import Sweep
from signoff.models import fixed
from signoff.models.fixed import Fixed
from signoff.queue.publisher import Publisher
from tests.support import Core

MANY = 60
TRIPS_EACH = {"sqlite": 7, "postgresql": 6}
"""Of one decision to the database: read it; begin, lock its batch and read what the log has; end it; write
the vote and find the log's head; write its lines; commit. SQLite begins by itself."""
TRIPS_BESIDE = 10


@pytest.fixture
def trips(core: Core, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Round trips to the database from here on, by what they are for."""
    found = Counter[str]()

    def counted(name: str, real: Any) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            found[name] += 1
            return real(*given, **named)

        return call

    monkeypatch.setattr(Fixed, "_run", counted("statement", Fixed._run))
    monkeypatch.setattr(Fixed, "run_many", counted("statement", Fixed.run_many))
    for module in ("signoff.models.log", "signoff.approvals.records", "signoff.models.batch_rows"):
        monkeypatch.setattr(f"{module}.together", counted("statement", fixed.together))
    event.listen(core.store.engine, "before_cursor_execute", lambda *_: found.update(["statement"]))
    event.listen(core.store.engine, "commit", lambda *_: found.update(["commit"]))
    return found


def told(core: Core) -> int:
    """Transactions that Redis has executed."""
    return int(core.redis.info("commandstats").get("cmdstat_exec", {}).get("calls", 0))


def test_each_of_many_costs_few_round_trips_and_the_card_is_woken_for_once(
    core: Core, trips: Counter[str]
) -> None:
    core.follow(f"batch: {{most: {MANY}}}\nrules: [{{name: rest, verdict: ask}}]")
    sent = send(core, MANY)
    batch, ids = freeze(core, sent), [one.id for one in sent]
    review = core.approvals.batches.review("U0ANA", ids, batch.id)
    core.approvals.batches.saw(review.id, "U0ANA", MANY)
    revision, lines = core.approvals.batches.get(batch.id).revision, audit.verify(core.store).lines
    core.changed.clear()
    trips.clear()
    told_before, asked_before = told(core), core.people.asked
    done = core.approvals.batches.decide(review.id, "U0ANA", "approve")
    assert done.decided == tuple(ids) and done.left == ()
    assert len(core.changed) == 1, "one is enough for a batch's card"
    most = MANY * TRIPS_EACH[core.store.engine.dialect.name] + TRIPS_BESIDE
    assert trips["statement"] + MANY <= most, "with a commit each"
    assert trips["commit"] >= MANY, "each in a transaction of its own"
    assert told(core) - told_before == -(-MANY // rush.MOST), "agents are told some at a time"
    assert core.people.asked - asked_before <= 2 * MANY
    assert core.approvals.batches.get(batch.id).revision == revision + MANY, "each by itself has it redrawn"
    found = audit.verify(core.store)
    assert found.ok and found.lines == lines + 2 * MANY
    stream = core.redis.xrange("signoff:dec:billing-bot")
    assert [fields[b"id"].decode() for _, fields in stream] == [one.request_id for one in sent]
    for one in sent:
        answer = core.approvals.publisher.standing("billing-bot", one.request_id)
        assert answer and answer.status == "approved" and answer.payload == one.payload_text
        assert core.approvals.get(one.id).published_at


def test_redis_that_goes_away_in_the_middle_is_waited_for_once_and_sweep_tells_the_rest(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rush, "MOST", 3)
    sent = send(core, 12)
    batch, ids = freeze(core, sent), [one.id for one in sent]
    review = core.approvals.batches.review("U0ANA", ids, batch.id)
    core.approvals.batches.saw(review.id, "U0ANA", 12)
    calls: list[int] = []

    def gone_later(self: Publisher, ended: Any, now: int) -> None:
        calls.append(len(ended))
        if len(calls) > 1:
            raise Away("gone")
        real(self, ended, now)

    real = Publisher.publish_all
    core.changed.clear()
    with monkeypatch.context() as patched:
        patched.setattr(Publisher, "publish_all", gone_later)
        assert core.approvals.batches.decide(review.id, "U0ANA", "reject", reason="no").decided == tuple(ids)
    assert calls == [3, 3], "once it is away nobody waits for it again"
    assert [bool(core.approvals.get(one).published_at) for one in ids] == [True] * 3 + [False] * 9
    assert core.changed
    monkeypatch.setattr("signoff.approvals.sweep.UNPUBLISHED_SECONDS", -1.0)
    Sweep(core.approvals).step()
    for one in sent:
        answer = core.approvals.publisher.standing("billing-bot", one.request_id)
        assert answer and answer.status == "rejected" and core.approvals.get(one.id).published_at


def test_what_stands_where_the_stream_should_keeps_nobody_from_being_told(core: Core) -> None:
    sent = send(core, 4)
    batch = freeze(core, sent)
    core.redis.set("signoff:dec:billing-bot", "no stream")
    assert len(core.approvals.batches.reject(batch.id, "U0ANA", "no").decided) == 4
    assert core.redis.xlen("signoff:dec:billing-bot") == 4
    for one in sent:
        answer = core.approvals.publisher.standing("billing-bot", one.request_id)
        assert answer and answer.status == "rejected"
