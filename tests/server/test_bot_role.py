"""How the bot begins and ends its connections."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from bolt_bot import web_client
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from support import eventually, free_port

from signoff.errors import ConfigError
from signoff.models import migrate
from signoff.sandbox.server import Sandbox
from signoff.server import build
from signoff.server.bot_role import close, run_bot
from signoff.server.settings import Settings

TOKENS = {"bot_token": "xoxb-1", "app_token": "xapp-1"}


def settings(folder: Path, redis_url: str, port: int) -> Settings:
    given = {
        "slack_bot_token": "xoxb-1",
        "slack_app_token": "xapp-1",
        "slack_api_url": f"http://127.0.0.1:{port}/api/",
    }
    made = Settings(data=folder, redis_url=redis_url, approvers="U0ANA00001", channel="C0APPROVE1", **given)
    made.signer(create=True)
    return made


class Running:
    """A bot role in a thread."""

    def __init__(self, given: Settings) -> None:
        self.server = build.build(given)
        migrate.upgrade(self.server.engine)
        self.stop, self.ready = threading.Event(), threading.Event()
        self.ended: list[BaseException | None] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            run_bot(self.server, self.stop, ready=self.ready.set)
            self.ended.append(None)
        except BaseException as error:
            self.ended.append(error)

    def end(self) -> None:
        self.stop.set()
        self._thread.join(40)
        assert not self._thread.is_alive()
        self.server.close()


def test_it_waits_in_its_process_until_slack_can_be_reached(tmp_path: Path, redis_url: str) -> None:
    port = free_port()
    bot = Running(settings(tmp_path, redis_url, port))
    assert not bot.ready.wait(1.0) and not bot.ended, "it neither ends nor says that it is ready"
    with Sandbox.start(port, **TOKENS) as slack:
        began = time.monotonic()
        assert bot.ready.wait(30)
        assert time.monotonic() - began < 15, "soon after Slack is there"
        eventually(lambda: slack.state()["connections"] == 2)
        bot.end()
    assert bot.ended == [None]


def test_it_waits_through_slacks_own_faults_while_it_connects(tmp_path: Path, redis_url: str) -> None:
    with Sandbox.start(**TOKENS) as slack:
        slack.faults(method="auth.test", mode="error", error="internal_error", times=2)
        slack.faults(method="apps.connections.open", mode="error", error="fatal_error", times=2)
        slack.faults(method="apps.connections.open", mode="drop_reply", times=1)
        bot = Running(settings(tmp_path, redis_url, int(slack.url.rpartition(":")[2])))
        assert bot.ready.wait(30) and not bot.ended
        bot.end()


def test_it_can_be_told_to_stop_while_it_waits(tmp_path: Path, redis_url: str) -> None:
    bot = Running(settings(tmp_path, redis_url, free_port()))
    assert not bot.ready.wait(0.3)
    bot.end()
    assert bot.ended == [None]


@pytest.mark.parametrize("wrong", ["bot_token", "app_token"])
def test_a_token_that_slack_refuses_ends_it(tmp_path: Path, redis_url: str, wrong: str) -> None:
    with Sandbox.start(**{**TOKENS, wrong: "xoxb-other"}) as slack:
        bot = Running(settings(tmp_path, redis_url, int(slack.url.rpartition(":")[2])))
        eventually(lambda: bot.ended)
        bot.end()
    assert isinstance(bot.ended[0], ConfigError) and f"SLACK_{wrong.upper()}" in str(bot.ended[0])


def test_a_connection_that_begins_while_it_is_closed_ends_too() -> None:
    with Sandbox.start() as slack:
        app = App(client=web_client(slack), process_before_response=True)
        handler = SocketModeHandler(app, slack.app_token, web_client=web_client(slack))
        handler.connect()  # type: ignore[no-untyped-call]
        client = handler.client
        disconnect = client.disconnect

        def begin_meanwhile() -> None:
            disconnect()
            client.current_session_state.terminated = False  # as the SDK does where a session begins

        client.disconnect = begin_meanwhile  # type: ignore[method-assign]
        closing = threading.Thread(target=close, args=(handler,), daemon=True)
        closing.start()
        closing.join(30)
        assert not closing.is_alive()
