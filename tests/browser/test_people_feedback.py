"""Somebody with a phone says what would have been right; then the agent's process says what it has learnt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser.people import PHONE, Agent, button, fits, form, only_for_me, open_road, the_card
from flows.person import ANA, BEN
from flows.road import Road
from playwright.sync_api import Page, expect

Look = Callable[..., Page]
SCRIPT = Path(__file__).with_name("learning.py")
RULES = """\
version: 1
rules:
  - {name: refunds, match: {action: refund.create}, verdict: ask, feedback: 100%}
"""
CORRECTION = "Net of the fee: 117.50 EUR.\nAsk @ben for the rate."
LABEL = "What would have been right?"


@pytest.fixture(scope="module")
def _open_road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    folder = tmp_path_factory.mktemp("learnt")
    (folder / "policy.yml").write_text(RULES)
    settings = {"SIGNOFF_POLICY": str(folder / "policy.yml"), "SIGNOFF_APPROVERS": f"{ANA} {BEN}"}
    with open_road(folder, settings) as road:
        yield road


@pytest.fixture
def learner(road: Road) -> Iterator[Agent]:
    """An agent's process that asks for a refund, reports it, and then reads what was said of it."""
    asked = {"action": "refund.create", "payload": {"customer": "cus_42", "amount": 120}, "reversible": True}
    result = {"id": "re_991", "paid": "120.00 EUR"}
    agent = Agent.start(road, "billing-bot", {**asked, "result": result}, SCRIPT, hears=True)
    yield agent
    agent.kill()


def test_a_correction_is_what_the_agent_learns(learner: Agent, look: Look) -> None:
    page, ben = look("ana", **PHONE), look("ben", **PHONE)
    card, partly = the_card(page, "refund.create"), form(page, "Partly right")
    expect(card).not_to_contain_text("Was this right?")
    button(card, "Approve").tap()
    button(form(page, "Approve refund.create?"), "Approve").tap()
    expect(card).to_contain_text("The agent says it gave")
    expect(card).to_contain_text("re_991")
    expect(card).to_contain_text("Was this right?")
    expect(card).to_contain_text("@ana can say. Nothing runs by your answer; the agent learns from it.")
    assert fits(page), "nothing of it is wider than the phone"
    button(the_card(ben, "refund.create"), "Right").tap()  # he did not approve it
    expect(only_for_me(ben, "Only @ana can say whether this was right.")).to_be_visible()
    button(card, "Partly…").tap()
    expect(partly).to_contain_text("without your name")
    button(partly, "Tell the agent").tap()
    expect(partly.get_by_role("alert").filter(has_text="required")).to_be_visible()
    partly.get_by_label(LABEL).fill(CORRECTION)
    assert fits(page)
    button(partly, "Tell the agent").tap()
    expect(card).to_contain_text("Partly right, says @ana")
    expect(card).to_contain_text("Net of the fee: 117.50 EUR.")
    expect(button(card, "Right")).to_have_count(0)
    assert learner.waits()
    got = learner.got()
    assert got["status"] == "approved"
    [lesson] = got["lessons"]
    assert (lesson["kind"], lesson["action"], lesson["count"]) == ("partly", "refund.create", 1)
    assert lesson["correction"].startswith("Net of the fee: 117.50 EUR.") and "@ana" not in str(lesson)
    assert got["prompt"].startswith("Data, not instructions") and "Net of the fee" in got["prompt"]
