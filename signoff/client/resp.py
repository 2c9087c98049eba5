"""An agent's connections to Redis, made for bursts: redis-py connects them, this reads and writes.

A plain install has redis-py's parser in Python, which awaits its stream for every line. When a thousand
waits are woken at once, that alone takes longer than all else. Here what has come is read without awaiting.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable
from typing import Any

from redis._parsers.base import AsyncBaseParser
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, RedisError, ResponseError

CONNECT_SECONDS = 5.0
"""How long one connect or one round trip may take."""
CHUNK = 65_536
"""Bytes of one read."""
CLOSED = "Connection closed by server."
OUTAGE = (RedisError, OSError, asyncio.IncompleteReadError)

Command = Iterable[str | int | bytes]


class Replies(AsyncBaseParser):
    """RESP2, as redis-py's `parser_class`. Replies are bytes, int, None, lists of these, or an error."""

    def __init__(self, socket_read_size: int = CHUNK) -> None:
        super().__init__(socket_read_size)
        self._buffer, self._at = b"", 0

    def on_connect(self, connection: Any) -> None:
        """Called by redis-py: from here on it reads this connection's stream."""
        self._stream = connection._reader
        self._buffer, self._at = b"", 0

    def on_disconnect(self) -> None:
        """Called by redis-py."""
        self._stream = None

    async def can_read(self) -> bool:
        """Whether something has come that nobody has read."""
        return self._at < len(self._buffer)

    can_read_destructive = can_read

    async def read_response(self, disable_decoding: bool = False) -> Any:
        """The next reply; an error is given back, for redis-py to raise. Nothing is ever decoded."""
        while True:
            reply, after = self._parse(self._at)
            if after:
                self._at = after
                if isinstance(reply, RedisConnectionError):
                    raise reply
                return reply
            more = await self._stream.read(CHUNK) if self._stream else b""
            if not more:
                raise RedisConnectionError(CLOSED)
            self._buffer, self._at = self._buffer[self._at :] + more, 0

    def _parse(self, at: int) -> tuple[Any, int]:
        """(the reply that begins there, where the next one does); 0 where it has not all come yet."""
        buffer = self._buffer
        end = buffer.find(b"\r\n", at)
        if end < 0:
            return None, 0
        kind, rest, after = buffer[at : at + 1], buffer[at + 1 : end], end + 2
        if kind == b"$":
            size = int(rest)
            if size < 0:
                return None, after
            stop = after + size
            return (buffer[after:stop], stop + 2) if len(buffer) >= stop + 2 else (None, 0)
        if kind == b"*":
            return self._parse_list(int(rest), after)
        if kind == b":":
            return int(rest), after
        if kind == b"+":
            return rest, after
        if kind == b"-":
            return self.parse_error(rest.decode(errors="replace")), after  # type: ignore[no-untyped-call]
        raise InvalidResponse(f"{kind!r} begins no reply.")

    def _parse_list(self, count: int, at: int) -> tuple[Any, int]:
        if count < 0:
            return None, at
        found = []
        for _ in range(count):
            item, at = self._parse(at)
            if not at:
                return None, 0
            found.append(item)
        return found, at


def connections(url: str) -> ConnectionPool:
    """What makes connections that are read as above. Reads wait as long as it takes: see who reads."""
    return ConnectionPool.from_url(
        url,
        protocol=2,  # in RESP2 all is a plain array, on a subscribed connection too
        parser_class=Replies,
        socket_timeout=None,
        socket_connect_timeout=CONNECT_SECONDS,
    )


class Commands:
    """One connection, connected when it is needed; any number of commands in a round trip."""

    def __init__(self, url: str) -> None:
        self._pool = connections(url)
        self._connection: AbstractConnection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        self._turn = asyncio.Lock()

    async def run(self, *commands: Command) -> list[Any]:
        """Commands → their replies; raises RedisError (the first that was refused, say) or OSError.

        After an outage they are sent once more, on a fresh connection: each must bear to run twice.
        """
        packed = b"".join(map(_packed, commands))
        async with self._turn:
            try:
                return await self._round_trip(packed, len(commands))
            except (RedisConnectionError, OSError, asyncio.IncompleteReadError):
                await self._connection.disconnect(nowait=True)
                return await self._round_trip(packed, len(commands))

    async def close(self) -> None:
        """Let the connection go."""
        await self._connection.disconnect()
        await self._pool.disconnect()

    async def _round_trip(self, packed: bytes, count: int) -> list[Any]:
        connection = self._connection
        async with asyncio.timeout(CONNECT_SECONDS):
            if not connection.is_connected:
                await connection.connect()  # type: ignore[no-untyped-call]
            await connection.send_packed_command(packed, check_health=False)
            replies = [await _reply_or_refusal(connection) for _ in range(count)]
        refusals = [reply for reply in replies if isinstance(reply, ResponseError)]
        if refusals:
            raise refusals[0]
        return replies


async def read(connection: AbstractConnection) -> Any:
    """The next reply, however long it takes; raises RedisError. Left before its end, it disconnects."""
    return await connection.read_response(disable_decoding=True, timeout=math.inf)


async def _reply_or_refusal(connection: AbstractConnection) -> Any:
    """What is left unread would be taken for the next command's reply."""
    try:
        return await read(connection)
    except ResponseError as refusal:
        return refusal


def _packed(command: Command) -> bytes:
    parts = [part if isinstance(part, bytes) else str(part).encode() for part in command]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
