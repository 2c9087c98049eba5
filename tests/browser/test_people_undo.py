"""What nobody was asked about: held before it runs, or undone once it has, at the page of a phone; then the
agent says what it did.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser.people import PHONE, SECONDS, Agent, button, fits, form, open_road, the_card
from flows.person import ANA, BEN
from flows.road import Road
from playwright.sync_api import Locator, Page, expect

Ask = Callable[..., Agent]
Look = Callable[..., Page]
RULES = f"""\
version: 1
risk: {{"ticket.*": low, "refund.*": medium}}
reversibility: {{"ticket.*": reversible, "refund.*": costly}}
rules:
  - name: refunds
    match: {{action: refund.create}}
    verdict: notify
    headline: "Refund {{amount}} EUR to {{customer}}"
    approvers: {ANA}
    undo_for: 1h
    undo: {{action: refund.cancel, payload: {{id: $result.id, amount: $payload.amount}}}}
  - name: soon
    match: {{action: ticket.close}}
    verdict: allow
    after: 4s
    approvers: {ANA}
  - name: late
    match: {{action: ticket.merge}}
    verdict: allow
    after: 5m
    approvers: {ANA}
"""


@pytest.fixture(scope="module")
def _open_road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    folder = tmp_path_factory.mktemp("undone")
    (folder / "policy.yml").write_text(RULES)
    settings = {"SIGNOFF_POLICY": str(folder / "policy.yml"), "SIGNOFF_APPROVERS": BEN}
    with open_road(folder, settings) as road:
        yield road


def report(page: Page, title: str) -> Locator:
    """The small card of what ran without asking, which has no heading."""
    return page.get_by_role("main").get_by_role("article").filter(has_text=title)


def undoing(road: Road, customer: str) -> subprocess.Popen[str]:
    """An agent's process, which refunds and waits to undo that."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("undoing.py"))],
        env=road.environment | road.settings_of("billing-bot"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin
    process.stdin.write(json.dumps({"customer": customer, "amount": 120}))
    process.stdin.close()
    process.stdin = None
    return process


def test_what_ran_is_undone_from_its_card(road: Road, look: Look) -> None:
    ana, ben = look("ana", **PHONE), look("ben")
    agent = undoing(road, "cus_undo")
    card = report(ana, "Refund 120 EUR to cus_undo")
    expect(card).to_contain_text("Done")
    expect(card).to_contain_text("Undo was never tried")
    button(report(ben, "Refund 120 EUR to cus_undo"), "Undo…").click()
    expect(ben.get_by_text("can undo this", exact=False).first).to_be_visible()
    button(card, "Undo…").click()
    asked = form(ana, "refund.cancel")
    expect(asked).to_contain_text("Undoing runs refund.cancel with exactly this")
    expect(asked).to_contain_text("re_cus_undo")
    expect(asked).to_contain_text("id: as billing-bot reported it, its word alone.")
    expect(asked).to_contain_text("120")
    expect(asked).to_contain_text("This undo was never tried")
    assert fits(ana), "nothing of it is wider than the phone"
    button(asked, "Undo").click()
    expect(card).to_contain_text("Undone")
    expect(card).to_contain_text("by @ana")
    expect(button(card, "Undo…")).to_have_count(0)
    out, _ = agent.communicate(timeout=SECONDS)
    assert agent.returncode == 0
    assert [json.loads(line) for line in out.splitlines()] == [
        {"did": "refund", "customer": "cus_undo", "amount": 120},
        {"did": "cancel", "id": "re_cus_undo", "amount": 120},
    ]


def test_an_undo_that_was_tried_is_not_said_to_be_untried(road: Road, look: Look) -> None:
    ana, agent = look("ana"), undoing(road, "cus_tried")
    card = report(ana, "Refund 120 EUR to cus_tried")
    expect(button(card, "Undo…")).to_be_visible()
    done = subprocess.run(
        [sys.executable, "-m", "signoff", "undo", "test", "refund.cancel"],
        env=road.environment, capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "refund.cancel of billing-bot: tried, and it works\n"), done
    button(card, "Undo…").click()
    asked = form(ana, "refund.cancel")
    expect(asked).to_contain_text("cus_tried")
    expect(asked).not_to_contain_text("never tried")
    button(asked, "Undo").click()
    out, _ = agent.communicate(timeout=SECONDS)
    assert len(out.splitlines()) == 2


def test_what_nobody_holds_runs_and_what_somebody_holds_is_asked_about(ask: Ask, look: Look) -> None:
    ana = look("ana", **PHONE)
    runs, held = ask("ticket.close", {"ticket": "T-1"}), ask("ticket.merge", {"ticket": "T-2"})
    expect(the_card(ana, "ticket.close")).to_contain_text("Approved by policy, and nobody held it")
    got = runs.got()
    assert (got["status"], got["rule"], got["decided_by"]) == ("approved", "soon", None)
    card = the_card(ana, "ticket.merge")
    expect(card).to_contain_text("Policy allows this; runs")
    expect(button(card, "Approve")).to_have_count(0)
    assert held.waits() and fits(ana), "nothing of it is wider than the phone"
    button(card, "Hold").click()
    expect(card).to_contain_text("Held by @ana")
    button(card, "Approve").click()
    expect(card).to_contain_text("Approved by @ana")
    assert held.got()["decided_by"]["id"] == ANA
