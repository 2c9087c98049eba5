"""People answer agents' questions on the page of a phone; then the agent's process says what it got."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser.people import PHONE, Agent, button, fits, form, only_for_me
from flows.road import Road
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import text
from support import eventually

JSON = dict[str, Any]
Ask = Callable[..., Agent]
Look = Callable[..., Page]
SCRIPT = Path(__file__).with_name("asking_person.py")
SMITHS = {"a": "Ann Smith, Berlin", "b": "Al Smith, Bonn"}
SAFETY = "Your answer lets nothing run. Never type passwords or codes here."
WORDS = "In your own words"


@pytest.fixture
def put(road: Road) -> Iterator[Ask]:
    """`put(question, **how)` starts an agent's process that asks a person, and gives it."""
    agents: list[Agent] = []

    def start(question: str, **how: Any) -> Agent:
        agents.append(Agent.start(road, "billing-bot", {"question": question, **how}, SCRIPT))
        return agents[-1]

    yield start
    for one in agents:
        one.kill()


@pytest.fixture
def phone(look: Look) -> Look:
    """`phone("ana")` opens the page as a person, on a phone."""
    return lambda user, *where: look(user, *where, **PHONE)


def asked(page: Page, question: str) -> Locator:
    """The card of a question."""
    heading = page.get_by_role("heading", name="billing-bot has a question", exact=True)
    card = page.get_by_role("article").filter(has=heading).filter(has_text=question)
    expect(card).to_be_visible()
    assert fits(page)
    return card


def test_one_tap_on_an_option_answers(put: Ask, phone: Look) -> None:
    page, agent = phone("ana"), put("Which Smith gets the tap?", options=SMITHS, why="ambiguous")
    card = asked(page, "Which Smith gets the tap?")
    expect(card).to_contain_text("It found several that fit.")
    expect(card).to_contain_text(SAFETY)
    expect(button(card, "Approve")).to_have_count(0)
    button(card, "Al Smith, Bonn").tap()
    expect(card).to_contain_text("Answered by @ana")
    expect(card).to_contain_text("Al Smith, Bonn")
    expect(card.get_by_role("button", name=re.compile("Smith|Answer|None|Hand"))).to_have_count(0)
    got = agent.got()
    assert (got["status"], got["choices"], got["by"], got["default"]) == ("answered", ["b"], "ana", False)


def test_long_options_several_of_them_and_a_date_are_chosen_in_the_form(put: Ask, phone: Look) -> None:
    stories = {
        f"s{at}": (f"Story {at}: what the river costs us all", f"checked by {at} people") for at in range(10)
    }
    page = phone("ana")
    one = put("Which story comes first?", options=stories)
    card, answer = asked(page, "Which story comes first?"), form(page, "Answer")
    expect(card).to_contain_text("Story 7: what the river costs us all – checked by 7 people")
    button(card, "Answer…").tap()
    expect(answer).to_contain_text(SAFETY)
    button(answer, "Answer").tap()
    expect(answer.get_by_role("alert").filter(has_text="required")).to_be_visible()
    answer.get_by_label("Story 7").check()
    button(answer, "Answer").tap()
    expect(card).to_contain_text("Answered by @ana")
    assert one.got()["choices"] == ["s7"]
    both = put("Who gets it, and when?", options=["board", "staff", "press"], several=True, date=True)
    card = asked(page, "Who gets it, and when?")
    button(card, "Answer…").tap()
    for name in ("press", "board"):
        answer.get_by_label(name).check()
    answer.get_by_label("A date").fill("2027-03-31")
    button(answer, "Answer").tap()
    expect(card).to_contain_text("2027-03-31 (Wednesday)")
    got = both.got()
    assert (got["choices"], got["date"]) == (["board", "press"], "2027-03-31")


def test_words_of_ones_own_but_no_secrets(put: Ask, phone: Look) -> None:
    page = phone("ana")
    agent = put("What next?", tries={"Export by the API": "504 Gateway Timeout"}, why="failed")
    card, answer = asked(page, "What next?"), form(page, "Answer")
    expect(card).to_contain_text("Export by the API – failed: 504 Gateway Timeout")
    button(card, "Answer…").tap()
    answer.get_by_label(WORDS).fill("log in with password: hunter22x")
    button(answer, "Answer").tap()
    expect(answer.locator(".error").filter(has_text="Nobody may type secrets here")).to_be_visible()
    assert agent.waits()
    answer.get_by_label(WORDS).fill("wait an hour, then try again")
    button(answer, "Answer").tap()
    expect(card).to_contain_text("wait an hour, then try again")
    assert agent.got()["text"] == "wait an hour, then try again"


