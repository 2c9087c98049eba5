"""Shortcuts, external selects, and what people of another organisation can do; real Bolt answers."""

from __future__ import annotations

from typing import Any

import pytest

JSON = dict[str, Any]


def plain(text: str) -> JSON:
    return {"type": "plain_text", "text": text}


def option(number: int, text: str = "") -> JSON:
    return {"text": plain(text or f"option {number}"), "value": str(number)}


@pytest.fixture
def select() -> list[JSON]:
    """A message with an external select that asks from the second character on."""
    element = {"type": "external_select", "action_id": "currency", "min_query_length": 2}
    return [{"type": "actions", "block_id": "row", "elements": [element]}]


def test_a_global_shortcut_opens_a_modal_and_knows_no_channel(
    bot: Any, slack: Any, people: dict[str, str], modal: JSON
) -> None:
    def open_modal(ack: Any, body: JSON, respond: Any) -> None:
        ack()
        bot.client.views_open(trigger_id=body["trigger_id"], view=modal)

    bot.on["shortcut"] = open_modal
    answer = slack.act(type="shortcut", user=people["ana"], callback_id="pending")
    assert (answer["ok"], answer["acked"]) == (True, True)
    (body,) = bot.bodies
    assert (body["type"], body["callback_id"], body["user"]["id"]) == ("shortcut", "pending", people["ana"])
    assert not {"channel", "response_url", "message"} & body.keys()
    assert [view["callback_id"] for view in slack.views(people["ana"])["stack"]] == ["edit"]


def test_a_message_shortcut_brings_the_message_and_a_way_to_answer(
    bot: Any, slack: Any, client: Any, people: dict[str, str], buttons: list[JSON]
) -> None:
    metadata = {"event_type": "signoff_approval", "event_payload": {"approval_id": "1"}}
    card = client.chat_postMessage(
        channel="agent-approvals", text="card", blocks=buttons, metadata=metadata
    ).data
    reply = client.chat_postMessage(channel=card["channel"], text="log", thread_ts=card["ts"])
    bot.on["shortcut"] = lambda ack, body, respond: (ack(), respond("Look here."))
    act = {"type": "message_shortcut", "user": people["ana"], "channel": card["channel"]}
    assert slack.act(**act, ts=card["ts"], callback_id="decide")["acked"]
    assert slack.act(**act, ts=reply["ts"], callback_id="decide")["acked"]
    first, second = bot.bodies
    assert (first["type"], first["callback_id"]) == ("message_action", "decide")
    assert first["message_ts"] == first["message"]["ts"] == card["ts"]
    assert first["message"]["blocks"][1]["block_id"] == "row" and "metadata" not in first["message"]
    assert second["message"]["thread_ts"] == card["ts"]
    assert first["channel"] == {"id": card["channel"], "name": "agent-approvals"}
    notes = [m for m in slack.messages(card["channel"]) if m.get("ephemeral_to") == people["ana"]]
    assert [note["text"] for note in notes] == ["Look here.", "Look here."]


def test_shortcuts_need_a_message_that_can_be_seen_and_kept(
    bot: Any, slack: Any, client: Any, people: dict[str, str], channels: dict[str, str]
) -> None:
    note = client.chat_postEphemeral(channel=channels["random"], user=people["ana"], text="psst")
    act = {"type": "message_shortcut", "channel": channels["random"], "callback_id": "decide"}
    ts = note["message_ts"]
    assert slack.act(**act, user=people["ana"], ts=ts)["error"] == "no_shortcuts_here"
    assert slack.act(**act, user=people["ana"], ts="1.000001")["error"] == "message_not_found"
    assert slack.act(**act, user=people["sam"], ts=ts)["error"] == "not_in_channel"
    assert slack.act(type="shortcut", user=people["ana"])["error"] == "invalid_act"
    assert bot.bodies == []


def test_a_command_inside_a_thread_is_refused(
    bot: Any, slack: Any, client: Any, people: dict[str, str]
) -> None:
    card = client.chat_postMessage(channel="agent-approvals", text="card")
    command = {"type": "command", "user": people["ana"], "channel": card["channel"], "command": "/approvals"}
    assert slack.act(**command, thread_ts=card["ts"])["error"] == "not_in_threads"
    assert bot.bodies == []
    assert slack.act(**command)["acked"]


