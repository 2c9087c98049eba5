"""`Signoff`: the client for code without asyncio; works from any thread, and in a forked child.

All waits of a client share its two connections, in a loop of its own: see `client.loops`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack, overload

from signoff.client import asked, undo_methods
from signoff.client.claims import Ask, Options, described
from signoff.client.client import AsyncSignoff, F
from signoff.client.handover import Handover
from signoff.client.inquiries import Inquiry
from signoff.client.loops import Loop, after_fork
from signoff.client.question import AskPerson
from signoff.client.questions import QuestionTicket, unheard
from signoff.client.spend import Runs
from signoff.client.ticket import Ticket as Ticket
from signoff.client.twins import awaited, blocking
from signoff.errors import SignoffError
from signoff.models.receipt import ApprovedReceipt

if TYPE_CHECKING:
    from signoff.client.batch_face import Batch
    from signoff.client.inbox import Delivery

T = TypeVar("T")
Made = Callable[[AsyncSignoff], Coroutine[Any, Any, T]]
Unused = Callable[[T], Coroutine[Any, Any, None]]


class Signoff:
    """An agent's client. Settings that are not given come from the environment.

    Nothing is looked up or connected before the first call; one client serves any number of threads.
    The methods are AsyncSignoff's, and blocking; each has its `…_async` twin for a coroutine of any event
    loop. Cancelling such a coroutine ends what it waits for here, and leaves the request as it is.
    """

    def __init__(
        self, *, redis_url: str | None = None, agent: str | None = None, verify_key: str | None = None
    ) -> None:
        self._given = {"redis_url": redis_url, "agent": agent, "verify_key": verify_key}
        self._reset()
        after_fork(self, Signoff._reset)

    @property
    def agent(self) -> str:
        """This agent's name; raises ConfigError."""
        return self._async.agent

    @described(Ask)
    def request(self, action: str, payload: Mapping[str, Any], **ask: Unpack[Ask]) -> Ticket:
        """Ask, and go on: `wait` on the ticket tells what was decided. Raises Invalid or Unreachable.

        `action` and `payload` are those of `ask`. With a `key`, asking again attaches to the first.
        """
        return Ticket.of(self._call(lambda signoff: signoff.request(action, payload, **ask)), self)

    @described(Ask)
    async def request_async(self, action: str, payload: Mapping[str, Any], **ask: Unpack[Ask]) -> Ticket:
        """`request`, with the same arguments, for a coroutine of any event loop."""
        asked = await self._call_async(lambda signoff: signoff.request(action, payload, **ask))
        return Ticket.of(asked, self)

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

    def batch(self, title: str, *, run: str | None = None, key: str | None = None) -> Batch:
        """Requests that people see as one card: `with signoff.batch("Clean up") as b: b.request(...)`.

        In a coroutine of any event loop: `async with`. See AsyncSignoff.batch.
        """
        from signoff.client.batch import Draft
        from signoff.client.batch_face import Batch

        return Batch(Draft(self._async, title, run, key), self)

    batch_async = batch

    @described(AskPerson)
    def request_question(self, question: str, **said: Unpack[AskPerson]) -> QuestionTicket:
        """Ask a person something, and go on: `wait` on the ticket gives the answer. Raises Invalid or
        Unreachable. With a `key`, asking again attaches to the first.
        """
        return QuestionTicket.of(self._call(lambda one: one.request_question(question, **said)), self)

    @described(AskPerson)
    async def request_question_async(self, question: str, **said: Unpack[AskPerson]) -> QuestionTicket:
        """`request_question`, with the same arguments, for a coroutine of any event loop."""
        sent = await self._call_async(lambda signoff: signoff.request_question(question, **said))
        return QuestionTicket.of(sent, self)

    ask_person = blocking(AsyncSignoff.ask_person, unheard)
    ask_person_async = awaited(AsyncSignoff.ask_person)

    def resume(
        self, request_id: str | None = None, digest: str | None = None, *, key: str | None = None
    ) -> Ticket:
        """The ticket of a request sent before, by its id or its key: see AsyncSignoff.resume_async.

        A key is looked up at once; in a coroutine: `await resume_async(key=...)`.
        """
        if key is None:
            return Ticket.of(self._async.resume(request_id, digest), self)
        return Ticket.of(self._call(lambda signoff: signoff.resume_async(request_id, digest, key=key)), self)

    async def resume_async(
        self, request_id: str | None = None, digest: str | None = None, *, key: str | None = None
    ) -> Ticket:
        """`resume`, for a coroutine of any event loop."""
        found = await self._call_async(lambda signoff: signoff.resume_async(request_id, digest, key=key))
        return Ticket.of(found, self)

    def resume_question(
        self, request_id: str | None = None, digest: str | None = None, *, key: str | None = None
    ) -> QuestionTicket:
        """The ticket of a question asked before, by its id or its key: `resume`, and `wait` gives an Answer.

        A key is looked up at once; in a coroutine: `await resume_question_async(key=...)`.
        """
        if key is None:
            return QuestionTicket.of(self._async.resume_question(request_id, digest), self)
        found = self._call(lambda signoff: signoff.resume_question_async(request_id, digest, key=key))
        return QuestionTicket.of(found, self)

    async def resume_question_async(
        self, request_id: str | None = None, digest: str | None = None, *, key: str | None = None
    ) -> QuestionTicket:
        """`resume_question`, for a coroutine of any event loop."""
        found = await self._call_async(
            lambda signoff: signoff.resume_question_async(request_id, digest, key=key)
        )
        return QuestionTicket.of(found, self)

    get, get_async = blocking(AsyncSignoff.get), awaited(AsyncSignoff.get)
    received, received_async = blocking(AsyncSignoff.received), awaited(AsyncSignoff.received)
    cancel, cancel_async = blocking(AsyncSignoff.cancel), awaited(AsyncSignoff.cancel)
    spend, spend_async = blocking(AsyncSignoff.spend), awaited(AsyncSignoff.spend)
    report, report_async = blocking(AsyncSignoff.report), awaited(AsyncSignoff.report)
    lessons, lessons_async = blocking(AsyncSignoff.lessons), awaited(AsyncSignoff.lessons)
    ask_feedback, ask_feedback_async = (
        blocking(AsyncSignoff.ask_feedback),
        awaited(AsyncSignoff.ask_feedback),
    )

    def decisions(self, group: str = "default") -> Iterator[Delivery]:
        """Every decision as it arrives, for ever; `delivery.ack()` each: see AsyncSignoff.decisions."""
        from signoff.client.inbox import Delivery

        arrivals = self._async.decisions(group)
        try:
            while delivery := self._call(partial(_next, arrivals)):
                yield Delivery(delivery.receipt, partial(self._call, partial(_acknowledge, delivery)))
        finally:
            self._call(lambda _: arrivals.aclose())

    async def decisions_async(self, group: str = "default") -> AsyncGenerator[Delivery, None]:
        """`decisions`, for a coroutine of any event loop: `await delivery.ack()` each."""
        from signoff.client.inbox import Delivery

        arrivals = self._async.decisions(group)
        try:
            while delivery := await self._call_async(partial(_next, arrivals)):
                yield Delivery(delivery.receipt, partial(self._call_async, partial(_acknowledge, delivery)))
        finally:
            await self._call_async(lambda _: arrivals.aclose())

    undo = undo_methods.served_undo

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

    def on_question(self, handler: Any = None, /, *, action: str = "*") -> Any:
        """Have `handler` answer what people ask about this agent's requests: see AsyncSignoff.on_question.

        It is listened while other threads wait in `ask` or `wait`, too. A coroutine function runs in the
        client's own event loop: let it not block.
        """
        if handler is None:
            return lambda function: self.on_question(function, action=action)
        self._async.on_question(handler, action=action)
        if self._loop.runs:
            self._call(lambda signoff: signoff._link.inquiries.listen())
        return handler

    def close(self) -> None:
        """Let the connections and the thread go. The client may be used again."""
        if self._loop.runs:
            with suppress(SignoffError):
                self._call(lambda signoff: signoff.close())
            self._loop.stop()
            self._reset()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _reset(self) -> object:
        """Begin anew; what there was before."""
        before = (self.__dict__.get("_loop"), self.__dict__.get("_async"))
        self._loop, self._async = Loop(), AsyncSignoff(**self._given)
        inquiries = self._async._link.inquiries
        inquiries.face = self._faced
        inquiries.handlers = [] if before[1] is None else before[1]._link.inquiries.handlers
        return before

    def _faced(self, inquiry: Inquiry) -> Inquiry:
        """A question of the client's own event loop, for who calls from anywhere."""
        send = inquiry._send_async
        return replace(
            inquiry,
            _send=lambda text, unable: self._call(lambda _: send(text, unable)),
            _send_async=lambda text, unable: self._call_async(lambda _: send(text, unable)),
        )

    def _call(self, made: Made[T], unused: Unused[T] | None = None) -> T:
        """What `made` makes, run in this client's loop. `unused`: see Handover; with it, GaveUp is raised."""
        return self._hand_over(made, unused).result()

    async def _call_async(self, made: Made[T], unused: Unused[T] | None = None) -> T:
        return await self._hand_over(made, unused).result_async()

    def _hand_over(self, made: Made[T], unused: Unused[T] | None) -> Handover[T]:
        return Handover(self._loop.started(), partial(made, self._async), unused)

    def _unused(self, runs: Runs, key: object) -> Unused[ApprovedReceipt]:
        signoff = self._async
        return lambda receipt: asked.unused(signoff, receipt, runs, key)


async def _next(arrivals: AsyncGenerator[Delivery, None], _: AsyncSignoff) -> Delivery | None:
    return await anext(arrivals, None)


async def _acknowledge(delivery: Delivery, _: AsyncSignoff) -> None:
    await delivery.ack()
