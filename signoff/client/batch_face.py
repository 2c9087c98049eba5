"""A batch for code without asyncio: see `client.batch`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Self, TypeVar, Unpack

from signoff.client import asked
from signoff.client.batch import AsyncBatch, Draft, Receipts
from signoff.client.claims import Ask, described
from signoff.client.spend import Runs
from signoff.client.ticket import Face, Ticket
from signoff.models.receipt import Receipt

T = TypeVar("T")
Made = Callable[[Any], Coroutine[Any, Any, T]]
Unused = Callable[[T], Coroutine[Any, Any, None]]


class Batch:
    """A batch: `with signoff.batch("Clean up 40 branches") as b: b.request(...)`.

    Nothing is sent before the end of the block, and nothing at all where it raises. Then all is sent, and
    people see one card; what the policy does not let share it has a card of its own. In a coroutine of any
    event loop: `async with`, `wait_async`, `results_async`.
    """

    def __init__(self, draft: Draft, client: Face) -> None:
        self._draft = draft
        self._client = client

    @property
    def tickets(self) -> tuple[Ticket, ...]:
        """Of its requests, in order. Each may be waited for by itself."""
        return tuple(Ticket.of(one, self._client) for one in self._draft.tickets)

    @described(Ask)
    def request(self, action: str, payload: Mapping[str, Any], **ask: Unpack[Ask]) -> Ticket:
        """One more request: checked at once, and sent with the others. Raises Invalid.

        `action` and `payload` are those of `Signoff.ask`. It has the batch's key and run, unless it brings
        its own.
        """
        return Ticket.of(self._draft.add(action, payload, ask), self._client)

    def wait(self, timeout: float | None = None, *, runs: Runs = "once") -> Receipts:
        """What became of all of it, in order, once nothing of it waits: see `AsyncBatch.wait`."""
        made, unused = partial(_wait, self._draft, timeout, runs), partial(self._unused, runs)
        found: Receipts = self._client._call(made, unused)
        return found

    async def wait_async(self, timeout: float | None = None, *, runs: Runs = "once") -> Receipts:
        """`wait`, for a coroutine of any event loop."""
        made, unused = partial(_wait, self._draft, timeout, runs), partial(self._unused, runs)
        return await self._client._call_async(made, unused)

    def results(self, timeout: float | None = None, *, runs: Runs = "once") -> Iterator[Receipt]:
        """Each receipt as it comes, of any status; `wait` says what is spent, and what is raised."""
        arrivals = self._draft.results(timeout, runs)
        try:
            while found := self._client._call(partial(_next, arrivals)):
                yield found
        finally:
            with suppress(RuntimeError):  # the client was closed meanwhile, and what it waited for with it
                self._client._call(lambda _: arrivals.aclose())

    async def results_async(
        self, timeout: float | None = None, *, runs: Runs = "once"
    ) -> AsyncGenerator[Receipt, None]:
        """`results`, for a coroutine of any event loop."""
        arrivals = self._draft.results(timeout, runs)
        try:
            while found := await self._client._call_async(partial(_next, arrivals)):
                yield found
        finally:
            await self._client._call_async(lambda _: arrivals.aclose())

    async def _unused(self, runs: Runs, receipts: Receipts) -> None:
        """They came when nobody waited any more: what was spent for nobody is reported as not run."""
        for one in receipts.approved:
            await asked.unused(self._draft.client, one, runs, self._draft.key)  # type: ignore[arg-type]

    def __enter__(self) -> Self:
        self._draft.open()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._draft.close(kind is not None)
        if kind is None:
            self._client._call(lambda _: self._draft.send())

    async def __aenter__(self) -> Self:
        self._draft.open()
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        self._draft.close(kind is not None)
        if kind is None:
            await self._client._call_async(lambda _: self._draft.send())


async def _wait(draft: Draft, timeout: float | None, runs: Runs, _: object) -> Receipts:
    return await AsyncBatch(draft).wait(timeout, runs=runs)


async def _next(arrivals: AsyncGenerator[tuple[int, Receipt], None], _: object) -> Receipt | None:
    found = await anext(arrivals, None)
    return None if found is None else found[1]
