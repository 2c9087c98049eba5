"""A batch is one line of a person's list: it counts truly what waits in it, whatever stands on which page."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text as sql

from signoff.approvals.lists import PER_PAGE, Lists, Page
from signoff.bot.cards.lists import home_view, list_blocks
from signoff.bot.listeners.mention_batch import meant
from signoff.bot.listeners.mention_text import read
from signoff.sandbox.remote import words
from tests.approvals.test_batches import NAME, freeze
from tests.support import Core


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
        return meant(core.approvals, "C1", thread, asked)

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
