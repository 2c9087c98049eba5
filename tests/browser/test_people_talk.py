"""Somebody with a phone asks an agent before they decide, and leaves it a note; then its process says what it
got.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser.people import PHONE, Agent, button, fits, form, only_for_me, the_card
from flows.road import Road
from playwright.sync_api import Page, expect

Look = Callable[..., Page]
SCRIPT = Path(__file__).with_name("talking.py")
PAYLOAD = {"customer": "cus_42", "amount": 120}
WHY = "Why twice what it cost?"
ANSWER = "It was charged twice: order 7781, on Monday and on Tuesday."
NOTE = "Book it on the old account."


@pytest.fixture
def talker(road: Road) -> Iterator[Agent]:
    """An agent's process that asks for refund.talk, and answers what people ask about it."""
    asked = {"action": "refund.talk", "payload": PAYLOAD, "reversible": True}
    agent = Agent.start(road, "billing-bot", asked, SCRIPT, hears=True)
    yield agent
    agent.kill()


def test_a_question_its_answer_and_a_note_before_the_approval(talker: Agent, look: Look) -> None:
    page = look("ana", **PHONE)
    card, ask = the_card(page, "refund.talk"), form(page, "Ask billing-bot")
    button(card, "More options").tap()
    page.get_by_role("menuitem", name="Ask the agent…").tap()
    expect(ask).to_contain_text("its answer decides nothing")
    expect(ask).to_contain_text("Never type passwords or codes here.")
    ask.get_by_label("Your question").fill("with password: hunter22x?")
    button(ask, "Ask").tap()
    expect(ask.locator(".error").filter(has_text="This looks like a secret")).to_be_visible()
    ask.get_by_label("Your question").fill(WHY)
    button(ask, "Ask").tap()
    expect(ask).to_have_count(0)
    expect(card).to_contain_text(WHY)
    expect(card).to_contain_text("Waiting for billing-bot's answer, up to 40 s")
    expect(button(card, "Approve")).to_be_visible()  # nobody has to wait for it
    assert talker.waits()
    talker.tell(ANSWER)
    expect(card).to_contain_text(ANSWER)
    expect(card).not_to_contain_text("Waiting for billing-bot's answer")
    said = card.inner_text()
    assert said.index("cus_42") < said.index("The agent says") < said.index(WHY) < said.index(ANSWER)
    assert fits(page), "nothing of it is wider than the phone"

    card.get_by_role("button", name="1 reply").tap()
    thread = page.get_by_role("complementary", name="Thread")
    expect(thread).to_contain_text("@ana asked, and billing-bot answers. It decides nothing.")
    thread.get_by_role("combobox", name="Reply").fill(f"@signoff note {NOTE}")
    button(thread, "Send").tap()
    expect(only_for_me(page, "Noted. billing-bot gets it with the decision, with your name.")).to_be_visible()
    assert fits(page)
    page.get_by_role("button", name="Back to the conversation").tap()
    button(card, "Approve").tap()
    expect(card).to_contain_text("Approved by @ana")
    got = talker.got()
    assert (got["status"], got["payload"]) == ("approved", PAYLOAD)
    assert got["heard"] == [{"text": WHY, "by": "ana", "action": "refund.talk"}]
    assert got["notes"] == [{"by": "ana", "text": NOTE}]
