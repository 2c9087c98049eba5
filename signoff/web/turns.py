"""Turns: whoever calls has a part of the threads, and what more it calls at once stands in its own line.

An agent is known by its token, which is looked up in a thread; so whose token a call shows is remembered from
the first one that stood. That says in which line a call stands, and nothing else. Callers of whom nothing is
known yet share one line. Who waits for a decision holds no thread, and stands in no line.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from hashlib import sha256
from typing import TypeVar
from weakref import WeakValueDictionary

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, request_response
from starlette.types import ASGIApp, Receive, Scope, Send

from signoff.web.problems import Problem

OF_ONE = 4
"""Threads that one agent's calls have at once, of 40. With more Python is hardly faster."""
IN_LINE = 1000
"""Calls of one agent that stand in its line."""
IN_LINE_BYTES = 32 * 1024 * 1024
"""What their bodies have in memory."""
RETRY_SECONDS = 1
MOST_KNOWN = 10_000
"""Tokens whose agents are remembered."""
R = TypeVar("R")


class _Line:
    """The calls of one agent that want a thread."""

    def __init__(self, of_one: int) -> None:
        self.turn = asyncio.Semaphore(of_one)
        self.calls = self.bytes = 0


class Turns:
    """ASGI middleware, inside of the one that reads bodies: gives each call its line."""

    def __init__(self, app: ASGIApp, body: str, of_one: int = OF_ONE, in_line: int = IN_LINE) -> None:
        """`body` is where a call's scope has its body."""
        self._app, self._body, self._of_one, self._in_line = app, body, of_one, in_line
        self._lines: WeakValueDictionary[str, _Line] = WeakValueDictionary()
        self._agents: dict[bytes, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        shown = b"\n".join(value for name, value in scope["headers"] if name == b"authorization")
        token = sha256(shown).digest()
        agent = self._agents.get(token, "")
        if (line := self._lines.get(agent)) is None:
            line = self._lines[agent] = _Line(self._of_one)
        size = len(scope.get(self._body) or b"")
        before = _CALL.set(_Call(line, size, self._in_line, lambda known: self._note(token, known)))
        try:
            await self._app(scope, receive, send)
        finally:
            _CALL.reset(before)

    def _note(self, token: bytes, agent: str) -> None:
        if len(self._agents) >= MOST_KNOWN:
            self._agents.clear()
        self._agents[token] = agent


class _Call:
    """A call in its line; `note` takes whose it is."""

    def __init__(self, line: _Line, size: int, in_line: int, note: Callable[[str], None]) -> None:
        self.line, self.size, self.note = line, size, note
        self._in_line, self._stood = in_line, False

    def stand(self) -> None:
        """Into the line; raises Problem where that is too long. Who was let in is not sent away later."""
        line = self.line
        full = line.calls >= self._in_line or (line.calls and line.bytes + self.size > IN_LINE_BYTES)
        if full and not self._stood:
            raise Problem(
                429, "limited", f"{line.calls:,} calls of yours stand in line already: wait for some.",
                {"Retry-After": str(RETRY_SECONDS)},
            )  # fmt: skip
        self._stood = True
        line.calls += 1
        line.bytes += self.size


_CALL: ContextVar[_Call | None] = ContextVar("call", default=None)


def note_agent(agent: str) -> None:
    """The call that runs is this agent's, by a token that stands."""
    if call := _CALL.get():
        call.note(agent)


async def in_turn(function: Callable[..., R], *values: object) -> R:
    """What a function returns, called in a thread once it is its call's turn; raises Problem, too."""
    call = _CALL.get()
    if call is None:
        return await run_in_threadpool(function, *values)
    line = call.line
    call.stand()
    try:
        async with line.turn:
            return await run_in_threadpool(function, *values)
    finally:
        line.calls -= 1
        line.bytes -= call.size


def by_turns(route: Route) -> Route:
    """The same route; where its endpoint is a plain function, that is called in its turn."""
    endpoint = route.endpoint
    if not inspect.iscoroutinefunction(endpoint):

        async def waited(request: Request) -> Response:
            return await in_turn(endpoint, request)

        route.app = request_response(waited)
    return route
