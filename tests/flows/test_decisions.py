"""A person decides on a card: every way there is, from the agent's question to its receipt."""

from __future__ import annotations

from typing import Any

import pytest
from flows.person import ANA, BEN, Someone, buttons, card, nodes, redrawn, text_of
from flows.road import Road
from support import eventually

from signoff import Cancelled, Expired, Rejected, Ticket

PAYLOAD = {"customer": "cus_42", "amount": 120}
SCHEMA = {
    "type": "object",
    "properties": {
        "customer": {"type": "string"},
        "amount": {"type": "integer", "minimum": 1, "maximum": 500},
    },
}


def ask(road: Road, **fields: Any) -> Ticket:
    """An agent asks to refund 120."""
    values: dict[str, Any] = {"action": "refund.create", "payload": PAYLOAD, "reversible": True, **fields}
    return road.agent().request(**values)


def the_button(message: dict[str, Any], action_id: str) -> dict[str, Any]:
    return next(n for n in nodes(message["blocks"]) if n.get("action_id") == action_id)


def test_an_approval_reaches_the_agent_and_the_card(either_road: Road) -> None:
    road, ana = either_road, Someone(either_road.slack, ANA)
    ticket = ask(road, reason="Duplicate charge, ticket 991")
    message = card(road.slack, ticket.id)
    shown = text_of(message)
    assert shown.index("refund.create") < shown.index("cus_42") < shown.index("ticket 991")
    assert the_button(message, "approve")["style"] == "primary"
    ana.click(message, "approve")
    receipt = ticket.wait(60)
    assert receipt.approved and receipt.payload == PAYLOAD and not receipt.edited
    assert receipt.decided_by and (receipt.decided_by.id, receipt.decided_by.name) == (ANA, "ana")
    assert receipt.permalink and message["ts"].replace(".", "") in receipt.permalink
    redrawn(road.slack, ticket.id, f"*Approved* by <@{ANA}>", "not reported yet", "cus_42")
    road.agent().report(ticket.id, succeeded=True, note="re_991")
    redrawn(road.slack, ticket.id, "*Done*", "re_991", f"<@{ANA}>")
    ana.history(ticket.id, "Received from billing-bot", "Shown on a card", "*Approved*", "*Done*")
    assert "reply_count" not in card(road.slack, ticket.id), "no message but the card"


@pytest.mark.http
def test_a_failure_that_the_agent_reports_mentions_who_approved(road: Road) -> None:
    ticket = ask(road)
    Someone(road.slack, BEN).click(card(road.slack, ticket.id), "approve")
    assert ticket.wait(60).approved
    road.agent().report(ticket.id, succeeded=False, note="card was closed")
    redrawn(road.slack, ticket.id, "*Failed*", "card was closed", f"<@{BEN}>")


@pytest.mark.parametrize(("changes", "word"), [(False, "*Rejected*"), (True, "*Sent back*")])
def test_a_rejection_says_which_it_is_and_why(either_road: Road, changes: bool, word: str) -> None:
    road, ana = either_road, Someone(either_road.slack, ANA)
    ticket = ask(road)
    ana.reject(card(road.slack, ticket.id), "This is ticket 992's", changes=changes)
    with pytest.raises(Rejected, match="This is ticket 992's") as caught:
        ticket.wait(60)
    assert caught.value.receipt and caught.value.receipt.resubmit is changes
    assert caught.value.receipt.payload is None
    redrawn(road.slack, ticket.id, f"{word} by <@{ANA}>", "This is ticket 992's")
    assert ana.stack() == []
    ana.history(ticket.id, word)


@pytest.mark.http
def test_a_rejection_without_a_reason_stays_open(road: Road) -> None:
    ana = Someone(road.slack, ANA)
    ticket = ask(road)
    ana.click(card(road.slack, ticket.id), "reject")
    answer = ana.submit(ana.view("reject"), **{"Why,_or_what_to_change": "   "})
    assert answer["response"] == {
        "response_action": "errors", "errors": {"reason": "Say in a few words why, or what to change."},
    }  # fmt: skip
    assert road.row(ticket.id).pending
    ana.submit(ana.view("reject"), **{"Why,_or_what_to_change": "No."})
    with pytest.raises(Rejected, match=r"No\."):
        ticket.wait(60)


