"""The server's connections to Redis: kept alive, and looked at before use after a while of quiet."""

from __future__ import annotations

import socket
import time
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

QUIET_SECONDS = 10
"""A connection that was quiet for so long is asked by PING whether it still leads anywhere."""
LOOK_SECONDS = 0.2
"""How long its answer may take: a Redis that hangs costs a person no more than this beside a call."""
_ALIVE = {
    name: seconds
    for option, seconds in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
    if (name := getattr(socket, option, None)) is not None
}
"""What stands between keeps connections that are used: the kernel asks every half minute."""
_KINDS = {"redis": Connection, "rediss": SSLConnection, "unix": UnixDomainSocketConnection}


def quick(url: str, seconds: float) -> redis.Redis:
    """For what a person waits behind: a call takes `seconds` at most, and is not repeated.

    A PING that goes unanswered is: nothing was asked by then, so the connection is made anew and the call
    goes out on that. A firewall that drops what was quiet costs a click 0.2 s, and not its answer.
    """
    kind = _looking(_KINDS[url.partition(":")[0]])
    return redis.Redis.from_url(
        url,
        connection_class=kind,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        health_check_interval=QUIET_SECONDS,
        retry=Retry(NoBackoff(), 0),
        **alive(url),
    )


def patient(url: str, seconds: float) -> redis.Redis:
    """For reads that may block for some seconds: `seconds` is the longest that one takes."""
    return redis.Redis.from_url(url, socket_timeout=seconds, socket_connect_timeout=5, **alive(url))


def alive(url: str) -> dict[str, Any]:
    """Options that have the kernel ask; none for a socket of this machine."""
    if url.startswith("unix"):
        return {}
    return {"socket_keepalive": True, "socket_keepalive_options": _ALIVE}


def _looking(kind: type[Any]) -> type[Any]:
    class Looking(kind):  # type: ignore[misc]
        """A connection that is made anew where nobody answers its PING."""

        next_health_check: float

        def check_health(self) -> None:
            wire = self._sock
            if wire is None or time.monotonic() <= self.next_health_check:
                return
            wire.settimeout(LOOK_SECONDS)
            try:
                super().check_health()
                wire.settimeout(self.socket_timeout)
            except (RedisConnectionError, RedisTimeoutError, OSError):
                self.disconnect()
                self.next_health_check = time.monotonic() + QUIET_SECONDS  # not while it is connecting
                self.connect()

    return Looking
