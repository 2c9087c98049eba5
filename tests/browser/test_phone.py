"""The page on a phone and in many tabs: where addresses lead, the way back, signs that need no font."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from bolt_bot import Bot
from browser.messages import PHONE as SIZE
from browser.messages import row
from playwright.sync_api import Page, expect

from signoff.sandbox.server import Sandbox

JSON = dict[str, Any]
Open = Callable[..., Page]
Post = Callable[..., str]
PHONE = {"viewport": SIZE, "has_touch": True, "is_mobile": True}


def test_the_first_tap_opens_the_conversation_and_the_way_back_is_one_step_each(
    slack: Sandbox, post: Post, page_for: Open
) -> None:
    ts = post(row("Approve"), text="A card")
    page = page_for(slack, "", "", **PHONE)
    expect(page).to_have_url(re.compile("#/ana$"))
    page.get_by_role("link", name="agent-approvals").tap()
    expect(page.get_by_role("button", name="Approve")).to_be_visible()
    expect(page).to_have_url(re.compile("#/ana/agent-approvals$"))
    page.get_by_role("button", name="Reply in thread").tap()
    expect(page).to_have_url(re.compile(f"#/ana/agent-approvals/{ts}$"))
    expect(page.get_by_role("complementary", name="Thread")).to_be_visible()
    expect(page.get_by_role("main")).to_be_hidden()
    page.get_by_role("combobox", name="Reply").fill("Why?")
    page.get_by_role("button", name="Send").tap()
    expect(page.get_by_role("complementary", name="Thread").get_by_text("1 reply")).to_be_visible()
    page.get_by_role("button", name="Back to the conversation").tap()
    expect(page.get_by_role("button", name="1 reply")).to_be_visible()
    page.get_by_role("button", name="Back to the list").tap()
    expect(page.get_by_role("link", name="agent-approvals")).to_be_visible()
    expect(page.get_by_role("main")).to_be_hidden()


@pytest.mark.parametrize(
    ("address", "leads_to"),
    [
        ("agent-approvals", "ana/agent-approvals"),
        ("C0APPROVE1", "ana/C0APPROVE1"),
        ("@home", "ana/@home"),
        ("zoe/random", "ana/random"),
        ("ben", "ben/agent-approvals"),
        ("nobody", "ana/agent-approvals"),
        ("%", "ana/agent-approvals"),
        ("ana/nowhere", "ana/agent-approvals"),
    ],
)
def test_an_address_without_a_person_leads_to_its_place(
    slack: Sandbox, page_for: Open, address: str, leads_to: str
) -> None:
    page = page_for(slack, "ana", "random")
    page.evaluate("address => { location.hash = `#/${address}` }", address)
    expect(page).to_have_url(re.compile(f"#/{leads_to}$".replace("@", "(@|%40)")))
    page.reload()
    expect(page).to_have_url(re.compile(f"#/{leads_to}$".replace("@", "(@|%40)")))


def test_an_eighth_tab_of_one_browser_works_as_the_first(
    slack: Sandbox, bot: Bot, post: Post, page_for: Open
) -> None:
    """A browser holds six connections of HTTP to one place."""
    first = page_for(slack, "ana")
    tabs = [first, *(first.context.new_page() for _ in range(7))]
    for tab in tabs[1:]:
        tab.goto(first.url)
        expect(tab.get_by_role("combobox", name="Message")).to_be_visible()
    post(row("Approve"), text="A card")
    for tab in tabs:
        expect(tab.get_by_role("button", name="Approve")).to_be_visible()
    tabs[-1].get_by_role("combobox", name="Message").fill("hello")
    tabs[-1].keyboard.press("Enter")
    for tab in tabs:
        expect(tab.get_by_role("article", name="Ana Alvarez")).to_contain_text("hello")


def test_the_tabs_of_the_app_go_by_arrow_keys_and_by_touch(slack: Sandbox, page_for: Open) -> None:
    page = page_for(slack, "ana", "@home", **PHONE)
    home, messages = page.get_by_role("tab", name="Home"), page.get_by_role("tab", name="Messages")
    home.focus()
    page.keyboard.press("ArrowRight")
    expect(messages).to_be_focused()
    expect(messages).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowRight")
    expect(home).to_be_focused()
    expect(home).to_have_attribute("aria-selected", "true")
    messages.tap()
    expect(messages).to_have_attribute("aria-selected", "true")


def test_the_pages_own_signs_need_no_font(slack: Sandbox, post: Post, page_for: Open) -> None:
    post(row("Approve"), text="A card")
    slack.tell("billing-bot", "May I?")
    page = page_for(slack, "ana")
    expect(page.get_by_role("button", name="What the agents see")).to_be_visible()
    page.get_by_role("button", name="You are").click()
    page.get_by_role("button", name="Inspector").click()
    said = page.evaluate("document.body.innerText + [...document.styleSheets].map("
                         "s => [...s.cssRules].map(r => r.cssText).join('')).join('')")  # fmt: skip
    signs = {char for char in said if ord(char) > 0x2122 and char not in "…−"}
    assert not signs, signs
    for name in ("Reply in thread", "Shortcuts", "Send"):
        expect(page.get_by_role("button", name=name).first.locator("svg")).to_be_visible()


def test_on_a_phone_nothing_is_wider_than_the_screen(slack: Sandbox, post: Post, page_for: Open) -> None:
    post(row("Approve"), text="A card")
    slack.tell("billing-bot", "May I?")
    for where in ("", "agent-approvals", "@home", "@messages"):
        page = page_for(slack, "ana", where, **PHONE)
        expect(page.get_by_role("button", name="What the agents see")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 390, where
        assert page.locator("#top").bounding_box()["height"] <= 50, where  # type: ignore[index]
