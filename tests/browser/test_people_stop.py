"""An agent is stopped from a card on a phone, and goes on once a second person has resumed it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser.people import PHONE, Agent, button, fits, form, open_road, the_card
from flows.person import ANA, BEN, OMAR
from flows.road import Road
from playwright.sync_api import Locator, Page, expect

Ask = Callable[..., Agent]
Look = Callable[..., Page]
MORE = "More options"
PICTURES = os.environ.get("SIGNOFF_PICTURES", "")
"""A folder where what people see is drawn, for who wants to look at it."""


@pytest.fixture(scope="module")
def _open_road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    settings = {"SIGNOFF_APPROVERS": f"{ANA} {BEN} U0GUS00001", "SIGNOFF_ADMINS": OMAR}
    with open_road(tmp_path_factory.mktemp("stopped"), settings) as road:
        yield road


def choose(page: Page, card: Locator, entry: str) -> None:
    """An entry of a card's ⋯ menu."""
    button(card, MORE).click()
    page.get_by_role("menuitem", name=entry, exact=True).click()


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))


def test_a_person_stops_an_agent_from_a_card_and_another_one_resumes_it(ask: Ask, look: Look) -> None:
    waits = ask("refund.create", {"customer": "cus_waits", "amount": 120}, editable=True)
    ana, ben = look("ana", **PHONE), look("ben", **PHONE)
    card, theirs = the_card(ana, "refund.create"), the_card(ben, "refund.create")
    names = [one.strip() for one in card.locator(".actions .button:not(.overflow)").all_text_contents()]
    expect(button(card, MORE)).to_have_count(1)
    assert len(names) <= 3, names
    button(card, MORE).click()
    picture(ana, "menu")
    ana.keyboard.press("Escape")
    choose(ana, card, "Stop billing-bot…")
    stop = form(ana, "Stop billing-bot")
    expect(stop).to_contain_text("billing-bot, whatever it asks for")
    assert fits(ana), "nothing of it is wider than the phone"
    picture(ana, "stop")
    stop.get_by_label("Why").fill("It refunds the same charge twice")
    button(stop, "Stop").click()
    done = form(ana, "Stopped")
    expect(done).to_contain_text("billing-bot is stopped")
    expect(done).to_contain_text("Nothing was approved that has not run")
    picture(ana, "stopped")
    button(done, "Close").first.click()
    for page, shown in ((ana, card), (ben, theirs)):
        expect(shown).to_contain_text("Stopped by @ana")
        expect(shown).to_contain_text("nothing of billing-bot runs")
        expect(shown).to_contain_text("It refunds the same charge twice")
        expect(button(shown, "Approve")).to_have_count(0)
        expect(button(shown, "Reject…")).to_have_count(0)
        assert fits(page), "nothing of it is wider than the phone"
    picture(ben, "held")
    told = ask("refund.create", {"customer": "cus_late", "amount": 80}).got()
    assert told["status"] == "blocked" and "stopped by @ana" in told["reason"], told
    assert waits.waits(), "what waited waits still"
    choose(ana, card, "Resume billing-bot…")
    expect(ana.get_by_text("somebody else has to resume it", exact=False).first).to_be_visible()
    choose(ben, theirs, "Resume billing-bot…")
    resume = form(ben, "Resume billing-bot")
    expect(resume).to_contain_text("It refunds the same charge twice")
    expect(resume).to_contain_text("What was approved before stays void")
    picture(ben, "resume")
    button(resume, "Resume").click()
    expect(form(ben, "Resumed")).to_contain_text("billing-bot is resumed")
    button(form(ben, "Resumed"), "Close").first.click()
    expect(button(theirs, "Approve")).to_be_visible()
    expect(theirs).not_to_contain_text("Stopped by")
    button(theirs, "Approve").click()
    expect(theirs).to_contain_text("Approved by @ben")
    assert waits.got()["status"] == "approved"


def test_home_shows_what_is_stopped_and_resumes_it(ask: Ask, look: Look) -> None:
    waits = ask("mail.send", {"to": "cus_42"}, agent="mail-bot")
    ana = look("ana", **PHONE)
    expect(the_card(ana, "mail.send")).to_be_visible()
    ana, ben, omar = look("ana", "@home", **PHONE), look("ben", "@home", **PHONE), look("omar", "@home")
    button(ana, "Stop…").click()
    stop = form(ana, "Stop")
    stop.get_by_label("mail-bot, whatever it asks for").check()
    picture(ana, "stop-from-home")
    stop.get_by_label("May still run").check()
    button(stop, "Stop").click()
    expect(form(ana, "Stopped")).to_contain_text("mail-bot is stopped")
    for page, name in ((ben, "home"), (omar, "home-admin")):
        expect(page.get_by_text("mail-bot is stopped", exact=False).first).to_be_visible()
        picture(page, name)
    assert fits(ben), "nothing of it is wider than the phone"
    button(ben, "Resume…").click()
    resume = form(ben, "Resume mail-bot")
    resume.get_by_label("Asking first", exact=False).check()
    button(resume, "Resume").click()
    expect(form(ben, "Resumed")).to_contain_text("is asked about from now on")
    button(form(ben, "Resumed"), "Close").first.click()
    expect(ben.get_by_text("is asked about since", exact=False).first).to_be_visible()
    picture(ben, "home-staged")
    button(ben, "Resume…").click()
    button(form(ben, "Resume mail-bot"), "Resume").click()
    button(form(ben, "Resumed"), "Close").first.click()
    expect(ben.get_by_text("is asked about since", exact=False)).to_have_count(0)
    assert waits.waits()


def test_a_guest_stops_nothing(ask: Ask, look: Look) -> None:
    waits = ask("guest.act", {"n": 1}, agent="guest-bot")
    gus = look("gus", **PHONE)
    choose(gus, the_card(gus, "guest.act"), "Stop guest-bot…")
    expect(gus.get_by_text("Only members of this workspace", exact=False).first).to_be_visible()
    assert waits.waits()
