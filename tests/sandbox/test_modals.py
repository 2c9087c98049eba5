"""Modals and Homes: triggers, the stack, hashes, what was typed, and every answer to a submission."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

JSON = dict[str, Any]


def error_of(call: Any, *args: Any, **kwargs: Any) -> JSON:
    with pytest.raises(SlackApiError) as caught:
        call(*args, **kwargs)
    return dict(caught.value.response.data)


@pytest.fixture
def trigger(bot: Any, slack: Any, people: dict[str, str], channels: dict[str, str]) -> Callable[[], str]:
    """A fresh trigger_id of ana's, out of a command."""

    def fresh() -> str:
        slack.act(type="command", user=people["ana"], channel=channels["random"], command="/approvals")
        return str(bot.bodies[-1]["trigger_id"])

    return fresh


@pytest.fixture
def opened(client: Any, modal: JSON, trigger: Callable[[], str], bot: Any) -> JSON:
    view = dict(client.views_open(trigger_id=trigger(), view=modal)["view"])
    bot.reset()
    return view


@pytest.fixture
def ana(people: dict[str, str]) -> str:
    return people["ana"]


def typed(name: str, value: Any) -> JSON:
    return {name: {"v": {"value": value}}}


def values(view: JSON) -> JSON:
    return {block_id: block["v"] for block_id, block in view["state"]["values"].items()}


def test_a_trigger_works_once(client: Any, modal: JSON, trigger: Callable[[], str]) -> None:
    id_ = trigger()
    assert client.views_open(trigger_id=id_, view=modal)["view"]["id"].startswith("V")
    assert error_of(client.views_open, trigger_id=id_, view=modal)["error"] == "exchanged_trigger_id"
    assert error_of(client.views_open, trigger_id="1.2.3", view=modal)["error"] == "invalid_trigger_id"


def test_a_trigger_dies(
    client: Any, modal: JSON, trigger: Callable[[], str], eventually: Callable[..., Any]
) -> None:
    id_ = trigger()
    unknown = {"type": "modal"}
    eventually(
        lambda: error_of(client.views_open, trigger_id=id_, view=unknown)["error"] == "expired_trigger_id"
    )
    assert error_of(client.views_open, trigger_id=id_, view=modal)["error"] == "expired_trigger_id"


def test_a_view_that_breaks_a_limit_is_refused_with_its_place(
    client: Any, modal: JSON, trigger: Callable[[], str]
) -> None:
    modal["title"]["text"] = "x" * 25
    modal["blocks"][0]["label"]["text"] = ""
    del modal["submit"]
    id_ = trigger()
    answer = error_of(client.views_open, trigger_id=id_, view=modal)
    assert answer["error"] == "invalid_arguments"
    places = [line.split("json-pointer:")[1] for line in answer["response_metadata"]["messages"]]
    assert places == ["/view/title/text]", "/view/blocks/0/label/text]", "/view]"]
    big = {**modal, "private_metadata": "x" * 250_001}
    assert error_of(client.views_open, trigger_id=id_, view=big)["error"] == "view_too_large"
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    assert error_of(client.views_open, trigger_id=id_, view=home)["error"] == "invalid_arguments"
    assert error_of(client.views_open, trigger_id=id_, view="{")["error"] == "invalid_arguments"


def test_initial_values_stand_in_the_state(opened: JSON, slack: Any, ana: str) -> None:
    (view,) = slack.views(ana)["stack"]
    assert view["id"] == opened["id"] == view["root_view_id"]
    assert values(view)["name"] == {"type": "plain_text_input", "value": "cus_42"}
    assert values(view)["amount"] == {"type": "number_input", "value": None}
    assert values(view)["currency"]["selected_option"]["value"] == "EUR"


