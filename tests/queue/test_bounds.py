"""What waits of one agent is bounded, whatever it writes and however large it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from support import Core, RedisServer, a_request, eventually, intake_of, send_entry

from signoff.models.identity import new_id
from signoff.models.messages import MAX_ENTRY
from signoff.queue import bounds, news, requests, stream
from signoff.queue.bounds import Bounds
from signoff.queue.intake import Intake
from signoff.queue.requests import Stream

FLOODER, OTHER = "flood-bot", "other-bot"


@pytest.fixture
def database_url(tmp_path: Any) -> str:
    """Redis does not care which database it is."""
    return f"sqlite:///{tmp_path / 'signoff.db'}"


def ask(core: Core, agent: str = OTHER) -> str:
    request = a_request(agent=agent)
    send_entry(core.redis, agent, "request", str(request.id), request.encode())
    return str(request.id)


def status(core: Core, request_id: str, agent: str = OTHER) -> str | None:
    found = stream.response(core.redis, agent, request_id)
    return found and found.status


@pytest.fixture
def off() -> list[str]:
    return []


@pytest.fixture
def measured(core: Core, redis_url: str, off: list[str]) -> Iterator[Bounds]:
    client = redis.Redis.from_url(redis_url, socket_timeout=10)
    found, stop = Bounds(Stream(client, "bounds"), lambda agent: off.append(agent) or 1), threading.Event()  # type: ignore[func-returns-value]
    running = threading.Thread(target=found.run, args=(stop,))
    running.start()
    yield found
    stop.set()
    running.join(20)
    client.close()


def huge_entries(client: Any) -> None:
    for _ in range(8):
        client.xadd(
            stream.requests(FLOODER), {"v": "1", "kind": "request", "id": "x", "body": b"x" * 5_000_000}
        )


def many_fields(client: Any) -> None:
    client.execute_command("XADD", stream.requests(FLOODER), "*", *["f", "x" * 12] * 600_000)


def many_entries(client: Any) -> None:
    for _ in range(41):
        pipe = client.pipeline(transaction=False)
        for _ in range(5_000):
            pipe.xadd(stream.requests(FLOODER), {"a": "b"})
        pipe.execute()


def many_consumers(client: Any) -> None:
    key = stream.decisions(FLOODER)
    client.xadd(key, {"id": "one that the server has put there"})
    for n in range(30):
        client.xgroup_create(key, f"group-{n}", id="0")
        client.xreadgroup(f"group-{n}", "x" * 4_000_000, {key: ">"})


def huge_bodies(client: Any) -> None:
    for _ in range(8):
        client.set(stream.body(FLOODER, str(new_id())), b"x" * 20_000_000)


def many_bodies(client: Any) -> None:
    for _ in range(21):
        client.mset({stream.body(FLOODER, str(new_id())): "x" for _ in range(5_000)})


@pytest.mark.parametrize(
    "flood", [huge_entries, many_fields, many_entries, huge_bodies, many_bodies, many_consumers]
)
def test_an_agent_that_floods_is_switched_off_and_what_waits_of_it_goes(
    core: Core, measured: Bounds, off: list[str], flood: Callable[[Any], None]
) -> None:
    waiting = ask(core)
    eventually(lambda: measured._sizes.get(OTHER))
    started = time.monotonic()
    flood(core.redis)
    sent = time.monotonic() - started
    eventually(lambda: off)
    print(f"{flood.__name__}: sent in {sent:.2f} s, off {time.monotonic() - started - sent:.3f} s later")
    assert set(off) == {FLOODER}

    def left() -> int:
        pipe = core.redis.pipeline()
        for key in core.redis.scan_iter(f"signoff:*:{FLOODER}*", count=10_000):
            if not key.startswith(b"signoff:dec:"):
                pipe.memory_usage(key)
        return sum(size or 0 for size in pipe.execute())

    eventually(lambda: left() < bounds.BODIES_BYTES)
    assert core.redis.exists(stream.body(OTHER, waiting)), "nobody else's goes"


def test_an_intake_never_holds_what_is_too_large(core: Core, intake: Intake) -> None:
    """Eight entries of 60 MB, or one of a million fields: what comes out of Redis stays small."""
    read: list[int] = []
    taken = intake._stream.read

    def reading(*given: Any) -> Any:
        found = taken(*given)
        read.extend(sum(map(len, entry.fields.values())) for one in found for entry in one.entries)
        return found

    intake._stream.read = reading  # type: ignore[method-assign]
    request_id = str(new_id())
    fields = {"v": "1", "kind": "request", "id": request_id}
    core.redis.xadd(stream.requests(FLOODER), {**fields, "body": b"x" * 2_000_000})
    core.redis.xadd(stream.requests(FLOODER), {**fields, **{str(n): "" for n in range(100_000)}})
    core.redis.set(stream.body(FLOODER, request_id), b"x" * 60_000_000)
    core.redis.xadd(stream.requests(FLOODER), fields)
    other = ask(core)
    for _ in range(5):
        intake._reader._due.clear()
        intake.step(0)
    assert status(core, other) == "pending" and status(core, request_id, FLOODER) == "invalid"
    assert max(read) < 1000
    assert core.redis.memory_usage(stream.DEAD, samples=0) < 100_000
    assert not core.redis.exists(stream.body(FLOODER, request_id))
    core.redis.xadd(stream.requests(FLOODER), {**fields, "body": b"x" * 60_000_000})
    intake.step(0)
    assert not core.redis.exists(stream.requests(FLOODER)), "so much is not even read"


def test_a_body_is_read_no_further_than_one_may_be(core: Core, intake: Intake) -> None:
    core.redis.set(stream.body(FLOODER, "x"), b"x" * 5_000_000)
    assert len(intake._stream.body(FLOODER, "x") or b"") == MAX_ENTRY + 1


def test_an_agent_that_goes_on_sending_what_is_too_large_is_stopped(core: Core, redis_url: str) -> None:
    stopped: list[str] = []
    client = redis.Redis.from_url(redis_url)
    intake = Intake(core.approvals, Stream(client, "test"), lambda agent, why: stopped.append(agent))
    for n in range(12):
        core.redis.xadd(stream.requests(FLOODER), {"v": "1", "kind": "request", "body": b"x" * 100_000})
        if n < 7:
            core.redis.xadd(stream.requests(OTHER), {"v": "1", "kind": "request", "body": b"x" * 100_000})
    for _ in range(40):
        intake.step(0)
    assert stopped == [FLOODER]
    client.close()


def test_dead_letters_stay_small_whatever_is_buried(core: Core, intake: Intake) -> None:
    for n in range(300):
        text = b'{"a":"' + b"x" * (100_000 + n) + b'"}'
        request_id = str(new_id())
        core.redis.set(stream.body(FLOODER, request_id), text)
        core.redis.xadd(stream.requests(FLOODER), stream.entry("request", request_id))
    while core.redis.xlen(stream.requests(FLOODER)):
        intake.step(0)
    kept = core.redis.memory_usage(stream.DEAD, samples=0)
    print(f"300 malformed requests of 100 KB: {kept:,} bytes of dead letters")
    assert kept < 300 * 6_000 and not list(core.redis.scan_iter("signoff:body:*"))


def test_a_flooder_costs_another_agent_nothing_while_it_floods(
    core: Core, redis_url: str, measured: Bounds, off: list[str]
) -> None:
    stop = threading.Event()

    def flood() -> None:
        with redis.Redis.from_url(redis_url) as client:
            while not stop.is_set():
                client.xadd(stream.requests(FLOODER), {"v": "1", "kind": "request", "body": b"x" * 2_000_000})

    with intake_of(core, redis_url, OTHER):
        flooding = threading.Thread(target=flood)
        flooding.start()
        times = []
        try:
            eventually(lambda: len(off) > 3)
            for _ in range(20):
                started = time.monotonic()
                request_id = ask(core)
                eventually(lambda one=request_id: status(core, one) == "pending")  # type: ignore[misc]
                times.append(time.monotonic() - started)
            used = core.redis.info("memory")["used_memory"]
        finally:
            stop.set()
            flooding.join(20)
    print(
        f"while it floods: {sorted(times)[10]:.3f} s, at most {max(times):.3f} s; Redis holds {used:,} bytes"
    )
    assert max(times) < 5 and used < 200_000_000


def test_bounds_go_on_after_redis_was_away_and_know_what_waits_then(
    own_redis: RedisServer, off: list[str]
) -> None:
    client = redis.Redis(port=own_redis.port, socket_timeout=10)
    found, stop = Bounds(Stream(client, "bounds"), lambda agent: off.append(agent) or 1), threading.Event()  # type: ignore[func-returns-value]
    running = threading.Thread(target=found.run, args=(stop,))
    running.start()
    try:
        client.set(stream.body(OTHER, "x"), "y")
        eventually(lambda: found._sizes.get(OTHER))
        own_redis.stop()
        own_redis.start()
        huge_entries(client)
        eventually(lambda: off)
    finally:
        stop.set()
        running.join(20)
        client.close()


def test_where_nobody_may_switch_it_off_or_that_fails_what_waits_goes_all_the_same(core: Core) -> None:
    def failing(agent: str) -> None:
        raise OSError

    for switch_off in (None, failing, lambda agent: None):
        limits = Bounds(Stream(core.redis, "bounds"), switch_off)
        huge_entries(core.redis)
        limits.step()
        assert not core.redis.exists(stream.requests(FLOODER))
        limits._news.close()
    assert limits.tally.counts["too much waits"] == 1


@pytest.mark.parametrize("why", ["not allowed", "unknown"])
def test_a_redis_that_cannot_tell_of_changes_is_looked_at(
    core: Core, intake: Intake, monkeypatch: pytest.MonkeyPatch, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    said = news._said
    refusal = {
        "not allowed": redis.exceptions.NoPermissionError("NOPERM x"),
        "unknown": redis.ResponseError("ERR x"),
    }

    def refusing(connection: Any, *command: Any) -> Any:
        if "TRACKING" in command:
            raise refusal[why]
        return said(connection, *command)

    monkeypatch.setattr(news, "_said", refusing)
    intake.step(0)
    request_id = ask(core)
    eventually(lambda: intake.step(0) or status(core, request_id))
    again = ask(core)
    eventually(lambda: intake.step(0) or status(core, again))
    assert caplog.text.count("does not tell us") == 1


def test_a_silent_connection_for_news_is_tried_and_made_anew(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "PING_SECONDS", 0.0)
    told = news.News(core.redis)
    assert told.wait(0).all
    told.wait(0.05)  # asks
    assert told.wait(1.0).agents == {}  # hears
    monkeypatch.setattr(told._connection, "can_read", lambda timeout: False)
    told.wait(0)
    with pytest.raises(redis.ConnectionError):
        told.wait(0)
    assert told.wait(0).all
    told.close()


def test_the_bounds_are_far_from_what_honest_agents_leave_waiting(core: Core) -> None:
    """Three thousand requests while no server is there, each pointed to four times, and their outcomes."""
    pipe = core.redis.pipeline(transaction=False)
    for _ in range(3000):
        request_id = str(new_id())
        for _ in range(4):
            pipe.xadd(stream.requests(OTHER), stream.entry("request", request_id))
        pipe.xadd(
            stream.requests(OTHER), stream.entry("outcome", request_id, '{"succeeded":true,"note":"done"}')
        )
    pipe.execute()
    size = core.redis.memory_usage(stream.requests(OTHER), samples=0)
    print(f"15,000 entries: {size:,} bytes, {size / 15_000:.0f} each")
    assert size < requests.STREAM_BYTES / 4


def test_a_body_that_its_agent_leaves_for_ever_goes_after_a_day(core: Core, measured: Bounds) -> None:
    kept, given = (stream.body(FLOODER, str(new_id())) for _ in range(2))
    core.redis.set(kept, "x")
    core.redis.set(given, "x", ex=60)
    eventually(lambda: core.redis.ttl(kept) > 0)
    assert stream.BODY_SECONDS - 60 < core.redis.ttl(kept) <= stream.BODY_SECONDS
    assert core.redis.ttl(given) <= 60, "one that goes sooner is left alone"
