"""What people do on the page, and what the app gets."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from bolt_bot import Bot
from playwright.sync_api import Page, expect
from support import eventually

from signoff.sandbox.server import Sandbox

JSON = dict[str, Any]
Post = Callable[..., str]
Open = Callable[..., Page]
SURE: JSON = {
    name: {"type": "plain_text", "text": text}
    for name, text in {
        "title": "Really?",
        "text": "It cannot be undone.",
        "confirm": "Do it",
        "deny": "No",
    }.items()
}


def plain(text: str) -> JSON:
    return {"type": "plain_text", "text": text}


def button(label: str, **more: Any) -> JSON:
    return {"type": "button", "action_id": label.lower(), "text": plain(label), "value": "v", **more}


def row(*elements: JSON) -> JSON:
    return {"type": "actions", "block_id": "row", "elements": list(elements)}


def options(*names: str) -> list[JSON]:
    return [{"text": plain(name), "value": name.lower()} for name in names]


def view(title: str, *blocks: JSON, **more: Any) -> JSON:
    found = list(blocks) or [{"type": "section", "text": plain(f"This is {title}.")}]
    return {"type": "modal", "title": plain(title), "blocks": found, **more}


def actions(bot: Bot) -> list[JSON]:
    return [body["actions"][0] for body in bot.bodies if body["type"] == "block_actions"]


def test_a_button_spins_until_it_is_acknowledged(
    slack: Sandbox, bot: Bot, post: Post, page_for: Open
) -> None:
    release = threading.Event()

    def slowly(ack: Any, **_: Any) -> None:
        release.wait(60)
        ack()

    bot.on["action"] = slowly
    post(row(button("Approve", style="primary")))
    press = page_for(slack, "ana").get_by_role("button", name="Approve")
    press.click()
    expect(press).to_have_attribute("aria-busy", "true")
    press.click()  # a second one is not sent
    release.set()
    expect(press).not_to_have_attribute("aria-busy", "true")
    assert [(a["action_id"], a["value"], a["style"]) for a in actions(bot)] == [("approve", "v", "primary")]
    expect(press.page.get_by_role("alert")).to_have_count(0)


def test_what_is_never_acknowledged_gets_slacks_warning(page_for: Open) -> None:
    with Sandbox.start(ack_seconds=0.3) as slack:  # no app is connected
        bot = Bot(slack)
        bot.client.chat_postMessage(channel="agent-approvals", text="x", blocks=[row(button("Approve"))])
        page = page_for(slack, "ana")
        page.get_by_role("button", name="Approve").click()
        warning = page.get_by_role("article").get_by_role("alert")
        expect(warning).to_contain_text("Operation timed out. Apps need to respond within three seconds.")
        expect(warning.locator("svg.icon-warn")).to_be_visible()
        expect(page.get_by_role("button", name="Approve")).not_to_have_attribute("aria-busy", "true")
        page.get_by_role("combobox", name="Message").fill("/approvals ")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert").filter(has_text="/approvals")).to_contain_text(
            "the app did not respond"
        )
        page.get_by_role("button", name="Shortcuts").click()
        page.get_by_role("menuitem", name="Pending approvals").click()
        expect(page.get_by_role("status")).to_contain_text("did not respond")


def test_a_confirmation_is_asked_for_and_can_be_declined(
    slack: Sandbox, bot: Bot, post: Post, page_for: Open
) -> None:
    post(row(button("Drop", style="danger", confirm={**SURE, "style": "danger"})))
    page = page_for(slack, "ana")
    drop, sure = page.get_by_role("button", name="Drop"), page.get_by_role("dialog", name="Really?")
    for decline in (
        lambda: sure.get_by_role("button", name="No").click(),
        lambda: page.keyboard.press("Escape"),
    ):
        drop.click()
        expect(sure).to_contain_text("It cannot be undone.")
        decline()
        expect(sure).to_have_count(0)
        expect(drop).to_be_focused()
    assert actions(bot) == []
    drop.click()
    sure.get_by_role("button", name="Do it").click()
    assert eventually(lambda: actions(bot))[0]["action_id"] == "drop"


def test_menus_and_choices_on_a_message_are_sent_at_once(
    slack: Sandbox, bot: Bot, post: Post, page_for: Open
) -> None:
    more = {"type": "overflow", "action_id": "more", "options": options("Note", "Details")}
    pick = {"type": "static_select", "action_id": "pick", "options": options("Red", "Green", "Grey")}
    tick = {"type": "checkboxes", "action_id": "tick", "options": options("A", "B")}
    ring = {"type": "radio_buttons", "action_id": "ring", "options": options("C", "D")}
    day = {"type": "datepicker", "action_id": "day", "initial_date": "2026-01-02"}
    post(row(more, pick, tick, ring, day))
    page = page_for(slack, "ana")
    page.get_by_role("button", name="More options").click()
    page.get_by_role("menuitem", name="Details").click()
    choice = page.get_by_role("article").get_by_role("combobox")
    choice.click()
    choice.fill("GRE")
    expect(page.get_by_role("option")).to_have_text(["Green", "Grey"])
    page.keyboard.press("Enter")
    page.get_by_label("A", exact=True).check()
    page.get_by_label("D", exact=True).check()
    page.get_by_label("Date").fill("2026-03-04")
    eventually(lambda: len(actions(bot)) == 5)
    sent = {action["action_id"]: action for action in actions(bot)}
    assert sent["more"]["selected_option"]["value"] == "details"
    assert sent["pick"]["selected_option"]["value"] == "green"
    assert [option["value"] for option in sent["tick"]["selected_options"]] == ["a"]
    assert sent["ring"]["selected_option"]["value"] == "d"
    assert sent["day"]["selected_date"] == "2026-03-04"


def test_three_modals_stack_and_each_closes_to_the_one_below(
    slack: Sandbox, bot: Bot, post: Post, page_for: Open
) -> None:
    names = iter(("Second", "Third"))

    def act(ack: Any, body: JSON, **_: Any) -> None:
        ack()
        if body.get("view"):
            shown = view(next(names), row(button("Deeper")), close=plain("Back"))
            bot.client.views_push(trigger_id=body["trigger_id"], view=shown)
        else:
            bot.client.views_open(trigger_id=body["trigger_id"], view=view("First", row(button("Deeper"))))

    bot.on["action"] = act
    post(row(button("Open")))
    page = page_for(slack, "ana")
    page.get_by_role("button", name="Open").click()
    for name in ("First", "Second"):
        page.get_by_role("dialog", name=name).get_by_role("button", name="Deeper").click()
    third = page.get_by_role("dialog", name="Third")
    expect(third).to_be_visible()
    inside = "document.activeElement.closest('dialog') === [...document.querySelectorAll('dialog')].at(-1)"
    for _ in range(8):  # the focus stays inside, or is at the browser's own controls
        page.keyboard.press("Tab")
        assert page.evaluate(f"document.activeElement === document.body || {inside}")
    page.keyboard.press("Escape")
    expect(third).to_have_count(0)
    page.get_by_role("dialog", name="Second").get_by_role("button", name="Back").click()
    expect(page.get_by_role("dialog", name="Second")).to_have_count(0)
    expect(page.get_by_role("dialog", name="First")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Open")).to_be_focused()


def test_the_cross_closes_the_whole_stack(slack: Sandbox, bot: Bot, post: Post, page_for: Open) -> None:
    def act(ack: Any, body: JSON, **_: Any) -> None:
        ack()
        call = bot.client.views_push if body.get("view") else bot.client.views_open
        call(trigger_id=body["trigger_id"], view=view("Form", row(button("Deeper")), notify_on_close=True))

    bot.on["action"] = act
    post(row(button("Open")))
    page = page_for(slack, "ana")
    page.get_by_role("button", name="Open").click()
    page.get_by_role("button", name="Deeper").click()
    expect(page.get_by_role("dialog")).to_have_count(2)
    page.get_by_role("button", name="Dismiss").last.click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    closed = eventually(lambda: [b for b in bot.bodies if b["type"] == "view_closed"])
    assert closed[0]["is_cleared"] is True


def test_a_view_that_cannot_be_opened_is_told(slack: Sandbox, bot: Bot, post: Post, page_for: Open) -> None:
    def act(ack: Any, body: JSON, **_: Any) -> None:
        ack()
        bad = view("x" * 25)
        bot.client.api_call("views.open", json={"trigger_id": body["trigger_id"], "view": bad})

    bot.on["action"] = act
    post(row(button("Open")))
    page = page_for(slack, "ana")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("status")).to_contain_text(
        "could not open its window (views.open: invalid_arguments)"
    )


def test_a_command_completes_and_its_answer_is_for_me_alone(slack: Sandbox, bot: Bot, page_for: Open) -> None:
    bot.on["command"] = lambda ack, **_: ack(text="Nothing waits for you.")
    page, other = page_for(slack, "ana"), page_for(slack, "ben")
    field = page.get_by_role("combobox", name="Message #agent-approvals")
    field.press_sequentially("/ap")
    expect(page.get_by_role("option")).to_contain_text("What waits for your decision")
    page.keyboard.press("Tab")
    field.press_sequentially("show @ben")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    mine = page.get_by_role("article", name="only visible to you")
    expect(mine).to_contain_text("Only visible to you")
    expect(mine).to_contain_text("Nothing waits for you.")
    body = eventually(lambda: bot.bodies)[0]
    assert (body["command"], body["text"]) == ("/approvals", "show <@U0BEN00001|ben>")
    slack.act(type="message", user="U0ANA00001", channel="C0APPROVE1", text="over")
    expect(other.get_by_role("article")).to_have_count(1)
    field.fill("/nonsense")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="/nonsense")).to_contain_text("is not a valid command")


def test_shortcuts_stand_in_the_composer_and_in_a_messages_menu(
    slack: Sandbox, bot: Bot, post: Post, page_for: Open
) -> None:
    ts = post(text="A card")
    page = page_for(slack, "ana")
    page.get_by_role("article").hover()
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Decide…").click()
    page.get_by_role("button", name="Shortcuts").click()
    page.get_by_role("menuitem", name="Pending approvals").click()
    eventually(lambda: len(bot.bodies) == 2)
    assert [(b["type"], b["callback_id"]) for b in bot.bodies] == [
        ("message_action", "decide"),
        ("shortcut", "pending"),
    ]
    assert bot.bodies[0]["message_ts"] == ts


def test_the_home_is_drawn_when_it_is_opened_and_again_when_it_changes(
    slack: Sandbox, bot: Bot, page_for: Open
) -> None:
    def home(*blocks: JSON) -> JSON:
        return {"type": "home", "blocks": list(blocks)}

    def opened(ack: Any, body: JSON, **_: Any) -> None:
        ack()
        bot.client.views_publish(
            user_id=body["event"]["user"], view=home({"type": "header", "text": plain("Waiting for you")})
        )

    bot.on["event"] = opened
    page = page_for(slack, "ana")
    page.get_by_role("link", name="Signoff", exact=True).click()
    expect(page.get_by_role("heading", name="Waiting for you")).to_be_visible()
    bot.client.views_publish(user_id="U0ANA00001", view=home(row(button("Review…"))))
    page.get_by_role("tabpanel").get_by_role("button", name="Review…").click()
    assert eventually(lambda: actions(bot))[0]["action_id"] == "review…"
    page.get_by_role("tab", name="Messages").click()
    expect(page.get_by_text("This app has not written to you yet.")).to_be_visible()


@pytest.mark.parametrize("user", ["gus", "eve"])
def test_guests_and_strangers_press_buttons_too_and_strangers_have_nothing_else(
    slack: Sandbox, bot: Bot, post: Post, page_for: Open, user: str
) -> None:
    post(row(button("Approve")))
    page = page_for(slack, user)
    page.get_by_role("button", name="Approve").click()
    body = eventually(lambda: bot.bodies)[0]
    assert body["user"]["name"] == user
    local = user == "gus"
    expect(page.get_by_role("link", name="Signoff", exact=True)).to_have_count(1 if local else 0)
    expect(page.get_by_role("button", name="More actions")).to_have_count(1 if local else 0)
    expect(page.get_by_role("link", name="finance-private")).to_have_count(0)
