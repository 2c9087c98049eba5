"""A batch is one line of a person's list: it counts truly what waits in it, whatever stands on which page."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import text as sql

from signoff.approvals.lists import PER_PAGE, Lists, Page
from signoff.bot.cards.lists import home_view, list_blocks
from signoff.bot.listeners.mention_batch import meant
from signoff.bot.listeners.mention_text import read
from signoff.models.messages import Freeze
from signoff.sandbox.remote import words
from tests.approvals.test_batches import NAME, freeze
from tests.support import Core, a_request


def test_a_batch_is_one_line_that_says_truly_what_waits_in_it(core: Core) -> None:
    fields = {"reversibility": "reversible", "batch": NAME}
    sent = [core.submit(action="other.thing", payload={"n": 0}, **fields)]
    sent += [core.submit(action="mail.remind", payload={"to": f"u{n}"}, **fields) for n in range(49)]
    freeze(core, sent)
    alone = [
        core.submit(action="ticket.tidy", payload={"n": n}, reversibility="reversible") for n in range(14)
    ]
    lists = Lists(core.approvals, core.people, ())
    first, second = lists.pending("U0ANA"), lists.pending("U0ANA", 2)
    assert (first.total, first.pages, len(first.items), first.shown) == (64, 2, PER_PAGE, 59)
    assert [one.id for one in (*first.items, *second.items)] == [sent[0].id, *(one.id for one in alone)]
    assert first.folded[sent[0].id].actions == (("mail.remind", 49), ("other.thing", 1)) and not second.folded
    for blocks in (list_blocks(first, core.store.clock()), home_view(lists.overview("U0ANA"))["blocks"]):
        text = words({"blocks": blocks})
        assert text.count("50 requests: 49 × mail.remind, 1 × other.thing") == 1
        assert "64 requests wait" in text or "5 more wait for you" in text
        assert "The agent calls it “Clean up”" in text and "Review 14 × ticket.tidy together…" in text
    core.approvals.decide(sent[0].id, 1, "U0BEN", "approve")
    found = lists.pending("U0ANA")
    assert found.folded[sent[1].id].actions == (("mail.remind", 49),)
    asked_for: Page = lists.pending("U0ANA", about="mail.remind")
    assert [one.id for one in asked_for.items] == [sent[1].id] and asked_for.total == 49
    for one in sent[1:-1]:
        core.approvals.decide(one.id, 1, "U0BEN", "reject")
    left = lists.pending("U0ANA")
    assert not left.folded and left.items[0].id == sent[-1].id and left.total == 15


def test_in_the_thread_of_a_batchs_card_its_requests_go_by_their_numbers(core: Core) -> None:
    fields = {"reversibility": "reversible", "batch": NAME}
    sent = [core.submit(action="ticket.tidy", payload={"n": n}, **fields) for n in range(12)]
    batch = freeze(core, sent)
    with core.store.transaction() as connection:
        connection.execute(sql("UPDATE batch SET conversation = 'C1', message = '1.5'"))

    def found(text: str, thread: str = "1.5") -> Any:
        asked = read(f"<@U0BOT> {text}", "U0BOT")
        assert asked is not None
        return meant(core.approvals, "C1", thread, asked, "U0BOT00001")

    for text, number, rest in (
        ("ask 3 why so old?", 3, "why so old?"), ("note 12: book it", 12, "book it"),
        ("ask no. 1, 2 or 3?", 1, "2 or 3?"), ("ask #2\nwhy?", 2, "why?"), ("details 4", 4, ""),
    ):  # fmt: skip
        one, said = found(text)
        assert (one.id, said.rest) == (dict(batch.numbered)[number].id, rest), text
    for text in ("ask why so old?", "ask 13 why?", "ask 0 why?", "note 3rd one", "ask 3.5 is it?", "details"):
        assert "say which by its number" in found(text), text
    for text in ("reject 3 no", "approve", "pending"):
        assert "decide on it with *Review each…*" in found(text), text
    assert found("ask 3 why?", "1.6") is None and found("ask 3 why?", "") is None


def test_what_became_of_a_batch_is_one_line_too_wherever_it_is_listed(core: Core) -> None:
    def sent(many: int, action: str, title: str) -> list[Any]:
        fields = {"reversibility": "reversible", "batch": uuid.uuid4().hex}
        found = [a_request(action, {"n": n}, **fields) for n in range(many)]
        for one in found:
            core.approvals.submit("billing-bot", one)
        frozen = Freeze(title=title, run=None, ids=tuple(one.id for one in found))
        core.approvals.batches.freeze("billing-bot", found[0].batch, frozen)
        return [str(one.id) for one in found]

    old = core.submit(action="other.thing", payload={"n": 0})
    core.approvals.decide(old.id, 1, "U0ANA", "approve")
    many = sent(50, "branch.delete", "Clean up 50 branches")
    for number, one in enumerate(many):
        user, vote = ("U0BEN", "reject") if number == 7 else ("U0ANA", "reject" if number < 3 else "approve")
        core.approvals.decide(one, 1, user, vote, resubmit=number == 0, reason="No" if number < 8 else "")
    few = sent(2, "ticket.tidy", "Tidy")
    core.approvals.decide(few[0], 1, "U0ANA", "approve")
    with core.store.transaction() as connection:
        connection.execute(sql("UPDATE agent SET owner = 'U0ANA'"))
    lists = Lists(core.approvals, core.people, ())
    mine, history, seen = lists.mine("U0ANA"), lists.history("U0ANA"), lists.overview("U0ANA")
    assert [one.id for one in mine.items] == [few[0], many[-1], old.id] and not mine.more
    assert [one.id for one in history.items] == [few[1], many[-1], old.id] and not history.more
    assert (mine.shown, history.shown, len(seen.owned.items), len(seen.decided.items)) == (51, 53, 3, 3)
    assert [one.id for one in lists.mine("U0BEN").items] == [many[7]] and not lists.mine("U0BEN").folded
    assert [one.id for one in lists.history("U0ANA", about="branch.delete").items] == [many[-1]]
    now = core.store.clock()
    for page, told in ((mine, "*46 approved · 2 rejected · 1 sent back*"),
                       (history, "*46 approved · 3 rejected · 1 sent back*")):  # fmt: skip
        blocks = list_blocks(page, now)
        text, buttons = words({"blocks": blocks}), [one["accessory"] for one in blocks if "accessory" in one]
        assert told in text and "The agent calls it “Clean up 50 branches”" in text, text
        assert [one["action_id"] for one in buttons[:3]].count("batch_look") >= 1
    waits = [one["accessory"]["action_id"] for one in list_blocks(history, now) if "accessory" in one]
    assert waits == ["batch_review", "batch_look", "details"], "of the two one waits still"
    assert "*1 waits · 1 approved*" in words({"blocks": list_blocks(history, now)})
    assert lists.find("U0ANA", lists.see("U0ANA", many[20]).code).id == many[20], "each by its own code"


def test_pages_of_lists_go_on_behind_batches(core: Core) -> None:
    fields = {"reversibility": "reversible"}
    for number in range(12):
        name = uuid.uuid4().hex
        found = [a_request("a.b", {"n": n, "of": number}, **fields, batch=name) for n in range(6)]
        for one in found:
            core.approvals.submit("billing-bot", one)
        frozen = Freeze(title="Tidy", run=None, ids=tuple(one.id for one in found))
        batch = core.approvals.batches.freeze("billing-bot", name, frozen)
        core.approvals.batches.reject(batch.id, "U0ANA", "No")
    lists = Lists(core.approvals, core.people, ())
    for asked_for in (lists.mine, lists.history):
        first, second = asked_for("U0ANA"), asked_for("U0ANA", 2)
        assert (len(first.items), first.more, len(second.items), second.more) == (PER_PAGE, True, 2, False)
        ids = {folded.batch_id for page in (first, second) for folded in page.folded.values()}
        assert len(ids) == 12 and first.shown + second.shown == 72
