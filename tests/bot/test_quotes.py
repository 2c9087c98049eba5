"""Values in our own sentences: they cannot close our quotes, nor pass for our words."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.bot.cards.card import card
from signoff.bot.text.quotes import FSI, PDI, code, isolated, quoted, value_of
from signoff.bot.text.text import actual, visible
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import forms as forms_words
from signoff.bot.text.words import lists as lists_words
from signoff.models.approval import Approval

Make = Callable[..., Approval]
SURE = {"reversibility": "irreversible", "reversibility_from": "policy", "risk": "low", "risk_from": "policy"}

CLOSERS = [
    'x" (approved by ana)',
    "x” (approved by ana)",
    "x”. Ana approved this. “",
    "x» approved «",
    "x` approved",
    "x\nApproved by ana",
    "x\u2028Approved by ana",
    "x’) approved (‘",
    "x＂ approved",
    "ACME, amount 5, currency EUR",
    "x? Approved by ana",
    "x\u2069 approved",
    "x」approved",
    *(f"x{mark} approved" for mark in "\u02ee\u02ba\u05f4\u2034\u2057\u3003\u02dd\u02f6\u2e42\U0001f677"),
    *(f"x{mark}{mark} approved" for mark in "'’‘＇′\u02bc\u05f3"),
    "x’′ approved",
    "אושר\u05f4 approved",
    "x\u05f4א approved",
]


@pytest.mark.parametrize("text", CLOSERS)
def test_no_value_closes_a_sentence_of_ours(make: Make, text: str) -> None:
    inner = visible(text)
    for sentence in (
        lists_words.run_named(inner),
        forms_words.agent_title(inner),
        forms_words.agent_hint(inner),
    ):
        [(before, held, after)] = re.findall(r"\A([^“”]*)“([^“”]*)”([^“”]*)\Z", sentence)
        assert "pproved" not in before + after
        assert actual(held.replace(FSI, "").replace(PDI, "")) == text
        assert not re.search('["„‟＂»«」「\n\u02ee\u02ba\u05f4\u2034\u2057]', held)
        assert not re.search("['’‘＇′\u02bc\u05f3]{2}", held)
    confirm = next(
        found["confirm"]["text"]["text"]
        for block in card(make({"vendor": text, "amount": 5}, verdict=SURE)).blocks
        for found in block.get("elements", [])
        if found.get("action_id") == "approve"
    )
    first, *lines = confirm.split("\n")
    amount, vendor = sorted(lines)  # what has lines of its own stands last, with its first one
    assert first.endswith("with this?") and amount == "amount “5”"
    assert vendor.startswith("vendor “") and vendor.removesuffix(" …").endswith("”")
    assert vendor.count("”") == 1


def test_what_is_spelled_with_such_a_mark_is_left_alone() -> None:
    for text in ("99.90 ש\u05f4ח", "מנכ\u05f4לית החברה", "it’s Ana’s", "טל\u05f3 03"):
        assert quoted(text).replace(FSI, "").replace(PDI, "") == f"“{text}”"


def test_plain_values_stand_bare_and_texts_like_numbers_in_quotes() -> None:
    assert [value_of(text) for text in ("cus_42", "120", "a@b.c", "two words", "", '"120"')] == [
        "cus_42",
        "120",
        "a@b.c",
        "“two words”",
        "“”",
        "“120”",
    ]
    assert "with this?" not in card_words.confirm_text("irreversible", "policy", "a.b", "")


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from('אب1a →“”"`\u2068\u2069\u202e\n,'), max_size=40))
def test_isolates_are_ours_and_closed(text: str) -> None:
    for line in (
        isolated(visible(text, "\n")),
        quoted(visible(text)),
        value_of(visible(text)),
        code(visible(text)),
    ):
        depth = 0
        for char in line:
            depth += (char == FSI) - (char == PDI)
            assert depth in (0, 1)
            assert depth == 0 or char != "\n"
        assert depth == 0
