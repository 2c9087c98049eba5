"""The Web API answers as Slack does, to the real client."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from signoff.sandbox.server import Sandbox


def error_of(call: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
    with pytest.raises(SlackApiError) as caught:
        call(*args, **kwargs)
    return dict(caught.value.response.data)


def test_auth_test_says_whose_token_it_is_and_its_scopes(client: WebClient, slack: Sandbox) -> None:
    answer = client.auth_test()
    state = slack.state()
    assert answer["team_id"] == state["team"]["id"]
    assert (answer["user_id"], answer["bot_id"]) == (state["bot"]["user_id"], state["bot"]["bot_id"])
    assert answer["url"] == slack.url + "/"
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


@pytest.mark.parametrize(
    ("token", "expected"),
    [("", "not_authed"), ("xoxb-wrong", "invalid_auth"), ("app", "not_allowed_token_type")],
)
def test_a_wrong_token_is_refused(slack: Sandbox, token: str, expected: str) -> None:
    client = WebClient(slack.app_token if token == "app" else token, base_url=slack.api_url)
    assert error_of(client.auth_test)["error"] == expected


@pytest.mark.parametrize("reason", ["token_revoked", "account_inactive"])
def test_a_revoked_token_is_refused_and_works_again_afterwards(
    slack: Sandbox, client: WebClient, reason: str
) -> None:
    slack.team(bot={"token_error": reason})
    assert error_of(client.auth_test)["error"] == reason
    slack.team(bot={"token_error": ""})
    assert client.auth_test()["ok"]


def test_a_bot_token_opens_no_connection(slack: Sandbox, client: WebClient) -> None:
    assert (
        error_of(client.apps_connections_open, app_token=slack.bot_token)["error"] == "not_allowed_token_type"
    )
    assert client.apps_connections_open(app_token=slack.app_token)["url"].startswith("ws://127.0.0.1:")


def test_other_methods_are_unknown(client: WebClient) -> None:
    assert error_of(client.reactions_add, channel="C", timestamp="1", name="x")["error"] == "unknown_method"


def test_a_missing_scope_is_named(slack: Sandbox, client: WebClient, people: dict[str, str]) -> None:
    slack.team(bot={"scopes": ["chat:write"]})
    answer = error_of(client.users_info, user=people["ana"])
    assert (answer["error"], answer["needed"], answer["provided"]) == (
        "missing_scope",
        "users:read",
        "chat:write",
    )


def test_a_form_with_json_text_in_it_is_understood(slack: Sandbox, channels: dict[str, str]) -> None:
    blocks = json.dumps([{"type": "divider"}])
    body = urllib.parse.urlencode({"token": slack.bot_token, "channel": "random", "blocks": blocks})
    with urllib.request.urlopen(slack.api_url + "chat.postMessage", body.encode()) as response:
        answer = json.load(response)
    assert answer["channel"] == channels["random"]
    assert answer["message"]["blocks"][0]["type"] == "divider"


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        ("#general", "not_in_channel"),
        ("old", "is_archived"),
        ("nowhere", "channel_not_found"),
        ("rob", "cannot_dm_bot"),
        ("dee", "channel_not_found"),
    ],
)
def test_where_the_app_may_not_post(
    client: WebClient, people: dict[str, str], channel: str, expected: str
) -> None:
    assert (
        error_of(client.chat_postMessage, channel=people.get(channel, channel), text="x")["error"] == expected
    )


def test_chat_write_public_posts_without_membership(
    slack: Sandbox, client: WebClient, channels: dict[str, str]
) -> None:
    slack.team(bot={"scopes": ["chat:write", "chat:write.public"]})
    assert client.chat_postMessage(channel="#general", text="x")["channel"] == channels["general"]


def test_a_private_channel_without_the_app_does_not_exist_for_it(
    slack: Sandbox, client: WebClient, channels: dict[str, str]
) -> None:
    private = channels["finance-private"]
    assert client.conversations_info(channel=private)["channel"]["is_private"]
    slack.team(channels={private: {"bot_is_member": False}})
    assert error_of(client.conversations_info, channel=private)["error"] == "channel_not_found"
    assert error_of(client.chat_postMessage, channel=private, text="x")["error"] == "channel_not_found"


def test_a_message_to_a_user_opens_a_direct_message(
    slack: Sandbox, client: WebClient, people: dict[str, str]
) -> None:
    posted = client.chat_postMessage(channel=people["ana"], text="hello")
    assert posted["channel"].startswith("D")
    assert [m["text"] for m in slack.messages(posted["channel"])] == ["hello"]
    assert slack.messages(people["ana"]) == slack.messages(posted["channel"])
    assert client.chat_update(channel=posted["channel"], ts=posted["ts"], text="new")["text"] == "new"
    assert (
        error_of(client.chat_update, channel=people["ana"], ts=posted["ts"], text="x")["error"]
        == "channel_not_found"
    )


def test_timestamps_are_unique_and_rising(client: WebClient) -> None:
    stamps = [client.chat_postMessage(channel="random", text="x")["ts"] for _ in range(20)]
    assert stamps == sorted(set(stamps))
    assert all(len(ts.split(".")[1]) == 6 for ts in stamps)


def test_text_is_cut_at_40000_when_posted_and_refused_over_4000_when_updated(client: WebClient) -> None:
    posted = client.chat_postMessage(channel="random", text="x" * 40_001)
    assert len(posted["message"]["text"]) == 40_000
    answer = error_of(client.chat_update, channel=posted["channel"], ts=posted["ts"], text="x" * 4_001)
    assert answer["error"] == "msg_too_long"


def test_an_update_without_blocks_removes_them_and_keeps_metadata(
    slack: Sandbox, client: WebClient, buttons: list[Any]
) -> None:
    metadata = {"event_type": "signoff_approval", "event_payload": {"approval_id": "1", "version": 1}}
    posted = client.chat_postMessage(channel="random", text="a", blocks=buttons, metadata=metadata)
    where = {"channel": posted["channel"], "ts": posted["ts"]}
    client.api_call("chat.update", json={**where, "blocks": [{"type": "divider"}]})
    (message,) = slack.messages(posted["channel"])
    assert (message["text"], message["blocks"][0]["type"]) == ("a", "divider")
    assert "edited" not in message
    client.chat_update(**where, text="b")
    (message,) = slack.messages(posted["channel"])
    assert (message["text"], message["blocks"], message["metadata"]) == ("b", [], metadata)
    assert "edited" in message


def test_only_messages_that_are_there_can_be_updated(
    client: WebClient, channels: dict[str, str], people: dict[str, str]
) -> None:
    where = {"channel": channels["random"]}
    assert error_of(client.chat_update, **where, ts="1.000001", text="x")["error"] == "message_not_found"
    note = client.chat_postEphemeral(**where, user=people["ana"], text="psst")["message_ts"]
    assert error_of(client.chat_update, **where, ts=note, text="x")["error"] == "message_not_found"
    ts = client.chat_postMessage(**where, text="x")["ts"]
    assert error_of(client.chat_update, channel="random", ts=ts, text="y")["error"] == "channel_not_found"
    assert error_of(client.api_call, "chat.update", json={**where, "ts": ts})["error"] == "no_text"


def test_only_own_messages_can_be_updated(slack: Sandbox, client: WebClient, people: dict[str, str]) -> None:
    posted = client.chat_postMessage(channel="random", text="x")
    by_ana = {**posted["message"], "user": people["ana"]}
    slack._service.workspace.replace(posted["channel"], by_ana)
    answer = error_of(client.chat_update, channel=posted["channel"], ts=posted["ts"], text="y")
    assert answer["error"] == "cant_update_message"


def test_an_ephemeral_message_is_for_one_person_in_the_channel(
    slack: Sandbox, client: WebClient, channels: dict[str, str], people: dict[str, str]
) -> None:
    where = {"channel": channels["random"], "text": "psst"}
    client.chat_postEphemeral(**where, user=people["mia"])
    assert [m["ephemeral_to"] for m in slack.messages(channels["random"])] == [people["mia"]]
    assert error_of(client.chat_postEphemeral, **where, user="U0")["error"] == "user_not_found"
    assert error_of(client.chat_postEphemeral, **where, user=people["sam"])["error"] == "user_not_in_channel"


def test_replies_stand_in_their_thread(slack: Sandbox, client: WebClient) -> None:
    parent = client.chat_postMessage(channel="random", text="parent")
    channel, ts = parent["channel"], parent["ts"]
    reply = client.chat_postMessage(channel=channel, text="reply", thread_ts=ts)["ts"]
    assert [m["text"] for m in slack.messages(channel)] == ["parent"]
    assert [m["text"] for m in slack.messages(channel, ts)] == ["parent", "reply"]
    assert slack.messages(channel)[0]["reply_count"] == 1
    nested = client.chat_postMessage(channel=channel, text="nested", thread_ts=reply)
    assert nested["message"]["thread_ts"] == ts
    assert [m["text"] for m in slack.messages(channel, ts)] == ["parent", "reply", "nested"]
    link = client.chat_getPermalink(channel=channel, message_ts=reply)["permalink"]
    assert link == f"{slack.url}/archives/{channel}/p{reply.replace('.', '')}?thread_ts={ts}&cid={channel}"


def test_a_reply_to_a_message_that_is_gone_stands_in_the_channel(slack: Sandbox, client: WebClient) -> None:
    answer = client.chat_postMessage(channel="random", text="late", thread_ts="1.000001")
    assert "thread_ts" not in answer["message"]
    assert slack.messages(answer["channel"])[-1]["text"] == "late"


def test_bad_blocks_are_refused_with_json_pointers(client: WebClient) -> None:
    blocks = [{"type": "divider"}, {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]
    answer = error_of(client.chat_postMessage, channel="random", text="x", blocks=blocks)
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/1/text/text]"
    ]


def test_blocks_that_are_too_long_together_are_refused(client: WebClient) -> None:
    section = {"type": "section", "text": {"type": "plain_text", "text": "x" * 2_900}}
    client.chat_postMessage(channel="random", text="x", blocks=[section] * 3)
    answer = error_of(client.chat_postMessage, channel="random", text="x", blocks=[section] * 4)
    assert answer["error"] == "msg_blocks_too_long"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "no_text"),
        ({"text": "x", "blocks": "{"}, "invalid_blocks_format"),
        ({"text": "x", "blocks": '{"type": "divider"}'}, "invalid_blocks_format"),
        ({"text": "x", "metadata": "{"}, "invalid_metadata_format"),
        ({"text": "x", "metadata": {"event_type": "a"}}, "invalid_metadata_format"),
        (
            {"text": "x", "metadata": {"event_type": "a", "event_payload": {"a": {"b": []}}}},
            "invalid_metadata_format",
        ),
        (
            {"text": "x", "metadata": {"event_type": "a", "event_payload": {"a": "x" * 20_000}}},
            "metadata_too_large",
        ),
    ],
)
def test_malformed_messages_are_refused(client: WebClient, fields: dict[str, Any], expected: str) -> None:
    answer = error_of(client.api_call, "chat.postMessage", json={"channel": "random", **fields})
    assert answer["error"] == expected


def test_channels_are_listed_in_pages(client: WebClient) -> None:
    options: dict[str, Any] = {"types": "public_channel,private_channel", "limit": 2}
    names, cursor = [], ""
    while True:
        page = client.conversations_list(**options, cursor=cursor)
        assert len(page["channels"]) <= 2
        names += [channel["name"] for channel in page["channels"]]
        cursor = page["response_metadata"]["next_cursor"]
        if not cursor:
            break
    assert sorted(names) == sorted({*names})
    assert {"agent-approvals", "old", "finance-private", "general"} <= {*names}
    active = client.conversations_list(exclude_archived=True)["channels"]
    assert {"old", "finance-private"}.isdisjoint({channel["name"] for channel in active})
    assert error_of(client.conversations_list, cursor="nonsense")["error"] == "invalid_cursor"
    assert error_of(client.conversations_list, types="im")["needed"] == "im:read"
    assert error_of(client.conversations_list, types="rooms")["error"] == "invalid_types"
    assert error_of(client.conversations_list, limit=5000)["error"] == "invalid_limit"


def test_the_people_are_what_they_are(client: WebClient, people: dict[str, str], slack: Sandbox) -> None:
    def user(name: str) -> dict[str, Any]:
        return dict(client.users_info(user=people[name])["user"])

    assert user("gus")["is_restricted"] and not user("gus")["is_ultra_restricted"]
    assert user("sam")["is_ultra_restricted"]
    assert user("rob")["is_bot"] and user("dee")["deleted"] and user("omar")["is_owner"]
    assert user("eve")["team_id"] != slack.state()["team"]["id"]
    assert user("eve")["is_stranger"] is False
    assert user("ana")["tz"] == "Europe/Berlin"
    slack.team(users={people["ana"]: {"is_restricted": True}, "U0NEW": {"name": "new"}})
    assert user("ana")["is_restricted"]
    assert client.users_info(user="U0NEW")["user"]["name"] == "new"
    assert error_of(client.users_info, user="U0")["error"] == "user_not_found"


def test_user_groups_and_their_members(client: WebClient, people: dict[str, str], slack: Sandbox) -> None:
    groups = {g["handle"]: g["id"] for g in client.usergroups_list(include_disabled=True)["usergroups"]}
    assert [g["handle"] for g in client.usergroups_list()["usergroups"]] == ["finance", "empty"]
    members = client.usergroups_users_list(usergroup=groups["finance"])["users"]
    assert members == [people["ana"], people["ben"]]
    assert client.usergroups_users_list(usergroup=groups["empty"])["users"] == []
    assert error_of(client.usergroups_users_list, usergroup=groups["closed"])["error"] == "no_such_subteam"
    assert error_of(client.usergroups_users_list, usergroup="S0")["error"] == "no_such_subteam"
    slack.team(usergroups={groups["finance"]: {"users": [people["mia"]]}})
    assert client.usergroups_users_list(usergroup=groups["finance"])["users"] == [people["mia"]]


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (b"{", "application/json", "invalid_json"),
        (b"[]", "application/json", "json_not_object"),
        (b"[" * 100_000, "application/json", "invalid_json"),
        (b"\xff", "application/x-www-form-urlencoded", "invalid_form_data"),
        (b"x", "text/plain", "invalid_post_type"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(slack: Sandbox, body: bytes, kind: str, expected: str) -> None:
    headers = {"Content-Type": kind, "Authorization": f"Bearer {slack.bot_token}"}
    request = urllib.request.Request(slack.api_url + "auth.test", body, headers)
    with urllib.request.urlopen(request) as response:
        assert json.load(response)["error"] == expected


def test_the_log_has_every_call_and_no_token(slack: Sandbox, client: WebClient) -> None:
    client.chat_postMessage(channel="random", text="hello")
    urllib.request.urlopen(
        slack.api_url + "auth.test", urllib.parse.urlencode({"token": slack.bot_token}).encode()
    ).close()
    text = json.dumps(slack.log())
    assert slack.bot_token not in text
    first, second = slack.log()
    assert (first["method"], first["arguments"]["text"], first["answer"]["ok"]) == (
        "chat.postMessage",
        "hello",
        True,
    )
    assert second["method"] == "auth.test"


def test_deep_nesting_is_refused_before_it_is_kept(slack: Sandbox) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {slack.bot_token}"}
    for depth in (99, 500, 970, 5_000):
        body = b'{"channel": "random", "text": "x", "blocks": ' + b"[" * depth + b"]" * depth + b"}"
        request = urllib.request.Request(slack.api_url + "chat.postMessage", body, headers)
        with urllib.request.urlopen(request) as response:
            expected = "invalid_blocks" if depth == 99 else "invalid_json"
            assert json.load(response)["error"] == expected
    assert len(slack.log()) == 4
