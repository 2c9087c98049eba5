"""A request that was asked and is waited for: its approval is spent, or it is left as its asker left it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from signoff.client import callers
from signoff.client.pending import WAITING
from signoff.client.spend import SPEND_SECONDS, Runs
from signoff.models.codes import code
from signoff.models.receipt import ApprovedReceipt, Receipt

log = logging.getLogger("signoff")
T = TypeVar("T")
GAVE_UP = "the caller gave up before it ran"
"""What is reported of an approval that was spent for nobody."""
WITHDRAWN = "Whoever asked has given up waiting."
LEAVE_SECONDS = 0.5
"""How long one who gives up is held, at most, while the request is withdrawn; after that it goes on alone."""
_leaving: set[asyncio.Task[None]] = set()


class Sent(Protocol):
    """A request or a question that was sent."""

    @property
    def id(self) -> str: ...
    @property
    def _action(self) -> str: ...


class Ticket(Sent, Protocol):
    """A request that was sent: an AsyncTicket."""

    async def wait(self, timeout: float | None) -> ApprovedReceipt: ...


class Client(Protocol):
    """What is needed of an AsyncSignoff."""

    async def spend(self, receipt: Receipt, timeout: float | None) -> None: ...
    async def _heed(self, receipt: Receipt) -> None: ...
    async def report(self, request_id: str, *, succeeded: bool, note: str) -> None: ...
    async def _withdraw(self, request_id: str, reason: str) -> None: ...
    def _is_closed(self) -> bool: ...


async def approved(
    signoff: Client,
    sent: Coroutine[Any, Any, Ticket],
    timeout: float | None,
    runs: Runs,
    key: object,
) -> ApprovedReceipt:
    """Send a request, wait for it, and spend its approval.

    Where this is cancelled meanwhile, or nobody waits for its thread any more, the request is withdrawn:
    nobody can ever attach to it again. With a `key` somebody can, so it stays pending. An approval that was
    spent already is reported as not succeeded.
    """
    sending = asyncio.ensure_future(sent)
    spending: asyncio.Future[None] | None = None
    try:
        async with callers.watched():
            ticket = await asyncio.shield(sending)
            log.info(WAITING, ticket._action, code(ticket.id), ticket.id)
            started = asyncio.get_running_loop().time()
            receipt = await ticket.wait(timeout)
            if runs == "at-least-once":
                await signoff._heed(receipt)
                return receipt
            if timeout is not None:
                timeout = max(SPEND_SECONDS, timeout - (asyncio.get_running_loop().time() - started))
            spending = asyncio.ensure_future(signoff.spend(receipt, timeout))
            await asyncio.shield(spending)
            return receipt
    except (asyncio.CancelledError, callers.GaveUp):
        await asyncio.wait({apart(_leave(signoff, sending, spending, key))}, timeout=LEAVE_SECONDS)
        raise


async def waited(signoff: Client, sent: Coroutine[Any, Any, Any], timeout: float | None, key: object) -> Any:
    """Send, and wait for what the ticket gives; left as `approved` leaves what it was cancelled in."""
    sending = asyncio.ensure_future(sent)
    try:
        async with callers.watched():
            ticket = await asyncio.shield(sending)
            log.info(WAITING, ticket._action, code(ticket.id), ticket.id)
            return await ticket.wait(timeout)
    except (asyncio.CancelledError, callers.GaveUp):
        await asyncio.wait({apart(_leave(signoff, sending, None, key))}, timeout=LEAVE_SECONDS)
        raise


async def taken(work: Coroutine[Any, Any, T], unused: Callable[[T], Coroutine[Any, Any, None]] | None) -> T:
    """`await work`; with `unused`, which takes a result that comes as the caller leaves, it is `watched`."""
    if unused is None:
        return await work
    results: list[T] = []
    try:
        async with callers.watched():
            results.append(await work)
    except callers.GaveUp:
        for result in results:
            await unused(result)
        raise
    return results[0]


def apart(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A task that no cancellation of ours reaches, and that is not forgotten."""
    task = asyncio.ensure_future(work)
    _leaving.add(task)
    task.add_done_callback(_leaving.discard)
    return task


async def unused(signoff: Client, receipt: Receipt, runs: Runs, key: object) -> None:
    """Report an approval that came when nobody waited any more; never raises.

    One that was not spent and has a key may still be run by who asks again: nothing is said of it.
    """
    if runs == "once" or key is None:
        try:
            await signoff.report(receipt.id, succeeded=False, note=GAVE_UP)
        except Exception as error:
            log.warning("that nobody ran %s could not be reported: %s", receipt.id, type(error).__name__)


async def kept(receipt: Receipt) -> None:
    """Nothing is said of an approval that a ticket can be asked for again."""


async def _leave(
    signoff: Client,
    sending: asyncio.Future[Any],
    spending: asyncio.Future[None] | None,
    key: object,
) -> None:
    try:
        ticket = await sending
        if signoff._is_closed():
            return  # whoever closed it wants no connection of its own for this
        if spending is not None:
            await spending
            await signoff.report(ticket.id, succeeded=False, note=GAVE_UP)
        elif key is None:
            await signoff._withdraw(ticket.id, WITHDRAWN)
    except Exception as error:
        log.warning("a request that nobody waits for could not be withdrawn: %s", type(error).__name__)
