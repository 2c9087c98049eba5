"""An agent's connections to Redis: how long each may take, and what counts as an outage.

redis-py makes and reads them, with hiredis; docs/decisions/own-resp-reader.md has why no reader of our own.
"""

from __future__ import annotations

from typing import Any

import redis.asyncio as aioredis
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

CONNECT_SECONDS = 5.0
"""How long one connect may take, and one round trip."""
OUTAGE = (RedisConnectionError, RedisTimeoutError, OSError)


def commands(url: str, *, read_seconds: float = CONNECT_SECONDS) -> aioredis.Redis:
    """One connection, made when it is needed, for one command after the other; `read_seconds` for each reply.

    After an outage a command is sent once more, on a fresh connection: each must bear to run twice.
    """
    return aioredis.Redis.from_url(url, single_connection_client=True, **_options(read_seconds, tries=2))


def bare(url: str) -> AbstractConnection:
    """A connection by itself, not connected yet: for who reads what it never asked for."""
    pool = ConnectionPool.from_url(url, **_options(CONNECT_SECONDS, tries=1))
    connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]
    return connection


def _options(read_seconds: float, tries: int) -> dict[str, Any]:
    return {
        "protocol": 2,  # in RESP2 all is a plain array, on a subscribed connection too
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": read_seconds,
        "retry": Retry(NoBackoff(), tries - 1),
        "retry_on_error": list(OUTAGE),
    }