def test_none_of_these_and_you_decide_are_told_apart_from_an_answer(put: Ask, phone: Look) -> None:
    page = phone("ana")
    none = put("Which Smith is none?", options=SMITHS)
    card, other = asked(page, "Which Smith is none?"), form(page, "None of these")
    button(card, "None of these…").tap()
    other.get_by_label("What is right instead").fill("Amelie Smyth, in Basel")
    button(other, "Answer").tap()
    expect(card).to_contain_text("None of these:")
    got = none.got()
    assert (got["none"], got["text"], got["choices"]) == (True, "Amelie Smyth, in Basel", [])
    left = put("Which Smith if you may?", options=SMITHS, default="a")
    card = asked(page, "Which Smith if you may?")
    expect(card).to_contain_text("You decide: billing-bot goes on with “Ann Smith, Berlin”, its own choice.")
    button(card, "You decide").tap()
    expect(card).to_contain_text("You decide; the agent's own choice:")
    got = left.got()
    assert (got["default"], got["choices"]) == (True, ["a"])


def test_a_question_is_handed_to_somebody_who_answers_it(put: Ask, phone: Look) -> None:
    ana, agent = phone("ana"), put("Which Smith for Ben?", options=SMITHS)
    card, hand = asked(ana, "Which Smith for Ben?"), form(ana, "Hand to somebody")
    button(card, "Hand to…").tap()
    for name, told in (("Mia", "The policy does not name them|may not answer it"), ("Ben", "")):
        who = hand.get_by_role("combobox")
        who.fill(name)
        hand.get_by_role("option", name=re.compile(name)).first.tap()
        button(hand, "Hand over").tap()
        if told:
            expect(hand.locator(".error").filter(has_text=re.compile(told))).to_be_visible()
    expect(hand).to_have_count(0)
    expect(card).to_contain_text("Handed to @ben by @ana")
    ben = phone("ben")
    his = asked(ben, "Which Smith for Ben?")
    button(his, "Ann Smith, Berlin").tap()
    expect(card).to_contain_text("Answered by @ben")
    got = agent.got()
    assert (got["choices"], got["by"]) == (["a"], "ben")


def test_two_at_once_and_a_form_whose_time_runs_out(put: Ask, phone: Look, road: Road) -> None:
    ana, ben = phone("ana"), phone("ben")
    agent = put("Which Smith for both?", options=SMITHS)
    hers, his = asked(ana, "Which Smith for both?"), asked(ben, "Which Smith for both?")
    button(his, "None of these…").tap()
    late = form(ben, "None of these")
    late.get_by_label("What is right instead").fill("neither")
    button(hers, "Ann Smith, Berlin").tap()
    expect(his).to_contain_text("Answered by @ana")
    button(late, "Answer").tap()
    told = form(ben, "Not possible")
    expect(told).to_contain_text(re.compile(r"@ana answered this .* before you\. Nothing else happened\."))
    expect(told).to_contain_text("What you had typed was not used:")
    expect(told).to_contain_text("neither")
    button(told, "Close").tap()
    assert agent.got()["choices"] == ["a"]
    slow = put("What takes so long?")
    card, answer = asked(ana, "What takes so long?"), form(ana, "Answer")
    button(card, "Answer…").tap()
    answer.get_by_label(WORDS).fill("the night train")
    road.run_out(waiting(road))
    button(answer, "Answer").tap()
    told = form(ana, "Not possible")
    expect(told).to_contain_text("The time ran out")
    expect(told).to_contain_text("the night train")
    button(told, "Close").tap()
    expect(card).to_contain_text("Nobody answered by")
    assert slow.got()["status"] == "expired"
    expect(only_for_me(ana, "answered this")).to_have_count(0)


def test_whom_nobody_asks_cannot_answer(put: Ask, phone: Look) -> None:
    mia, agent = phone("mia"), put("Which Smith, says Mia?", options=SMITHS)
    card = asked(mia, "Which Smith, says Mia?")
    button(card, "Ann Smith, Berlin").tap()
    expect(only_for_me(mia, "can answer this.")).to_have_count(1)
    assert agent.waits()


def waiting(road: Road) -> str:
    """The id of the question that waits."""

    def look() -> str | None:
        with road.store.reading() as connection:
            statement = text("SELECT id FROM approval WHERE status = 'pending' AND action = 'question'")
            found: str | None = connection.execute(statement).scalar()
            return found

    found: str = eventually(look)
    return found
