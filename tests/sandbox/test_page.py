"""What the page needs of the stand-in: files, the stream of events, what was read, panes; who is refused."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from bolt_bot import Bot
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from signoff.sandbox import feed, panes
from signoff.sandbox.features import DEFAULT
from signoff.sandbox.feed import Feed
from signoff.sandbox.server import Sandbox

JSON = dict[str, Any]
ANA = "U0ANA00001"
PAGE = Path(str(files("signoff"))) / "sandbox" / "page"


def ask(
    slack: Sandbox, method: str, path: str, fields: JSON | None = None, **headers: str
) -> tuple[int, bytes, Any]:
    """One request as a browser or another program sends it: status, body, headers."""
    connection = http.client.HTTPConnection(slack.url.removeprefix("http://"), timeout=60)
    try:
        body = None if fields is None else json.dumps(fields).encode()
        connection.request(
            method, path, body, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        response = connection.getresponse()
        return response.status, response.read(), response.headers
    finally:
        connection.close()


class Stream:
    """The events of one person's page, as they come."""

    def __init__(self, slack: Sandbox, user: str) -> None:
        self.connection = http.client.HTTPConnection(slack.url.removeprefix("http://"), timeout=60)
        self.connection.request("GET", f"/sandbox/events?user={user}")
        self.response = self.connection.getresponse()

    def next(self, kind: str) -> JSON:
        """The next event of this kind; others are passed over."""
        name = ""
        while line := self.response.readline().decode().rstrip("\n"):
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                found: JSON = json.loads(line.removeprefix("data: "))
                self.response.readline()  # the empty line that ends the event
                if name == kind:
                    return found
        raise AssertionError(f"the stream ended before {kind} came")


@pytest.fixture
def stream(slack: Sandbox) -> Iterator[Callable[[str], Stream]]:
    opened = []

    def open_(user: str) -> Stream:
        opened.append(Stream(slack, user))
        opened[-1].next("hello")
        return opened[-1]

    yield open_
    for each in opened:
        each.response.close()
        each.connection.close()


def test_the_page_and_its_files_come_with_strict_headers(slack: Sandbox) -> None:
    names = ["/", *(f"/page/{path.name}" for path in PAGE.iterdir())]
    assert len(names) > 20
    for name in names:
        status, body, headers = ask(slack, "GET", name)
        assert status == 200 and body, name
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert "javascript" in ask(slack, "GET", "/page/main.js")[2]["Content-Type"]


@pytest.mark.parametrize("name", ["nothing.js", "..%2fserver.py", "%2e%2e%2fserver.py", "..%5cserver.py"])
def test_nothing_but_the_pages_files_is_served(slack: Sandbox, name: str) -> None:
    assert ask(slack, "GET", f"/page/{name}")[0] == 404


def test_the_page_parses_no_markup_and_fetches_nothing_from_elsewhere() -> None:
    for path in PAGE.iterdir():
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) < 300, path.name
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval("):
            assert word not in text, path.name
        if path.suffix in (".html", ".css"):
            assert (
                "<script>" not in text
                and "style=" not in text
                and "url(" not in text
                and "@import" not in text
            )


@pytest.mark.parametrize(
    "path", ["/sandbox/act", "/sandbox/team", "/sandbox/reset", "/sandbox/pane", "/sandbox/read"]
)
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://localhost"])
def test_pages_from_elsewhere_cannot_act(slack: Sandbox, path: str, origin: str) -> None:
    fields = {
        "type": "message",
        "user": "U0ANA00001",
        "channel": "C0APPROVE1",
        "text": "x",
        "name": "n",
        "line": "l",
    }
    assert ask(slack, "POST", path, fields, Origin=origin)[0] == 403
    assert slack.messages("C0APPROVE1") == []


def test_a_foreign_host_name_is_refused_and_the_own_ones_are_not(slack: Sandbox) -> None:
    port = slack.url.rsplit(":", 1)[1]
    for host in ("rebound.example", f"rebound.example:{port}"):
        assert ask(slack, "GET", "/sandbox/state", Host=host)[0] == 403
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}", "localhost"):
        status, _, _ = ask(
            slack, "POST", "/sandbox/pane", {"name": "n", "line": ""}, Host=host, Origin=f"http://{host}"
        )
        assert status == 200


