"""The room of a waiting card's payload is the same whatever else has to stand on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from signoff.bot.blocks import MESSAGE_TOTAL, check_message
from signoff.bot.cards.card import card
from signoff.bot.cards.table import counted
from signoff.bot.forms.difference_view import difference_view
from signoff.bot.text.fold import shown_whole
from signoff.bot.text.words import forms as forms_words
from signoff.models.approval import Approval, Rejection

BEGAN = 1_763_000_000_000_000
ODD = {f"k\u0430{n:02}" + "p" * 90: "x\u202e" * 5 for n in range(41)}
"""Nearly as much as one-line fields may take, all of which can mislead."""
PAYLOADS: list[dict[str, Any]] = [
    ODD,
    {**ODD, "body": "z" * 590},
    {f"k{n}": "2026-11-21T14:02:00Z" for n in range(105)},
    {f"k{n}": [1] * 20 for n in range(60)},
    {f"k{n:02}": "x" * 90 for n in range(58)},
    {f"k{n:02}": "x" * 90 for n in range(80)},
]


def fullest(make: Callable[..., Approval], payload: dict[str, Any]) -> Approval:
    """As much as can stand on a card beside its payload."""
    nearly = {"q<&" * 33 + str(n): "<v\u200b" * 33 for n in range(9)}
    refused = Rejection("c0", "U0ANA", BEGAN, "<&>" * 100, same=False, payload=nearly)
    return make(
        payload, reason="r" * 4000, impact="i" * 1000, undo="u" * 1000, rejected=refused, left_at=BEGAN,
        verdict={"headline": "h" * 150, "over": "o" * 200, "approvers": tuple(f"U{n:09}" for n in range(40))},
    )  # fmt: skip


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_form_after_an_edit_says_of_the_rest_what_the_card_shows(
    make: Callable[..., Approval], seen: Callable[[Any], str], payload: dict[str, Any]
) -> None:
    asked = fullest(make, payload)
    drawn = card(asked)
    whole = any(one.get("action_id") == "approve" for one in drawn.blocks[-1]["elements"])
    assert whole is shown_whole(asked)
    form = difference_view(asked, {**payload, "added": 1})
    assert (forms_words.UNCHANGED_REST in seen(form["blocks"])) is whole
    assert counted(drawn.blocks) <= MESSAGE_TOTAL
    assert check_message(drawn.blocks, drawn.text, drawn.metadata) == []
