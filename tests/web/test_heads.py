"""Where a request ends and the next one begins: however its bytes come, and whatever it says of itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.server import ServerState

from signoff.web.connection import Connection, Limits

INNER = b"GET /inner HTTP/1.1\r\nHost: x\r\n\r\n"
WISH = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEA\r\n"


class Pipe(asyncio.Transport):
    """What is written stays here; nothing is lost on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.said, self.closing, self.paused = b"", False, False

    def write(self, data: Any) -> None:
        self.said += bytes(data)

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    abort = close

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class Line:
    """A connection without a network: what comes in which pieces is for the test to say."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.calls = list[tuple[str, str, bytes]]()
        self.gone = asyncio.Event()

        async def take(request: Request) -> Response:
            if request.url.path == "/wait":
                while (await request.receive())["type"] != "http.disconnect":
                    pass
                self.gone.set()
                return Response()
            self.calls.append((request.method, request.url.path, await request.body()))
            return Response("{}")

        app = Starlette(routes=[Route("/{path}", take, methods=["GET", "POST"])])
        app.state.public_url = "https://signoff.example.com"
        config = uvicorn.Config(app, lifespan="off", log_config=None, ws="none")
        config.load()
        self.pipe = Pipe()
        self.connection: Connection = (limits or Limits()).protocol()(config, ServerState(), {})
        self.connection.connection_made(self.pipe)

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            if not self.pipe.closing:
                self.connection.data_received(piece)

    async def answered(self) -> list[tuple[str, str, bytes]]:
        """Every call, once all are answered."""
        while self.connection.tasks:
            await asyncio.gather(*self.connection.tasks)
        self.connection.connection_lost(None)
        return self.calls


def calls(*pieces: bytes, limits: Limits | None = None) -> list[tuple[str, str, bytes]]:
    """What came of these bytes, on one connection."""

    async def sent() -> list[tuple[str, str, bytes]]:
        line = Line(limits)
        line.send(*pieces)
        return await line.answered()

    return asyncio.run(sent())


def answer(*pieces: bytes) -> bytes:
    """What is answered to these bytes, where nothing of them is a request."""

    async def sent() -> bytes:
        line = Line()
        line.send(*pieces)
        assert await line.answered() == []
        return line.pipe.said

    return asyncio.run(sent())


def post(body: bytes, *more: bytes, path: bytes = b"/outer") -> bytes:
    head = b"POST %s HTTP/1.1\r\nHost: x\r\n" % path + b"".join(more)
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def chunked(body: bytes, *more: bytes) -> bytes:
    """The body in two chunks, and a field behind them."""
    parts = b"".join(b"%x;x=y\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:]))
    head = b"POST /outer HTTP/1.1\r\nHost: x\r\n" + b"".join(more)
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + parts + b"0\r\nUpgrade: h2c\r\n\r\n"


@pytest.mark.parametrize("made", [post, chunked])
@pytest.mark.parametrize("wish", [WISH, WISH.upper(), WISH.replace(b": h2c", b":websocket")])
def test_a_body_is_none_of_the_next_requests_wherever_its_bytes_are_parted(
    made: Callable[..., bytes], wish: bytes
) -> None:
    both = made(INNER + b"\r\n\r\n", wish) + b"\r\n" + post(b"second", wish, path=b"/next")
    wanted = [("POST", "/outer", INNER + b"\r\n\r\n"), ("POST", "/next", b"second")]
    assert calls(both) == wanted
    assert calls(*(both[at : at + 1] for at in range(len(both)))) == wanted
    for cut in range(1, len(both)):
        assert calls(both[:cut], both[cut:]) == wanted, both[:cut]


def test_several_in_one_piece_are_all_read_as_what_they_are() -> None:
    sent = (
        INNER + post(INNER, WISH) + INNER.replace(b"\r\n\r\n", b"\r\n" + WISH + b"\r\n") + chunked(b"x" * 9)
    )
    paths = [
        ("GET", "/inner", b""),
        ("POST", "/outer", INNER),
        ("GET", "/inner", b""),
        ("POST", "/outer", b"x" * 9),
    ]
    assert calls(sent * 3) == paths * 3
    assert calls(*(sent[at : at + 50] for at in range(0, len(sent), 50))) == paths


HEADS = {
    "no host": (b"GET /a HTTP/1.1\r\nAccept: */*\r\n\r\n",),
    "two hosts": (b"GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",),
    "no name": (b"GET /a HTTP/1.1\r\nHost: x y/z\r\n\r\n",),
    "bare LF": (b"GET /a HTTP/1.1\nHost: x\n\n",),
    "bare LF between": (b"GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n", b"\n" + INNER),
    "bare CR": (b"GET /a HTTP/1.1\r\nHost: x\r\rX: y\r\n\r\n",),
    "tunnel": (b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 33\r\n\r\n", INNER),
    "two lengths": (post(INNER, b"Content-Length: 3\r\n"),),
    "length and chunks": (post(INNER, b"Transfer-Encoding: chunked\r\n"),),
    "not HTTP": (b"\x16\x03\x01\r\n\r\n",),
}


@pytest.mark.parametrize("pieces", HEADS.values(), ids=HEADS)
def test_a_head_that_is_not_as_it_has_to_be_is_told_so_as_a_problem(pieces: Iterable[bytes]) -> None:
    head, _, body = answer(*pieces).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400") and b"connection: close" in head
    assert b"application/problem+json" in head and b"content-length: %d\r\n" % len(body) in head + b"\r\n"
    said = json.loads(body)
    assert said["type"] == "https://signoff.example.com/v1/errors#invalid" and said["status"] == 400


def test_the_old_protocol_needs_no_host() -> None:
    assert calls(b"GET /a HTTP/1.0\r\n\r\n") == [("GET", "/a", b"")]


def test_who_finds_no_room_is_told_when_to_come_again() -> None:
    async def sent() -> bytes:
        line = Line(Limits(most=0))
        return line.pipe.said

    said = asyncio.run(sent())
    assert said.startswith(b"HTTP/1.1 503") and b"retry-after: " in said
    assert b"https://signoff.example.com/v1/errors#unavailable" in said


def test_who_hangs_up_with_more_in_line_is_noticed_and_the_rest_is_not_answered() -> None:
    async def hung_up() -> tuple[bool, list[tuple[str, str, bytes]]]:
        line = Line()
        line.send(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(0)
        line.send(post(INNER), INNER)
        paused = line.pipe.paused
        line.connection.connection_lost(ConnectionResetError())
        async with asyncio.timeout(30):
            await line.gone.wait()
        while line.connection.tasks:
            await asyncio.gather(*line.connection.tasks)
        return paused, line.calls

    paused, found = asyncio.run(hung_up())
    assert not paused, "a connection that is not read is not seen to end"
    assert found == []
