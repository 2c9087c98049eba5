"""A policy's file through a real server: what runs, asks and never runs; and a file that changes."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flows.person import ANA, BEN, CHANNEL, MIA, Someone, buttons, card, cards, redrawn, text_of
from flows.road import Road
from support import eventually, undelivered

from signoff import Blocked, Duplicate, Invalid, Limited, Ticket

RULES = f"""\
version: 1
autonomy: supervised
groups:
  finance: {{users: [{ANA}]}}
  board: {{users: [{MIA}]}}
agents:
  busy-bot: {{owner: {MIA}, limits: {{per_hour: 2}}}}
rules:
  - name: small refunds
    match: {{action: "refund.*"}}
    when: payload.amount <= 50
    verdict: allow
  - name: reported
    match: {{action: files.edit}}
    verdict: notify
  - name: never
    match: {{action: "iam.*"}}
    verdict: block
    reason: Admins are made by people only.
  - name: not to strangers
    match: {{action: mail.send}}
    when: payload.to == "eve"
    verdict: block
    reason: Eve gets no mail.
  - name: large refunds
    match: {{action: "refund.*"}}
    when: payload.amount > 1000
    verdict: ask
    approvers: [board]
    require: [reason]
  - name: refunds
    match: {{action: "refund.*"}}
    verdict: ask
    headline: "Refund {{amount}} EUR to {{customer}}"
    approvers: [finance]
    editable: [amount]
    expires_in: 30m
