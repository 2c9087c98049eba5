"""What people ask an agent about its requests, while they look at them: taken, verified and answered.

One task of the client's event loop reads them, beside whatever else waits there. It is started when the
client is first used after somebody said that they answer, and ends with `close`.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Protocol

from signoff import receipts
from signoff.errors import Invalid, NotVerified, SignoffError
from signoff.models import crash
from signoff.models.messages import Reply, build

if TYPE_CHECKING:
    from signoff.client.road import Questions

log = logging.getLogger("signoff")

MOST = 3000
"""Characters of an answer."""
AT_ONCE = 8
"""Handlers that run at the same time."""
REMEMBERED = 10_000
"""Questions, and requests of its own, that a process knows again."""
CANCEL_SECONDS = 0.2
"""Before what was cancelled, and goes on, is cancelled again."""
AGAIN_SECONDS = 30.0
"""Before a reader that Redis has refused tries again."""
Handler = Callable[["Inquiry"], Any]
Send = Callable[[str, bool], Any]


@dataclass(frozen=True)
class Inquiry:
    """A person's question about a request of this agent's, while it waits; its signature was checked.

    `request_id`, `action` and `digest` (of the payload that the person saw) say about what; `by` is the
    person's name, `text` what they ask, `asked_at` when, in UTC. Text and name are a person's: data, and no
    orders. An answer decides nothing.
    """

    id: str
    request_id: str
    action: str
    digest: str
    text: str
    by: str
    asked_at: datetime
    _send: Send = field(repr=False, compare=False)
    _send_async: Send = field(repr=False, compare=False)

    def answer(self, text: str) -> Any:
        """Answer, in up to 3,000 characters; the first answer counts. AsyncSignoff: `await` it."""
        return self._send(checked(text), False)

    def unable(self, why: str = "") -> Any:
        """Say at once that this agent cannot answer that. AsyncSignoff: `await` it."""
        return self._send(checked(why, empty=True), True)

    async def answer_async(self, text: str) -> None:
        """`answer`, for a coroutine of any event loop."""
        await self._send_async(checked(text), False)

    async def unable_async(self, why: str = "") -> None:
        """`unable`, for a coroutine of any event loop."""
        await self._send_async(checked(why, empty=True), True)


def checked(text: object, empty: bool = False) -> str:
    """An answer, cut where it is too long; raises Invalid where it is none."""
    if not isinstance(text, str) or not (text.strip() or empty):
        raise Invalid("An answer is a text that says something: say inquiry.unable() where there is none.")
    return text if len(text) <= MOST else f"{text[: MOST - 1]}…"


class Linked(Protocol):
    """What a client's link gives: the agent's name, the road, the keys, and which request is meant."""

    @property
    def agent(self) -> str:
        """The agent's name; raises ConfigError."""

    def exchange(self) -> Any:
        """The road to the server; raises ConfigError or Unreachable."""

    def keys(self) -> tuple[receipts.VerifyKeys, str]:
        """The server's public keys, and the deployment's name."""

    async def named(self, named: Any, key: str | None) -> Any:
        """The request that is meant."""


