"""What is counted reads right for one, for two and for thousands, wherever it is said."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from signoff.bot.text.words import card, cautions, forms, lists, octets, replies, spoken

HOUR = 3_600_000_000
TEXTS: list[tuple[Callable[[int], str], str, str]] = [
    (card.unchanged_lines, "… 1 line unchanged", "… 2,000 lines unchanged"),
    (lambda n: card.cut_rows(n, n), "… 1 more line (1 byte)", "… 2,000 more lines (2 KB)"),
    (card.cut_text, "… 1 more character", "… 2,000 more characters"),
    (lambda n: card.more_fields(n, ()), "… 1 more field", "… 2,000 more fields"),
    (lambda n: card.more_fields(n + 1, ("a",))[-13:], "a and 1 other", " 2,000 others"),
    (lambda n: card.remaining(n * HOUR), "60 minutes", "83 days"),
    (lambda n: card.duration(n * 24 * HOUR), "1 day", "2,000 days"),
    (lambda n: replies.spelled(min(n, 2) * HOUR), "1 hour", "2 hours"),
    (cautions.and_more, "… and 1 more like this.", "… and 2,000 more like these."),
    (
        lambda n: lists.thread_tally(n, 0, 0),
        "*1 request waits* · 0 decided",
        "*2,000 requests wait* · 0 decided",
    ),
    (lists.and_more, "1 more waits for you.", "2,000 more wait for you."),
    (lambda n: forms.edited(0, "", n)[-15:], ": 1 value changed", "0 values changed"),
    (
        lambda n: octets.named_by_digest("PNG", n, "0"),
        "PNG, 1 byte, SHA-256 0",
        "PNG, 2,000 bytes, SHA-256 0",
    ),
    (spoken.more_lines, "… and 1 more line: open", "… and 2,000 more lines: open"),
    (spoken.more_warnings, "… and 1 more line of", "… and 2,000 more lines of"),
]


@pytest.mark.parametrize(("said", "one", "many"), TEXTS)
def test_one_is_one_and_more_are_more(said: Callable[[int], str], one: str, many: str) -> None:
    assert one.endswith(said(1)) or said(1).startswith(one)
    assert many.endswith(said(2_000)) or said(2_000).startswith(many)


def test_none_is_said_in_words() -> None:
    assert lists.thread_tally(0, 3, 0) == "*Nothing waits* · 3 decided"
    assert forms.edited(0, "", 0).endswith("nothing changed")
