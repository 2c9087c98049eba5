"""`make pictures`: plays the demo in a browser, and takes the pictures that README and docs show.

`python docs/pictures.py FOLDER [WORD …]` draws the requests of `signoff.bot.gallery` instead, as a phone
shows them: every card, form, list and Home whose name holds one of the words, a picture each in FOLDER.

Needs Debian's packages chromium and fonts-noto-color-emoji (without it, emoji are boxes). Look at every
picture before it is committed: spacing, truncation, wording.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from slack_sdk import WebClient

from signoff.bot.gallery.layouts import Layout, layouts
from signoff.sandbox.server import Sandbox

IMAGES = Path(__file__).parent / "images"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
CHANNEL = "agent-approvals"
WIDE = {"width": 1100, "height": 1700}
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
SECONDS = 30_000.0
"""In milliseconds, as Playwright has them: for what comes by itself."""
STILL = "* { animation: none !important; transition: none !important; caret-color: transparent !important }"
SNUG = "shown => { shown.style.height = 'fit-content' }"
"""A phone's form fills the screen, however little stands in it."""

REFUND, DROP = "Refund 120 EUR to cus_42", "Drop customers_991.db on db-3"
REFUNDED = "Refund 80 EUR to cus_42"
MAIL, PLAN = "E-mail to c.sommer@example.com", "Apply a plan to shop"
DEPLOY, CLOSE = "Deploy checkout v2.991 to production", "Close the network us-east-old"
PEOPLE = {
    "U0ANA": "U0ANA00001",
    "U0BEN": "U0BEN00001",
    "U0MIA": "U0MIA00001",
    "S0FINANCE": "S0FINANCE1",
    "C0APPROVALS": "C0APPROVE1",
}
"""Ids of the made-up requests, and those of the stand-in's team."""
DRAWN = {
    "questions/conflict: card": "question.png",
    "questions/answered-in-words: card": "answered.png",
    "batch-partly-decided: card": "partly.png",
    "batch-partly-decided: one by one, 6": "each.png",
    "batch-over: looked through, page 1": "looked.png",
    "talks/waits: card": "talk.png",
    "undo/can-be-undone: card": "undo.png",
    "undo/can-be-undone: undo": "undoing.png",
    "undo/grace: card": "grace.png",
    "feedback/asked: card": "right.png",
}
"""Layouts of which a picture stands in the docs, though the demo has none: the name of its file."""


def main() -> None:
    """Take them all."""
    expect.set_options(timeout=SECONDS)
    if sys.argv[1:]:
        folder, words = Path(sys.argv[1]), sys.argv[2:]
        folder.mkdir(exist_ok=True, parents=True)
        with Sandbox.start() as slack, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            for layout in layouts():
                if not words or any(word in layout.name for word in words):
                    drawn(browser, slack, layout, folder)
            browser.close()
        return
    IMAGES.mkdir(exist_ok=True)
    with demo() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        take(browser, url)
        with Sandbox.start() as slack:
            together = next(one for one in layouts() if one.name == "batch-whole: card")
            (IMAGES / "batch.png").write_bytes(shot(browser, slack, together))
        browser.close()
    with Sandbox.start() as slack, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for layout in layouts():
            if layout.name in DRAWN:
                (IMAGES / DRAWN[layout.name]).write_bytes(shot(browser, slack, layout, 1.5))
                print(f"docs/images/{DRAWN[layout.name]}")
        browser.close()


@contextmanager
def demo() -> Iterator[str]:
    """The address of a demo in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="signoff-pictures-") as data:
        process = subprocess.Popen(
            [sys.executable, "-m", "signoff", "demo", "--no-browser"],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "SIGNOFF_DATA": data},
        )  # fmt: skip
        try:
            assert process.stdout
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found, "the demo has not started"
            yield found[0]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def take(browser: Browser, url: str) -> None:
    """As ana, from the five cards on to the last outcome."""
    page = opened(browser, f"{url}#/ana/{CHANNEL}", WIDE)
    for headline in (REFUND, DROP, MAIL, PLAN, DEPLOY):
        expect(card(page, headline)).to_be_visible()
    desk = opened(browser, f"{url}#/ana/{CHANNEL}", DESK)
    card(desk, REFUND).scroll_into_view_if_needed()
    whole(desk, "demo")
    picture(card(page, REFUND), "card")
    picture(card(page, DROP), "irreversible")
    picture(card(page, PLAN), "folded")
    phone = opened(browser, f"{url}#/ana/{CHANNEL}", PHONE)
    expect(card(phone, MAIL)).to_be_visible()
    card(phone, MAIL).scroll_into_view_if_needed()
    whole(phone, "phone")
    lists(page, url)
    edit(page)
    reject(page)
    review(page)
    decided(page)


def drawn(browser: Browser, slack: Sandbox, layout: Layout, folder: Path) -> None:
    """One layout, as Ana sees it on her phone."""
    file = folder / f"{re.sub('[^a-z0-9]+', '-', layout.name.lower()).strip('-')}.png"
    file.write_bytes(shot(browser, slack, layout))
    print(file)


def shot(
    browser: Browser, slack: Sandbox, layout: Layout, scale: float = 2,
    scheme: Literal["light", "dark"] = "light",
) -> bytes:  # fmt: skip
    """A PNG of one layout at a phone's width; of a form without the empty rest of the screen."""
    slack.reset()
    web, ana = WebClient(slack.bot_token, base_url=slack.api_url), PEOPLE["U0ANA"]
    text = json.dumps(layout.content)
    for id_, known in PEOPLE.items():
        text = re.sub(rf"\b{id_}\b", known, text)
    content, place = json.loads(text), f"{slack.url}/#/ana/{CHANNEL}"
    if layout.surface == "message":
        web.chat_postMessage(channel=CHANNEL, **{"text": layout.name, **content})
    elif content["type"] == "home":
        web.views_publish(user_id=ana, view=content)
        place = f"{slack.url}/#/ana/@home"
    else:
        web.views_open(trigger_id=slack._service.workspace.new_trigger(ana), view=content)
    context = browser.new_context(
        viewport={"width": PHONE["width"], "height": 4_000}, device_scale_factor=scale,
        locale="en-GB", timezone_id="Europe/Berlin", color_scheme=scheme, reduced_motion="reduce",
    )  # fmt: skip
    page = context.new_page()
    page.goto(place)
    shown = page.locator("article.message") if layout.surface == "message" else page.get_by_role("dialog")
    shown = page.get_by_role("tabpanel").locator(".blocks") if content.get("type") == "home" else shown
    expect(shown.last).to_be_visible()
    if content.get("type") == "modal":
        shown.last.evaluate(SNUG)
    taken = shown.last.screenshot(style=STILL)
    context.close()
    return taken


