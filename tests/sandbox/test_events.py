"""Events: what people write, what changes in the team, and what is sent again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

JSON = dict[str, Any]
MESSAGES = ["message.channels", "message.groups", "message.im", "app_mention"]
HISTORY = ["chat:write", "channels:history", "groups:history", "im:history", "app_mentions:read"]


@pytest.fixture
def listening(slack: Any) -> Any:
    """A stand-in whose app subscribes to every message."""
    return slack.team(events=MESSAGES, bot={"scopes": [*HISTORY]})


@pytest.fixture
def events(bot: Any) -> Callable[[], list[JSON]]:
    return lambda: [body["event"] for body in list(bot.bodies)]


def test_a_mention_reaches_the_app_of_a_fresh_stand_in_and_other_words_do_not(
    bot: Any, slack: Any, people: dict[str, str], channels: dict[str, str]
) -> None:
    me = slack.state()["bot"]["user_id"]
    act = {"type": "message", "user": people["ana"], "channel": channels["random"]}
    plain = slack.act(**act, text="lunch?")
    assert (plain["ok"], plain["acked"], plain["events"]) == (True, False, [])
    said = slack.act(**act, text=f"<@{me}> pending &amp; more", thread_ts=plain["ts"])
    assert said["acked"] and [event["type"] for event in said["events"]] == ["app_mention"]
    (body,) = bot.bodies
    assert body["event_id"] == said["events"][0]["event_id"] and body["event_id"].startswith("Ev")
    assert abs(body["event_time"] - time.time()) < 60
    assert body["authorizations"][0]["user_id"] == me and body["is_ext_shared_channel"] is False
    event = body["event"]
    assert (event["user"], event["channel"], event["ts"]) == (people["ana"], channels["random"], said["ts"])
    assert (event["thread_ts"], event["parent_user_id"]) == (plain["ts"], people["ana"])
    assert event["event_ts"] == event["ts"] and "channel_type" not in event
    assert event["blocks"][0]["elements"][0]["elements"] == [
        {"type": "user", "user_id": me},
        {"type": "text", "text": " pending & more"},
    ]
    thread = slack.messages(channels["random"], plain["ts"])
    assert [m["text"] for m in thread] == ["lunch?", f"<@{me}> pending &amp; more"]
    assert thread[0]["reply_count"] == 1


def test_messages_are_sent_by_the_kind_of_their_channel(
    bot: Any,
    slack: Any,
    listening: Any,
    people: dict[str, str],
    channels: dict[str, str],
    events: Callable[[], list[JSON]],
) -> None:
    me = slack.state()["bot"]["user_id"]
    for channel, text in [
        (channels["random"], "one"),
        (channels["finance-private"], "two"),
        (me, f"<@{me}> three"),
        (channels["general"], f"<@{me}> the app is not in this one"),
    ]:
        slack.act(type="message", user=people["ana"], channel=channel, text=text)
    kinds = [(e["type"], e["channel_type"], e["text"]) for e in events()]
    assert kinds == [
        ("message", "channel", "one"),
        ("message", "group", "two"),
        ("message", "im", f"<@{me}> three"),
    ]
    slack.team(bot={"scopes": ["chat:write"]})
    unheard = slack.act(type="message", user=people["ana"], channel=channels["random"], text="four")
    assert unheard["ok"] and unheard["events"] == []


def test_a_bot_hears_itself_and_bolt_leaves_that_out(
    bot: Any, slack: Any, client: Any, listening: Any, eventually: Callable[..., Any]
) -> None:
    ts = client.chat_postMessage(channel="random", text="me")["ts"]

    def sent() -> list[JSON]:
        return [e for e in slack.log() if e["kind"] == "envelope" and e["acked"]]

    (entry,) = eventually(sent)
    event = entry["payload"]["event"]
    assert (event["ts"], event["type"], event["bot_id"]) == (ts, "message", slack.state()["bot"]["bot_id"])
    assert bot.bodies == []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"channel": "general", "user": "gus"}, "not_in_channel"),
        ({"channel": "random", "user": "eve"}, "not_in_channel"),
        ({"channel": "general", "user": "omar", "text": "x" * 40_001}, "msg_too_long"),
        ({"channel": "random", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"channel": "old"}, "is_archived"),
        ({"text": ""}, "invalid_act"),
        ({"user": "dee"}, "user_cannot_act"),
    ],
)
def test_what_nobody_could_write_is_not_written(
    bot: Any, slack: Any, people: dict[str, str], change: JSON, error: str
) -> None:
    act = {"type": "message", "user": "ana", "channel": "random", "text": "x"} | change
    answer = slack.act(**act | {"user": people[act["user"]]})
    assert (answer["ok"], answer["error"]) == (False, error)
    assert bot.bodies == [] and slack.messages("random") == []


def test_an_event_without_acknowledgement_comes_again_and_says_so(
    bot: Any, slack: Any, people: dict[str, str], eventually: Callable[..., Any]
) -> None:
    slack.faults(redelivery_seconds=[0, 0.05, 0.1])

    def fail_twice(ack: Any, body: JSON, respond: Any) -> None:
        if len(bot.bodies) <= 2:
            raise RuntimeError("not yet")
        ack()

    bot.on["event"] = fail_twice
    me = slack.state()["bot"]["user_id"]
    first = slack.act(type="message", user=people["ana"], channel="random", text=f"<@{me}> hi")
    assert (first["ok"], first["acked"], first["events"][0]["acked"]) == (True, False, False)
    eventually(lambda: len(bot.bodies) == 3)
    eventually(lambda: not slack._service._events._tasks)
    assert len(bot.bodies) == 3
    assert {body["event_id"] for body in bot.bodies} == {first["events"][0]["event_id"]}
    numbers = [headers["x-slack-retry-num"] for headers in bot.headers]
    reasons = [headers["x-slack-retry-reason"] for headers in bot.headers]
    assert (numbers, reasons[1:]) == ([["0"], ["1"], ["2"]], [["timeout"], ["timeout"]])

    def envelopes() -> list[JSON]:
        return [entry for entry in slack.log() if entry["kind"] == "envelope"]

    eventually(lambda: envelopes()[-1]["acked"])
    assert [entry["acked"] for entry in envelopes()] == [False, False, True]
    assert len({entry["envelope_id"] for entry in envelopes()}) == 3


def test_after_the_last_redelivery_an_event_is_given_up(
    bot: Any, slack: Any, people: dict[str, str], eventually: Callable[..., Any]
) -> None:
    slack.faults(redelivery_seconds=[0, 0])

    def fail(**_: Any) -> None:
        raise RuntimeError("never")

    bot.on["event"] = fail
    assert not slack.act(type="open_home", user=people["ana"])["acked"]
    eventually(lambda: len(bot.bodies) == 3)
    bot.on["event"] = lambda ack, body, respond: ack()
    eventually(lambda: not slack._service._events._tasks)
    assert slack.act(type="open_home", user=people["ben"])["acked"]
    assert [body["event"]["user"] for body in bot.bodies] == [*[people["ana"]] * 3, people["ben"]]


def test_redelivery_is_slacks_own_until_it_is_shortened(slack: Any) -> None:
    assert slack.faults()["redelivery_seconds"] == [0, 60, 300]
    assert slack.faults(redelivery_seconds=[])["redelivery_seconds"] == []
    for wrong in ([0, 0, 0, 0], [-1], ["1"], [True], 5, None):
        with pytest.raises(LookupError):
            slack.faults(redelivery_seconds=wrong)
    assert slack.faults(clear=True)["redelivery_seconds"] == [0, 60, 300]


def test_a_changed_person_is_announced(
    bot: Any, slack: Any, people: dict[str, str], eventually: Callable[..., Any]
) -> None:
    slack.team(users={people["ana"]: {"deleted": True}})
    (body,) = eventually(lambda: list(bot.bodies))
    assert (body["event"]["type"], body["event"]["user"]["id"]) == ("user_change", people["ana"])
    assert body["event"]["user"]["deleted"] is True and float(body["event"]["event_ts"]) > 0
    slack.team(users={people["ana"]: {"deleted": True}})
    slack.team(users={people["ben"]: {"is_restricted": True}})
    eventually(lambda: len(bot.bodies) == 2)
    assert bot.bodies[1]["event"]["user"]["id"] == people["ben"]


def test_changed_groups_and_channels_are_announced_to_who_subscribes(
    bot: Any, slack: Any, people: dict[str, str], channels: dict[str, str], eventually: Callable[..., Any]
) -> None:
    wanted = [f"{kind}_{what}" for kind in ("channel", "group") for what in ("rename", "archive")]
    slack.team(events=["subteam_members_changed", "subteam_updated", "channel_unarchive", *wanted])
    group = next(g for g in slack.state()["usergroups"] if g["handle"] == "finance")
    slack.team(usergroups={group["id"]: {"users": [people["ana"], people["mia"]]}})
    eventually(lambda: len(bot.bodies) == 2)
    updated, members = sorted((b["event"] for b in bot.bodies), key=lambda e: e["type"], reverse=True)
    assert updated["subteam"]["users"] == [people["ana"], people["mia"]]
    assert (members["added_users"], members["removed_users"]) == ([people["mia"]], [people["ben"]])
    assert (members["subteam_id"], members["added_users_count"]) == (group["id"], 1)
    bot.reset()
    private = channels["finance-private"]
    slack.team(channels={private: {"bot_is_member": False, "name": "hidden"}})
    slack.team(channels={private: {"bot_is_member": True}})
    slack.team(channels={channels["random"]: {"name": "lunch"}, channels["old"]: {"is_archived": False}})
    slack.team(channels={private: {"name": "money", "is_archived": True}})
    eventually(lambda: len(bot.bodies) == 4)
    told = {e["type"]: e["channel"] for e in (body["event"] for body in bot.bodies)}
    assert told["channel_rename"]["name"] == "lunch" and told["channel_unarchive"] == channels["old"]
    assert told["group_rename"]["name"] == "money" and told["group_archive"] == private


def test_a_renamed_channel_is_found_by_its_new_name_and_an_archived_one_takes_no_messages(
    slack: Any, client: Any, channels: dict[str, str]
) -> None:
    slack.team(channels={channels["random"]: {"name": "lunch"}})
    assert client.chat_postMessage(channel="#lunch", text="x")["channel"] == channels["random"]
    assert client.api_call("conversations.info", params={"channel": channels["random"]})["channel"]["name"]
    slack.team(channels={channels["random"]: {"is_archived": True}})
    with pytest.raises(Exception, match="is_archived"):
        client.chat_postMessage(channel=channels["random"], text="x")


def test_a_revoked_token_is_announced(bot: Any, slack: Any, eventually: Callable[..., Any]) -> None:
    slack.team(bot={"token_error": "token_revoked"})

    def told() -> list[JSON]:
        entries = [e for e in slack.log() if e["kind"] == "envelope"]
        return [entry["payload"]["event"] for entry in entries]

    (event,) = eventually(told)
    assert event["type"] == "tokens_revoked"
    assert event["tokens"] == {"oauth": [], "bot": [slack.state()["bot"]["user_id"]]}
    slack.team(bot={"token_error": "token_revoked"})
    assert len(told()) == 1


def test_an_uninstalled_app_hears_so_and_then_nothing_more(
    bot: Any, slack: Any, client: Any, people: dict[str, str], eventually: Callable[..., Any]
) -> None:
    assert client.auth_test()["ok"]
    slack.team(bot={"installed": False})

    def told() -> list[str]:
        entries = [e for e in slack.log() if e["kind"] == "envelope"]
        return sorted(entry["payload"]["event"]["type"] for entry in entries)

    eventually(lambda: told() == ["app_uninstalled", "tokens_revoked"])
    with pytest.raises(Exception, match="account_inactive"):
        client.auth_test()
    assert client.apps_connections_open(app_token=slack.app_token)["ok"]
    assert slack.act(type="open_home", user=people["ana"])["error"] == "app_not_installed"
    me = slack.state()["bot"]["user_id"]
    said = slack.act(type="message", user=people["ana"], channel="random", text=f"<@{me}> there?")
    assert said["ok"] and said["events"] == []
    slack.team(bot={"installed": True})
    assert client.auth_test()["ok"]


def test_opening_the_messages_tab_is_told_apart_and_needs_the_subscription(
    bot: Any, slack: Any, people: dict[str, str]
) -> None:
    assert slack.act(type="open_home", user=people["ana"], tab="messages")["acked"]
    assert bot.bodies[0]["event"]["tab"] == "messages" and "view" not in bot.bodies[0]["event"]
    slack.team(events=[])
    answer = slack.act(type="open_home", user=people["ana"])
    assert (answer["ok"], answer["acked"]) == (True, False) and len(bot.bodies) == 1


@pytest.mark.parametrize(
    "fields", [{"events": ["message"]}, {"events": "all"}, {"events": [1]}, {"bot": {"installed": "no"}}]
)
def test_a_subscription_that_slack_does_not_have_is_refused(slack: Any, fields: JSON) -> None:
    before = slack.state()
    with pytest.raises(LookupError):
        slack.team(**fields)
    assert slack.state() == before
