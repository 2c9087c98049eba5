"""With the keyboard alone, and with a thumb on a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from browser.people import CHANGES, Agent, button, difference, form, the_card
from playwright.sync_api import Locator, Page, expect

Ask = Callable[..., Agent]
Look = Callable[..., Page]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
WIDEST = "document.scrollingElement.scrollWidth"


def tab_to(page: Page, wanted: Locator, most: int = 400) -> None:
    """Press Tab until the focus is there; there may be many cards before it."""
    expect(wanted).to_be_visible()
    for _ in range(most):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{most} times Tab do not lead to {wanted}")


def test_with_the_keyboard_alone_a_person_edits_and_approves(ask: Ask, look: Look) -> None:
    page, agent = look("ana"), ask("keys.edit")
    card, keys = the_card(page, "keys.edit"), page.keyboard
    tab_to(page, button(card, "More options"))
    keys.press("Enter")
    expect(page.get_by_role("menuitem", name="Approve with note…")).to_be_focused()
    keys.press("d")
    expect(page.get_by_role("menuitem", name="Details…")).to_be_focused()
    keys.press("Enter")
    expect(form(page, "Details")).to_be_visible()
    keys.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    tab_to(page, button(card, "Edit…"))
    keys.press("Enter")
    edit = form(page, "keys.edit")
    tab_to(page, edit.get_by_label("amount"))
    keys.press("ControlOrMeta+a")
    keys.type("80")
    tab_to(page, button(edit, "Show changes"))
    keys.press("Enter")
    expect(difference(page)).to_contain_text("→")
    tab_to(page, button(page, CHANGES))
    keys.press("Space")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(card).to_contain_text("Approved by @ana")
    got = agent.got()
    assert (got["status"], got["payload"]) == ("approved", {"customer": "cus_42", "amount": 80})


def test_with_the_keyboard_alone_a_person_confirms_and_rejects(ask: Ask, look: Look) -> None:
    page, drop = look("ana"), ask("keys.drop", reversible=False)
    keys, card = page.keyboard, the_card(page, "keys.drop")
    tab_to(page, button(card, "Approve"))
    keys.press("Enter")
    sure = form(page, "Approve keys.drop?")
    expect(sure).to_be_visible()
    keys.press("Escape")
    expect(sure).to_have_count(0)
    assert drop.waits()
    keys.press("Enter")  # the focus is on the button again
    tab_to(page, button(sure, "Approve"))
    keys.press("Enter")
    expect(card).to_contain_text("Approved by @ana")
    assert drop.got()["status"] == "approved"
    refund = ask("keys.reject")
    tab_to(page, button(the_card(page, "keys.reject"), "Reject…"))
    keys.press("Enter")
    reject = form(page, "Reject")
    tab_to(page, reject.get_by_label("Why, or what to change"))
    keys.type("Not today")
    tab_to(page, button(reject, "Reject"))
    keys.press("Enter")
    expect(the_card(page, "keys.reject")).to_contain_text("Rejected by @ana")
    assert refund.got()["reason"] == "Not today"


def test_on_a_phone_everything_fits_and_a_thumb_decides(ask: Ask, look: Look, tmp_path: Path) -> None:
    page = look("ana", **PHONE)
    agent = ask("phone.approve", {"customer": "cus_42", "note": "x" * 300, "amount": 120}, reason="y" * 200)
    card = the_card(page, "phone.approve")
    for name in ("Approve", "Reject…", "Edit…", "More options"):
        expect(button(card, name)).to_be_visible()
        box = button(card, name).bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390
        assert box["height"] >= 28, "a thumb finds it"
    assert page.evaluate(WIDEST) <= 390
    page.screenshot(path=tmp_path / "card.png")
    button(card, "Edit…").tap()
    edit = form(page, "phone.approve")
    edit.get_by_label("amount").fill("80")
    page.screenshot(path=tmp_path / "form.png")
    button(edit, "Show changes").tap()
    expect(difference(page)).to_contain_text("→")
    assert page.evaluate(WIDEST) <= 390
    button(page, CHANGES).tap()
    expect(card).to_contain_text("Approved by @ana")
    assert agent.got()["payload"]["amount"] == 80
