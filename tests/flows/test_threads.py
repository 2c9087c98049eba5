"""Cards of one run stand in one thread; an agent may name a thread of its own."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from flows.person import ANA, BEN, CHANNEL, MIA, Someone, buttons, nodes, text_of
from flows.road import Road
from sqlalchemy import text as sql
from support import eventually, undelivered

from signoff import Rejected, Ticket
from signoff.models import changes, threads
from signoff.models.identity import new_id

OTHER_CHANNEL = "C0GENERAL1"


def ask(road: Road, agent: str = "run-bot", **fields: Any) -> Ticket:
    return road.agent(agent).request("refund.create", {"amount": 120}, reversible=True, **fields)


def a_run() -> str:
    return f"nightly {new_id()}"


def reply(road: Road, approval_id: str) -> dict[str, Any]:
    """An approval's card as it stands now, in whatever thread."""
    place = eventually(lambda: (card := road.row(approval_id).card) and card.message and card)
    return in_thread(road, place.thread or place.message, place.message)


def in_thread(road: Road, thread_ts: str, ts: str) -> dict[str, Any]:
    return next(m for m in road.slack.messages(CHANNEL, thread_ts) if m["ts"] == ts)


def firsts(road: Road, run: str) -> list[dict[str, Any]]:
    """First messages that name a run."""
    return [m for m in road.slack.messages(CHANNEL) if run in text_of(m) and "ephemeral_to" not in m]


def first(road: Road, run: str, *words: str) -> dict[str, Any]:
    """The one first message of a run's thread, once it says these words."""

    def look() -> dict[str, Any] | None:
        found = firsts(road, run)
        assert len(found) < 2, "a run has one thread"
        return found[0] if found and all(word in text_of(found[0]) for word in words) else None

    message: dict[str, Any] = eventually(look)
    return message


def says(road: Road, approval_id: str, *words: str) -> dict[str, Any]:
    """Its card once it says these words."""

    def look() -> dict[str, Any] | None:
        found = reply(road, approval_id)
        return found if all(word in text_of(found) for word in words) else None

    message: dict[str, Any] = eventually(look)
    return message


def test_the_cards_of_a_run_are_replies_in_one_thread_that_counts_them(either_road: Road) -> None:
    road, ana, run = either_road, Someone(either_road.slack, ANA), a_run()
    one, two = ask(road, run=run), ask(road, run=run)
    top = first(road, run, "*2 requests wait* · 0 decided", f"<@{ANA}>", "<!subteam^S0FINANCE1>", "run-bot")
    words = ("run-bot asks", f"<@{ANA}>")
    cards = [says(road, ticket.id, *words) for ticket in (one, two)]
    assert {card["thread_ts"] for card in cards} == {top["ts"]}
    ana.click(cards[0], "approve")
    receipt = one.wait(60)
    assert receipt.approved and receipt.permalink
    assert receipt.permalink.endswith(f"?thread_ts={top['ts']}&cid={CHANNEL}")
    assert not buttons(says(road, one.id, f"*Approved* by <@{ANA}>", "not reported yet"))
    first(road, run, "*1 request waits* · 1 decided")
    two.cancel()
    first(road, run, "*Nothing waits* · 1 decided · 1 ended without a decision")
    assert len(road.slack.messages(CHANNEL, top["ts"])) == 3, "the first message and two cards"


@pytest.mark.http
def test_forms_work_in_a_thread_and_who_may_not_decide_is_told_there(road: Road) -> None:
    ticket, mia = ask(road, run=a_run()), Someone(road.slack, MIA)
    card, before = reply(road, ticket.id), len(mia.told())
    mia.click(card, "approve")
    assert mia.told_now(before, "can decide this")["thread_ts"] == card["thread_ts"]
    Someone(road.slack, BEN).reject(card, "Ask Ana first", changes=True)
    with pytest.raises(Rejected, match="Ask Ana first"):
        ticket.wait(60)
    assert not buttons(says(road, ticket.id, "*Sent back*", "Ask Ana first"))


def test_agents_and_runs_have_threads_of_their_own(road: Road) -> None:
    run = a_run()
    tickets = [ask(road, run=run), ask(road, run=f"{run} again"), ask(road, "other-bot", run=run)]
    assert len({reply(road, ticket.id)["thread_ts"] for ticket in tickets}) == 3
    for ticket in tickets:
        ticket.cancel()


def test_a_burst_of_a_run_makes_one_thread_that_is_not_edited_too_often(either_road: Road) -> None:
    road, run = either_road, a_run()
    agent = road.agent("run-bot")
    tickets = [agent.request("refund.create", {"n": n}, run=run, reversible=True) for n in range(20)]
    top = first(road, run, "*20 requests wait*")
    assert {reply(road, ticket.id)["thread_ts"] for ticket in tickets} == {top["ts"]}
    for ticket in tickets:
        ticket.cancel()
    first(road, run, "*Nothing waits* · 0 decided · 20 ended without a decision")
    edits = [
        entry["at"]
        for entry in road.slack.log()
        if entry.get("method") == "chat.update" and entry["arguments"].get("ts") == top["ts"]
    ]
    assert all(later - earlier > 1.95 for earlier, later in pairwise(edits))


