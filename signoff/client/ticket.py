"""A request that was sent, as its agent holds it: to wait for its end, look at it, or withdraw it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from signoff.client import asked, mistakes
from signoff.client.inquiries import Inquiry
from signoff.client.pending import Pending
from signoff.errors import NotApproved
from signoff.models.receipt import ApprovedReceipt, Receipt

T = TypeVar("T")
Made = Callable[[Any], Coroutine[Any, Any, T]]
Unused = Callable[[T], Coroutine[Any, Any, None]]


class Client(Protocol):
    """What a ticket needs of an AsyncSignoff."""

    async def get(
        self, request_id: str | None = None, *, key: str | None = None
    ) -> Receipt | Pending | None: ...

    async def cancel(
        self, request_id: str | None = None, reason: str = "", *, key: str | None = None
    ) -> Receipt: ...

    def _questions(self, request_id: str | None, key: str | None) -> AsyncGenerator[Inquiry, None]: ...

    async def _wait_for_receipt(self, ticket: AsyncTicket, timeout: float | None) -> ApprovedReceipt: ...


class Face(Protocol):
    """What a ticket needs of a Signoff."""

    def _call(self, made: Made[T], unused: Unused[T] | None = None) -> T: ...

    async def _call_async(self, made: Made[T], unused: Unused[T] | None = None) -> T: ...

    def _faced(self, inquiry: Inquiry) -> Inquiry: ...


@dataclass(frozen=True)
class AsyncTicket:
    """A request that was sent. `digest` is its payload's, None where this process did not send it.

    `id` is empty where `resume` was given a key alone: it is looked up by whatever is called first.
    """

    id: str
    digest: str | None
    _client: Client
    _body: str | None = field(default=None, repr=False, compare=False)
    _action: str = field(default="", repr=False, compare=False)
    _key: str | None = field(default=None, repr=False)

    async def wait(self, timeout: float | None = None) -> ApprovedReceipt:
        """The verified receipt, once approved: run `receipt.payload`, nothing else.

        `timeout` is in seconds; None waits until the request ends. Raises a NotApproved when it ends
        otherwise, WaitTimeout (it stays pending), Unreachable, or NotVerified.
        """
        mistakes.check_timeout(timeout)
        try:
            return await self._client._wait_for_receipt(self, timeout)
        except NotApproved as error:
            error.action = error.action or self._action
            raise

    async def get(self) -> Receipt | Pending | None:
        """Its state now."""
        return await self._client.get(self._id, key=self._key)

    async def cancel(self, reason: str = "") -> Receipt:
        """Withdraw it."""
        return await self._client.cancel(self._id, reason, key=self._key)

    async def questions(self) -> AsyncGenerator[Inquiry, None]:
        """What people ask about it, as they do, until it has ended: `await inquiry.answer(text)` each.

        They go to no handler of `on_question` then. Raises Unreachable or NotVerified.
        """
        async with aclosing(self._client._questions(self._id, self._key)) as found:
            async for inquiry in found:
                yield inquiry

    questions_async = questions
    wait_async = wait
    get_async = get
    cancel_async = cancel

    @property
    def _id(self) -> str | None:
        return None if self._key is not None else self.id


@dataclass(frozen=True)
class Ticket:
    """A request that was sent. `digest` is its payload's, None where this process did not send it.

    Each method has its `…_async` twin, for a coroutine of any event loop.
    """

    id: str
    digest: str | None
    _client: Face
    _body: str | None = field(default=None, repr=False, compare=False)
    _action: str = field(default="", repr=False, compare=False)
    _key: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, ticket: AsyncTicket, client: Face) -> Ticket:
        """The same request, for a client that blocks."""
        return cls(ticket.id, ticket.digest, client, ticket._body, ticket._action, ticket._key)

    def wait(self, timeout: float | None = None) -> ApprovedReceipt:
        """The verified receipt, once approved: run `receipt.payload`, nothing else.

        `timeout` is in seconds; None waits until the request ends. Raises a NotApproved when it ends
        otherwise, WaitTimeout (it stays pending), Unreachable, or NotVerified.
        """
        return self._client._call(lambda signoff: self._on(signoff).wait(timeout), asked.kept)

    async def wait_async(self, timeout: float | None = None) -> ApprovedReceipt:
        """`wait`, for a coroutine of any event loop. Cancelling it leaves the request as it is."""
        return await self._client._call_async(lambda signoff: self._on(signoff).wait(timeout))

    def get(self) -> Receipt | Pending | None:
        """Its state now: see AsyncSignoff.get."""
        return self._client._call(lambda signoff: self._on(signoff).get())

    async def get_async(self) -> Receipt | Pending | None:
        """`get`, for a coroutine of any event loop."""
        return await self._client._call_async(lambda signoff: self._on(signoff).get())

    def cancel(self, reason: str = "") -> Receipt:
        """Withdraw it: see AsyncSignoff.cancel."""
        return self._client._call(lambda signoff: self._on(signoff).cancel(reason))

    async def cancel_async(self, reason: str = "") -> Receipt:
        """`cancel`, for a coroutine of any event loop."""
        return await self._client._call_async(lambda signoff: self._on(signoff).cancel(reason))

    def questions(self) -> Iterator[Inquiry]:
        """What people ask about it, as they do, until it has ended: `inquiry.answer(text)` each.

        They go to no handler of `on_question` then. Raises Unreachable or NotVerified.
        """
        found: list[AsyncGenerator[Inquiry, None]] = []
        try:
            while inquiry := self._client._call(lambda signoff: self._next(signoff, found)):
                yield self._client._faced(inquiry)
        finally:
            if found:
                self._client._call(lambda _: found[0].aclose())

    async def questions_async(self) -> AsyncGenerator[Inquiry, None]:
        """`questions`, for a coroutine of any event loop: `await inquiry.answer_async(text)` each."""
        found: list[AsyncGenerator[Inquiry, None]] = []
        try:
            while inquiry := await self._client._call_async(lambda signoff: self._next(signoff, found)):
                yield self._client._faced(inquiry)
        finally:
            if found:
                await self._client._call_async(lambda _: found[0].aclose())

    async def _next(self, signoff: Client, found: list[AsyncGenerator[Inquiry, None]]) -> Inquiry | None:
        """The next question; the generator that gives them is made in the client's own event loop."""
        if not found:
            found.append(self._on(signoff).questions())
        return await anext(found[0], None)

    def _on(self, signoff: Client) -> AsyncTicket:
        return AsyncTicket(self.id, self.digest, signoff, self._body, self._action, self._key)
