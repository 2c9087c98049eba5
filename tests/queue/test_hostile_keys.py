"""Whatever stands under our keys, put there by whoever may write Redis, costs nobody else anything."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import Core, a_request, eventually, intake_of, send_entry

from signoff.approvals.sweep import Sweep
from signoff.models.identity import new_id
from signoff.models.messages import Outcome
from signoff.queue import reader, stream
from signoff.queue.intake import Intake
from signoff.queue.requests import GROUP, Stream

LAST = "18446744073709551615-18446744073709551615"
TYPES: dict[str, Callable[[Any, str], Any]] = {
    "hash": lambda client, key: client.hset(key, "a", "b"),
    "list": lambda client, key: client.rpush(key, "a"),
    "set": lambda client, key: client.sadd(key, "a"),
    "sorted set": lambda client, key: client.zadd(key, {"a": 1}),
    "stream": lambda client, key: client.xadd(key, {"a": "b"}),
    "text": lambda client, key: client.set(key, "\xff no response"),
}


@pytest.fixture
def database_url(tmp_path: Any) -> str:
    """Redis does not care which database it is."""
    return f"sqlite:///{tmp_path / 'signoff.db'}"


def ask(core: Core, agent: str = "billing-bot", **fields: Any) -> str:
    request = a_request(agent=agent, **fields)
    send_entry(core.redis, agent, "request", str(request.id), request.encode())
    return str(request.id)


def drain(intake: Intake) -> int:
    count = 0
    for _ in range(20):
        intake._reader._due.clear()
        done = intake.step(0)
        count += done
        if not done and not intake._reader._ready:
            break
    return count


def status(core: Core, request_id: str, agent: str = "billing-bot") -> str | None:
    found = stream.response(core.redis, agent, request_id)
    return found and found.status


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize(
    "key",
    [
        "signoff:dec:{agent}:{id}", "signoff:dec:{agent}", "signoff:dead", "signoff:req:{agent}",
        "signoff:req:another-bot", "signoff:body:{agent}:{id}", "signoff:body:another-bot:{id}",
        "signoff:dec:_run", "signoff:dec:{agent}:{id}:spent",
    ],
)  # fmt: skip
def test_a_key_of_a_wrong_type_costs_the_others_nothing_and_is_put_right(
    core: Core, intake: Intake, key: str, kind: str
) -> None:
    request = a_request()
    request_id = str(request.id)
    name = key.format(agent="billing-bot", id=request_id)
    if not (name == stream.requests("billing-bot") and kind == "stream"):
        core.redis.delete(name)
        TYPES[kind](core.redis, name)
    core.redis.setnx(stream.body("billing-bot", request_id), request.encode())
    if core.redis.type(stream.requests("billing-bot")) in (b"none", b"stream"):
        core.redis.xadd(stream.requests("billing-bot"), stream.entry("request", request_id))
    core.redis.xadd(stream.requests("bad-bot"), {"v": "1", "kind": "request", "id": "no id"})
    other = ask(core, "other-bot")
    drain(intake)
    assert status(core, other, "other-bot") == "pending"

    if kind == "text" and name == stream.body("billing-bot", request_id):
        assert status(core, request_id) == "invalid"  # whoever may write it is the agent, and is told
        return
    # What was wrong is gone or covered, so what its agent's client sends again goes through.
    if core.store.find("billing-bot", request_id) is None:
        send_entry(core.redis, "billing-bot", "request", request_id, request.encode())
        drain(intake)
    approval = core.store.find("billing-bot", request_id)
    assert approval is not None
    sweep = Sweep(core.approvals)
    sweep.step()
    core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    sweep.step()
    assert status(core, request_id) == "approved"
    assert core.redis.type(stream.decisions("billing-bot")) == b"stream"
    assert not core.store.unpublished(-1.0), "nothing is published again and again"
    send_entry(core.redis, "billing-bot", "spend", request_id, '{"by":"process-1"}')
    send_entry(core.redis, "billing-bot", "outcome", request_id, Outcome(succeeded=True).model_dump_json())
    drain(intake)
    assert core.store.get(approval.id).outcome is not None  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", [one for one in TYPES if one != "text"])
def test_a_pending_request_is_marked_received_over_what_is_no_text(
    core: Core, intake: Intake, kind: str
) -> None:
    request = a_request()
    TYPES[kind](core.redis, stream.decision("billing-bot", str(request.id)))
    send_entry(core.redis, "billing-bot", "request", str(request.id), request.encode())
    drain(intake)
    assert status(core, str(request.id)) == "pending"


def test_a_stream_that_takes_no_more_entries_begins_anew(core: Core, intake: Intake) -> None:
    poison = a_request()
    core.redis.set(stream.body("billing-bot", str(poison.id)), poison.encode())
    core.redis.xadd(stream.requests("billing-bot"), stream.entry("request", str(poison.id)), id=LAST)
    core.redis.xadd(stream.requests("empty-bot"), {"a": "b"}, id=LAST, maxlen=0, approximate=False)
    with pytest.raises(redis.ResponseError):
        ask(core)
    drain(intake)
    drain(intake)
    assert status(core, str(poison.id)) == "pending"
    ids = [ask(core), ask(core, "empty-bot")]
    drain(intake)
    found = [status(core, one, agent) for one, agent in zip(ids, ("billing-bot", "empty-bot"), strict=True)]
    assert found == ["pending", "pending"]


def test_a_decision_stream_that_takes_no_more_ids_begins_anew(core: Core, intake: Intake) -> None:
    core.redis.xadd(stream.decisions("billing-bot"), {"id": "x"}, id=LAST)
    request_id = ask(core)
    drain(intake)
    approval = core.store.find("billing-bot", request_id)
    assert approval is not None
    core.approvals.decide(approval.id, 1, "U0ANA", "approve")
    assert status(core, request_id) == "approved"
    assert [fields[b"id"].decode() for _, fields in core.redis.xrange(stream.decisions("billing-bot"))] == [
        request_id
    ]


@pytest.fixture
def serving(core: Core, redis_url: str) -> Iterator[Core]:
    with intake_of(core, redis_url, "other-bot"):
        yield core


def until_taken(core: Core, agent: str = "other-bot") -> float:
    """Seconds until another agent's request is taken."""
    started = time.monotonic()
    request_id = ask(core, agent)
    eventually(lambda: status(core, request_id, agent) == "pending", 30)
    return time.monotonic() - started