def test_a_first_message_whose_answer_was_lost_does_not_divide_the_run(road: Road) -> None:
    run = a_run()
    with road.fault(method="chat.postMessage", mode="drop_reply", about=run):
        one = ask(road, run=run)
        reply(road, one.id)
    two = ask(road, run=run)
    assert reply(road, one.id)["thread_ts"] == reply(road, two.id)["thread_ts"]
    thread_ts = reply(road, one.id)["thread_ts"]
    eventually(lambda: "*2 requests wait*" in text_of(in_thread(road, thread_ts, thread_ts)))
    lost = [message for message in firsts(road, run) if message["ts"] != thread_ts]
    assert not any("wait" in text_of(message) or "reply_count" in message for message in lost)
    one.cancel()
    two.cancel()


def test_a_first_message_that_cannot_be_edited_now_is_edited_later(road: Road) -> None:
    run = a_run()
    ticket = ask(road, run=run)
    top = first(road, run, "*1 request waits*")
    with road.fault(method="chat.update", mode="error", times=3, about=top["ts"]):
        ticket.cancel()
        first(road, run, "*Nothing waits*")


@pytest.mark.parametrize("left", ["nothing", "a tombstone"])
def test_a_run_goes_on_in_another_thread_when_its_first_message_is_gone(road: Road, left: str) -> None:
    """Slack leaves a tombstone of a message that has replies; a reply to one that is gone is no reply."""
    run = a_run()
    one = ask(road, run=run)
    top = first(road, run, "*1 request waits*")
    eventually(lambda: not undelivered(road.store))
    workspace = road.slack._service.workspace
    if left == "nothing":
        workspace.messages[CHANNEL].pop(top["ts"])
    else:
        workspace.delete(CHANNEL, top["ts"])
    two = ask(road, run=run)
    place = eventually(lambda: (card := road.row(two.id).card) and card.message and card)
    if left == "nothing":
        assert place.thread is None and "thread_ts=" not in place.permalink
    else:
        assert place.thread == top["ts"] and "approve" in buttons(reply(road, two.id))
    eventually(lambda: threads.at(road.store, CHANNEL, top["ts"]) is None)
    three = ask(road, run=run)
    anew = reply(road, three.id)["thread_ts"]
    assert anew and anew not in (top["ts"], place.message)
    first(road, run, "*1 request waits*")
    for ticket in (one, two, three):
        ticket.cancel()


def test_a_run_stays_in_its_thread_while_the_channel_is_archived(road: Road) -> None:
    run = a_run()
    one = ask(road, run=run)
    top = first(road, run, "*1 request waits*")
    eventually(lambda: not undelivered(road.store))
    road.slack.team(channels={CHANNEL: {"is_archived": True}})
    try:
        thread = threads.at(road.store, CHANNEL, top["ts"])
        with road.store.transaction() as connection:
            changes.stir(connection, CHANNEL, top["ts"])
            connection.execute(sql("UPDATE thread SET digest = NULL WHERE id = :id"), {"id": thread})
        eventually(lambda: f"thread refused: id={thread} " in road.log)
    finally:
        road.slack.team(channels={CHANNEL: {"is_archived": False}})
    two = ask(road, run=run)
    assert reply(road, two.id)["thread_ts"] == top["ts"]
    for ticket in (one, two):
        ticket.cancel()


def test_the_name_of_a_run_is_never_markup(road: Road) -> None:
    run = f"<!channel> *Approved* \u202e {new_id()}"
    ticket = ask(road, run=run)
    top = first(road, run[-36:])
    assert "\\u{202e}" in text_of(top)
    for node in nodes(top["blocks"]):
        assert node.get("type") != "mrkdwn" or "channel" not in node["text"]
    assert "channel" not in top["text"]
    ticket.cancel()


def say(road: Road, channel: str = CHANNEL, **more: Any) -> str:
    """Mia writes a message; its ts."""
    answer = road.slack.act(type="message", user=MIA, channel=channel, text="Refund cus_42, please.", **more)
    return str(answer["ts"] if "ts" in answer else answer["message"]["ts"])


def test_a_card_appears_in_the_thread_that_its_agent_names(road: Road) -> None:
    ana, ts = Someone(road.slack, ANA), say(road)
    ticket = ask(road, conversation=f"{CHANNEL}:{ts}", run=a_run())
    card = reply(road, ticket.id)
    assert card["thread_ts"] == ts
    ana.click(card, "approve")
    assert ticket.wait(60).approved
    says(road, ticket.id, "*Approved*")
    assert [m["user"] for m in road.slack.messages(CHANNEL, ts)].count(MIA) == 1
    assert len(road.slack.messages(CHANNEL, ts)) == 2, "their message and the card"


def test_a_card_that_is_wished_under_a_reply_stands_in_its_thread(road: Road) -> None:
    """Slack takes a reply to a reply for one to the thread's first message."""
    ts = say(road)
    ticket = ask(road, conversation=f"{CHANNEL}:{say(road, thread_ts=ts)}")
    card = reply(road, ticket.id)
    assert card["thread_ts"] == ts and "approve" in buttons(card)
    ticket.cancel()


@pytest.mark.parametrize("wish", ["gone", "elsewhere", "no ts"])
def test_a_thread_that_cannot_be_had_leaves_an_ordinary_card(road: Road, wish: str) -> None:
    ts = say(road)
    named = {
        "gone": f"{CHANNEL}:1700000000.000100",
        "elsewhere": f"{OTHER_CHANNEL}:{ts}",
        "no ts": f"{CHANNEL}:last",
    }[wish]
    ticket = ask(road, conversation=named)
    card = reply(road, ticket.id)
    assert card["thread_ts"] in (None, card["ts"]) and "approve" in buttons(card)
    ticket.cancel()
