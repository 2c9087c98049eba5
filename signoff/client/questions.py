"""A question that was asked of a person, as its agent holds it: to wait for the answer, or withdraw it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from signoff.client import asked, mistakes
from signoff.client.answer import Answer
from signoff.client.pending import Pending
from signoff.errors import NotApproved
from signoff.models.questions import Question
from signoff.models.receipt import Receipt

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

    async def _wait_for_answer(self, ticket: AsyncQuestionTicket, timeout: float | None) -> Receipt: ...


class Face(Protocol):
    """What a ticket needs of a Signoff."""

    def _call(self, made: Made[T], unused: Unused[T] | None = None) -> T: ...

    async def _call_async(self, made: Made[T], unused: Unused[T] | None = None) -> T: ...


@dataclass(frozen=True)
class AsyncQuestionTicket:
    """A question that was sent. `digest` is its payload's; None where this process did not send it, as
    `question` is.

    `id` is empty where `resume_question` was given a key alone: it is looked up by whatever is called first.
    """

    id: str
    digest: str | None
    question: Question | None
    _client: Client = field(repr=False)
    _body: str | None = field(default=None, repr=False, compare=False)
    _action: str = field(default="a question", repr=False, compare=False)
    _key: str | None = field(default=None, repr=False)

    async def wait(self, timeout: float | None = None) -> Answer:
        """The answer, verified. `timeout` is in seconds; None waits until the question ends.

        Raises a NotApproved when it ends otherwise (Expired: nobody answered), WaitTimeout (it stays
        pending), Unreachable, or NotVerified.
        """
        mistakes.check_timeout(timeout)
        try:
            return Answer.of(await self._client._wait_for_answer(self, timeout), self.question)
        except NotApproved as error:
            error.action = error.action or self._action
            raise

    async def get(self) -> Receipt | Pending | None:
        """Its state now; `Answer.of` reads the answer in a receipt."""
        return await self._client.get(self._id, key=self._key)

    async def cancel(self, reason: str = "") -> Receipt:
        """Withdraw it."""
        return await self._client.cancel(self._id, reason, key=self._key)

    wait_async = wait
    get_async = get
    cancel_async = cancel

    @property
    def _id(self) -> str | None:
        return None if self._key is not None else self.id


@dataclass(frozen=True)
class QuestionTicket:
    """A question that was sent. `digest` is its payload's; None where this process did not send it, as
    `question` is.

    Each method has its `…_async` twin, for a coroutine of any event loop.
    """

    id: str
    digest: str | None
    question: Question | None
    _client: Face = field(repr=False)
    _body: str | None = field(default=None, repr=False, compare=False)
    _key: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, ticket: AsyncQuestionTicket, client: Face) -> QuestionTicket:
        """The same question, for a client that blocks."""
        return cls(ticket.id, ticket.digest, ticket.question, client, ticket._body, ticket._key)

    def wait(self, timeout: float | None = None) -> Answer:
        """The answer, verified. `timeout` is in seconds; None waits until the question ends.

        Raises a NotApproved when it ends otherwise (Expired: nobody answered), WaitTimeout (it stays
        pending), Unreachable, or NotVerified.
        """
        return self._client._call(lambda signoff: self._on(signoff).wait(timeout), unheard)

    async def wait_async(self, timeout: float | None = None) -> Answer:
        """`wait`, for a coroutine of any event loop. Cancelling it leaves the question as it is."""
        return await self._client._call_async(lambda signoff: self._on(signoff).wait(timeout))

    def get(self) -> Receipt | Pending | None:
        """Its state now; `Answer.of` reads the answer in a receipt."""
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

    def _on(self, signoff: Client) -> AsyncQuestionTicket:
        return AsyncQuestionTicket(self.id, self.digest, self.question, signoff, self._body, _key=self._key)


async def unheard(_: object) -> None:
    """Nothing is to be said of an answer that nobody waits for any more: it lets nothing run."""


async def answered(
    signoff: asked.Client, sent: Coroutine[Any, Any, AsyncQuestionTicket], timeout: float | None, key: object
) -> Answer:
    """Send a question and wait for its answer; one that nobody waits for any more is withdrawn, unless it has
    a `key`.
    """
    answer: Answer = await asked.waited(signoff, sent, timeout, key)
    return answer