def test_the_stream_tells_of_messages_that_the_person_may_see(
    slack: Sandbox, client: WebClient, stream: Callable[[str], Stream]
) -> None:
    ana, gus = stream("U0ANA00001"), stream("U0GUS00001")
    client.chat_postEphemeral(channel="C0APPROVE1", user="U0ANA00001", text="for ana alone")
    slack.act(type="message", user="U0ANA00001", channel="C0GENERAL1", text="not for guests")
    ts = client.chat_postMessage(channel="C0APPROVE1", text="for all")["ts"]
    client.chat_update(channel="C0APPROVE1", ts=ts, text="changed")
    client.chat_postMessage(channel="C0APPROVE1", text="reply", thread_ts=ts)
    seen = [ana.next("message")["message"]["text"] for _ in range(6)]
    assert seen == ["for ana alone", "not for guests", "for all", "changed", "reply", "changed"]
    assert [gus.next("message")["message"]["text"] for _ in range(4)] == [
        "for all",
        "changed",
        "reply",
        "changed",
    ]


def test_the_stream_tells_of_views_and_of_those_that_cannot_be_opened(
    slack: Sandbox, bot: Bot, modal: JSON, stream: Callable[[str], Stream]
) -> None:
    ana = stream("U0ANA00001")

    def open_(ack: Any, body: JSON, **_: Any) -> None:
        ack()
        bot.client.views_open(trigger_id=body["trigger_id"], view=modal)

    bot.on["shortcut"] = open_
    slack.act(type="shortcut", user="U0ANA00001", callback_id="x")
    shown = ana.next("stack")["stack"]
    assert [view["callback_id"] for view in shown] == ["edit"]
    state = {"name": {"v": {"value": "x"}}}
    bot.on["submit"] = lambda ack, **_: ack(response_action="errors", errors={"name": "No."})
    slack.act(type="submit", user="U0ANA00001", view_id=shown[0]["id"], state=state)
    assert ana.next("stack")["stack"][0]["errors"] == {"name": "No."}
    slack.act(type="close", user="U0ANA00001", view_id=shown[0]["id"])
    assert ana.next("stack")["stack"] == []
    bot.client.views_publish(user_id="U0ANA00001", view={"type": "home", "blocks": [{"type": "divider"}]})
    assert ana.next("home")["home"]["type"] == "home"
    trigger = bot.bodies[0]["trigger_id"]  # used before
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        bot.client.views_open(trigger_id=trigger, view=modal)
    assert ana.next("view_failed") == {"method": "views.open", "error": "exchanged_trigger_id"}


def test_the_inspector_is_told_of_calls_and_of_envelopes_when_they_are_acknowledged(
    slack: Sandbox, bot: Bot, stream: Callable[[str], Stream]
) -> None:
    ana = stream("U0ANA00001")
    bot.client.auth_test()
    line = ana.next("log")
    assert (line["name"], line["ok"], line["error"]) == ("auth.test", True, "")
    slack.act(type="shortcut", user="U0BEN00001", callback_id="x")
    waiting, acked = ana.next("log"), ana.next("log")
    assert (waiting["name"], waiting["who"], waiting["ok"]) == ("shortcut", "ben", None)
    assert acked["n"] == waiting["n"] and acked["ok"] is True and acked["ms"] > 0
    bot.on["shortcut"] = lambda **_: None
    slack.act(type="shortcut", user="U0BEN00001", callback_id="y")
    assert [ana.next("log")["error"] for _ in range(2)] == ["", "not acknowledged"]
    whole = json.loads(ask(slack, "GET", f"/sandbox/log?n={acked['n']}")[1])["entry"]
    assert whole["payload"]["callback_id"] == "x"
    brief = json.loads(ask(slack, "GET", "/sandbox/log?brief=1")[1])["entries"]
    assert acked in brief
    for number in ("0", "x", "99999999"):
        assert ask(slack, "GET", f"/sandbox/log?n={number}")[0] == 404