"""


@pytest.fixture(scope="module")
def policed(make_road: Callable[..., Road], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    folder = tmp_path_factory.mktemp("policed")
    (folder / "policy.yml").write_text(RULES)
    road = make_road(
        folder=folder,
        SIGNOFF_POLICY=str(folder / "policy.yml"),
        SIGNOFF_ADMINS=BEN,
    )
    road.start()
    yield road
    road.close()


@pytest.fixture
def road(policed: Road) -> Iterator[Road]:
    """With the rules above in force."""
    policed.follow(RULES)
    yield policed
    for user in (ANA, BEN, MIA):
        Someone(policed.slack, user).close_all()


def _naming(road: Road, request_id: str, user: str) -> Any:
    """Its card, if it mentions somebody."""
    found = card(road.slack, request_id)
    return found if f"<@{user}>" in text_of(found) else None


def refund(road: Road, amount: int, agent: str = "billing-bot", **said: Any) -> Ticket:
    payload = {"customer": "cus_42", "amount": amount}
    return road.agent(agent).request("refund.create", payload, reversible=False, **said)


def told(road: Road, user: str) -> str:
    """All that the app has written to a person."""
    return "\n".join(message.get("text", "") for message in road.slack.messages(user))


def test_what_is_allowed_runs_at_once_and_no_card_stands(road: Road) -> None:
    ticket = refund(road, 50)
    receipt = ticket.wait(60)
    assert receipt.payload == {"customer": "cus_42", "amount": 50} and receipt.policy
    assert receipt.decided_by is None
    road.agent().report(ticket.id, succeeded=True, note="re_1")
    eventually(lambda: road.row(ticket.id).outcome)
    eventually(lambda: not undelivered(road.store))
    assert cards(road.slack, ticket.id) == []


def test_what_is_notified_runs_at_once_and_a_small_card_says_so(road: Road) -> None:
    ticket = road.agent().request("files.edit", {"path": "a.txt"}, reversible=True)
    ticket.wait(60)
    found = card(road.slack, ticket.id)
    assert buttons(found) == [] and "ran without asking" in text_of(found) and "a.txt" in text_of(found)
    road.agent().report(ticket.id, succeeded=True, note="saved")
    redrawn(road.slack, ticket.id, "Done", "saved")
    assert not found.get("reply_count")


def test_what_is_blocked_is_told_why_and_nobody_is_asked(road: Road) -> None:
    ticket = road.agent().request("iam.grant_admin", {"user": "ben"}, reversible=False)
    with pytest.raises(Blocked) as refused:
        ticket.wait(60)
    assert "Admins are made by people only." in str(refused.value)
    assert cards(road.slack, ticket.id) == []


def test_a_rule_says_who_is_asked_and_its_headline_stands_on_top(road: Road) -> None:
    ticket = refund(road, 120)
    found = card(road.slack, ticket.id)
    assert found["blocks"][0]["text"]["text"] == "Refund 120 EUR to cus_42"
    assert "Refund 120 EUR to cus_42" in found["text"] and f"<@{ANA}>" in text_of(found)
    ben = Someone(road.slack, BEN)
    ben.click(found, "approve")
    eventually(lambda: f"Only <@{ANA}> can decide this" in str(road.slack.messages(CHANNEL)))
    Someone(road.slack, ANA).click(found, "approve")
    assert ticket.wait(60).approved


def test_what_is_required_and_not_said_is_named(road: Road) -> None:
    with pytest.raises(Invalid, match="wants reason"):
        refund(road, 2000).wait(60)


def test_the_same_is_not_asked_twice_at_once(road: Road) -> None:
    first = refund(road, 130)
    card(road.slack, first.id)
    with pytest.raises(Duplicate, match=first.id):
        refund(road, 130).wait(60)


def test_a_flood_is_refused_and_its_channel_told_once(road: Road) -> None:
    for amount in (1, 2):
        refund(road, amount, agent="busy-bot").wait(60)
    for amount in range(3, 13):
        with pytest.raises(Limited, match="try again after"):
            refund(road, amount, agent="busy-bot").wait(60)

    def notices() -> list[Any]:
        return [m for m in road.slack.messages(CHANNEL) if "busy-bot asks for too much" in m.get("text", "")]

    eventually(notices)
    eventually(lambda: not undelivered(road.store))
    assert len(notices()) == 1


def test_an_edit_into_a_stricter_rule_is_handed_over_to_who_may(road: Road) -> None:
    ana, mia = Someone(road.slack, ANA), Someone(road.slack, MIA)
    ticket = refund(road, 140, reason="twice charged")
    ana.click(card(road.slack, ticket.id), "edit")
    ana.submit(ana.view("edit"), amount="1400")
    ana.submit(ana.view("difference", "1400"))
    mia.click(eventually(lambda: _naming(road, ticket.id, MIA)), "approve")
    assert ticket.wait(60).payload == {"customer": "cus_42", "amount": 1400}


def test_an_edit_of_several_fields_into_what_is_blocked_says_so_on_top_of_the_form(road: Road) -> None:
    ana, mail = Someone(road.slack, ANA), {"to": "ben", "text": "Hello"}
    ticket = road.agent().request("mail.send", mail, reversible=False)
    ana.click(card(road.slack, ticket.id), "edit")
    ana.submit(ana.view("edit"), to="eve", text="Bye")
    form = ana.view("edit", "The policy blocks the request with these changes. Nothing has changed. Eve gets")
    assert form["blocks"][0]["block_id"] == "refused"
    ana.submit(form, to="mia")
    ana.submit(ana.view("difference", "mia"))
    assert ticket.wait(60).payload == {"to": "mia", "text": "Bye"}


def test_what_a_new_file_blocks_ends_as_blocked_and_its_card_says_so(road: Road) -> None:
    ticket = refund(road, 150)
    card(road.slack, ticket.id)
    road.follow(RULES.replace("rules:\n", 'block: ["refund.*"]\nrules:\n'))
    with pytest.raises(Blocked):
        ticket.wait(30)
    assert buttons(redrawn(road.slack, ticket.id, "lock")) == []


def test_a_form_that_was_opened_under_another_file_decides_nothing(road: Road) -> None:
    ana, ticket = Someone(road.slack, ANA), refund(road, 160)
    ana.click(card(road.slack, ticket.id), "edit")
    ana.submit(ana.view("edit"), amount="90")
    form = ana.view("difference", "90")
    road.follow(RULES.replace("approvers: [finance]", f"approvers: [{BEN}]"))
    found = eventually(lambda: _naming(road, ticket.id, BEN), 30)
    assert f"<@{ANA}>" not in text_of(found), "the card names whom the rule names today"
    ana.submit(form)
    ana.view("message", f"now only <@{BEN}> can")
    assert road.row(ticket.id).pending
    Someone(road.slack, BEN).click(found, "approve")
    assert ticket.wait(60).approved


def test_a_bad_file_leaves_the_old_one_in_force_and_an_admin_is_told_once(road: Road) -> None:
    road.write_policy(RULES.replace("verdict: allow", "verdict: alow"))
    eventually(lambda: "policy.yml" in told(road, BEN), 30)
    for role in road.roles:
        assert road.children()[role]
    assert road.process is not None
    road.process.send_signal(signal.SIGHUP)
    assert refund(road, 33).wait(60).approved
    assert told(road, BEN).count("The policy file cannot be used") == 1
    pid = road.kill("intake")
    eventually(lambda: road.children().get("intake") not in (None, pid), 60)
    assert refund(road, 34).wait(60).approved
    road.follow(RULES.replace("payload.amount <= 50", "payload.amount <= 60"))
    assert refund(road, 60).wait(60).approved


def test_sighup_has_the_file_read_and_the_server_goes_on(road: Road) -> None:
    said = road.log.count("policy in force")
    road.write_policy(RULES.replace("payload.amount <= 50", "payload.amount <= 70"))
    assert road.process is not None
    road.process.send_signal(signal.SIGHUP)
    eventually(lambda: road.log.count("policy in force") >= said + len(road.roles), 60)
    assert refund(road, 70).wait(60).approved and road.process.poll() is None


def test_a_bad_file_is_refused_at_start(make_road: Callable[..., Road], road: Road, tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text("version: 1\nrules:\n  - name: a\n    verdict: alow\nfoo: 1\n")
    other = make_road(slack=road.slack, folder=tmp_path, SIGNOFF_POLICY=str(tmp_path / "policy.yml"))
    assert other.spawn().wait(60) == 2
    assert "policy.yml:4:" in other.log and "policy.yml:5:" in other.log
