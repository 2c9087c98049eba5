"""Bodies: read whole before anything looks at them, bounded in size and time; then parsed strictly."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from signoff.errors import Invalid
from signoff.models.messages import MAX_ENTRY, MOST_VALUES
from signoff.payload.canonical import parse
from signoff.web.problems import Problem

MOST = MAX_ENTRY + 64 * 1024
"""Bytes of a body: a request as large as may be, and what a door puts around it."""
READ_SECONDS = 10.0
"""How long a whole body may take. Who has not sent it by then is sent away."""
PASSED_OVER = 32 * 1024 * 1024
PASS_SECONDS = 5.0
"""Of a body that is too large, so much is passed over, for so long, once that was answered."""
BODY = "signoff.body"
"""Where a request's scope has it."""
_BODILESS = ("GET", "HEAD", "OPTIONS", "DELETE")
NONE: Mapping[str, int] = {}


class Bodies:
    """ASGI middleware: endpoints find the body in the scope, and never wait for one."""

    def __init__(
        self, app: ASGIApp, most: int = MOST, seconds: float = READ_SECONDS, of: Mapping[str, int] = NONE
    ) -> None:
        """`of` has the bytes of a body for paths where they are others."""
        self._app, self._most, self._seconds, self._of = app, most, seconds, of

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
            await self._app(scope, receive, send)
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

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        most = self._of.get(scope["path"], self._most)
        length = dict(scope["headers"]).get(b"content-length", b"")
        if length.isdigit() and int(length[:20]) > most:
            raise _too_large(most)
        read = bytearray()
        while True:
            message: Message = await receive()
            if message["type"] == "http.disconnect":
                raise ConnectionError
            read += message.get("body", b"")
            if len(read) > most:
                raise _too_large(most)
            if not message.get("more_body", False):
                return bytes(read)


def _too_large(most: int) -> Problem:
    return Problem(413, "too-large", f"A body has at most {most:,} bytes.")


async def _held(send: Send, message: Message) -> None:
    """Send an answer, and not yet that it is over."""
    await send({**message, "more_body": True} if message["type"] == "http.response.body" else message)


def raw(request: Request) -> bytes:
    """The body as it came."""
    body: bytes = request.scope.get(BODY, b"")
    return body


def json_object(request: Request, *, empty: bool = False) -> dict[str, Any]:
    """The body as a JSON object, parsed as strictly as payloads are; {} where none came and that may be.

    Raises Problem: another content type (415), or not JSON that everybody reads alike (400).
    """
    body = raw(request)
    if empty and not body:
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Problem(415, "media-type", "Send the body as Content-Type: application/json.")
    try:
        found = parse(body, MOST_VALUES)
    except Invalid as error:
        raise Problem(400, "not-json", error.detail) from None
    if not isinstance(found, dict):
        raise Problem(400, "not-json", "It has to be a JSON object.")
    return found