def test_an_edit_shows_its_errors_then_the_difference_and_approves_that(either_road: Road) -> None:
    road, ana = either_road, Someone(either_road.slack, ANA)
    ticket = ask(road, schema=SCHEMA, payload={"customer": "cus_42", "amount": 120})
    ana.click(card(road.slack, ticket.id), "edit")
    form = ana.view("edit")
    same = ana.submit(form)
    assert "Nothing has changed" in str(same["response"]["errors"])
    ana.submit(ana.view("edit"), amount="80")
    difference = ana.view("difference", "120", "80")
    assert road.row(ticket.id).pending, "looking at the difference decides nothing"
    ana.submit(difference)
    receipt = ticket.wait(60)
    assert receipt.approved and receipt.edited and receipt.payload == {"customer": "cus_42", "amount": 80}
    redrawn(road.slack, ticket.id, f"*Approved* by <@{ANA}>", "Changed by the approver", "120", "80")
    assert ana.stack() == []
    ana.history(ticket.id, "Edited", "1 value changed", "*Approved*")


@pytest.mark.http
def test_an_edit_against_the_schema_is_refused_at_its_field(road: Road) -> None:
    ana = Someone(road.slack, ANA)
    schema = {"type": "object", "properties": {"code": {"type": "string", "pattern": "^[a-z]+$"}}}
    ticket = ask(road, schema=schema, payload={"code": "abc", "other": 1})
    ana.click(card(road.slack, ticket.id), "edit")
    form = ana.view("edit")
    field = next(b["block_id"] for b in form["blocks"] if b.get("label", {}).get("text") == "code")
    answer = ana.submit(form, code="NOT THAT")
    assert list(answer["response"]["errors"]) == [field]
    ana.submit(ana.view("edit"), code="xyz")
    ana.submit(ana.view("difference", "abc", "xyz"))
    assert ticket.wait(60).payload == {"code": "xyz", "other": 1}


@pytest.mark.http
def test_a_note_goes_to_the_agent_and_the_card(road: Road) -> None:
    ana = Someone(road.slack, ANA)
    ticket = ask(road)
    ana.choose(card(road.slack, ticket.id), "note")
    ana.submit(ana.view("note", "cus_42"), Note_to_the_agent_and_the_record="as agreed by phone")
    receipt = ticket.wait(60)
    assert receipt.approved and receipt.reason == "as agreed by phone"
    redrawn(road.slack, ticket.id, "*Approved*", "Note: ", "as agreed by phone")


def test_details_show_what_the_agent_claims(road: Road) -> None:
    ana = Someone(road.slack, ANA)
    ticket = ask(road, risk="low", impact="One customer", tags=["money"])
    ana.choose(card(road.slack, ticket.id), "details")
    ana.view("details", "One customer", "low", "money", ticket.id)
    assert road.row(ticket.id).pending
    ticket.cancel()


def test_a_folded_payload_is_approved_on_the_last_page_of_its_review(either_road: Road) -> None:
    road, ana = either_road, Someone(either_road.slack, ANA)
    lines = [f"line {number} of the plan, which is rather long" for number in range(2_500)]
    ticket = ask(road, payload={"plan": lines, "zuletzt": "the very last word"}, action="deploy.run")
    message = card(road.slack, ticket.id)
    assert "approve" not in buttons(message) and "review" in buttons(message)
    ana.click(message, "review")
    view = ana.view("review", "Page 1 of")
    seen, page = text_of(view), 1
    while view["submit"]["text"] != "Approve":
        ana.submit(view)
        page += 1
        view = ana.view("review", f"Page {page} of")
        seen += text_of(view)
    assert page >= 2
    ana.press(view, "page")
    view = ana.view("review", f"Page {page - 1} of")
    assert view["submit"]["text"] == "Next"
    ana.submit(view)
    view = ana.view("review", f"Page {page} of", lines[-1])
    assert "the very last word" in seen and all(line in seen for line in lines)
    assert road.row(ticket.id).pending
    ana.submit(view)
    assert ticket.wait(60).payload == {"plan": lines, "zuletzt": "the very last word"}
    redrawn(road.slack, ticket.id, f"*Approved* by <@{ANA}>")
    assert ana.stack() == []


def test_what_cannot_be_undone_asks_and_repeats_what(road: Road) -> None:
    ana = Someone(road.slack, ANA)
    ticket = ask(road, reversible=False)
    message = card(road.slack, ticket.id)
    button = the_button(message, "approve")
    assert "style" not in button
    assert button["confirm"]["style"] == "danger"
    asked = button["confirm"]["text"]["text"]
    assert all(w in asked for w in ("This cannot be undone", "refund.create", "amount “120”", "cus_42"))
    ana.click(message, "approve", confirm=False)
    assert road.row(ticket.id).pending and "approve" in buttons(card(road.slack, ticket.id))
    ana.click(message, "approve", confirm=True)
    assert ticket.wait(60).approved
    redrawn(road.slack, ticket.id, "*Approved*")