def test_what_the_app_suggests_is_shown_and_can_be_chosen(
    bot: Any, slack: Any, client: Any, people: dict[str, str], select: list[JSON]
) -> None:
    card = client.chat_postMessage(channel="agent-approvals", text="card", blocks=select)
    where = {"user": people["ana"], "channel": card["channel"], "ts": card["ts"], "action_id": "currency"}
    bot.on["options"] = lambda ack, body, respond: ack(options=[option(1), option(2)])
    answer = slack.act(type="suggest", **where, value="eu")
    assert (answer["ok"], answer["acked"], answer["options"]) == (True, True, [option(1), option(2)])
    (body,) = bot.bodies
    assert (body["type"], body["action_id"], body["block_id"]) == ("block_suggestion", "currency", "row")
    assert (body["value"], body["container"]["message_ts"]) == ("eu", card["ts"])
    assert "trigger_id" not in body and "response_url" not in body
    assert slack.act(type="click", **where, value=answer["options"][1])["acked"]
    assert bot.bodies[1]["actions"][0]["selected_option"] == option(2)


def test_suggestions_in_a_modal_come_with_the_view(
    bot: Any, slack: Any, people: dict[str, str], modal: JSON
) -> None:
    element = {"type": "external_select", "action_id": "v"}
    field = {"type": "input", "block_id": "who", "label": plain("who"), "element": element}
    view = modal | {"blocks": [field]}
    bot.on["shortcut"] = lambda ack, body, respond: (
        ack(),
        bot.client.views_open(trigger_id=body["trigger_id"], view=view),
    )
    bot.on["options"] = lambda ack, body, respond: ack(
        option_groups=[{"label": plain("people"), "options": [option(1)]}]
    )
    slack.act(type="shortcut", user=people["ana"], callback_id="x")
    (shown,) = slack.views(people["ana"])["stack"]
    ask = {"type": "suggest", "user": people["ana"], "view_id": shown["id"], "action_id": "v"}
    assert slack.act(**ask, value="an")["error"] == "query_too_short"
    answer = slack.act(**ask, value="ana", block_id="who")
    assert answer["option_groups"][0]["options"] == [option(1)]
    assert bot.bodies[1]["view"]["id"] == shown["id"] == bot.bodies[1]["container"]["view_id"]
    state = {"who": {"v": {"type": "external_select", "selected_option": option(1)}}}
    assert slack.act(type="submit", user=people["ana"], view_id=shown["id"], state=state)["acked"]
    chosen = bot.bodies[2]["view"]["state"]["values"]["who"]["v"]["selected_option"]
    assert chosen == option(1)


@pytest.mark.parametrize(
    ("answer", "pointer"),
    [
        ({"options": [option(n) for n in range(101)]}, "/options"),
        ({"options": [option(1, "x" * 76)]}, "/options/0/text/text"),
        ({"options": [{"text": {"type": "mrkdwn", "text": "x"}, "value": "1"}]}, "/options/0/text"),
        ({"option_groups": [{"label": plain("x"), "options": []}]}, "/option_groups/0/options"),
    ],
)
def test_suggestions_that_slack_would_not_show_are_refused(
    bot: Any,
    slack: Any,
    client: Any,
    people: dict[str, str],
    select: list[JSON],
    answer: JSON,
    pointer: str,
) -> None:
    card = client.chat_postMessage(channel="agent-approvals", text="card", blocks=select)
    bot.on["options"] = lambda ack, body, respond: ack(**answer)
    where = {"channel": card["channel"], "ts": card["ts"], "action_id": "currency"}
    got = slack.act(type="suggest", user=people["ana"], **where, value="eu")
    assert (got["ok"], got["acked"], got["error"]) == (False, True, "invalid_options")
    assert [problem["pointer"] for problem in got["problems"]] == [pointer]


