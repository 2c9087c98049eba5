"""The bot role: listens to Slack over Socket Mode."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk.errors import SlackApiError

from signoff.bot.app import CONCURRENCY, Running, build_bolt
from signoff.bot.slack.errors import SlackRefused
from signoff.errors import ConfigError
from signoff.server.build import Server

log = logging.getLogger("signoff.bot")


CONNECTIONS = 2
"""Socket Mode connections: while Slack refreshes one, the other takes the clicks (Slack allows ten)."""
CHUNK = 65_536
"""Bytes of one read. The SDK's 1,024 cut a click, which brings its card, into many."""
WATCH_SECONDS = 10.0
SILENT_SECONDS = 40.0
"""A connection that was down for so long is made anew, whatever the SDK thinks of it."""
DRAIN_SECONDS = 8.0


def preflight(server: Server) -> None:
    """Fail early, and say why: raises ConfigError when Slack does not know the tokens."""
    try:
        server.directory.home()  # asks auth.test, and raises what Slack says
        server.slack.address()
    except SlackRefused as error:
        raise ConfigError(f"SLACK_BOT_TOKEN: {error}") from None
    if server.settings.slack_app_token is None:
        raise ConfigError("SLACK_APP_TOKEN is not set: the app's page in Slack, App-Level Tokens, makes one.")


def run_bot(server: Server, stop: threading.Event, ready: Callable[[], None] = lambda: None) -> None:
    """The bot role, until `stop` is set; then it finishes what runs. `ready` tells that it is connected."""
    preflight(server)
    token = server.settings.slack_app_token
    assert token is not None
    running = Running()
    app = build_bolt(server, running)
    handlers = [
        SocketModeHandler(
            app,
            token.get_secret_value(),
            concurrency=CONCURRENCY,
            web_client=server.slack.web,
            receive_buffer_size=CHUNK,
        )
        for _ in range(CONNECTIONS)
    ]
    for handler in handlers:
        try:
            handler.connect()  # type: ignore[no-untyped-call]
        except SlackApiError as error:
            raise ConfigError(f"SLACK_APP_TOKEN: Slack refuses it: {error.response['error']}.") from None
    gc.collect()
    gc.freeze()  # what stands now stands for ever: looking through it again costs a click milliseconds
    log.info("connected to Slack")
    ready()
    down_since: dict[int, float] = {}
    while not stop.wait(WATCH_SECONDS):
        for number, handler in enumerate(handlers):
            watch(handler, number, down_since)
    running.wait(DRAIN_SECONDS)
    with ThreadPoolExecutor(CONNECTIONS) as pool:  # each takes the SDK a few seconds
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
