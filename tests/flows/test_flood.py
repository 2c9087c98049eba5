"""A flood on a channel that takes a message a second: others wait for a card, and clicks for nothing."""

from __future__ import annotations

from flows.person import ANA, Someone, buttons, card, cards
from flows.road import Road
from sqlalchemy import text
from support import eventually, undelivered

SHOWN = text("SELECT agent, created_at, shown_at FROM approval WHERE shown_at IS NOT NULL ORDER BY shown_at")
FLOOD = 14


def test_a_flood_delays_another_agents_card_by_few_and_a_redraw_by_none(road: Road) -> None:
    noisy, quiet = road.agent("noisy-bot"), road.agent("quiet-bot")
    eventually(lambda: not undelivered(road.store))
    road.slack.faults(rate_limits=True)
    flood = [noisy.request("flood", {"n": n}, reversible=True) for n in range(FLOOD)]
    eventually(lambda: all(road.store.find("noisy-bot", one.id) for one in flood))
    first = eventually(lambda: next((one for one in flood if cards(road.slack, one.id)), None))
    asked = quiet.request("refund.create", {"amount": 120}, reversible=True)
    Someone(road.slack, ANA).click(card(road.slack, first.id), "approve")
    eventually(lambda: not buttons(card(road.slack, first.id)))
    waiting = sum(not cards(road.slack, one.id) for one in flood)
    assert waiting, "the click is seen while most of the flood still waits"
    card(road.slack, asked.id)
    row = eventually(lambda: road.row(asked.id).shown_at and road.row(asked.id))
    with road.store.reading() as connection:
        shown = connection.execute(SHOWN).all()
    before = [1 for one in shown if one.agent == "noisy-bot" and row.created_at < one.shown_at < row.shown_at]
    assert len(before) <= 3, f"{len(before)} of the flood's {FLOOD} cards came before the other agent's"
    road.slack.faults(clear=True)
    for one in [*flood, asked]:
        if road.row(one.id).pending:
            one.cancel()