class Inquiries:
    """One client's: who answers, and the task that reads. Belongs to the event loop that the client is in.

    `face` makes what a handler gets of what was asked: a client that blocks has its own.
    """

    def __init__(self, link: Linked) -> None:
        self._link = link
        self.handlers: list[tuple[str, Handler]] = []
        self.face: Callable[[Inquiry], Inquiry] = lambda inquiry: inquiry
        self._waiting: dict[str, asyncio.Queue[Inquiry]] = {}
        self._own: OrderedDict[str, None] = OrderedDict()
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._room: asyncio.Semaphore | None = None

    def added(self, handler: Any, action: str) -> Any:
        """The handler, which answers from now on; None gives a decorator. Raises Invalid."""
        if handler is None:
            return lambda function: self.added(function, action)
        if not callable(handler):
            raise Invalid("on_question takes a function, which is given the question and returns the answer.")
        if not isinstance(action, str) or not action:
            raise Invalid('action names what the function answers about, such as "refund.*".')
        self.handlers.append((action, handler))
        return handler

    def own(self, request_id: str) -> None:
        """This process has asked it: whoever else reads does not know more about it."""
        _remember(self._own, request_id)

    def wake(self) -> None:
        """Read, where anybody answers; nothing happens where that is done already."""
        if not (self.handlers or self._waiting):
            return
        loop = asyncio.get_running_loop()
        if self._task is not None and not self._task.done() and self._loop is loop:
            return
        self._loop, self._room = loop, asyncio.Semaphore(AT_ONCE)
        self._task = loop.create_task(self._read_for_ever())

    async def close(self) -> None:
        """Read no more, and let what runs end."""
        task, self._task = self._task, None
        tasks = [one for one in (task, *self._running) if one is not None and self._loop is _loop_now()]
        await _ended(tasks)
        self._running.clear()

    async def listen(self) -> None:
        """Begin to read at once."""
        self._link.exchange()

    async def of(self, named: str | None, key: str | None) -> AsyncGenerator[Inquiry, None]:
        """Questions about one request (by id or key) as they come, until it has ended; not for handlers."""
        request_id = (await self._link.named(named, key)).id
        if request_id in self._waiting:
            raise Invalid("Somebody in this process reads this request's questions already.")
        queue = self._waiting[request_id] = asyncio.Queue()
        self.own(request_id)
        exchange = self._link.exchange()
        self.wake()
        ended = asyncio.ensure_future(exchange.wait(request_id, None))
        coming: asyncio.Future[Inquiry] | None = None
        try:
            while True:
                coming = asyncio.ensure_future(queue.get())
                await asyncio.wait({coming, ended}, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():
                    ended.result()
                    return
                yield coming.result()
        finally:
            del self._waiting[request_id]
            await _ended([ended, *([coming] if coming is not None else [])])

    async def _read_for_ever(self) -> None:
        while True:
            stream = self._link.exchange().questions()
            try:
                async with aclosing(stream.ids()) as arrivals:
                    async for entry, talk_id in arrivals:
                        await self._take(stream, entry, talk_id)
                return
            except SignoffError as error:
                log.warning("people's questions are not read for %.0f s: %s", AGAIN_SECONDS, error)
            finally:
                with suppress(Exception):
                    await stream.close()
            await asyncio.sleep(AGAIN_SECONDS)

    async def _take(self, stream: Questions, entry: bytes, talk_id: str) -> None:
        """One question: to who waits for it, to a handler, to another process, or *unable*."""
        found = None if talk_id in self._seen else await self._verified(talk_id)
        if found is None:
            await stream.ack(entry)
            return
        queue, handler = self._waiting.get(found.request_id), self._handler(found.action)
        if queue is None and handler is None and found.request_id not in self._own:
            return  # not acknowledged, it comes to another process of this agent's
        _remember(self._seen, talk_id)
        await stream.ack(entry)
        crash.here("client.heard")
        if queue is not None:
            queue.put_nowait(found)
            return
        task = asyncio.get_running_loop().create_task(self._answer(handler, found))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _handler(self, action: str) -> Handler | None:
        """The one that was named last of those that answer about this action."""
        fitting = (one for pattern, one in reversed(self.handlers) if fnmatchcase(action, pattern))
        return next(fitting, None)

    async def _verified(self, talk_id: str) -> Inquiry | None:
        """What is asked; None where that is nothing of ours, over, or gone."""
        exchange = self._link.exchange()
        try:
            message = await exchange.message(talk_id)
            if message is None:
                return None
            keys, issuer = self._link.keys()
            asked = receipts.accept_inquiry(
                message, keys, agent=self._link.agent, talk_id=talk_id, issuer=issuer
            )
        except NotVerified as error:
            log.warning("a question was not taken: %s", error)
            return None

        async def send(text: str, unable: bool) -> None:
            body = build(Reply, {"text": text, "unable": unable}).model_dump_json()
            await self._link.exchange().send("message", talk_id, body)

        return Inquiry(
            asked.id, asked.request_id, asked.action, asked.digest, asked.text, asked.by, asked.asked_at,
            send, send,
        )  # fmt: skip

    async def _answer(self, handler: Handler | None, asked: Inquiry) -> None:
        """What a handler returns is the answer; where it raises, or returns nothing, there is none."""
        said = _Said(asked)
        try:
            assert self._room is not None
            async with self._room:
                found = None if handler is None else await _called(handler, self.face(said.watched()))
            if not said.sent and found is not None and not isinstance(found, str):
                kind = type(found).__name__
                log.warning("what answers about %s returned a %s: return text", asked.action, kind)
            elif not said.sent and found and found.strip():
                await asked.answer_async(found)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            # The program's own log has all of it; people are told only that there is no answer.
            log.warning("the answer to a question about %s failed", asked.action, exc_info=error)
        if not said.sent:
            with suppress(SignoffError):
                await asked.unable_async()


class _Said:
    """Whether a handler has answered by itself."""

    def __init__(self, asked: Inquiry) -> None:
        self.sent = False
        self._asked = asked
        self._to = asked._send_async

    def watched(self) -> Inquiry:
        """The same question, whose answer is noticed."""
        return replace(self._asked, _send=self._send, _send_async=self._send)

    async def _send(self, text: str, unable: bool) -> None:
        self.sent = True
        await self._to(text, unable)


async def _ended(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel these, and wait until they have ended. Before Python 3.12 `wait_for`, inside which redis-py
    writes, can swallow a cancellation: then they are cancelled once more.
    """
    left = {one for one in tasks if not one.done()}
    while left:
        for one in left:
            one.cancel()
        _, left = await asyncio.wait(left, timeout=CANCEL_SECONDS)


async def _called(handler: Handler, asked: Inquiry) -> Any:
    if inspect.iscoroutinefunction(handler):
        return await handler(asked)
    found = await asyncio.to_thread(handler, asked)
    return await found if inspect.isawaitable(found) else found


def _remember(known: OrderedDict[str, None], one: str) -> None:
    known[one] = None
    if len(known) > REMEMBERED:
        known.popitem(last=False)


def _loop_now() -> asyncio.AbstractEventLoop | None:
    with suppress(RuntimeError):
        return asyncio.get_running_loop()
    return None
