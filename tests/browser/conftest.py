"""The stand-in's page in a real browser: Debian's chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bolt_bot import Bot
from browser.people import Agent, open_road
from flows.person import ANA, BEN, MIA, Someone
from flows.road import Road
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from sqlalchemy import text
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
        left = "closed before the connection is established" in message.text  # the page was left meanwhile
        if message.type in ("error", "warning") and not refused and not left:
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
    with Bot.connected_to(running) as bot:
        yield bot


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


@pytest.fixture(scope="package")
def _open_road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    """One server for all people; that a guest and a stranger are named does not let them decide."""
    approvers = f"{ANA} {BEN} U0GUS00001 U0EVE00001"
    with open_road(tmp_path_factory.mktemp("road"), {"SIGNOFF_APPROVERS": approvers}) as road:
        yield road


@pytest.fixture
def road(_open_road: Road) -> Iterator[Road]:
    """A real server, beside a patient stand-in; nothing waits on it after the test."""
    yield _open_road
    for user in (ANA, BEN, MIA):
        Someone(_open_road.slack, user).close_all()
    with _open_road.store.reading() as connection:
        waits = connection.execute(text("SELECT id FROM approval WHERE status = 'pending'")).scalars().all()
    for approval_id in waits:
        _open_road.run_out(approval_id)


@pytest.fixture
def ask(road: Road) -> Iterator[Callable[..., Agent]]:
    """`ask(action, **request)` starts an agent's process that asks, and gives it."""
    agents: list[Agent] = []

    def start(
        action: str, payload: JSON | None = None, *, agent: str = "billing-bot", **request: Any
    ) -> Agent:
        payload = {"customer": "cus_42", "amount": 120} if payload is None else payload
        asked = {"reversible": True, **request, "action": action, "payload": payload}
        agents.append(Agent.start(road, agent, asked))
        return agents[-1]

    yield start
    for one in agents:
        one.kill()


@pytest.fixture
def look(road: Road, page_for: Callable[..., Page]) -> Callable[..., Page]:
    """`look("ana")` opens the page as a person, in a window of their own."""
    return lambda user, *where, **context: page_for(road.slack, user, *where, **context)