def test_a_submission_carries_what_was_typed_and_the_rest_as_it_was(
    bot: Any, slack: Any, opened: JSON, ana: str
) -> None:
    state = typed("amount", "80") | {"currency": {"v": {"selected_option": {"value": "USD"}}}}
    answer = slack.act(type="submit", user=ana, view_id=opened["id"], state=state)
    assert (answer["ok"], answer["acked"], answer["response"]) == (True, True, None)
    (body,) = bot.bodies
    assert (body["type"], body["view"]["callback_id"], body["view"]["private_metadata"]) == (
        "view_submission",
        "edit",
        "id-1",
    )
    assert values(body["view"])["amount"]["value"] == "80"
    assert values(body["view"])["name"]["value"] == "cus_42"
    assert values(body["view"])["currency"]["selected_option"]["text"]["text"] == "USD"
    assert slack.views(ana)["stack"] == []


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({}, {"error": "client_refuses", "missing": ["amount"]}),
        (typed("amount", "1.5"), {"error": "client_refuses", "errors": {"amount": "Enter a whole number."}}),
        (typed("amount", "0"), {"error": "client_refuses", "errors": {"amount": "Enter at least 1."}}),
        (typed("amount", "101"), {"error": "client_refuses", "errors": {"amount": "Enter at most 100."}}),
        (
            typed("amount", "1") | typed("name", "x" * 11) | typed("mail", "ana"),
            {
                "error": "client_refuses",
                "errors": {"name": "Enter 0 to 10 characters.", "mail": "Enter an e-mail address."},
            },
        ),
        (typed("nothing", "1"), {"error": "no_such_element", "block_id": "nothing", "action_id": "v"}),
        ({"currency": {"v": {"selected_option": {"value": "GBP"}}}}, {"error": "no_such_option"}),
        (typed("amount", 5), {"error": "invalid_state"}),
        ({"amount": {"v": {"type": "plain_text_input", "value": "5"}}}, {"error": "invalid_state"}),
        ([], {"error": "client_refuses"}),
        ({"amount": 1}, {"error": "invalid_state"}),
    ],
)
def test_the_client_refuses_a_form_that_is_not_filled_in(
    bot: Any, slack: Any, opened: JSON, ana: str, state: Any, expected: JSON
) -> None:
    answer = slack.act(type="submit", user=ana, view_id=opened["id"], state=state, client_checks=True)
    assert answer["ok"] is False
    assert {name: answer[name] for name in expected} == expected
    assert bot.bodies == []


def test_a_client_that_checks_nothing_reaches_the_app_and_the_answer_says_so(
    bot: Any, slack: Any, opened: JSON, ana: str
) -> None:
    answer = slack.act(type="submit", user=ana, view_id=opened["id"], state=typed("amount", "101"))
    assert answer["acked"] and answer["client_refuses"] == {"errors": {"amount": "Enter at most 100."}}
    assert values(bot.bodies[0]["view"])["amount"]["value"] == "101"


def test_errors_leave_the_view_with_what_was_typed(bot: Any, slack: Any, opened: JSON, ana: str) -> None:
    complaint = {"amount": "At most what was charged."}
    bot.on["submit"] = lambda ack, body, respond: ack(response_action="errors", errors=complaint)
    act = {"type": "submit", "user": ana, "view_id": opened["id"]}
    answer = slack.act(**act, state=typed("amount", "80"))
    assert answer["response"] == {"response_action": "errors", "errors": complaint}
    (view,) = slack.views(ana)["stack"]
    assert view["errors"] == complaint and values(view)["amount"]["value"] == "80"
    bot.on.clear()
    assert slack.act(**act)["acked"]
    assert slack.views(ana)["stack"] == []
    assert "errors" not in bot.bodies[-1]["view"]


def test_errors_for_an_input_that_is_not_there_are_refused(
    bot: Any, slack: Any, opened: JSON, ana: str
) -> None:
    bot.on["submit"] = lambda ack, body, respond: ack(response_action="errors", errors={"nope": "x"})
    answer = slack.act(type="submit", user=ana, view_id=opened["id"], state=typed("amount", "1"))
    assert (answer["acked"], answer["ok"], answer["error"]) == (True, False, "invalid_response_errors")
    assert len(slack.views(ana)["stack"]) == 1


