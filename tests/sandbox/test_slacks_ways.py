"""What Slack does though its reference says otherwise, or nothing: the stand-in does it, too."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from signoff.sandbox.server import Sandbox

JSON = dict[str, Any]
LETTER = "漢"
"""Three bytes of UTF-8."""


def error_of(call: Any, *args: Any, **kwargs: Any) -> Any:
    with pytest.raises(SlackApiError) as caught:
        call(*args, **kwargs)
    return caught.value.response["error"]


def flags(slack: Sandbox) -> list[tuple[str, bool]]:
    """What came over Socket Mode, and whether its acknowledgement may hold an answer."""
    envelopes = [entry for entry in slack.log() if entry["kind"] == "envelope"]
    return [
        (entry["payload"].get("type", entry["type"]), entry["accepts_response_payload"])
        for entry in envelopes
    ]


def test_an_update_counts_bytes_and_a_post_takes_what_no_update_does(client: WebClient) -> None:
    posted = client.chat_postMessage(channel="random", text=LETTER * 1_334)
    assert posted["message"]["text"] == LETTER * 1_334
    where = {"channel": posted["channel"], "ts": posted["ts"]}
    assert error_of(client.chat_update, **where, text=LETTER * 1_334) == "msg_too_long"
    assert client.chat_update(**where, text=LETTER * 1_333)["ok"]
    long = client.chat_postMessage(channel="random", text="x" * 50_000)
    assert long["message"]["text"] == "x" * 40_000


def test_an_updates_answer_has_no_ts_in_its_message_and_names_the_bot(client: WebClient) -> None:
    posted = client.chat_postMessage(channel="random", text="one")
    answer = client.chat_update(channel=posted["channel"], ts=posted["ts"], text="two")
    assert answer["ts"] == posted["ts"] and "ts" not in answer["message"]
    assert answer["message"]["edited"]["user"].startswith("B")


def test_blocks_are_too_long_from_eleven_thousand_characters_headers_among_them(client: WebClient) -> None:
    words = {"type": "text", "text": "x" * 2_750}
    rich = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [words]}]}
    assert (
        error_of(client.chat_postMessage, channel="random", text="x", blocks=[rich] * 4)
        == "msg_blocks_too_long"
    )
    header = {"type": "header", "text": {"type": "plain_text", "text": "x" * 100}}
    assert client.chat_postMessage(channel="random", text="x", blocks=[header] * 50)["ok"]
    blocks = [*[rich] * 3, *[header] * 14]
    assert (
        error_of(client.chat_postMessage, channel="random", text="x", blocks=blocks) == "msg_blocks_too_long"
    )
    assert client.chat_postMessage(channel="random", text="x", blocks=blocks[:-1])["ok"]


def test_what_may_be_answered_in_an_acknowledgement_is_said(
    bot: Any, slack: Sandbox, client: WebClient, people: dict[str, str], buttons: list[JSON], modal: JSON
) -> None:
    bot.on["shortcut"] = lambda ack, body, respond: (
        ack(),
        client.views_open(trigger_id=body["trigger_id"], view=modal | {"notify_on_close": True}),
    )
    card = client.chat_postMessage(channel="agent-approvals", text="card", blocks=buttons)
    ana = people["ana"]
    slack.act(type="click", user=ana, channel=card["channel"], ts=card["ts"], action_id="approve")
    slack.act(type="command", user=ana, channel=card["channel"], command="/approvals")
    slack.act(type="shortcut", user=ana, callback_id="pending")
    view = slack.views(ana)["stack"][-1]["id"]
    slack.act(type="submit", user=ana, view_id=view, state={"amount": {"v": {"value": "7"}}})
    slack.act(type="shortcut", user=ana, callback_id="pending")
    slack.act(type="close", user=ana, view_id=slack.views(ana)["stack"][-1]["id"])
    act = {"type": "message_shortcut", "user": ana, "channel": card["channel"], "ts": card["ts"]}
    slack.act(**act, callback_id="decide")
    found = dict(flags(slack))
    assert found["block_actions"] is found["shortcut"] is found["message_action"] is False
    assert found["view_closed"] is False
    assert found["view_submission"] is found["slash_commands"] is True


def test_shortcuts_name_their_user_less_and_a_closed_view_has_no_values(
    bot: Any, slack: Sandbox, client: WebClient, people: dict[str, str], modal: JSON
) -> None:
    bot.on["shortcut"] = lambda ack, body, respond: (
        ack(),
        client.views_open(trigger_id=body["trigger_id"], view=modal | {"notify_on_close": True}),
    )
    ana, card = people["ana"], client.chat_postMessage(channel="agent-approvals", text="card")
    slack.act(type="shortcut", user=ana, callback_id="pending")
    view = slack.views(ana)["stack"][-1]
    slack.act(type="click", user=ana, view_id=view["id"], action_id="none", state={})
    slack.act(type="close", user=ana, view_id=view["id"])
    act = {"type": "message_shortcut", "user": ana, "channel": card["channel"], "ts": card["ts"]}
    slack.act(**act, callback_id="decide")
    everywhere, closed, on_message = bot.bodies
    assert set(everywhere["user"]) == {"id", "username", "team_id"}
    assert set(on_message["user"]) == {"id", "name", "team_id"}
    assert closed["type"] == "view_closed" and closed["view"]["state"] == {"values": {}}


def test_a_deleted_message_with_replies_leaves_a_tombstone(
    bot: Any, slack: Sandbox, client: WebClient, people: dict[str, str], buttons: list[JSON]
) -> None:
    """And what `delete_original` is given beside is posted."""
    card = client.chat_postMessage(channel="agent-approvals", text="card", blocks=buttons)
    channel, ts = card["channel"], card["ts"]
    client.chat_postMessage(channel=channel, text="reply", thread_ts=ts)
    bot.on["action"] = lambda ack, body, respond: (
        ack(),
        respond(text="also", delete_original=True, response_type="in_channel"),
    )
    slack.act(type="click", user=people["ana"], channel=channel, ts=ts, action_id="approve")
    stone, also = slack.messages(channel)
    assert (stone["subtype"], stone["ts"], stone["reply_count"]) == ("tombstone", ts, 1)
    assert also["text"] == "also" and not also["thread_ts"]
    assert error_of(client.chat_update, channel=channel, ts=ts, text="x") == "message_not_found"
    later = client.chat_postMessage(channel=channel, text="later", thread_ts=ts)
    assert later["message"]["thread_ts"] == ts, "its thread goes on"
    assert [m["text"] for m in slack.messages(channel, ts)][1:] == ["reply", "later"]


def test_a_response_url_puts_only_what_is_public_into_a_thread(
    bot: Any, slack: Sandbox, client: WebClient, people: dict[str, str], buttons: list[JSON]
) -> None:
    parent = client.chat_postMessage(channel="agent-approvals", text="parent")
    where = {"channel": parent["channel"], "thread_ts": parent["ts"]}
    card = client.chat_postMessage(**where, text="card", blocks=buttons)
    bot.on["action"] = lambda ack, body, respond: (
        ack(),
        respond(text="alone", thread_ts=parent["ts"], replace_original=False),
        respond(text="all", thread_ts=parent["ts"], replace_original=False, response_type="in_channel"),
    )
    slack.act(type="click", user=people["ana"], channel=card["channel"], ts=card["ts"], action_id="approve")
    found = {m["text"]: m.get("thread_ts") for m in slack.messages(card["channel"])}
    found |= {m["text"]: m.get("thread_ts") for m in slack.messages(card["channel"], parent["ts"])}
    assert found["alone"] is None and found["all"] == parent["ts"]


@pytest.mark.parametrize("mode", ["html", "empty", "not_json"])
@pytest.mark.parametrize("status", [200, 403, 502])
@pytest.mark.parametrize("done", [False, True])
def test_a_proxy_answers_in_slacks_place(
    slack: Sandbox, client: WebClient, mode: str, status: int, done: bool
) -> None:
    slack.faults(method="chat.postMessage", mode=mode, status=status, done=done)
    with pytest.raises((SlackApiError, AttributeError)):
        client.chat_postMessage(channel="random", text="x")
    assert len(slack.messages("random")) == done
    assert client.chat_postMessage(channel="random", text="y")["ok"]


def test_a_free_plan_has_no_user_groups(slack: Sandbox, client: WebClient) -> None:
    slack.team(plan="free")
    assert error_of(client.usergroups_list) == "plan_upgrade_required"
    assert error_of(client.usergroups_users_list, usergroup="S0FINANCE1") == "plan_upgrade_required"
    assert slack.state()["team"]["plan"] == "free"
    slack.team(plan="standard")
    assert client.usergroups_users_list(usergroup="S0FINANCE1")["users"]
    with pytest.raises(LookupError):
        slack.team(plan="gratis")


def test_an_app_of_an_organisation_knows_conversations_by_their_ids_alone(
    slack: Sandbox, client: WebClient, channels: dict[str, str]
) -> None:
    slack.team(bot={"org_deploy": True})
    assert error_of(client.chat_postMessage, channel="random", text="x") == "team_not_found"
    assert error_of(client.chat_postMessage, channel="#random", text="x") == "team_not_found"
    assert client.chat_postMessage(channel=channels["random"], text="x")["ok"]


def validate(slack: Sandbox, **given: Any) -> JSON:
    """Without a token, as anybody may."""
    body, kind = json.dumps(given).encode(), {"Content-Type": "application/json"}
    with urlopen(Request(f"{slack.api_url}blocks.validate", body, kind)) as answer:
        found: JSON = json.loads(answer.read())
    return found


def test_anybody_may_have_blocks_a_message_or_a_view_looked_at(slack: Sandbox, modal: JSON) -> None:
    good = {"type": "section", "text": {"type": "plain_text", "text": "x"}}
    bad = {"type": "section", "text": {"type": "invalid", "text": "x"}}
    assert validate(slack, blocks=[good]) == validate(slack, message={"text": "x"}) == {"ok": True}
    assert validate(slack, view=modal) == validate(slack, blocks=json.dumps([good])) == {"ok": True}
    answer = validate(slack, blocks=[good, bad])
    assert (answer["ok"], answer["error"]) == (False, "invalid_blocks")
    (error,) = answer["errors"]
    assert set(error) == {"pointer", "code", "message", "constraint"}
    assert error["pointer"] == "/1/text" and error["code"] == "failed_constraint"
    message = validate(slack, message={"blocks": [bad]})
    assert message["error"] == "invalid_message" and message["errors"][0]["pointer"] == "/blocks/0/text"
    view = validate(slack, view=modal | {"title": {"type": "plain_text", "text": "x" * 25}})
    assert view["error"] == "invalid_view" and view["errors"][0]["pointer"] == "/title/text"
    assert view["errors"][0]["constraint"] == {"type": "max_length", "expected": 24}


@pytest.mark.parametrize("given", [{}, {"blocks": [], "message": {"text": "x"}}])
def test_one_thing_is_looked_at_at_a_time(slack: Sandbox, given: JSON) -> None:
    assert validate(slack, **given)["error"] == "invalid_arguments"


@pytest.mark.parametrize("given", [{"blocks": {}}, {"message": []}, {"view": "[]"}, {"message": {"text": 1}}])
def test_what_is_no_message_and_no_view_is_said_to_be_none(slack: Sandbox, given: JSON) -> None:
    assert validate(slack, **given)["errors"][0]["pointer"] in ("", "/text", "/type")
