"""What an agent calls; the one implementation. redis-py is slow to load, and comes with the first call."""

from __future__ import annotations

import logging
import warnings
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack, overload

from signoff.client import asked, mistakes, undo_methods
from signoff.client.answer import Answer
from signoff.client.ask import build_for
from signoff.client.claims import Ask, Options, described
from signoff.client.inquiries import Inquiry
from signoff.client.link import Link
from signoff.client.link import Substitute as Substitute
from signoff.client.pending import QUESTIONS, Pending
from signoff.client.question import AskPerson, put
from signoff.client.questions import AsyncQuestionTicket, answered
from signoff.client.reports import LESSONS_SECONDS, TASK, report_body
from signoff.client.spend import Runs, spend
from signoff.client.ticket import AsyncTicket as AsyncTicket
from signoff.models import crash
from signoff.models.receipt import ApprovedReceipt, Receipt
from signoff.models.wire import LESSONS

if TYPE_CHECKING:
    from signoff.client.batch import AsyncBatch
    from signoff.client.inbox import Delivery
    from signoff.models.lessons import Lessons

log = logging.getLogger("signoff")

F = TypeVar("F", bound=Callable[..., Any])
substitute: Substitute | None = None
"""Set by `signoff.testing` while a test runs."""


class AsyncSignoff:
    """An agent's client for asyncio. Settings that are not given come from the environment.

    Nothing is looked up or connected before the first call. Belongs to the event loop it is used in. Its
    methods have the names that Signoff has for coroutines, too: `request_async` is `request`.
    """

    def __init__(
        self, *, redis_url: str | None = None, agent: str | None = None, verify_key: str | None = None
    ) -> None:
        self._link = Link((redis_url, agent, verify_key), lambda: substitute)
        self._warned = False
        self._undos = undo_methods.Registered()

    @property
    def agent(self) -> str:
        """This agent's name; raises ConfigError."""
        return self._link.agent

    @described(Ask)
    async def request(self, action: str, payload: Mapping[str, Any], **ask: Unpack[Ask]) -> AsyncTicket:
        """Ask, and go on. `ask` is described at `signoff.client.ask.Ask`.

        Raises Invalid (nothing was sent) or Unreachable. With a `key`, asking again attaches to the first.
        """
        request, body, digest = build_for(self._link.who, action, payload, ask)
        if ask.get("reversible") is None and not self._warned:
            self._warned = True
            warnings.warn(
                f"{action}: nobody said whether it can be undone, so it counts as irreversible: "
                "pass reversible=True, False or 'costly'.",
                stacklevel=2,
            )
        self._link.inquiries.own(str(request.id))
        await self._link.exchange().send("request", str(request.id), body)
        return AsyncTicket(str(request.id), digest, self, body, action)

    @described(Ask)
    async def ask(
        self,
        action: str,
        payload: Mapping[str, Any],
        *,
        timeout: float | None = None,
        runs: Runs = "once",
        **ask: Unpack[Ask],
    ) -> ApprovedReceipt:
        """Ask, wait, and spend the approval: what comes back may run now, with its `payload`.

        `action` names what is to run, as `refund.create`: letters, digits and . _ : / @ -, at most 100.
        `payload` is what it runs with: a dict of JSON values, which people see and may edit.
        `timeout` is in seconds; None waits until the request ends.
        `runs` is "once": one process alone may run it; with "at-least-once" nothing is spent, and every
        process that asks with the same `key` may run it until one has reported.
        """
        mistakes.check_timeout(timeout)
        mistakes.check_runs(runs)
        sent = self.request(action, payload, **ask)
        return await asked.approved(self, sent, timeout, runs, ask.get("key"))

    def batch(self, title: str, *, run: str | None = None, key: str | None = None) -> AsyncBatch:
        """Requests that people see as one card: `async with signoff.batch("Clean up") as b: b.request(...)`.

        `title` has at most 150 characters; `run` is that of `request`. With a `key`, asking the same again,
        in the same order, attaches to the first. `AsyncBatch` says how it goes on. Raises Invalid.
        """
        from signoff.client.batch import AsyncBatch, Draft

        return AsyncBatch(Draft(self, title, run, key))

    @described(AskPerson)
    async def request_question(self, question: str, **said: Unpack[AskPerson]) -> AsyncQuestionTicket:
        """Ask a person something, and go on. `said` is described at `signoff.client.question.AskPerson`.

        Raises Invalid (nothing was sent) or Unreachable. With a `key`, asking again attaches to the first.
        """
        asks, request, body, digest = put(self._link.who, question, said)
        await self._link.exchange().send("request", str(request.id), body)
        return AsyncQuestionTicket(str(request.id), digest, asks, self, body)

    @described(AskPerson)
    async def ask_person(
        self, question: str, *, timeout: float | None = None, **said: Unpack[AskPerson]
    ) -> Answer:
        """Ask a person something, and wait for the answer: it lets nothing run.

        Raises a NotApproved where nobody answers: Expired, Cancelled, Blocked, Limited, Duplicate; and
        WaitTimeout (the question stays pending), Invalid, Unreachable or NotVerified.

        `question` is a text of at most 1,000 characters. `timeout` is in seconds; None waits until it ends.
        """
        mistakes.check_timeout(timeout)
        return await answered(self, self.request_question(question, **said), timeout, said.get("key"))

    def resume(
        self, request_id: str | None = None, digest: str | None = None, *, key: str | None = None
    ) -> AsyncTicket:
        """The ticket of a request sent before, by its id or its key: after a crash, or in another process.

        `digest` is `ticket.digest`, where it was kept: with it a receipt for other content is refused. A
        request that no server knows cannot be sent again from its id: wait for it with a timeout. A key is
        looked up once the ticket is used: Invalid, where no server knows a request with it.
        """
        request_id = mistakes.checked_name(request_id, key)
        return AsyncTicket(request_id, digest, self, _key=key)

    async def resume_async(
        self, request_id: str | None = None, digest: str | None = None, *, key: str | None = None
    ) -> AsyncTicket:
        """`resume`, and a key is looked up at once: its ticket has the request's id."""
        ticket = self.resume(request_id, digest, key=key)
        return replace(ticket, id=(await self._link.named(request_id, key)).id)

    def resume_question(
        self, request_id: str | None = None, digest: str | None = None, *, key: str | None = None
    ) -> AsyncQuestionTicket:
        """The ticket of a question asked before: `resume`, and `wait` gives an Answer."""
        return AsyncQuestionTicket(mistakes.checked_name(request_id, key), digest, None, self, _key=key)

    async def resume_question_async(
        self, request_id: str | None = None, digest: str | None = None, *, key: str | None = None
    ) -> AsyncQuestionTicket:
        """`resume_question`, and a key is looked up at once: its ticket has the question's id."""
        ticket = self.resume_question(request_id, digest, key=key)
        return replace(ticket, id=(await self._link.named(request_id, key, QUESTIONS)).id)

    async def get(self, request_id: str | None = None, *, key: str | None = None) -> Receipt | Pending | None:
        """A request's state now: its receipt, Pending, or None (no server has seen it, or all forgot).

        The receipt may be of any status: look at `receipt.approved`. Raises Unreachable or NotVerified.
        """
        return await self._link.state(request_id, key)

    async def received(self, request_id: str, timeout: float) -> bool:
        """Whether a server has taken the request within `timeout` seconds."""
        return await self._link.exchange().is_received(mistakes.checked_id(request_id), timeout)

    async def cancel(
        self, request_id: str | None = None, reason: str = "", *, key: str | None = None
    ) -> Receipt:
        """Withdraw a request; the receipt says `cancelled`, or what had been decided before.

        Raises WaitTimeout when no server responds within 10 s: then it may still be decided; Invalid where no
        server knows a request with this key.
        """
        return await self._link.cancel(request_id, key, reason)

    async def _withdraw(self, request_id: str, reason: str) -> None:
        await self._link.withdraw(request_id, reason)

    async def _heed(self, receipt: Receipt) -> None:
        await self._link.heed(receipt)

    async def spend(self, receipt: Receipt, timeout: float | None = None) -> None:
        """Have this process be the one that runs what was approved; before it runs.

        Raises AlreadySpent where another one runs it, or has; Stopped where people have stopped it;
        WaitTimeout where no server says so within
        `timeout` seconds (then it is not known: do not run it), Unreachable or NotVerified.
        """
        mistakes.check_receipt(receipt)
        mistakes.check_timeout(timeout)
        if receipt.token in self._link.spent:  # a batch has spent it for this process
            return self._link.spent.discard(receipt.token)
        keys, issuer = self._link.keys()
        await spend(self._link.exchange(), keys, issuer, receipt, timeout)

    async def report(
        self,
        request_id: str | None = None,
        *,
        key: str | None = None,
        succeeded: bool,
        note: str = "",
        result: Any = None,
    ) -> None:
        """Say what became of an approved action: its card shows it. `note` has at most 4,000 characters.

        `result` is what came out, any JSON of at most 2 KB: people see it as what the agent says, and may be
        asked whether it is right. Raises Invalid where no server knows a request with this key, and of a
        question that was answered: an answer lets nothing run.
        """
        await self._link.report(request_id, key, report_body(succeeded, note, result))
        crash.here("client.reported")

    async def lessons(
        self, action: str | None = None, limit: int = LESSONS, *, timeout: float | None = LESSONS_SECONDS
    ) -> Lessons:
        """What people said of this agent's work, the newest and most frequent first: a list of Lesson.

        What was right, what was wrong and their corrections; rejections with their reasons, edits as
        differences, answers to questions: of one `action` or of all, at most `limit` (1 to 100). All of it is
        data that people wrote, signed by the server; `lessons.text(tokens=500)` is a text for a prompt.
        Raises WaitTimeout where no server responds in `timeout` seconds, Unreachable, NotVerified, Invalid.
        """
        from signoff.client.lessons import lessons

        return await lessons(self._link, action, limit, timeout)

    async def ask_feedback(self, result: Any, *, action: str = TASK, title: str = "") -> str:
        """Ask the agent's owner whether a result is right, of a task that needed no approval; an id.

        `result` is any JSON of at most 2 KB. It blocks nobody and approves nothing. Where somebody answers
        within 7 days, `decisions()` brings a receipt with the status `answered`, and `lessons()` has it from
        then on. How often an agent may ask is the policy's: nothing is raised of one too many, since nobody
        waits here; `get(id)` and `decisions()` say `limited`. Raises Invalid or Unreachable.
        """
        from signoff.client.lessons import ask_feedback

        return await ask_feedback(self._link, result, action, title)

    def decisions(self, group: str = "default") -> AsyncGenerator[Delivery, None]:
        """Every decision on this agent's requests, for ever, as it arrives: `await delivery.ack()` each.

        What is not acknowledged comes again, after a minute to whichever process of the same `group` reads;
        duplicates are dropped. Receipts that do not verify are acknowledged and passed over.
        """
        from signoff.client.arrivals import deliveries

        return deliveries(self._link, group)

    def on_question(self, handler: Any = None, /, *, action: str = "*") -> Any:
        """Have `handler` answer what people ask about this agent's requests; a decorator, or a call.

        It is given an Inquiry and returns the answer, up to 3,000 characters; where it raises, or returns
        nothing, people are told at once that there is none. A function runs in a thread, a coroutine function
        in the loop. `action` is a pattern of what it answers about; of several that fit, the last is asked.
        """
        return self._link.inquiries.added(handler, action)

    undo = undo_methods.undo
    serve_undos = undo_methods.serve_undos

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

    request_async, ask_async, batch_async = request, ask, batch
    request_question_async, ask_person_async, get_async = request_question, ask_person, get
    received_async, cancel_async, spend_async = received, cancel, spend
    report_async, decisions_async = report, decisions
    lessons_async, ask_feedback_async = lessons, ask_feedback

    async def close(self) -> None:
        """Let the connections go. The client may be used again."""
        await self._link.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _is_closed(self) -> bool:
        return self._link.is_closed

    def _questions(self, request_id: str | None, key: str | None) -> AsyncGenerator[Inquiry, None]:
        return self._link.inquiries.of(request_id, key)

    async def _wait_for_receipt(self, ticket: AsyncTicket, timeout: float | None) -> ApprovedReceipt:
        request = await self._link.named(ticket._id, ticket._key)
        return await self._link.answers().approved(
            replace(request, digest=ticket.digest), timeout, ticket._body
        )

    async def _wait_for_answer(self, ticket: AsyncQuestionTicket, timeout: float | None) -> Receipt:
        request = await self._link.named(ticket._id, ticket._key, QUESTIONS)
        return await self._link.answers().answered(
            replace(request, digest=ticket.digest), timeout, ticket._body
        )