@pytest.mark.parametrize("count", [500, 5_000])
def test_streams_that_come_and_go_cost_another_agent_nothing(serving: Core, count: int) -> None:
    until_taken(serving)
    pipe = serving.redis.pipeline(transaction=False)
    for n in range(count):
        pipe.xadd(stream.requests(f"ghost-{n}"), {"a": "b"})
    pipe.execute()
    times = [until_taken(serving)]
    pipe = serving.redis.pipeline(transaction=False)
    for n in range(count):
        pipe.delete(stream.requests(f"ghost-{n}"))
    pipe.execute()
    times += [until_taken(serving) for _ in range(5)]
    print(f"{count} streams came and went: another agent's were taken within {max(times):.3f} s")
    assert max(times) < 5  # 18 s and 135 s before; some hundredths now
    assert not [key for key in serving.redis.scan_iter("signoff:req:ghost-*")], "they stay gone"


def test_a_group_that_vanishes_while_many_are_read_costs_nobody_an_entry(core: Core, intake: Intake) -> None:
    agents = [f"bot-{n}" for n in range(50)]
    for agent in agents:
        ask(core, agent)
    drain(intake)
    for agent in agents[::2]:
        core.redis.xgroup_destroy(stream.requests(agent), GROUP)
    ids = {agent: ask(core, agent) for agent in agents}
    drain(intake)
    assert {status(core, one, agent) for agent, one in ids.items()} == {"pending"}


FIELD = st.sampled_from([b"v", b"kind", b"id", b"body", b"", b"\xff"]) | st.binary(max_size=20)
KINDS = [b"1", b"request", b"cancel", b"spend", b"outcome", b"{}", b"\x00", str(new_id()).encode()]
VALUE = st.sampled_from(KINDS) | st.binary(max_size=300)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(st.lists(st.dictionaries(FIELD, VALUE, min_size=1, max_size=40), min_size=1, max_size=6), st.data())
def test_any_entry_is_passed_over_and_what_stands_stays(
    core: Core, intake: Intake, entries: list[dict[bytes, bytes]], data: st.DataObject
) -> None:
    standing = ask(core)
    drain(intake)
    before = core.redis.get(stream.decision("billing-bot", standing))
    for entry in entries:
        if data.draw(st.booleans()):
            entry |= {b"id": standing.encode(), b"v": b"1"}
        core.redis.xadd(stream.requests("billing-bot"), entry)
        if data.draw(st.booleans()):
            core.redis.set(stream.body("billing-bot", standing), data.draw(st.binary(max_size=100)))
    good = ask(core, "other-bot")
    drain(intake)
    assert status(core, good, "other-bot") == "pending"
    found = core.store.find("billing-bot", standing)
    if found is not None and found.pending:  # unless one of them was a cancel of its own
        assert core.redis.get(stream.decision("billing-bot", standing)) == before
    assert core.redis.xlen(stream.requests("billing-bot")) == 0
    assert core.redis.xpending(stream.requests("billing-bot"), GROUP)["pending"] == 0


