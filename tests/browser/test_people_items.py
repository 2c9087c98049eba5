"""On a phone, before a real server: lists item by item, what is not given, line ends; and no JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from browser.people import Agent, button, difference, form, the_card
from playwright.sync_api import Page, expect

Ask = Callable[..., Agent]
Look = Callable[..., Page]
PHONE = {"width": 390, "height": 844}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["customer", "items", "express", "memo"],
    "properties": {
        "customer": {"type": "string"},
        "amount": {"type": "integer", "description": "In cents."},
        "currency": {"type": "string"},
        "express": {"type": "boolean"},
        "dry_run": {"type": "boolean", "default": False, "description": "Only say what would happen"},
        "retries": {"type": "integer", "default": 3},
        "memo": {"type": "string"},
        "items": {"type": "array", "items": {
            "type": "object", "required": ["sku", "qty"], "properties": {
                "sku": {"type": "string"}, "qty": {"type": "integer"}, "note": {"type": "string"},
            },
        }},
        "body": {"type": "string"},
    },
}  # fmt: skip
PAYLOAD: dict[str, Any] = {
    "customer": "cus_42",
    "amount": 129900,
    "currency": "EUR",
    "express": True,
    "memo": "",
    "items": [{"sku": "A-1", "qty": 1, "note": "fragile\nthis side up"}, {"sku": "B-2", "qty": 2}],
    "body": "Dear Ms Sommer,\r\nyour order is on its way.\r\nBye",
}


def test_a_person_with_a_phone_edits_items_and_never_sees_json(ask: Ask, look: Look) -> None:
    agent = ask("order.change", PAYLOAD, schema=SCHEMA)
    page = look("ana", viewport=PHONE)
    button(the_card(page, "order.change"), "Edit…").click()
    edit = form(page, "order.change")
    expect(edit.get_by_label("amount (EUR)")).to_have_value("129900")
    expect(edit).to_contain_text("The agent describes it so: “In cents.”")
    expect(edit).not_to_contain_text("JSON")
    expect(edit.get_by_label("memo")).to_have_value('""')
    expect(edit.get_by_label("Not given (default: false, the agent's schema says)")).to_be_checked()
    edit.get_by_label("items › 1 › note").fill("fragile\nother side up")
    edit.get_by_role("radiogroup", name="items › 2").get_by_label("Remove").check()
    edit.get_by_label("items › 3 › sku").fill("C-3")
    edit.get_by_label("items › 3 › qty").fill("7")
    edit.get_by_label("body").fill("Dear Ms Sommer,\nyour order is late.\nBye")
    edit.get_by_role("radiogroup", name="express").get_by_label("No").check()
    button(edit, "Show changes").click()
    shown = difference(page)
    expect(shown).to_contain_text("items › 1 › note")
    expect(shown).to_contain_text("+ other side up")
    expect(shown).to_contain_text("express  true → false")
    expect(shown).to_contain_text("- your order is on its way.")
    expect(shown).not_to_contain_text("u{d}")
    shown.locator("footer [type=submit]").click()
    first = {"sku": "A-1", "qty": 1, "note": "fragile\nother side up"}
    assert agent.got()["payload"] == PAYLOAD | {
        "express": False,
        "items": [first, {"sku": "C-3", "qty": 7}],
        "body": "Dear Ms Sommer,\r\nyour order is late.\r\nBye",
    }
