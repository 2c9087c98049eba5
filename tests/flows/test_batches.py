"""A batch over the whole road: an agent asks, one card stands, a person approves all, the agent runs."""

from __future__ import annotations

from typing import Any

from flows.person import ANA, CHANNEL, Someone, buttons, text_of
from flows.road import Road
from support import eventually


def card_of(road: Road, title: str) -> dict[str, Any] | None:
    found = [
        one
        for one in road.slack.messages(CHANNEL)
        if (one.get("metadata") or {}).get("event_type") == "signoff_batch" and title in text_of(one)
    ]
    assert len(found) < 2, "one card"
    return found[0] if found else None


def test_what_is_asked_together_is_one_card_and_comes_back_in_order(road: Road) -> None:
    signoff = road.agent("batch-bot")
    with signoff.batch("Tidy four tickets") as batch:
        for n in range(4):
            batch.request("ticket.tidy", {"ticket": f"T-{n}"}, reversible=True)
        batch.request("ticket.wipe", {"ticket": "T-9"}, reversible=False)
    card = eventually(lambda: card_of(road, "Tidy four tickets"))
    assert "batch_approve" in " ".join(buttons(card)), buttons(card)
    approve = next(one for one in buttons(card) if "approve" in one)
    alone = batch.tickets[4]
    assert eventually(lambda: road.row(alone.id).card and road.row(alone.id).card.message)
    Someone(road.slack, ANA).click(card, approve)
    alone.cancel()
    receipts = batch.wait(60)
    assert [one.status for one in receipts] == ["approved"] * 4 + ["cancelled"]
    assert [one.payload["ticket"] for one in receipts.approved] == ["T-0", "T-1", "T-2", "T-3"]
    assert {one.permalink for one in receipts[:4]} == {road.row(receipts[0].id).permalink}
    for one in receipts.approved:
        signoff.report(one.id, succeeded=True)
    done = eventually(lambda: (c := card_of(road, "Tidy four tickets")) and "*Done* 4" in text_of(c) and c)
    assert f"approved by <@{ANA}>" in text_of(done) and not any("approve" in one for one in buttons(done))


def test_an_agent_that_dies_in_the_block_has_posted_nothing(road: Road) -> None:
    signoff = road.agent("batch-bot")
    try:
        with signoff.batch("Never seen") as batch:
            batch.request("ticket.tidy", {"ticket": "T-1"}, reversible=True)
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    with signoff.batch("Seen") as batch:
        for n in range(2):
            batch.request("ticket.tidy", {"ticket": f"S-{n}"}, reversible=True)
    assert eventually(lambda: card_of(road, "Seen"))
    assert card_of(road, "Never seen") is None
    for one in batch.tickets:
        one.cancel()
