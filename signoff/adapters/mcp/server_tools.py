"""What the server behind a gate offers right now: asked of it with requests of the gate's own."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from typing import Any

from signoff.adapters.mcp import messages
from signoff.adapters.mcp.listing import UNNAMED, Listing, said_name, server_name, tools_of
from signoff.adapters.mcp.messages import LIST, OF_PROTOCOL, Message
from signoff.adapters.mcp.upstream import ServerEnded, Upstream

MAX_PAGES = 100


class NotListed(Exception):
    """The server did not say what tools it has."""


class ServerTools:
    """Asks a server for its tools. `name` is what it is called here, whatever it calls itself."""

    def __init__(self, server: Upstream, name: str | None) -> None:
        self._server = server
        self._name = server_name(name) if name else None
        self._mark = f"signoff-{uuid.uuid4().hex}-"  # no id of a client's can be meant
        self._open: dict[str, asyncio.Future[Message]] = {}
        self._count = 0

    def note_name(self, result: Mapping[str, Any]) -> None:
        """A result of the server's: the first name that it calls itself is the one that it keeps."""
        self._name = self._name or said_name(result)

    def takes(self, response: Message) -> bool:
        """Whether a response is to a request of ours, and for nobody else."""
        id = response.get("id")
        if not isinstance(id, str) or not id.startswith(self._mark):
            return False
        waiting = self._open.pop(id, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(response)
        return True

    def end(self) -> None:
        """The server has ended: nobody waits for it any more."""
        for waiting in self._open.values():
            if not waiting.done():
                waiting.set_exception(ServerEnded())
        self._open = {}

    async def now(self, meta: Mapping[str, Any]) -> Listing:
        """All its tools. `meta` is a client's: newer protocols want what it says of the protocol repeated.

        Raises NotListed, and ServerEnded.
        """
        about = {key: value for key, value in meta.items() if key.startswith(OF_PROTOCOL)}
        found: list[Mapping[str, Any]] = []
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            result = await self._page(about, cursor)
            found += tools_of(result)
            following = result.get("nextCursor")
            if following is None:
                return Listing(self._name or UNNAMED, tuple(found))
            if not isinstance(following, str) or following == cursor:
                break
            cursor = following
        raise NotListed

    async def _page(self, about: Mapping[str, Any], cursor: str | None) -> dict[str, Any]:
        self._count += 1
        id = f"{self._mark}{self._count}"
        params: dict[str, Any] = {"_meta": about} if about else {}
        if cursor is not None:
            params["cursor"] = cursor
        self._open[id] = waiting = asyncio.get_running_loop().create_future()
        try:
            await self._server.send(
                messages.line({"jsonrpc": "2.0", "id": id, "method": LIST, "params": params})
            )
            result = (await waiting).get("result")
        finally:
            self._open.pop(id, None)
        if not isinstance(result, dict):
            raise NotListed
        self.note_name(result)
        return result