def test_update_push_and_clear_as_answers(bot: Any, slack: Any, opened: JSON, modal: JSON, ana: str) -> None:
    answers: list[JSON] = [
        {"response_action": "update", "view": {**modal, "callback_id": "second"}},
        {"response_action": "push", "view": {**modal, "callback_id": "third"}},
        {"response_action": "push", "view": {**modal, "callback_id": "fourth"}},
        {"response_action": "push", "view": {**modal, "callback_id": "fifth"}},
        {"response_action": "clear"},
    ]
    seen: list[list[str]] = []
    results: list[JSON] = []
    for answer in answers:
        bot.on["submit"] = lambda ack, body, respond, answer=answer: ack(**answer)
        top = slack.views(ana)["stack"][-1]
        results.append(slack.act(type="submit", user=ana, view_id=top["id"], state=typed("amount", "1")))
        seen.append([view["callback_id"] for view in slack.views(ana)["stack"]])
    assert seen == [
        ["second"],
        ["second", "third"],
        ["second", "third", "fourth"],
        ["second", "third", "fourth"],
        [],
    ]
    assert results[3]["error"] == "push_limit_reached" and results[3]["acked"]
    assert results[0]["ok"] and results[4]["ok"]


def test_an_update_with_a_view_that_breaks_a_limit_is_refused(
    bot: Any, slack: Any, opened: JSON, modal: JSON, ana: str
) -> None:
    wrong = {**modal, "title": {"type": "plain_text", "text": "x" * 25}}
    bot.on["submit"] = lambda ack, body, respond: ack(response_action="update", view=wrong)
    answer = slack.act(type="submit", user=ana, view_id=opened["id"], state=typed("amount", "1"))
    assert (answer["ok"], answer["error"]) == (False, "invalid_arguments")
    assert slack.views(ana)["stack"][0]["title"] == modal["title"]


def test_what_was_typed_survives_an_update_where_the_ids_are_the_same(
    bot: Any, slack: Any, client: Any, opened: JSON, modal: JSON, ana: str
) -> None:
    bot.on["submit"] = lambda ack, body, respond: ack(response_action="errors", errors={"amount": "no"})
    slack.act(type="submit", user=ana, view_id=opened["id"], state=typed("amount", "80") | typed("name", "x"))
    modal["blocks"][0]["block_id"] = "renamed"
    view = client.views_update(view_id=opened["id"], view=modal)["view"]
    assert values(view)["amount"]["value"] == "80"
    assert values(view)["renamed"]["value"] == "cus_42"
    assert "errors" not in slack.views(ana)["stack"][0]


def test_a_choice_that_is_no_longer_offered_is_forgotten(
    bot: Any, slack: Any, client: Any, opened: JSON, modal: JSON, ana: str
) -> None:
    bot.on["submit"] = lambda ack, body, respond: ack(response_action="errors", errors={"amount": "no"})
    state = typed("amount", "1") | {"currency": {"v": {"selected_option": {"value": "USD"}}}}
    slack.act(type="submit", user=ana, view_id=opened["id"], state=state)

    def currency() -> str:
        view = client.views_update(view_id=opened["id"], view=modal)["view"]
        return str(values(view)["currency"]["selected_option"]["value"])

    assert currency() == "USD"
    del modal["blocks"][2]["element"]["options"][1]
    assert currency() == "EUR"


def test_a_stale_hash_is_a_conflict(client: Any, opened: JSON, modal: JSON, ana: str) -> None:
    new = client.views_update(view_id=opened["id"], view=modal, hash=opened["hash"])["view"]
    assert new["hash"] != opened["hash"]
    stale = error_of(client.views_update, view_id=opened["id"], view=modal, hash=opened["hash"])
    assert stale["error"] == "hash_conflict"
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    first = client.views_publish(user_id=ana, view=home)["view"]["hash"]
    client.views_publish(user_id=ana, view=home, hash=first)
    assert error_of(client.views_publish, user_id=ana, view=home, hash=first)["error"] == "hash_conflict"


def test_views_are_found_by_external_id_and_each_is_unique(
    client: Any, modal: JSON, trigger: Callable[[], str], people: dict[str, str]
) -> None:
    modal["external_id"] = "mine"
    opened = client.views_open(trigger_id=trigger(), view=modal)["view"]
    assert client.views_update(external_id="mine", view=modal)["view"]["id"] == opened["id"]
    home = {"type": "home", "external_id": "mine", "blocks": [{"type": "divider"}]}
    taken = error_of(client.views_publish, user_id=people["ben"], view=home)
    assert taken["error"] == "duplicate_external_id"
    assert error_of(client.views_update, external_id="yours", view=modal)["error"] == "not_found"
    assert error_of(client.views_update, view_id="V0", view=modal)["error"] == "not_found"
    assert error_of(client.api_call, "views.update", json={"view": modal})["error"] == "invalid_arguments"


