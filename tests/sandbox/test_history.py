"""What an app may read back: as strict as Slack about scopes, membership, metadata and limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from signoff.sandbox.server import Sandbox
from signoff.sandbox.workspace import DEFAULT_SCOPES

HISTORY = ["channels:history", "groups:history", "im:history"]
ANA, RANDOM, PRIVATE = "U0ANA00001", "C0RANDOM01", "C0FINANCE1"
ABOUT = {"event_type": "signoff_approval", "event_payload": {"approval_id": "one"}}


@pytest.fixture
def slack() -> Iterator[Sandbox]:
    with Sandbox.start() as found:
        found.team(bot={"scopes": [*DEFAULT_SCOPES, *HISTORY]})
        yield found


def web(slack: Sandbox) -> WebClient:
    return WebClient(slack.bot_token, base_url=slack.api_url)


def error_of(call: Any, *args: Any, **given: Any) -> str:
    with pytest.raises(SlackApiError) as caught:
        call(*args, **given)
    return str(caught.value.response["error"])


def test_a_channel_is_read_newest_first_in_pages_without_replies_and_private_words(slack: Sandbox) -> None:
    client = web(slack)
    times = [client.chat_postMessage(channel=RANDOM, text=f"{n}")["ts"] for n in range(5)]
    client.chat_postMessage(channel=RANDOM, text="a reply", thread_ts=times[0])
    client.chat_postEphemeral(channel=RANDOM, user=ANA, text="for ana alone")
    first = client.conversations_history(channel=RANDOM, limit=2)
    assert [m["ts"] for m in first["messages"]] == [times[4], times[3]] and first["has_more"]
    cursor = first["response_metadata"]["next_cursor"]
    rest = client.conversations_history(channel=RANDOM, limit=99, cursor=cursor)
    assert [m["ts"] for m in rest["messages"]] == [times[2], times[1], times[0]] and not rest["has_more"]
    later = client.conversations_history(channel=RANDOM, oldest=times[3])
    assert [m["ts"] for m in later["messages"]] == [times[4]], "oldest itself is left out"
    both = client.conversations_history(channel=RANDOM, oldest=times[3], latest=times[4], inclusive=True)
    assert [m["ts"] for m in both["messages"]] == [times[4], times[3]]


def test_a_thread_is_read_oldest_first_its_parent_before_all(slack: Sandbox) -> None:
    client = web(slack)
    parent = client.chat_postMessage(channel=RANDOM, text="parent")["ts"]
    replies = [client.chat_postMessage(channel=RANDOM, text=f"{n}", thread_ts=parent)["ts"] for n in range(3)]
    found = client.conversations_replies(channel=RANDOM, ts=parent)
    assert [m["ts"] for m in found["messages"]] == [parent, *replies]
    assert error_of(client.conversations_replies, channel=RANDOM, ts="1.000000") == "thread_not_found"


def test_metadata_is_given_whole_to_who_asks_for_it(slack: Sandbox) -> None:
    client = web(slack)
    client.chat_postMessage(channel=RANDOM, text="one", metadata=ABOUT)
    found = client.conversations_history(channel=RANDOM)["messages"][0]
    assert found["metadata"] == {"event_type": "signoff_approval"} and found["bot_id"] and found["app_id"]
    whole = client.conversations_history(channel=RANDOM, include_all_metadata=True)["messages"][0]
    assert whole["metadata"] == ABOUT


@pytest.mark.parametrize(
    ("channel", "scope"),
    [(RANDOM, "channels:history"), ("#finance-private", "groups:history"), (ANA, "im:history")],
)
def test_each_kind_of_conversation_needs_its_scope(slack: Sandbox, channel: str, scope: str) -> None:
    client = web(slack)
    posted = client.chat_postMessage(channel=channel, text="one")["channel"]
    assert client.conversations_history(channel=posted)["messages"]
    slack.team(bot={"scopes": [*DEFAULT_SCOPES, *(one for one in HISTORY if one != scope)]})
    assert error_of(client.conversations_history, channel=posted) == "missing_scope"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"channel": "C0NOWHERE1"}, "channel_not_found"),
        ({"channel": "random"}, "channel_not_found"),
        ({"channel": RANDOM, "limit": 1000}, "invalid_limit"),
        ({"channel": RANDOM, "oldest": "yesterday"}, "invalid_ts_oldest"),
        ({"channel": RANDOM, "latest": "now"}, "invalid_ts_latest"),
        ({"channel": RANDOM, "cursor": "nonsense"}, "invalid_cursor"),
    ],
)
def test_what_is_wrong_is_refused(slack: Sandbox, given: dict[str, Any], code: str) -> None:
    assert error_of(web(slack).conversations_history, **given) == code


def test_a_channel_that_the_app_is_not_in_is_not_read(slack: Sandbox) -> None:
    slack.team(channels={RANDOM: {"bot_is_member": False}})
    assert error_of(web(slack).conversations_history, channel=RANDOM) == "not_in_channel"


def test_it_has_its_tiers_limit(slack: Sandbox) -> None:
    slack.faults(rate_limits=True)
    client = web(slack)
    for _ in range(50):
        client.conversations_history(channel=RANDOM)
    assert error_of(client.conversations_history, channel=RANDOM) == "ratelimited"
