"""Slack over HTTP, composed: the Bolt app in the role `web`, for a server with a signing secret."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from signoff.bot.app import CountedPool, Running
from signoff.bot.incoming import Signing, dispatched
from signoff.errors import ConfigError
from signoff.queue.answered import Answered
from signoff.server import ears, redis_link
from signoff.server.bot_role import DRAIN_SECONDS, bolt, reached
from signoff.server.build import Server
from signoff.server.perpetual import perpetual
from signoff.web.replays import Replays
from signoff.web.slack import THREADS, SlackDoor

log = logging.getLogger("signoff.bot")

REDIS_SECONDS = 0.3
"""How long Redis may take to say whether a call is known: whoever pressed waits behind it."""


@contextmanager
def opened(
    server: Server, stop: threading.Event, ready: Callable[[], None]
) -> Iterator[tuple[SlackDoor | None, Callable[[], None]]]:
    """The door for Slack, and who is to be told that the role listens; without a signing secret no door.

    The door takes calls as soon as Slack can be asked who the bot is: the role is ready then. At the end what
    runs is finished. Where Slack does not take the token, `stop` is set, and ConfigError raised at the end.
    """
    secret = server.settings.signing_secret
    if secret is None:
        yield None, ready
        return
    running = Running()
    shared = redis_link.quick(server.redis_url, REDIS_SECONDS)
    pool = CountedPool(running, THREADS, "slack")
    door = SlackDoor(Signing(secret), Replays(Answered(shared)), pool)
    faults, told = list[ConfigError](), list[float]()

    def open_it() -> None:
        try:
            app = reached(lambda: bolt(server, running), stop)
        except ConfigError as error:
            faults.append(error)
            stop.set()
            return
        if app is None:
            return
        door.open(partial(dispatched, app))
        gc.collect()
        gc.freeze()  # what stands now stands for ever: looking through it again costs a click milliseconds
        perpetual("ears", lambda stop: ears.listen(server, lambda: ears.takes_work(pool), stop), stop).start()
        log.info("Slack can call")
        ready()
        stop.wait()
        told.append(time.monotonic())

    opening = threading.Thread(target=open_it, name="slack-opening", daemon=True)
    try:
        yield door, opening.start
    finally:
        # What was called has been waited for since then; what follows an answer has what is left of that.
        running.wait(max(0.0, DRAIN_SECONDS - (time.monotonic() - told[0])) if told else 0.0)
        pool.shutdown(wait=False)
        shared.close()
    if faults:
        raise faults[0]
