"""What the tools of `signoff mcp` do: ask, wait for so long, look, take back."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

from mcp.server.mcpserver.exceptions import ToolError

from signoff.adapters import texts
from signoff.adapters.calls import ABANDONED
from signoff.adapters.mcp import outcomes
from signoff.adapters.mcp.outcomes import Outcome
from signoff.client.client import AsyncSignoff, AsyncTicket
from signoff.client.pending import Pending
from signoff.errors import Invalid, NotApproved, SignoffError, WaitTimeout
from signoff.models.receipt import Receipt

log = logging.getLogger("signoff")

MAX_WAIT = 50.0
"""Seconds: many clients give up on a call after 60."""
PROGRESS_SECONDS = 5.0
WITHDRAW_SECONDS = 5.0
MOST_KEPT = 1000
TOOL_USE = "claudecode/toolUseId"
"""In a call's `_meta`, by Claude Code: names the model's call."""
Tell = Callable[[float, float, str], Awaitable[None]]
"""Told the seconds that have passed, those that are waited at most, and a text."""


class Talk(Protocol):
    """What people ask about requests."""

    def about(self, request_id: str) -> list[outcomes.Asks]: ...

    async def asked(self, request_id: str) -> None: ...


class Inquiries:
    """What the tools do, with one client; `max_wait` is how long a call may take at most, in seconds."""

    def __init__(self, client: AsyncSignoff, max_wait: float = MAX_WAIT) -> None:
        self.client, self._max_wait = client, max_wait
        self._sent: dict[str, dict[str, Any]] = {}
        self.talks: Talk | None = None

    async def ask(
        self, action: str, payload: dict[str, Any], claims: dict[str, Any]
    ) -> AsyncTicket | Outcome:
        """Send a request; or what is to be said of one that was not sent. A cancelled one is withdrawn."""
        sending = asyncio.ensure_future(self.client.request(action, payload, **claims))
        try:
            ticket = await asyncio.shield(sending)
        except asyncio.CancelledError:
            with suppress(Exception):
                await self.withdraw((await sending).id)
            raise
        except NotApproved as error:
            return outcomes.refused(error, action)
        except SignoffError as error:
            raise unavailable(action, error) from None
        self.note_sent(ticket.id, payload)
        return ticket

    def note_sent(self, id: str, payload: dict[str, Any]) -> None:
        """Kept to tell what a person has changed."""
        self._sent[id] = payload
        while len(self._sent) > MOST_KEPT:
            self._sent.pop(next(iter(self._sent)))

    async def wait(self, id: str, action: str | None, seconds: float | None, tell: Tell) -> Outcome:
        """Its end, or `pending` after so many seconds. `tell` is called from time to time."""
        limit = self._max_wait if seconds is None else min(seconds, self._max_wait)
        try:
            async with telling(tell, action, limit):
                receipt = await self._decided(id, limit)
            return self.pending(id, action, await self._state(id)) if receipt is None else self.ended(receipt)
        except WaitTimeout:
            return self.pending(id, action, await self._state(id))
        except NotApproved as error:
            return outcomes.refused(error, action or id)
        except SignoffError as error:
            raise unavailable(action or "The request", error) from None

    async def _decided(self, id: str, limit: float) -> Receipt | None:
        """Its receipt, once approved; None where a person asks something about it first."""
        ends = asyncio.ensure_future(self.client.resume(id).wait(limit))
        asked = asyncio.ensure_future(self.talks.asked(id)) if self.talks else None
        try:
            await asyncio.wait({ends, asked} if asked else {ends}, return_when=asyncio.FIRST_COMPLETED)
            return await ends if ends.done() else None
        finally:
            for one in (ends, asked):
                if one is not None and not one.done():
                    one.cancel()

    def pending(self, id: str, action: str | None, until: Pending | None = None) -> Outcome:
        """Nobody has decided yet; with what people ask about it."""
        return outcomes.pending(id, action, until, self.talks.about(id) if self.talks else None)

    async def state(self, id: str) -> Receipt | Pending | None:
        """Its state now; raises ToolError where that cannot be had."""
        try:
            return await self.client.get(id)
        except Invalid:
            return None
        except SignoffError as error:
            raise unavailable("The request", error) from None

    async def withdraw(self, id: str) -> None:
        """Take back a request: nobody waits for it any more."""
        with suppress(SignoffError, TimeoutError):
            await asyncio.wait_for(self.client.cancel(id, ABANDONED), WITHDRAW_SECONDS)

    def ended(self, receipt: Receipt) -> Outcome:
        """A receipt, and what of its payload a person has changed, where this process asked."""
        return outcomes.ended(receipt, self._sent.get(receipt.id))

    async def _state(self, id: str) -> Pending | None:
        with suppress(SignoffError):
            found = await self.client.get(id)
            return found if isinstance(found, Pending) else None
        return None


def said(meta: dict[str, Any], *, key: str | None, **claims: Any) -> dict[str, Any]:
    """What is sent beside action and payload: without what was not said."""
    use = meta.get(TOOL_USE)
    found = {name: value for name, value in claims.items() if value not in (None, "")}
    if key or isinstance(use, str):
        found["key"] = f"mcp:{key}" if key else f"mcp:{use}"
    return found


@asynccontextmanager
async def telling(tell: Tell, action: str | None, limit: float) -> AsyncIterator[None]:
    """While a call waits, its client is told so from time to time."""
    often = asyncio.ensure_future(_tell_often(tell, action, limit))
    try:
        yield
    finally:
        often.cancel()


async def _tell_often(tell: Tell, action: str | None, limit: float) -> None:
    started = time.monotonic()
    with suppress(Exception):  # a client that takes no progress does without
        while True:
            passed = time.monotonic() - started
            await tell(round(passed, 3), limit, f"{action or 'The request'} waits for a person's approval.")
            await asyncio.sleep(PROGRESS_SECONDS)


def unavailable(action: str, error: SignoffError) -> ToolError:
    """What a model is told where nothing can be said of a request."""
    log.error("%s: %s", action, error)
    return ToolError(texts.stopped(action, error))
