"""Which agents have written, as Redis tells it: by the names of keys, and never what stands in them.

A read that blocks gives whatever comes, of any size, and one of many streams fails where one of them does.
So nothing blocks on a stream: Redis is asked to tell of every change under our prefixes (`CLIENT TRACKING …
BCAST`), and then what changed is measured and read.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import Any

import redis
from redis.exceptions import ResponseError

from signoff.queue.refusals import refuses_all
from signoff.queue.stream import BODIES, REQUESTS, Redis, agent_of

log = logging.getLogger("signoff.queue")

CHANNEL = "__redis__:invalidate"
"""Where Redis says it to a connection of RESP2."""
LOOK_SECONDS = 0.05
"""Without being told, look so often."""
MOST = 10_000
"""Messages that are taken at once."""
PING_SECONDS = 20.0
"""How often a connection on which nothing comes is tried."""


@dataclass
class Heard:
    """What has changed: streams of these agents, these keys of bodies; or `all` may have."""

    agents: dict[str, None] = field(default_factory=dict)
    bodies: set[bytes] = field(default_factory=set)
    all: bool = False


class News:
    """One connection on which changes are told. `client` is asked for how to connect only."""

    def __init__(self, client: Redis) -> None:
        self._pool = client.connection_pool
        self._connection: Any = None
        self._deaf = False
        self._due = 0.0
        self._asked = False

    def wait(self, seconds: float) -> Heard:
        """What has changed since the last time, or changes within `seconds`; raises RedisError.

        After each new connection all may have changed. Where Redis cannot tell, we look 20 times a second.
        """
        heard = Heard()
        try:
            if self._connection is None:
                self._connect()
                heard.all = True
                return heard
            if self._deaf:
                time.sleep(min(seconds, LOOK_SECONDS))
                heard.all = True
                return heard
            self._try()
            wait = seconds
            for _ in range(MOST):
                if not self._connection.can_read(timeout=wait):
                    break
                _note(heard, self._connection.read_response())
                self._due, self._asked = time.monotonic() + PING_SECONDS, False
                wait = 0
        except BaseException:
            self.close()
            raise
        return heard

    def _try(self) -> None:
        if time.monotonic() < self._due:
            return
        if self._asked:
            raise redis.ConnectionError("Nothing is heard of it any more.")
        self._connection.send_command("PING", check_health=False)
        self._due, self._asked = time.monotonic() + PING_SECONDS, True

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.disconnect()
            self._connection = None

    def _connect(self) -> None:
        # RESP2, because there what is told has a channel, which redis-py reads as any other message.
        connection = self._pool.connection_class(**{**self._pool.connection_kwargs, "protocol": 2})
        self._connection, self._deaf = connection, False
        self._due, self._asked = time.monotonic() + PING_SECONDS, False
        connection.connect()
        try:
            own = _said(connection, "CLIENT", "ID")
            prefixes = [word for prefix in (REQUESTS, BODIES) for word in ("PREFIX", prefix)]
            _said(connection, "CLIENT", "TRACKING", "ON", "REDIRECT", own, "BCAST", *prefixes)
            _said(connection, "SUBSCRIBE", CHANNEL)
        except ResponseError as error:
            if refuses_all(error) and not isinstance(error, redis.exceptions.NoPermissionError):
                raise
            log.warning("Redis does not tell us of changes (%s): looking for them", str(error).split(" ")[0])
            self._deaf = True


def _said(connection: Any, *command: Any) -> Any:
    connection.send_command(*command)
    return connection.read_response()


def _note(heard: Heard, message: Any) -> None:
    if isinstance(message, list) and message[:1] == [b"pong"]:
        return
    keys = message[2] if isinstance(message, list) and len(message) == 3 else None
    if not isinstance(keys, list):  # None: the whole database was emptied
        heard.all = True
        return
    for key in keys:
        agent = agent_of(key)
        if agent and key.startswith(BODIES.encode()):
            heard.bodies.add(key)
        elif agent:
            heard.agents[agent] = None
