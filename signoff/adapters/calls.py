"""What every adapter does with a model's tool call: ask, wait, say what may run or what the model is told.

    calls = Calls(Signoff(), {"refund": {"reversible": False}}, framework="mine")
    decided = await calls.decide(Call("refund", {"amount": 120}, key=f"{thread}:{message}:{call}"))
    if isinstance(decided, Stop):
        return decided.text                     # as an error of the tool
    async with calls.reported(decided):
        return await refund(**decided.args)     # just what was approved

Nothing that goes wrong here is raised: it is a Stop, with a text for the model that names no host or path.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Collection, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, Unpack

from signoff.adapters import outcomes, texts
from signoff.adapters.answers import Call as Call
from signoff.adapters.answers import Go as Go
from signoff.adapters.answers import Pending as Pending
from signoff.adapters.answers import Stop as Stop
from signoff.adapters.arguments import added, filled
from signoff.adapters.outcomes import Reported
from signoff.adapters.tools import Claims, ToolOptions, Tools, ToolTable
from signoff.client import asked
from signoff.client.client import AsyncSignoff, AsyncTicket
from signoff.client.face import Made, Signoff
from signoff.client.pending import WAITING
from signoff.client.spend import SPEND_SECONDS
from signoff.errors import Cancelled, SignoffError, WaitTimeout, refusal
from signoff.models.codes import code
from signoff.models.receipt import ApprovedReceipt
from signoff.payload.canonical import canonical, parse

log = logging.getLogger("signoff")
T = TypeVar("T")

ABANDONED = "The run that asked for it was cancelled."
"""Why an adapter withdraws a request: whoever resumes that run asks anew, with a card of its own."""
ROUNDS = 100
"""How often one call is asked anew after it was abandoned."""
ABANDON_SECONDS = 0.5
"""How long a cancelled run is held, at most, while its request is withdrawn; after that it goes on alone."""
MAX_KEY = 255
UNSAID: Claims = {"reversible": "irreversible"}
"""What counts where nothing is said of a tool."""


@dataclass
class _Work:
    """One call that is decided on; `sent` is there once it was begun to ask."""

    call: Call
    tool: ToolOptions
    payload: dict[str, Any]
    suspend_after: float | None = None
    spends: bool = True
    keeps: bool = False
    sent: asyncio.Task[AsyncTicket] | None = None


class Calls:
    """Decides on the tool calls of one agent, over either client; any number at once.

    `tools` says which are gated and how (see `signoff.adapters.tools.Tools`); `claims` are said of all of
    them (`signoff.client.claims.Claims`). `framework` begins every key. After `wait` seconds a request that
    nobody has decided is withdrawn, and the model told so; None waits until it ends by itself. `named`
    gives the action of a tool whose options name none. Raises TypeError for options that there are not, and
    for `tools` that gate nothing.
    """

    def __init__(
        self,
        client: Signoff | AsyncSignoff,
        tools: Tools = None,
        *,
        framework: str,
        wait: float | None = None,
        named: Callable[[str], str] | None = None,
        **claims: Unpack[Claims],
    ) -> None:
        if not isinstance(client, Signoff | AsyncSignoff):
            raise TypeError(f"The client is a Signoff or an AsyncSignoff, not {type(client).__name__}.")
        if wait is not None and (isinstance(wait, bool) or not isinstance(wait, int | float) or not wait > 0):
            raise TypeError(f"wait is {wait!r:.60}: write seconds, such as wait=600, or leave it out.")
        self._client = client
        self._table = ToolTable(tools, claims, named)
        self._framework = framework
        self._wait = wait

    def gates(self, name: str) -> bool:
        """Whether calls of this tool are asked about: where not, leave them alone."""
        return self._table.options(name) is not None

    def known(self, names: Collection[str], *, complete: bool = False) -> None:
        """Take note of the tools that there are: what is said of a name or pattern that fits none gates
        nothing. That is logged as a warning, once; where the names are `complete`, it is a TypeError.
        """
        self._table.known(names, complete)

    @property
    def blocking(self) -> bool:
        """Whether `decide_blocking` can be called: of a Signoff, and not of an AsyncSignoff."""
        return isinstance(self._client, Signoff)

    async def decide(
        self, call: Call, *, suspend_after: float | None = None, spends: bool = True, keeps: bool = False
    ) -> Go | Stop | Pending:
        """What is to become of a call; a cancelled one withdraws its request, unless it `keeps` it.

        With `suspend_after` it is Pending after so many seconds, and the request stands; where `wait` is no
        longer than that, it is withdrawn instead. Raises nothing but what cancels it. Without `spends` a Go
        is no leave to run: it says that one will be had.
        """
        try:
            tool, payload = self._read(call)
            if tool is None or not await tool.asks_async(payload):
                return Go(payload)
            work = _Work(call, tool, payload, suspend_after, spends, keeps)
            return await self._on(partial(self._decide, work), partial(self._unused, work))
        except asyncio.CancelledError as error:  # a condition's own, maybe
            if _is_cancelled():
                raise
            return self._stop(call, SignoffError(f"{type(error).__name__}."))
        except Exception as error:  # of the client's own loop
            return self._stop(call, error)

    def decide_blocking(self, call: Call, *, suspend_after: float | None = None) -> Go | Stop | Pending:
        """`decide`, for a thread; of a Signoff. Where nobody waits for that thread any more it is a Stop."""
        client = self._blocking()
        try:
            tool, payload = self._read(call)
            if tool is None or not tool.asks(payload, lambda said: client._call(lambda _: said)):
                return Go(payload)
            work = _Work(call, tool, payload, suspend_after)
            made, unused = partial(self._decide, work), partial(self._unused, work)
            decided: Go | Stop | Pending = client._call(made, unused)
            return decided
        except Exception as error:
            return self._stop(call, error)

    async def withdraw(self, pending: Pending, reason: str = ABANDONED) -> None:
        """Take back what is Pending; never raises. What was decided meanwhile is not run."""
        with suppress(Exception):
            await self._on(lambda client: client.cancel(pending.id, reason))

    async def report(self, go: Go, *, succeeded: bool, note: str = "") -> None:
        """Say what became of it: its card shows it; never raises, nor takes long."""
        if go.receipt is not None:
            receipt = go.receipt
            with suppress(Exception):  # the client's, where it is closed by now
                await self._on(lambda client: outcomes.report(client, receipt.id, succeeded, note))

    def report_blocking(self, go: Go, *, succeeded: bool, note: str = "") -> None:
        """`report`, for a thread; of a Signoff."""
        if go.receipt is not None:
            receipt = go.receipt
            client = self._blocking()
            with suppress(Exception):
                client._call(lambda client: outcomes.report(client, receipt.id, succeeded, note))

    def reported(self, go: Go) -> Reported:
        """`with` or `async with`: what stands inside is the run, and how it ended is reported."""
        return Reported(self, go)

    def _read(self, call: Call) -> tuple[ToolOptions | None, dict[str, Any]]:
        """What is said of its tool, if that is gated, and what would run."""
        tool = self._table.options(call.name)
        args = filled(call.args, call.schema, closed=call.closed and tool is not None)
        return tool, parse(canonical(args)) if tool else args

    async def _decide(self, work: _Work, client: AsyncSignoff) -> Go | Stop | Pending:
        """What is to become of a call, in the client's loop."""
        try:
            return await self._asked(work, client)
        except asyncio.CancelledError:
            if work.keeps:
                raise
            await asyncio.wait({asked.apart(self._withdraw(work, client))}, timeout=ABANDON_SECONDS)
            raise
        except Exception as error:
            return self._stop(work.call, error)

    async def _asked(self, work: _Work, client: AsyncSignoff) -> Go | Pending:
        call, tool, payload = work.call, work.tool, work.payload
        said = {**UNSAID, "run": call.run, **call.claims, **tool.said(payload, call.reason)}
        for number in range(ROUNDS):
            key = self._key(call, number)
            asking = client.request(tool.name, payload, key=key, schema=call.schema, **said)
            work.sent, started = asyncio.create_task(asking), asyncio.get_running_loop().time()
            # Cancelled in this moment it may be on its way already: whoever takes it back waits for it.
            ticket = await asyncio.shield(work.sent)
            log.info(WAITING, tool.name, code(ticket.id), ticket.id)
            try:
                go = await self._answered(client, ticket, payload, work.suspend_after)
            except Cancelled as error:
                if error.receipt is None or error.receipt.reason != ABANDONED:
                    raise
                continue
            if isinstance(go, Go) and go.receipt:
                await self._checked(work, client, go.receipt)
                if work.spends:
                    await client.spend(go.receipt, self._left(work, started))
            return go
        raise Cancelled(ABANDONED)

    def _left(self, work: _Work, started: float) -> float | None:
        """How long a server is given to say who may run what is approved."""
        limits = [limit for limit in (work.suspend_after, self._wait) if limit is not None]
        spent = asyncio.get_running_loop().time() - started
        return max(SPEND_SECONDS, min(limits) - spent) if limits else None

    async def _checked(self, work: _Work, client: AsyncSignoff, receipt: ApprovedReceipt) -> None:
        """Raise Unfit for an edit that adds what the tool does not take: told as done, it would not be.

        Its approval is spent all the same, so that nothing that knows less of the tool runs it.
        """
        names = added(receipt.payload, work.payload, work.call.schema) if receipt.edited else []
        if not names:
            return
        if work.spends:
            with suppress(SignoffError):
                await client.spend(receipt, SPEND_SECONDS)
                await outcomes.report(client, receipt.id, False, texts.UNFIT)
        raise texts.Unfit(texts.unfit(receipt, names))

    async def _answered(
        self, client: AsyncSignoff, ticket: AsyncTicket, payload: dict[str, Any], suspend_after: float | None
    ) -> Go | Pending:
        limits = [limit for limit in (suspend_after, self._wait) if limit is not None]
        try:
            receipt = await ticket.wait(min(limits, default=None))
        except WaitTimeout:
            if suspend_after is not None and (self._wait is None or suspend_after < self._wait):
                return Pending(ticket.id, ticket._action, code(ticket.id))
            withdrawn = await ticket.cancel(f"Nobody decided within {self._wait:g} seconds.")
            if withdrawn.status == "cancelled":
                raise
            if not isinstance(withdrawn, ApprovedReceipt):  # decided in that very moment
                raise refusal(withdrawn) from None
            receipt = withdrawn
        return Go(receipt.payload, receipt, texts.told(receipt, payload))

    def _stop(self, call: Call, error: Exception) -> Stop:
        if not isinstance(error, SignoffError):
            log.error("%s was not run, as Signoff's adapter failed", call.name, exc_info=error)
            error = SignoffError(f"{type(error).__name__}.")
        elif not texts.is_expected(error):
            log.error("%s was not run: %s", call.name, error)
        return Stop(texts.stopped(call.name[:100], error), error)

    def _key(self, call: Call, number: int) -> str:
        key = f"{self._framework}:{call.key}" + (f"#{number + 1}" if number else "")
        if len(key) <= MAX_KEY and key.isascii():
            return key
        return f"{self._framework}:{hashlib.sha256(key.encode(errors='surrogatepass')).hexdigest()}"

    async def _withdraw(self, work: _Work, client: AsyncSignoff) -> None:
        """Take back what a cancelled run has asked; never raises."""
        with suppress(Exception):
            if work.sent is not None:
                ticket = await work.sent
                receipt = await ticket.cancel(ABANDONED)
                if receipt.status in ("approved", "duplicate"):
                    await client.report(ticket.id, succeeded=False, note=asked.GAVE_UP)

    async def _unused(self, work: _Work, decided: Go | Stop | Pending) -> None:
        """Whoever asked had left when this came."""
        if isinstance(decided, Pending) and not work.keeps:
            await self.withdraw(decided)
        if isinstance(decided, Go) and decided.receipt and work.spends:
            await self.report(decided, succeeded=False, note=asked.GAVE_UP)

    async def _on(
        self,
        made: Made[T],
        unused: Callable[[T], Coroutine[Any, Any, None]] | None = None,
    ) -> T:
        try:
            if isinstance(self._client, Signoff):
                return await self._client._call_async(made, unused)
            return await asked.taken(made(self._client), unused)
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            raise SignoffError("The client was closed.") from None  # whoever waits here goes on

    def _blocking(self) -> Signoff:
        if not isinstance(self._client, Signoff):
            raise TypeError("Outside an event loop an adapter needs a Signoff, not an AsyncSignoff.")
        return self._client


def _is_cancelled() -> bool:
    """Whether it is this very task that is being cancelled, and not what it waits for."""
    task = asyncio.current_task()
    return task is None or bool(task.cancelling())
