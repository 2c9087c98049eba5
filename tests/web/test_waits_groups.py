"""`/v1/decisions`: groups that share an agent's decisions, callers by HTTP and Python's own among them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis
from support import eventually
from web.conftest import Door
from web.waiting import ask, callers, wait_for_waits

from signoff import Signoff
from signoff.queue import groups, stream

AGENT = "billing-bot"
KEY = stream.decisions(AGENT)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """No database has a part in it."""
    return f"sqlite:///{tmp_path / 'signoff.db'}"


@pytest.fixture
def agent(door: Door) -> Iterator[Any]:
    with door.client() as client:
        yield client


def decided(door: Door, agent: Any, number: int) -> list[str]:
    """So many requests that were decided → their ids."""
    ids = [ask(agent, payload={"n": n}) for n in range(number)]
    for one in ids:
        door.core.approvals.decide(one, 1, "U0ANA", "approve")
    return ids


def take(agent: Any, **query: Any) -> list[Any]:
    found = agent.get("/v1/decisions", params=query)
    assert found.status_code == 200, found.text
    return list(found.json()["decisions"])


def done(agent: Any, *entries: str, group: str = "default") -> None:
    assert agent.post("/v1/decisions/ack", json={"group": group, "entries": entries}).status_code == 204


def a_minute_later(core_redis: Any, group: str = "default") -> None:
    """What was handed on and not acknowledged was handed on a minute ago."""
    for one in core_redis.xpending_range(KEY, group, "-", "+", 1000):
        core_redis.xclaim(KEY, group, one["consumer"], 0, [one["message_id"]], idle=groups.IDLE_MS + 1)


def test_what_is_not_acknowledged_comes_again_to_whoever_of_the_group_asks(door: Door, agent: Any) -> None:
    ids = decided(door, agent, 5)
    first = take(agent, limit=3)
    second = take(agent)
    assert [one["id"] for one in first + second] == ids and take(agent) == []
    assert first[0]["status"] == "approved" and first[0]["receipt"] and first[0]["payload"] == '{"n":0}'
    done(agent, first[0]["entry"], second[0]["entry"])
    done(agent, first[0]["entry"], "1-1", group="never-heard-of")
    assert take(agent) == [], "its minute is not over"
    a_minute_later(door.core.redis)
    again = take(agent, limit=2) + take(agent, limit=2)
    assert [one["id"] for one in again] == [ids[1], ids[2], ids[4]]
    done(agent, *(one["entry"] for one in again))
    a_minute_later(door.core.redis)
    assert take(agent) == [] and [one["id"] for one in take(agent, group="audit")] == ids
    assert not door.core.redis.xpending(KEY, "default")["pending"]


def test_a_caller_by_http_and_a_python_agent_share_a_group(door: Door, agent: Any, redis_url: str) -> None:
    ids = decided(door, agent, 4)
    (mine,) = take(agent, limit=1)
    python = Signoff(redis_url=redis_url, agent=AGENT, verify_key=door.core.signer.verify_key)
    with python, closing(python.decisions()) as arrivals:
        theirs = [next(arrivals) for _ in range(3)]
        assert [mine["id"], *(one.receipt.id for one in theirs)] == ids
        theirs[0].ack()
        theirs[1].ack()
        a_minute_later(door.core.redis)
        left = take(agent)
        assert [one["id"] for one in left] == [ids[0], ids[3]]
        done(agent, left[0]["entry"])
        a_minute_later(door.core.redis)
        assert next(arrivals).receipt.id == ids[3], "which HTTP took, and never acknowledged"


def test_who_waits_is_woken_and_one_of_a_group_is_given_it(door: Door, agent: Any) -> None:
    with callers() as begun:
        (before,) = decided(door, agent, 1)
        assert [one["id"] for one in take(agent, wait=30)] == [before], "nobody waits for what is there"
        waits = [begun.get(agent, "/v1/decisions?wait=30") for _ in range(2)]
        audit = begun.get(agent, "/v1/decisions?wait=30&group=audit.v-2")
        wait_for_waits(door, 2)
        (one,) = decided(door, agent, 1)
        eventually(lambda: any(wait.done() for wait in waits))
        (two,) = decided(door, agent, 1)
        given = [[found["id"] for found in wait.result(20).json()["decisions"]] for wait in waits]
        assert sorted(given) == sorted([[one], [two]])
        assert [found["id"] for found in audit.result(20).json()["decisions"]] == [before]
        nobodys = agent.get("/v1/decisions", params={"wait": 1})
    assert nobodys.json() == {"decisions": []} and nobodys.headers["preference-applied"] == "wait=1"


def test_each_request_comes_once_and_what_is_nothing_is_passed_over(door: Door, agent: Any) -> None:
    core = door.core
    (one,) = decided(door, agent, 1)
    pending = ask(agent, payload={"n": 9})
    refused = "0192b1de-0000-8000-8000-000000000000"
    core.approvals.refuse(AGENT, refused, "invalid", "No such thing.")
    forged = "0192b1de-0000-8000-8000-00000000000f"
    core.redis.set(stream.decision(AGENT, forged), '{"v":1,"status":"approved","receipt":"a.b.c"}')
    for name in (one, pending, "nothing", forged):
        core.redis.xadd(KEY, {"id": name})
    core.redis.xadd(KEY, {"other": "x"})
    found = take(agent)
    assert [(each["id"], each["status"]) for each in found] == [(one, "approved"), (refused, "invalid")]
    assert found[1]["receipt"] and found[1]["expires_at"].endswith("Z")
    done(agent, *(each["entry"] for each in found))
    assert not core.redis.xpending(KEY, "default")["pending"] and take(agent) == []
    with door.client(door.add("other-bot")) as other:
        assert take(other) == []


def test_answers_groups_and_numbers_are_bounded(
    door: Door, agent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = "x" * 200_000
    for number in range(12):
        door.core.approvals.decide(ask(agent, payload={"n": number, "x": large}), 1, "U0ANA", "approve")
    first = take(agent, limit=100)
    assert len(first) == 10, "an answer has some megabytes, and not more"
    assert len(take(agent, limit=100)) == 2
    monkeypatch.setattr(groups, "MOST_GROUPS", 3)
    assert [agent.get("/v1/decisions", params={"group": one}).status_code for one in "abcd"] == [
        200, 200, 429, 429
    ]  # fmt: skip
    for query in (
        "group=", "group=a%20b", "group=" + "a" * 101, "group=%0a", "limit=0", "limit=101", "limit=x",
        "limit=1e1", "wait=x", "limit=-1",
    ):  # fmt: skip
        refused = agent.get(f"/v1/decisions?{query}")
        assert refused.status_code == 422 and refused.json()["type"].endswith("#invalid"), query
    for body in (
        {}, {"entries": []}, {"entries": ["x"]}, {"entries": ["1-1"] * 1001}, {"entries": "1-1"},
        {"entries": ["1-1"], "group": "a b"}, {"entries": ["1-1"], "more": 1}, {"entries": ["-"]},
    ):  # fmt: skip
        assert agent.post("/v1/decisions/ack", json=body).status_code == 422, body


def test_a_group_that_nobody_reads_gives_way_and_any_can_be_let_go(
    door: Door, agent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "MOST_GROUPS", 3)
    (one,) = decided(door, agent, 1)
    assert all([[one["id"] for one in take(agent, group=group)] == [one] for group in "abc"])
    full = agent.get("/v1/decisions?group=d")
    assert full.status_code == 429 and "DELETE /v1/decisions?group=" in full.json()["detail"]
    assert agent.delete("/v1/decisions?group=b").status_code == 204
    assert [found["id"] for found in take(agent, group="d")] == [one]
    assert agent.get("/v1/decisions?group=b").status_code == 429
    eventually(lambda: min(idle(door, group) for group in "acd") > 50)
    take(agent, group="a")
    take(agent, group="d")
    monkeypatch.setattr(groups, "UNREAD_MS", idle(door, "c"))
    assert [found["id"] for found in take(agent, group="b")] == [one], "c has been unread for longest"
    assert {found["name"] for found in door.core.redis.xinfo_groups(KEY)} == {b"a", b"b", b"d"}
    for path in ("/v1/decisions?group=never", "/v1/decisions?group=never"):
        assert agent.delete(path).status_code == 204
    assert agent.delete("/v1/decisions?group=a%20b").status_code == 422
    with door.client(door.add("other-bot")) as other:
        assert other.delete("/v1/decisions?group=a").status_code == 204, "its own, of which there is none"
    assert len(door.core.redis.xinfo_groups(KEY)) == 3


def idle(door: Door, group: str) -> int:
    """For how many milliseconds nobody has read it."""
    return min(one["idle"] for one in door.core.redis.xinfo_consumers(KEY, group))


def test_only_who_may_ask_reads_and_acknowledges(door: Door) -> None:
    with door.client(door.add("executor", "spend:billing-bot:*")) as executor, door.client("sgt_x") as nobody:
        for client, status in ((executor, 403), (nobody, 401)):
            assert client.get("/v1/decisions?wait=30").status_code == status
            assert client.post("/v1/decisions/ack", json={"entries": ["1-1"]}).status_code == status
    with pytest.raises(redis.ResponseError):
        door.core.redis.xinfo_groups(KEY)
