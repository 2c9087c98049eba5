"""The bot role: listens to Slack over Socket Mode."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from itertools import chain, repeat
from typing import TypeVar

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.error import BoltError
from slack_sdk.errors import SlackApiError, SlackClientError

from signoff.bot.app import CONCURRENCY, Running, build_bolt
from signoff.bot.slack.errors import SlackRefused, SlackUnavailable, translated
from signoff.errors import ConfigError
from signoff.queue.acl import credentials
from signoff.server import ears, redis_link
from signoff.server.build import Server
from signoff.server.links import Ghosts, Link
from signoff.server.perpetual import perpetual
from signoff.server.pulse import living

log = logging.getLogger("signoff.bot")


CONNECTIONS = 2
"""Socket Mode connections: while Slack refreshes one, the other takes the clicks (Slack allows ten)."""
WATCH_SECONDS = 2.0
SILENT_SECONDS = 40.0
"""A connection that was down for so long is made anew, whatever the SDK thinks of it."""
DRAIN_SECONDS = 8.0
LIST_SECONDS = 2.0
"""How long Redis may take to say who is connected."""
AGAIN_SECONDS = (0.2, 0.5, 1.0)
"""Pauses while Slack cannot be reached at the start; the last one goes on."""
T = TypeVar("T")


class NotReached(Exception):
    """Slack did not answer, or not yet as it should."""


def preflight(server: Server) -> None:
    """Fail early, and say why: raises ConfigError when Slack does not know the bot's token.

    Raises SlackUnavailable where it cannot tell.
    """
    try:
        server.directory.home()  # asks auth.test, and raises what Slack says
        server.slack.address()
    except SlackRefused as error:
        raise ConfigError(f"SLACK_BOT_TOKEN: {error}") from None


def run_bot(server: Server, stop: threading.Event, ready: Callable[[], None] = lambda: None) -> None:
    """The bot role, until `stop` is set; then it finishes what runs. `ready` tells that it is connected.

    Raises ConfigError where Slack takes a token not, or is to call the role `web` instead.
    """
    token = server.settings.app_token
    running = Running()
    app = reached(lambda: bolt(server, running), stop)
    if app is None:
        return
    ghosts = Ghosts(server.channel.tell_admins, lambda: bots(server.redis_url))
    handlers = [Link(app, token, server.slack.web, CONCURRENCY, ghosts.heard) for _ in range(CONNECTIONS)]
    ghosts.watch(handlers)
    for handler in handlers:
        reached(lambda handler=handler: connect(handler), stop)  # type: ignore[misc]
    if stop.is_set():
        return _close_all(handlers)
    gc.collect()
    gc.freeze()  # what stands now stands for ever: looking through it again costs a click milliseconds
    server.approvals.told.start()
    perpetual("ears", lambda stop: ears.listen(server, lambda: hears(handlers), stop), stop).start()
    log.info("connected to Slack")
    ready()
    down_since: dict[int, float] = {}
    while not stop.wait(WATCH_SECONDS):
        for number, handler in enumerate(handlers):
            watch(handler, number, down_since)
        look_after(handlers, ghosts)
    running.wait(DRAIN_SECONDS)
    server.approvals.told.finish(DRAIN_SECONDS)
    _close_all(handlers)


def reached(step: Callable[[], T], stop: threading.Event) -> T | None:
    """What `step` gives, tried again while Slack cannot be reached; None where `stop` is set before.

    It waits in this process: started again and again it would be down for longer than Slack is. What is wrong
    with the settings passes as ConfigError.
    """
    told = False
    for pause in chain(AGAIN_SECONDS, repeat(AGAIN_SECONDS[-1])):
        try:
            return step()
        except ConfigError:
            raise
        except (SlackUnavailable, SlackClientError, HTTPException, OSError, NotReached) as error:
            log.log(logging.INFO if told else logging.WARNING, "Slack is not reached: %s", str(error)[:200])
            told = True
        if stop.wait(pause):
            return None
    return None


def connect(handler: SocketModeHandler) -> None:
    """Open one connection; raises ConfigError where Slack refuses the token, else what it cannot do."""
    client = handler.client
    try:
        handler.connect()  # type: ignore[no-untyped-call]
    except SlackApiError as error:
        client.wss_uri = None
        said = translated("apps.connections.open", error)
        if isinstance(said, SlackRefused):
            raise ConfigError(f"SLACK_APP_TOKEN: Slack refuses it: {said.code}.") from None
        raise NotReached(said.detail) from None
    except Exception as error:  # the SDK's websocket raises many kinds
        client.wss_uri = None  # it is for one use
        raise NotReached(type(error).__name__) from None
    if not client.is_connected():
        client.wss_uri = None
        raise NotReached("no session")


def bolt(server: Server, running: Running) -> App:
    """The app with every listener; raises ConfigError, or what `reached` tries again after."""
    preflight(server)
    try:
        return build_bolt(server, running)
    except BoltError as error:  # it asks auth.test once more
        raise NotReached(type(error).__name__) from None


def _close_all(handlers: Sequence[SocketModeHandler]) -> None:
    with ThreadPoolExecutor(len(handlers)) as pool:  # each takes the SDK a few seconds
        list(pool.map(close, handlers))


def close(handler: SocketModeHandler) -> None:
    """End a connection, also one that the SDK is just making anew.

    The SDK's own says that the session is terminated, and waits for its end. A session that begins at that
    moment says the contrary, and neither would end.
    """
    closing = threading.Thread(target=handler.close, daemon=True)
    closing.start()
    while closing.is_alive():
        handler.client.current_session_state.terminated = True
        closing.join(0.1)


def watch(handler: SocketModeHandler, number: int, down_since: dict[int, float]) -> None:
    """Make a connection anew that the SDK has not brought back by itself."""
    if handler.client.is_connected():
        down_since.pop(number, None)
        return
    since = down_since.setdefault(number, time.monotonic())
    if time.monotonic() - since >= SILENT_SECONDS:
        log.warning("connection %d to Slack was down for %.0f s: connecting anew", number, SILENT_SECONDS)
        down_since.pop(number, None)
        try:
            handler.client.connect_to_new_endpoint(force=True)
        except Exception as error:
            log.error("still down: %s", type(error).__name__)


def hears(links: Sequence[Link]) -> bool:
    """Whether Slack can bring what people press, and there is a thread for it on every connection."""
    open_ones = [link for link in links if link.client.is_connected() and not link.has_ended()]
    return bool(open_ones) and all(ears.takes_work(link.client.message_workers) for link in open_ones)


def bots(redis_url: str) -> int:
    """How many bots of this deployment live; raises RedisError."""
    with redis_link.quick(redis_url, LIST_SECONDS) as client:
        return living(client.client_list(), "bot", credentials(redis_url)[0])


def look_after(links: Sequence[Link], ghosts: Ghosts) -> None:
    """Replace connections that broke off, and look for those that are not ours; what fails is tried again."""
    try:
        for link in links:
            if link.has_ended():
                log.info("a connection to Slack broke off: connecting anew")
                link.client.connect_to_new_endpoint(force=True)
        ghosts.look()
    except Exception as error:
        log.warning("not connected anew: %s", type(error).__name__)
