"""What is written to the app in a thread."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.bot.listeners.mention_text import Spoken, code_first, read, typed

BOT = "U0APPROVBT"
ME = f"<@{BOT}>"


@pytest.mark.parametrize(
    ("text", "meaning", "rest"),
    [
        (f"{ME} pending", "pending", ""),
        (f"  {ME}\n PENDING please", "pending", "please"),
        (f"<@{BOT}|signoff>: reject wrong customer", "reject", "wrong customer"),
        (f"{ME} Reject:\n  two\nlines ", "reject", "two\nlines"),
        (f"{ME} reject", "reject", ""),
        (f"{ME} reject :", "reject", ""),
        (f"<@U0ANA00001> {ME} reject no", "reject", "no"),
        (f"{ME}<@U0ANA00001>, reject no", "reject", "no"),
        (f"{ME} reject a &lt;b&gt; &amp;amp; c", "reject", "a <b> &amp; c"),
        (f"{ME} reject see <https://x.y/a|x.y/a> and <https://x.y>", "reject", "see x.y/a and https://x.y"),
        (f"{ME} reject <https://evil.io|the docs>", "reject", "the docs (https://evil.io)"),
        (f"{ME} reject ask <#C0RANDOM01|random> or <@U0ANA00001>", "reject", "ask #random or <@U0ANA00001>"),
        (ME, "help", ""),
        (f"{ME} help", "help", ""),
        (f"{ME} what is this?", "help", "is this?"),
        (f"{ME} rejected!", "reject", ""),
        (f"{ME} don't approve", "help", "approve"),
    ],
)
def test_the_first_word_after_the_mention_says_what_is_meant(text: str, meaning: str, rest: str) -> None:
    assert read(text, BOT) == Spoken(meaning, rest)  # type: ignore[arg-type]


def test_a_code_may_stand_before_a_reason() -> None:
    assert code_first("7F3K2Q wrong customer") == ("7F3K2Q", "wrong customer")
    assert code_first("7f3k-2q: wrong\ncustomer") == ("7F3K2Q", "wrong\ncustomer")
    assert code_first("7F3K2Q") == ("7F3K2Q", "")
    for reason in ("wrong customer", "no", "refund twice", ""):
        assert code_first(reason) == (None, reason)


@pytest.mark.parametrize("word", ["approve", "Approved!", "OK", "yes please", "👍", ":+1:", "LGTM", "go"])
def test_words_of_approval_are_known_as_such(word: str) -> None:
    found = read(f"{ME} {word}", BOT)
    assert found and found.meaning == "approve"


@pytest.mark.parametrize(
    "text",
    [
        "", "reject no", f"I asked {ME} pending", "<@U0ANA00001> reject no", f"&gt; {ME} reject no",
        f"&lt;@{BOT}&gt; reject no", f"<@{BOT.lower()}> reject", f"*{ME}* reject", "<!channel> reject",
        f"<@U0ANA00001> what did {ME} say",
    ],
)  # fmt: skip
def test_what_does_not_begin_with_the_apps_mention_is_not_for_it(text: str) -> None:
    assert read(text, BOT) is None


@given(st.text() | st.text(alphabet=f"{ME}|:! rejctampl&;\n"))
@settings(max_examples=300)
def test_any_text_is_read(text: str) -> None:
    read(text, BOT)
    found = read(f"{ME} {text}", BOT)
    assert found is not None and len(found.rest) <= len(text) + 3 * text.count("|")


@given(st.text(alphabet="ab<>&;| lgtamp"))
@settings(max_examples=300)
def test_a_reason_without_links_is_what_was_typed(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert typed(escaped) == text
