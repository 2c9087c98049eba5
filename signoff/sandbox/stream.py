"""GET /sandbox/events?user=U…: server-sent events, what one person's page has to know.

- `hello`: from here on nothing is missed, so this is the moment to load everything
- `message` (`channel`, `message`): new or changed; `gone` (`channel`, `ts`)
- `stack` (`stack`) and `home` (`home`): the person's views, as in `GET views`
- `view_failed` (`method`, `error`): a view that the app wanted to open for this person, and could not
- `read` (`channel`, `ts`), `team`, `reset`; `log` (a line of the inspector), `pane` (`name`, `at`, `line`)
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from signoff.sandbox.feed import Change, Listener
from signoff.sandbox.workspace import Workspace

_QUIET_SECONDS: Final = 15.0
"""After so long a comment is sent, by which a page that has gone is noticed."""


@dataclass(frozen=True, slots=True)
class Stream:
    """The streams of all pages."""

    workspace: Workspace

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One page, until it goes or the stand-in ends."""
        user = request.query.get("user", "")
        if user not in self.workspace.team.users:
            raise web.HTTPNotFound(text="There is nobody with this id.")
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        listener = self.workspace.feed.listen()
        try:
            await response.write(b"retry: 1000\nevent: hello\ndata: {}\n\n")
            await self._tell(response, listener, user)
        except ConnectionError:
            pass  # the page has gone
        finally:
            self.workspace.feed.leave(listener)
        return response

    async def _tell(self, response: web.StreamResponse, listener: Listener, user: str) -> None:
        while True:
            try:
                async with asyncio.timeout(_QUIET_SECONDS):
                    change = await listener.changes.get()
            except TimeoutError:
                await response.write(b": still here\n\n")
                continue
            if change is None:
                return
            if self._concerns(change, user):
                await response.write(f"event: {change.kind}\ndata: {change.data}\n\n".encode())

    def _concerns(self, change: Change, user: str) -> bool:
        if change.user and change.user != user:
            return False
        if not change.channel:
            return True
        team = self.workspace.team
        channel, person = team.channels.get(change.channel), team.users.get(user)
        return channel is not None and person is not None and team.can_see(person, channel)
