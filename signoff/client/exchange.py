"""An agent's end of Redis: one connection for commands, one on which it is woken.

Whoever waits subscribes, *then* looks the answer up, *then* waits, so that nothing slips between; and
looks again every 30 s and after every reconnect. Any number of waits in a process share both connections.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Coroutine, Iterable
from typing import Any, Protocol

import redis.asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from signoff.client import resp
from signoff.client.notifications import Notices
from signoff.client.resp import CONNECT_SECONDS
from signoff.errors import Invalid, NotVerified, Unreachable
from signoff.models import crash
from signoff.models.messages import Answer
from signoff.queue import stream

log = logging.getLogger("signoff")

NOBODY_SECONDS = 10.0
"""After this long without `received`, say so."""
RESEND_SECONDS = (2.0, 3.0, 5.0, 10.0, 30.0)
"""Pauses between sending a request again that no intake has marked; the last one goes on."""
LOOKUPS = 500
"""Keys that one round trip looks up, at most."""
OUTAGE = (RedisConnectionError, RedisTimeoutError, OSError)


class Exchange(Protocol):
    """What a client needs of the other side; `signoff.testing` has one without Redis."""

    async def send(self, kind: str, request_id: str, body: str) -> None:
        """Put one entry on this agent's stream; raises Unreachable."""

    async def lookup(self, request_id: str) -> Answer | None:
        """What is known of a request now; None: nothing. Raises Unreachable."""

    async def wait(self, request_id: str, timeout: float | None, body: str | None = None) -> Answer:
        """The final answer; raises TimeoutError after `timeout` seconds, or Unreachable.

        `body` is the request as it was sent, where that is known: with it, one that is lost is sent again.
        """

    async def received(self, request_id: str, timeout: float) -> bool:
        """True once an intake has marked the request; False after `timeout` seconds."""

    async def close(self) -> None:
        """Let both connections go."""


