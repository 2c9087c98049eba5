"""`request_batch` and `check_batch`: a model asks for several approvals that people see as one card."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired, cast

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field
from typing_extensions import TypedDict

from signoff.adapters import texts
from signoff.adapters.mcp import outcomes
from signoff.adapters.mcp.inquiries import MAX_WAIT, Inquiries, Tell, said, telling, unavailable
from signoff.adapters.mcp.outcomes import Asks, Noted, Outcome
from signoff.adapters.mcp.outcomes import State as Stands
from signoff.adapters.mcp.work import ctx_meta, whole
from signoff.client.batch import AsyncBatch
from signoff.client.client import AsyncTicket
from signoff.errors import Invalid, NotApproved, SignoffError, WaitTimeout
from signoff.models.receipt import Receipt

MOST = 50
"""Requests in a batch of a model's: what comes back of them has to fit what a client hands to a model."""
MOST_KEPT = 100
BATCH = "The batch"
UNKNOWN = (
    "No batch of this id is known to this process. Do not run anything of it: call check_approval with the "
    "id of each request, or request_batch again with the same key, title and requests."
)
WAITS = (
    "{waiting} of {all} requests wait still: do not run those. Call check_batch with this id to go on "
    "waiting; what is approved already may run now."
)
ENDED = "All {all} requests have ended, and {approved} of them are approved."
RUN = "Run each that is approved once, with exactly its payload; then call report_outcome with its id."
NOTHING = "Run nothing."
Reversible = Literal["reversible", "costly", "irreversible"]
Seconds = Annotated[
    float | None,
    Field(ge=0, le=86400, description="How long to wait until all have ended, before pending comes back."),
]


class Item(TypedDict):
    """One request of a batch; what it does not say is as the batch says."""

    action: str
    payload: dict[str, Any]
    reason: NotRequired[str]
    reversible: NotRequired[Reversible]
    risk: NotRequired[Literal["low", "medium", "high", "critical"]]
    undo: NotRequired[str]
    impact: NotRequired[str]
    context: NotRequired[dict[str, Any]]
    tags: NotRequired[list[str]]
    cost: NotRequired[float]
    title: NotRequired[str]


class Stand(TypedDict):
    """How one request stands, as check_approval says it; that has the receipt, too."""

    id: str | None
    status: Stands
    action: str | None
    message: str
    payload: dict[str, object] | None
    edited: bool | None
    questions: list[Asks] | None
    notes: list[Noted] | None


class Together(TypedDict):
    """How a batch stands: `items` in the order in which they were asked. Only an item that is `approved` may
    run, with its own `payload`. `pending`: some wait still, and `waiting` says how many.
    """

    id: str | None
    status: Literal["pending", "ended", "invalid"]
    message: str
    waiting: int
    items: list[Stand]


@dataclass(frozen=True)
class Asked:
    """One batch that was sent: the action and the ticket of each request."""

    id: str
    tickets: tuple[tuple[str, AsyncTicket], ...]


class Batches:
    """What the tools do, with one client; `max_wait` is how long a call may take at most, in seconds."""

    def __init__(self, inquiries: Inquiries, max_wait: float = MAX_WAIT) -> None:
        self._inquiries, self._max_wait = inquiries, max_wait
        self._asked: dict[str, Asked] = {}

    async def ask(
        self, title: str, items: list[dict[str, Any]], key: str | None, seconds: float | None, tell: Tell
    ) -> Together:
        """Ask for all, and wait so long; a call that is cancelled withdraws what waits."""
        sending = asyncio.ensure_future(self._send(title, items, key))
        try:
            asked = await asyncio.shield(sending)
            return await self._wait(asked, seconds, tell)
        except asyncio.CancelledError:
            with suppress(Exception):
                tickets = (await sending).tickets
                await asyncio.gather(*(self._inquiries.withdraw(one.id) for _, one in tickets))
            raise
        except Invalid as error:
            return Together(
                id=None, status="invalid", message=texts.stopped(BATCH, error), waiting=0, items=[]
            )
        except SignoffError as error:
            raise unavailable(BATCH, error) from None

    async def check(self, id: str, seconds: float | None, tell: Tell) -> Together:
        """Wait for a batch that was asked before, or look at it."""
        asked = self._asked.get(id)
        if asked is None:
            raise ToolError(UNKNOWN)
        return await self._wait(asked, seconds, tell)

    async def _send(self, title: str, items: list[dict[str, Any]], key: str | None) -> Asked:
        async with self._inquiries.client.batch(title, key=key) as batch:
            tickets = [(item["action"], _add(batch, number, item)) for number, item in enumerate(items)]
        for (_, ticket), item in zip(tickets, items, strict=True):
            self._inquiries.note_sent(ticket.id, item["payload"])
        asked = Asked(secrets.token_hex(16), tuple(tickets))
        self._asked[asked.id] = asked
        while len(self._asked) > MOST_KEPT:
            self._asked.pop(next(iter(self._asked)))
        return asked

    async def _wait(self, asked: Asked, seconds: float | None, tell: Tell) -> Together:
        """Until all have ended, the time is over, or a person asks something about one of them."""
        limit = self._max_wait if seconds is None else min(seconds, self._max_wait)
        talks, tickets = self._inquiries.talks, asked.tickets
        ends = [asyncio.ensure_future(one.wait(limit)) for _, one in tickets]
        news = [asyncio.ensure_future(talks.asked(one.id)) for _, one in tickets] if talks else []
        all_ended = asyncio.ensure_future(asyncio.wait(ends))
        try:
            async with telling(tell, BATCH, limit):
                await asyncio.wait({all_ended, *news}, return_when=asyncio.FIRST_COMPLETED)
            found = [
                await self._outcome(ticket.id, action, end)
                for (action, ticket), end in zip(tickets, ends, strict=True)
            ]
        finally:
            for one in (*ends, *news, all_ended):
                one.cancel()
            await asyncio.gather(*ends, *news, all_ended, return_exceptions=True)
        return _told(asked.id, found)

    async def _outcome(self, id: str, action: str, end: asyncio.Future[Any]) -> Outcome:
        """How one stands; raises ToolError where that cannot be had."""
        try:
            if end.done():
                return self._inquiries.ended(end.result())
        except WaitTimeout:
            pass
        except NotApproved as error:
            return outcomes.refused(error, action)
        except SignoffError as error:
            raise unavailable(action, error) from None
        found = await self._inquiries.state(id)
        if isinstance(found, Receipt):
            return self._inquiries.ended(found)
        return self._inquiries.pending(id, action, found)


