"""Several people decide at a real server: seats on the card, votes taken back, edits, and cards that move."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flows.person import ANA, BEN, CHANNEL, MIA, Someone, buttons, card, redrawn, text_of
from flows.road import Road
from support import eventually

from signoff import Ticket

RULES = f"""\
version: 1
groups:
  finance: {{users: [{ANA}]}}
  security: {{users: [{BEN}, {MIA}]}}
  board: {{users: [{MIA}]}}
rules:
  - name: large
    match: {{action: "refund.*"}}
    when: payload.amount > 1000
    verdict: ask
    channel: {CHANNEL}
    approvers: [board]
  - name: two teams
    match: {{action: "refund.*"}}
    verdict: ask
    exclude: []
    approvers: [{{from: [finance]}}, {{from: [security], need: 2}}]
  - name: two to reject
    match: {{action: mail.send}}
    verdict: ask
    exclude: []
    reject: 2
    approvers: [{{from: [finance]}}, {{from: [security]}}]
"""


@pytest.fixture(scope="module")
def several(make_road: Callable[..., Road], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    folder: Path = tmp_path_factory.mktemp("several")
    (folder / "policy.yml").write_text(RULES)
    road = make_road(folder=folder, SIGNOFF_POLICY=str(folder / "policy.yml"), SIGNOFF_ADMINS=BEN)
    road.start()
    yield road
    road.close()


def people(road: Road) -> list[Someone]:
    return [Someone(road.slack, user) for user in (ANA, BEN, MIA)]


def refund(road: Road, amount: int) -> Ticket:
    return road.agent().request("refund.create", {"customer": "cus_42", "amount": amount}, reversible=False)


def shows(road: Road, request_id: str, *words: str) -> Any:
    """Its card, once it says all of this."""

    def look() -> Any:
        found = card(road.slack, request_id)
        return found if all(word in text_of(found) for word in words) else None

    return eventually(look)


def test_three_people_fill_the_seats_and_the_card_tells_at_every_moment(several: Road) -> None:
    ana, ben, mia = people(several)
    ticket = refund(several, 120)
    found = card(several.slack, ticket.id)
    assert "Finance: 0 of 1 · Security: 0 of 2 · waits for finance and security" in text_of(found)
    assert "take_back" not in buttons(found)
    ana.click(found, "approve")
    found = shows(several, ticket.id, f"Finance: <@{ANA}>", "waits for security")
    assert f"asks <@{BEN}>, <@{MIA}>" in text_of(found), "who has voted is not mentioned again"
    ben.click(found, "approve")
    found = shows(several, ticket.id, f"Security: 1 of 2, <@{BEN}>")
    ben.click(found, "take_back")
    found = shows(several, ticket.id, "Security: 0 of 2")
    mia.click(found, "approve")
    found = shows(several, ticket.id, f"Security: 1 of 2, <@{MIA}>")
    before = len(mia.told())
    mia.click(found, "approve")
    mia.told_now(before, "Your vote stands already")
    ben.click(found, "approve")
    receipt = ticket.wait(60)
    assert [one.id for one in receipt.voters] == [ANA, MIA, BEN]
    assert [one.seat for one in receipt.voters] == ["finance", "security", "security"]
    redrawn(several.slack, ticket.id, f"by <@{ANA}>, <@{MIA}> and <@{BEN}>")


def test_an_edit_voids_the_votes_of_others_and_the_card_says_whose(several: Road) -> None:
    ana, ben, mia = people(several)
    ticket = refund(several, 130)
    ben.click(card(several.slack, ticket.id), "approve")
    found = shows(several, ticket.id, f"Security: 1 of 2, <@{BEN}>")
    ana.click(found, "edit")
    ana.submit(ana.view("edit"), amount="80")
    ana.submit(ana.view("difference"))
    found = shows(several, ticket.id, f"<@{BEN}>'s vote is void: <@{ANA}> changed it", "void")
    assert f"Finance: <@{ANA}>" in text_of(found)
    for who in (ben, mia):
        who.click(card(several.slack, ticket.id), "approve")
    receipt = ticket.wait(60)
    assert receipt.payload == {"customer": "cus_42", "amount": 80} and len(receipt.voters) == 3


def test_an_edit_under_a_stricter_rule_is_handed_over(several: Road) -> None:
    ana, ben, mia = people(several)
    ticket = refund(several, 140)
    ana.click(card(several.slack, ticket.id), "edit")
    ana.submit(ana.view("edit"), amount="2000")
    ana.submit(ana.view("difference"))
    found = shows(several, ticket.id, f"asks <@{MIA}>", f"*Changed by <@{ANA}>*")
    before = len(ben.told())
    ben.click(found, "approve")
    ben.told_now(before, f"<@{MIA}>")
    mia.click(found, "approve")
    receipt = ticket.wait(60)
    assert receipt.payload == {"customer": "cus_42", "amount": 2000}
    assert [one.id for one in receipt.voters] == [MIA]


def test_one_no_stands_on_the_card_where_two_have_to_reject(several: Road) -> None:
    ana, ben, _ = people(several)
    ticket = several.agent().request("mail.send", {"to": "cus_43"}, reversible=False)
    ben.reject(card(several.slack, ticket.id), "Wrong customer")
    found = shows(several, ticket.id, f"<@{BEN}> said no", "Wrong customer", "It takes 2 to reject it")
    before = len(ben.told())
    ben.click(found, "approve")
    ben.told_now(before, "You have said no")
    ana.reject(found, "Not now")
    ended = eventually(lambda: (row := several.row(ticket.id)).ended_at and row)
    assert ended.status == "rejected"
