"""What a policy's file makes of requests, at the page, as people see it; then the agent says what it got."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from browser.people import CHANGES, Agent, button, difference, form, only_for_me, open_road, the_card
from flows.person import ANA, BEN, MIA, OMAR
from flows.road import Road
from playwright.sync_api import Locator, Page, expect
from support import eventually

from signoff import Limited
from signoff.models import flood

Ask = Callable[..., Agent]
Look = Callable[..., Page]
RULES = f"""\
version: 1
autonomy: supervised
reversibility: {{"refund.*": reversible}}
groups:
  finance: {{users: [{ANA}, {BEN}]}}
  board: {{users: [{BEN}, {MIA}]}}
agents:
  iam-bot: {{owner: {MIA}}}
  busy-bot: {{limits: {{per_hour: 1}}}}
rules:
  - name: small refunds
    match: {{action: "refund.*"}}
    when: payload.amount <= 50
    verdict: allow
  - name: reported edits
    match: {{action: files.edit}}
    verdict: notify
    headline: "Edit {{path}}"
  - name: people make admins
    match: {{action: "iam.*"}}
    verdict: block
    reason: Admins are made by people only.
  - name: the bank's
    match: {{action: "refund.*"}}
    when: payload.amount > 5000
    verdict: block
    reason: Over 5,000 only the bank pays back.
  - name: large refunds
    match: {{action: "refund.*"}}
    when: payload.amount > 1000
    verdict: ask
    headline: "Refund of {{amount}} EUR to {{customer}}"
    approvers: [board]
  - name: refunds
    match: {{action: "refund.*"}}
    verdict: ask
    headline: "Refund {{amount}} EUR to {{customer}}"
    channel: "#random"
    approvers: [finance]
    editable: [amount]
"""
OTHERS = RULES.replace(f"finance: {{users: [{ANA}, {BEN}]}}", f"finance: {{users: [{MIA}]}}")


@pytest.fixture(scope="module")
def _open_road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    """A server with the rules above; omar is the admin who hears of a bad file."""
    folder = tmp_path_factory.mktemp("policed")
    (folder / "policy.yml").write_text(RULES)
    settings = {
        "SIGNOFF_POLICY": str(folder / "policy.yml"), "SIGNOFF_APPROVERS": ANA, "SIGNOFF_ADMINS": OMAR,
    }  # fmt: skip
    with open_road(folder, settings) as road:
        yield road


@pytest.fixture
def road(road: Road) -> Road:
    """With the rules above in force."""
    road.follow(RULES)
    return road


def refund(ask: Ask, customer: str, amount: int = 120, **said: str) -> Agent:
    """A request that no other test makes, since each has a customer of its own."""
    return ask("refund.create", {"customer": customer, "amount": amount}, **said)


def report(page: Page, title: str) -> Locator:
    """The small card of something that ran without asking, which has no heading."""
    return page.get_by_role("main").get_by_role("article").filter(has_text=title)


def pressable(message: Locator) -> Locator:
    """The buttons that the app has put there; its menu, and the page's own of a message, are not."""
    return message.get_by_role("button", name=re.compile("Approve|Reject|Edit|Review|Details"))


def edit_amount(page: Page, card: Locator, amount: int) -> Locator:
    """Open the form, put the amount in, and ask for the changes; gives the form."""
    button(card, "Edit…").click()
    edit = form(page, "refund.create")
    change_amount(edit, amount)
    return edit


def change_amount(edit: Locator, amount: int) -> None:
    edit.get_by_label("amount").fill(str(amount))
    button(edit, "Show changes").click()


def test_what_is_allowed_leaves_no_card_and_what_is_notified_a_small_one(
    road: Road, ask: Ask, look: Look
) -> None:
    page, random = look("ana"), look("ana", "random")
    allowed = refund(ask, "cus_allow", 50).got()
    assert (allowed["status"], allowed["rule"]) == ("approved", "small refunds")
    assert allowed["payload"] == {"customer": "cus_allow", "amount": 50} and allowed["decided_by"] is None
    edit = ask("files.edit", {"path": "docs/a.txt"}, then="12 lines")
    told = report(page, "Edit docs/a.txt")
    expect(told).to_contain_text("billing-bot · ran without asking, as the policy lets it")
    expect(told).to_contain_text("Done")
    expect(told).to_contain_text("12 lines")
    expect(pressable(told)).to_have_count(0)
    reported = edit.got()
    assert (reported["status"], reported["rule"]) == ("approved", "reported edits")
    for channel in (page, random):  # the later one's card stands: an earlier one would, too
        expect(channel.get_by_text("cus_allow")).to_have_count(0)