def test_a_request_that_its_agent_withdraws_cannot_be_decided(road: Road) -> None:
    ana = Someone(road.slack, ANA)
    ticket = ask(road)
    message = card(road.slack, ticket.id)
    assert ticket.cancel("The customer called").status == "cancelled"
    redrawn(road.slack, ticket.id, "*Withdrawn by the agent*", "The customer called", "Nothing ran")
    with pytest.raises(Cancelled):
        ticket.wait(60)
    before = len(ana.told())
    stale = road.slack.act(
        type="click", user=ANA, channel="C0APPROVE1", ts=message["ts"], action_id="approve"
    )
    assert stale["acked"]  # on a screen that is behind
    eventually(lambda: len(ana.told()) > before)
    assert "withdrew this" in text_of(ana.told()[-1])
    ana.history(ticket.id, "*Withdrawn")


def test_an_unanswered_request_expires_and_is_no_rejection(either_road: Road) -> None:
    road = either_road
    ticket = ask(road, expires_in=1)
    card(road.slack, ticket.id)
    with pytest.raises(Expired) as caught:
        ticket.wait(60)
    assert caught.value.receipt and caught.value.receipt.never_shown is False
    shown = text_of(redrawn(road.slack, ticket.id, "*Nobody answered by", "Nothing ran"))
    assert "Rejected" not in shown
    Someone(road.slack, ANA).history(ticket.id, "Shown on a card", "*Nobody answered by")


@pytest.mark.http
def test_the_list_opens_a_review_that_approves(road: Road) -> None:
    ana = Someone(road.slack, ANA)
    ticket = ask(road, action="list.me")
    message = card(road.slack, ticket.id)
    row = eventually(lambda: (found := road.row(ticket.id)).card.permalink and found)
    before = len(ana.told())
    answer = road.slack.act(type="command", user=ANA, channel="C0APPROVE1", command="/approvals", text="")
    assert answer["ok"] and answer["acked"]
    listed = ana.told_now(before, "list.me", row.card.permalink)
    assert "approve" not in buttons(listed)
    ana.click(listed, "review", value=f"{ticket.id}:1")
    ana.submit(ana.view("review", "cus_42"))
    assert ticket.wait(60).approved
    redrawn(road.slack, ticket.id, "*Approved*")
    assert message["ts"] == card(road.slack, ticket.id)["ts"]


def test_the_list_has_pages_oldest_first_and_help(road: Road) -> None:
    ana, mia = Someone(road.slack, ANA), Someone(road.slack, "U0MIA00001")
    agent = road.agent("busy-bot")
    tickets = [agent.request(f"page.{n:02}", {"n": n}, reversible=True) for n in range(12)]
    for ticket in tickets:
        card(road.slack, ticket.id)
    before = len(ana.told())
    road.slack.act(type="command", user=ANA, channel="C0APPROVE1", command="/approvals", text="pending")
    first = ana.told_now(before, "page 1 of 2", "page.00", "page.09")
    assert text_of(first).index("page.00") < text_of(first).index("page.09")
    assert "page.10" not in text_of(first)
    ana.click(first, "list_next")
    eventually(lambda: any("page.11" in text_of(m) for m in ana.told()[before:]))
    second = next(m for m in ana.told()[before:] if "page.11" in text_of(m))
    assert "page.00" not in text_of(second) and buttons(second).count("review") == 2
    ana.click(second, "list_back")
    eventually(lambda: any("page 1 of 2" in text_of(m) for m in ana.told()[before:]))

    before = len(mia.told())
    road.slack.act(type="command", user=mia.user, channel="C0APPROVE1", command="/approvals", text="")
    mia.told_now(before, "Nothing waits for you")
    before = len(ana.told())
    road.slack.act(type="command", user=ANA, channel="C0APPROVE1", command="/approvals", text="help")
    said = ana.told_now(before, "/approvals", "Reject…", "Edit…")
    assert buttons(said) == [] if said.get("blocks") else True

    road.slack.act(type="open_home", user=ANA)
    home = eventually(lambda: (at := road.slack.views(ANA)["home"]) and "page.00" in text_of(at) and at)
    assert "approve" not in buttons(home)
    ana.press(home, "review", value=f"{tickets[0].id}:1")
    ana.submit(ana.view("review"))
    assert tickets[0].wait(60).approved
    for ticket in tickets[1:]:
        assert ticket.cancel().status == "cancelled"
