"""The bot's connections to Slack, and those that Slack counts beside them.

A connection that breaks off without Slack noticing goes on counting there. Slack sends envelopes to it too,
and a click that it loses so is not sent again: who pressed sees an error. Slack says in its hello how many
connections it counts; what of them is not ours is told, and measured again until it is gone.
"""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, repeat
from typing import Any

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.builtin.connection import Connection

log = logging.getLogger("signoff.bot")

CHUNK = 65_536
"""Bytes of one read. The SDK's 1,024 cut a click, which brings its card, into many."""
ENVELOPE = '{"envelope_id":'
"""How Slack's envelopes begin; what begins otherwise goes the SDK's way."""
FULL = "too_many_websockets"
"""Slack's reason for sending away the eleventh connection of an app."""
FULL_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Pauses before it is tried again, where the SDK would try at once and for ever; the last one goes on."""
MEASURE_SECONDS = (1.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
"""Seconds until Slack is asked again how many it counts, while that is too many; the last one goes on."""
SURE = 2
"""So often in a row it is measured before it is told: two of ours may just be changing."""
APART_SECONDS = 1.0
"""Between a connection's end and its successor, where Slack's count has to be exact."""
GOODBYE = b"\x88\x82\0\0\0\0\x03\xe8"
"""A close frame (RFC 6455): 1000, masked with zeros. By it Slack knows at once that a connection ends."""


class Client(SocketModeClient):
    """The SDK's, which says goodbye where it leaves, and does not hurry back where Slack has no room."""

    def __init__(self, hello: Callable[[int], None], **given: Any) -> None:
        self._hello = hello
        self._leaving = threading.Event()
        self._full = 0
        super().__init__(**given)

    def enqueue_message(self, message: str) -> None:
        """A message came; hello and disconnect say something of the connections.

        An envelope goes to a thread that handles it at once: the SDK has another one pass it on.
        """
        if '"hello"' in message[:200] or '"disconnect"' in message[:200]:
            self._heed(message)
        if not message.startswith(ENVELOPE):
            super().enqueue_message(message)
            return
        try:
            self.message_workers.submit(self._handle, message)
        except RuntimeError:  # it is being closed: Slack sends again what is not acknowledged
            log.info("an envelope came too late")

    def _handle(self, message: str) -> None:
        try:
            self.run_message_listeners(json.loads(message), message)
        except ValueError as error:
            log.error("an envelope that is no JSON was passed over: %s", type(error).__name__)

    def connect_to_new_endpoint(self, force: bool = False) -> None:
        """As the SDK does, after a pause where Slack has just said that there are too many."""
        if self._full:
            pause = FULL_SECONDS[min(self._full, len(FULL_SECONDS)) - 1]
            log.warning("Slack takes no more connections of this app: trying again in %g s", pause)
            if self._leaving.wait(pause):
                return
            force = False  # another thread of the SDK's may have done it meanwhile
        super().connect_to_new_endpoint(force)

    def connect(self) -> None:
        """Open a session in place of the one before, which says goodbye."""
        old = self.current_session
        if old is not None:
            close = old.close

            def leave() -> None:
                goodbye(old)
                close()

            old.close = leave  # type: ignore[method-assign]
        super().connect()

    def disconnect(self) -> None:
        """End the session, with a goodbye."""
        if self.current_session is not None:
            goodbye(self.current_session)
        super().disconnect()

    def close(self) -> None:
        """End for good."""
        self._leaving.set()
        super().close()

    def _heed(self, message: str) -> None:
        try:
            said = json.loads(message)
            if said.get("type") == "disconnect":
                self._full = self._full + 1 if said.get("reason") == FULL else 0
            elif said.get("type") == "hello":
                self._full = 0
                self._hello(int(said["num_connections"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            pass  # what Slack may say some day is the SDK's to understand


class Link(SocketModeHandler):
    """One connection, which brings its requests to a Bolt app. `client` is the SDK's."""

    def __init__(
        self, app: App, token: str, web: WebClient, concurrency: int, hello: Callable[[Link, int], None]
    ) -> None:
        self.app, self.app_token = app, token
        self.client = Client(
            lambda count: hello(self, count),
            app_token=token,
            logger=app.logger,
            web_client=web,
            proxy=web.proxy,
            ping_interval=10,
            receive_buffer_size=CHUNK,
            concurrency=concurrency,
        )
        self.client.socket_mode_request_listeners.append(self.handle)  # type: ignore[arg-type]
        self.renewed = False
        """Whether the session before had ended for a while when this one began: then it does not count."""

    def has_ended(self) -> bool:
        """Whether the other side has gone without a word. The SDK would read on, and notice after 50 s."""
        session = self.client.current_session
        sock = session.sock if session is not None else None
        if sock is None or sock.fileno() < 0:
            return False
        try:  # beside TLS, whose sockets cannot be peeked into
            with socket.fromfd(sock.fileno(), sock.family, socket.SOCK_STREAM) as raw:
                return not raw.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return sock.fileno() >= 0

    def renew(self, pause: float) -> None:
        """End the session, and begin another a while later; raises what the SDK does."""
        with self.client.connect_operation_lock:
            self.renewed = True
            self.client.auto_reconnect_enabled = False  # until it connects
            self.client.disconnect()
            time.sleep(pause)
        self.client.connect_to_new_endpoint(force=True)


class Ghosts:
    """What Slack counts beside our connections. `tell` tells the admins, once, where it stays.

    `bots` gives how many bots of this deployment live, this one with them; it may raise. Another deployment
    with the same app looks like ghosts from here.
    """

    def __init__(self, tell: Callable[[Sequence[str]], bool], bots: Callable[[], int]) -> None:
        self._tell = tell
        self._bots = bots
        self._others: int | None = None
        self._links: Sequence[Link] = ()
        self._known: set[Link] = set()
        self._lock = threading.Lock()
        self._due: float | None = None
        self._waits: Iterator[float] = iter(())
        self._found = 0
        self._seen = 0
        self._told = False

    def watch(self, links: Sequence[Link]) -> None:
        """These are ours."""
        self._links = links

    def heard(self, link: Link, count: int) -> None:
        """Slack said hello on one of ours, and how many it counts.

        The session that a hello replaces may still count: where that could be why, it is measured again.
        """
        with self._lock:
            exact = link not in self._known or link.renewed
            self._known.add(link)
            link.renewed = False
            over = (
                count - len(self._links) - (self._others or 0)
            )  # where one of ours is down, fewer are seen: never too many
            if over <= 0:
                self._gone()
            elif exact:
                self._note(count, over)
            elif self._due is None:
                self._later()

    def look(self) -> None:
        """Measure again, where it is time to; raises what the SDK does."""
        with self._lock:
            if self._due is None or time.monotonic() < self._due or not self._links:
                return
            self._later()
        self._others = max(self._bots() - 1, 0) * len(self._links)
        self._links[0].renew(APART_SECONDS)

    def _note(self, count: int, over: int) -> None:
        self._seen += self._others is not None
        if self._seen >= SURE and over != self._found:
            self._found = over
            log.warning(
                "Slack counts %d connections of this app, %d of them not of this server: what is pressed "
                "may go there, and be lost",
                count,
                over,
            )
        self._later()
        if self._seen > SURE and not self._told:
            self._told = True
            # Not here: this is the thread that reads what Slack sends.
            threading.Thread(target=self._tell, args=([_sentence(count, over)],), daemon=True).start()

    def _gone(self) -> None:
        if self._found:
            log.info("Slack counts the connections of this server alone again")
        self._found = self._seen = 0
        self._due, self._told = None, False

    def _later(self) -> None:
        if self._due is None:
            self._waits = chain(MEASURE_SECONDS, repeat(MEASURE_SECONDS[-1]))
        self._due = time.monotonic() + next(self._waits)


def goodbye(session: Connection) -> None:
    """Tell Slack that a session ends; where it cannot be told, it will notice."""
    with session.sock_send_lock:
        try:
            if session.sock is not None:
                session.sock.send(GOODBYE)
        except OSError:
            pass


def _sentence(count: int, over: int) -> str:
    return (
        f"Slack counts {count} connections of this app, and {over} of them are not of this server. "
        "Where another server runs with the same SLACK_APP_TOKEN, those are its own. Else they are left of "
        "connections that broke off: some of what people press is lost, and has to be pressed again, "
        "until Slack notices."
    )
