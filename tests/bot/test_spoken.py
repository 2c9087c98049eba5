"""A card that waits, as it is heard: all of it, within its bytes, and nothing of the agent's as ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from signoff.bot.cards.card import card
from signoff.bot.gallery.approval import BEGAN, made_up
from signoff.bot.gallery.layouts import SETS, approval_of, card_of
from signoff.bot.text.size import TEXT_BYTES
from signoff.bot.text.spoken import heard
from signoff.bot.text.text import actual, visible
from signoff.models.approval import Approval

Make = Callable[..., Approval]
CASES = [case for cases in SETS.values() for case in cases.values() if approval_of(case).pending]
OURS = re.compile(r"<@[UW][A-Z0-9]+>|<!subteam\^S[A-Z0-9]+>|<!date\^[0-9]+\^[^<>|]+\|[^<>|]+>")
"""All that may be markup: mentions of approvers, and times."""
MARKUP = re.compile(r"[<>*~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:[A-Za-z0-9_+'-]+:|[A-Za-z0-9]://|```")
SCRIPTS = "aZ09 ._-:/@#<>&*_~`|•\n\\\"'“”\u202e\u200d漢字ביתनमस्ते한글กขคабв😀:tada:"
UNQUOTED = str.maketrans("", "", "`“”\u2068\u2069")
"""Quotes, and what isolates a direction: on the card each value has its own, in speech the line."""
TEXTS = st.text(
    st.sampled_from(SCRIPTS) | st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200
)
HOSTILE = st.sampled_from([
    "<!channel>", "<@U0EVE>", "<https://evil.example|Approve>", "*bold* _it_ ~no~ `code`", ":tada:",
    "> quote", "https://evil.example", "&lt;!here&gt;", "```\nx\n```", "1. one\n- two\n• three\n| four",
    "a\nCan be undone · low risk\nOpen the message to decide: Approve", "<!date^1^{date}|x>",
])  # fmt: skip
VALUES = st.recursive(
    TEXTS | HOSTILE | st.integers(-(2**53) + 1, 2**53 - 1) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS | HOSTILE, inner, max_size=5),
    max_leaves=25,
)
PAYLOADS = st.dictionaries(TEXTS | HOSTILE, VALUES, max_size=40)


def said_of(payload: dict[str, Any], **fields: Any) -> str:
    return card(made_up(payload, **fields), now=BEGAN + 1).text


@settings(deadline=None)
@given(PAYLOADS, TEXTS | HOSTILE, st.integers(1, 60))
@example({"a": "<!channel>"}, "*x*", 1)
@example({f"field{number}": "漢" * 90 for number in range(60)}, "漢" * 2_000, 1)
@example({"text": "\u202e" * 3_000}, "\u202e" * 3_000, 1)
def test_whatever_is_asked_it_fits_and_nothing_of_it_works_as_markup(
    payload: dict[str, Any], reason: str, often: int
) -> None:
    said = said_of(payload, reason=(reason * often)[:4_000])
    assert len(said.encode()) <= TEXT_BYTES
    bare = OURS.sub("", said)
    assert not MARKUP.search(bare), MARKUP.search(bare)
    assert not re.search(r"&(?!amp;|lt;|gt;)", bare)
    lines = said.split("\n")
    assert "billing-bot asks" in lines[0] and lines[-1].startswith("Open the message to decide: ")
    assert sum(line.startswith(("Cannot be undone", "Nobody said whether")) for line in lines) == 1
    assert not any(line.startswith(("&gt;", "Can be undone")) for line in lines)


def test_what_the_agent_wrote_stands_behind_a_mark() -> None:
    lies = "Can be undone · low risk\nOpen the message to decide: Approve"
    said = said_of({lies: lies, "Can be undone": lies, "list": [lies, "x"]}, reason=lies, undo=lies)
    ours = [line for line in said.split("\n")[1:] if not line.startswith(("| ", "• "))]
    assert not any("Can be undone" in line for line in ours)
    assert sum(line.startswith("Open the message") for line in ours) == 1


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case[1].get("action", "refund.create")))
def test_all_that_a_card_says_is_said(case: Any, walk: Any) -> None:
    """Every text of its blocks but the buttons', in whatever order."""
    drawn = card_of(case)
    said = actual(drawn.text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    told = [block for block in drawn.blocks if block["type"] not in ("actions", "header")]
    for part in walk(told):
        if part.get("type") in ("text", "plain_text"):
            for line in part["text"].split("\n"):
                words = actual(line).strip(" \n:·…").translate(UNQUOTED)
                assert words in said.translate(UNQUOTED) or not words, words


def test_values_come_in_order_then_stakes_then_the_agents_words_then_how_to_decide(make: Make) -> None:
    said = said_of(
        {"customer": "cus_42", "note": "one\ntwo"}, reason="Duplicate charge.", impact="one customer",
        reversibility="costly",
    )  # fmt: skip
    order = [
        "billing-bot asks", "refund.create, asks", "• customer: cus_42", "• note:", "| one", "| two",
        "Costly to undo", "The agent says:", "| Duplicate charge.", "| Touches: one customer",
        "Open the message to decide: Approve",
    ]  # fmt: skip
    places = [said.find(words) for words in order]
    assert -1 not in places and places == sorted(places), said


def test_what_does_not_fit_is_counted_and_what_decides_stays() -> None:
    payload = {f"field{number}": "漢字" * 40 for number in range(40)}
    said = said_of(payload, reason="Because of ticket 991.", reversibility="irreversible")
    shown = sum(line.startswith("• field") for line in said.split("\n"))
    assert 5 < shown < 40
    assert re.search(r"… and \d+ more lines: open the message to see them\.", said)
    for words in ("Cannot be undone", "| Because of ticket 991.", "Open the message to decide: "):
        assert words in said
    assert len(said.encode()) > TEXT_BYTES - 700, "and the room is used"


def test_what_can_mislead_leaves_room_for_how_to_decide() -> None:
    payload = {f"to{number}": f"p\u0430ypal{number}@example.com" for number in range(40)}
    said = said_of(payload | {f"x{n}": "safe\u202efdp.exe" * 5 for n in range(20)}, reason="Because.")
    assert "Cyrillic" in said and said.endswith("Details…") and "| Because." in said
    assert len(said.encode()) <= TEXT_BYTES and "• to0: " in said


def test_the_agents_words_have_room_where_the_payload_has_little() -> None:
    said = said_of({"amount": 1}, reason="word " * 500)
    assert said.count("word") > 400
    long = said_of({"amount": 1}, reason="word " * 790)
    assert "… more in Details…" in long and long.endswith("Details…")


@given(TEXTS | HOSTILE)
def test_a_line_is_heard_as_it_was_written(text: str) -> None:
    line = visible(text.replace("\\", ""))
    plain = heard(line).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert actual(plain) == actual(line)


@pytest.mark.parametrize("count", [40, 90])
@pytest.mark.parametrize("other", [{}, {"note": "word " * 200}])
def test_every_row_of_a_table_is_heard_that_fits(count: int, other: dict[str, Any]) -> None:
    rows = [
        {"user": f"user{n}@example.org", "what": "read", "from": "crm", "n": n} for n in range(1, count + 1)
    ]
    rows[36]["what"] = "delete"
    drawn = card(made_up({"rows": rows} | other), now=BEGAN + 1)
    assert any(block["type"] == "data_table" for block in drawn.blocks)
    heard_rows = [line for line in drawn.text.split("\n") if line.startswith("| ") and "@example.org" in line]
    assert "| 37. user user37@example.org · what delete · from crm · n 37" in heard_rows, drawn.text
    assert len(heard_rows) == count or "more lines: open the message" in drawn.text
    assert len(drawn.text.encode()) <= TEXT_BYTES


def test_a_cell_of_a_table_is_heard_as_a_value() -> None:
    lie = "ACME · what read"
    said = said_of({"rows": [{"user": lie, "what": "delete", "from": "crm", "n": n} for n in range(40)]})
    assert "| 1. user “ACME · what read” · what delete · from crm · n 0" in said.split("\n")
