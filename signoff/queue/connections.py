"""Connections to Redis of who waits in an event loop: how long each may take, and what counts as an outage.

redis-py makes and reads them, with hiredis; docs/decisions/ has why no reader of our own does.
"""

from __future__ import annotations

import socket
from typing import Any

import redis.asyncio as aioredis
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

CONNECT_SECONDS = 5.0
"""How long one connect may take, and one round trip."""
KEEPALIVE = {
    getattr(socket, name): seconds
    for name, seconds in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))
    if hasattr(socket, name)
}
"""When the kernel tries a silent connection (macOS has no TCP_KEEPIDLE): what between us and Redis forgets
connections that are silent for longer keeps ours, and one that is dead ends within half a minute."""
OUTAGE = (RedisConnectionError, RedisTimeoutError, OSError)


class _Commands(aioredis.Redis):
    """An agent may let its client go unclosed, its event loop over: nothing is printed then."""

    def __del__(self, *_: object) -> None:
        """redis-py's closes the connection, for which there may be no loop any more; it goes with us."""


def commands(url: str, *, socket_seconds: float | None = None) -> aioredis.Redis:
    """One connection, made when it is needed, for one command after the other.

    How long one may take is for its caller to say, or `socket_seconds`. After an outage a command is sent
    once more, on a fresh connection: each must bear to run twice.
    """
    return _Commands.from_url(url, single_connection_client=True, **_options(url, socket_seconds, tries=2))


def bare(url: str) -> AbstractConnection:
    """A connection by itself, not connected yet: for who reads what it never asked for."""
    pool = ConnectionPool.from_url(url, **_options(url, None, tries=1))
    connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]
    return connection


def _options(url: str, socket_seconds: float | None, tries: int) -> dict[str, Any]:
    # With a timeout redis-py writes inside wait_for, which before Python 3.12 can swallow a cancellation.
    keepalive = {"socket_keepalive": True, "socket_keepalive_options": KEEPALIVE}
    return ({} if url.startswith("unix:") else keepalive) | {
        "protocol": 2,  # in RESP2 all is a plain array, on a subscribed connection too
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": socket_seconds,
        "retry": Retry(NoBackoff(), tries - 1),
        "retry_on_error": list(OUTAGE),
    }
