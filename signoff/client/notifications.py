"""The one connection on which an agent's process is woken: a channel a request."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from redis.asyncio.connection import AbstractConnection

from signoff.client import resp
from signoff.client.resp import OUTAGE

log = logging.getLogger("signoff")

PING_SECONDS = 30.0
"""How often a silent connection is tried; and how often its owner looks again whether it missed something."""
PONG_SECONDS = 10.0
PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds before a reconnect; the last one goes on."""
CHUNK = 500
"""Channels in one SUBSCRIBE."""


class Notices:
    """Keeps a subscription to any number of channels, over every reconnect.

    `look` is called with the channels whose answer should be looked up: when one is subscribed to, when
    its notice comes, after a reconnect (all), and every 30 s (all).
    """

    def __init__(self, url: str, look: Callable[[Iterable[str]], None]) -> None:
        # Its reads wait as long as it takes: the pings find a dead connection, where a socket timeout
        # would give up a live one.
        self._pool = resp.connections(url)
        self._look = look
        self._channels: set[str] = set()
        self._fresh: list[str] = []
        self._connection: AbstractConnection | None = None
        self._sender: asyncio.Task[None] | None = None
        self._runner: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._left: list[str] = []
        self._heard = 0.0
        self.reached = asyncio.Event()
        """Set once a connection has stood."""
        self.fault: BaseException | None = None
        """Why the last connection went away."""

    @property
    def connected(self) -> bool:
        """True while a connection stands."""
        return self._connection is not None

    def add(self, channel: str) -> None:
        """Subscribe; the answer is looked up once the subscription stands."""
        if channel in self._channels:
            return
        self._channels.add(channel)
        self._fresh.append(channel)
        self._changed.set()
        if self._runner is None:
            self._runner = asyncio.create_task(self._run())

    def remove(self, channel: str) -> None:
        """Unsubscribe."""
        if channel in self._channels:
            self._channels.discard(channel)
            self._left.append(channel)
            self._changed.set()

    async def close(self) -> None:
        """Let the connection go."""
        if self._runner:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)
        await self._pool.disconnect()

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                await self._serve()
            except OUTAGE as error:
                failures, self.fault = (0 if self.connected else failures + 1), error
                log.debug("the connection to Redis went away: %s", type(error).__name__)
            finally:
                await self._drop()
            await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])

    async def _serve(self) -> None:
        connection: AbstractConnection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        await connection.connect()  # type: ignore[no-untyped-call]
        self._connection, self._heard = connection, time.monotonic()
        self._fresh, self._left = list(self._channels), []
        self._changed.set()
        self.reached.set()
        self._sender = asyncio.create_task(self._send(connection))
        while True:
            reply: Any = await resp.read(connection)
            self._heard = time.monotonic()
            if reply[0] in (b"message", b"subscribe"):
                self._look((reply[1].decode(),))

    async def _send(self, connection: AbstractConnection) -> None:
        """Send what changed as it changes, and a PING every half minute, when all is looked up again."""
        due, asked = time.monotonic() + PING_SECONDS, 0.0
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
                    self._look(self._channels)
                    asked = time.monotonic()
                    due = asked + PONG_SECONDS
                    await connection.send_command("PING", check_health=False)
                elif self._heard >= asked:
                    due, asked = asked + PING_SECONDS, 0.0
                else:
                    await connection.disconnect(nowait=True)
                    return
        except OUTAGE:
            await connection.disconnect(nowait=True)

    async def _subscribe(self, connection: AbstractConnection) -> None:
        self._changed.clear()
        fresh, left = self._fresh, self._left
        self._fresh, self._left = [], []
        for command, channels in (
            ("UNSUBSCRIBE", [c for c in left if c not in self._channels]),
            ("SUBSCRIBE", [c for c in fresh if c in self._channels]),
        ):
            for start in range(0, len(channels), CHUNK):
                await connection.send_command(command, *channels[start : start + CHUNK], check_health=False)

    async def _drop(self) -> None:
        if self._sender:
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)
        connection, self._connection = self._connection, None
        if connection:
            await connection.disconnect(nowait=True)
