"""One person decides on the page, before a real server; then the agent's process says what it got."""

from __future__ import annotations

import re
from collections.abc import Callable

from browser.people import CHANGES, Agent, button, difference, form, the_card
from playwright.sync_api import Page, expect

Ask = Callable[..., Agent]
Look = Callable[..., Page]
SCHEMA = {
    "type": "object",
    "required": ["customer", "amount"],
    "properties": {
        "customer": {"type": "string"},
        "amount": {"type": "integer", "minimum": 1, "maximum": 500},
    },
}
WHY = "Why, or what to change"


def test_a_person_approves_and_sees_what_became_of_it(ask: Ask, look: Look) -> None:
    page, agent = look("ana"), ask("refund.approve", reason="Duplicate charge, ticket 991.", then="re_991")
    card = the_card(page, "refund.approve")
    expect(card).to_contain_text("billing-bot asks @ana, @ben")
    expect(card).to_contain_text("Duplicate charge, ticket 991.")
    expect(card).to_contain_text(re.compile(r"customer\s+cus_42\s+amount\s+120"))
    button(card, "Approve").click()
    expect(card).to_contain_text("Approved by @ana")
    got = agent.got()
    assert (got["status"], got["payload"]) == ("approved", {"customer": "cus_42", "amount": 120})
    assert got["decided_by"]["name"] == "ana"
    expect(card).to_contain_text("Done")
    expect(card).to_contain_text("re_991")
    expect(button(card, "Approve")).to_have_count(0)


def test_a_rejection_wants_a_reason_and_the_agent_reads_it(ask: Ask, look: Look) -> None:
    page, agent = look("ana"), ask("refund.reject")
    card, tell = the_card(page, "refund.reject"), form(page, "Reject")
    button(card, "Reject…").click()
    expect(tell).to_contain_text("Tell billing-bot")
    button(tell, "Reject").click()
    expect(tell.get_by_role("alert").filter(has_text="required")).to_be_visible()
    expect(tell.get_by_label(WHY)).to_be_focused()
    tell.get_by_label(WHY).fill("   ")
    button(tell, "Reject").click()
    expect(tell).to_contain_text("Say in a few words why, or what to change.")
    assert agent.waits(), "nothing was decided yet"
    tell.get_by_label(WHY).fill("Wrong customer: this is ticket 992's")
    button(tell, "Reject").click()
    expect(tell).to_have_count(0)
    expect(card).to_contain_text("Rejected by @ana")
    expect(card).to_contain_text("Wrong customer: this is ticket 992's")
    got = agent.got()
    assert (got["status"], got["resubmit"]) == ("rejected", False)
    assert got["reason"] == "Wrong customer: this is ticket 992's" and got["payload"] is None


def test_a_request_is_sent_back_for_changes(ask: Ask, look: Look) -> None:
    page, agent = look("ana"), ask("refund.send_back")
    card, tell = the_card(page, "refund.send_back"), form(page, "Reject")
    button(card, "Reject…").click()
    tell.get_by_label("Come back with changes").check()
    tell.get_by_label(WHY).fill("Ask again with the net amount")
    button(tell, "Reject").click()
    expect(card).to_contain_text("Sent back by @ana")
    got = agent.got()
    assert (got["status"], got["resubmit"], got["reason"]) == (
        "rejected", True, "Ask again with the net amount",
    )  # fmt: skip


def test_an_edit_refuses_what_is_wrong_shows_the_difference_and_runs_that(ask: Ask, look: Look) -> None:
    page, agent = look("ana"), ask("refund.edit", schema=SCHEMA)
    card, edit = the_card(page, "refund.edit"), form(page, "refund.edit")
    button(card, "Edit…").click()
    amount = edit.get_by_label("amount")
    expect(amount).to_have_value("120")
    for wrong, told in (("eighty", "number"), ("900", "500")):
        amount.fill(wrong)
        button(edit, "Show changes").click()
        expect(edit.locator(".error").filter(has_text=told)).to_be_visible()
        expect(amount).to_be_focused()
    amount.fill("80")
    button(edit, "Show changes").click()
    expect(difference(page)).to_contain_text(re.compile(r"amount\s+120\s*→\s*80"))
    assert agent.waits(), "looking at the difference decides nothing"
    button(page, CHANGES).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(card).to_contain_text("Changed by the approver")
    got = agent.got()
    assert (got["status"], got["version"]) == ("approved", 2)
    assert got["payload"] == {"customer": "cus_42", "amount": 80}


def test_a_long_payload_is_read_to_its_end_before_it_can_be_approved(ask: Ask, look: Look) -> None:
    lines = [f"step {number}: restart the host number {number} of the fleet" for number in range(2_500)]
    page, agent = look("ana"), ask("deploy.review", {"plan": lines, "zuletzt": "the very last word"})
    card, review = the_card(page, "deploy.review"), form(page, "deploy.review")
    expect(card).to_contain_text(re.compile(r"… [\d,]+ more lines"))
    expect(button(card, "Approve")).to_have_count(0)
    button(card, "Review…").click()
    seen, number = "", 0
    while True:
        number += 1
        place = re.compile(rf"Page {number} of (\d+)")
        expect(review).to_contain_text(place)
        shown = review.inner_text()
        seen += shown
        found = place.search(shown)
        if found and int(found[1]) == number:
            break
        expect(button(review, "Approve")).to_have_count(0)
        button(review, "Next").click()
    assert number > 1
    assert [line for line in [*lines, "the very last word"] if line not in seen] == []
    button(review, "Back").click()
    expect(review).to_contain_text(f"Page {number - 1} of")
    button(review, "Next").click()
    assert agent.waits()
    button(review, "Approve").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(card).to_contain_text("Approved by @ana")
    assert agent.got()["payload"] == {"plan": lines, "zuletzt": "the very last word"}


def test_what_cannot_be_undone_asks_first_and_a_no_changes_nothing(ask: Ask, look: Look) -> None:
    page = look("ana")
    agent = ask("database.drop", {"database": "orders-2019"}, reversible=False)
    card, sure = the_card(page, "database.drop"), form(page, "Approve database.drop?")
    expect(card).to_contain_text("Cannot be undone")
    button(card, "Approve").click()
    expect(sure).to_contain_text("This cannot be undone. Run database.drop with this?")
    expect(sure).to_contain_text("database “orders-2019”")
    button(sure, "Cancel").click()
    expect(sure).to_have_count(0)
    expect(button(card, "Approve")).to_be_focused()
    assert agent.waits()
    button(card, "Approve").click()
    button(sure, "Approve").click()
    expect(card).to_contain_text("Approved by @ana")
    assert agent.got()["status"] == "approved"