def test_a_rule_says_what_is_asked_where_and_of_whom(ask: Ask, look: Look) -> None:
    title = "Refund 120 EUR to cus_rule"
    ana, mia, agent = look("ana", "random"), look("mia", "random"), refund(ask, "cus_rule")
    card, hers = the_card(ana, title), the_card(mia, title)
    expect(card).to_contain_text("refund.create")
    expect(card).to_contain_text("billing-bot asks @ana, @ben")
    assert card.inner_text().index(title) < card.inner_text().index("cus_rule\n")
    button(card, "More options").click()
    ana.get_by_role("menuitem", name="Details…").click()
    details = form(ana, "Details")
    expect(details).to_contain_text("Policy's rule: refunds")
    expect(details).to_contain_text("Policy says: the rule “refunds”")
    expect(details).to_contain_text(re.compile(r"Policy's digest: [0-9a-f]{16}"))
    digest = re.search(r"Policy's digest: ([0-9a-f]{16})", details.inner_text())
    button(details, "Close").click()
    button(hers, "Approve").click()
    expect(only_for_me(mia, "Only @ana, @ben can decide this.")).to_be_visible()
    assert agent.waits()
    button(card, "Approve").click()
    expect(hers).to_contain_text("Approved by @ana")
    got = agent.got()
    assert (got["status"], got["rule"], got["decided_by"]["name"]) == ("approved", "refunds", "ana")
    assert digest and got["policy"] == digest[1]


def test_what_is_blocked_asks_nobody_and_history_says_by_which_rule_and_why(ask: Ask, look: Look) -> None:
    page = look("ana")
    got = ask("iam.grant_admin", {"user": "ben"}, agent="iam-bot").got()
    assert (got["status"], got["rule"]) == ("blocked", "people make admins")
    assert "Admins are made by people only." in got["reason"] and got["payload"] is None
    item = look("mia", "@home").get_by_role("tabpanel")
    expect(item).to_contain_text("Asked by your agents")
    expect(item).to_contain_text("Blocked by policy")
    expect(item).to_contain_text("the rule “people make admins”. Admins are made by people only.")
    field = page.get_by_role("combobox", name="Message #agent-approvals")
    field.fill("/approvals history iam-bot")
    page.keyboard.press("Enter")
    listed = only_for_me(page, "iam.grant_admin")
    expect(listed).to_contain_text("Blocked by policy")
    expect(listed).to_contain_text("the rule “people make admins”. Admins are made by people only.")
    button(listed, "Details…").click()
    details = form(page, "Details")
    expect(details).to_contain_text("Blocked by policy: iam.grant_admin. Nothing ran.")
    expect(details).to_contain_text("Reason: Admins are made by people only.")
    expect(details).to_contain_text("Policy's rule: people make admins")
    expect(page.get_by_role("main").get_by_text("iam.grant_admin")).to_have_count(1)  # in this answer alone


def test_a_flood_is_answered_with_when_to_try_again_and_its_channel_told_once(
    road: Road, ask: Ask, look: Look
) -> None:
    page, busy = look("ana", "random"), road.agent("busy-bot")
    payload = {"customer": "cus_busy", "amount": 1}
    busy.request("refund.create", payload, reversible=True).wait(60)
    for amount in range(100, 110):
        with pytest.raises(Limited):
            busy.request("refund.create", payload | {"amount": amount}, reversible=True).wait(60)
    notice = report(page, "busy-bot asks for too much.")
    expect(notice).to_contain_text("It may ask once in any hour, and has: more are refused until")
    expect(pressable(notice)).to_have_count(0)
    got = refund(ask, "cus_busy", agent="busy-bot").got()
    assert got["status"] == "limited" and got["payload"] is None
    assert re.search(r"once in any hour.*try again after [0-9-]{10}T[0-9:]{8}Z", got["reason"])
    eventually(lambda: not flood.untold(road.store))
    road.agent().request("refund.create", {"customer": "cus_after", "amount": 120}, reversible=True)
    expect(the_card(page, "Refund 120 EUR to cus_after")).to_be_visible()  # later than any other notice
    expect(notice).to_have_count(1)
    expect(page.get_by_role("main").get_by_text("cus_busy")).to_have_count(0)


