"""Slack over HTTP, as the stand-in does it: signed, verified, repeated, and as strict about answers."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest
from bolt_bot import web_client
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier
from support import eventually

from signoff.sandbox.server import Sandbox

JSON = dict[str, Any]
ANA, CHANNEL = "U0ANA00001", "agent-approvals"
SECONDS = 0.6
Answer = tuple[int, dict[str, str], bytes]
FINE: Answer = (200, {}, b"")


class App:
    """What an app is to Slack: an address. It records what comes, and answers what `answers` gives."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: Callable[[JSON], Answer] = lambda body: FINE
        self.challenged = 0
        self.held = threading.Event()
        app = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, more, said = app.take(self.path, headers, body)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(said)), **more}.items():
                    self.send_header(name, value)
                with suppress(ConnectionError):  # Slack waits no longer
                    self.end_headers()
                    self.wfile.write(said)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        parsed = read(headers, body)
        if parsed.get("type") == "url_verification":
            self.challenged += 1
            if self.held.is_set():
                return 200, {}, b"something else"
            return 200, {"Content-Type": "application/json"}, json.dumps(parsed).encode()
        self.seen.append((path, headers, body))
        return self.answers(parsed)


def read(headers: dict[str, str], body: bytes) -> JSON:
    if headers["content-type"] == "application/json":
        found: JSON = json.loads(body)
        return found
    fields = {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
    if "payload" in fields:
        found = json.loads(fields["payload"])
        return found
    return fields


@pytest.fixture(scope="module")
def _app() -> Iterator[App]:
    app = App()
    yield app
    app.server.shutdown()
    app.server.server_close()


@pytest.fixture(scope="module")
def _slack(_app: App) -> Iterator[Sandbox]:
    with Sandbox.start(http=_app.url, ack_seconds=SECONDS) as found:
        yield found


@pytest.fixture
def app(_app: App, _slack: Sandbox) -> App:
    _slack.reset()
    _app.seen.clear()
    _app.held.clear()
    _app.answers = lambda body: FINE
    return _app


@pytest.fixture
def slack(_slack: Sandbox, app: App) -> Sandbox:
    return _slack


@pytest.fixture
def client(slack: Sandbox) -> WebClient:
    return web_client(slack)


def test_each_kind_is_signed_and_comes_as_slack_sends_it(
    slack: Sandbox, app: App, client: WebClient, buttons: list[JSON]
) -> None:
    ts = client.chat_postMessage(channel=CHANNEL, text="x", blocks=buttons)["ts"]
    app.answers = lambda body: FINE
    for act in (
        {"type": "click", "channel": CHANNEL, "ts": ts, "action_id": "approve", "value": "a1"},
        {"type": "command", "channel": CHANNEL, "command": "/approvals", "text": "a & payload=1 ü"},
        {"type": "open_home"},
    ):
        answer = slack.act(user=ANA, **act)
        assert answer["ok"] and answer["acked"] and answer["response"] is None, answer
    (_, click_headers, click), (_, _, command), (_, event_headers, event) = app.seen
    assert read(click_headers, click)["type"] == "block_actions"
    assert read(click_headers, command)["text"] == "a & payload=1 ü"
    assert read(event_headers, event)["event"]["type"] == "app_home_opened"
    assert event_headers["content-type"] == "application/json"
    assert click_headers["content-type"] == "application/x-www-form-urlencoded"
    verifier = SignatureVerifier(slack.signing_secret)
    for path, headers, body in app.seen:
        assert path == "/slack/events" and verifier.is_valid_request(body, headers)
        assert headers["user-agent"].startswith("Slackbot 1.0") and "x-slack-retry-num" not in headers
    assert slack.state()["http"] == {"url": f"{app.url}/slack/events", "verified": True}


def test_an_event_comes_three_times_more_and_says_why(slack: Sandbox, app: App) -> None:
    slack.faults(redelivery_seconds=[0, 0, 0])
    app.answers = lambda body: (500, {}, b"no")
    assert not slack.act(type="open_home", user=ANA)["acked"]
    eventually(lambda: len(app.seen) == 4)
    numbers = [headers.get("x-slack-retry-num") for _, headers, _ in app.seen]
    reasons = [headers.get("x-slack-retry-reason") for _, headers, _ in app.seen]
    assert numbers == [None, "1", "2", "3"] and reasons == [None, *["http_error"] * 3]
    assert len({body for _, _, body in app.seen}) == 1, "the same event_id"
    entries = [one for one in slack.log() if one["kind"] == "envelope"]
    assert [one["acked"] for one in entries] == [False] * 4 and entries[0]["status"] == 500


def test_one_that_is_too_slow_comes_again_for_that_reason(slack: Sandbox, app: App) -> None:
    slack.faults(redelivery_seconds=[0])
    go, asked = threading.Event(), []

    def slow_once(_: JSON) -> Answer:
        asked.append(1)
        if len(asked) == 1:
            go.wait(60)
        return FINE

    app.answers = slow_once
    assert not slack.act(type="open_home", user=ANA)["acked"]
    eventually(lambda: len(app.seen) == 2)
    go.set()
    assert app.seen[1][1]["x-slack-retry-reason"] == "http_timeout"
    eventually(lambda: [one for one in slack.log() if one["kind"] == "envelope"][-1]["acked"])


def test_an_app_may_ask_not_to_be_sent_it_again(slack: Sandbox, app: App) -> None:
    slack.faults(redelivery_seconds=[0, 0, 0])
    app.answers = lambda body: (503, {"X-Slack-No-Retry": "1"}, b"")
    assert not slack.act(type="open_home", user=ANA)["acked"]
    app.answers = lambda body: FINE
    assert slack.act(type="open_home", user=ANA)["acked"] and len(app.seen) == 2


def test_what_people_press_comes_once_and_redirects_are_not_followed(
    slack: Sandbox, app: App, client: WebClient, buttons: list[JSON]
) -> None:
    ts = client.chat_postMessage(channel=CHANNEL, text="x", blocks=buttons)["ts"]
    slack.faults(redelivery_seconds=[0])
    click = {"type": "click", "user": ANA, "channel": CHANNEL, "ts": ts, "action_id": "approve"}
    for status, headers in ((500, {}), (302, {"Location": f"{app.url}/slack/events"}), (204, {})):
        app.answers = lambda body, found=(status, headers, b""): found  # type: ignore[misc]
        assert not slack.act(**click)["acked"]
    assert len(app.seen) == 3


@pytest.mark.parametrize(
    ("kind", "said", "expected"),
    [
        ("application/json", b'{"response_action": "clear"}', None),
        ("application/json; charset=utf-8", b'{"response_action": "clear"}', None),
        ("text/plain", b'{"response_action": "clear"}', "invalid_response_action"),
        ("application/json", b'{"response_action": ', "invalid_response_action"),
        ("text/plain", b"ok", "invalid_response_action"),
        ("text/plain", b"", None),
    ],
)
def test_a_submission_is_answered_in_json_or_not_at_all(
    slack: Sandbox, app: App, client: WebClient, modal: JSON, kind: str, said: bytes, expected: str | None
) -> None:
    app.answers = lambda body: FINE
    opened = threading.Event()

    def open_it(body: JSON) -> Answer:
        client.views_open(trigger_id=body["trigger_id"], view=modal)
        opened.set()
        return FINE

    app.answers = open_it
    slack.act(type="shortcut", user=ANA, callback_id="pending")
    assert opened.is_set()
    view = slack.views(ANA)["stack"][-1]
    app.answers = lambda body: (200, {"Content-Type": kind}, said)
    answer = slack.act(type="submit", user=ANA, view_id=view["id"], state={"amount": {"v": {"value": "5"}}})
    assert answer["acked"] and answer.get("error") == expected
    assert bool(slack.views(ANA)["stack"]) is (expected is not None)


def test_a_command_is_answered_by_a_text_or_by_json(slack: Sandbox, app: App) -> None:
    for kind, said in (("text/plain", b"Hello"), ("application/json", b'{"text": "Hello"}')):
        app.answers = lambda body, found=(200, {"Content-Type": kind}, said): found  # type: ignore[misc]
        slack.act(type="command", user=ANA, channel=CHANNEL, command="/approvals")
    told = [one["text"] for one in slack.messages(CHANNEL) if one.get("ephemeral_to") == ANA]
    assert told == ["Hello", "Hello"]


def test_an_address_that_does_not_answer_the_challenge_is_not_taken() -> None:
    app = App()
    app.held.set()
    with Sandbox.start(http="", ack_seconds=SECONDS) as slack:
        slack.faults(redelivery_seconds=[])
        assert not slack.act(type="open_home", user=ANA)["acked"], "there is no address yet"
        for url in (app.url, f"{app.url}/elsewhere", "http://127.0.0.1:1/", "ftp://x", "", 7, "http://[x"):
            with pytest.raises(LookupError, match=r"url_verification_failed|invalid_url"):
                slack.call_at(url)  # type: ignore[arg-type]
        assert slack.state()["http"] == {"url": "", "verified": False} and app.challenged == 2
        app.held.clear()
        assert slack.call_at(f"{app.url}/mine")["http"] == {"url": f"{app.url}/mine", "verified": True}
        assert slack.act(type="open_home", user=ANA)["acked"] and app.seen[0][0] == "/mine"
        app.server.shutdown()
        app.server.server_close()
        assert not slack.act(type="open_home", user=ANA)["acked"]
        assert slack.log()[-1]["error"] == "connection_failed"


def test_settings_say_which_of_both_it_is(slack: Sandbox, app: App) -> None:
    by_http = slack.settings()
    assert len(by_http["SLACK_SIGNING_SECRET"]) == 32 and "SLACK_APP_TOKEN" not in by_http
    assert by_http["SIGNOFF_WEB_URL"] == app.url
    with Sandbox.start() as other:
        assert "SLACK_SIGNING_SECRET" not in other.settings() and "http" not in other.state()
        with pytest.raises(LookupError, match="socket_mode"):
            other.call_at(app.url)


def test_a_link_is_sent_away_where_the_app_is_called(slack: Sandbox) -> None:
    async def connect() -> JSON:
        headers = {"Authorization": f"Bearer {slack.app_token}"}
        async with aiohttp.ClientSession() as session:
            opened = await session.post(f"{slack.api_url}apps.connections.open", headers=headers)
            async with session.ws_connect((await opened.json())["url"]) as socket:
                return json.loads((await socket.receive()).data)  # type: ignore[no-any-return]

    assert asyncio.run(connect())["reason"] == "link_disabled"
