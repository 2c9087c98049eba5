"""Whether Slack has surely done nothing: only then is a message not looked for that may have been posted."""

from __future__ import annotations

from typing import Any

import pytest
from support import free_port

from signoff.bot.slack.client import Slack, client
from signoff.bot.slack.errors import SlackUnavailable
from signoff.sandbox.server import Sandbox


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