def test_an_empty_list_of_suggestions_is_fine_and_no_list_is_not(
    bot: Any, slack: Any, client: Any, people: dict[str, str], select: list[JSON], buttons: list[JSON]
) -> None:
    card = client.chat_postMessage(channel="agent-approvals", text="card", blocks=[*select, *buttons[:1]])
    ask = {"type": "suggest", "user": people["ana"], "channel": card["channel"], "ts": card["ts"]}
    bot.on["options"] = lambda ack, body, respond: ack(options=[])
    assert slack.act(**ask, action_id="currency", value="eu")["options"] == []
    bot.on["options"] = lambda ack, body, respond: ack()
    assert slack.act(**ask, action_id="currency", value="eu")["error"] == "invalid_options"
    assert slack.act(**ask, action_id="approve", value="eu")["error"] == "no_such_element"


def test_people_of_another_organisation_look_to_bolt_as_they_do_on_slack(
    bot: Any, slack: Any, client: Any, people: dict[str, str], channels: dict[str, str], buttons: list[JSON]
) -> None:
    """Bolt's actor_team_id is our own team for a click from outside: only `user.team_id` tells."""
    ours, shared = slack.state()["team"]["id"], channels["shared-partner"]
    slack.team(bot={"scopes": ["chat:write", "channels:history", "app_mentions:read"]})
    slack.team(events=["message.channels", "app_mention"])
    ts = client.chat_postMessage(channel=shared, text="x", blocks=buttons)["ts"]
    bot_id = slack.state()["bot"]["user_id"]
    assert slack.act(type="click", user=people["eve"], channel=shared, ts=ts, action_id="approve")["acked"]
    text = f"<@{bot_id}> hello"
    assert slack.act(type="message", user=people["eve"], channel=shared, text=text)["acked"]
    assert slack.act(type="message", user=people["ana"], channel=shared, text="hi")["acked"]
    click = next(i for i, body in enumerate(bot.bodies) if body["type"] == "block_actions")
    theirs = bot.bodies[click]["user"]["team_id"]
    assert theirs != ours == bot.contexts[click]["team_id"] == bot.contexts[click]["actor_team_id"]
    events = [i for i, body in enumerate(bot.bodies) if body["type"] == "event_callback"]
    by_eve = [i for i in events if bot.bodies[i]["event"]["user"] == people["eve"]]
    assert {bot.bodies[i]["event"]["type"] for i in by_eve} == {"message", "app_mention"}
    for i in by_eve:
        event, context = bot.bodies[i]["event"], bot.contexts[i]
        assert bot.bodies[i]["is_ext_shared_channel"] is True
        assert event["user_team"] == event["source_team"] == event["user_profile"]["team"] == theirs
        assert (context["team_id"], context["actor_team_id"]) == (ours, theirs)
        assert context["actor_user_id"] == people["eve"]
    (by_ana,) = [i for i in events if bot.bodies[i]["event"]["user"] == people["ana"]]
    assert bot.contexts[by_ana]["actor_team_id"] == ours and "user_team" not in bot.bodies[by_ana]["event"]
    for act in ({"type": "shortcut"}, {"type": "message_shortcut", "channel": shared, "ts": ts}):
        refused = slack.act(**act, user=people["eve"], callback_id="x")
        assert refused["error"] == "not_allowed_for_external_users"


def test_a_form_that_asks_for_a_channel_brings_a_way_to_answer_there(
    bot: Any, slack: Any, people: dict[str, str], channels: dict[str, str], modal: JSON
) -> None:
    element = {"type": "conversations_select", "action_id": "v", "response_url_enabled": True}
    field = {"type": "input", "block_id": "where", "label": plain("where"), "element": element}
    bot.on["shortcut"] = lambda ack, body, respond: (
        ack(),
        bot.client.views_open(trigger_id=body["trigger_id"], view=modal | {"blocks": [field]}),
    )
    slack.act(type="shortcut", user=people["ana"], callback_id="x")
    (shown,) = slack.views(people["ana"])["stack"]
    chosen = {"type": "conversations_select", "selected_conversation": channels["random"]}
    slack.act(type="submit", user=people["ana"], view_id=shown["id"], state={"where": {"v": chosen}})
    (url,) = bot.bodies[-1]["response_urls"]
    assert (url["block_id"], url["action_id"], url["channel_id"]) == ("where", "v", channels["random"])
    assert url["response_url"].startswith(f"{slack.url}/response/")