def _add(batch: AsyncBatch, number: int, item: dict[str, Any]) -> AsyncTicket:
    claims = {name: value for name, value in item.items() if name not in ("action", "payload")}
    try:
        return batch.request(item["action"], item["payload"], **cast(Any, claims))
    except Invalid as error:
        raise Invalid(f"requests[{number}]: {error.detail}") from None


def _told(id: str, found: list[Outcome]) -> Together:
    """All of it; pure."""
    waiting = sum(one["status"] == "pending" for one in found)
    approved = sum(one["status"] == "approved" for one in found)
    parts = [outcomes.ASKS] if any(one["questions"] for one in found) else []
    parts.append((WAITS if waiting else ENDED).format(waiting=waiting, all=len(found), approved=approved))
    parts += [RUN] if approved else [] if waiting else [NOTHING]
    items = [cast(Stand, {name: one[name] for name in Stand.__annotations__}) for one in found]  # type: ignore[literal-required]
    return Together(
        id=id, status="pending" if waiting else "ended", message=" ".join(parts), waiting=waiting, items=items
    )


def add(server: MCPServer[Any], inquiries: Inquiries, max_wait: float) -> None:
    """The tools, added to a server."""
    batches = Batches(inquiries, max_wait)

    @server.tool(title="Ask a person for several approvals at once")
    async def request_batch(
        title: Annotated[str, Field(description="What all of it is for, in a line. People see it first.")],
        requests: Annotated[list[Item], Field(min_length=1, max_length=MOST, description="What is to run.")],
        reason: Annotated[str, Field(description="Why all of it should run, in a sentence or two.")],
        ctx: Context[Any, Any],
        reversible: Annotated[
            Reversible, Field(description="What cannot be undone is shown on a card of its own.")
        ] = "irreversible",
        key: Annotated[str | None, Field(description="Asking again with it attaches to the first.")] = None,
        expires_in: Annotated[float | None, Field(description="Seconds until it ends, unanswered.")] = None,
        max_wait_seconds: Seconds = None,
    ) -> Together:
        """Ask a person for several actions of one piece of work: they see one card, and decide on each. Run
        an item only if its own status is approved, with exactly its own payload."""
        named: str | None = said(ctx_meta(ctx), key=key).get("key")
        common = said({}, key=None, reason=reason, reversible=reversible, expires_in=expires_in)
        items = [
            common | {name: value for name, value in one.items() if value is not None} for one in requests
        ]
        asking = batches.ask(title, items, named, max_wait_seconds, ctx.report_progress)
        return await whole(asking, BATCH)

    @server.tool(title="Look what of a batch was approved")
    async def check_batch(
        id: Annotated[str, Field(description="Of request_batch.")],
        ctx: Context[Any, Any],
        max_wait_seconds: Seconds = None,
    ) -> Together:
        """Wait until all of a batch has ended, or look at it with max_wait_seconds=0."""
        return await whole(batches.check(id, max_wait_seconds, ctx.report_progress), BATCH)
