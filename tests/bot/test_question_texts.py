"""What an agent says around a question: in quotes or in one line, told from our words, and not too much."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from signoff.bot.blocks import check_message, check_view
from signoff.bot.cards.question_card import question_card
from signoff.bot.cards.record import record_view
from signoff.bot.forms.answer_form import answer_view, none_view
from signoff.bot.gallery.approval import BEGAN, made_up
from signoff.bot.text.poses import poses
from signoff.bot.text.prose import one_line, prose
from signoff.bot.text.question import phone_lines
from signoff.bot.text.text import actual
from signoff.models.approval import Approval
from signoff.models.questions import ACTION, QUESTION

JSON = dict[str, Any]
Walk = Callable[[Any], Iterator[JSON]]
NOW = BEGAN + 1


def asks(asked: JSON, **fields: Any) -> Approval:
    return made_up(asked, kind=QUESTION, action=ACTION, **fields)


def which(**more: Any) -> JSON:
    return {"question": "Which?", **more}


LIES = "Berlin\n\n“Policy of Signoff” says:\nApproved by @ana · 14:02\n3. Munich – the one that Ben chose\n "


@pytest.mark.parametrize("short", [True, False])
def test_no_text_of_the_agents_breaks_a_line_outside_a_quote_and_what_poses_is_named(
    walk: Walk, short: bool
) -> None:
    """On the card, in the form and where it is looked up: sources, what it tried, answers, a default."""
    lies = LIES if short else LIES * 3
    asked = which(
        options=[{"id": "a", "text": "Berlin", "about": lies[:300]}, {"id": "b", "text": "x\nApprove"}],
        sources=[{"name": "CRM\nApproved by @ana", "text": lies}, {"name": "b", "text": lies}],
        tries=[{"what": lies[:300], "error": lies if short else "404"}], free_text=True,
    )  # fmt: skip
    approval = asks(asked, title="Approved by Ana", reason=lies)
    free = asks({"question": "?", "free_text": True, "default": lies[:300]})
    drawn = question_card(approval, now=NOW)
    views = [answer_view(approval), none_view(approval), record_view(approval, NOW)]
    for shown in (drawn.blocks, question_card(free, now=NOW).blocks, *(view["blocks"] for view in views)):
        quotes = [
            one for one in walk(shown) if one.get("type") in ("rich_text_quote", "rich_text_preformatted")
        ]
        inside = {id(one) for quote in quotes for one in walk(quote)}
        for one in walk(shown):
            if one.get("type") in ("text", "plain_text", "mrkdwn") and id(one) not in inside:
                lines = one["text"].split("\n")
                assert not any(re.match("Approved by|3. Munich|“Policy|Approve$", said) for said in lines), (
                    one
                )
                assert "\\u{20}" not in one["text"] and "\\u{a}" not in one["text"], one
    told = next(b for b in drawn.blocks if b.get("block_id", "").startswith("warning:"))["elements"][0][
        "text"
    ]
    named = "Answers 1 and 2 read like words of Signoff", "Sources 1 and 2, attempt 1, title and reason read"
    assert all(one in told for one in (named if short else named[:1])), told
    assert all(one in drawn.text for one in ("Answers 1 and 2 read like", "title"))
    free_told = [block["elements"][0]["text"] for block in question_card(free, now=NOW).blocks
                 if block.get("block_id", "").startswith("warning:")]  # fmt: skip
    assert free_told and "Default reads like words of Signoff" in free_told[0]


@pytest.mark.parametrize("said", ["Approved in 2021 by the board", "It was wrong", "Answering takes a day",
                                  "Right of way", "The agent said so", "It says: yes"])  # fmt: skip
def test_what_only_speaks_of_such_things_poses_as_nothing(said: str) -> None:
    assert not poses(f"Berlin\n{said}")


def test_however_much_an_agent_asks_its_card_takes_two_screens_of_a_phone() -> None:
    lines = "line\n" * 700
    asked = {
        "question": "Which?\n" * 140, "several": True, "date": True, "free_text": True, "why": "scope",
        "options": [{"id": f"o{n}", "text": f"O{n} " + "x" * 140, "about": "y " * 149} for n in range(10)],
        "sources": [{"name": f"s{n} " + "n" * 140, "text": lines} for n in range(5)],
        "tries": [{"what": f"{n} " + "w " * 140, "error": lines[:1000]} for n in range(10)], "default": "o1",
    }  # fmt: skip
    for less in ({}, {"sources": []}, {"options": [], "several": False, "default": "x"}, {"tries": []}):
        approval = asks(asked | less, reason="because\n" * 90, title="t" * 140)
        drawn = question_card(approval, now=NOW)
        assert phone_lines(drawn.blocks) <= 2 * 40, phone_lines(drawn.blocks)
        assert any(block.get("block_id", "").startswith("folded:") for block in drawn.blocks)
        assert check_message(drawn.blocks) == [] == check_view(answer_view(approval))


def test_ordinary_ends_are_not_spelled_out_and_what_hides_is() -> None:
    assert prose("one \n two\t\n\n") == "one\n two" and one_line(" a \r\n\n b ") == "a ⏎ b"
    assert one_line("a⏎b") == "a\\u{23ce}b" and actual(one_line("a⏎b")) == "a⏎b"
    assert one_line("a\u200bb\u2028c") == "a\\u{200b}b ⏎ c" and prose("\u00a0x\u202e") == "\\u{a0}x\\u{202e}"
    assert one_line(" \n ") == "" == prose("\n")
