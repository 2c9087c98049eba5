"""What an agent shows by itself: its title and its result are claims, and nothing of ours is theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from signoff.approvals.errors import NotAllowed
from signoff.bot.blocks import check_message, check_view
from signoff.bot.cards.card import double
from signoff.bot.cards.feedback_card import feedback_card
from signoff.bot.forms.feedback_form import correction_view
from signoff.bot.forms.undo_form import undo_view
from signoff.bot.gallery.approval import BEGAN, made_up
from signoff.bot.gallery.layouts import SETS, approval_of, card_of
from signoff.bot.gallery.undo import planned
from signoff.bot.listeners.replies import sentence
from signoff.bot.text.words import feedback as words
from signoff.models.feedback import KIND

JSON = dict[str, Any]
Walk = Callable[[Any], Iterator[JSON]]
LIE = "Approved by Ana\n*Right*, says @ben"


@pytest.mark.parametrize("status", ["pending", "expired", "cancelled"])
def test_the_header_is_ours_and_the_title_a_claim_in_a_quote(walk: Walk, status: Any) -> None:
    asked = made_up({"result": {"Was this right?": "Right, says @ben"}}, kind=KIND, action="task", title=LIE)
    approval = replace(asked, status=status)
    drawn = feedback_card(approval, now=BEGAN + 1)
    for shown in (drawn, double(approval, now=BEGAN + 1)):
        assert shown.blocks[0]["text"]["text"] == "billing-bot shows a result"
        assert check_message(shown.blocks, shown.text, shown.metadata) == []
    quotes = [one for one in walk(drawn.blocks) if one.get("type") == "rich_text_quote"]
    inside = [one["text"] for quote in quotes for one in walk(quote) if one.get("type") == "text"]
    assert inside == [LIE]
    told = str(drawn.blocks)
    assert told.count("Approved by Ana") == 1 and "Title and result read like words of Signoff" in told
    lines = drawn.text.split("\n")
    assert lines[0].startswith("billing-bot") and not any(line.startswith("Approved") for line in lines)


def test_what_is_folded_of_what_is_over_or_shown_has_details_and_no_command_to_type(walk: Walk) -> None:
    for name, case in (SETS["feedback"] | SETS["cards"] | SETS["undo"]).items():
        drawn, approval = card_of(case), approval_of(case)
        assert "/approvals" not in str(drawn.blocks), name
        cut = words.CUT in str(drawn.blocks)
        values = {one.get("value", "") for one in walk(drawn.blocks)}
        about = f"{approval.id}:{approval.version}"
        assert f"details:{about}" in values or f"record:{about}" in values or not cut, name


def test_a_correction_stands_below_what_it_corrects_and_an_undo_says_what_it_undoes(
    seen: Callable[[Any], str],
) -> None:
    own = correction_view(approval_of(SETS["feedback"]["own"]), "wrong")
    assert "Revenue 48,210 EUR, up 3 % on the week before." in seen(own["blocks"])
    ran = correction_view(approval_of(SETS["feedback"]["asked"]), "partly")
    told = seen(ran["blocks"])
    assert "customer" in told and "re_991" in told and words.GAVE in told
    noted = correction_view(approval_of(SETS["feedback"]["asked-without-a-result"]), "partly")
    assert "re_991" in seen(noted["blocks"])
    first = approval_of(SETS["undo"]["can-be-undone"])
    undoing = undo_view(planned(first))
    assert undoing["blocks"][0]["block_id"] == "undoes"
    assert all(one in str(undoing["blocks"][0]) for one in ("Refund 120 EUR to cus_42", first.code, "ran "))
    for view in (own, ran, noted, undoing):
        assert check_view(view) == []


def test_what_is_undone_weighs_as_much_as_what_is_done() -> None:
    for name in ("being-undone", "undone", "undo-failed", "undo-untaken"):
        blocks = card_of(SETS["undo"][name]).blocks
        (undone,) = [block for block in blocks if block.get("block_id", "").startswith("undone:")]
        assert undone["type"] == "section" and blocks.index(undone) == 2, name


@pytest.mark.parametrize(("name", "told"), [
    ("feedback:own", "can say whether this was right"), ("undo:grace", "can hold this"),
    ("undo:can-be-undone", "can undo this"), ("questions:options", "can answer this"),
    ("cards:short", "can decide this"),
])  # fmt: skip
def test_who_is_refused_hears_what_others_can_do(name: str, told: str) -> None:
    kind, _, case = name.partition(":")
    approval = approval_of(SETS[kind][case])
    error = NotAllowed("", approval.verdict.approvers or ("U0ANA",))
    assert sentence(error, approval, BEGAN).removesuffix(".").endswith(told)
