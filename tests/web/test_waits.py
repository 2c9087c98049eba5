"""Waiting by HTTP: long-polls, streams of events, and who counts as waiting."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from support import Core, eventually
from web.conftest import Door, opened
from web.waiting import ASKED, ask, callers, is_waited_for, wait_for_waits

from signoff.models import tokens
from signoff.server import web_role
from signoff.web.hub import Waiter
from signoff.web.problems import Problem
from signoff.web.v1.waits import seconds_of


def test_a_wait_ends_as_its_request_does(door: Door) -> None:
    core = door.core
    with door.client() as agent, callers() as begun:
        ids = [ask(agent, payload={"n": number}) for number in range(4)]
        waits = [begun.get(agent, f"/v1/requests/{one}", headers={"Prefer": "wait=30"}) for one in ids]
        asked = begun.call(
            agent, "POST", "/v1/requests", json=ASKED, headers={"Prefer": "wait=10000, respond-async"}
        )
        eventually(lambda: len(core.store.waiting()) == 5)
        [last] = [one for one, _ in core.store.waiting() if one not in ids]
        eventually(lambda: all(is_waited_for(door, one) for one in (*ids, last)))
        core.approvals.decide(ids[0], 1, "U0ANA", "approve")
        core.approvals.decide(ids[1], 1, "U0ANA", "reject", reason="no")
        core.approvals.cancel("billing-bot", ids[2])
        with core.store.transaction() as connection:
            connection.exec_driver_sql(f"UPDATE approval SET expires_at = created_at WHERE id = '{ids[3]}'")
        core.approvals.expire(ids[3])
        core.approvals.decide(last, 1, "U0ANA", "approve")
        ended = [one.result(20) for one in waits]
        created = asked.result(20)
        wait_for_waits(door, 0)
        again = agent.get(f"/v1/requests/{ids[0]}?wait=30")
    assert [one.json()["status"] for one in ended] == ["approved", "rejected", "cancelled", "expired"]
    assert all(one.headers["preference-applied"] == "wait=30" for one in (*ended, created))
    assert all(one.headers["cache-control"] == "no-store" for one in (*ended, created))
    assert created.json()["status"] == "approved" and created.headers["location"].endswith(last)
    assert json.loads(created.json()["payload"]) == ASKED["payload"]
    assert again.json()["status"] == "approved", "what has ended is waited for by nobody"


class OnSqlite:
    """What no database has a part in."""

    @pytest.fixture
    def database_url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'signoff.db'}"


class TestWaits(OnSqlite):
    """One door for several cases each."""

    def test_how_long_is_read_as_its_standard_says(self, door: Door) -> None:
        for lines, query, seconds in (
            ((), "", 0), (("wait=5",), "", 5), (("respond-async, wait=7",), "", 7), (("WAIT = 9",), "", 9),
            (("wait=10000",), "", 30), (("wait=" + "9" * 60_000,), "", 30), (("wait=0",), "", 0),
            (("wait=" + "0" * 60_000,), "", 0), (("wait=-1",), "", 0), (("wait=1.5",), "", 0),
            (("wait",), "", 0), (("wait=x",), "", 0), (("wait=٣",), "", 0), (('wait="4"',), "", 4),
            (('foo="a, wait=3"; bar',), "", 0), (("handling=lenient", "wait=6"), "", 6),
            (("wait=8; x=y",), "", 8), (("wait=3", "wait=9"), "", 3), (("wait=3",), "wait=2", 2),
            ((), "wait=31", 30), (("await=3",), "", 0),
        ):  # fmt: skip
            scope = {
                "type": "http", "query_string": query.encode(),
                "headers": [(b"prefer", line.encode()) for line in lines],
            }  # fmt: skip
            assert seconds_of(Request(scope)) == seconds, (lines, query)
        for wrong in ("", "x", "-1", "1.5", "1e3", "%D9%A3", "9" * 5000 + "x"):
            scope = {"type": "http", "query_string": f"wait={wrong}".encode(), "headers": []}
            with pytest.raises(Problem):
                seconds_of(Request(scope))
        began = time.process_time()
        for piece in (
            '"',
            '"\\',
            '\\"',
            '"a',
            'a="',
            '"",',
            'a,"',
            "a",
        ):  # whoever sends it has shown no token
            header = [(b"prefer", (piece * 64_000)[:64_000].encode())]
            assert seconds_of(Request({"type": "http", "query_string": b"", "headers": header})) == 0
        assert time.process_time() - began < 2, "as long as it is, and not the square of that"
        with door.client() as agent:
            refused = agent.get(f"/v1/requests/{ask(agent)}?wait=soon")
        assert refused.status_code == 422 and refused.json()["type"].endswith("#invalid")

    def test_what_ends_between_the_look_and_the_wait_is_not_missed(
        self, door: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hub, core, real = door.doors.hub, door.core, door.doors.hub.for_request

        @contextmanager
        def ended_before(agent: str, request_id: str, approval_id: str) -> Iterator[Waiter]:
            if request_id in due:
                due.remove(request_id)
                core.approvals.decide(approval_id, 1, "U0ANA", "approve")
            with real(agent, request_id, approval_id) as waiter:
                if request_id in late:
                    late.remove(request_id)
                    core.approvals.decide(approval_id, 1, "U0ANA", "approve")
                yield waiter

        monkeypatch.setattr(hub, "for_request", ended_before)
        with door.client() as agent, callers() as begun:
            first, second, third = (ask(agent, payload={"n": number}) for number in range(3))
            due, late = [first], [second]
            began = time.monotonic()
            found = [agent.get(f"/v1/requests/{one}?wait=30").json()["status"] for one in (first, second)]
            # Where somebody waits for it already, no new subscription has it looked up.
            standing = begun.get(agent, f"/v1/requests/{third}?wait=30")
            eventually(lambda: is_waited_for(door, third))
            due.append(third)
            found.append(agent.get(f"/v1/requests/{third}?wait=30").json()["status"])
            found.append(standing.result(20).json()["status"])
        assert found == ["approved"] * 4 and time.monotonic() - began < 20

    def test_who_waits_by_http_counts_as_waiting_and_no_longer(self, door: Door) -> None:
        hub = door.doors.hub
        with door.client() as agent, callers() as begun:
            one = ask(agent)
            assert not is_waited_for(door, one)
            assert agent.get(f"/v1/requests/{one}").json()["status"] == "pending"
            parked = begun.get(agent, "/v1/decisions?wait=30")
            wait_for_waits(door, 1)
            assert not is_waited_for(door, one), "who looks once, or parks, waits for no request"
            assert agent.get(f"/v1/requests/{one}?wait=1").headers["preference-applied"] == "wait=1"
            assert is_waited_for(door, one), "between two polls, too"
            polled = begun.get(agent, f"/v1/requests/{one}?wait=30")
            wait_for_waits(door, 2)
            hang_up(door, f"/v1/requests/{one}?wait=30", waits=3)
            wait_for_waits(door, 2)
            door.core.approvals.decide(one, 1, "U0ANA", "approve")
            assert polled.result(20).json()["status"] == "approved"
            assert [found["id"] for found in parked.result(20).json()["decisions"]] == [one]
            eventually(lambda: not is_waited_for(door, one))
            two = ask(agent)
            hang_up(door, f"/v1/requests/{two}?wait=30", waits=1)
            eventually(lambda: not is_waited_for(door, two))
            hub.linger_seconds = 0.01
            agent.get(f"/v1/requests/{two}?wait=1")
            eventually(lambda: not is_waited_for(door, two))
        assert hub.waits == 0

    def test_so_many_wait_and_no_more(self, door: Door) -> None:
        hub = door.doors.hub
        hub.most_of_one, hub.most = 3, 5
        with door.client() as agent, door.client(door.add("other-bot")) as other, callers() as begun:
            one, theirs = ask(agent), ask(other)
            waits = [begun.get(agent, f"/v1/requests/{one}?wait=30") for _ in range(2)]
            waits.append(begun.get(agent, "/v1/decisions?wait=30"))
            wait_for_waits(door, 3)
            refused = [
                agent.get(f"/v1/requests/{one}?wait=30"), agent.get(f"/v1/requests/{one}/events"),
                agent.get("/v1/decisions?wait=1"),
                agent.post("/v1/requests", json=ASKED | {"payload": {}}, headers={"Prefer": "wait=5"}),
            ]  # fmt: skip
            looked = agent.get(f"/v1/requests/{one}"), agent.post("/v1/requests", json=ASKED)
            waits += [begun.get(other, f"/v1/requests/{theirs}?wait=30") for _ in range(2)]
            wait_for_waits(door, 5)
            refused.append(other.get(f"/v1/requests/{theirs}?wait=30"))
            pending = len(door.core.store.waiting())
            hub.most = 6
            hang_up(door, f"/v1/requests/{theirs}?wait=30", waits=6, token=other.headers["authorization"])
            wait_for_waits(door, 5)
            door.core.approvals.cancel("billing-bot", one)
            door.core.approvals.cancel("other-bot", theirs)
            assert {wait.result(20).status_code for wait in waits} == {200}
        assert [one.status_code for one in refused] == [429] * 5
        assert all(int(one.headers["retry-after"]) > 0 for one in refused)
        assert all(one.json()["type"].endswith("#limited") for one in refused)
        assert [one.status_code for one in looked] == [200, 200] and pending == 3, "nothing was asked"
        assert hub.waits == 0

    def test_a_token_that_is_revoked_meanwhile_is_told_nothing(self, door: Door) -> None:
        with door.client() as agent, callers() as begun:
            one = ask(agent)
            calls = [begun.get(agent, f"/v1/requests/{one}{how}") for how in ("?wait=30", "/events")]
            calls.append(begun.get(agent, "/v1/decisions?wait=30"))
            wait_for_waits(door, 3)
            tokens.revoke_all(door.core.store, "billing-bot")
            door.core.approvals.decide(one, 1, "U0ANA", "approve")
            waited, stream, parked = (call.result(20) for call in calls)
        assert waited.status_code == parked.status_code == 401
        assert "approved" not in stream.text and stream.text.count("event: state") == 1

    def test_events_tell_each_state_and_end(self, core: Core, redis_url: str) -> None:
        with opened(core, redis_url, heartbeat_seconds=0.05) as door, door.client() as agent:
            one = ask(agent)
            with agent.stream("GET", f"/v1/requests/{one}/events") as stream:
                lines = stream.iter_lines()
                assert (next(lines), json.loads(next(lines)[6:])["status"]) == ("event: state", "pending")
                assert next(lines) == "" and next(lines) == ":", "a heartbeat"
                assert is_waited_for(door, one)
                core.approvals.decide(one, 1, "U0ANA", "approve")
                rest = [line for line in lines if line not in ("", ":")]
            assert rest[0] == "event: state" and len(rest) == 2
            found = json.loads(rest[1][6:])
            assert found == agent.get(f"/v1/requests/{one}").json() and found["status"] == "approved"
            ended = agent.get(f"/v1/requests/{one}/events")
            assert ended.text == f"event: state\ndata: {rest[1][6:]}\n\n"
            assert {name: stream.headers[name] for name in ("content-type", "cache-control")} == {
                "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store"
            }  # fmt: skip
            two = ask(agent)
            hang_up(door, f"/v1/requests/{two}/events", waits=1)
            wait_for_waits(door, 0)
            eventually(lambda: not is_waited_for(door, two))
            nobodys = agent.get(f"/v1/requests/{two[::-1]}/events")
            assert nobodys.status_code == 404
            for path in (f"/v1/requests/{two}/events", "/v1/decisions"):  # where a HEAD would not be harmless
                assert agent.head(path).status_code == 405
            assert agent.head(f"/v1/requests/{two}").status_code == 200
            revoked = door.add("billing-bot")
            with door.client(revoked) as gone, gone.stream("GET", f"/v1/requests/{two}/events") as stream:
                lines = stream.iter_lines()
                assert next(lines) == "event: state"
                tokens.revoke(core.store, revoked.split("_")[1])
                assert "event: state" not in list(lines), "it ends, though nothing happens to the request"
            wait_for_waits(door, 0)

    def test_two_processes_wake_their_own(self, core: Core, redis_url: str) -> None:
        with (
            opened(core, redis_url) as first, opened(core, redis_url) as second,
            first.client() as agent, second.client() as beside, callers() as begun,
        ):  # fmt: skip
            one = ask(agent)
            waits = [begun.get(caller, f"/v1/requests/{one}?wait=30") for caller in (agent, beside)]
            wait_for_waits(first, 1)
            wait_for_waits(second, 1)
            core.approvals.decide(one, 1, "U0ANA", "approve")
            assert [wait.result(20).json()["status"] for wait in waits] == ["approved"] * 2

    def test_the_end_of_the_process_answers_all_that_wait(self, core: Core, redis_url: str) -> None:
        with callers() as begun:
            with opened(core, redis_url) as door:
                agent = door.client()
                one = ask(agent)  # and its connection is kept, with nothing to be answered on it
                calls = [begun.get(agent, f"/v1/requests/{one}{how}") for how in ("?wait=30", "/events")]
                calls.append(begun.get(agent, "/v1/decisions?wait=30"))
                wait_for_waits(door, 3)
                ends = time.monotonic()
            took = time.monotonic() - ends
            waited, stream, parked = (call.result(20) for call in calls)
            agent.close()
        assert took < web_role.DRAIN_SECONDS / 2, "nobody is waited for"
        assert waited.json()["status"] == "pending" and parked.json() == {"decisions": []}
        assert waited.headers["connection"] == "close" and stream.text.count("event: state") == 1


def hang_up(door: Door, path: str, *, waits: int, token: Any = None) -> None:
    """Call, and be gone once so many wait."""
    with socket.create_connection(("127.0.0.1", int(door.url.rpartition(":")[2]))) as caller:
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {token or f'Bearer {door.token}'}\r\n\r\n"
        caller.sendall(head.encode())
        wait_for_waits(door, waits)
