"""The drawers beside the page: the inspector, and panes for what programs tell."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from bolt_bot import Bot
from browser.messages import PHONE, row
from playwright.sync_api import Page, Route, expect
from slack_sdk.errors import SlackApiError

from signoff.sandbox.server import Sandbox

JSON = dict[str, Any]
Post = Callable[..., str]
Open = Callable[..., Page]


def test_the_inspector_shows_calls_envelopes_and_acknowledgements(
    slack: Sandbox, bot: Bot, post: Post, page_for: Open
) -> None:
    release = threading.Event()
    bot.on["action"] = lambda ack, **_: (release.wait(60), ack())
    post(row("Approve"), text="A card")
    page = page_for(slack, "ana")
    toggle = page.get_by_role("button", name="Inspector")
    toggle.click()
    inspector = page.get_by_role("region", name="Inspector")
    posted = inspector.get_by_role("row").filter(has_text="chat.postMessage")
    expect(posted).to_contain_text("ok")
    page.get_by_role("button", name="Approve").click()
    envelope = inspector.get_by_role("row").filter(has_text="block_actions")
    expect(envelope).to_contain_text("waiting…")
    release.set()
    expect(envelope).to_contain_text("acknowledged")
    expect(envelope).to_contain_text("ana")
    expect(envelope.get_by_role("cell").last).to_have_text(re.compile(r"^\d+\.\d$"))
    slack.faults(method="auth.test", mode="error", error="fatal_error")
    with pytest.raises(SlackApiError, match="fatal_error"):
        bot.client.auth_test()
    expect(inspector.get_by_role("row").filter(has_text="fatal_error")).to_be_visible()
    envelope.get_by_role("button", name="block_actions").click()
    expect(inspector.get_by_label("Details as JSON")).to_contain_text('"action_id": "approve"')
    page.keyboard.press("Escape")
    expect(inspector).to_be_hidden()
    expect(toggle).to_be_focused()


def test_lines_that_programs_add_stand_in_the_side_pane(slack: Sandbox, page_for: Open) -> None:
    page = page_for(slack, "ana")
    pane = page.get_by_role("complementary", name="What the agents see")
    expect(pane).to_be_hidden()
    slack._ask("POST", "pane", {"name": "billing-bot", "line": "asking for <b>120</b>\u202e"})
    slack._ask("POST", "pane", {"name": "ops", "line": "hello"})
    expect(pane.get_by_role("region", name="billing-bot")).to_contain_text("asking for <b>120</b>\\u202e")
    expect(pane.get_by_role("region", name="ops")).to_contain_text("hello")
    page.reload()
    expect(pane.get_by_role("region", name="ops")).to_contain_text("hello")
    pane.get_by_role("button", name="Close").click()
    expect(pane).to_be_hidden()
    page.get_by_role("button", name="What the agents see").click()
    expect(pane).to_be_visible()


def test_a_line_that_comes_while_all_lines_are_fetched_is_not_lost(slack: Sandbox, page_for: Open) -> None:
    page = page_for(slack, "ana")
    expect(page.get_by_role("heading", name="agent-approvals")).to_be_visible()
    ops = page.get_by_role("complementary", name="What the agents see").get_by_role("region", name="ops")

    def answer_late(route: Route) -> None:
        answer = route.fetch()
        slack._ask("POST", "pane", {"name": "ops", "line": "meanwhile"})
        expect(ops).to_contain_text("meanwhile")
        route.fulfill(response=answer)

    page.route("**/sandbox/pane*", answer_late)
    slack._ask("POST", "pane", {"name": "ops", "line": "before"})
    with page.expect_response("**/sandbox/pane*"):
        page.reload()
    expect(ops.get_by_text("before")).to_have_count(1)
    expect(ops.get_by_text("meanwhile")).to_have_count(1)


def test_on_a_phone_the_side_pane_is_a_drawer(slack: Sandbox, page_for: Open) -> None:
    slack._ask("POST", "pane", {"name": "billing-bot", "line": "asking"})
    page = page_for(slack, "ana", viewport=PHONE)
    pane = page.get_by_role("complementary", name="What the agents see")
    page.get_by_role("button", name="What the agents see").click()
    expect(pane).to_contain_text("asking")
    page.keyboard.press("Escape")
    expect(pane).to_be_hidden()