def test_the_same_request_is_not_asked_twice_while_the_first_waits(ask: Ask, look: Look) -> None:
    page, title = look("ana", "random"), "Refund 120 EUR to cus_twice"
    first = refund(ask, "cus_twice")
    expect(button(the_card(page, title), "Approve")).to_be_visible()
    second = refund(ask, "cus_twice").got()
    button(the_card(page, title), "Approve").click()
    expect(the_card(page, title)).to_contain_text("Approved by @ana")
    got = first.got()
    assert (got["status"], second["status"]) == ("approved", "duplicate")
    assert got["id"] in second["reason"] and second["payload"] is None


def test_an_edit_under_a_stricter_rule_is_for_that_rules_people(ask: Ask, look: Look) -> None:
    ana, ben, agent = look("ana", "random"), look("ben", "random"), refund(ask, "cus_strict", 140)
    title = "Refund 140 EUR to cus_strict"
    refused = edit_amount(ana, the_card(ana, title), 1400)
    expect(refused).to_contain_text("With these changes only @ben, @mia can decide this. Nothing has changed")
    expect(refused.get_by_label("amount")).to_have_value("1400")
    assert agent.waits()
    edit_amount(ben, the_card(ben, title), 1400)
    expect(difference(ben)).to_contain_text(re.compile(r"amount\s+140\s*→\s*1400"))
    button(ben, CHANGES).click()
    expect(the_card(ana, "Refund of 1400 EUR to cus_strict")).to_contain_text("Approved by @ben")
    got = agent.got()
    assert (got["status"], got["rule"], got["decided_by"]["name"]) == ("approved", "large refunds", "ben")
    assert got["payload"] == {"customer": "cus_strict", "amount": 1400}


def test_an_edit_into_what_is_blocked_is_refused_at_its_field(ask: Ask, look: Look) -> None:
    page, agent = look("ana", "random"), refund(ask, "cus_bank", 150)
    edit = edit_amount(page, the_card(page, "Refund 150 EUR to cus_bank"), 9000)
    expect(edit.locator(".error")).to_have_text("Blocked by policy: Over 5,000 only the bank pays back.")
    expect(edit.get_by_label("amount")).to_be_focused()
    assert agent.waits()
    change_amount(edit, 90)
    expect(difference(page)).to_contain_text(re.compile(r"amount\s+150\s*→\s*90"))
    button(page, CHANGES).click()
    expect(the_card(page, "Refund 90 EUR to cus_bank")).to_contain_text("Approved by @ana")
    got = agent.got()
    assert (got["status"], got["rule"]) == ("approved", "refunds")
    assert got["payload"] == {"customer": "cus_bank", "amount": 90}


def test_after_a_reload_todays_people_decide_and_a_bad_file_only_tells_the_admin(
    road: Road, ask: Ask, look: Look
) -> None:
    title = "Refund 120 EUR to cus_reload"
    ana, mia, agent = look("ana", "random"), look("mia", "random"), refund(ask, "cus_reload")
    expect(button(the_card(ana, title), "Approve")).to_be_visible()
    road.follow(OTHERS)
    button(the_card(ana, title), "Approve").click()
    expect(only_for_me(ana, "Who may decide has changed since this was asked")).to_contain_text(
        "now only @mia can."
    )
    road.write_policy(OTHERS.replace("verdict: block", "verdict: blok"))
    eventually(lambda: road.slack.messages(OMAR), 60)
    told = report(look("omar", "@messages"), "The policy file cannot be used")
    expect(told).to_contain_text("the policy from before stays in force")
    expect(told).to_contain_text(re.compile(r"policy\.yml:\d+:\d+: .* must be one of allow, notify"))
    assert agent.waits()
    button(the_card(mia, title), "Approve").click()
    expect(the_card(ana, title)).to_contain_text("Approved by @mia")
    got = agent.got()
    assert (got["status"], got["decided_by"]["name"]) == ("approved", "mia")
