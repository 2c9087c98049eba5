"""Slack is busy, slow, away or refuses: cards wait, nobody sees two decisions, and nothing is lost."""

from __future__ import annotations

from typing import Any

import pytest
from flows.person import ANA, CHANNEL, OMAR, Someone, buttons, card, cards, redrawn, text_of
from flows.road import Road
from support import eventually, undelivered

from signoff import Expired, Ticket


def ask(road: Road, action: str = "refund.create", **fields: Any) -> Ticket:
    return road.agent("fault-bot").request(action, {"amount": 120}, reversible=True, **fields)


def calls(road: Road, method: str, approval_id: str) -> list[dict[str, Any]]:
    """What was asked of Slack about an approval's card, oldest first."""
    return [
        entry
        for entry in road.slack.log()
        if entry["kind"] == "call"
        and entry["method"] == method
        and approval_id in str(entry["arguments"].get("metadata"))
    ]


def refusals(road: Road, code: str) -> int:
    """How often Slack has answered with this error."""
    return len([e for e in road.slack.log() if e["kind"] == "call" and e["answer"].get("error") == code])


def test_retry_after_is_kept_and_one_card_stands(road: Road) -> None:
    action = "refund.limited"
    with road.fault(method="chat.postMessage", mode="ratelimited", seconds=2, about=action):
        ticket = ask(road, action)
        card(road.slack, ticket.id)
    refused, posted = calls(road, "chat.postMessage", ticket.id)
    assert refused["status"] == 429 and posted["at"] - refused["at"] >= 2
    assert len(cards(road.slack, ticket.id)) == 1
    ticket.cancel()


@pytest.mark.parametrize("mode", ["error", "hang"])
def test_a_fault_of_slack_postpones_a_card(road: Road, mode: str) -> None:
    ana, other = Someone(road.slack, ANA), ask(road, "other.action")
    other_card = card(road.slack, other.id)
    action = f"refund.{mode}"
    with road.fault(method="chat.postMessage", mode=mode, seconds=2, about=action):
        ticket = ask(road, action)
        eventually(lambda: not road.faults_left())
        ana.click(other_card, "approve")
        assert other.wait(2).approved, "decisions do not wait for cards"
        card(road.slack, ticket.id)
    ana.click(card(road.slack, ticket.id), "approve")
    assert ticket.wait(60).approved
    redrawn(road.slack, ticket.id, "*Approved*")
    redrawn(road.slack, other.id, "*Approved*")
    assert len(cards(road.slack, ticket.id)) == 1


@pytest.mark.parametrize(
    "fault", [{"mode": "error"}, {"mode": "ratelimited", "seconds": 1}, {"mode": "drop_reply"}]
)
def test_a_card_that_cannot_be_redrawn_now_is_redrawn_later(road: Road, fault: dict[str, Any]) -> None:
    ana, ticket = Someone(road.slack, ANA), ask(road)
    message = card(road.slack, ticket.id)
    eventually(lambda: not undelivered(road.store))
    with road.fault(method="chat.update", about=message["ts"], **fault):
        ana.click(message, "approve")
        assert ticket.wait(5).approved, "the agent does not wait for the card"
        redrawn(road.slack, ticket.id, f"*Approved* by <@{ANA}>")
    assert len(cards(road.slack, ticket.id)) == 1


def test_a_card_that_was_deleted_is_posted_anew(road: Road) -> None:
    ana, ticket = Someone(road.slack, ANA), ask(road)
    message = card(road.slack, ticket.id)
    eventually(lambda: not undelivered(road.store))
    gone = {"mode": "error", "error": "message_not_found", "times": 99}  # for good
    with road.fault(method="chat.update", about=message["ts"], **gone):
        ana.click(message, "approve")
        eventually(lambda: len(cards(road.slack, ticket.id)) == 2)
    old, new = cards(road.slack, ticket.id)
    assert not buttons(new) and "*Approved*" in text_of(new)
    assert ticket.wait(60).approved and old["ts"] == message["ts"]


def told_of_refunds(road: Road) -> int:
    """How often an admin was told of a refund's card."""
    return sum("refund.create" in message["text"] for message in road.slack.messages(OMAR))


@pytest.mark.parametrize("error", ["invalid_blocks", "msg_too_long"])
def test_a_card_that_slack_refuses_to_redraw_keeps_the_decision(road: Road, error: str) -> None:
    ana, ticket = Someone(road.slack, ANA), ask(road)
    message, told = card(road.slack, ticket.id), told_of_refunds(road)
    eventually(lambda: not undelivered(road.store))
    with road.fault(method="chat.update", mode="error", error=error, about=message["ts"]):
        ana.click(message, "approve")
        assert ticket.wait(60).approved
        eventually(lambda: not road.faults_left())
    eventually(lambda: told_of_refunds(road) > told)
    road.move(ticket.id, not_before=0)
    redrawn(road.slack, ticket.id, "*Approved*")


@pytest.mark.socket_mode
def test_a_socket_that_closes_under_a_click_comes_back(road: Road) -> None:
    ana, ticket = Someone(road.slack, ANA), ask(road)
    message = card(road.slack, ticket.id)
    road.slack.faults(method="socket", mode="disconnect")

    def press() -> bool:
        act = {"type": "click", "user": ANA, "channel": CHANNEL, "ts": message["ts"], "action_id": "approve"}
        answer = road.slack.act(**act)
        return bool(answer.get("acked")) or answer.get("error") == "no_such_element"

    eventually(press)
    assert ticket.wait(60).approved and ana
    assert road.decisions(ticket.id) == 1
    eventually(lambda: road.slack.state()["connections"] == 2, 60)


