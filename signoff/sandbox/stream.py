"""GET /sandbox/events?user=U…: what one person's page has to know, as it happens.

A WebSocket (`{"kind": …, "data": …}` a message) for the page, of which a browser may have many open; whoever
does not ask for one gets server-sent events.


- `hello`: from here on nothing is missed, so this is the moment to load everything
- `message` (`channel`, `message`): new or changed; `gone` (`channel`, `ts`)
- `stack` (`stack`) and `home` (`home`): the person's views, as in `GET views`
- `view_failed` (`method`, `error`): a view that the app wanted to open for this person, and could not
- `read` (`channel`, `ts`), `team`, `reset`; `log` (a line of the inspector), `pane` (`name`, `at`, `line`)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from signoff.sandbox.feed import Change, Listener
from signoff.sandbox.workspace import Workspace

_QUIET_SECONDS: Final = 15.0
"""After so long a comment is sent, by which a page that has gone is noticed."""
_Tell = Callable[[Change | None], Awaitable[None]]
"""None where nothing has happened for a while."""


@dataclass(frozen=True, slots=True)
class Stream:
    """The streams of all pages."""

    workspace: Workspace

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One page, until it goes or the stand-in ends."""
        user = request.query.get("user", "")
        if user not in self.workspace.team.users:
            raise web.HTTPNotFound(text="There is nobody with this id.")
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._socket(request, user)
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)

        async def tell(change: Change | None) -> None:
            told = f"event: {change.kind}\ndata: {change.data}\n\n" if change else ": still here\n\n"
            await response.write(told.encode())

        await response.write(b"retry: 1000\n")
        await self._carry(user, tell)
        return response

    async def _socket(self, request: web.Request, user: str) -> web.StreamResponse:
        socket = web.WebSocketResponse(heartbeat=_QUIET_SECONDS)
        await socket.prepare(request)

        async def tell(change: Change | None) -> None:
            if change:
                await socket.send_str(f'{{"kind":"{change.kind}","data":{change.data}}}')

        telling = asyncio.create_task(self._carry(user, tell))
        telling.add_done_callback(lambda _: asyncio.ensure_future(socket.close()))
        try:
            async for _ in socket:
                pass  # a page says nothing; this ends when it goes
        finally:
            telling.cancel()
        return socket

    async def _carry(self, user: str, tell: _Tell) -> None:
        """All that concerns a person, until the page goes or falls behind, or the stand-in ends."""
        listener = self.workspace.feed.listen()
        try:
            await tell(Change("hello", "{}"))
            await self._tell(listener, user, tell)
        except ConnectionError:
            pass  # the page has gone
        finally:
            self.workspace.feed.leave(listener)

    async def _tell(self, listener: Listener, user: str, tell: _Tell) -> None:
        while True:
            try:
                async with asyncio.timeout(_QUIET_SECONDS):
                    change = await listener.changes.get()
            except TimeoutError:
                await tell(None)
                continue
            if change is None:
                return
            if self._concerns(change, user):
                await tell(change)

    def _concerns(self, change: Change, user: str) -> bool:
        if change.user and change.user != user:
            return False
        if not change.channel:
            return True
        team = self.workspace.team
        channel, person = team.channels.get(change.channel), team.users.get(user)
        return channel is not None and person is not None and team.can_see(person, channel)
