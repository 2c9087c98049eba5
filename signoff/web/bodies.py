"""Bodies: read whole before anything looks at them, bounded in size and time; then parsed strictly."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from signoff.errors import Invalid
from signoff.models.messages import MAX_ENTRY, MOST_VALUES
from signoff.models.tokens import TOKEN
from signoff.payload.canonical import parse
from signoff.web.problems import Problem, unavailable

MOST = MAX_ENTRY + 64 * 1024
"""Bytes of a body: a request as large as may be, and what a door puts around it."""
READ_SECONDS = 10.0
"""How long a whole body may take. Who has not sent it by then is sent away."""
PASSED_OVER = 32 * 1024 * 1024
PASS_SECONDS = 5.0
"""Of a body that is too large, so much is passed over, for so long, once that was answered."""
SMALL = 16 * 1024
"""A body of so many bytes that came at once is handed on without asking whose it is."""
TOGETHER = 64 * 1024 * 1024
"""Bytes of all bodies that are being read, in each process; a quarter of them are of one caller at most."""
BUSY_SECONDS = 5
BODY = "signoff.body"
"""Where a request's scope has it."""
_BODILESS = ("GET", "HEAD", "OPTIONS", "DELETE")
NONE: Mapping[str, int] = {}
_SIGNATURE, _DIGITS = re.compile(r"v0=[0-9a-f]{64}"), re.compile(r"[0-9]{1,20}")
Known = Callable[[str], str | None]
"""The value of an Authorization → the agent whose token it has, None where that is worthless."""


def _nobody(_: str) -> None:
    return None


class _Room:
    """What bodies that are being read take, all of them together and those of each caller."""

    def __init__(self, most: int) -> None:
        self._most, self._taken = most, Counter[str]()

    @contextmanager
    def of(self, who: str) -> Iterator[Callable[[int], None]]:
        """Takes so many bytes more, until the end of the `with`; that raises Problem where there is none."""
        own = 0

        def take(more: int) -> None:
            nonlocal own
            if self._taken.total() + more > self._most:
                raise unavailable(BUSY_SECONDS)
            if self._taken[who] + more > self._most // 4:
                raise Problem(
                    429, "limited", f"{who} sends too much at once.", {"Retry-After": str(BUSY_SECONDS)}
                )
            own += more
            self._taken[who] += more

        try:
            yield take
        finally:
            self._taken[who] -= own
            if not self._taken[who]:
                del self._taken[who]


