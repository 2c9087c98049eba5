"""The stand-in's page in a real browser: Debian's chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bolt_bot import Bot
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from support import missing

from signoff.sandbox.server import Sandbox

JSON = dict[str, Any]
SECONDS = 30.0
"""How long an expectation may take on a slow machine."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser a module: Playwright's event loop must not run on into tests that have their own."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        missing("chromium")
    expect.set_options(timeout=1000 * SECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page_for(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """`page_for(slack, "ana")` opens the page as a person, in a window of their own.

    `where` is what stands in the address after the person; the rest is the context's, such as
    `viewport={"width": 390, "height": 844}` or `color_scheme="dark"`. What goes wrong in a page's script, and
    what its Content-Security-Policy stops, fails the test.
    """
    contexts = []
    faults: list[str] = []

    def complain(message: ConsoleMessage) -> None:
        refused = "Failed to load resource" in message.text  # what the stand-in refuses; the page says it
        if message.type in ("error", "warning") and not refused:
            faults.append(message.text)

    def open_(slack: Sandbox, user: str, where: str = "agent-approvals", **context: Any) -> Page:
        settings = {
            "locale": "en-US",
            "timezone_id": "Europe/Berlin",
            "viewport": {"width": 1280, "height": 860},
            "reduced_motion": "reduce",
        }
        made = chromium.new_context(**{**settings, **context})
        contexts.append(made)
        made.set_default_timeout(1000 * SECONDS)
        page = made.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", complain)
        page.goto(f"{slack.url}/#/{user}/{where}")
        return page

    yield open_
    for made in contexts:
        made.close()
    assert faults == []


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox.start(ack_seconds=20, trigger_seconds=20) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def connected(running: Sandbox) -> Iterator[Bot]:
    bot = Bot(running)
    bot.connect()
    yield bot
    for handler in bot.handlers:
        handler.close()


@pytest.fixture
def slack(running: Sandbox) -> Sandbox:
    """A stand-in as freshly started. It is patient: a slow machine is no app that does not answer."""
    running.reset()
    return running


@pytest.fixture
def bot(connected: Bot, slack: Sandbox) -> Bot:
    """A real Bolt app that acknowledges everything, and records it."""
    connected.reset()
    return connected


@pytest.fixture
def post(slack: Sandbox, bot: Bot) -> Callable[..., str]:
    """Post a message of the app in #agent-approvals (or elsewhere); gives its ts."""

    def send(*blocks: JSON, channel: str = "agent-approvals", text: str = "A message", **more: Any) -> str:
        answer = bot.client.chat_postMessage(channel=channel, text=text, blocks=list(blocks) or None, **more)
        return str(answer["ts"])

    return send
