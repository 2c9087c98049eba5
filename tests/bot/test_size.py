"""Top-level text within Slack's bytes: whatever it is made of, it is cut where nothing of it breaks."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from signoff.bot.text.size import TEXT_BYTES, shortened
from signoff.bot.text.text import actual, date, escape, mention, visible

SCRIPTS = "aя漢الनกא한😀\u0301\u200d\ufe0f<>&\\*_~`\n\u202e\u2067\x00"
WORDS = st.text(st.sampled_from(SCRIPTS) | st.characters(), max_size=60)
PIECES = (
    WORDS.map(lambda text: escape(visible(text, keep="\n")))
    | st.sampled_from([mention("U0ANA"), mention("S0FINANCE"), date(1_795_000_000_000_000)])
    | st.just("<https://acme.slack.com/archives/C0/p1|here>")
)
TEXTS = st.tuples(st.lists(PIECES, max_size=30), st.integers(1, 40)).map(
    lambda made: "".join(made[0]) * made[1]
)
HELD = re.compile(r"<[^<>\n]+>|&(?:amp|lt|gt);|\\u\{[0-9a-f]{1,6}\}")


@given(TEXTS, st.integers(3, TEXT_BYTES))
@example("x" * 4_000, TEXT_BYTES)
@example("漢" * 1_400, TEXT_BYTES)
@example("\\u{202e}" * 600, TEXT_BYTES)
def test_what_is_cut_keeps_its_bytes_and_breaks_nothing(text: str, most: int) -> None:
    short = shortened(text, most)
    assert len(short.encode()) <= most
    if len(text.encode()) <= most:
        assert short == text
        return
    assert short.endswith("…")
    head = short[:-1]
    assert text.startswith(head)
    assert not any(held.start() < len(head) < held.end() for held in HELD.finditer(text)), head[-20:]


@given(TEXTS)
def test_as_much_is_kept_as_fits(text: str) -> None:
    short = shortened(text, TEXT_BYTES)
    lost = len(text.encode()) - len(short.encode())
    assert short == text or len(short.encode()) > TEXT_BYTES - 120 or lost == 0


@given(st.text(st.characters(categories=["Cs"]) | st.characters(), max_size=50))
def test_a_lone_surrogate_is_sent_as_what_can_be_sent(text: str) -> None:
    assert len(shortened(text, TEXT_BYTES).encode().decode()) == len(text)


def test_no_mark_is_taken_from_its_character() -> None:
    family = "👩\u200d👩\u200d👧"
    for text in ("e\u0301" * 40, family * 20, "❤\ufe0f" * 40):
        for most in range(20, 60):
            head = shortened(text, most)[:-1]
            following = text[len(head) :][:1]
            assert following not in ("\u0301", "\u200d", "\ufe0f") and not head.endswith("\u200d"), (
                text,
                most,
            )


def test_what_was_an_escape_stays_one() -> None:
    text = visible("\u202e" * 1_000)
    assert actual(shortened(text, TEXT_BYTES)[:-1]) == "\u202e" * ((TEXT_BYTES - 3) // 8)
