"""An agent's end of Redis: one connection for commands, one on which it is woken.

Whoever waits subscribes, *then* looks the response up, *then* waits, so that nothing slips between; and
looks again every 30 s and after every reconnect. Any number of waits in a process share both connections.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from redis.exceptions import RedisError, ResponseError

from signoff.client.inbox import Inbox
from signoff.client.pending import HELD
from signoff.client.question_stream import QuestionStream, read
from signoff.client.resend import until_received
from signoff.client.road import Exchange as Exchange
from signoff.client.settings import CHECK
from signoff.client.together import put_together
from signoff.errors import Invalid, NotVerified, SignoffError, Unreachable
from signoff.models import crash
from signoff.models.jitter import between
from signoff.models.messages import Response
from signoff.models.stops import STOPS_KEY
from signoff.models.talks import Message
from signoff.queue import connections, stream
from signoff.queue.connections import CONNECT_SECONDS
from signoff.queue.notifications import Notifications

log = logging.getLogger("signoff")

SPEND_SECONDS = (5.0, 30.0, 120.0, 600.0, 1800.0)
"""Pauses between asking again who may run a request: nobody can see whether that was read."""
LOOKUPS = 500
"""Keys that one round trip looks up, at most."""
AGAIN_SECONDS = 1.0
"""Before what could not be looked up is looked up again."""


class RedisExchange:
    """The real one. Belongs to one event loop. `fix` says what to do where Redis does not answer."""

    def __init__(self, url: str, agent: str, fix: str = CHECK) -> None:
        self._url, self._agent, self._fix = url, agent, fix
        self._redis = connections.commands(url)
        self._notifications = Notifications(url, self._look, self._beat, hear=self._hear)
        self._waiters: defaultdict[str, dict[asyncio.Future[Response], bool]] = defaultdict(dict)
        self._bodies: dict[str, str] = {}
        self._unreceived: set[str] = set()
        self._batches: dict[str, str] = {}
        self._due: set[str] = set()
        self._held: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._looking = False

    async def send(self, kind: str, request_id: str, body: str) -> None:
        """Put one entry on this agent's stream, and see to it that a request is received."""
        if kind == "request":
            await self._put(request_id, body)
            self._ensure_received(request_id, body)
        else:
            await self._append(kind, request_id, body)

    async def send_batch(self, requests: Sequence[tuple[str, str]], entry_id: str, body: str) -> None:
        """Put all on this agent's stream, and see to it that all is received."""
        await put_together(self._redis, self._agent, requests, (entry_id, body), self._within_bounds)
        self._batches[told_at := stream.frozen(entry_id, body.encode())] = entry_id
        for request_id, text in (*requests, (told_at, body)):
            self._ensure_received(request_id, text)

    async def refused(self, entry_id: str, body: str) -> Response:
        """Waits for what is said of a batch itself; where a server has lost it, it is sent again."""
        self._batches[told_at := stream.frozen(entry_id, body.encode())] = entry_id
        return await self._wait_for(told_at, final=True, body=body)

    async def lookup(self, request_id: str) -> Response | None:
        """What stands under the request's key."""
        return _decode(await self._within_bounds(partial(self._redis.get, self._key(request_id))))

    async def find(self, nonce: str) -> str | None:
        """What a server has noted for this key."""
        found = await self._within_bounds(partial(self._redis.get, stream.keyed(self._agent, nonce)))
        return found.decode(errors="replace") if found else None

    async def _put(self, request_id: str, body: str) -> None:
        """A request: its body under a key, where it replaces itself, and a pointer to it on the stream."""
        if batch := self._batches.get(request_id):  # its body stands in the entry
            return await self._append(stream.BATCH, batch, body)
        key = stream.body(self._agent, request_id)
        await self._within_bounds(partial(self._redis.set, key, body, ex=stream.BODY_SECONDS))
        crash.here("client.stored")
        await self._append("request", request_id)
        crash.here("client.sent")

    async def wait(self, request_id: str, timeout: float | None, body: str | None = None) -> Response:
        """Survives Redis going away once it was reached; the first contact is tried for 5 s."""
        try:
            async with asyncio.timeout(timeout):
                await self._make_contact(request_id)
                return await self._wait_for(request_id, final=True, body=body)
        except TimeoutError:
            if not self._notifications.connected:
                raise self._unreachable(self._notifications.fault) from None
            raise

    async def spend(self, request_id: str, body: str, timeout: float | None) -> Response:
        """Asks until a server has said who may run it."""
        name, pauses = stream.spent(request_id), iter(SPEND_SECONDS)
        async with asyncio.timeout(timeout):
            while True:
                await self._append("spend", request_id, body)
                pause = next(pauses, SPEND_SECONDS[-1]) * between(1.0, 1.25)
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        return await self._wait_for(name, final=True)

    async def stops(self) -> str | None:
        """What a server has said."""
        found = await self._within_bounds(partial(self._redis.get, STOPS_KEY))
        return found.decode(errors="replace") if found else None

    async def is_received(self, request_id: str, timeout: float) -> bool:
        """Whether an intake has put the request into the database."""
        try:
            async with asyncio.timeout(timeout):
                await self._wait_for(request_id, final=False)
            return True
        except TimeoutError:
            return False

    def inbox(self, group: str, take_over_ms: int | None = None) -> Inbox:
        """Reads one group of this agent's decisions; what another process leaves is taken after so long."""
        return Inbox(self._url, self._agent, group, take_over_ms)

    def questions(self) -> QuestionStream:
        """Reads what people ask this agent."""
        return QuestionStream(self._url, self._agent)

    async def message(self, talk_id: str) -> Message | None:
        """What stands under a question's key."""
        key = stream.message(self._agent, talk_id)
        return read(await self._within_bounds(partial(self._redis.get, key)))

    async def close(self) -> None:
        """End all waits of this exchange and let both connections go."""
        await self._notifications.close()  # first: what it hears meanwhile would start another task
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._redis.aclose()

    def _unreachable(self, error: BaseException | None) -> Unreachable:
        what = f"{type(error).__name__}: {str(error).rstrip('.')}." if error else "No connection stands."
        return Unreachable(f"{what} {self._fix}")

    def _key(self, request_id: str) -> str:
        return stream.decision(self._agent, request_id)

    async def _append(self, kind: str, request_id: str, body: str = "") -> None:
        fields = stream.entry(kind, request_id, body)
        await self._within_bounds(partial(self._redis.xadd, stream.requests(self._agent), fields))

    async def _within_bounds(self, command: Callable[[], Awaitable[Any]]) -> Any:
        """A reply; where none comes, it is asked for once more, on a fresh connection. Raises Unreachable."""
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await command()
            async with asyncio.timeout(CONNECT_SECONDS):
                return await command()
        except ResponseError as error:
            if str(error).startswith("WRONGTYPE"):
                raise NotVerified("What stands under its key in Redis is none of Signoff's.") from None
            raise self._unreachable(error) from None
        except (RedisError, OSError) as error:
            raise self._unreachable(error) from None

    def _ensure_received(self, request_id: str, body: str) -> None:
        """Have a request received, once however often that is wished for."""
        if request_id not in self._unreceived:
            self._unreceived.add(request_id)
            self._start(self._see_to_it(request_id, body))

    async def _see_to_it(self, request_id: str, body: str) -> None:
        try:
            await until_received(self, request_id, body)
        finally:
            self._unreceived.discard(request_id)

    async def _renew(self, request_id: str) -> bool:
        """Have an unread body stand for longer; False where there is none."""
        if request_id in self._batches:
            return False
        key = stream.body(self._agent, request_id)
        return bool(await self._within_bounds(partial(self._redis.expire, key, stream.BODY_SECONDS)))

    def _beat(self) -> None:
        """Called by Notifications: the other connection is not to be forgotten on the way either."""
        self._start(self._ping())

    async def _ping(self) -> None:
        with suppress(SignoffError):
            await self._within_bounds(self._redis.ping)

    async def _make_contact(self, request_id: str) -> None:
        if not self._notifications.reached.is_set():
            topic = stream.notification(self._agent, request_id)
            self._notifications.add(topic)
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._notifications.reached.wait()
            except TimeoutError:
                self._notifications.remove(topic)
                raise self._unreachable(self._notifications.fault) from None

    async def _wait_for(self, request_id: str, *, final: bool, body: str | None = None) -> Response:
        topic = stream.notification(self._agent, request_id)
        waiter: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiters[request_id][waiter] = final
        if body:
            self._bodies[request_id] = body
        self._notifications.add(topic)
        if self._waiters[request_id].keys() - {waiter}:
            self._look((topic,))  # the subscription stands already: nothing else would look for this one
        try:
            return await waiter
        finally:
            others = self._waiters[request_id]
            del others[waiter]
            if not others:
                del self._waiters[request_id]
                self._held.discard(request_id)
                self._bodies.pop(request_id, None)
                self._notifications.remove(topic)

    def _look(self, topics: Iterable[str]) -> None:
        """Called by Notifications: these requests may have news."""
        start = len(stream.notification(self._agent, ""))
        self._due.update(topic[start:] for topic in topics)
        if not self._looking:
            self._looking = True
            self._start(self._look_up())

    def _hear(self, topic: str, text: bytes) -> None:
        """Called by Notifications: what stands under a request's key came along, as it seems."""
        try:
            self._give(topic[len(stream.notification(self._agent, "")) :], Response.decode(text))
        except Invalid:
            self._look((topic,))

    async def _look_up(self) -> None:
        """Fetch what is due, many keys a round trip."""
        wanted: list[str] = []
        try:
            while self._due:
                wanted = [self._due.pop() for _ in range(min(LOOKUPS, len(self._due)))]
                wanted = [request_id for request_id in wanted if request_id in self._waiters]
                if wanted:
                    keys = [self._key(request_id) for request_id in wanted]
                    found = await self._within_bounds(partial(self._redis.mget, keys))
                    for request_id, text in zip(wanted, found, strict=True):
                        self._tell_waiters(request_id, text)
        except Exception as error:  # whatever it is: others wait here, too
            log.info("looking up failed, and is tried again: %s", type(error).__name__)
            self._due.update(wanted)
            asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._look, ())
        finally:
            self._looking = False

    def _tell_waiters(self, request_id: str, text: bytes | None) -> None:
        if text is None and request_id in self._bodies:
            # Received or not, nobody knows it: a server was restored from before it, and Redis emptied.
            self._ensure_received(request_id, self._bodies[request_id])
        try:
            self._give(request_id, _decode(text))
        except NotVerified as fault:
            self._give(request_id, None, fault)

    def _give(self, request_id: str, response: Response | None, fault: NotVerified | None = None) -> None:
        if response and response.status == "pending":
            self._note_held(request_id, response.held or "")
        for waiter, final in self._waiters.get(request_id, {}).items():
            if waiter.done():
                continue
            if fault:
                waiter.set_exception(fault)
            elif response and (response.status != "pending" or not final):
                waiter.set_result(response)

    def _note_held(self, request_id: str, held: str) -> None:
        """Say once that what is waited for is held."""
        if held and request_id not in self._held and request_id in self._waiters:
            log.warning(HELD, request_id, held)
        if held:
            self._held.add(request_id)
        else:
            self._held.discard(request_id)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _decode(text: bytes | None) -> Response | None:
    if text is None:
        return None
    try:
        return Response.decode(text)
    except Invalid as error:
        raise NotVerified(error.detail) from None