class Bodies:
    """ASGI middleware: endpoints find the body in the scope, and never wait for one.

    Who shows nothing that a caller has to show is not read: the endpoint finds no body, and says so. Nor is
    more than what came at once, where `known` does not know the token.
    """

    def __init__(
        self, app: ASGIApp, known: Known = _nobody, most: int = MOST, seconds: float = READ_SECONDS,
        together: int = TOGETHER, of: Mapping[str, int] = NONE, larger: Mapping[str, int] = NONE,
    ) -> None:  # fmt: skip
        """`of` has the paths where Slack calls, and how many bytes a body has there; `larger` other paths."""
        self._app, self._known, self._most, self._seconds = app, known, most, seconds
        self._of, self._larger, self._room = of, larger, _Room(together)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in _BODILESS:
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._seconds):
                scope[BODY] = await self._read(scope, receive)
        except TimeoutError:
            problem = Problem(408, "too-slow", f"Send the whole body within {self._seconds:g} s.")
        except Problem as found:
            problem = found
        except ConnectionError:
            return
        else:
            await self._app(
                scope, receive, send if scope[BODY] is not None else partial(_unread, scope, send)
            )
            return
        problem.headers["Connection"] = "close"
        await problem.response(Request(scope, receive))(scope, receive, partial(_held, send))
        await self._pass_over(receive)
        await send({"type": "http.response.body", "body": b""})

    async def _pass_over(self, receive: Receive) -> None:
        """Read on for a while: where a connection ends with bytes unread, its caller may lose the answer."""
        left = PASSED_OVER
        with suppress(TimeoutError):
            async with asyncio.timeout(min(PASS_SECONDS, self._seconds)):
                while left > 0 and (message := await receive())["type"] != "http.disconnect":
                    left -= len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        """The whole body; None where it is not read, because nobody who may call sends it."""
        headers = Headers(scope=scope)
        if not self._shows(scope["path"], headers):
            return None
        most = self._of.get(scope["path"]) or self._larger.get(scope["path"], self._most)
        length = headers.get("content-length", "")
        if length.isdigit() and int(length[:20]) > most:
            raise _too_large(most)
        first = await _message(receive)
        read, more = bytearray(first.get("body", b"")), first.get("more_body", False)
        if not more and len(read) <= SMALL:
            return bytes(read)
        who = await self._who(scope["path"], headers)
        if who is None:
            return None
        with self._room.of(who) as take:
            take(len(read))
            while more and len(read) <= most:
                message = await _message(receive)
                piece, more = message.get("body", b""), message.get("more_body", False)
                take(len(piece))
                read += piece
            if len(read) > most:
                raise _too_large(most)
            return bytes(read)

    def _shows(self, path: str, headers: Headers) -> bool:
        """Whether it looks like a call of somebody who may."""
        if path in self._of:
            signature, time = (
                headers.get("x-slack-signature", ""),
                headers.get("x-slack-request-timestamp", ""),
            )
            return bool(_SIGNATURE.fullmatch(signature) and _DIGITS.fullmatch(time))
        return bool(TOKEN.fullmatch(headers.get("authorization", "").partition(" ")[2].strip()))

    async def _who(self, path: str, headers: Headers) -> str | None:
        """Who sends it: an agent, or Slack, whose signature is of the whole body; None where nobody does."""
        if path in self._of:
            return "Slack"
        return await run_in_threadpool(self._known, headers.get("authorization", ""))


async def _message(receive: Receive) -> Message:
    """The next part of a body; raises ConnectionError where its caller has gone."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ConnectionError
    return message


async def _unread(scope: Scope, send: Send, message: Message) -> None:
    """Send an answer to a body that was not read. Who asked first whether to send it may send it or not: so
    nobody knows what comes next, and the connection ends."""
    if message["type"] == "http.response.start" and "expect" in Headers(scope=scope):
        message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
    await send(message)


def _too_large(most: int) -> Problem:
    return Problem(413, "too-large", f"A body has at most {most:,} bytes.")


async def _held(send: Send, message: Message) -> None:
    """Send an answer, and not yet that it is over."""
    await send({**message, "more_body": True} if message["type"] == "http.response.body" else message)


def raw(request: Request) -> bytes:
    """The body as it came."""
    body: bytes | None = request.scope.get(BODY)
    return body or b""


def json_object(request: Request, *, empty: bool = False, values: int = MOST_VALUES) -> dict[str, Any]:
    """The body as a JSON object, parsed as strictly as payloads are; {} where none came and that may be.

    It holds so many `values` at most, as payload.canonical counts them.

    Raises Problem: another content type, or one that is compressed (415), or not JSON that everybody reads
    alike (400).
    """
    if empty and not raw(request):
        return {}
    try:
        found = parse(json_text(request), values)
    except Invalid as error:
        raise Problem(400, "not-json", error.detail) from None
    if not isinstance(found, dict):
        raise Problem(400, "not-json", "It has to be a JSON object.")
    return found


def json_text(request: Request) -> str:
    """The body as text that may be JSON; raises Problem where it is sent as something else, or no UTF-8."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Problem(415, "media-type", "Send the body as Content-Type: application/json.")
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise Problem(415, "media-type", "Send the body as it is: no Content-Encoding is taken.")
    try:
        return raw(request).decode()  # UTF-8 and nothing else (RFC 8259, section 8.1)
    except UnicodeDecodeError:
        raise Problem(400, "not-json", "It is not UTF-8.") from None
