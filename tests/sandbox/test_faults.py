"""Faults on request hit as many calls as they say; rate limits are Slack's once they are switched on."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from signoff.sandbox.server import Sandbox

JSON = dict[str, Any]


def error_of(call: Any, *args: Any, **kwargs: Any) -> Any:
    with pytest.raises(SlackApiError) as caught:
        call(*args, **kwargs)
    return caught.value.response


def test_a_ratelimited_call_has_to_wait_and_does_nothing(slack: Sandbox, client: WebClient) -> None:
    slack.faults(method="chat.postMessage", mode="ratelimited", times=2, seconds=7)
    for _ in range(2):
        response = error_of(client.chat_postMessage, channel="random", text="x")
        assert (response.status_code, response["error"]) == (429, "ratelimited")
        assert response.headers["Retry-After"] == "7"
    assert client.auth_test()["ok"]
    posted = client.chat_postMessage(channel="random", text="x")
    assert len(slack.messages(posted["channel"])) == 1
    assert slack.faults()["faults"] == []


def test_an_error_of_choice_hits_any_method(slack: Sandbox, client: WebClient) -> None:
    slack.faults(method="*", mode="error", error="service_unavailable", times=2)
    assert error_of(client.auth_test)["error"] == "service_unavailable"
    assert slack.faults()["faults"][0]["times"] == 1
    assert error_of(client.conversations_list)["error"] == "service_unavailable"
    assert client.auth_test()["ok"]
    slack.faults(method="auth.test", mode="error")
    assert error_of(client.auth_test)["error"] == "internal_error"


def test_a_hanging_call_is_done_later(slack: Sandbox, client: WebClient) -> None:
    slack.faults(method="chat.postMessage", mode="hang", seconds=0.3)
    started = time.monotonic()
    assert client.chat_postMessage(channel="random", text="x")["ok"]
    assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize(("mode", "left_behind"), [("drop_reply", 1), ("disconnect", 0)])
def test_a_cut_connection_leaves_the_work_done_or_not(
    slack: Sandbox, client: WebClient, channels: dict[str, str], mode: str, left_behind: int
) -> None:
    slack.faults(method="chat.postMessage", mode=mode)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        client.chat_postMessage(channel="random", text="x")
    assert len(slack.messages(channels["random"])) == left_behind
    assert client.chat_postMessage(channel="random", text="y")["ok"]


def test_the_sdk_that_retries_posts_a_dropped_message_twice(slack: Sandbox, channels: dict[str, str]) -> None:
    client = WebClient(slack.bot_token, base_url=slack.api_url)
    slack.faults(method="chat.postMessage", mode="drop_reply")
    client.chat_postMessage(channel="random", text="x")
    assert len(slack.messages(channels["random"])) == 2


def test_a_fault_hits_the_call_that_it_is_about_and_no_other(slack: Sandbox, client: WebClient) -> None:
    metadata = {"event_type": "card", "event_payload": {"approval_id": "id-2"}}
    slack.faults(method="chat.postMessage", mode="error", about="id-2")
    assert client.chat_postMessage(channel="random", text="of id-1")["ok"]
    assert client.conversations_info(channel="C0RANDOM01", id="id-2")["ok"]
    assert slack.faults()["faults"][0]["about"] == "id-2"
    assert error_of(client.chat_postMessage, channel="random", text="x", metadata=metadata)
    assert client.chat_postMessage(channel="random", text="x", metadata=metadata)["ok"]


def test_faults_can_be_cleared(slack: Sandbox, client: WebClient) -> None:
    slack.faults(method="*", mode="error", times=100)
    slack.faults(rate_limits=True)
    assert slack.faults(clear=True) == {
        "ok": True,
        "faults": [],
        "rate_limits": False,
        "redelivery_seconds": [0, 60, 300],
        "ghosts": 0,
    }
    assert client.auth_test()["ok"]


@pytest.mark.parametrize(
    "fields",
    [
        {"method": "auth.test"},
        {"mode": "error"},
        {"method": "auth.test", "mode": "explode"},
        {"method": "auth.test", "mode": "error", "times": 0},
        {"method": "auth.test", "mode": "error", "times": "2"},
        {"method": "auth.test", "mode": "hang", "seconds": -1},
        {"method": "auth.test", "mode": "error", "error": 5},
        {"method": "auth.test", "mode": "error", "about": 5},
        {"method": "socket", "mode": "disconnect", "about": "id-2"},
        {"method": "socket", "mode": "disconnect", "reason": "boredom"},
        {"nothing": 1},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(slack: Sandbox, fields: JSON) -> None:
    with pytest.raises(LookupError, match="invalid_fault"):
        slack.faults(**fields)


def test_posting_is_limited_for_each_channel(slack: Sandbox, client: WebClient) -> None:
    slack.faults(rate_limits=True)
    for _ in range(3):
        client.chat_postMessage(channel="random", text="x")
    response = error_of(client.chat_postMessage, channel="random", text="x")
    assert (response.status_code, response["error"]) == (429, "ratelimited")
    assert 1 <= int(response.headers["Retry-After"]) <= 3
    assert client.chat_postMessage(channel="agent-approvals", text="x")["ok"]


def test_other_methods_are_limited_by_the_minute(slack: Sandbox, client: WebClient) -> None:
    slack.faults(rate_limits=True)
    for _ in range(20):
        client.usergroups_list()
    response = error_of(client.usergroups_list)
    assert int(response.headers["Retry-After"]) > 30
    assert client.auth_test()["ok"]


def test_control_answers_in_json_whatever_it_is_sent(slack: Sandbox) -> None:
    connection = http.client.HTTPConnection(slack.url.removeprefix("http://"))
    try:
        for body in (b"{", b"[]", b"[" * 100_000, b"\xff", b'"x"'):
            for path in ("act", "faults", "team"):
                connection.request("POST", f"/sandbox/{path}", body)
                response = connection.getresponse()
                assert (response.status, json.loads(response.read())["error"]) == (400, "invalid_json")
        for path, error in [
            ("messages?channel=C0", "channel_not_found"),
            ("views?user=U0", "user_not_found"),
        ]:
            connection.request("GET", f"/sandbox/{path}")
            response = connection.getresponse()
            assert (response.status, json.loads(response.read())["error"]) == (404, error)
    finally:
        connection.close()
