"""Several requests on one card, as people press it: on it, in a Review's pages, one by one, all at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from bot.batch_made import shows
from flows.local import SHARED, Local, local_bot
from flows.person import ANA, BEN, MIA, buttons, text_of
from flows.several import Shown
from sqlalchemy import text as sql

JSON = dict[str, Any]
REASON = {"Which_is_it?": "final", "Why,_or_what_to_change": "These are still used"}


@pytest.fixture(scope="module")
def _local(tmp_path_factory: pytest.TempPathFactory, _redis_server: Any, transport: str) -> Iterator[Local]:
    with local_bot(tmp_path_factory.mktemp("local"), _redis_server.url, transport=transport) as found:
        yield found


@pytest.fixture
def local(_local: Local) -> Local:
    for user in (ANA, BEN, MIA):
        _local.person(user).close_all()
    approvals = _local.server.approvals
    for one in map(approvals.get, approvals.waiting_for(ANA)):
        approvals.cancel(one.agent, one.request_id)
    _local.slack.reset()
    return _local


def branches(count: int) -> list[JSON]:
    return [{"repo": "acme/shop", "branch": f"feature-{n}", "age": 30 + n} for n in range(count)]


def long(count: int) -> list[JSON]:
    return [{"n": n, "body": f"line {n}\n" * 60} for n in range(count)]


def tall(count: int) -> list[JSON]:
    """Too many lines for a card, and few enough for a page."""
    return [{"n": n, "body": "\n".join(f"line {n}" for _ in range(20))} for n in range(count)]


def test_a_small_batch_is_approved_on_its_card_each_with_a_receipt_of_its_own(local: Local) -> None:
    shown = Shown(local, branches(12))
    ana = local.person(ANA)
    card = shown.card
    assert buttons(card) == ["batch_approve", "batch_reject", "batch_each", "more"]
    ana.click(card, "batch_approve")
    shown.once(approved=12)
    receipts = {one.receipt for one in shown.batch.items}
    assert len(receipts) == 12 and None not in receipts
    assert "1–12: approved by" in text_of(shown.card) and buttons(shown.card) == ["batch_look"]
    assert not ana.told()
    ana.click(shown.card, "batch_look")
    assert "feature-7" in text_of(ana.view("batch_review"))


def test_what_was_decided_since_the_card_was_drawn_is_named_and_the_rest_is_decided(local: Local) -> None:
    shown = Shown(local, branches(4))
    ana, ben = local.person(ANA), local.person(BEN)
    card = shown.card
    local.server.approvals.decide(shown.ids[1], 1, BEN, "reject", reason="No")
    local.server.approvals.cancel("billing-bot", local.server.approvals.get(shown.ids[2]).request_id)
    ana.click(card, "batch_approve")
    ana.told_now(0, "You approved 2", "2: *Rejected* by", BEN, "3: *Withdrawn by the agent*")
    assert shown.became() == {"approved": 2, "rejected": 1, "cancelled": 1}
    ben.click(card, "batch_approve")
    ben.told_now(0, "None of these waits any more", "1: *Approved* by", ANA, "2: *Rejected* by")
    local.person(MIA).click(card, "batch_reject")
    assert "None of these" in text_of(local.person(MIA).view("message"))


def test_a_review_approves_what_was_seen_and_nothing_else(local: Local) -> None:
    shown = Shown(local, tall(50))
    ana = local.person(ANA)
    assert "batch_approve" not in buttons(shown.card)
    ana.click(shown.card, "batch_review")
    first = ana.view("batch_review", "Page 1 of 2 · 25 of 50 shown in full so far")
    assert shows(first["blocks"], "batch_approve_seen")["text"]["text"] == "Approve the 25 you saw"  # type: ignore[index]
    ana.press(first, "batch_page_next")
    second = ana.view("batch_review", "Page 2 of 2")
    ana.press(second, "batch_page_back")
    ana.press(ana.view("batch_review", "Page 1 of 2"), "batch_approve_seen")
    result = ana.view("batch_result", "You approved 25", "25 still wait")
    assert shown.became() == {"approved": 25, "pending": 25}
    order = [one.id for one in shown.batch.items if one.status == "approved"]
    assert order == shown.ids[:25]
    ana.press(result, "batch_each")
    assert "26 of 50" in text_of(ana.view("batch_each"))
    ana.close_all()
    ana.click(shown.card, "batch_review")
    last = ana.view("batch_review", "line 49")
    button = shows(last["blocks"], "batch_approve_seen")
    assert (
        button
        and button["text"]["text"] == "Approve all 25"
        and "25 actions run" in button["confirm"]["text"]["text"]
    )
    ana.press(last, "batch_approve_seen")
    ana.view("batch_result", "You approved 25")
    shown.once(approved=50)


def test_one_by_one_with_an_edit_a_no_and_the_rest_like_this(local: Local) -> None:
    shown = Shown(local, branches(6))
    ana = local.person(ANA)
    ana.click(shown.card, "batch_each")
    ana.press(ana.view("batch_each", "1 of 6", "feature-0"), "each_approve")
    ana.press(ana.view("batch_each", "2 of 6", "feature-1"), "each_reject")
    ana.submit(ana.view("reject"), **REASON)
    third = ana.view("batch_each", "3 of 6", "feature-2")
    assert len(ana.stack()) == 1, "what was decided before lies below"
    ana.press(third, "each_edit")
    ana.submit(ana.view("edit"), branch="feature-2b")
    ana.submit(ana.view("difference"))
    fourth = ana.view("batch_each", "4 of 6", "feature-3")
    assert len(ana.stack()) == 1, "what was decided before lies below"
    ana.press(fourth, "each_next")
    fifth = ana.view("batch_each", "5 of 6", "feature-4")
    ana.press(fifth, "each_previous")
    ana.press(ana.view("batch_each", "4 of 6"), "each_rest")
    rest = ana.view("batch_review", "feature-4", "feature-5")
    assert "feature-3" not in text_of(rest)
    ana.press(rest, "batch_approve_seen")
    result = ana.view("batch_result", "You approved 2")
    ana.press(result, "batch_each")
    ana.press(ana.view("batch_each", "4 of 6", "feature-3"), "each_approve")
    ana.view("batch_result", "5 approved · 1 rejected")
    assert [one.status for one in shown.batch.items] == ["approved", "rejected", *["approved"] * 4]
    assert shown.batch.items[2].payload["branch"] == "feature-2b"
    assert shown.batch.items[1].decision.reason == "These are still used"
    ana.close_all()
    assert ana.stack() == []


def test_all_are_rejected_with_one_reason(local: Local) -> None:
    shown = Shown(local, long(30))
    ana = local.person(ANA)
    ana.click(shown.card, "batch_reject")
    form = ana.view("batch_reject", "30 requests, one reason for all")
    ana.submit(form, **{"Which_is_it?": "changes"})
    ana.submit(ana.view("batch_reject"), **REASON)
    ana.view("batch_result", "You rejected 30")
    shown.once(rejected=30)
    assert {one.decision.reason for one in shown.batch.items} == {"These are still used"}
    assert "These are still used" in text_of(shown.card)
    other = Shown(local, long(30))
    ana.close_all()
    ana.click(other.card, "batch_review")
    ana.press(ana.view("batch_review"), "batch_reject")
    ana.submit(ana.view("batch_reject"), **REASON)
    ana.view("batch_result", "You rejected 30")
    other.once(rejected=30)


def _overtaken(local: Local, shown: Shown) -> None:
    """Ben approves the first, and its agent takes the second back: Ana has both before her."""
    approvals = local.server.approvals
    approvals.decide(shown.ids[0], 1, BEN, "approve")
    approvals.cancel("billing-bot", approvals.get(shown.ids[1]).request_id)


@pytest.mark.parametrize("way", ["seen", "rejected", "review rejected", "rest", "each", "nothing left"])
def test_whoever_decides_several_is_told_what_others_were_faster_with(local: Local, way: str) -> None:
    shown = Shown(local, branches(4))
    ana = local.person(ANA)
    if way in ("seen", "review rejected", "nothing left"):
        ana.click(shown.card, "batch_review")
        view = ana.view("batch_review", "feature-3")
    else:
        ana.click(shown.card, {"rejected": "batch_reject"}.get(way, "batch_each"))
        view = ana.view({"rejected": "batch_reject"}.get(way, "batch_each"))
    if way == "rest":
        ana.press(view, "each_next")
        ana.press(ana.view("batch_each", "2 of 4"), "each_next")
        ana.press(ana.view("batch_each", "3 of 4"), "each_rest")
        view = ana.view("batch_review", "feature-3")
        ana.press(view, "batch_reject")
        view = ana.view("batch_reject", "3 requests")
    elif way == "review rejected":
        ana.press(view, "batch_reject")
        view = ana.view("batch_reject", "4 requests")
    _overtaken(local, shown)
    if way == "nothing left":
        for one in shown.ids[2:]:
            local.server.approvals.decide(one, 1, BEN, "approve")
        ana.press(view, "batch_reject")
    elif way == "seen":
        ana.press(view, "batch_approve_seen")
    elif way == "each":
        ana.press(view, "each_next")
        ana.press(ana.view("batch_each", "2 of 4"), "each_next")
        for at in (3, 4):
            ana.press(ana.view("batch_each", f"{at} of 4"), "each_approve")
    else:
        ana.submit(view, **REASON)
    done = {"nothing left": "4 were not", "each": "3 approved"}.get(way, "You ")
    text = text_of(ana.view("batch_result", done, "feature-0", "*Approved* by", BEN))
    assert "feature-1" in text and "*Withdrawn by the agent*" in text
    assert "feature-2" not in text or way == "nothing left"


def test_two_people_in_one_batch_decide_each_request_once(local: Local) -> None:
    shown = Shown(local, long(20))
    ana, ben = local.person(ANA), local.person(BEN)
    for person in (ana, ben):
        person.click(shown.card, "batch_review")
    views = {person.user: person.view("batch_review") for person in (ana, ben)}
    ana.press(views[ANA], "batch_approve_seen")
    ben.press(views[BEN], "batch_approve_seen")
    done = [text_of(person.view("batch_result")) for person in (ana, ben)]
    shown.once(approved=20)
    mine = [sum(one.decision.approver == user for one in shown.batch.items) for user in (ANA, BEN)]
    assert sum(mine) == 20
    for count, text in zip(mine, done, strict=True):
        assert (f"You approved {count}" if count else "You approved none") in text


def test_pressed_twice_it_is_decided_once_and_the_result_stays(local: Local) -> None:
    shown = Shown(local, long(20))
    ana = local.person(ANA)
    ana.click(shown.card, "batch_review")
    view = ana.view("batch_review")
    ana.press(view, "batch_approve_seen")
    local.slack.act(type="click", user=ANA, view_id=view["id"], action_id="batch_approve_seen")
    ana.view("batch_result", "You approved 20")
    shown.once(approved=20)


def test_a_review_of_somebody_elses_is_nobodys(local: Local) -> None:
    shown = Shown(local, long(3))
    batches = local.server.approvals.batches
    review = batches.review(ANA, shown.ids, shown.batch_id)
    ben = local.person(BEN)
    ben.click(shown.card, "batch_review")
    view = ben.view("batch_review")
    forged = {**{name: view[name] for name in ("type", "callback_id", "title", "close", "blocks")}}
    forged["private_metadata"] = view["private_metadata"].replace(_review_in(view), review.id)
    forged["blocks"] = [block for block in forged["blocks"] if block["type"] == "actions"]
    local.server.slack.update_view(view["id"], forged)
    ben.press(ben.view("batch_review"), "batch_approve_seen")
    ben.view("message", "This review is over, or is not yours")
    assert shown.became() == {"pending": 3}


def test_other_requests_than_a_card_or_a_page_shows_are_not_decided(local: Local) -> None:
    shown, ana = Shown(local, branches(3)), local.person(ANA)
    other = local.ask(action="branch.delete", payload={"branch": "main"}, reversibility="reversible")
    card = shown.card

    def swap(statement: str, value: Any) -> None:
        with local.server.store.transaction() as connection:
            connection.execute(sql(statement), {"value": json.dumps(value)})

    swap("UPDATE batch SET ids = :value", [shown.ids[1], shown.ids[0], shown.ids[2]])
    ana.click(card, "batch_approve")
    ana.told_now(0, "This changed meanwhile: have another look")
    ana.click(card, "batch_reject")
    ana.view("message", "This changed meanwhile: have another look")
    ana.close_all()
    swap("UPDATE batch SET ids = :value", shown.ids)
    ana.click(card, "batch_review")
    view = ana.view("batch_review")
    swap("UPDATE batch_review SET batch_id = NULL, items = :value", [[other, 1]] * 3)
    ana.press(view, "batch_approve_seen")
    ana.view("message", "This changed meanwhile: have another look")
    ana.close_all()
    for statement, value in (
        ("UPDATE batch_review SET batch_id = NULL, items = :value", [[other, 1]] * 3),
        ("UPDATE payload SET text = :value", {"branch": "main"}),
    ):
        for button in ("each_approve", "each_reject", "each_note"):
            ana.click(card, "batch_each")
            view = ana.view("batch_each", "1 of 3", "feature-0")
            with local.server.store.reading() as connection:
                texts = connection.execute(sql("SELECT approval_id, text FROM payload")).all()
            swap(statement, value)
            ana.press(view, button)
            ana.view("message", "This changed meanwhile: have another look")
            ana.close_all()
            with local.server.store.transaction() as connection:
                for approval_id, text in texts:
                    values = {"id": approval_id, "text": text}
                    connection.execute(sql("UPDATE payload SET text = :text WHERE approval_id = :id"), values)
    assert shown.became() == {"pending": 3} and local.server.approvals.get(other).pending


def _review_in(view: JSON) -> str:
    return str(json.loads(view["private_metadata"])["review"])


def test_who_may_not_decide_is_told_so(local: Local) -> None:
    shown = Shown(local, branches(3))
    mia = local.person(MIA)
    mia.click(shown.card, "batch_approve")
    mia.told_now(0, "Only <@")
    for action in ("batch_review", "batch_each", "batch_reject"):
        mia.click(shown.card, action)
        mia.view("message", "Only <@")
        mia.close_all()
    assert shown.became() == {"pending": 3}


def test_lists_and_home_offer_what_may_be_looked_through_at_once(local: Local) -> None:
    shown = Shown(local, branches(4))
    for n in range(3):
        local.ask(action="mail.post", payload={"to": f"u{n}@a.example"}, reversibility="reversible")
    ana = local.person(ANA)
    answer = local.slack.act(type="command", user=ANA, channel=SHARED, command="/approvals", text="")
    assert answer["ok"] and answer["acked"]
    listed = ana.told_now(0, "7 requests wait for you", "4 × branch.delete", "Review 3 × mail.post together…")
    assert text_of(listed).count("branch.delete") == 1 and "The agent calls it “Clean up”" in text_of(listed)
    ana.click(listed, "batch_together_0")
    view = ana.view("batch_review", "u0@a.example", "u2@a.example")
    ana.press(view, "batch_approve_seen")
    ana.view("batch_result", "You approved 3")
    ana.close_all()
    local.slack.act(type="open_home", user=ANA)
    local.draw_homes()
    home = local.slack.views(ANA)["home"]
    waits = [block for block in home["blocks"] if ":pending:" in block.get("block_id", "")]
    assert str(waits).count("4 × branch.delete") == 1 and "feature-3" not in str(waits)
    ana.press(home, "batch_review")
    ana.press(ana.view("batch_review", "feature-3"), "batch_approve_seen")
    ana.view("batch_result", "You approved 4")
    shown.once(approved=4)


def test_those_that_wait_alone_and_are_alike_are_offered_together(local: Local) -> None:
    ids = [
        local.ask(action="mail.send", payload={"to": f"u{n}@a.example"}, reversibility="reversible")
        for n in range(3)
    ]
    lonely = local.ask(action="other.thing", payload={"a": 1}, reversibility="reversible")
    ana = local.person(ANA)
    told = [str(local.card(one)["blocks"]) for one in (*ids, lonely)]
    assert ["together…" in text for text in told] == [False, True, True, False], "as many as there were then"
    assert "Review these 2 together…" in told[1] and "Review these 3 together…" in told[2]
    ana.choose(local.card(ids[1]), "alike")
    view = ana.view("batch_review", "u0@a.example", "u2@a.example")
    ana.press(view, "batch_approve_seen")
    ana.view("batch_result", "You approved 3")
    assert {local.server.approvals.get(one).status for one in ids} == {"approved"}
    ana.close_all()
    other = local.ask(action="other.thing", payload={"a": 2}, reversibility="reversible")
    card = local.card(other)
    local.server.approvals.decide(lonely, 1, BEN, "reject")
    ana.choose(card, "alike")
    ana.view("message", "No other request like this one waits for you")


def test_one_of_several_is_asked_about_looked_at_and_approved_with_a_note(local: Local) -> None:
    shown = Shown(local, branches(3))
    ana = local.person(ANA)
    ana.click(shown.card, "batch_each")
    view = ana.view("batch_each", "1 of 3", "Approve with note…", "Ask the agent…", "Details…")
    ana.press(view, "each_ask")
    ana.submit(ana.view("ask"), Your_question="Why so old?")
    assert local.server.approvals.get(shown.ids[0]).talks[0].question == "Why so old?"
    ana.press(ana.view("batch_each", "1 of 3"), "each_details")
    ana.view("details", shown.ids[0], "Why so old?")
    ana.close_all()
    ana.click(shown.card, "batch_each")
    ana.press(ana.view("batch_each", "1 of 3"), "each_note")
    ana.submit(ana.view("note"), Note_to_the_agent_and_the_record="Merged last week")
    ana.view("batch_each", "2 of 3", "feature-1")
    assert local.server.approvals.get(shown.ids[0]).decision.reason == "Merged last week"
