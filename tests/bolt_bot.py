"""A real Bolt app for tests: it is connected to the stand-in, and does what a test tells it."""

from __future__ import annotations

import logging
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from signoff.sandbox.server import Sandbox

JSON = dict[str, Any]


class Bot:
    """A Bolt app that records every body, and acknowledges unless a test says otherwise in `on`."""

    def __init__(self, slack: Sandbox) -> None:
        self.client = web_client(slack)
        self.bodies: list[JSON] = []
        self.contexts: list[JSON] = []
        self.headers: list[JSON] = []
        self.on: dict[str, Callable[..., Any]] = {}
        app = App(client=self.client, process_before_response=True, logger=_quiet())
        every = re.compile(".*")
        for kind, register in {
            "action": app.action(every),
            "submit": app.view(every),
            "close": app.view_closed(every),
            "command": app.command(every),
            "shortcut": app.shortcut(every),
            "options": app.options(every),
            "event": app.event(every),
        }.items():
            register(self._listener(kind))
        self.app = app
        self.handlers: list[SocketModeHandler] = []
        self._token = slack.app_token

    @classmethod
    @contextmanager
    def connected_to(cls, slack: Sandbox) -> Iterator[Self]:
        """One that is connected inside the `with`."""
        bot = cls(slack)
        bot.connect()
        try:
            yield bot
        finally:
            for handler in bot.handlers:
                hang_up(handler)

    def connect(self) -> SocketModeHandler:
        handler = SocketModeHandler(self.app, self._token, logger=_quiet())
        handler.connect()
        self.handlers.append(handler)
        return handler

    def reset(self) -> None:
        for seen in (self.bodies, self.contexts, self.headers, self.on):
            seen.clear()

    def _listener(self, kind: str) -> Callable[..., None]:
        def listen(ack: Any, body: JSON, respond: Any, context: Any, request: Any) -> None:
            self.contexts.append(context)
            self.headers.append(request.headers)
            self.bodies.append(body)
            work = self.on.get(kind)
            if work is None:
                ack()
            else:
                work(ack=ack, body=body, respond=respond)

        return listen


def hang_up(handler: SocketModeHandler) -> None:
    """Close it, and wait until it is.

    The SDK's own close() waits for what a read has of its three seconds. And it waits for ever where it meets
    a session that just begins: that says that it is not terminated, after close() has said that it is.
    """
    client = handler.client
    client.auto_reconnect_enabled = False
    closing = threading.Thread(target=handler.close)
    closing.start()
    while closing.is_alive():
        client.current_session_state.terminated = True
        with suppress(OSError, AttributeError):  # it may have no socket any more
            client.current_session.sock.shutdown(socket.SHUT_RDWR)
        closing.join(0.05)


def web_client(slack: Sandbox, **options: Any) -> WebClient:
    return WebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[], logger=_quiet(), **options)


def _quiet() -> logging.Logger:
    logger = logging.getLogger("quiet")
    logger.setLevel(logging.CRITICAL)
    return logger
