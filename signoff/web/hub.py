"""Who waits by HTTP: any number of callers, all woken by the one subscription of this process.

A waiter registers, *then* what it waits for is looked up, *then* it waits: so nothing slips between. All are
looked up again every 30 s and after each reconnect. All of it belongs to one event loop, and blocks nobody
there.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.types import Receive

from signoff.queue import stream
from signoff.queue.notifications import Notifications
from signoff.queue.outage import is_outage
from signoff.web.problems import Problem
from signoff.web.turns import in_turn

log = logging.getLogger("signoff.web")

MOST_OF_ONE = 500
"""Waits of one agent at once, in each process."""
MOST = 8_000
"""Waits of all. One takes some 20 KB."""
RETRY_SECONDS = 5
LINGER_SECONDS = 60.0
"""A caller that was told *pending* asks again: for so long it counts as waiting (`approvals.attendance`)."""
AGAIN_SECONDS = 1.0
"""Before what could not be looked up, for an outage, is looked up again."""
T = TypeVar("T")


class Waiter:
    """One caller that waits: for the end of one request, or for any decision of its agent."""

    __slots__ = ("_event", "comes_again", "over")

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.over = False
        """The caller has hung up, or this process ends: nothing is looked up for it any more."""
        self.comes_again = False
        """Its time is over, and it is still interested."""

    def wake(self, *, over: bool = False) -> None:
        """There may be something to see; or it is `over`."""
        self.over |= over
        self._event.set()

    async def woken(self, seconds: float) -> bool:
        """True once it was woken, False after `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()
        woken = self._event.is_set()
        self._event.clear()
        return woken


class _Topic:
    """What is waited for. `approval_id` is None where that is any decision of an agent."""

    __slots__ = ("approval_id", "lingering", "waiters")

    def __init__(self, approval_id: str | None) -> None:
        self.approval_id = approval_id
        self.waiters = set[Waiter]()
        self.lingering: asyncio.TimerHandle | None = None


class Hub:
    """All waiters of this process. `ended` tells which of these approvals' ids wait for nobody any more."""

    def __init__(self, redis_url: str, ended: Callable[[Sequence[str]], Collection[str]]) -> None:
        self._notifications = Notifications(redis_url, self._look, told=self._wake)
        self._ended = ended
        self.most_of_one, self.most, self.linger_seconds = MOST_OF_ONE, MOST, LINGER_SECONDS
        self._places = Counter[str]()
        self._topics: dict[str, _Topic] = {}
        self._due: set[str] = set()
        self._looking: asyncio.Task[None] | None = None
        self.closing = False
        """This process ends: whoever waits is told how it stands, and nobody waits any more."""

    @property
    def waits(self) -> int:
        """How many wait now."""
        return self._places.total()

    @contextmanager
    def place(self, agent: str) -> Iterator[None]:
        """A place to wait, inside the `with`; raises Problem where this agent, or all, have none left."""
        if self._places[agent] >= self.most_of_one:
            raise _full(f"{agent} waits {self.most_of_one:,} times at once already: answer some, or look "
                        "without waiting.")  # fmt: skip
        if self.waits >= self.most:
            raise _full("As many wait as may: look without waiting.")
        self._places[agent] += 1
        try:
            yield
        finally:
            self._places[agent] -= 1
            if not self._places[agent]:
                del self._places[agent]

    @contextmanager
    def for_request(self, agent: str, request_id: str, approval_id: str) -> Iterator[Waiter]:
        """A waiter for the end of one request."""
        with self._waiter(stream.notification(agent, request_id), approval_id) as waiter:
            yield waiter

    @contextmanager
    def for_requests(self, agent: str, named: Sequence[tuple[str, str]]) -> Iterator[Waiter]:
        """A waiter for the end of any of these: (request's id, approval's)."""
        waiter = Waiter()
        with ExitStack() as topics:
            for request_id, approval_id in named:
                topics.enter_context(
                    self._waiter(stream.notification(agent, request_id), approval_id, waiter)
                )
            yield waiter

    @contextmanager
    def for_decisions(self, agent: str) -> Iterator[Waiter]:
        """A waiter for whatever comes on an agent's stream of decisions. No request counts as waited for."""
        with self._waiter(stream.arrivals(agent), None) as waiter:
            yield waiter

    async def until(
        self, waiter: Waiter, seconds: float, receive: Receive, look: Callable[[], T | None]
    ) -> T | None:
        """What `look` finds, in a thread, once it finds something; None after `seconds`, or where it is over.

        `receive` is the caller's: who hangs up waits no more. An outage is waited for; else what `look`
        raises passes.
        """
        listening = asyncio.create_task(_listen(receive, waiter))
        try:
            return await self._until(waiter, seconds, look)
        finally:
            listening.cancel()

    async def _until(self, waiter: Waiter, seconds: float, look: Callable[[], T | None]) -> T | None:
        clock = asyncio.get_running_loop().time
        end, again = clock() + seconds, False
        while not (waiter.over or self.closing) and (left := end - clock()) > 0:
            woken = await waiter.woken(min(left, AGAIN_SECONDS) if again else left)
            if waiter.over or not (woken or again):
                continue
            try:
                found, again = await in_turn(look), False
            except Exception as error:
                if not is_outage(error):
                    raise
                found, again = None, True
            if found is not None:
                return found
        waiter.comes_again = not waiter.over
        return None

    def end(self) -> None:
        """Have all that wait answered at once, and nobody wait any more."""
        self.closing = True
        for topic in self._topics.values():
            for waiter in topic.waiters:
                waiter.wake(over=True)

    async def close(self) -> None:
        """Let the connection go."""
        self.end()
        for topic in self._topics.values():
            if topic.lingering:
                topic.lingering.cancel()
        if self._looking:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await self._notifications.close()

    @contextmanager
    def _waiter(self, name: str, approval_id: str | None, waiter: Waiter | None = None) -> Iterator[Waiter]:
        waiter = waiter or Waiter()
        if self.closing:
            waiter.wake(over=True)
            yield waiter
            return
        topic = self._topics.get(name)
        if topic is None:
            self._topics[name] = topic = _Topic(approval_id)
            self._notifications.add(name)  # and once that stands, it is looked up
        else:
            if topic.lingering:
                topic.lingering.cancel()
                topic.lingering = None
            self._look((name,))
        topic.waiters.add(waiter)
        try:
            yield waiter
        finally:
            topic.waiters.discard(waiter)
            if not topic.waiters:
                self._leave(name, topic, waiter.comes_again and approval_id is not None)

    def _leave(self, name: str, topic: _Topic, lingers: bool) -> None:
        if lingers and not self.closing:
            loop = asyncio.get_running_loop()
            topic.lingering = loop.call_later(self.linger_seconds, self._drop, name)
        else:
            self._drop(name)

    def _drop(self, name: str) -> None:
        del self._topics[name]
        self._notifications.remove(name)

    def _wake(self, name: str) -> None:
        """A notification has come."""
        if topic := self._topics.get(name):
            for waiter in topic.waiters:
                waiter.wake()

    def _look(self, names: Iterable[str]) -> None:
        """These have to be looked up, all that are due at once."""
        self._due.update(names)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_up())

    async def _look_up(self) -> None:
        while self._due and not self.closing:
            due, self._due = self._due, set()
            ids = {name: self._topics[name].approval_id for name in due if name in self._topics}
            try:
                ended = await run_in_threadpool(self._ended, [one for one in ids.values() if one])
            except Exception as error:  # an outage, or what nobody foresaw: waits are not lost by it
                log.warning("who waits is not looked up yet: %s", type(error).__name__)
                self._due |= due
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            for name, approval_id in ids.items():
                if approval_id is None or approval_id in ended:
                    self._wake(name)


async def _listen(receive: Receive, waiter: Waiter) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    waiter.wake(over=True)


def _full(detail: str) -> Problem:
    return Problem(429, "limited", detail, {"Retry-After": str(RETRY_SECONDS)})
