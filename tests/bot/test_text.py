"""Untrusted text is shown as what it is, and never becomes markup."""

import sys
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.bot.text.text import (
    actual,
    cut,
    date,
    escape,
    hides,
    length,
    literal,
    mention,
    mrkdwn,
    pieces,
    plain,
    visible,
)

ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
NASTY = st.text(st.sampled_from(" \n\tab\\u{}2e\u202e\u0301\ufe0f\U000e0041\u3000&<>*😀é"), max_size=80)
UNSEEN = [
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u180e\u200b\u200f\u202a\u202e\u2060\u2066\u2069\u206f\u2800\u3164",
    "\ufe00\ufe0f\ufeff\uffa0\ufff9\ufffc\U000e0001\U000e0041\U000e0101\U0001d173\U0001d159\U00013441",
    "\x00\x07\x1b\x7f\x85\u2028\u2029\u1680\u2003\u202f\u205f\u3000",
    "\ue000\U000f0000\U0010fffd\ufdd0\ufffe\U0003ffff\u0378",
    "\u0336\u0338\u20dd\u20e3",
]


@pytest.mark.parametrize(
    "char", [char for group in UNSEEN for char in group], ids=lambda c: f"U+{ord(c):04X}"
)
def test_what_cannot_be_seen_is_written_as_an_escape(char: str) -> None:
    assert visible(f"a{char}b") == f"a\\u{{{ord(char):x}}}b"
    assert visible(f"a{char}b", keep="\n\t") == f"a\\u{{{ord(char):x}}}b"
    assert hides(f"a{char}b")


def test_every_code_point_is_visible_or_escaped_and_comes_back() -> None:
    every = "".join(map(chr, [*range(0xD800), *range(0xE000, sys.maxunicode + 1)]))
    began = time.monotonic()
    shown = visible(every)
    took = time.monotonic() - began
    assert actual(shown) == every
    assert shown.isprintable()
    ignorable = [chr(c) for c in (*range(0xE0000, 0xE1000), *range(0xFE00, 0xFE10), *range(0x2060, 0x2070))]
    assert not set(shown) & {*ignorable, "\u034f", "\u115f", "\u3164", "\uffa0", "\u2800"}
    assert not [char for char in shown if char != " " and unicodedata.category(char)[0] in "CZ"]
    assert took < 15


@settings(max_examples=300, deadline=None)
@given(ANY | NASTY, st.sampled_from(["", "\n", "\n\t"]))
def test_escapes_can_be_read_back_exactly(text: str, keep: str) -> None:
    shown = visible(text, keep)
    assert actual(shown) == text
    left_alone = {*keep, "\u00a0", "\u3000", "\ufe0f"}  # by their neighbours: see test_eyes.py
    kept = shown.replace("\r\n", "\n") if "\n" in keep else shown  # CRLF is one line end
    assert all(char.isprintable() or char in left_alone for char in kept)
    assert not hides(shown)
    strict = visible(text, keep, explain=False)
    assert actual(strict) == text
    assert all(char.isprintable() or char in keep for char in strict)


def test_a_text_that_looks_like_an_escape_cannot_be_taken_for_one() -> None:
    assert visible("\\u{202e}") == "\\u{5c}u{202e}" != visible("\u202e")
    assert visible("\\\u202e") != visible("\\\\u{202e}")
    assert visible("C:\\users") == "C:\\users"


def test_spaces_that_pad_are_written_out() -> None:
    assert visible(" admin") == "\\u{20}admin"
    assert visible("admin ") == "admin\\u{20}"
    assert visible("ok  rm") == "ok \\u{20}rm"
    assert visible("two words") == "two words"
    assert visible("def f():\n        return 1", keep="\n\t") == "def f():\n        return 1"
    assert visible("x" + " " * 400 + "y", keep="\n\t") == "x" + "\\u{20}" * 400 + "y"
    assert visible("line  \nend", keep="\n") == "line\\u{20}\\u{20}\nend"


def test_the_caller_decides_about_line_ends_and_tabs() -> None:
    assert visible("a\nb\tc") == "a\\u{a}b\\u{9}c"
    assert visible("a\nb\tc", keep="\n") == "a\nb\\u{9}c"
    assert visible("a\nb\tc", keep="\n\t") == "a\nb\tc"


def test_a_flood_of_combining_marks_is_cut_off_after_four() -> None:
    assert visible("a" + "\u0301" * 40).count("\\u{301}") == 36
    assert visible("\u0301120").startswith("\\u{301}")
    assert visible("x \u0301y") == "x \\u{301}y"
    assert hides("a" + "\u0301" * 5)
    assert not hides("Đặng, naïve, สวัสดีครับ, हिन्दी, שָׁלוֹם")


@settings(max_examples=200, deadline=None)
@given(NASTY, st.integers(5, 60))
def test_a_cut_keeps_within_its_limit_and_never_splits_an_escape(text: str, limit: int) -> None:
    shown = visible(text)
    short = cut(shown, limit)
    assert length(short) <= limit
    if short != shown:
        assert short.endswith("…")
        assert text.startswith(actual(short[:-1]))


@settings(max_examples=200, deadline=None)
@given(NASTY, st.integers(12, 40))
def test_pieces_join_to_the_whole_and_split_no_escape(text: str, limit: int) -> None:
    shown = visible(text, keep="\n")
    parts = list(pieces(shown, limit))
    assert "".join(parts) == shown
    assert "".join(map(actual, parts)) == text
    assert all(0 < length(part) <= limit for part in parts)


def test_length_counts_what_slack_may_count() -> None:
    assert [length(text) for text in ("abc", "😀", "<&>", "é")] == [3, 2, 13, 1]


def test_only_ids_are_mentioned() -> None:
    assert mention("U0ANA") == "<@U0ANA>"
    assert mention("W0ANA") == "<@W0ANA>"
    assert mention("S0FIN") == "<!subteam^S0FIN>"
    for other in ("", "members", "!here", "U0ANA> <!channel", "u0ana", "C0GENERAL", "U0ANA\n"):
        with pytest.raises(ValueError, match="not the id"):
            mention(other)


def test_times_are_shown_in_the_readers_zone() -> None:
    assert date(1_795_000_000_999_999) == "<!date^1795000000^{date_short_pretty} {time}|18 Nov 11:06 UTC>"
    assert date(1_795_000_000_000_000, "time") == "<!date^1795000000^{time}|11:06 UTC>"


def test_elements_are_what_block_kit_takes() -> None:
    assert plain("a") == {"type": "plain_text", "text": "a", "emoji": False}
    assert literal("a", "bold") == {"type": "text", "text": "a", "style": {"bold": True}}
    assert mrkdwn(escape("a < b & c")) == {"type": "mrkdwn", "text": "a &lt; b &amp; c", "verbatim": True}
