"""People press what stands on messages, run commands and open their Home; real Bolt answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode import SocketModeHandler

JSON = dict[str, Any]


@pytest.fixture
def card(client: Any, buttons: list[JSON]) -> JSON:
    metadata = {"event_type": "signoff_approval", "event_payload": {"approval_id": "1"}}
    posted = client.chat_postMessage(
        channel="agent-approvals", text="card", blocks=buttons, metadata=metadata
    )
    return {"type": "click", "channel": posted["channel"], "ts": posted["ts"]}


def test_a_click_reaches_bolt_and_its_acknowledgement_comes_back(
    bot: Any, slack: Any, card: JSON, people: dict[str, str]
) -> None:
    answer = slack.act(**card, user=people["ana"], action_id="approve")
    assert (answer["ok"], answer["acked"], answer["response"]) == (True, True, None)
    assert 0 < answer["ack_ms"] < 600
    (body,) = bot.bodies
    team = slack.state()["team"]["id"]
    assert body["user"] == {"id": people["ana"], "username": "ana", "name": "ana", "team_id": team}
    assert body["container"] == {
        "type": "message",
        "message_ts": card["ts"],
        "channel_id": card["channel"],
        "is_ephemeral": False,
    }
    assert body["channel"] == {"id": card["channel"], "name": "agent-approvals"}
    assert body["message"]["text"] == "card" and "metadata" not in body["message"]
    assert (body["team"]["id"], body["enterprise"], body["is_enterprise_install"]) == (team, None, False)
    (action,) = body["actions"]
    assert (action["type"], action["action_id"], action["block_id"], action["value"]) == (
        "button",
        "approve",
        "row",
        "a1",
    )
    assert float(action["action_ts"]) > float(card["ts"])


def test_menus_and_checkboxes_send_the_chosen_option(
    bot: Any, slack: Any, card: JSON, people: dict[str, str]
) -> None:
    for action_id, value in [("more", "note"), ("pick", "details"), ("tick", ["note", "details"])]:
        assert slack.act(**card, user=people["ana"], action_id=action_id, value=value)["acked"]
    more, pick, tick = (body["actions"][0] for body in bot.bodies)
    assert more["selected_option"]["value"] == "note" and more["type"] == "overflow"
    assert pick["selected_option"]["value"] == "details"
    assert [option["value"] for option in tick["selected_options"]] == ["note", "details"]
    state = bot.bodies[1]["state"]["values"]["row"]
    assert state["pick"]["selected_option"]["value"] == "details" and state["tick"]["selected_options"] == []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"action_id": "nothing"}, "no_such_element"),
        ({"value": "another"}, "no_such_element"),
        ({"action_id": "more", "value": "x"}, "no_such_element"),
        ({"action_id": "more"}, "no_such_element"),
        ({"ts": "1.000001"}, "message_not_found"),
        ({"channel": "C0"}, "channel_not_found"),
        ({"user": "U0"}, "user_not_found"),
        ({"user": "dee"}, "user_cannot_act"),
        ({"user": "rob"}, "user_cannot_act"),
        ({"user": "eve", "channel": "C0RANDOM01"}, "not_in_channel"),
        ({"action_id": None}, "invalid_act"),
        ({"type": "press"}, "unknown_type"),
    ],
)
def test_what_nobody_can_press_sends_nothing(
    bot: Any, slack: Any, card: JSON, people: dict[str, str], change: JSON, error: str
) -> None:
    act = {**card, "user": "ana", "action_id": "approve"} | change
    answer = slack.act(**act | {"user": people.get(act["user"], act["user"])})
    assert (answer["ok"], answer["error"]) == (False, error)
    assert bot.bodies == []


def test_a_button_that_was_taken_away_can_be_pressed_on_a_screen_that_is_behind(
    bot: Any, slack: Any, client: Any, card: JSON, people: dict[str, str]
) -> None:
    client.chat_update(channel=card["channel"], ts=card["ts"], text="decided")
    assert slack.act(**card, user=people["ana"], action_id="approve")["acked"]
    (body,) = bot.bodies
    assert body["actions"][0]["action_id"] == "approve"
    assert "blocks" in body["message"]  # as that screen shows it
    assert slack.act(**card, user=people["ana"], action_id="nothing")["error"] == "no_such_element"


def test_a_confirmation_can_be_declined(bot: Any, slack: Any, card: JSON, people: dict[str, str]) -> None:
    declined = slack.act(**card, user=people["ana"], action_id="reject", confirm=False)
    assert (declined["ok"], declined["acked"], bot.bodies) == (True, False, [])
    assert slack.act(**card, user=people["ana"], action_id="reject")["acked"]
    assert bot.bodies[0]["actions"][0]["action_id"] == "reject"


def test_people_of_another_organisation_press_buttons_in_shared_channels_but_run_no_commands(
    bot: Any, slack: Any, client: Any, people: dict[str, str], channels: dict[str, str], buttons: list[JSON]
) -> None:
    shared = channels["shared-partner"]
    ts = client.chat_postMessage(channel=shared, text="x", blocks=buttons)["ts"]
    assert slack.act(type="click", user=people["eve"], channel=shared, ts=ts, action_id="approve")["acked"]
    (body,) = bot.bodies
    assert body["user"]["team_id"] != body["team"]["id"] == slack.state()["team"]["id"]
    refused = slack.act(type="command", user=people["eve"], channel=shared, command="/approvals")
    assert refused["error"] == "not_allowed_for_external_users"
    assert slack.act(type="open_home", user=people["eve"])["error"] == "not_allowed_for_external_users"


def test_guests_see_only_their_channels(
    bot: Any, slack: Any, people: dict[str, str], card: JSON, channels: dict[str, str]
) -> None:
    assert slack.act(**card, user=people["sam"], action_id="approve")["acked"]
    command = {"type": "command", "channel": channels["random"], "command": "/approvals"}
    assert slack.act(**command, user=people["sam"])["error"] == "not_in_channel"
    assert slack.act(**command, user=people["gus"])["acked"]


def test_an_ephemeral_message_is_pressed_by_its_reader_alone(
    bot: Any, slack: Any, client: Any, people: dict[str, str], channels: dict[str, str], buttons: list[JSON]
) -> None:
    channel = channels["random"]
    note = client.chat_postEphemeral(channel=channel, user=people["ana"], text="psst", blocks=buttons)
    act = {"type": "click", "channel": channel, "ts": note["message_ts"], "action_id": "approve"}
    assert slack.act(**act, user=people["ben"])["error"] == "message_not_found"
    assert slack.act(**act, user=people["ana"])["acked"]
    assert bot.bodies[0]["container"]["is_ephemeral"] and "message" not in bot.bodies[0]


def test_a_command_arrives_and_its_acknowledgement_is_shown_to_its_caller(
    bot: Any, slack: Any, people: dict[str, str], channels: dict[str, str]
) -> None:
    bot.on["command"] = lambda ack, body, respond: ack("Nothing waits for you.")
    channel = channels["random"]
    command = {"type": "command", "user": people["mia"], "channel": channel, "command": "/approvals"}
    answer = slack.act(**command, text="help")
    assert answer["response"] == {"text": "Nothing waits for you."}
    (body,) = bot.bodies
    assert (body["command"], body["text"], body["user_id"], body["channel_name"]) == (
        "/approvals",
        "help",
        people["mia"],
        "random",
    )
    (message,) = slack.messages(channel)
    assert (message["text"], message["ephemeral_to"]) == ("Nothing waits for you.", people["mia"])
    assert slack.act(**command | {"command": "approvals"})["error"] == "invalid_command"


def test_opening_the_home_sends_the_event_with_the_home_as_it_is(
    bot: Any, slack: Any, client: Any, people: dict[str, str]
) -> None:
    assert slack.act(type="open_home", user=people["ana"])["acked"]
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    view = client.views_publish(user_id=people["ana"], view=home)["view"]
    assert slack.act(type="open_home", user=people["ana"])["acked"]
    first, second = (body["event"] for body in bot.bodies)
    assert (first["type"], first["tab"], first["user"]) == ("app_home_opened", "home", people["ana"])
    assert "view" not in first and second["view"]["id"] == view["id"]
    assert slack.views(people["ana"])["home"]["blocks"][0]["type"] == "divider"


def test_a_response_url_works_five_times(bot: Any, slack: Any, card: JSON, people: dict[str, str]) -> None:
    statuses: list[tuple[int, str]] = []

    def answer(ack: Any, body: JSON, respond: Any) -> None:
        ack()
        for number in range(6):
            response = respond(f"note {number}")
            statuses.append((response.status_code, response.body))

    bot.on["action"] = answer
    slack.act(**card, user=people["ana"], action_id="approve")
    assert statuses == [(200, "ok")] * 5 + [(404, "used_url")]
    notes = [m for m in slack.messages(card["channel"]) if "ephemeral_to" in m]
    assert [m["text"] for m in notes] == [f"note {number}" for number in range(5)]
    assert {m["ephemeral_to"] for m in notes} == {people["ana"]}


def test_a_response_url_ends_after_thirty_minutes(
    bot: Any, slack: Any, card: JSON, people: dict[str, str]
) -> None:
    answers: list[str] = []

    def answer(ack: Any, body: JSON, respond: Any) -> None:
        ack()
        url = slack._service.workspace.response_urls[body["response_url"].rsplit("/", 1)[1]]
        url.expires -= 30 * 60 - 5
        answers.append(respond("in time").body)
        url.expires -= 10
        answers.append(respond("too late").body)

    bot.on["action"] = answer
    slack.act(**card, user=people["ana"], action_id="approve")
    assert answers == ["ok", "expired_url"]


def test_a_response_url_replaces_deletes_and_threads(
    bot: Any, slack: Any, card: JSON, people: dict[str, str]
) -> None:
    statuses: list[int] = []

    def answer(ack: Any, body: JSON, respond: Any) -> None:
        ack()
        for fields in [
            {"text": "in thread", "response_type": "in_channel", "thread_ts": card["ts"]},
            {"text": "bad", "blocks": [{"type": "nonsense"}]},
            {"text": "replaced", "replace_original": True},
            {"delete_original": True},
        ]:
            statuses.append(respond(**fields).status_code)
            seen.append([m["text"] for m in slack.messages(card["channel"])])
        threads.extend(slack.messages(card["channel"], card["ts"]))

    seen: list[list[str]] = []
    threads: list[JSON] = []
    bot.on["action"] = answer
    assert slack.act(**card, user=people["ana"], action_id="approve")["acked"]
    assert statuses == [200, 400, 200, 200]
    gone = "This message was deleted."
    assert seen == [["card"], ["card"], ["replaced"], [gone]]
    assert [m["text"] for m in threads] == [gone, "in thread"]


def test_an_act_without_acknowledgement_says_so_and_a_late_one_is_recorded(
    bot: Any, slack: Any, card: JSON, people: dict[str, str], eventually: Callable[..., Any]
) -> None:
    let_go: list[Any] = []
    bot.on["action"] = lambda ack, body, respond: eventually(lambda: let_go) and ack()
    answer = slack.act(**card, user=people["ana"], action_id="approve")
    assert (answer["ok"], answer["acked"], answer["ack_ms"]) == (True, False, None)

    def envelope() -> JSON:
        return next(entry for entry in slack.log() if entry["kind"] == "envelope")

    assert envelope()["acked"] is False
    let_go.append(True)
    eventually(lambda: envelope().get("late"))


def test_an_error_in_the_app_is_no_acknowledgement(
    bot: Any, slack: Any, card: JSON, people: dict[str, str]
) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError("no")

    bot.on["action"] = fail
    assert not slack.act(**card, user=people["ana"], action_id="approve")["acked"]


def test_two_connections_share_the_envelopes(
    bot: Any, slack: Any, card: JSON, people: dict[str, str], eventually: Callable[..., Any]
) -> None:
    second: SocketModeHandler = bot.connect()
    eventually(lambda: slack.state()["connections"] == 2)
    for _ in range(10):
        assert slack.act(**card, user=people["ana"], action_id="approve")["acked"]
    links = [entry["link"] for entry in slack.log() if entry["kind"] == "envelope"]
    assert sorted(links.count(link) for link in {*links}) == [5, 5]
    assert len(bot.bodies) == 10
    second.close()
    bot.handlers.remove(second)
    eventually(lambda: slack.state()["connections"] == 1)
    assert slack.act(**card, user=people["ana"], action_id="approve")["acked"]


def test_reset_makes_everything_new_but_keeps_the_links(
    bot: Any, slack: Any, card: JSON, people: dict[str, str], channels: dict[str, str]
) -> None:
    slack.team(channels={channels["random"]: {"is_archived": True}})
    slack.reset()
    assert slack.messages(card["channel"]) == []
    assert not next(c for c in slack.state()["channels"] if c["name"] == "random")["is_archived"]
    assert slack.act(type="open_home", user=people["ana"])["acked"]


@pytest.mark.parametrize(
    "fields",
    [
        {"rooms": {}},
        {"users": {"U0": {"deleted": True}}},
        {"users": {"U0ANA00001": {"deleted": "yes"}}},
        {"users": {"U0ANA00001": {"id": "U1"}}},
        {"bot": {"token_error": "gone"}},
        {"bot": {"scopes": "all"}},
        {"channels": []},
        {"channels": {"C0RANDOM01": 1}},
    ],
)
def test_a_wrong_change_of_the_team_changes_nothing(slack: Any, fields: JSON) -> None:
    before = slack.state()
    with pytest.raises(LookupError):
        slack.team(users={"U0MIA00001": {"deleted": True}} | fields.pop("users", {}), **fields)
    assert slack.state() == before
