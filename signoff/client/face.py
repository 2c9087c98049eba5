"""`Signoff`: the client for code without asyncio; works from any thread, and in a forked child.

Each client has one event loop, in a daemon thread of its own, so that it never meets a loop that the
program runs. All waits of a client share its two connections.
"""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self, TypeVar, Unpack, overload

from signoff.client import asked
from signoff.client.claims import Ask, Options, described
from signoff.client.client import AsyncSignoff, AsyncTicket, F
from signoff.client.handover import Handover
from signoff.client.inbox import Delivery
from signoff.client.pending import Pending
from signoff.client.spend import Runs
from signoff.errors import SignoffError
from signoff.models.receipt import ApprovedReceipt, Receipt

T = TypeVar("T")
Made = Callable[[AsyncSignoff], Coroutine[Any, Any, T]]
Unused = Callable[[T], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Ticket:
    """A request that was sent. `digest` is its payload's, None where this process did not send it."""

    id: str
    digest: str | None
    _client: Signoff
    _body: str | None = field(default=None, repr=False, compare=False)
    _action: str = field(default="", repr=False, compare=False)

    def wait(self, timeout: float | None = None) -> ApprovedReceipt:
        """The verified receipt, once approved: run `receipt.payload`, nothing else.

        `timeout` is in seconds; None waits until the request ends. Raises a NotApproved when it ends
        otherwise, WaitTimeout (it stays pending), Unreachable, or NotVerified.
        """
        return self._client._call(lambda signoff: self._on(signoff).wait(timeout), asked.kept)

    def get(self) -> Receipt | Pending | None:
        """Its state now: see AsyncSignoff.get."""
        return self._client.get(self.id)

    def cancel(self, reason: str = "") -> Receipt:
        """Withdraw it: see AsyncSignoff.cancel."""
        return self._client.cancel(self.id, reason)

    def _on(self, signoff: AsyncSignoff) -> AsyncTicket:
        return AsyncTicket(self.id, self.digest, signoff, self._body, self._action)


class Signoff:
    """An agent's client. Settings that are not given come from the environment.

    Nothing is looked up or connected before the first call; one client serves any number of threads.
    The methods are AsyncSignoff's, and blocking.
    """

    def __init__(
        self, *, redis_url: str | None = None, agent: str | None = None, verify_key: str | None = None
    ) -> None:
        self._given = {"redis_url": redis_url, "agent": agent, "verify_key": verify_key}
        self._reset()
        _clients.add(self)

    @property
    def agent(self) -> str:
        """This agent's name; raises ConfigError."""
        return self._async.agent

    @described(Ask)
    def request(self, action: str, payload: Mapping[str, Any], **ask: Unpack[Ask]) -> Ticket:
        """Ask, and go on: `wait` on the ticket tells what was decided. Raises Invalid or Unreachable.

        `action` and `payload` are those of `ask`. With a `key`, asking again attaches to the first.
        """
        ticket = self._call(lambda signoff: signoff.request(action, payload, **ask))
        return Ticket(ticket.id, ticket.digest, self, ticket._body, ticket._action)

    @described(Ask)
    def ask(
        self,
        action: str,
        payload: Mapping[str, Any],
        *,
        timeout: float | None = None,
        runs: Runs = "once",
        **ask: Unpack[Ask],
    ) -> ApprovedReceipt:
        """Ask, wait, and spend the approval: `request`, `wait` and `spend` in one.

        What comes back may run now: with its `payload`, which a person may have edited. Raises NotApproved,
        WaitTimeout (the request stays pending), Invalid, Unreachable.

        `action` names what is to run, as `refund.create`: letters, digits and . _ : / @ -, at most 100.
        `payload` is what it runs with: a dict of JSON values, which people see and may edit.
        `timeout` is in seconds; None waits until the request ends.
        `runs` is "once": one process alone may run it; with "at-least-once" nothing is spent, and every
        process that asks with the same `key` may run it until one has reported.
        """
        return self._call(
            lambda signoff: signoff.ask(action, payload, timeout=timeout, runs=runs, **ask),
            self._unused(runs, ask.get("key")),
        )

    @described(Ask)
    async def ask_async(
        self,
        action: str,
        payload: Mapping[str, Any],
        *,
        timeout: float | None = None,
        runs: Runs = "once",
        **ask: Unpack[Ask],
    ) -> ApprovedReceipt:
        """`ask`, with the same arguments, for a coroutine of any event loop."""
        return await self._call_async(
            lambda signoff: signoff.ask(action, payload, timeout=timeout, runs=runs, **ask),
            self._unused(runs, ask.get("key")),
        )

    def resume(self, request_id: str, digest: str | None = None) -> Ticket:
        """The ticket of a request sent before: see AsyncSignoff.resume."""
        ticket = self._async.resume(request_id, digest)
        return Ticket(ticket.id, ticket.digest, self)

    def get(self, request_id: str) -> Receipt | Pending | None:
        """A request's state now: see AsyncSignoff.get."""
        return self._call(lambda signoff: signoff.get(request_id))

    def received(self, request_id: str, timeout: float) -> bool:
        """Whether a server has taken the request within `timeout` seconds."""
        return self._call(lambda signoff: signoff.received(request_id, timeout))

    def cancel(self, request_id: str, reason: str = "") -> Receipt:
        """Withdraw a request: see AsyncSignoff.cancel."""
        return self._call(lambda signoff: signoff.cancel(request_id, reason))

    def spend(self, receipt: Receipt, timeout: float | None = None) -> None:
        """Have this process be the one that runs what was approved: see AsyncSignoff.spend."""
        self._call(lambda signoff: signoff.spend(receipt, timeout))

    def report(self, request_id: str, *, succeeded: bool, note: str = "") -> None:
        """Say what became of an approved action: see AsyncSignoff.report."""
        self._call(lambda signoff: signoff.report(request_id, succeeded=succeeded, note=note))

    async def report_async(self, request_id: str, *, succeeded: bool, note: str = "") -> None:
        """`report`, for a coroutine of any event loop."""
        await self._call_async(lambda signoff: signoff.report(request_id, succeeded=succeeded, note=note))

    def decisions(self, group: str = "default") -> Iterator[Delivery]:
        """Every decision as it arrives, for ever; `delivery.ack()` each: see AsyncSignoff.decisions."""
        arrivals = self._async.decisions(group)

        async def next_delivery(_: AsyncSignoff) -> Delivery:
            return await anext(arrivals)

        async def acknowledge(delivery: Delivery, _: AsyncSignoff) -> None:
            await delivery.ack()

        try:
            while True:
                delivery = self._call(next_delivery)
                yield Delivery(delivery.receipt, partial(self._call, partial(acknowledge, delivery)))
        finally:
            self._call(lambda _: arrivals.aclose())

    @overload
    def require_approval(self, function: F, /) -> F: ...
    @overload
    def require_approval(self, function: None = None, /, **options: Unpack[Options]) -> Callable[[F], F]: ...
    @described(Options)
    def require_approval(self, function: Any = None, /, **options: Any) -> Any:
        """Decorator: asks before the function runs. See `signoff.client.gate.require_approval`.

        Its options, and all that `Ask` says but `schema`:
        """
        from signoff.client import gate

        return gate.require_approval(self, function, **options)

    def close(self) -> None:
        """Let the connections and the thread go. The client may be used again."""
        loop = self._loop
        if loop is not None:
            with suppress(SignoffError):
                self._call(lambda signoff: signoff.close())
            loop.call_soon_threadsafe(loop.stop)
            self._reset()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._async = AsyncSignoff(**self._given)

    def _start(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_serve_calls, args=(self._loop,), name="signoff", daemon=True).start()
            return self._loop

    def _call(self, made: Made[T], unused: Unused[T] | None = None) -> T:
        """What `made` makes, run in this client's loop. `unused`: see Handover; with it, GaveUp is raised."""
        return self._hand_over(made, unused).result()

    async def _call_async(self, made: Made[T], unused: Unused[T] | None = None) -> T:
        return await self._hand_over(made, unused).result_async()

    def _hand_over(self, made: Made[T], unused: Unused[T] | None) -> Handover[T]:
        return Handover(self._start(), partial(made, self._async), unused)

    def _unused(self, runs: Runs, key: object) -> Unused[ApprovedReceipt]:
        signoff = self._async
        return lambda receipt: asked.unused(signoff, receipt, runs, key)


def _serve_calls(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
        loop.run_until_complete(_end_the_rest())
    finally:
        loop.close()


async def _end_the_rest() -> None:
    """What other threads still wait for: they are told that it is over."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


_clients: weakref.WeakSet[Signoff] = weakref.WeakSet()
_left_to_the_parent: list[object] = []


def _after_fork() -> None:
    """A child has the parent's sockets but not its thread: it gets a loop and connections of its own.

    The parent's are kept, unused, for ever: closing them here would take them out of the selector that
    both processes share.
    """
    for client in list(_clients):
        _left_to_the_parent.extend((client._loop, client._async))
        client._reset()


if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(after_in_child=_after_fork)
