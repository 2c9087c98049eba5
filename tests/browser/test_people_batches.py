"""People decide on what an agent asks together, on the page, before a real server; then its process says what
it got of each.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser.people import PHONE, Agent, button, difference, fits, form
from flows.road import Road
from playwright.sync_api import Locator, Page, expect

JSON = dict[str, Any]
Look = Callable[..., Page]
ASKING = Path(__file__).with_name("asking_batch.py")
WHY = "Why, or what to change"


@pytest.fixture
def together(road: Road) -> Iterator[Callable[..., Agent]]:
    """`together(title, payloads)` starts an agent's process that asks for all of them, and gives it."""
    agents: list[Agent] = []

    def start(title: str, payloads: list[JSON], action: str) -> Agent:
        asks = [{"action": action, "payload": one, "reversible": True} for one in payloads]
        process = subprocess.Popen(
            [sys.executable, str(ASKING)],
            env=road.environment | road.settings_of("ops-bot"),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdin
        process.stdin.write(json.dumps({"title": title, "asks": asks}))
        process.stdin.close()
        process.stdin = None
        agents.append(Agent(process))
        return agents[-1]

    yield start
    for one in agents:
        one.kill()


def the_batch(page: Page, heading: str) -> Locator:
    return page.get_by_role("article").filter(has=page.get_by_role("heading", name=heading, exact=True))


def statuses(agent: Agent) -> list[str]:
    return [one["status"] for one in agent.got()]  # type: ignore[index,misc]


def branches(count: int) -> list[JSON]:
    return [{"repo": "acme/shop", "branch": f"feature-{n}", "days_unused": 90 + n} for n in range(count)]


def letters(count: int) -> list[JSON]:
    return [{"to": f"u{n}@a.example", "body": f"Dear {n},\n" + "please pay.\n" * 20} for n in range(count)]


def test_all_of_a_small_batch_are_approved_on_its_card_on_a_phone(together: Any, look: Look) -> None:
    page, agent = look("ana", **PHONE), together("Clean up", branches(5), "branch.remove")
    card = the_batch(page, "5 × branch.remove")
    expect(card).to_contain_text("ops-bot asks @ana, @ben")
    expect(card).to_contain_text("The agent calls it “Clean up”.")
    expect(card.get_by_role("table")).to_contain_text("feature-4")
    button(card, "Approve all 5").click()
    ask = page.get_by_role("alertdialog").or_(page.get_by_role("dialog")).last
    expect(ask).to_contain_text("5 actions run with exactly what you saw")
    button(ask, "Approve").click()
    expect(card).to_contain_text("5 approved")
    assert statuses(agent) == ["approved"] * 5


def test_a_review_in_pages_approves_what_was_seen_and_all_else_is_rejected(together: Any, look: Look) -> None:
    page, agent = look("ana", **PHONE), together("Remind them", letters(30), "mail.remind")
    card = the_batch(page, "30 × mail.remind")
    expect(button(card, "Review…")).to_be_visible()
    assert button(card, "Approve all 30").count() == 0
    button(card, "Review…").click()
    review = form(page, "Review together")
    expect(review).to_contain_text("Page 1 of 2")
    button(review, "Next").click()
    expect(review).to_contain_text("u29@a.example")
    button(review, "Back").click()
    expect(review).to_contain_text("25 of 30 shown in full so far")
    button(review, "Approve the 25 you saw").click()
    button(page.get_by_role("dialog").last, "Approve").click()
    result = form(page, "What became of them")
    expect(result).to_contain_text("You approved 25.")
    button(result, "Close").first.click()
    expect(card).to_contain_text("5 wait · 25 approved")
    button(card, "Reject all…").click()
    why = form(page, "Reject all")
    why.get_by_label(WHY).fill("Ask them by phone")
    button(why, "Reject").click()
    expect(form(page, "What became of them")).to_contain_text("You rejected 5.")
    got = agent.got()
    assert [one["status"] for one in got] == ["approved"] * 25 + ["rejected"] * 5  # type: ignore[index]
    assert got[29]["reason"] == "Ask them by phone"  # type: ignore[index]


def test_one_by_one_with_an_edit_a_no_and_the_rest(together: Any, look: Look) -> None:
    page, agent = look("ana", **PHONE), together("Clean up", branches(5), "branch.prune")
    card = the_batch(page, "5 × branch.prune")
    button(card, "Review each…").click()
    each = form(page, "Review each")
    expect(each).to_contain_text("1 of 5")
    assert fits(page), "nothing of it is wider than the phone"
    button(each, "Edit…").click()
    edit = form(page, "branch.prune")
    edit.get_by_label("branch").fill("feature-0b")
    button(edit, "Show changes").click()
    button(difference(page), "Approve these changes").click()
    expect(form(page, "Review each").last).to_contain_text("2 of 5")
    button(form(page, "Review each").last, "Reject…").click()
    no = form(page, "Reject")
    no.get_by_label(WHY).fill("Still used")
    button(no, "Reject").click()
    each = form(page, "Review each").last
    expect(each).to_contain_text("3 of 5")
    button(each, "The rest like this…").click()
    review = form(page, "Review together").last
    expect(review).to_contain_text("feature-4")
    button(review, "Approve all 2").click()
    button(page.get_by_role("dialog").last, "Approve").click()
    result = form(page, "What became of them").last
    expect(result).to_contain_text("You approved 2.")
    button(result, "Back to one by one").click()
    each = form(page, "Review each").last
    expect(each).to_contain_text("feature-2")
    button(each, "Approve").click()
    expect(form(page, "What became of them").last).to_contain_text("4 approved · 1 rejected")
    got: Any = agent.got()
    assert [one["status"] for one in got] == ["approved", "rejected", "approved", "approved", "approved"]
    assert got[0]["payload"]["branch"] == "feature-0b" and got[1]["reason"] == "Still used"


def test_two_people_in_one_batch_at_once(together: Any, look: Look) -> None:
    """One of them on a phone."""
    ana, ben = look("ana", **PHONE), look("ben")
    agent = together("Remind them", letters(8), "mail.nudge")
    for page in (ana, ben):
        button(the_batch(page, "8 × mail.nudge"), "Review…").click()
        expect(form(page, "Review together")).to_contain_text("u7@a.example")
    for page in (ana, ben):
        button(form(page, "Review together"), "Approve all 8").click()
        button(page.get_by_role("dialog").last, "Approve").click()
    for page in (ana, ben):
        expect(form(page, "What became of them")).to_contain_text("You approved")
    assert statuses(agent) == ["approved"] * 8
