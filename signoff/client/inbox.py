"""An agent's decision stream as a consumer group: for an agent that parks a task and goes on with others."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any

from redis.exceptions import RedisError, ResponseError

from signoff.client.answer import Answer
from signoff.errors import Unreachable
from signoff.models.receipt import NoteSaid, Receipt
from signoff.queue import connections, stream
from signoff.queue.connections import OUTAGE
from signoff.queue.groups import IDLE_MS

BLOCK_MS = 10_000
PAUSES = (0.1, 0.5, 1.0, 2.0, 5.0)
LEAVE_SECONDS = 60.0
"""For so long a process takes over nothing, after it has left something to others."""
REMEMBERED = 10_000
"""Ids that a process keeps to drop duplicates."""


@dataclass(frozen=True)
class Delivery:
    """One decision as it arrives. Until `ack()` it comes again, to this process or another.

    `answer` is what a person answered, where it was a question; None where it was none, or nobody did.
    """

    receipt: Receipt
    _ack: Callable[[], Any] = field(repr=False)

    @property
    def notes(self) -> tuple[NoteSaid, ...]:
        """What people who were asked have noted for the agent: data, beside the receipt."""
        return self.receipt.notes

    @property
    def answer(self) -> Answer | None:
        return Answer.of(self.receipt) if self.receipt.status == "answered" else None

    def ack(self) -> Any:
        """Done with it. With AsyncSignoff: `await delivery.ack()`. Raises Unreachable."""
        return self._ack()


class Inbox:
    """Reads one group of an agent's decision stream; on a connection of its own, which waits."""

    def __init__(self, url: str, agent: str, group: str, take_over_ms: int | None = None) -> None:
        """`take_over_ms`: what another process leaves unacknowledged is taken then; None: after a minute."""
        # A blocking read has to outlast the time that its reply may take.
        self._redis = connections.commands(url, socket_seconds=BLOCK_MS / 1000 + 10)
        self._key = stream.decisions(agent)
        self._group = group
        self._consumer = f"{socket.gethostname()}-{os.getpid()}-{os.urandom(4).hex()}"
        self._seen: OrderedDict[str, bytes] = OrderedDict()
        self._take_over_ms = take_over_ms
        self._claims_from = 0.0

    async def ids(self) -> AsyncGenerator[tuple[bytes, str], None]:
        """(stream entry, request id), for ever: what died unacknowledged first, then what comes.

        Survives Redis going away; raises Unreachable when Redis refuses (its rights, say).
        """
        failures, joined = 0, False
        while True:
            try:
                if not joined:
                    await self._join()
                    joined = True
                entries = await self._claim() or await self._read()
                failures = 0
            except OUTAGE:
                await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
                failures += 1
                continue
            except ResponseError as error:
                if not str(error).startswith("NOGROUP"):
                    raise Unreachable(f"Redis refuses: {error}.") from None
                joined = False
                continue
            for entry, fields in entries:
                request_id = fields.get(stream.ID_IN_STREAM.encode(), b"").decode(errors="replace")
                if request_id and self._seen.get(request_id, entry) == entry:
                    self._remember(request_id, entry)
                    yield entry, request_id
                else:
                    await self.ack(entry)

    async def ack(self, entry: bytes) -> None:
        """Acknowledge one entry."""
        try:
            await self._redis.xack(self._key, self._group, entry)
        except (RedisError, OSError) as error:
            raise Unreachable(f"{type(error).__name__}: not acknowledged, so it will come again.") from None

    def leave(self) -> None:
        """What is not acknowledged is for others: take over nothing for a while."""
        self._claims_from = time.monotonic() + LEAVE_SECONDS

    async def close(self) -> None:
        """Let the connection go."""
        await self._redis.aclose()

    def _remember(self, request_id: str, entry: bytes) -> None:
        self._seen[request_id] = entry
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)

    async def _join(self) -> None:
        try:
            await self._redis.xgroup_create(self._key, self._group, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    async def _claim(self) -> list[tuple[bytes, dict[bytes, bytes]]]:
        if time.monotonic() < self._claims_from:
            return []
        idle = IDLE_MS if self._take_over_ms is None else self._take_over_ms
        found: Any = await self._redis.xautoclaim(
            self._key, self._group, self._consumer, min_idle_time=idle, start_id="0-0", count=100
        )
        return [(entry, fields) for entry, fields in found[1] if fields]

    async def _read(self) -> list[tuple[bytes, dict[bytes, bytes]]]:
        found: Any = await self._redis.xreadgroup(
            self._group, self._consumer, {self._key: ">"}, count=100, block=self._take_over_ms or BLOCK_MS
        )
        rows = found.items() if isinstance(found, dict) else found or []
        return [item for _, entries in rows for item in stream.flat(entries)]
