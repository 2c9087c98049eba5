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
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self, TypeVar, Unpack

from signoff.adapters import texts
from signoff.adapters.arguments import filled
from signoff.adapters.tools import Claims, ToolOptions, Tools, ToolTable
from signoff.client import asked
from signoff.client.client import AsyncSignoff, AsyncTicket
from signoff.client.face import Made, Signoff
from signoff.client.pending import WAITING
from signoff.errors import NOT_APPROVED, Cancelled, SignoffError, WaitTimeout
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


@dataclass(frozen=True)
class Call:
    """One tool call of a model.

    `key` names this call and no other, also after a kill and a resume: thread or run, the model message's id
    and the call's id (providers repeat call ids). `run` names the piece of work: its cards share a thread.
    `reason` is what the model said with the call, if anything; `schema` the JSON Schema of the arguments.
    `claims` are what else is said of this call, where the options of its tool say nothing else.
    """

    name: str
    args: Mapping[str, Any]
    key: str
    run: str | None = None
    reason: str = ""
    schema: Mapping[str, Any] | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Go:
    """It may run, now and once, with `args` and nothing else. `told` is for the model, beside the result: who
    changed what, and the approver's note; empty where there is nothing to tell. `receipt` is None where
    nobody had to be asked: the tool is not gated, or its condition said so.
    """

    args: dict[str, Any]
    receipt: ApprovedReceipt | None = None
    told: str = ""


@dataclass(frozen=True)
class Stop:
    """It must not run: `text` says so to the model. `error` is for the program."""

    text: str
    error: SignoffError


@dataclass(frozen=True)
class Pending:
    """Nobody has decided within `suspend_after`. The request stands: deciding the same call again attaches to
    it. `code` is what people see of its id."""

    id: str
    action: str
    code: str


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
    gives the action of a tool whose options name none. Raises TypeError for options that there are not.
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
        self._client = client
        self._table = ToolTable(tools, claims, named)
        self._framework = framework
        self._wait = wait

    def gates(self, name: str) -> bool:
        """Whether calls of this tool are asked about: where not, leave them alone."""
        return self._table.options(name) is not None

    async def decide(
        self, call: Call, *, suspend_after: float | None = None, spends: bool = True, keeps: bool = False
    ) -> Go | Stop | Pending:
        """What is to become of a call; a cancelled one withdraws its request, unless it `keeps` it.

        With `suspend_after` it is Pending after so many seconds, and the request stands. Raises nothing but
        what cancels it. Without `spends` a Go is no leave to run: it says that one will be had.
        """
        try:
            tool, payload = self._read(call)
            if tool is None or not await tool.asks_async(payload):
                return Go(payload)
            work = _Work(call, tool, payload, suspend_after, spends, keeps)
            return await self._on(partial(self._decide, work), partial(self._unused, work))
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
        with suppress(SignoffError):
            await self._on(lambda client: client.cancel(pending.id, reason))

    async def report(self, go: Go, *, succeeded: bool, note: str = "") -> None:
        """Say what became of it: its card shows it; never raises, nor takes long."""
        if go.receipt is not None:
            receipt = go.receipt
            await self._on(lambda client: _report(client, receipt.id, succeeded, note))

    def report_blocking(self, go: Go, *, succeeded: bool, note: str = "") -> None:
        """`report`, for a thread; of a Signoff."""
        if go.receipt is not None:
            receipt = go.receipt
            with suppress(SignoffError):
                self._blocking()._call(lambda client: _report(client, receipt.id, succeeded, note))

    def reported(self, go: Go) -> Reported:
        """`with` or `async with`: what stands inside is the run, and how it ended is reported."""
        return Reported(self, go)

    def _read(self, call: Call) -> tuple[ToolOptions | None, dict[str, Any]]:
        """What is said of its tool, if that is gated, and what would run."""
        tool, args = self._table.options(call.name), filled(call.args, call.schema)
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
            work.sent = asyncio.create_task(asking)
            # Cancelled in this moment it may be on its way already: whoever takes it back waits for it.
            ticket = await asyncio.shield(work.sent)
            log.info(WAITING, tool.name, code(ticket.id), ticket.id)
            try:
                go = await self._answered(client, ticket, payload, work.suspend_after)
            except Cancelled as error:
                if error.receipt is None or error.receipt.reason != ABANDONED:
                    raise
                continue
            if work.spends and isinstance(go, Go) and go.receipt:
                await client.spend(go.receipt)
            return go
        raise Cancelled(ABANDONED)

    async def _answered(
        self, client: AsyncSignoff, ticket: AsyncTicket, payload: dict[str, Any], suspend_after: float | None
    ) -> Go | Pending:
        limits = [limit for limit in (suspend_after, self._wait) if limit is not None]
        try:
            receipt = await ticket.wait(min(limits, default=None))
        except WaitTimeout:
            if suspend_after is not None:
                return Pending(ticket.id, ticket._action, code(ticket.id))
            withdrawn = await ticket.cancel(f"Nobody decided within {self._wait:g} seconds.")
            if withdrawn.status == "cancelled":
                raise
            if not isinstance(withdrawn, ApprovedReceipt):  # decided in that very moment
                raise NOT_APPROVED[withdrawn.status](withdrawn.reason, withdrawn) from None
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
        if isinstance(decided, Go) and decided.receipt and work.spends:
            await self.report(decided, succeeded=False, note=asked.GAVE_UP)

    async def _on(
        self,
        made: Made[T],
        unused: Callable[[T], Coroutine[Any, Any, None]] | None = None,
    ) -> T:
        if isinstance(self._client, Signoff):
            return await self._client._call_async(made, unused)
        return await asked.taken(made(self._client), unused)

    def _blocking(self) -> Signoff:
        if not isinstance(self._client, Signoff):
            raise TypeError("Outside an event loop an adapter needs a Signoff, not an AsyncSignoff.")
        return self._client


class Reported:
    """The run of one approved call; see `Calls.reported`."""

    def __init__(self, calls: Calls, go: Go) -> None:
        self._calls, self._go = calls, go

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._calls.report_blocking(self._go, **_outcome(kind))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await self._calls.report(self._go, **_outcome(kind))


def _outcome(kind: type[BaseException] | None) -> dict[str, Any]:
    """What is told of a run: of what it raised, the type alone."""
    return {"succeeded": kind is None, "note": f"It raised {kind.__name__}." if kind else ""}


async def _report(client: AsyncSignoff, request_id: str, succeeded: bool, note: str) -> None:
    try:
        await client.report(request_id, succeeded=succeeded, note=note)
    except Exception as error:
        log.warning("the outcome of request %s could not be reported: %s", request_id, error)
