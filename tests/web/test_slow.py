"""Slow and hostile connections, on bare sockets: each ends in its time, and none keeps others out."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from support import Core, eventually
from web.conftest import Door, opened
from web.waiting import ASKED, ask

from signoff.web.connection import Limits

SOON = 0.3
"""Seconds that these doors give; the real ones give 10 and more."""
PAGE = b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """No database has a part in it."""
    return f"sqlite:///{tmp_path / 'signoff.db'}"


@pytest.fixture
def limits() -> Limits:
    return Limits(head_seconds=SOON, head_bytes=8192, deepest=20, unread_seconds=SOON, most=12)


@pytest.fixture
def door(core: Core, redis_url: str, limits: Limits) -> Iterator[Door]:
    with opened(core, redis_url, limits=limits, body_seconds=SOON) as found:
        yield found


def connect(door: Door) -> socket.socket:
    found = socket.create_connection(("127.0.0.1", int(door.url.rpartition(":")[2])), timeout=20)
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found


def head(door: Door, *lines: str, path: str = "/v1/requests") -> bytes:
    said = (f"POST {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {door.token}",
            "Content-Type: application/json", *lines)  # fmt: skip
    return "\r\n".join(said).encode() + b"\r\n\r\n"


def rest(caller: socket.socket) -> bytes:
    """All that comes until the other side ends it."""
    found = b""
    with suppress(ConnectionError):
        while more := caller.recv(65536):
            found += more
    return found


@contextmanager
def trickling(caller: socket.socket, piece: Callable[[], bytes]) -> Iterator[None]:
    """Send a piece now and then, until nobody takes it."""
    stop = threading.Event()

    def send() -> None:
        with suppress(OSError):
            while not stop.wait(SOON / 10):
                caller.sendall(piece())

    sender = threading.Thread(target=send)
    sender.start()
    yield
    stop.set()
    sender.join(20)


@pytest.mark.parametrize(
    ("begun", "piece", "status"),
    [
        (b"", b"", b""),
        (b"G", b"", b"408"),
        (PAGE, b"X-A: b\r\n", b"408"),
        (PAGE + b"\r\n", b"X", b"200"),
        (PAGE + b"Content-Length: 1000000\r\n\r\n", b"x", b"200"),
        ("length", b" ", b"408"),
        ("chunked", b"1\r\nx\r\n", b"408"),
        ("lies", b"", b"408"),
    ],
    ids=["silent", "one-letter", "slow-head", "slow-second-head", "unasked-body", "slow-body",
         "chunked-without-end", "less-than-it-says"],
)  # fmt: skip
def test_who_is_slow_is_sent_away_in_its_time(door: Door, begun: Any, piece: bytes, status: bytes) -> None:
    heads = {
        "length": head(door, "Content-Length: 1000"), "chunked": head(door, "Transfer-Encoding: chunked"),
        "lies": head(door, "Content-Length: 1000") + json.dumps(ASKED).encode(),
    }  # fmt: skip
    began = time.monotonic()
    with connect(door) as caller, trickling(caller, lambda: piece):
        caller.sendall(heads.get(begun, begun) if isinstance(begun, str) else begun)
        found = rest(caller)
    assert time.monotonic() - began < 15
    assert found[9:12] == status and (not status or b"200" in status or b"too-slow" in found)
    assert door.core.store.waiting() == [], "nothing was asked"


def test_what_is_too_large_is_refused_and_its_sender_can_read_that(door: Door, limits: Limits) -> None:
    megabyte = b"x" * 1_000_000
    for lines, pieces in (
        (("Content-Length: 10000000",), [megabyte] * 10),
        (("Transfer-Encoding: chunked",), [b"%x\r\n%s\r\n" % (len(megabyte), megabyte)] * 10),
        (("Content-Length: " + "9" * 18,), [megabyte]),
    ):
        with connect(door) as caller:
            caller.sendall(head(door, *lines))
            with suppress(ConnectionError):
                for piece in pieces:
                    caller.sendall(piece)
            found = rest(caller)
        assert found.startswith(b"HTTP/1.1 413") and b"#too-large" in found, (lines, found[:200])
    with connect(door) as caller:
        with suppress(ConnectionError):
            for _ in range(20):
                caller.sendall(PAGE if not _ else b"X-A: %s\r\n" % (b"a" * 1000))
        assert rest(caller).startswith(b"HTTP/1.1 431")
    with door.client() as agent:
        large = agent.post("/v1/requests", json={"action": "a", "payload": {"x": "y" * 10_000_000}})
        assert large.status_code == 413 and large.json()["type"].endswith("#too-large")


def test_lies_about_lengths_are_no_second_request(door: Door) -> None:
    body = json.dumps(ASKED).encode()
    for lines in (
        ("Content-Length: 5", "Transfer-Encoding: chunked"), ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: -1",), ("Content-Length: 0x10",), ("Content-Length: " + "9" * 30,),
        ("Transfer-Encoding: chunked, identity",), ("Transfer-Encoding : chunked",), ("X: \x00",),
    ):  # fmt: skip
        with connect(door) as caller:
            caller.sendall(head(door, *lines) + body)
            found = rest(caller)
        assert found[9:12] in (b"400", b"413") or b"200" not in found[:20], (lines, found[:100])
    with connect(door) as caller:  # a field behind the body says nothing about who calls
        begun = head(door, "Transfer-Encoding: chunked", "Connection: close")
        trailer = b"Authorization: Bearer %s\r\n\r\n" % door.token.encode()
        caller.sendall(begun.replace(b"Authorization", b"X-Not") + b"%x\r\n%s\r\n0\r\n" % (len(body), body))
        caller.sendall(trailer)
        assert rest(caller).startswith(b"HTTP/1.1 401")
    assert door.core.store.waiting() == []


def test_requests_in_line_are_answered_in_their_order_and_a_crowd_is_not(door: Door) -> None:
    with connect(door) as caller:
        bodies = [json.dumps(ASKED | {"payload": {"n": n}}).encode() for n in range(5)]
        caller.sendall(b"".join(head(door, f"Content-Length: {len(body)}") + body for body in bodies))
        caller.sendall(PAGE + b"Connection: close\r\n\r\n")
        found = rest(caller)
    assert found.count(b"HTTP/1.1 200") == 6
    ids = [one for one, _ in door.core.store.waiting()]
    assert [door.core.approvals.get(one).payload["n"] for one in ids] == list(range(5))
    places = [found.index(one.encode()) for one in ids]
    assert places == sorted(places) and found.rindex(b'"keys"') > places[-1]
    with connect(door) as caller:
        caller.sendall((PAGE + b"\r\n") * 500)
        assert rest(caller).count(b"HTTP/1.1 200") <= 21


def test_connections_that_are_idle_make_room(door: Door, limits: Limits) -> None:
    limits.head_seconds = 60
    with ExitStack() as held, door.client() as agent:
        for number in range(40):
            caller = held.enter_context(connect(door))
            caller.sendall((b"", b"G", PAGE, head(door, "Content-Length: 9"))[number % 4])
        assert agent.get("/.well-known/jwks.json").status_code == 200
        one = ask(agent)
        # Connections on which something is answered are nobody's to end: then the newcomer is sent away.
        waits = [held.enter_context(connect(door)) for _ in range(11)]
        for number, wait in enumerate(waits):
            wait.sendall(head(door, path=f"/v1/requests/{one}?wait=30").replace(b"POST", b"GET", 1))
            eventually(lambda number=number: door.doors.hub.waits == number + 1)
        assert agent.get("/v1/requests/" + one).json()["status"] == "pending"
        waits.append(held.enter_context(connect(door)))
        waits[-1].sendall(head(door, path=f"/v1/requests/{one}?wait=30").replace(b"POST", b"GET", 1))
        eventually(lambda: door.doors.hub.waits == 12)
        with connect(door) as late:
            assert rest(late).startswith(b"HTTP/1.1 503")
        door.core.approvals.cancel("billing-bot", one)
        assert {wait.recv(12) for wait in waits} == {b"HTTP/1.1 200"}
    eventually(lambda: door.doors.hub.waits == 0)


def test_an_answer_that_nobody_reads_is_let_go(door: Door, limits: Limits) -> None:
    with door.client() as agent:
        one = ask(agent, payload={"x": "y" * 200_000})
        door.core.approvals.decide(one, 1, "U0ANA", "approve")
    with connect(door) as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        asked = head(door, path=f"/v1/requests/{one}").replace(b"POST", b"GET", 1)
        caller.sendall(asked * 18)
        eventually(lambda: not _open(caller))
    with door.client() as agent:
        assert agent.get(f"/v1/requests/{one}").json()["status"] == "approved"


def _open(caller: socket.socket) -> bool:
    """Whether the other side still holds it: without reading anything."""
    try:
        caller.sendall(b"\r\n")
    except OSError:
        return False
    return True


def test_who_would_rather_speak_another_protocol_is_answered_in_ours(door: Door) -> None:
    body = json.dumps(ASKED).encode()
    for wish in ("Upgrade: h2c", "UPGRADE: h2c, x", "Upgrade: websocket\r\nSec-WebSocket-Version: 13"):
        more = (wish, "HTTP2-Settings: AAEAAEAAAAIAAAAB", "Connection: Upgrade, HTTP2-Settings")
        with connect(door) as caller:
            caller.sendall(head(door, f"Content-Length: {len(body)}", *more) + body)
            assert caller.recv(65536).startswith(b"HTTP/1.1 200"), wish