def test_push_takes_a_trigger_from_the_modal_and_stops_at_three(
    bot: Any, slack: Any, client: Any, modal: JSON, trigger: Callable[[], str], ana: str
) -> None:
    button = {"type": "button", "action_id": "deeper", "text": {"type": "plain_text", "text": "Deeper"}}
    modal["blocks"].append({"type": "actions", "elements": [button]})
    assert error_of(client.views_push, trigger_id=trigger(), view=modal)["error"] == "invalid_trigger_id"
    client.views_open(trigger_id=trigger(), view=modal)
    errors = []
    for _ in range(3):
        top = slack.views(ana)["stack"][-1]["id"]
        assert slack.act(type="click", user=ana, view_id=top, action_id="deeper")["acked"]
        try:
            client.views_push(trigger_id=bot.bodies[-1]["trigger_id"], view=modal)
        except SlackApiError as error:
            errors.append(error.response["error"])
    assert errors == ["push_limit_reached"]
    stack = slack.views(ana)["stack"]
    assert [view["previous_view_id"] for view in stack] == [None, stack[0]["id"], stack[1]["id"]]
    below = slack.act(type="submit", user=ana, view_id=stack[0]["id"])
    assert below["error"] == "view_not_on_top"


def test_a_click_in_a_view_carries_the_view_with_its_state(
    bot: Any,
    slack: Any,
    client: Any,
    modal: JSON,
    trigger: Callable[[], str],
    ana: str,
    people: dict[str, str],
) -> None:
    option = {"text": {"type": "plain_text", "text": "a"}, "value": "a"}
    radio = {"type": "radio_buttons", "action_id": "how", "options": [option]}
    modal["blocks"].append({"type": "actions", "block_id": "choice", "elements": [radio]})
    view_id = client.views_open(trigger_id=trigger(), view=modal)["view"]["id"]
    act = {"type": "click", "view_id": view_id, "action_id": "how", "value": "a"}
    assert slack.act(**act, user=people["ben"])["error"] == "view_not_found"
    assert slack.act(**act, user=ana, state=typed("amount", "7"))["acked"]
    body = bot.bodies[-1]
    assert body["container"] == {"type": "view", "view_id": view_id}
    assert "channel" not in body and "response_url" not in body
    state = body["view"]["state"]["values"]
    assert state["choice"]["how"]["selected_option"] == option and state["amount"]["v"]["value"] == "7"
    not_dispatched = slack.act(type="click", user=ana, view_id=view_id, action_id="v", value="x")
    assert not_dispatched["error"] == "no_such_element"


def test_closing_tells_the_app_only_where_it_asked(
    bot: Any, slack: Any, client: Any, modal: JSON, opened: JSON, trigger: Callable[[], str], ana: str
) -> None:
    assert slack.act(type="close", user=ana, view_id=opened["id"])["ok"]
    assert bot.bodies == [] and slack.views(ana)["stack"] == []
    view = client.views_open(trigger_id=trigger(), view={**modal, "notify_on_close": True})["view"]
    assert slack.act(type="close", user=ana, view_id=view["id"], all=True)["acked"]
    body = bot.bodies[-1]
    assert (body["type"], body["view"]["id"], body["is_cleared"]) == ("view_closed", view["id"], True)


def test_a_view_without_a_submit_button_cannot_be_submitted(
    slack: Any, client: Any, trigger: Callable[[], str], ana: str
) -> None:
    view = {"type": "modal", "title": {"type": "plain_text", "text": "x"}, "blocks": [{"type": "divider"}]}
    view_id = client.views_open(trigger_id=trigger(), view=view)["view"]["id"]
    assert slack.act(type="submit", user=ana, view_id=view_id)["error"] == "no_submit_button"
    assert slack.act(type="submit", user=ana, view_id="V0")["error"] == "view_not_found"


def test_a_home_is_pressed_too(bot: Any, slack: Any, client: Any, ana: str, buttons: list[JSON]) -> None:
    home = client.views_publish(user_id=ana, view={"type": "home", "blocks": buttons})["view"]
    assert slack.act(type="click", user=ana, view_id=home["id"], action_id="approve")["acked"]
    assert bot.bodies[0]["view"]["type"] == "home"
    json.dumps(bot.bodies[0])
