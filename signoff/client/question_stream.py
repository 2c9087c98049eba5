"""People's questions to this agent as they come on its stream: one group, which all its processes share."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncGenerator
from typing import Any

from redis.exceptions import RedisError, ResponseError

from signoff.client.inbox import PAUSES
from signoff.errors import Invalid, NotVerified, Unreachable
from signoff.models.jitter import between
from signoff.models.messages import build
from signoff.models.talks import Message
from signoff.payload.canonical import parse
from signoff.queue import connections, questions, stream
from signoff.queue.connections import OUTAGE
from signoff.queue.questions import BLOCK_MS, GROUP, PASSED_MS

Entry = tuple[bytes, dict[bytes, bytes]]


class QuestionStream:
    """Reads it, on a connection of its own, which waits. Every round tells the server that somebody does."""

    def __init__(self, url: str, agent: str) -> None:
        # A blocking read has to outlast the time that its reply may take.
        self._redis = connections.commands(url, socket_seconds=BLOCK_MS / 1000 + 10)
        self._key = stream.decisions(agent)
        self._consumer = f"{socket.gethostname()}-{os.getpid()}-{os.urandom(4).hex()}"

    async def ids(self) -> AsyncGenerator[tuple[bytes, str], None]:
        """(stream entry, question's id), for ever: what others have passed on first, then what comes.

        Decisions, which stand on the same stream, are passed over. Survives Redis going away; raises
        Unreachable when Redis refuses (its rights, say).
        """
        failures, joined = 0, False
        while True:
            try:
                if not joined:
                    await self._join()
                    joined = True
                entries = await self._round()
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
            asked = [(entry, fields) for entry, fields in entries if _asks(fields)]
            if len(asked) < len(entries):
                await self.ack(*(entry for entry, fields in entries if not _asks(fields)))
            for entry, fields in asked:
                yield entry, fields.get(stream.ID_IN_STREAM.encode(), b"").decode(errors="replace")

    async def ack(self, *entries: bytes) -> None:
        """These are done with; raises Unreachable: then they come again."""
        try:
            await self._redis.xack(self._key, GROUP, *entries)
        except (RedisError, OSError) as error:
            raise Unreachable(f"{type(error).__name__}: not acknowledged, so it will come again.") from None

    async def close(self) -> None:
        """Let the connection go."""
        await self._redis.aclose()

    async def _join(self) -> None:
        try:
            await self._redis.xgroup_create(self._key, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    async def _round(self) -> list[Entry]:
        claimed: Any = await self._redis.xautoclaim(
            self._key, GROUP, self._consumer, min_idle_time=PASSED_MS, start_id="0-0", count=20
        )
        left = [(entry, fields) for entry, fields in claimed[1] if fields]
        await self._read(questions.NOTHING, None)
        # Not all processes at the same time: what one of them passes on, another one takes.
        block = int(BLOCK_MS * between(0.3, 1.0))
        return left or await self._read(">", block)

    async def _read(self, after: str, block: int | None) -> list[Entry]:
        found: Any = await self._redis.xreadgroup(
            GROUP, self._consumer, {self._key: after}, count=100, block=block
        )
        rows = found.items() if isinstance(found, dict) else found or []
        return [item for _, entries in rows for item in stream.flat(entries)]


def read(found: bytes | None) -> Message | None:
    """What stands under a question's key; raises NotVerified where that is nothing of ours."""
    try:
        return None if found is None else build(Message, parse(found))
    except Invalid as error:
        raise NotVerified(error.detail) from None


def _asks(fields: dict[bytes, bytes]) -> bool:
    return fields.get(questions.KIND.encode()) == questions.MESSAGE.encode()
