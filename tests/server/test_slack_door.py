"""How the role `web` begins and ends where Slack calls it: its other doors wait for nobody."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from support import RedisServer, eventually, free_port

from signoff.bot.listeners.commands import Commands
from signoff.errors import ConfigError
from signoff.models import migrate
from signoff.sandbox.http_mode import signed
from signoff.sandbox.server import Sandbox
from signoff.server import build
from signoff.server.bot_role import run_bot
from signoff.server.settings import Settings
from signoff.server.web_role import run_web

SECRET, TOKEN = "8f742231b10e8888abcd99yyyzzz85a5", "xoxb-1"
FORM = "application/x-www-form-urlencoded"


class Role:
    """A web role in a thread, whose Slack is at this port."""

    def __init__(self, folder: Path, redis_url: str, slack_port: int) -> None:
        self.port = free_port()
        given = Settings(
            data=folder, redis_url=redis_url, approvers="U0ANA00001", channel="C0APPROVE1",
            slack_bot_token=TOKEN, slack_signing_secret=SECRET, web_bind=f"127.0.0.1:{self.port}",
            slack_api_url=f"http://127.0.0.1:{slack_port}/api/", health_bind="127.0.0.1:0",
        )  # fmt: skip
        given.signer(create=True)
        self.server = build.build(given)
        migrate.upgrade(self.server.engine)
        self.stop, self.ready = threading.Event(), threading.Event()
        self.ended: list[BaseException | None] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            run_web(self.server, self.stop, ready=self.ready.set)
            self.ended.append(None)
        except BaseException as error:
            self.ended.append(error)

    def get(self, path: str) -> int:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}{path}", trust_env=False).status_code
        except httpx.ConnectError:
            return 0

    def call(self, **fields: str) -> httpx.Response:
        """As Slack sends a command, or what these fields say."""
        body = urlencode(
            {"command": "/approvals", "text": "help", "user_id": "U0ANA00001", **fields}
        ).encode()
        headers = signed(SECRET, body) | {"Content-Type": FORM}
        url = f"http://127.0.0.1:{self.port}/slack/events"
        return httpx.post(url, content=body, headers=headers, timeout=30, trust_env=False)

    def end(self) -> None:
        self.stop.set()
        self._thread.join(40)
        assert not self._thread.is_alive()
        self.server.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@contextmanager
def role(folder: Path, redis_url: str, slack_port: int) -> Iterator[Role]:
    found = Role(folder, redis_url, slack_port)
    try:
        yield found
    finally:
        found.end()


def test_while_slack_is_away_the_other_doors_are_open(folder: Path, redis_url: str) -> None:
    port = free_port()
    with role(folder, redis_url, port) as web:
        eventually(lambda: web.get("/.well-known/jwks.json") == 200)
        asked = json.dumps({"type": "url_verification", "challenge": "c"}).encode()
        headers = signed(SECRET, asked) | {"Content-Type": "application/json"}
        url = f"http://127.0.0.1:{web.port}/slack/events"
        assert httpx.post(url, content=asked, headers=headers, trust_env=False).text == "c"
        away = web.call()
        assert away.status_code == 503 and away.headers["retry-after"] and not web.ready.is_set()
        with Sandbox.start(port, bot_token=TOKEN, http=""):
            assert web.ready.wait(30)
            answer = web.call()
            assert answer.status_code == 200 and "/approvals" in answer.text
    assert web.ended == [None]


def test_what_runs_is_finished_and_answered_before_it_ends(
    folder: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go, done = threading.Event(), threading.Event(), list[str]()
    approvals = Commands.approvals

    def slow(self: Commands, ack: Any, command: Any, respond: Any, context: Any) -> None:
        began.set()
        assert go.wait(30)
        approvals(self, ack, command, respond, context)
        done.append("listened")

    monkeypatch.setattr(Commands, "approvals", slow)
    with Sandbox.start(bot_token=TOKEN, http="") as slack:
        web = Role(folder, redis_url, int(slack.url.rpartition(":")[2]))
        assert web.ready.wait(30)
        answers: list[httpx.Response] = []
        calling = threading.Thread(target=lambda: answers.append(web.call()))
        calling.start()
        assert began.wait(30)
        web.stop.set()
        eventually(lambda: web.get("/.well-known/jwks.json") == 0)
        go.set()
        calling.join(30)
        web.end()
    assert done == ["listened"] and answers[0].status_code == 200 and web.ended == [None]


def test_a_token_that_slack_refuses_ends_it(folder: Path, redis_url: str) -> None:
    with Sandbox.start(bot_token="xoxb-other", http="") as slack:
        web = Role(folder, redis_url, int(slack.url.rpartition(":")[2]))
        eventually(lambda: web.ended)
        web.end()
    assert isinstance(web.ended[0], ConfigError) and "SLACK_BOT_TOKEN" in str(web.ended[0])
    assert not web.ready.is_set()


def test_a_bot_beside_it_is_told_that_it_has_nothing_to_do(folder: Path, own_redis: RedisServer) -> None:
    given = Settings(
        data=folder, redis_url=own_redis.url, approvers="U0ANA00001", channel="C0APPROVE1",
        slack_bot_token=TOKEN, slack_signing_secret=SECRET,
    )  # fmt: skip
    given.signer(create=True)
    server = build.build(given)
    with pytest.raises(ConfigError, match="`bot` has nothing to do"):
        run_bot(server, threading.Event())
    server.close()
