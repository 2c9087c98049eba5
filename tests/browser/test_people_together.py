"""Several people, several places to decide from, and a bot that dies in between."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from browser.people import Agent, button, form, only_for_me, the_card
from flows.road import Road
from playwright.sync_api import Page, expect
from support import eventually

Ask = Callable[..., Agent]
Look = Callable[..., Page]


def test_of_two_people_in_two_windows_the_late_one_is_told_who_was_faster(ask: Ask, look: Look) -> None:
    ana, ben = look("ana"), look("ben")
    agent = ask("database.race", reversible=False)
    hers, his = the_card(ana, "database.race"), the_card(ben, "database.race")
    button(his, "Approve").click()  # he is asked whether he is sure, and thinks
    button(hers, "Approve").click()
    button(form(ana, "Approve database.race?"), "Approve").click()
    expect(his).to_contain_text("Approved by @ana")  # by itself
    expect(button(his, "Approve")).to_have_count(0)
    button(form(ben, "Approve database.race?"), "Approve").click()
    told = only_for_me(ben, "@ana approved this")
    expect(told).to_contain_text(re.compile(r"before you\. Nothing else happened\."))
    expect(only_for_me(ana, "approved this")).to_have_count(0)
    got = agent.got()
    assert (got["status"], got["decided_by"]["name"]) == ("approved", "ana")


def test_a_form_that_is_sent_too_late_says_so_and_keeps_nothing_back(ask: Ask, look: Look) -> None:
    ana, ben = look("ana"), look("ben")
    agent = ask("refund.late_form")
    button(the_card(ben, "refund.late_form"), "Reject…").click()
    reject = form(ben, "Reject")
    reject.get_by_label("Why, or what to change").fill("I do not think so")
    button(the_card(ana, "refund.late_form"), "Approve").click()
    expect(the_card(ben, "refund.late_form")).to_contain_text("Approved by @ana")
    button(reject, "Reject").click()
    told = ben.get_by_role("dialog")
    expect(told).to_contain_text("@ana approved this")
    expect(told).to_contain_text("Nothing else happened.")
    button(told, "Close").click()
    expect(ben.get_by_role("dialog")).to_have_count(0)
    assert agent.got()["status"] == "approved"


@pytest.mark.parametrize("user", ["gus", "eve"])
def test_a_guest_and_a_stranger_who_try_are_refused_and_an_approver_still_decides(
    ask: Ask, look: Look, user: str
) -> None:
    other, agent = look(user), ask(f"refund.by-{user}")
    card = the_card(other, f"refund.by-{user}")
    button(card, "Approve").click()
    expect(only_for_me(other, "Only members of this workspace can decide.")).to_have_count(1)
    button(card, "Reject…").click()
    expect(other.get_by_text("Only members of this workspace can decide.")).to_have_count(2)
    expect(button(card, "Approve")).to_be_visible()
    assert agent.waits()
    ana = look("ana")
    button(the_card(ana, f"refund.by-{user}"), "Approve").click()
    expect(card).to_contain_text("Approved by @ana")
    got = agent.got()
    assert (got["status"], got["decided_by"]["name"]) == ("approved", "ana")


def test_the_requests_of_a_run_stand_in_one_thread_that_counts_them(ask: Ask, look: Look) -> None:
    page, run = look("ana"), "nightly clean-up"
    agents = [ask(f"files.{name}", agent="night-bot", run=run) for name in ("move", "delete")]
    first = the_card(page.get_by_role("main"), "Requests of night-bot, one run")
    expect(first).to_contain_text("2 requests wait · 0 decided")
    expect(the_card(page, "files.move")).to_have_count(0)  # only its thread holds it
    first.get_by_role("button", name="2 replies").click()
    thread = page.get_by_role("complementary", name="Thread")
    move, delete = the_card(thread, "files.move"), the_card(thread, "files.delete")
    button(move, "Approve").click()
    expect(move).to_contain_text("Approved by @ana")
    assert agents[0].got()["status"] == "approved"
    button(delete, "Reject…").click()
    reject = form(page, "Reject")
    reject.get_by_label("Why, or what to change").fill("Keep them")
    button(reject, "Reject").click()
    expect(delete).to_contain_text("Rejected by @ana")
    assert agents[1].got()["reason"] == "Keep them"
    expect(first).to_contain_text("Nothing waits · 2 decided")


def test_a_command_typed_in_the_composer_lists_and_its_review_approves(ask: Ask, look: Look) -> None:
    page, agent = look("ana"), ask("list.review")
    expect(the_card(page, "list.review")).to_be_visible()
    field = page.get_by_role("combobox", name="Message #agent-approvals")
    field.press_sequentially("/appr")
    page.keyboard.press("Tab")
    field.press_sequentially("pending list.review")
    page.keyboard.press("Enter")
    listed = only_for_me(page, "list.review")
    expect(listed).to_contain_text("1 request of list.review waits for you")
    expect(button(listed, "Approve")).to_have_count(0)
    button(listed, "Review…").click()
    review = form(page, "list.review")
    expect(review).to_contain_text("cus_42")
    button(review, "Approve").click()
    expect(the_card(page, "list.review")).to_contain_text("Approved by @ana")
    assert agent.got()["status"] == "approved"


def test_home_follows_by_itself_what_waits_and_what_was_decided(ask: Ask, look: Look) -> None:
    home, channel = look("ben", "@home"), look("ana")
    expect(home.get_by_role("heading", name="Waiting for you")).to_be_visible()
    agent = ask("home.follow")
    item = home.get_by_role("tabpanel").locator(".block.section").filter(has_text="home.follow")
    expect(item).to_be_visible()
    expect(button(item, "Approve")).to_have_count(0)
    button(item, "Review…").click()
    review = form(home, "home.follow")
    expect(review).to_contain_text("cus_42")
    button(review, "Approve").click()
    expect(the_card(channel, "home.follow")).to_contain_text("Approved by @ben")
    assert agent.got()["decided_by"]["name"] == "ben"
    expect(home.get_by_role("heading", name="Decided by you")).to_be_visible()
    expect(button(item, "Review…")).to_have_count(0)


def test_a_card_outlives_a_bot_that_is_killed_between_showing_and_clicking(
    road: Road, ask: Ask, look: Look
) -> None:
    page, agent = look("ana"), ask("refund.killed_bot")
    card = the_card(page, "refund.killed_bot")
    expect(button(card, "Approve")).to_be_visible()
    dead = road.kill("bot")
    eventually(lambda: road.children().get("bot", dead) != dead, 60)
    eventually(lambda: road.slack.state()["connections"] == 2, 60)
    button(card, "Approve").click()
    expect(card).to_contain_text("Approved by @ana")
    assert agent.got()["status"] == "approved"
