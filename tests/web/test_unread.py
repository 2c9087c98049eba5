"""Bodies of who may not send any are not read; all that are being read have bounds together. And what is at
the edges of addresses and methods, told alike by every door."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.testclient import TestClient
from support import Core
from web.conftest import Door, opened
from web.waiting import ASKED

from signoff.models import tokens
from signoff.web.bodies import Bodies
from signoff.web.health import Watch, build_health
from signoff.web.hooks.denials import CLAUDE_CODE

LONG = 500_000


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """No database has a part in it."""
    return f"sqlite:///{tmp_path / 'signoff.db'}"


def call(door: Door, path: str, *fields: str, body: bytes = b"", length: int = LONG) -> socket.socket:
    """A call of which so much is sent, and no more."""
    found = socket.create_connection(("127.0.0.1", int(door.url.rpartition(":")[2])), timeout=20)
    said = (f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json", f"Content-Length: {length}")
    found.sendall("\r\n".join((*said, *fields)).encode() + b"\r\n\r\n" + body)
    return found


def status(caller: socket.socket) -> str:
    """What is answered, though not all was sent."""
    with caller:
        return caller.recv(65536)[9:12].decode()


def test_a_body_is_not_read_of_who_may_send_none(core: Core, redis_url: str) -> None:
    """All are answered while the body has still to be sent: what waits for it would answer nothing."""
    with opened(core, redis_url) as door:
        revoked = door.add("billing-bot")
        tokens.revoke(core.store, revoked.split("_")[1])
        paths = [path.replace("{", "").replace("}", "") for path, method in door.routes() if method == "POST"]
        assert len(paths) > 10
        for path in paths:
            wanted = "200" if path == CLAUDE_CODE else "401"  # a hook is denied, whatever there is
            for fields in ((), ("Authorization: Bearer x",), ("Expect: 100-continue",)):
                assert status(call(door, path, *fields, body=b"x" * 9)) == wanted, (path, fields)
            assert status(call(door, path, f"Authorization: Bearer {revoked}", body=b"x" * 9)) == wanted, path
        assert status(call(door, "/slack/events")) == "404", "Slack does not call here"
        assert status(call(door, "/v1/nothing")) == "404"
        assert status(call(door, "/v1/openapi.json")) == "405"
        with door.client() as agent:  # one connection for it all: what was not read is none of the next
            large = ASKED | {"payload": {"text": "x" * 200_000}}
            for _ in range(2):
                refused = agent.post("/v1/requests", json=large, headers={"Authorization": "Bearer x"})
                assert refused.status_code == 401
                assert agent.post("/v1/requests", json=large).status_code == 200
        with call(
            door, "/v1/requests", f"Authorization: Bearer {door.token}", "Expect: 100-continue"
        ) as asks:
            assert asks.recv(65536).startswith(b"HTTP/1.1 100"), "whose token stands may send it"


class Sender:
    """A caller of the middleware alone; each piece of a body is taken before the next one is sent."""

    def __init__(self, bodies: Bodies, who: str) -> None:
        self.status, self._asked = 0, 0
        self.fields = dict[bytes, bytes]()
        self._pieces = asyncio.Queue[bytes]()
        token = f"Bearer sgt_{who * 12}_{who * 43}".encode()
        scope = {
            "type": "http", "method": "POST", "path": "/", "headers": [(b"authorization", token)],
            "query_string": b"", "app": Starlette(),
        }  # fmt: skip
        self.call = asyncio.create_task(bodies(scope, self._receive, self._send))

    async def send(self, size: int) -> int:
        """So many bytes more → the status, 0 where more is asked for."""
        asked = self._asked + (1 if self._asked else 2)
        self._pieces.put_nowait(b"x" * size)
        async with asyncio.timeout(30):
            while not self.status and self._asked < asked:
                await asyncio.sleep(0.001)
        return self.status

    async def _receive(self) -> dict[str, Any]:
        self._asked += 1
        piece = await self._pieces.get()
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}

    async def _send(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        self.fields |= dict(message.get("headers", ()))


def test_all_that_is_being_read_is_bounded_together_and_of_each() -> None:
    async def ok(scope: Any, receive: Any, send: Any) -> None:
        await Response()(scope, receive, send)

    async def sent() -> None:
        bodies = Bodies(ok, known=lambda shown: shown[11], together=400_000)
        senders = {name: Sender(bodies, name[0]) for name in ("a", "a2", "a3", "b", "b2", "c", "d", "e")}
        for name in ("a", "a2"):
            assert await senders[name].send(50_000) == 0
        assert await senders["a3"].send(1) == 429, "a quarter of it is of one at most"
        for name in ("b", "b2", "c", "d"):
            assert await senders[name].send(50_000) == 0
        for name in ("c", "d"):
            assert await senders[name].send(50_000) == 0
        assert await senders["e"].send(1) == 503 and senders["e"].fields[b"retry-after"]
        for name in ("a", "a2", "c"):
            assert await senders[name].send(0) == 200
        late = Sender(bodies, "a")
        assert await late.send(90_000) == 0, "what was read makes room"
        for one in (*senders.values(), late):
            await one.send(0)
            await one.call

    asyncio.run(sent())


def test_what_a_body_is_said_to_be(core: Core, redis_url: str) -> None:
    plain = json.dumps(ASKED).encode()
    with opened(core, redis_url) as door, door.client() as agent:
        for body, more, wanted in (
            (json.dumps(ASKED).encode("utf-16"), {}, 400), (b"\xef\xbb\xbf" + plain, {}, 400),
            (b'{"action":"a","payload":{"x":"\xed\xa0\x80"}}', {}, 400),
            (plain, {"Content-Encoding": "gzip"}, 415),
            (gzip.compress(plain), {"Content-Encoding": "gzip"}, 415),
            (plain, {"Content-Encoding": "identity"}, 200),
        ):  # fmt: skip
            sent = agent.post(
                "/v1/requests", content=body, headers={"Content-Type": "application/json", **more}
            )
            assert sent.status_code == wanted, (body, more)


def test_addresses_and_methods_are_told_alike_and_lead_nowhere_else(core: Core, redis_url: str) -> None:
    with opened(core, redis_url, heartbeat_seconds=60) as door, door.client() as agent:
        for path, _ in door.routes():
            found = agent.get(path.replace("{", "").replace("}", "") + "/", headers={"Host": "evil.example"})
            assert found.status_code == 404 and "location" not in found.headers, path
        allowed = {
            "/aap/v1/requests/x": "DELETE, GET, HEAD", "/v1/requests/x": "GET, HEAD",
            "/v1/decisions": "DELETE, GET", "/v1/requests": "GET, HEAD, POST", "/v1/requests/x/events": "GET",
        }  # fmt: skip
        for path, methods in allowed.items():
            refused = agent.put(path)
            assert (refused.status_code, refused.headers["allow"]) == (405, methods), path
        agent.headers["X-Request-ID"] = "bfe9eb29 7"
        large = b"x" * 1_000_000
        for method, path, body, wanted in (
            ("POST", "/access/v1/evaluation", large, 413), ("GET", "/access/v1/evaluation", b"", 405),
            ("GET", "/access/v1/nothing", b"", 404), ("POST", "/access/v1/evaluation", b"{", 415),
            ("GET", "/.well-known/authzen-configuration", b"", 200), ("POST", "/v1/requests", b"", 415),
        ):  # fmt: skip
            found = agent.request(method, path, content=body)
            named = found.headers.get("x-request-id")
            assert (found.status_code, named) == (wanted, None if path[:3] == "/v1" else "bfe9eb29 7"), path
    with TestClient(build_health(Watch({}), CollectorRegistry()), follow_redirects=False) as watcher:
        assert watcher.get("/healthz/").status_code == 404


def test_who_sends_an_accesss_body_too_slowly_is_answered_under_its_name(core: Core, redis_url: str) -> None:
    with opened(core, redis_url, body_seconds=0.3) as door:
        fields = (f"Authorization: Bearer {door.token}", "X-Request-ID: seven")
        with call(door, "/access/v1/evaluation", *fields, body=b"{") as caller:
            found = caller.recv(65536)
    assert found.startswith(b"HTTP/1.1 408") and b"x-request-id: seven" in found
