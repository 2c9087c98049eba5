"""A process that takes clicks says that it does, as long as it can."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress

from redis.exceptions import RedisError

from signoff.models.identity import new_id
from signoff.queue import hearing
from signoff.queue.outage import is_outage
from signoff.server import redis_link
from signoff.server.build import Server

SECONDS = 1.0
"""What Redis may take, and how long a click may wait for a thread."""


def listen(server: Server, hears: Callable[[], bool], stop: threading.Event) -> None:
    """Say each second that people are heard, where `hears` says so, until `stop` is set.

    While the database or Redis is away there is no saying so: a click could not be noted then either.
    """
    name, ears = str(new_id()), None
    with redis_link.quick(server.redis_url, SECONDS) as client:
        while not stop.wait(hearing.BEAT_SECONDS):
            try:
                if hears():
                    ears = hearing.said(ears, server.store.clock())
                    hearing.note(client, name, ears)
            except Exception as error:
                if not is_outage(error):
                    raise
        with suppress(RedisError, OSError):
            hearing.leave(client, name)


def takes_work(pool: Executor) -> bool:
    """Whether a thread that handles clicks is free: all that was given to the pool before has begun."""
    try:
        work = pool.submit(int)
    except RuntimeError:  # it is being closed
        return False
    try:
        work.result(SECONDS)
    except TimeoutError:
        work.cancel()
        return False
    return True
