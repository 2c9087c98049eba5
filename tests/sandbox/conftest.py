"""A stand-in and a real Bolt app that is connected to it; both live as long as a test module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import support
from bolt_bot import Bot, web_client
from slack_sdk import WebClient

from signoff.sandbox.server import Sandbox

JSON = dict[str, Any]
SECONDS = 0.6
"""What stands for Slack's three seconds in these tests."""


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox.start(trigger_seconds=SECONDS, ack_seconds=SECONDS) as sandbox:
        yield sandbox


@pytest.fixture
def slack(running: Sandbox) -> Sandbox:
    running.reset()
    return running


@pytest.fixture(scope="module")
def connected(running: Sandbox) -> Iterator[Bot]:
    with Bot.connected_to(running) as bot:
        yield bot


@pytest.fixture
def bot(connected: Bot, slack: Sandbox) -> Bot:
    connected.reset()
    return connected


@pytest.fixture
def client(slack: Sandbox) -> WebClient:
    return web_client(slack)


@pytest.fixture
def people(slack: Sandbox) -> dict[str, str]:
    return {user["name"]: user["id"] for user in slack.state()["users"]}


@pytest.fixture
def channels(slack: Sandbox) -> dict[str, str]:
    return {channel["name"]: channel["id"] for channel in slack.state()["channels"]}


@pytest.fixture
def eventually() -> Callable[..., Any]:
    """Wait until something is true, with a deadline."""
    return support.eventually


@pytest.fixture
def buttons() -> list[JSON]:
    """A message with the elements that a card has."""

    def button(action_id: str, value: str, **more: Any) -> JSON:
        words = {"type": "plain_text", "text": action_id}
        return {"type": "button", "action_id": action_id, "text": words, "value": value, **more}

    plain = {"type": "plain_text", "text": "Sure?"}
    confirm = {"title": plain, "text": plain, "confirm": plain, "deny": plain}
    options = [{"text": {"type": "plain_text", "text": t}, "value": t} for t in ("note", "details")]
    return [
        {"type": "section", "text": {"type": "mrkdwn", "text": "Refund?"}},
        {
            "type": "actions",
            "block_id": "row",
            "elements": [
                button("approve", "a1"),
                button("reject", "r1", confirm=confirm, style="danger"),
                {"type": "overflow", "action_id": "more", "options": options},
                {"type": "static_select", "action_id": "pick", "options": options},
                {"type": "checkboxes", "action_id": "tick", "options": options},
            ],
        },
    ]


@pytest.fixture
def modal() -> JSON:
    """A form with one input of most kinds."""

    def plain(text: str) -> JSON:
        return {"type": "plain_text", "text": text}

    def field(name: str, element: JSON, **more: Any) -> JSON:
        element = {**element, "action_id": "v"}
        return {"type": "input", "block_id": name, "label": plain(name), "element": element, **more}

    options = [{"text": plain(t), "value": t} for t in ("EUR", "USD")]
    number = {"type": "number_input", "is_decimal_allowed": False, "min_value": "1", "max_value": "100"}
    select = {"type": "static_select", "options": options, "initial_option": options[0]}
    return {
        "type": "modal",
        "callback_id": "edit",
        "title": plain("refund.create"),
        "submit": plain("Show changes"),
        "private_metadata": "id-1",
        "blocks": [
            field("name", {"type": "plain_text_input", "initial_value": "cus_42", "max_length": 10}),
            field("amount", number),
            field("currency", select),
            field("note", {"type": "plain_text_input"}, optional=True),
            field("mail", {"type": "email_text_input"}, optional=True),
        ],
    }
