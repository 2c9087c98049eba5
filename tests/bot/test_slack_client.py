"""What Slack answers, and what others answer in its place: unavailable, refused, and whether it did anything.

Only where it has surely done nothing is a message not looked for that may have been posted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support import free_port

from signoff.approvals.errors import NotAllowed
from signoff.bot.slack.client import Slack, client
from signoff.bot.slack.directory import SlackDirectory
from signoff.bot.slack.errors import (
    LONGEST_PAUSE,
    RETRYABLE,
    UNDONE,
    SlackRefused,
    SlackUnavailable,
    was_taken,
)
from signoff.sandbox.server import Sandbox

ANA = "U0ANA00001"
VIEW = {"type": "modal", "title": {"type": "plain_text", "text": "x"}, "blocks": []}
CALLS: dict[str, Callable[[Slack], Any]] = {
    "auth.test": lambda slack: slack.scopes(),
    "chat.postMessage": lambda slack: slack.post("C0RANDOM01", "one"),
    "chat.update": lambda slack: slack.update("C0RANDOM01", "1.2", "one", []),
    "conversations.history": lambda slack: slack.messages("C0RANDOM01", None, 0.0),
    "conversations.info": lambda slack: slack.call("conversations.info", channel="C0RANDOM01"),
    "conversations.list": lambda slack: slack.call("conversations.list"),
    "conversations.replies": lambda slack: slack.messages("C0RANDOM01", "1.2", 0.0),
    "usergroups.users.list": lambda slack: SlackDirectory(slack).group("S0FINANCE1"),
    "users.info": lambda slack: SlackDirectory(slack).person(ANA),
    "views.open": lambda slack: slack.open_view("1.2.3", VIEW),
    "views.publish": lambda slack: slack.publish_home(ANA, VIEW),
    "views.push": lambda slack: slack.push_view("1.2.3", VIEW),
    "views.update": lambda slack: slack.update_view("V1", VIEW),
}
"""Every method that the server calls, as it calls it."""


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox.start() as sandbox:
        yield sandbox


@pytest.fixture
def slack(running: Sandbox) -> Slack:
    running.reset()
    return Slack(client(running.bot_token, running.api_url, seconds=5))


@pytest.mark.parametrize("mode", ["html", "empty", "not_json"])
@pytest.mark.parametrize("status", [200, 403, 404, 500, 503])
@pytest.mark.parametrize("method", CALLS)
def test_what_is_not_slacks_answer_is_unavailable(
    running: Sandbox, slack: Slack, method: str, status: int, mode: str
) -> None:
    running.faults(method=method, mode=mode, status=status)
    with pytest.raises(SlackUnavailable) as caught:
        CALLS[method](slack)
    assert not caught.value.undone and not caught.value.limited
    assert "<" not in caught.value.detail, "what a proxy wrote is repeated nowhere"


@pytest.mark.parametrize(
    "answer", ["null", "[]", "1", '"x"', "true", "{}", '{"ok": true}', '{"ok": 1}', "\xff\xfe", "<"]
)
@pytest.mark.parametrize(
    "method", [method for method in CALLS if method.split(".")[0] in ("chat", "users", "views")]
)
def test_an_answer_without_what_is_read_of_it_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, slack: Slack, method: str, answer: str
) -> None:
    said = {"status": 200, "headers": {}, "body": answer}
    monkeypatch.setattr(slack.web, "_perform_urllib_http_request", lambda **_: said)
    if answer in ('{"ok": true}', '{"ok": 1}') and method in ("chat.update", "views.publish", "views.update"):
        CALLS[method](slack)  # nothing is read of theirs
    else:
        with pytest.raises(SlackUnavailable):
            CALLS[method](slack)


@pytest.mark.parametrize("code", sorted(RETRYABLE))
def test_what_passes_by_itself_is_unavailable(running: Sandbox, slack: Slack, code: str) -> None:
    running.faults(method="chat.postMessage", mode="error", error=code)
    with pytest.raises(SlackUnavailable) as caught:
        slack.post("C0RANDOM01", "one")
    assert caught.value.undone is (code in UNDONE)


@pytest.mark.parametrize(
    "code", ["invalid_blocks", "plan_upgrade_required", "not_in_channel", "token_revoked"]
)
def test_what_slack_refuses_is_refused(running: Sandbox, slack: Slack, code: str) -> None:
    running.faults(method="chat.postMessage", mode="error", error=code)
    with pytest.raises(SlackRefused) as caught:
        slack.post("C0RANDOM01", "one")
    assert caught.value.code == code


def test_nobodys_pause_is_believed_for_ever(monkeypatch: pytest.MonkeyPatch, slack: Slack) -> None:
    said = {"status": 429, "headers": {"Retry-After": "9" * 30}, "body": "<html>"}
    monkeypatch.setattr(slack.web, "_perform_urllib_http_request", lambda **_: said)
    with pytest.raises(SlackUnavailable) as caught:
        slack.post("C0RANDOM01", "one")
    assert caught.value.seconds == LONGEST_PAUSE and caught.value.limited == "chat.postMessage"


@pytest.mark.parametrize("name", ["Retry-After", "retry-after", "RETRY-AFTER"])
def test_a_pause_is_kept_however_its_header_is_spelled(
    monkeypatch: pytest.MonkeyPatch, slack: Slack, name: str
) -> None:
    said = {"status": 429, "headers": {name: "17"}, "body": '{"ok": false, "error": "ratelimited"}'}
    monkeypatch.setattr(slack.web, "_perform_urllib_http_request", lambda **_: said)
    with pytest.raises(SlackUnavailable) as caught:
        slack.post("C0RANDOM01", "one")
    assert caught.value.seconds == 17 and caught.value.undone


def test_nobody_is_somebody_by_an_answer_that_is_not_slacks(running: Sandbox, slack: Slack) -> None:
    directory = SlackDirectory(slack)
    running.faults(method="users.info", mode="html")
    with pytest.raises(SlackUnavailable):
        directory.person(ANA)
    assert directory.person(ANA).id == ANA, "and nothing of it is remembered"
    with pytest.raises(NotAllowed):
        directory.person("U0NOBODY01")


def test_top_level_text_is_sent_within_its_bytes(running: Sandbox, slack: Slack) -> None:
    text = "漢字" * 3_000
    posted = slack.post("C0RANDOM01", text)
    slack.update(posted.channel, posted.ts, text + "x", [])
    slack.whisper("C0RANDOM01", ANA, text)
    found = running.messages("C0RANDOM01")
    assert len(found) == 2 and all(len(message["text"].encode()) <= 3_900 for message in found)


@pytest.mark.parametrize(
    ("fault", "undone"),
    [
        ({"mode": "ratelimited", "seconds": 1}, True),
        ({"mode": "error", "error": "service_unavailable"}, True),
        ({"mode": "error", "error": "request_timeout"}, True),
        ({"mode": "error", "error": "internal_error"}, False),
        ({"mode": "error", "error": "fatal_error"}, False),
        ({"mode": "drop_reply"}, False),
        ({"mode": "hang", "seconds": 3}, False),
    ],
)
def test_it_says_whether_a_post_may_have_been_done(fault: dict[str, Any], undone: bool) -> None:
    with Sandbox.start() as sandbox:
        slack = Slack(client(sandbox.bot_token, sandbox.api_url, seconds=1))
        sandbox.faults(method="chat.postMessage", **fault)
        with pytest.raises(SlackUnavailable) as caught:
            slack.post("C0RANDOM01", "one")
        assert caught.value.undone is undone


def test_where_nobody_listens_nothing_was_done() -> None:
    slack = Slack(client("xoxb-1", f"http://127.0.0.1:{free_port()}/api/"))
    with pytest.raises(SlackUnavailable) as caught:
        slack.post("C0RANDOM01", "one")
    assert caught.value.undone


def test_a_link_in_a_message_is_not_opened_by_slack(monkeypatch: pytest.MonkeyPatch) -> None:
    """A preview would fetch an agent's link, and show what stands there in a card of ours."""
    slack, sent = Slack(client("xoxb-1", "http://127.0.0.1:1/api/")), dict[str, Any]()
    monkeypatch.setattr(slack, "call", lambda _, **what: sent.update(what) or {"channel": "C1", "ts": "1"})
    slack.post("C1", "https://example.org/")
    assert sent["unfurl_links"] is False and sent["unfurl_media"] is False


@pytest.mark.parametrize(
    ("status", "body", "taken"),
    [
        (200, "ok", True),
        (200, ' {"ok": true}\n', True),
        (200, "", False),
        (200, None, False),
        (200, "<html><body>ok</body></html>", False),
        (200, '{"ok": false, "error": "expired_url"}', False),
        (404, "ok", False),
        (502, "<html>", False),
    ],
)
def test_a_response_url_has_taken_what_slack_says_ok_to(status: int, body: str | None, taken: bool) -> None:
    assert was_taken(status, body) is taken


def test_an_answer_in_blocks_goes_without_a_text_of_its_own(running: Sandbox, slack: Slack) -> None:
    """Slack makes one of the blocks: a title alone would be all that somebody hears."""
    block = {"type": "section", "text": {"type": "plain_text", "text": "Three requests wait for you."}}
    assert slack.whisper("C0RANDOM01", ANA, "", [block])
    sent = [entry["arguments"] for entry in running.log() if entry.get("method") == "chat.postEphemeral"]
    assert "text" not in sent[-1] and sent[-1]["blocks"] == [block]