def lists(page: Page, url: str) -> None:
    """Home, and what `/approvals` answers."""
    page.goto(f"{url}#/ana/@home")
    home = page.get_by_role("tabpanel")
    expect(home.get_by_text(REFUND).first).to_be_visible()
    picture(home.locator(".blocks").first, "home")
    page.goto(f"{url}#/ana/{CHANNEL}")
    composer = page.get_by_role("combobox", name=f"Message #{CHANNEL}")
    composer.fill("/approvals pending")
    composer.press("Enter")
    told = page.locator("article.ephemeral").last
    expect(told).to_be_visible()
    picture(told, "list")


def edit(page: Page) -> None:
    """The form with a wrong and a right value, and what would change."""
    press(card(page, REFUND), "Edit…")
    amount = dialog(page).get_by_label("amount")
    amount.fill("200")
    submit(page)
    expect(dialog(page).locator("[aria-invalid]")).to_have_count(1)
    picture(dialog(page), "form")
    amount.fill("80")
    submit(page)
    expect(dialog(page).get_by_role("button", name=re.compile("^Approve"))).to_be_visible()
    picture(dialog(page), "difference")
    submit(page)
    expect(card(page, REFUNDED).get_by_text("Done")).to_be_visible()


def reject(page: Page) -> None:
    """The form that says why not, and the card afterwards."""
    press(card(page, DROP), "Reject…")
    dialog(page).get_by_role("textbox").fill("Legal needs it until March. Ask me again then.")
    picture(dialog(page), "reject")
    submit(page)
    expect(card(page, DROP).get_by_text("Rejected")).to_be_visible()


def review(page: Page) -> None:
    """The beginning of what is too long for a card; all of it is approved, and the run follows."""
    press(card(page, PLAN), "Review…")
    expect(dialog(page).get_by_text("server web-240")).to_be_attached()
    picture(dialog(page), "review")
    submit(page)
    expect(page.get_by_role("dialog")).to_have_count(0)


def decided(page: Page) -> None:
    """Cards in their last states, and the run's thread."""
    picture(card(page, REFUNDED), "done")
    picture(card(page, DROP), "rejected")
    first = page.locator("article.message").filter(has_text="change 991").last
    expect(first.get_by_text("2 requests wait")).to_be_visible()
    page.set_viewport_size({"width": WIDE["width"], "height": 1420})
    first.locator("button.replies").click()
    thread = page.locator("#thread")
    expect(thread.get_by_role("heading", name=CLOSE)).to_be_visible()
    picture(thread, "run")


def opened(browser: Browser, url: str, size: dict[str, int]) -> Page:
    """A window of its own."""
    context = browser.new_context(
        viewport={"width": size["width"], "height": size["height"]}, device_scale_factor=1.5,
        locale="en-GB", timezone_id="Europe/Berlin", color_scheme="light", reduced_motion="reduce",
    )  # fmt: skip
    page = context.new_page()
    page.set_default_timeout(SECONDS)
    page.goto(url)
    expect(page.locator("article.message").first).to_be_visible()
    return page


def card(page: Page, headline: str) -> Locator:
    """The card with a headline."""
    heading = page.get_by_role("heading", name=headline, exact=True)
    return page.locator("#main article.message").filter(has=heading).last


def dialog(page: Page) -> Locator:
    """The form on top."""
    return page.get_by_role("dialog").last


def press(where: Locator, name: str) -> None:
    """Press a button in it."""
    where.get_by_role("button", name=name).click()


def submit(page: Page) -> None:
    """Press the form's own button."""
    dialog(page).locator("footer [type=submit]").click()


def picture(of: Locator, name: str) -> None:
    """Of one part of the page."""
    of.page.mouse.move(0, 0)
    of.screenshot(path=IMAGES / f"{name}.png", style=STILL)
    print(f"docs/images/{name}.png")


def whole(page: Page, name: str) -> None:
    """Of all that the window shows."""
    page.mouse.move(0, 0)
    page.screenshot(path=IMAGES / f"{name}.png", style=STILL)
    print(f"docs/images/{name}.png")


if __name__ == "__main__":
    main()
