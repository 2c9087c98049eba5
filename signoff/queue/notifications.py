"""The one connection on which a process is woken, an agent's or the web's: a topic a request."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from redis.asyncio.connection import AbstractConnection

from signoff.queue import connections
from signoff.queue.connections import CONNECT_SECONDS

log = logging.getLogger("signoff")

PING_SECONDS = 10.0
"""How often a connection is used, be it by a PING: proxies forget one that is silent for 20 s or more."""
PONG_SECONDS = 5.0
"""A connection on which no answer comes for so long is dead."""
LOOK_SECONDS = 30.0
"""How often its owner looks again whether it has missed something."""
PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds before a reconnect; the last one goes on."""
CHUNK = 500
"""Topics in one SUBSCRIBE."""


class Notifications:
    """Keeps a subscription to any number of topics (Redis's channels), over every reconnect.

    `look` is called with the topics whose request should be looked up: when one is subscribed to, when
    its notification comes, after a reconnect (all), and every 30 s (all). `beat` is called as often as a
    silent connection is tried. Of a notification `hear`, where it is given, is called instead of `look` where
    that brings something along, and `told`, where it is given, with its topic.
    """

    def __init__(
        self,
        url: str,
        look: Callable[[Iterable[str]], None],
        beat: Callable[[], None] = lambda: None,
        told: Callable[[str], None] | None = None,
        hear: Callable[[str, bytes], None] | None = None,
    ) -> None:
        self._url = url
        self._look = look
        self._told = told
        self._hear = hear
        self._beat = beat
        self._topics: set[str] = set()
        self._added: list[str] = []
        self._removed: list[str] = []
        self._changed = asyncio.Event()
        self._connection: AbstractConnection | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._sender: asyncio.Task[None] | None = None
        self._heard = 0.0
        self.connected = False
        """True while a connection stands."""
        self.reached = asyncio.Event()
        """Set once a connection has stood."""
        self.fault: BaseException | None = None
        """Why the last connection went away."""

    def add(self, topic: str) -> None:
        """Subscribe; the request is looked up once the subscription stands."""
        if topic in self._topics:
            return
        self._topics.add(topic)
        self._added.append(topic)
        self._changed.set()
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep_connected())

    def remove(self, topic: str) -> None:
        """Unsubscribe."""
        if topic in self._topics:
            self._topics.discard(topic)
            self._removed.append(topic)
            self._changed.set()

    async def close(self) -> None:
        """Let the connection go."""
        if self._keeper:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)

    async def _keep_connected(self) -> None:
        failures = 0
        while True:
            try:
                await self._listen()
            except Exception as error:  # a refusal, too (a wrong password, say) may be over a minute later
                failures, self.fault = (0 if self.connected else failures + 1), error
                log.debug("the connection to Redis went away: %s", type(error).__name__)
            finally:
                await self._drop()
            await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])

    async def _listen(self) -> None:
        """Connect, subscribe to all, and hear; ends with an exception."""
        self._connection = connection = connections.bare(self._url)
        async with asyncio.timeout(CONNECT_SECONDS):
            await connection.connect()  # type: ignore[no-untyped-call]
        self.connected, self._heard = True, time.monotonic()
        self._added, self._removed = list(self._topics), []
        self._changed.set()
        self.reached.set()
        self._sender = asyncio.create_task(self._send(connection))
        while True:
            # However long it takes: pings find a dead connection, where a timeout would give up a live one.
            heard: Any = await connection.read_response(timeout=math.inf)
            self._heard = time.monotonic()
            if not isinstance(heard, list) or heard[0] not in (b"message", b"subscribe"):
                continue
            topic = heard[1].decode(errors="replace")
            if heard[0] == b"message" and self._told:
                self._told(topic)
            elif heard[0] == b"message" and self._hear and heard[2] != b"1":
                self._hear(topic, heard[2])
            else:
                self._look((topic,))

    async def _send(self, connection: AbstractConnection) -> None:
        """Send what changed as it changes, a PING every 10 s, and have all looked up again every 30 s."""
        due, asked = time.monotonic() + PING_SECONDS, 0.0
        look = time.monotonic() + LOOK_SECONDS
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(due - time.monotonic()):
                        await self._changed.wait()
                if self._changed.is_set():
                    await self._subscribe(connection)
                if time.monotonic() < due:
                    continue
                if not asked:
                    self._beat()
                    asked = time.monotonic()
                    if asked >= look:
                        self._look(self._topics)
                        look = asked + LOOK_SECONDS
                    due = asked + PONG_SECONDS
                    await connection.send_command("PING", check_health=False)
                elif self._heard >= asked:
                    due, asked = asked + PING_SECONDS, 0.0
                else:
                    await connection.disconnect(nowait=True)
                    return
        except Exception as error:  # then whoever reads it finds it ended, and makes another
            log.debug("nothing can be sent to Redis: %s", type(error).__name__)
            await connection.disconnect(nowait=True)

    async def _subscribe(self, connection: AbstractConnection) -> None:
        self._changed.clear()
        added, removed = self._added, self._removed
        self._added, self._removed = [], []
        for command, topics in (
            ("UNSUBSCRIBE", [topic for topic in removed if topic not in self._topics]),
            ("SUBSCRIBE", [topic for topic in added if topic in self._topics]),
        ):
            for start in range(0, len(topics), CHUNK):
                await connection.send_command(command, *topics[start : start + CHUNK], check_health=False)

    async def _drop(self) -> None:
        self.connected = False
        if self._sender:
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)
        if self._connection:
            await self._connection.disconnect(nowait=True)
