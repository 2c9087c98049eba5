"""Reminders, deputies and Hand to…, from the click in Slack to what everybody sees."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flows.person import ANA, BEN, MIA, Someone, buttons, card, text_of
from flows.road import Road
from flows.test_lists import reads, said
from flows.test_talks import in_thread, shows
from support import eventually

POLICY = f"""version: 1
groups:
  finance: {{users: [{ANA}], deputies: [{BEN}]}}
rules:
  - name: refunds
    match: {{action: timed.create}}
    verdict: ask
    approvers: [finance]
    remind: [1s]
    escalate: [{{after: 2s, to: [{MIA}]}}]
    valid: 1h
    clock: shown
  - {{name: handed, match: {{action: refund.create}}, verdict: ask, approvers: [{ANA}, {BEN}]}}
  - {{name: quiet, match: {{action: finance.only}}, verdict: ask, approvers: [finance]}}
"""


@pytest.fixture(scope="module")
def timed(make_road: Callable[..., Road], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    folder = tmp_path_factory.mktemp("timed")
    (folder / "policy.yml").write_text(POLICY)
    road = make_road(folder=folder, SIGNOFF_POLICY=str(folder / "policy.yml"), SIGNOFF_ADMINS=MIA)
    road.start()
    yield road
    road.close()


def run(road: Road, *words: str) -> str:
    """The command line, beside the server."""
    environment = {**os.environ, **road.environment}
    found = subprocess.run(
        [sys.executable, "-m", "signoff", *words], env=environment, capture_output=True, text=True, timeout=60
    )
    return found.stdout + found.stderr


def test_people_are_reminded_and_more_are_asked_in_the_cards_thread(timed: Road) -> None:
    road, mia = timed, Someone(timed.slack, MIA)
    ticket = road.agent().request("timed.create", {"amount": 7}, reversible=True)
    place = card(road.slack, ticket.id)
    found = shows(road, ticket.id, f"Also asked: <@{MIA}>", "nobody had decided within 2 s")
    assert "Once approved it has to run within 1 h" in text_of(found)
    assert f"<@{MIA}>" in found["text"] and "Also asked" in found["text"], "it is heard, too"
    in_thread(road, place["ts"], f"<@{MIA}>", "more people are asked now")
    mia.click(card(road.slack, ticket.id), "approve")
    receipt = ticket.wait(60)
    assert receipt.approved and receipt.not_after <= receipt.issued_at + timedelta(hours=1)


def test_somebody_is_away_and_their_deputy_decides(timed: Road) -> None:
    road, ana, ben = timed, Someone(timed.slack, ANA), Someone(timed.slack, BEN)
    ticket = road.agent().request("finance.only", {"amount": 8}, reversible=True)
    place = card(road.slack, ticket.id)
    eventually(lambda: road.row(ticket.id).card.message)
    before = len(ben.told())
    ben.click(place, "approve")
    ben.told_now(before, "can decide this")
    assert "Say until when" in reads(said(road, ANA, "away tomorrow"))
    assert "does not let them" in reads(said(road, ANA, f"away until tomorrow 9:00 deputy <@{MIA}|mia>"))
    assert "decides in your place" in reads(said(road, ANA, f"away until tomorrow 9:00 deputy <@{BEN}|ben>"))
    assert "You are away until" in reads(said(road, ANA, "away"))
    assert f"{ANA} is away until" in run(road, "away")
    found = shows(road, ticket.id, f"<@{BEN}> for ana", "away until")
    assert f"<@{ANA}>" not in text_of(found)
    ben.click(found, "approve")
    receipt = ticket.wait(60)
    assert [(one.id, one.deputy_for) for one in receipt.voters] == [(BEN, ANA)]
    assert "You are back" in reads(said(road, ANA, "back"))
    assert "You are not away" in reads(said(road, ANA, "back"))
    told = run(road, "away", ANA, "--until", "3 days", "--deputy", BEN)
    assert f"{BEN} decides in their place, where all of finance is asked" in told
    assert "does not let them" in run(road, "away", ANA, "--until", "3 days", "--deputy", MIA)
    assert f"{ANA} is back" in run(road, "away", ANA, "--back")
    ana.close_all()


def test_a_request_is_handed_on_from_its_card_and_from_details(timed: Road) -> None:
    road, ana = timed, Someone(timed.slack, ANA)
    ticket = road.agent().request("refund.create", {"amount": 9}, reversible=True)
    place = card(road.slack, ticket.id)
    eventually(lambda: road.row(ticket.id).card.message)
    ana.choose(place, "hand")
    answer = ana.submit(ana.view("hand"), Who_should_decide_this=MIA)
    assert "may not decide it" in str(answer)
    ana.submit(ana.view("hand"), Who_should_decide_this=BEN)
    shows(road, ticket.id, f"Handed to <@{BEN}>", f"by <@{ANA}>")
    in_thread(road, place["ts"], f"<@{BEN}>, <@{ANA}> asks you to decide this")
    ana.choose(card(road.slack, ticket.id), "details")
    assert "hand" in buttons(ana.view("details"))
    ana.close_all()
    Someone(road.slack, BEN).click(card(road.slack, ticket.id), "approve")
    assert ticket.wait(60).approved
