"""More than one thing at once: two people, a decision and the time, a form and another's decision."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flows.person import ANA, BEN, Someone, card, cards, redrawn, text_of
from flows.road import Road
from support import eventually

from signoff import Expired, NotApproved, Rejected, Ticket


def ask(road: Road, action: str = "refund.create", **fields: Any) -> Ticket:
    return road.agent("race-bot").request(action, {"amount": 120}, reversible=True, **fields)


def at_once(*works: Any) -> None:
    """Run all of these at the same moment."""
    start, faults = threading.Barrier(len(works)), []

    def run(work: Any) -> None:
        start.wait(60)
        try:
            work()
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not faults, faults


@pytest.mark.parametrize("attempt", range(3))
def test_of_two_people_one_wins_and_the_other_is_told(either_road: Road, attempt: int) -> None:
    road, ana, ben = either_road, Someone(either_road.slack, ANA), Someone(either_road.slack, BEN)
    ticket = ask(road)
    message = card(road.slack, ticket.id)
    ben.click(message, "reject")
    form = ben.view("reject")
    before = len(ana.told())
    at_once(
        lambda: ana.click(message, "approve"),
        lambda: ben.submit(form, **{"Why,_or_what_to_change": "No"}),
    )
    try:
        ended = ticket.wait(60)
    except Rejected as error:
        assert error.receipt
        ended = error.receipt
    assert road.decisions(ticket.id) == 1
    assert ended.decided_by
    if ended.approved:
        assert ended.decided_by.id == ANA
        ben.view("message", f"<@{ANA}> approved this", "before you", "Nothing else happened")
        redrawn(road.slack, ticket.id, f"*Approved* by <@{ANA}>")
    else:
        assert ended.decided_by.id == BEN
        ana.told_now(before, f"<@{BEN}> rejected this", "before you", "Nothing else happened")
        redrawn(road.slack, ticket.id, f"*Rejected* by <@{BEN}>")


@pytest.mark.http
def test_many_clicks_are_one_decision(road: Road) -> None:
    people = [Someone(road.slack, user) for user in (ANA, BEN)]
    ticket = ask(road)
    message = card(road.slack, ticket.id)

    def press(someone: Someone) -> None:
        road.slack.act(
            type="click", user=someone.user, channel=someone.channel, ts=message["ts"], action_id="approve"
        )

    at_once(*[lambda someone=someone: press(someone) for someone in people for _ in range(8)])
    assert ticket.wait(60).approved
    assert road.decisions(ticket.id) == 1
    redrawn(road.slack, ticket.id, "*Approved*")


@pytest.mark.parametrize("form", ["reject", "note", "difference", "review"])
@pytest.mark.parametrize("end", ["expired", "decided", "withdrawn"])
def test_a_form_that_comes_too_late_changes_nothing_and_says_why(road: Road, form: str, end: str) -> None:
    ana, ben = Someone(road.slack, ANA), Someone(road.slack, BEN)
    long = {"plan": ["a long line of the plan, and another one"] * 60}
    agent = road.agent("race-bot")
    ticket = agent.request("plan.run", long if form == "review" else {"amount": 120}, reversible=True)
    message = card(road.slack, ticket.id)
    fields = {}
    if form == "note":
        ana.choose(message, "note")
        fields = {"Note_to_the_agent_and_the_record": "Yes"}
    elif form == "difference":
        ana.click(message, "edit")
        ana.submit(ana.view("edit"), amount="80")
    else:
        ana.click(message, form)
        fields = {"Why,_or_what_to_change": "No"} if form == "reject" else {}
    view = ana.view(form)
    if end == "expired":
        road.run_out(ticket.id)
        words = ["The time ran out", "Nothing ran; the agent can ask again."]
    elif end == "decided":
        ben.reject(message, "I was first")
        words = [f"<@{BEN}> rejected this", "before you"]
    else:
        ticket.cancel()
        words = ["The agent withdrew this", "Nothing ran"]
    ana.submit(view, **fields)
    ana.view("message", *words)
    assert road.decisions(ticket.id) == (end == "decided")
    with pytest.raises(NotApproved) as caught:
        ticket.wait(60)
    assert caught.value.receipt
    assert caught.value.receipt.status == {"decided": "rejected", "withdrawn": "cancelled"}.get(end, end)
    redrawn(road.slack, ticket.id)


def test_a_click_after_the_time_is_told_and_the_card_has_no_buttons_any_more(either_road: Road) -> None:
    road, ana = either_road, Someone(either_road.slack, ANA)
    ticket = ask(road)
    message, before = card(road.slack, ticket.id), len(ana.told())
    road.run_out(ticket.id)
    ana.click(message, "approve")
    ana.told_now(before, "The time ran out", "Nothing ran")
    with pytest.raises(Expired):
        ticket.wait(60)
    redrawn(road.slack, ticket.id, "*Nobody answered by")
    assert road.decisions(ticket.id) == 0


def test_a_card_that_nobody_knows_is_redrawn_by_a_click(road: Road) -> None:
    """What a lost reply leaves behind: a second card of the same request."""
    ana = Someone(road.slack, ANA)
    with road.fault(method="chat.postMessage", mode="drop_reply", about="refund.twice"):
        ticket = ask(road, "refund.twice")
        eventually(lambda: len(cards(road.slack, ticket.id)) == 2)
    twins = cards(road.slack, ticket.id)
    known = eventually(lambda: road.row(ticket.id).card.message)
    double = next(m for m in twins if m["ts"] != known)
    ana.click(double, "approve")
    assert ticket.wait(60).approved

    def both() -> bool:
        shown = [text_of(m) for m in cards(road.slack, ticket.id)]
        return len(shown) == 2 and all(f"*Approved* by <@{ANA}>" in text for text in shown)

    eventually(both)
