"""Builds the Bolt App, registers the listeners, and runs it over Socket Mode. Nothing is built at import."""

from __future__ import annotations

import functools
import gc
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.request import BoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError

from signoff import crash
from signoff.app import Server
from signoff.bot import words
from signoff.bot.actions import Actions
from signoff.bot.commands import Commands
from signoff.bot.controls import ACTION
from signoff.bot.decide import Decide
from signoff.bot.delivery import Delivery
from signoff.bot.editor import Editor
from signoff.bot.home import Home
from signoff.bot.mentions import Mentions
from signoff.bot.modals import message_view
from signoff.bot.news import News
from signoff.errors import ConfigError, SlackRefused

log = logging.getLogger("signoff.bot")

CONNECTIONS = 2
"""Socket Mode connections: while Slack refreshes one, the other takes the clicks (Slack allows ten)."""
CONCURRENCY = 32
"""Threads for listeners, each connection. Bolt's default of five leaves a burst unacknowledged."""
CHUNK = 65_536
"""Bytes of one read. The SDK's 1,024 cut a click, which brings its card, into many."""
WATCH_SECONDS = 10.0
SILENT_SECONDS = 40.0
"""A connection that was down for so long is made anew, whatever the SDK thinks of it."""
DRAIN_SECONDS = 8.0
ANYTHING = re.compile("")


class Running:
    """Counts what listeners are doing, so that SIGTERM can let it finish."""

    def __init__(self) -> None:
        self._count = 0
        self._idle = threading.Condition()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Around one request."""
        with self._idle:
            self._count += 1
        try:
            yield
        finally:
            with self._idle:
                self._count -= 1
                self._idle.notify_all()

    def wait(self, seconds: float) -> bool:
        """Until nothing runs; False after `seconds`."""
        with self._idle:
            return self._idle.wait_for(lambda: self._count == 0, seconds)


class CountedApp(App):
    """Counts each request from its arrival until its acknowledgement is made.

    Bolt's middlewares cannot: it calls the listener after they have all returned.
    """

    def __init__(self, running: Running, **given: Any) -> None:
        super().__init__(**given)
        self._running = running

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        """One request, from Socket Mode."""
        with self._running.one():
            crash.here("bot.clicked")
            answer = super().dispatch(req)
            crash.here("bot.done")
            return answer


def build_bolt(server: Server, running: Running | None = None) -> App:
    """The Bolt App with every listener."""
    counted = running or Running()
    for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"):
        os.environ.pop(name, None)  # Bolt would take them for OAuth, and drop the token
    app = CountedApp(
        counted,
        client=server.slack.web,
        process_before_response=True,  # its default looks for the ack every 10 ms
        token_verification_enabled=True,
        listener_executor=ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="listener"),
    )

    delivery = Delivery(server.approvals, server.slack, server.settings.admin_ids())
    actions = Actions(server.approvals, server.slack, server.directory, delivery)
    editor = Editor(server.approvals, server.slack, actions.refusal)
    commands = Commands(server.lists, server.store, server.slack, server.directory)
    decide = Decide(server.approvals, server.slack, server.directory, actions)
    mentions = Mentions(server.approvals, server.slack, actions.explain)
    news = News(server.directory)
    home = Home(server.store, server.wake_home)

    def at_once(ack: Callable[..., Any]) -> None:
        ack()

    def later(listener: Callable[..., None]) -> dict[str, Any]:
        """Opening a view asks Slack, so the click is acknowledged first."""

        @functools.wraps(listener)
        def lazily(*args: Any, **given: Any) -> None:
            with counted.one():
                listener(*args, **given)

        return {"ack": at_once, "lazy": [lazily]}

    app.action("approve")(actions.approve)
    for action_id in ("reject", "edit", "review"):
        app.action(action_id)(**later(actions.open))
    app.action("more")(**later(actions.menu))
    app.action("page")(**later(actions.turn))
    app.action(re.compile("^list_(back|next)$"))(**later(commands.turn))
    app.action("list_all")(**later(commands.see_all))
    app.action("details")(**later(commands.details))
    app.view("reject")(actions.submit_reject)
    app.view("note")(actions.submit_note)
    app.view("edit")(editor.submit)
    app.view("difference")(editor.submit_difference)
    app.action("edit_back")(**later(editor.back))
    app.options(ACTION)(editor.suggest)
    app.view("review")(actions.submit_review)
    app.command("/approvals")(commands.approvals)
    app.shortcut("pending")(**later(commands.shortcut))
    app.shortcut("decide")(**later(decide.shortcut))
    app.event("app_mention")(**later(mentions.written))
    app.event("app_home_opened")(home.opened)
    app.event("user_change")(news.person_changed)
    app.event("subteam_members_changed")(news.group_changed)
    app.event("app_uninstalled")(news.uninstalled)
    app.event("tokens_revoked")(news.revoked)
    # What nobody knows is acknowledged: an unanswered envelope shows the person an error, and comes again.
    app.action(ANYTHING)(at_once)
    app.view(ANYTHING)(at_once)
    app.shortcut(ANYTHING)(at_once)
    app.event(ANYTHING)(at_once)

    @app.error
    def failed(error: Exception, body: dict[str, Any]) -> BoltResponse:
        """Whatever the listeners did not foresee: nothing was recorded, and the person is told so."""
        log.error("listener failed: %s", type(error).__name__)
        return BoltResponse(status=200, body=_not_recorded(body))

    return app


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
        list(pool.map(lambda handler: handler.close(), handlers))


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


def _not_recorded(body: dict[str, Any]) -> Any:
    if body.get("type") == "view_submission":
        return {"response_action": "update", "view": message_view(words.NOT_POSSIBLE, words.NOT_RECORDED)}
    if body.get("command"):
        return {"response_type": "ephemeral", "text": words.NOT_RECORDED}
    return ""
