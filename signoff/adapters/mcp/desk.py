"""Where a gate has one call decided: what the server offers now is looked at before and after people are."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from signoff.adapters.calls import Call, Calls, Go, Stop
from signoff.adapters.mcp import messages
from signoff.adapters.mcp.flights import Approved
from signoff.adapters.mcp.listing import CHANGED, GONE, Listing, Told, claims, shape
from signoff.adapters.mcp.messages import Message
from signoff.adapters.mcp.server_tools import NotListed, ServerTools
from signoff.client.client import AsyncSignoff
from signoff.client.face import Signoff

FRAMEWORK = "mcp"
TOOL_USE = "claudecode/toolUseId"
"""In a call's `_meta`, by Claude Code: names the model's call, also after a resume."""
KNOWN = ("name", "arguments", "_meta", "task")
"""Params of a call that need no look: people see the arguments, the rest is the protocol's."""
LIST_SECONDS = 10.0
"""How long a server is given to say what its tools are."""
PROGRESS_SECONDS = 10.0
STEP = 1e-6
"""How far a wait counts as progress: the server's own, which comes afterwards, has to be more."""
NOT_LISTED = (
    "was not run: the server does not say what its tools are. Do not try another way: tell whoever you work "
    "for."
)
ENDED_BEFORE = "The MCP server ended before it ran."
CHANGED_MEANWHILE = "The server changed its tool meanwhile: it was not run."
NOT_ASKED = (
    "was not run: it goes on with a call that was not approved here, or answers what its server has not "
    "asked. Call the tool anew, with its arguments alone."
)
TOO_LATE = (
    "was not run: its approval was over before it could be. This is not a rejection. If it is still needed, "
    "you may ask again."
)
ANSWERED_OTHERWISE = "The client went on with what its server had not asked: that was not passed on."
NOT_LISTED_AGAIN = "The server did not say what its tools are: it was not run."
OVER = "Its time was over before it ran."
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
        meta, params = messages.meta_of(request), request["params"]
        name, args = params["name"], params.get("arguments") or {}
        if any(key in params for key in messages.GOES_ON):
            return f"{name} {NOT_ASKED}"
        try:
            listing = await self._listing(meta)
        except NotListed:
            return f"{name} {NOT_LISTED}"
        action = listing.action(name)
        if fault := listing.fault(name, self._told):
            return f"{action} {fault}"
        tool = dict(listing.find(name) or {})
        others = {key: value for key, value in params.items() if key not in KNOWN}
        said, schema = claims(tool, listing.server, action, others), tool.get("inputSchema")
        calls = Calls(self._client, lambda _: said, framework=FRAMEWORK, wait=self._wait)
        call = Call(
            action, args, _key(listing.server, meta), schema=schema if isinstance(schema, Mapping) else None
        )
        decided = await self._decided(calls, call, meta.get("progressToken"))
        if isinstance(decided, Stop):
            return decided.text
        return await self._looked_at_again(Approved(decided, calls, tool), action, meta)

    async def goes_on(self, request: Message, approved: Approved) -> Approved | str:
        """A call whose server has asked back: it may run on with answers to that, and nothing else new."""
        params = request["params"]
        answers = params.get("inputResponses") or {}
        new = params.keys() - {*KNOWN, *messages.GOES_ON}
        action = approved.go.receipt.action if approved.go.receipt else params["name"]
        if new or not isinstance(answers, dict) or not answers.keys() <= approved.asked:
            await approved.report(False, ANSWERED_OTHERWISE)
            return f"{action} {NOT_ASKED}"
        return await self._looked_at_again(approved, action, messages.meta_of(request))

    async def _listing(self, meta: Mapping[str, Any]) -> Listing:
        try:
            async with asyncio.timeout(LIST_SECONDS):
                return await self._tools.now(meta)
        except TimeoutError:
            raise NotListed from None

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
            now = (await self._listing(meta)).find(approved.tool["name"])
            if not approved.holds():
                note = OVER
                return f"{action} {TOO_LATE}"
            if now is not None and shape(now) == shape(approved.tool):
                note = ""
                return approved
            note = CHANGED_MEANWHILE
            return f"{action} {GONE if now is None else CHANGED}"
        except NotListed:
            note = NOT_LISTED_AGAIN
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