class RedisExchange:
    """The real one. Belongs to one event loop."""

    def __init__(self, url: str, agent: str) -> None:
        self._agent = agent
        self._redis = resp.Commands(url)
        self._waiters: defaultdict[str, dict[asyncio.Future[Answer], bool]] = defaultdict(dict)
        self._bodies: dict[str, str] = {}
        self._sending: set[str] = set()
        self._notices = Notices(url, self._look)
        self._due: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._looking = False

    async def send(self, kind: str, request_id: str, body: str) -> None:
        """Put one entry on this agent's stream, and see to it that a request is received."""
        await self._add(kind, request_id, body)
        if kind == "request":
            crash.here("client.sent")
            self._see_to(request_id, body)

    async def lookup(self, request_id: str) -> Answer | None:
        """What stands under the request's key."""
        try:
            [found] = await self._redis.run(("GET", stream.decision(self._agent, request_id)))
        except (RedisError, OSError) as error:
            raise _unreachable(error) from None
        return _decode(found)

    async def wait(self, request_id: str, timeout: float | None, body: str | None = None) -> Answer:
        """Survives Redis going away once it was reached; the first contact is tried for 5 s."""
        try:
            async with asyncio.timeout(timeout):
                await self._first_contact(request_id)
                return await self._answer(request_id, final=True, body=body)
        except TimeoutError:
            if not self._notices.connected:
                raise _unreachable(self._notices.fault) from None
            raise

    async def received(self, request_id: str, timeout: float) -> bool:
        """Whether an intake has put the request into the database."""
        try:
            async with asyncio.timeout(timeout):
                await self._answer(request_id, final=False)
            return True
        except TimeoutError:
            return False

    async def close(self) -> None:
        """End all waits of this exchange and let both connections go."""
        await self._notices.close()  # first: what it hears meanwhile would start another task
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._redis.close()

    async def _add(self, kind: str, request_id: str, body: str) -> None:
        try:
            fields = [text for field in stream.entry(kind, request_id, body).items() for text in field]
            await self._redis.run(("XADD", stream.requests(self._agent), "*", *fields))
        except (RedisError, OSError) as error:
            raise _unreachable(error) from None

    def _see_to(self, request_id: str, body: str) -> None:
        """Have a request received, once however often that is wished for."""
        if request_id not in self._sending:
            self._sending.add(request_id)
            self._start(self._until_received(request_id, body))

    async def _until_received(self, request_id: str, body: str) -> None:
        try:
            await self._send_until_received(request_id, body)
        finally:
            self._sending.discard(request_id)

    async def _send_until_received(self, request_id: str, body: str) -> None:
        """Redis may lose what it took (design: The road): send it again until intake has marked it."""
        waited, tries = 0.0, 0
        while True:
            pause = RESEND_SECONDS[min(tries, len(RESEND_SECONDS) - 1)]
            if await self.received(request_id, pause):
                crash.here("client.received")
                return
            waited, tries = waited + pause, tries + 1
            if waited - pause < NOBODY_SECONDS <= waited:
                log.warning(
                    "Nobody has picked request %s up for %.0f s: is `signoff serve` running? "
                    "It is sent again until somebody does.",
                    request_id,
                    waited,
                )
            try:
                await self._add("request", request_id, body)
            except Unreachable as error:
                log.debug("%s", error)

    async def _first_contact(self, request_id: str) -> None:
        if not self._notices.reached.is_set():
            self._notices.add(stream.notice(self._agent, request_id))
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._notices.reached.wait()
            except TimeoutError:
                self._notices.remove(stream.notice(self._agent, request_id))
                raise _unreachable(self._notices.fault) from None

    async def _answer(self, request_id: str, *, final: bool, body: str | None = None) -> Answer:
        channel = stream.notice(self._agent, request_id)
        waiter: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiters[request_id][waiter] = final
        if body:
            self._bodies[request_id] = body
        self._notices.add(channel)
        if self._waiters[request_id].keys() - {waiter}:
            self._look((channel,))  # the subscription stands already: nothing else would look for this one
        try:
            return await waiter
        finally:
            others = self._waiters[request_id]
            del others[waiter]
            if not others:
                del self._waiters[request_id]
                self._bodies.pop(request_id, None)
                self._notices.remove(channel)

    def _look(self, channels: Iterable[str]) -> None:
        """Called by Notices: these requests may have news."""
        start = len(stream.notice(self._agent, ""))
        self._due.update(channel[start:] for channel in channels)
        if not self._looking:
            self._looking = True
            self._start(self._look_up())

    async def _look_up(self) -> None:
        """Fetch what is due, many keys a round trip."""
        wanted: list[str] = []
        try:
            while self._due:
                wanted = [self._due.pop() for _ in range(min(LOOKUPS, len(self._due)))]
                wanted = [request_id for request_id in wanted if request_id in self._waiters]
                keys = [stream.decision(self._agent, request_id) for request_id in wanted]
                replies = await self._redis.run(*(("GET", key) for key in keys))
                for request_id, found in zip(wanted, replies, strict=True):
                    self._resolve(request_id, found)
        except (RedisError, OSError) as error:
            log.info("looking answers up failed, and is tried again: %s: %s", type(error).__name__, error)
            self._due.update(wanted)
            asyncio.get_running_loop().call_later(1.0, self._look, ())
        finally:
            self._looking = False

    def _resolve(self, request_id: str, found: bytes | None) -> None:
        answer, fault = None, None
        if found is None and request_id in self._bodies:
            # Received or not, nobody knows it: a server was restored from before it, and Redis emptied.
            self._see_to(request_id, self._bodies[request_id])
        try:
            answer = _decode(found)
        except NotVerified as error:
            fault = error
        for waiter, final in self._waiters.get(request_id, {}).items():
            if waiter.done():
                continue
            if fault:
                waiter.set_exception(fault)
            elif answer and (answer.status != "pending" or not final):
                waiter.set_result(answer)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def connection(url: str, **options: Any) -> aioredis.Redis:
    """A connection for an agent. All it sends may come twice, so one retry on a fresh socket is safe."""
    return aioredis.Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_SECONDS,
        retry=Retry(NoBackoff(), 1),
        retry_on_error=list(OUTAGE),
        **options,
    )


def _decode(found: bytes | None) -> Answer | None:
    if found is None:
        return None
    try:
        return Answer.decode(found)
    except Invalid as error:
        raise NotVerified(error.detail) from None


def _unreachable(error: BaseException | None) -> Unreachable:
    what = f"{type(error).__name__}: {str(error).rstrip('.')}." if error else "No connection stands."
    return Unreachable(f"{what} Check SIGNOFF_REDIS_URL and that Redis runs.")