def test_a_malformed_entry_covers_no_response_that_stands(core: Core, intake: Intake) -> None:
    """Not even where no row is known of what was received: a restore has lost it, say."""
    request_id = str(new_id())
    core.redis.set(stream.decision("billing-bot", request_id), '{"v":1,"status":"pending"}')
    core.redis.xadd(stream.requests("billing-bot"), {"v": "1", "kind": "nonsense", "id": request_id})
    drain(intake)
    assert status(core, request_id) == "pending"
    core.approvals.refuse("billing-bot", request_id, "expired", "lost", lost=True)
    assert status(core, request_id) == "expired"
    core.approvals.refuse("billing-bot", request_id, "invalid", "again", lost=True)
    assert status(core, request_id) == "expired"


def test_a_request_whose_body_is_gone_is_passed_over_and_sent_again(core: Core, intake: Intake) -> None:
    request = a_request()
    core.redis.xadd(stream.requests("billing-bot"), stream.entry("request", str(request.id)))
    drain(intake)
    assert status(core, str(request.id)) is None and core.redis.xlen(stream.DEAD) == 0
    send_entry(core.redis, "billing-bot", "request", str(request.id), request.encode())
    drain(intake)
    assert status(core, str(request.id)) == "pending"
    assert not core.redis.exists(stream.body("billing-bot", str(request.id)))


def test_pointers_to_the_same_request_are_read_and_cost_no_transaction(
    core: Core, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    request, calls, submit = a_request(), [], core.approvals.submit
    monkeypatch.setattr(core.approvals, "submit", lambda *given: calls.append(1) or submit(*given))
    send_entry(core.redis, "billing-bot", "request", str(request.id), request.encode())
    for _ in range(500):
        core.redis.xadd(stream.requests("billing-bot"), stream.entry("request", str(request.id)))
    while core.redis.xlen(stream.requests("billing-bot")):
        drain(intake)
    assert len(calls) == 1 and status(core, str(request.id)) == "pending"


def test_what_ends_the_process_each_time_is_buried_and_its_neighbours_are_not(
    core: Core, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "CLAIM_IDLE_MS", 0)

    class Killed(BaseException):
        """A process that ends, wherever it is."""

    ids = [ask(core) for _ in range(5)]
    submit = core.approvals.submit

    def deadly(agent: str, request: Any) -> Any:
        if str(request.id) == ids[1]:
            raise Killed
        return submit(agent, request)

    monkeypatch.setattr(core.approvals, "submit", deadly)
    deaths = 0
    for n in range(20):
        client = redis.Redis.from_url(redis_url)
        intake = Intake(core.approvals, Stream(client, f"consumer-{n}"))
        try:
            drain(intake)
            break
        except Killed:
            deaths += 1
        finally:
            client.close()
    assert deaths <= 7
    assert [status(core, one) for one in ids] == ["pending", "invalid", "pending", "pending", "pending"]


def test_consumers_that_are_gone_leave_nothing_behind(core: Core, intake: Intake) -> None:
    ask(core)
    for n in range(300):
        Stream(core.redis, f"gone-{n}").read(["billing-bot"], 1)
    drain(intake)
    intake._stream.drop_idle_consumers(["billing-bot"], idle_ms=-1)
    assert len(core.redis.xinfo_consumers(stream.requests("billing-bot"), GROUP)) <= 1
    [held] = [core.redis.xpending(stream.requests("billing-bot"), GROUP)["pending"]]
    assert held == (1 if core.redis.xlen(stream.requests("billing-bot")) else 0)


def test_an_entry_of_which_an_outage_is_its_own_keeps_no_other_waiting(
    core: Core, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the database cannot take of one request looks like an outage, each time."""
    from sqlalchemy import exc

    from signoff.queue import later

    monkeypatch.setattr(later, "LONGEST_SECONDS", 0.0)
    poison, submit, tries = ask(core), core.approvals.submit, []

    def failing(agent: str, request: Any) -> Any:
        if str(request.id) == poison:
            tries.append(1)
            raise exc.OperationalError("insert", {}, Exception("index row too large"))
        return submit(agent, request)

    monkeypatch.setattr(core.approvals, "submit", failing)
    with pytest.raises(exc.OperationalError):
        drain(intake)
    for _ in range(10):  # nobody else's is taken: it may well be a real one
        with pytest.raises(exc.OperationalError):
            intake.step(0)
    assert core.redis.xlen(stream.DEAD) == 0
    for _ in range(later.OUTAGES + 2):
        other = ask(core, "other-bot")
        drain(intake)
        assert status(core, other, "other-bot") == "pending"
    assert status(core, poison) == "invalid" and core.redis.xlen(stream.DEAD) == 1


def test_what_nobody_foresees_ends_no_role(
    core: Core, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(entry: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(intake, "process", failing)
    stop = threading.Event()
    running = threading.Thread(target=intake.run, args=(stop,))
    running.start()
    try:
        ask(core)
        eventually(lambda: intake.tally.counts["passed over"])
        monkeypatch.undo()
        other = ask(core, "other-bot")
        eventually(lambda: status(core, other, "other-bot") == "pending")
    finally:
        stop.set()
        running.join(20)