def test_a_listener_that_falls_behind_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "_BEHIND", 3)
    told = Feed()
    slow, kept = told.listen(), told.listen()
    for number in range(5):
        told.tell("log", {"n": number})
        kept.changes.get_nowait()
    ended = [slow.changes.get_nowait() for _ in range(4)]
    assert [change is None for change in ended] == [False, False, False, True]
    told.close()
    assert kept.changes.get_nowait() is None


def test_a_stream_is_only_for_people_who_are_there(slack: Sandbox) -> None:
    assert ask(slack, "GET", "/sandbox/events?user=U0NOBODY1")[0] == 404


def test_what_is_unread_is_counted_for_each_person_until_they_read_it(
    slack: Sandbox, client: WebClient
) -> None:
    def reads(user: str) -> JSON:
        found: JSON = slack._ask("GET", f"state?user={user}")["reads"]
        return found

    client.chat_postMessage(channel="C0APPROVE1", text="to all")
    ts = client.chat_postMessage(channel="C0APPROVE1", text="to <@U0ANA00001>")["ts"]
    client.chat_postMessage(channel="C0APPROVE1", text="in a thread, <@U0ANA00001>", thread_ts=ts)
    client.chat_postEphemeral(channel="C0APPROVE1", user="U0BEN00001", text="for ben")
    ana = reads("U0ANA00001")["C0APPROVE1"]
    assert ana == {"last_read": "", "newest": ts, "unread": 2, "mentions": 1}
    assert reads("U0BEN00001")["C0APPROVE1"]["unread"] == 3
    slack._ask("POST", "read", {"user": "U0ANA00001", "channel": "C0APPROVE1", "ts": ts})
    assert reads("U0ANA00001")["C0APPROVE1"] == {"last_read": ts, "newest": ts, "unread": 0, "mentions": 0}
    slack._ask("POST", "read", {"user": "U0ANA00001", "channel": "C0APPROVE1", "ts": "1.0"})
    assert reads("U0ANA00001")["C0APPROVE1"]["last_read"] == ts  # it does not go backwards
    assert "C0PRIVATE1" not in reads("U0MIA00001")
    with pytest.raises(LookupError, match="not_in_channel"):
        slack._ask("POST", "read", {"user": "U0MIA00001", "channel": "C0PRIVATE1", "ts": ts})


def test_messages_come_in_pages_and_as_one_person_sees_them(slack: Sandbox, client: WebClient) -> None:
    sent = [client.chat_postMessage(channel="C0APPROVE1", text=str(number))["ts"] for number in range(5)]
    client.chat_postEphemeral(channel="C0APPROVE1", user="U0BEN00001", text="for ben")

    def page(**query: str) -> JSON:
        path = "&".join(f"{name}={value}" for name, value in {"channel": "C0APPROVE1", **query}.items())
        return slack._ask("GET", f"messages?{path}")

    newest = page(user="U0ANA00001", limit="2")
    assert ([m["text"] for m in newest["messages"]], newest["more"]) == (["3", "4"], True)
    older = page(user="U0ANA00001", limit="3", before=sent[3])
    assert ([m["text"] for m in older["messages"]], older["more"]) == (["0", "1", "2"], False)
    assert len(page()["messages"]) == 6
    for wrong in ("0", "-1", "x", "1001"):
        with pytest.raises(LookupError, match="invalid_limit"):
            page(limit=wrong)
    with pytest.raises(LookupError, match="not_in_channel"):
        slack._ask("GET", "messages?channel=C0PRIVATE1&user=U0MIA00001")


