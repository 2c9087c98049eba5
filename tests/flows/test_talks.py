"""A talk with the agent, from the click to what the agent's process said, and back."""

from __future__ import annotations

import threading
from typing import Any

from flows.conftest import EVE
from flows.person import ANA, BEN, CHANNEL, Someone, buttons, card, text_of
from flows.road import Road
from support import eventually

from signoff import Inquiry
from signoff.sandbox.team import BOT_USER_ID

ME = f"<@{BOT_USER_ID}>"


def shows(road: Road, approval_id: str, *words: str) -> Any:
    """The card, once it says all of these."""
    return eventually(
        lambda: (
            all(word in text_of(card(road.slack, approval_id)) for word in words)
            and card(road.slack, approval_id)
        )
    )


def in_thread(road: Road, ts: str, *words: str) -> Any:
    """A message of the app's in a card's thread that says these."""

    def look() -> Any:
        found = [m for m in road.slack.messages(CHANNEL, ts)[1:] if "ephemeral_to" not in m]
        return next((m for m in found if all(word in text_of(m) for word in words)), None)

    return eventually(look)


def test_somebody_asks_and_the_agents_process_answers_while_it_waits(either_road: Road) -> None:
    road, ana, ben = either_road, Someone(either_road.slack, ANA), Someone(either_road.slack, BEN)
    agent, heard, got = road.agent(), list[Inquiry](), list[Any]()
    long = "Order 7781 was charged twice. " * 40

    @agent.on_question
    def because(inquiry: Inquiry) -> str | None:
        heard.append(inquiry)
        return {"Why so much?": long, "In the thread?": "Here."}.get(inquiry.text)

    turns = [{"role": ("user", "assistant")[n % 2], "text": f"Turn {n}"} for n in range(30)]
    payload = {"amount": 120, "road": str(road.data)}
    ticket = agent.request("refund.create", payload, reversible=True, context={"conversation": turns})
    waiting = threading.Thread(target=lambda: got.append(ticket.wait(90)))
    waiting.start()
    place = card(road.slack, ticket.id)
    eventually(lambda: road.row(ticket.id).card.message)  # it is noted where it stands
    assert "Turn 3" not in text_of(place), "a conversation is for Details"
    ana.choose(place, "ask")
    form = ana.view("ask", "Never type passwords")
    answer = ana.submit(form, Your_question="password: hunter2secret")
    assert "looks like a secret" in str(answer), "nothing is sent"
    ana.submit(form, Your_question="Why so much?")
    found = shows(road, ticket.id, "ana asked", "Why so much?", "billing-bot answered", "Order 7781")
    assert long.strip() not in text_of(found) and "approve" in buttons(found), "cut, and nothing is decided"
    assert (heard[0].text, heard[0].request_id, heard[0].by) == ("Why so much?", ticket.id, "ana")
    reply = in_thread(road, place["ts"], f"<@{ANA}> asked", "billing-bot answers", long.strip())
    assert reply["thread_ts"] == place["ts"]

    ben.choose(place, "note")
    ben.press(ben.view("note", "Why so much?"), "ask")
    ben.submit(ben.view("ask"), Your_question="What else?")
    assert ben.view("note"), "what lay under it is still there"
    shows(road, ticket.id, "ben asked", "billing-bot cannot answer that.")
    ben.close_all()

    before = len(ben.told())
    ben.write(f"{ME} ask In the thread?", place["ts"])
    ben.told_now(before, "billing-bot is asked")
    in_thread(road, place["ts"], "In the thread?", "Here.")
    for word in ("ask", "note"):
        before = len(ben.told())
        ben.write(f"{ME} {word} password: hunter2secret", place["ts"])
        ben.told_now(before, "looks like a secret")
    before = len(ben.told())
    ben.write("Not for you: what a day.", place["ts"])
    ben.write(f"{ME} note Book it on the old account.", place["ts"])
    ben.told_now(before, "Noted.")

    ana.choose(place, "details")
    details = ana.view("details", long.strip(), "In the thread?", "Book it on the old account.")
    assert "what a day" not in text_of(details), "people's own talk is theirs"
    ana.press(details, "conversation")
    first = ana.view("conversation", "Turn 29", "page 1 of 2")
    assert text_of(first).index("Turn 29") < text_of(first).index("Turn 10")
    ana.press(first, "conversation_older")
    last = ana.view("conversation", "Turn 0", "page 2 of 2")
    ana.press(last, "conversation_newer")
    ana.view("conversation", "Turn 29")
    ana.close_all()

    ana.click(card(road.slack, ticket.id), "approve")
    waiting.join(30)
    assert got[0].payload == payload and [note.text for note in got[0].notes] == [
        "Book it on the old account."
    ]
    assert [one.text for one in heard] == ["Why so much?", "What else?", "In the thread?"]
    before = len(ben.told())
    ben.write(f"{ME} ask Too late?", place["ts"])
    ben.told_now(before, f"<@{ANA}> approved this")
    assert road.decisions(ticket.id) == 1


def test_nobody_listens_or_may_not_ask(road: Road) -> None:
    ana, eve = Someone(road.slack, ANA), Someone(road.slack, EVE)
    ticket = road.agent("release-bot").request("refund.create", {"amount": 9}, reversible=True)
    place = card(road.slack, ticket.id)
    eventually(lambda: road.row(ticket.id).card.message)  # it is noted where it stands
    before = len(eve.told())
    eve.write(f"{ME} ask Why?", place["ts"])
    eve.told_now(before, "Only members of this workspace")
    before = len(ana.told())
    ana.write(f"{ME} ask", place["ts"])
    ana.told_now(before, "is empty")
    ana.choose(place, "ask")
    ana.submit(ana.view("ask"), Your_question="Anybody <!channel>?")
    shows(road, ticket.id, "Anybody <!channel>?", "release-bot is not listening for questions now.")
    ticket.cancel()
