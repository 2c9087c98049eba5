"""Where a gate has one call decided: what the server offers now is looked at before and after people are."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from signoff.adapters.calls import Call, Calls, Go, Stop
from signoff.adapters.mcp import messages
from signoff.adapters.mcp.flights import Approved
from signoff.adapters.mcp.listing import CHANGED, GONE, Told, claims, shape
from signoff.adapters.mcp.messages import Message
from signoff.adapters.mcp.server_tools import NotListed, ServerTools
from signoff.client.client import AsyncSignoff
from signoff.client.face import Signoff

FRAMEWORK = "mcp"
TOOL_USE = "claudecode/toolUseId"
"""In a call's `_meta`, by Claude Code: names the model's call, also after a resume."""
PROGRESS_SECONDS = 10.0
STEP = 1e-6
"""How far a wait counts as progress: the server's own, which comes afterwards, has to be more."""
NOT_LISTED = (
    "was not run: the server does not say what its tools are. Do not try another way: tell whoever you work "
    "for."
)
ENDED_BEFORE = "The MCP server ended before it ran."
CHANGED_MEANWHILE = "The server changed its tool meanwhile: it was not run."
CANCELLED_BEFORE = "It was cancelled before it ran."


class Desk:
    """Has calls decided, for one client of one server. `tell` takes a message to the client."""

    def __init__(
        self,
        client: Signoff | AsyncSignoff,
        tools: ServerTools,
        told: Told,
        tell: Callable[[Message], Awaitable[None]],
        wait: float | None,
    ) -> None:
        self._client, self._tools, self._told, self._tell, self._wait = client, tools, told, tell, wait

    async def decide(self, request: Message) -> Approved | str:
        """What may run, or why it may not; a cancelled one withdraws its request. Raises ServerEnded."""
        meta = messages.meta_of(request)
        name, args = request["params"]["name"], request["params"].get("arguments") or {}
        try:
            listing = await self._tools.now(meta)
        except NotListed:
            return f"{name} {NOT_LISTED}"
        action = listing.action(name)
        if fault := listing.fault(name, self._told):
            return f"{action} {fault}"
        tool = dict(listing.find(name) or {})
        said, schema = claims(tool, listing.server, action), tool.get("inputSchema")
        calls = Calls(self._client, lambda _: said, framework=FRAMEWORK, wait=self._wait)
        call = Call(
            action, args, _key(listing.server, meta), schema=schema if isinstance(schema, Mapping) else None
        )
        decided = await self._decided(calls, call, meta.get("progressToken"))
        if isinstance(decided, Stop):
            return decided.text
        return await self._looked_at_again(Approved(decided, calls, tool), action, meta)

    async def _decided(self, calls: Calls, call: Call, token: object) -> Go | Stop:
        waiting = asyncio.create_task(self._tell_progress(call.name, token))
        try:
            decided = await calls.decide(call)
        finally:
            waiting.cancel()
        assert isinstance(decided, Go | Stop)  # it never suspends
        return decided

    async def _looked_at_again(
        self, approved: Approved, action: str, meta: Mapping[str, Any]
    ) -> Approved | str:
        """What was approved, unless the server has changed its tool while people looked at it."""
        note = ENDED_BEFORE
        try:
            now = (await self._tools.now(meta)).find(approved.tool["name"])
            if now is not None and shape(now) == shape(approved.tool):
                note = ""
                return approved
            note = CHANGED_MEANWHILE
            return f"{action} {GONE if now is None else CHANGED}"
        except NotListed:
            note = CHANGED_MEANWHILE
            return f"{action} {NOT_LISTED}"
        except asyncio.CancelledError:
            note = CANCELLED_BEFORE
            raise
        finally:
            if note:
                await asyncio.shield(asyncio.ensure_future(approved.report(False, note)))

    async def _tell_progress(self, action: str, token: object) -> None:
        """While people decide, tell a client that wants to know: some give up on what is silent."""
        if not isinstance(token, str | int):
            return
        params = {"progressToken": token, "message": f"{action} waits for a person's approval."}
        progress = 0.0
        while True:
            progress += STEP
            about = {**params, "progress": progress}
            await self._tell({"jsonrpc": "2.0", "method": messages.PROGRESS, "params": about})
            await asyncio.sleep(PROGRESS_SECONDS)


def _key(server: str, meta: Mapping[str, Any]) -> str:
    """What names this call and no other: by Claude Code's name of it, where there is one.

    A client's ids and progress tokens begin anew with every connection, so they name nothing.
    """
    use = meta.get(TOOL_USE)
    return f"{server}:{use}" if isinstance(use, str) and use else f"{server}:{uuid.uuid4()}"
