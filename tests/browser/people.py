"""What tests of people share: an agent's process to ask what it got, and how a person finds things."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from browser.messages import PHONE as SIZE
from flows.road import Road
from playwright.sync_api import Locator, Page

from signoff.sandbox.server import Sandbox

JSON = dict[str, Any]
AGENT = Path(__file__).with_name("asking.py")
PHONE: JSON = {"viewport": SIZE, "has_touch": True, "is_mobile": True}
"""A phone, as `look` opens the page on it."""
CHANGES = "Approve these changes"
SECONDS = 60.0
"""How long an agent may take to hear what was decided, and to end."""


@contextmanager
def open_road(folder: Path, settings: Mapping[str, str]) -> Iterator[Road]:
    """A real server beside a patient stand-in: people at a page are slower than tests."""
    with Sandbox.start(ack_seconds=20, trigger_seconds=20) as sandbox:
        road = Road(sandbox, folder, dict(settings))
        try:
            road.start()
            yield road
        finally:
            road.close()


@dataclass
class Agent:
    """An agent's process, which waits for its answer."""

    process: subprocess.Popen[str]

    @classmethod
    def start(
        cls, road: Road, name: str, request: JSON, script: Path = AGENT, *, hears: bool = False
    ) -> Agent:
        """Let it ask; `request` is what asking.py reads, or another `script`. One that `hears` reads it as a
        line, and then what `tell` says.
        """
        process = subprocess.Popen(
            [sys.executable, str(script)],
            env=road.environment | road.settings_of(name),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdin
        process.stdin.write(f"{json.dumps(request)}\n")
        if hears:
            process.stdin.flush()
        else:
            process.stdin.close()
            process.stdin = None
        return cls(process)

    def tell(self, line: str) -> None:
        """Write it a line, which it waits for."""
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def got(self) -> JSON:
        """What it printed, such as the receipt that it was given, once it has ended; it is told no more."""
        out, err = self.process.communicate(timeout=SECONDS)
        assert self.process.returncode == 0, err
        receipt: JSON = json.loads(out)
        return receipt

    def waits(self) -> bool:
        """Whether it still waits for its answer."""
        return self.process.poll() is None

    def kill(self) -> None:
        """End it, if it has not ended."""
        if self.waits():
            self.process.kill()
        self.process.communicate()


def the_card(where: Page | Locator, action: str) -> Locator:
    """The message whose heading is this action."""
    page = where if isinstance(where, Page) else where.page
    return where.get_by_role("article").filter(has=page.get_by_role("heading", name=action, exact=True))


def button(where: Page | Locator, name: str) -> Locator:
    return where.get_by_role("button", name=name, exact=True)


def form(page: Page, name: str) -> Locator:
    """The modal with this title."""
    return page.get_by_role("dialog", name=name, exact=True)


def difference(page: Page) -> Locator:
    """The modal that shows what an edit changes."""
    return page.get_by_role("dialog").filter(has=button(page, CHANGES))


def only_for_me(page: Page, words: str) -> Locator:
    """What only this person is told, by some of its words."""
    return page.get_by_role("article", name="only visible to you").filter(has_text=words)


def fits(page: Page) -> bool:
    """Whether a phone shows all of its width."""
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width == SIZE["width"]