def test_panes_keep_a_bounded_number_of_lines(slack: Sandbox, stream: Callable[[str], Stream]) -> None:
    ana = stream("U0ANA00001")
    slack._ask("POST", "pane", {"name": "agent", "line": "x" * 5_000})
    told = ana.next("pane")
    assert told["name"] == "agent" and len(told["line"]) == panes.LINE + 1
    for number in range(panes.LINES + 5):
        slack._ask("POST", "pane", {"name": "agent", "line": f"line {number}"})
    (pane,) = slack._ask("GET", "pane")["panes"]
    assert [pane["lines"][0]["line"], pane["lines"][-1]["line"]] == ["line 5", f"line {panes.LINES + 4}"]
    for number in range(panes.PANES):
        slack._ask("POST", "pane", {"name": f"agent {number}", "line": ""})
    names = [pane["name"] for pane in slack._ask("GET", "pane")["panes"]]
    assert names == [f"agent {number}" for number in range(panes.PANES)]
    for wrong in ({"name": "x", "line": 1}, {"line": "x"}, {"name": "", "line": "x"}):
        with pytest.raises(LookupError, match="invalid_act"):
            slack._ask("POST", "pane", wrong)
    slack.reset()
    assert slack._ask("GET", "pane")["panes"] == []


def test_the_page_offers_what_signoffs_manifest_has_and_another_apps_where_told(slack: Sandbox) -> None:
    manifest = (files("signoff.bot.slack") / "manifest.yml").read_text(encoding="utf-8")
    for item in (*DEFAULT["slash_commands"], *DEFAULT["shortcuts"]):
        for name, value in item.items():
            assert str(value).lower() in manifest.lower(), name
    for name in DEFAULT["app_home"]:
        assert f"{name}: true" in manifest
    assert manifest.count("- command:") == len(DEFAULT["slash_commands"])
    assert manifest.count("callback_id:") == len(DEFAULT["shortcuts"])
    offered = {"slash_commands": [{"command": "/other"}], "shortcuts": []}
    told = slack.team(features=offered)["bot"]["features"]
    assert told["slash_commands"] == [{"command": "/other"}] and told["app_home"] == DEFAULT["app_home"]
    wrong: Any
    for wrong in (
        [],
        {"slash_commands": {}},
        {"slash_commands": ["/x"]},
        {"slash_commands": [{"command": 1}]},
        {"shortcuts": [{"name": "no id"}]},
        {"shortcuts": [{"callback_id": "x", "more": "y"}]},
        {"slash_commands": [{"command": "/x", "should_escape": "yes"}]},
        {"app_home": {"home_tab_enabled": "yes"}},
    ):
        with pytest.raises(LookupError, match="invalid_team"):
            slack.team(features=wrong)
    assert slack.state()["bot"]["features"] == told


def test_the_stand_in_ends_at_once_while_pages_listen() -> None:
    with Sandbox.start() as slack:
        listening = Stream(slack, "U0ANA00001")
        listening.next("hello")
    assert listening.response.read() == b""
    listening.response.close()
    listening.connection.close()


def test_the_page_hears_the_same_over_a_websocket(slack: Sandbox) -> None:
    async def listen() -> list[JSON]:
        address = f"{slack.url}/sandbox/events?user={ANA}"
        async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
            heard = [await socket.receive_json(timeout=60)]
            await asyncio.to_thread(slack.act, type="message", user=ANA, channel="random", text="A card")
            heard.append(await socket.receive_json(timeout=60))
            while heard[-1]["kind"] != "message":
                heard.append(await socket.receive_json(timeout=60))
            return heard

    first, *_, last = asyncio.run(listen())
    assert first == {"kind": "hello", "data": {}}
    assert last["data"]["message"]["text"] == "A card"


def test_a_page_from_elsewhere_gets_no_websocket(slack: Sandbox) -> None:
    async def knock(**headers: str) -> int:
        address = f"{slack.url}/sandbox/events?user={ANA}"
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(address, headers=headers)
        return refused.value.status

    assert asyncio.run(knock(Origin="http://evil.example")) == 403
    assert asyncio.run(knock(Host="evil.example")) == 403