@pytest.mark.parametrize(
    ("broken", "mended", "code"),
    [
        ({"is_archived": True}, {"is_archived": False}, "is_archived"),
        ({"bot_is_member": False}, {"bot_is_member": True}, "not_in_channel"),
        (
            {"is_private": True, "bot_is_member": False},
            {"is_private": False, "bot_is_member": True},
            "channel_not_found",
        ),
    ],
)
def test_a_channel_that_takes_no_cards_is_told_to_the_admins_once(
    road: Road, broken: dict[str, Any], mended: dict[str, Any], code: str
) -> None:
    before = len(road.slack.messages(OMAR))
    road.let_no_card_age()  # else another test's may meet the fault first, and is told of instead
    eventually(lambda: not undelivered(road.store))
    road.slack.team(channels={CHANNEL: broken})
    try:
        action = f"blocked.{code}"
        waits, ends = ask(road, action), ask(road, action)
        told = eventually(lambda: [m for m in road.slack.messages(OMAR)[before:] if action in m["text"]])
        assert "nobody can decide it" in told[0]["text"]
        eventually(lambda: road.faults(waits.id) == road.faults(ends.id) == f"{code} {CHANNEL}")
        road.run_out(ends.id)
        with pytest.raises(Expired) as caught:
            ends.wait(60)
        assert caught.value.receipt and caught.value.receipt.never_shown
        for ticket in (waits, ends):  # tried again, in vain
            tried = refusals(road, code)
            road.move(ticket.id, not_before=0)
            eventually(lambda tried=tried: refusals(road, code) > tried)
    finally:
        road.slack.team(channels={CHANNEL: mended})
    eventually(lambda: road.row(waits.id).card.message or road.move(waits.id, not_before=0))
    Someone(road.slack, ANA).click(card(road.slack, waits.id), "approve")
    assert waits.wait(60).approved
    told = [m for m in road.slack.messages(OMAR)[before:] if action in m["text"]]
    assert len(told) == 1, [m["text"] for m in told]


def test_cards_wait_for_a_token_that_was_revoked(road: Road) -> None:
    ana, first = Someone(road.slack, ANA), ask(road, "before.revoked")
    message = card(road.slack, first.id)
    eventually(lambda: not undelivered(road.store))
    road.slack.team(bot={"token_error": "token_revoked"})
    try:
        second = ask(road, "while.revoked")
        eventually(lambda: road.faults(second.id) == f"token_revoked {CHANNEL}")
        ana.click(message, "approve")
        assert road.row(second.id).pending and not cards(road.slack, second.id)
    finally:
        road.slack.team(bot={"token_error": ""})
    if road.row(first.id).pending:  # whoever is not remembered cannot be asked for without a token
        ana.click(card(road.slack, first.id), "approve")
    assert first.wait(60).approved
    for ticket in (first, second):
        road.move(ticket.id, not_before=0)
    redrawn(road.slack, first.id, "*Approved*")
    ana.click(card(road.slack, second.id), "approve")
    assert second.wait(60).approved
    redrawn(road.slack, second.id, "*Approved*")


@pytest.mark.parametrize("mode", ["html", "empty", "not_json"])
@pytest.mark.parametrize(("method", "done"), [("chat.postMessage", False), ("chat.update", True)])
def test_a_proxys_answer_postpones_a_card_and_is_no_refusal(
    road: Road, method: str, done: bool, mode: str
) -> None:
    """Whether Slack did its part or not: the card stands, once and up to date, and no admin is told."""
    ana, told = Someone(road.slack, ANA), len(road.slack.messages(OMAR))
    action = f"proxied.{mode}"
    if method == "chat.postMessage":
        with road.fault(method=method, mode=mode, done=done, status=200, times=2, about=action):
            ticket = ask(road, action)
            message = card(road.slack, ticket.id)
        ana.click(message, "approve")
    else:
        ticket = ask(road, action)
        message = card(road.slack, ticket.id)
        eventually(lambda: not undelivered(road.store))
        with road.fault(method=method, mode=mode, done=done, status=200, about=message["ts"]):
            ana.click(message, "approve")
            eventually(lambda: not road.faults_left())
    assert ticket.wait(60).approved
    redrawn(road.slack, ticket.id, f"*Approved* by <@{ANA}>")
    assert len(cards(road.slack, ticket.id)) == 1
    assert len(road.slack.messages(OMAR)) == told


@pytest.mark.parametrize("error", ["update_failed", "external_channel_migrating", "org_login_required"])
def test_what_passes_by_itself_is_waited_for(road: Road, error: str) -> None:
    ana, told = Someone(road.slack, ANA), len(road.slack.messages(OMAR))
    ticket = ask(road, f"waits.{error.replace('_', '-')}")
    message = card(road.slack, ticket.id)
    eventually(lambda: not undelivered(road.store))
    with road.fault(method="chat.update", mode="error", error=error, times=2, about=message["ts"]):
        ana.click(message, "approve")
        redrawn(road.slack, ticket.id, "*Approved*")
    assert ticket.wait(60).approved and len(road.slack.messages(OMAR)) == told


def test_a_card_of_many_bytes_can_be_redrawn(road: Road) -> None:
    """Its top-level text holds as many bytes as chat.update takes, whatever it is written in."""
    ana = Someone(road.slack, ANA)
    payload = {f"поле{number}": "漢字仮名" * 20 for number in range(30)}
    ticket = road.agent("fault-bot").request("big.text", payload, reason="Причина " * 300, reversible=True)
    message = card(road.slack, ticket.id)
    assert 3_000 < len(message["text"].encode()) <= 3_900
    ana.reject(message, "Слишком много")
    redrawn(road.slack, ticket.id, "*Rejected*")
