"""A client's messages on their way to the server, in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

from signoff.adapters.mcp.messages import Message
from signoff.adapters.mcp.upstream import NotSent, ServerEnded, Upstream

Found = Message | list[Message]
MOST = 64 * 1024 * 1024
"""Bytes that wait for a server which reads nothing; more are refused."""
FULL = "The MCP server takes nothing more now: this was not passed on."


class Outbox:
    """Sends what it is given; whoever gives it does not wait, and so sees when its client goes.

    `refused` is called with a message that could not be sent, and why.
    """

    def __init__(self, server: Upstream, refused: Callable[[Found, str], Awaitable[None]]) -> None:
        self._server, self._refused = server, refused
        self._waiting: deque[tuple[Found, bytes]] = deque()
        self._size = 0
        self._news, self._empty = asyncio.Event(), asyncio.Event()
        self._empty.set()

    async def put(self, found: Found, line: bytes) -> None:
        """Have it sent, after all before it."""
        if self._size + len(line) > MOST:
            await self._refused(found, FULL)
            return
        self._size += len(line)
        self._waiting.append((found, line))
        self._empty.clear()
        self._news.set()

    async def run(self) -> None:
        """Send, until the server takes nothing more."""
        with suppress(ServerEnded):
            while True:
                while self._waiting:
                    found, line = self._waiting[0]
                    try:
                        await self._server.send(line)
                    except NotSent as error:
                        await self._refused(found, str(error))
                    self._waiting.popleft()
                    self._size -= len(line)
                self._empty.set()
                self._news.clear()
                await self._news.wait()

    async def emptied(self, seconds: float) -> None:
        """Wait until all was sent, but not for longer than that."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), seconds)
