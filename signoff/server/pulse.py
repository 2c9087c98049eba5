"""A role's sign of life: a connection to Redis that is called after it, and used every ten seconds.

It needs no key and no right of its own, it is gone the moment its process is, and a process that stands still
shows as a connection that was not used. Only those of the server's own user count: an agent may call its
connections what it likes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import redis
from redis.exceptions import RedisError

from signoff.server import redis_link

NAME = "signoff-alive-"
BEAT_SECONDS = 10.0
SILENT_SECONDS = 30.0
"""Who has not been heard for so long stands still."""
ROLES = ("bot", "intake", "worker", "web")


def beat(url: str, role: str, stop: threading.Event) -> None:
    """Show that a role lives, until `stop` is set; while Redis is away there is nothing to show it to."""
    with redis.Redis.from_url(
        url, client_name=f"{NAME}{role}", single_connection_client=True,
        socket_timeout=5, socket_connect_timeout=5, **redis_link.alive(url),
    ) as connection:  # fmt: skip
        while not stop.is_set():
            with suppress(RedisError, OSError):
                connection.ping()
            stop.wait(BEAT_SECONDS)


def living(clients: Iterable[Mapping[str, Any]], role: str, user: str) -> int:
    """CLIENT LIST → how many processes of a role are there."""
    return sum(1 for one in clients if one.get("name") == f"{NAME}{role}" and one.get("user") == user)


def heard(clients: Iterable[Mapping[str, Any]], user: str) -> dict[str, float]:
    """CLIENT LIST → each role that is there, by the seconds since one of its processes was last heard."""
    found: dict[str, float] = {}
    for client in clients:
        role = str(client.get("name", "")).removeprefix(NAME)
        if role in ROLES and client.get("name") != role and client.get("user") == user:
            found[role] = min(float(client.get("idle", 0)), found.get(role, float("inf")))
    return {role: found[role] for role in ROLES if role in found}
