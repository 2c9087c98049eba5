"""Forms: every input that Signoff uses, what a person enters, and what the app gets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bolt_bot import Bot
from playwright.sync_api import Page, expect
from support import eventually

from signoff.sandbox.server import Sandbox

JSON = dict[str, Any]
Open = Callable[..., Page]
Show = Callable[..., Page]


def plain(text: str) -> JSON:
    return {"type": "plain_text", "text": text, "emoji": False}


def options(*names: str) -> list[JSON]:
    return [{"text": plain(name), "value": name.lower()} for name in names]


def field(name: str, kind: str, /, *, more: JSON | None = None, **element: Any) -> JSON:
    inner = {"type": kind, "action_id": "v", **element}
    return {"type": "input", "block_id": name, "label": plain(name), "element": inner, **(more or {})}


def form(*blocks: JSON, **more: Any) -> JSON:
    return {
        "type": "modal",
        "title": plain("A form"),
        "submit": plain("Send it"),
        "blocks": list(blocks),
        **more,
    }


@pytest.fixture
def show(slack: Sandbox, bot: Bot, page_for: Open) -> Show:
    """Open a form for ana, and give her page."""

    def open_(*blocks: JSON, **context: Any) -> Page:
        bot.on["shortcut"] = lambda ack, body, **_: (
            ack(),
            bot.client.views_open(trigger_id=body["trigger_id"], view=form(*blocks)),
        )
        page = page_for(slack, "ana", **context)
        page.get_by_role("button", name="Shortcuts").click()
        page.get_by_role("menuitem", name="Pending approvals").click()
        expect(page.get_by_role("dialog", name="A form")).to_be_visible()
        return page

    return open_


def send(page: Page) -> None:
    page.get_by_role("button", name="Send it").click()


def submitted(bot: Bot) -> JSON:
    """`state.values` of the last submission, without the action_id, which is always the same."""
    bodies = eventually(lambda: [b for b in bot.bodies if b["type"] == "view_submission"])
    values: JSON = bodies[-1]["view"]["state"]["values"]
    return {name: actions["v"] for name, actions in values.items()}


def test_every_input_is_drawn_filled_in_and_sent(slack: Sandbox, bot: Bot, show: Show) -> None:
    page = show(
        field("line", "plain_text_input", initial_value="cus_42"),
        field("lines", "plain_text_input", multiline=True, initial_value="one\ntwo"),
        field("amount", "number_input", is_decimal_allowed=True, min_value="1", max_value="500"),
        field("mail", "email_text_input"),
        field("page", "url_text_input"),
        field("day", "datepicker", initial_date="2026-01-02"),
        field("clock", "timepicker"),
        field("when", "datetimepicker", initial_date_time=1_700_000_000),
        field("colour", "static_select", options=options("Red", "Green"), initial_option=options("Red")[0]),
        field("which", "radio_buttons", options=options("First", "Last")),
        field("parts", "checkboxes", options=options("A", "B", "C"), initial_options=options("B")),
        field("who", "users_select"),
        field("several", "multi_static_select", options=options("X", "Y", "Z")),
    )
    dialog = page.get_by_role("dialog")
    assert dialog.locator(".undrawn").count() == 0
    expect(dialog.get_by_label("line", exact=True)).to_be_focused()
    expect(dialog.get_by_label("lines")).to_have_value("one\ntwo")
    expect(dialog.get_by_label("when: date")).to_have_value("2023-11-14")
    expect(dialog.get_by_label("when: time")).to_have_value("23:13")
    dialog.get_by_label("line", exact=True).fill("cus_43")
    dialog.get_by_label("amount").fill("80.5")
    dialog.get_by_label("mail").fill("a@example.com")
    dialog.get_by_label("page").fill("https://example.com/")
    dialog.get_by_label("day").fill("2026-02-03")
    dialog.get_by_label("clock").fill("14:30")
    dialog.get_by_label("when: time").fill("23:14")
    dialog.get_by_role("combobox", name="colour").click()
    page.get_by_role("option", name="Green").click()
    dialog.get_by_label("Last").check()
    dialog.get_by_label("C", exact=True).check()
    dialog.get_by_role("combobox", name="who").fill("Becker")
    page.keyboard.press("Enter")
    for name in ("X", "Z"):
        dialog.get_by_role("combobox", name="several").fill(name)
        page.keyboard.press("Enter")
    send(page)
    expect(dialog).to_have_count(0)
    got = submitted(bot)
    assert {name: got[name]["value"] for name in ("line", "lines", "amount", "mail", "page")} == {
        "line": "cus_43",
        "lines": "one\ntwo",
        "amount": "80.5",
        "mail": "a@example.com",
        "page": "https://example.com/",
    }
    assert (got["day"]["selected_date"], got["clock"]["selected_time"]) == ("2026-02-03", "14:30")
    assert got["when"]["selected_date_time"] == 1_700_000_040  # 23:14:00 in Berlin
    assert got["colour"]["selected_option"]["value"] == "green"
    assert got["which"]["selected_option"]["value"] == "last"
    assert [option["value"] for option in got["parts"]["selected_options"]] == ["b", "c"]
    assert got["who"]["selected_user"] == "U0BEN00001"
    assert [option["value"] for option in got["several"]["selected_options"]] == ["x", "z"]


def test_slacks_own_checks_stand_at_their_fields_and_send_nothing(
    slack: Sandbox, bot: Bot, show: Show
) -> None:
    page = show(
        field("amount", "number_input", is_decimal_allowed=False, max_value="100"),
        field("why", "plain_text_input", max_length=10),
        field("note", "plain_text_input", more={"optional": True, "hint": plain("Only if you like.")}),
    )
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("note (optional)")
    expect(dialog).to_contain_text("Only if you like.")
    dialog.get_by_label("amount").fill("120")
    send(page)
    expect(dialog.locator('[data-block="amount"]').get_by_role("alert")).to_have_text("Enter at most 100.")
    expect(dialog.locator('[data-block="why"]').get_by_role("alert")).to_have_text(
        "Please complete this required field."
    )
    expect(dialog.get_by_label("amount")).to_be_focused()
    dialog.get_by_label("amount").fill("80")
    expect(dialog.locator('[data-block="amount"]').get_by_role("alert")).to_have_count(0)
    dialog.get_by_label("why").fill("far too long")
    expect(dialog.locator(".counter.over")).to_have_text("-2")
    send(page)
    expect(dialog.locator('[data-block="why"]').get_by_role("alert")).to_have_text(
        "Enter 0 to 10 characters."
    )
    assert [body for body in bot.bodies if body["type"] == "view_submission"] == []
    dialog.get_by_label("why").fill("fine")
    page.keyboard.press("Enter")
    assert submitted(bot)["why"]["value"] == "fine"


def test_errors_of_the_app_stand_at_their_fields_and_what_was_typed_stays(
    slack: Sandbox, bot: Bot, show: Show
) -> None:
    bot.on["submit"] = lambda ack, **_: ack(response_action="errors", errors={"b": "Must be at most 100."})
    page = show(field("a", "plain_text_input"), field("b", "plain_text_input"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("a", exact=True).fill("first")
    dialog.get_by_label("b", exact=True).fill("second")
    send(page)
    expect(dialog.locator('[data-block="b"]').get_by_role("alert")).to_have_text("Must be at most 100.")
    expect(dialog.get_by_label("b", exact=True)).to_be_focused()
    expect(dialog.get_by_label("a", exact=True)).to_have_value("first")
    del bot.on["submit"]
    dialog.get_by_label("b", exact=True).fill("better")
    send(page)
    expect(dialog).to_have_count(0)
    assert submitted(bot)["a"]["value"] == "first" and submitted(bot)["b"]["value"] == "better"


def test_an_update_keeps_what_was_typed_where_the_field_is_the_same(
    slack: Sandbox, bot: Bot, show: Show
) -> None:
    page = show(field("a", "plain_text_input"), field("b", "plain_text_input"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("a", exact=True).fill("kept")
    dialog.get_by_label("b", exact=True).fill("half a wo")
    view = slack.views("U0ANA00001")["stack"][0]
    changed = form(
        field("a", "plain_text_input"), field("b", "plain_text_input"), field("c", "plain_text_input")
    )
    bot.client.views_update(view_id=view["id"], view=changed)
    expect(dialog.get_by_label("c", exact=True)).to_be_visible()
    expect(dialog.get_by_label("a", exact=True)).to_have_value("kept")
    expect(dialog.get_by_label("b", exact=True)).to_be_focused()
    page.keyboard.type("rd")
    expect(dialog.get_by_label("b", exact=True)).to_have_value("half a word")


def test_a_submission_that_nobody_acknowledges_says_so_and_keeps_the_form(page_for: Open) -> None:
    with Sandbox.start(ack_seconds=0.3, trigger_seconds=20) as slack:
        bot = Bot(slack)
        slack.act(type="shortcut", user="U0ANA00001", callback_id="pending")
        trigger = slack.log()[-1]["payload"]["trigger_id"]
        bot.client.views_open(
            trigger_id=trigger, view=form(field("a", "plain_text_input", initial_value="x"))
        )
        page = page_for(slack, "ana")
        send(page)
        expect(page.get_by_role("dialog").get_by_role("alert").first).to_have_text(
            "We had some trouble connecting. Try again?"
        )
        expect(page.get_by_label("a", exact=True)).to_have_value("x")


def test_an_external_select_asks_the_app_for_what_was_typed(slack: Sandbox, bot: Bot, show: Show) -> None:
    def suggest(ack: Any, body: JSON, **_: Any) -> None:
        found = [o for o in options("Berlin", "Bern", "Paris") if body["value"] in o["value"]]
        ack(options=found)

    bot.on["options"] = suggest
    page = show(field("city", "external_select", min_query_length=2))
    city = page.get_by_role("combobox", name="city")
    city.click()
    expect(page.get_by_text("Type at least 2 characters")).to_be_visible()
    city.press_sequentially("ber")
    expect(page.get_by_role("option")).to_have_text(["Berlin", "Bern"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(city).to_have_value("Bern")
    city.fill("zzz")
    expect(page.get_by_text("No matches")).to_be_visible()
    page.keyboard.press("Escape")  # closes the list, not the form
    expect(city).to_have_value("Bern")
    send(page)
    assert submitted(bot)["city"]["selected_option"]["value"] == "bern"


def test_a_select_that_dispatches_is_sent_with_all_that_was_typed(
    slack: Sandbox, bot: Bot, show: Show
) -> None:
    page = show(
        field("a", "plain_text_input"),
        field("kind", "static_select", options=options("One", "Two"), more={"dispatch_action": True}),
    )
    page.get_by_label("a", exact=True).fill("typed")
    page.get_by_role("combobox", name="kind").click()
    page.get_by_role("option", name="Two").click()
    body = eventually(lambda: [b for b in bot.bodies if b["type"] == "block_actions"])[0]
    assert body["actions"][0]["selected_option"]["value"] == "two"
    assert body["view"]["state"]["values"]["a"]["v"]["value"] == "typed"


def test_a_view_of_200_kilobytes_opens_and_scrolls_inside(slack: Sandbox, bot: Bot, show: Show) -> None:
    text = "".join(f"{number:07} <b>\u202e\n" for number in range(180))[:2900]
    page = show(
        *({"type": "section", "text": plain(text), "expand": True} for _ in range(69)),
        field("a", "plain_text_input"),
    )
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("a", exact=True)).to_be_attached()
    assert dialog.locator(".section").count() == 69
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.get_by_role("button", name="Send it")).to_be_in_viewport()
