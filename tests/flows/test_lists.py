"""Lists, one request looked up, the shortcut and Home: against a real server."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flows.person import ANA, BEN, CHANNEL, MIA, OMAR, Someone, buttons, card, redrawn, text_of
from flows.road import Road
from sqlalchemy import text
from support import eventually

from signoff import Ticket

GUEST = "U0GUS00001"


def ask(road: Road, **fields: Any) -> Ticket:
    """An agent asks for something that can be undone."""
    values: dict[str, Any] = {"payload": {"customer": "cus_42", "amount": 120}, "reversible": True, **fields}
    return road.agent().request(**values)


@pytest.fixture
def quiet(road: Road) -> Iterator[Road]:
    """A road on which nothing is left waiting afterwards."""
    yield road
    with road.store.reading() as connection:
        waits = connection.execute(text("SELECT id FROM approval WHERE status = 'pending'")).scalars().all()
    for approval_id in waits:
        road.run_out(approval_id)


def said(road: Road, user: str, words: str = "") -> dict[str, Any]:
    """What `/approvals words` answers this person alone."""
    someone = Someone(road.slack, user)
    before = len(someone.told())
    answer = road.slack.act(type="command", user=user, channel=CHANNEL, command="/approvals", text=words)
    assert answer["ok"] and answer["acked"], answer
    found: dict[str, Any] = eventually(lambda: (someone.told()[before:] or [None])[0])
    return found


def reads(message: dict[str, Any]) -> str:
    return text_of(message) if message.get("blocks") else str(message["text"])


def own(road: Road, agent: str, user: str | None) -> None:
    with road.store.transaction() as connection:
        statement = text("UPDATE agent SET owner = :user WHERE name = :agent")
        assert connection.execute(statement, {"user": user, "agent": agent}).rowcount == 1


def shortcut(road: Road, user: str) -> dict[str, Any]:
    answer = road.slack.act(type="shortcut", user=user, callback_id="pending")
    assert answer["ok"] and answer["acked"], answer
    return Someone(road.slack, user).view("list")


def test_pending_takes_an_agent_or_an_action(quiet: Road) -> None:
    one = ask(quiet, action="filter.one")
    other = quiet.agent("filter-bot").request("filter.two", {"n": 1}, reversible=True)
    for ticket in (one, other):
        card(quiet.slack, ticket.id)
    by_action, by_agent = said(quiet, ANA, "pending filter.one"), said(quiet, ANA, "pending filter-bot")
    assert "filter.one" in reads(by_action) and "filter.two" not in reads(by_action)
    assert "filter.two" in reads(by_agent) and "filter.one" not in reads(by_agent)
    assert "Nothing of that agent or action" in reads(said(quiet, ANA, "pending <!channel> nobody"))
    assert "Nothing waits for you" in reads(said(quiet, MIA, "pending"))


@pytest.mark.parametrize("words", ["pending\tnobody", " PENDING\n nobody", "pending\u00a0nobody"])
def test_any_space_parts_the_words_of_a_command(quiet: Road, words: str) -> None:
    assert "Nothing of that agent or action" in reads(said(quiet, ANA, words))


def test_mine_lists_what_i_decided_newest_first_with_details(quiet: Road) -> None:
    ana = Someone(quiet.slack, ANA)
    tickets = [ask(quiet, action=f"mine.{n}", payload={"note": f"as paid {n}"}) for n in range(2)]
    for ticket in tickets:
        ana.click(card(quiet.slack, ticket.id), "approve")
        assert ticket.wait(60).approved
    listed = said(quiet, ANA, "mine")
    assert text_of(listed).index("mine.1") < text_of(listed).index("mine.0")
    assert set(buttons(listed)) <= {"details", "list_next"}
    ana.click(listed, "details", value=f"{tickets[0].id}:1")
    shown = text_of(ana.view("record", "*Approved* by", "as paid 0"))
    assert "mine.0" in shown and tickets[0].id in shown
    assert "decided nothing" in reads(said(quiet, MIA, "mine"))


def test_show_takes_an_id_or_its_beginning_and_shows_no_approve(quiet: Road) -> None:
    ana = Someone(quiet.slack, ANA)
    ticket = ask(quiet, action="show.me")
    card(quiet.slack, ticket.id)
    for words in (f"show {ticket.id}", f"show {ticket.id[:23].upper()}"):
        shown = said(quiet, ANA, words)
        assert "show.me" in text_of(shown) and "cus_42" in text_of(shown)
        assert buttons(shown) == ["review"]
    ana.click(shown, "review")
    ana.submit(ana.view("review", "cus_42"))
    assert ticket.wait(60).approved
    after = said(quiet, ANA, f"show {ticket.id}")
    assert buttons(after) == ["details"] and "*Approved* by" in text_of(after)


def test_show_says_what_is_wrong_with_an_id(quiet: Road) -> None:
    for words in ("show", "show 0199", "show not-an-id!", "show %%%%%%%%"):
        assert "Give a request's code" in reads(said(quiet, ANA, words))
    assert "knows no such" in reads(said(quiet, ANA, "show 00000000-dead"))


def test_show_and_history_are_for_approvers_owners_and_admins(quiet: Road) -> None:
    ticket = quiet.agent("owned-bot").request("owned.act", {"secret": "s3"}, reversible=True)
    other = ask(quiet, action="other.act")
    assert card(quiet.slack, ticket.id) and card(quiet.slack, other.id)
    for user in (ANA, OMAR):  # an approver, an admin
        assert "s3" in text_of(said(quiet, user, f"show {ticket.id}"))
        history = text_of(said(quiet, user, "history")).split("\n")
        assert "owned.act: secret “s3”" in history and any(one.startswith("other.act: ") for one in history)
    refused = reads(said(quiet, MIA, f"show {ticket.id}"))
    assert refused.startswith(f"Only <@{ANA}>")
    assert refused.endswith("its agent's owner and admins can see this.")
    assert "Only approvers" in reads(said(quiet, MIA, "history"))
    own(quiet, "owned-bot", MIA)
    shown = said(quiet, MIA, f"show {ticket.id}")
    assert "s3" in text_of(shown) and buttons(shown) == ["details"], "she may look, and not decide"
    history = text_of(said(quiet, MIA, "history"))
    assert "owned.act" in history and "other.act" not in history
    assert "other.act" not in reads(said(quiet, MIA, "history other.act"))
    assert "owned.act" in reads(said(quiet, MIA, "history owned.act"))
    assert reads(said(quiet, MIA, f"show {other.id}")).startswith("Only ")
    own(quiet, "owned-bot", GUEST)
    assert "Only members" in reads(said(quiet, GUEST, f"show {ticket.id}"))
    assert "Only members" in reads(said(quiet, GUEST, "history"))
    own(quiet, "owned-bot", None)


def test_history_turns_pages_and_takes_an_agent_or_an_action(quiet: Road) -> None:
    ana, agent = Someone(quiet.slack, ANA), quiet.agent("past-bot")
    tickets = [agent.request(f"past.{n:02}", {"n": n}, reversible=True) for n in range(12)]
    for ticket in tickets:
        card(quiet.slack, ticket.id)
        ticket.cancel()
    before = len(ana.told())
    first = said(quiet, ANA, "history past-bot")
    assert "past.11" in text_of(first) and "past.01" not in text_of(first)
    eventually(lambda: "Withdrawn by the agent" in reads(said(quiet, ANA, "history past.00")))
    ana.click(first, "list_next")
    second = ana.told_now(before, "past.01", "past.00")
    assert "past.11" not in text_of(second) and "list_next" not in buttons(second)
    ana.click(second, "list_back")
    ana.told_now(before, "past.11")


def test_a_page_of_history_asks_again_who_may_see_it(quiet: Road) -> None:
    own_before = ask(quiet, action="turn.me")
    card(quiet.slack, own_before.id)
    agent = quiet.agent("turn-bot")
    for n in range(12):
        card(quiet.slack, agent.request(f"turn.{n}", {"n": n}, reversible=True).id)
    own(quiet, "turn-bot", MIA)
    mia, listed = Someone(quiet.slack, MIA), said(quiet, MIA, "history")
    assert "list_next" in buttons(listed)
    own(quiet, "turn-bot", None)
    before = len(mia.told())
    mia.click(listed, "list_next")
    mia.told_now(before, "Only approvers")


@pytest.mark.http
def test_the_shortcut_opens_a_list_whose_review_approves(quiet: Road) -> None:
    ana, ticket = Someone(quiet.slack, ANA), ask(quiet, action="short.cut")
    card(quiet.slack, ticket.id)
    view = shortcut(quiet, ANA)
    assert "approve" not in buttons(view) and view["submit"] is None
    ana.press(view, "review", value=f"{ticket.id}:1")
    eventually(lambda: len(ana.stack()) == 2)
    ana.submit(ana.view("review", "cus_42"))
    assert ticket.wait(60).approved and not ana.stack()
    assert "Nothing waits for you" in text_of(shortcut(quiet, MIA))


def test_the_shortcuts_list_turns_its_pages_in_the_modal(quiet: Road) -> None:
    ana, agent = Someone(quiet.slack, ANA), quiet.agent("modal-bot")
    for n in range(11):
        card(quiet.slack, agent.request(f"modal.{n:02}", {"n": n}, reversible=True).id)
    first = shortcut(quiet, ANA)
    ana.press(first, "list_next")
    second = ana.view("list", "modal.10", "page 2")
    assert second["id"] == first["id"]
    ana.press(second, "list_back")
    ana.view("list", "modal.00", "page 1")


def test_a_late_click_is_told_who_decided_and_when_wherever_it_comes_from(quiet: Road) -> None:
    ana, ben = Someone(quiet.slack, ANA), Someone(quiet.slack, BEN)
    ticket = ask(quiet, action="late.one")
    message = card(quiet.slack, ticket.id)
    listed, view = said(quiet, ANA, "pending late.one"), shortcut(quiet, ANA)
    quiet.slack.act(type="open_home", user=ANA)
    home = eventually(lambda: (at := quiet.slack.views(ANA)["home"]) and "late.one" in text_of(at) and at, 30)
    press = {"value": f"{ticket.id}:1"}
    ben.click(message, "approve")
    assert ticket.wait(60).approved
    told = f"<@{BEN}> approved this at <!date^"
    ana.press(view, "review", **press)
    assert "before you. Nothing else happened." in text_of(ana.view("message", told))
    assert [v["callback_id"] for v in ana.stack()] == ["list", "message"]
    ana.close_all()
    before = len(ana.told())
    ana.click(listed, "review", **press)
    ana.told_now(before, told, "before you. Nothing else happened.")
    if any(n == "review" for n in buttons(home)):
        answer = quiet.slack.act(type="click", user=ANA, view_id=home["id"], action_id="review", **press)
        if answer["ok"]:  # else the Home does not show it any more
            ana.view("message", told)
    redrawn(quiet.slack, ticket.id, "*Approved*")


@pytest.mark.http
def test_a_home_follows_what_happens_and_opens_the_rest(quiet: Road) -> None:
    ben = Someone(quiet.slack, BEN)
    quiet.slack.act(type="open_home", user=BEN)
    eventually(lambda: quiet.slack.views(BEN)["home"])
    agent = quiet.agent("home-bot")
    tickets = [agent.request(f"home.{n:02}", {"n": n}, reversible=True) for n in range(11)]
    home = eventually(lambda: (at := ben_home(quiet)) and "more wait" in text_of(at) and at, 30)
    ben.press(home, "list_all", value="pending:1:")
    ben.view("list", "home.00")
    ben.close_all()
    ben.click(card(quiet.slack, tickets[0].id), "approve")
    eventually(lambda: "Decided by you" in text_of(ben_home(quiet)), 30)


def ben_home(road: Road) -> Any:
    return road.slack.views(BEN)["home"]


def test_an_answer_follows_the_ack_where_slack_is_slow(quiet: Road) -> None:
    ticket = ask(quiet, action="slow.one")
    card(quiet.slack, ticket.id)
    quiet.slack.team(users={"U0SLOW0001": {"name": "slow"}})
    quiet.slack.faults(method="users.info", mode="hang", times=1, seconds=4, about="U0SLOW0001")
    answer = quiet.slack.act(
        type="command", user="U0SLOW0001", channel="C0RANDOM01", command="/approvals", text="pending"
    )
    assert answer["acked"] and answer["ack_ms"] < 3000
    someone = Someone(quiet.slack, "U0SLOW0001", "C0RANDOM01")
    eventually(lambda: someone.told(), 30)


def test_ten_commands_a_second_while_cards_arrive_lose_no_acknowledgement(quiet: Road) -> None:
    agent, stop = quiet.agent("load-bot"), threading.Event()
    sent: list[Any] = []

    def requests() -> None:
        while not stop.wait(0.05):
            sent.append(agent.request("load.act", {"n": len(sent)}, reversible=True))

    people, words = (ANA, BEN, MIA, OMAR), ("", "mine", "history", "history load-bot", "help")

    def command(number: int) -> dict[str, Any]:
        user, asked = people[number % len(people)], words[number % len(words)]
        return quiet.slack.act(type="command", user=user, channel=CHANNEL, command="/approvals", text=asked)

    thread = threading.Thread(target=requests)
    thread.start()
    try:
        with ThreadPoolExecutor(10) as pool:
            due, answers = time.monotonic(), []
            for number in range(60):
                answers.append(pool.submit(command, number))
                due += 0.1
                time.sleep(max(0.0, due - time.monotonic()))
            done = [answer.result(30) for answer in answers]
    finally:
        stop.set()
        thread.join(30)
    assert all(answer["ok"] and answer["acked"] for answer in done), done
    assert len(sent) > 20
    eventually(lambda: quiet.row(sent[-1].id).card.message, 60)
