"""Strict JSON, and canonical text that every party computes alike."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.errors import Invalid
from signoff.payload.canonical import LARGEST_NUMBER, MAX_DEPTH, canonical, digest, parse

names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
numbers = st.one_of(
    st.integers(-LARGEST_NUMBER + 1, LARGEST_NUMBER - 1),
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, names),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
    max_leaves=20,
)


@given(values)
def test_canonical_text_reads_back_to_the_same_canonical_text(value: Any) -> None:
    text = canonical(value)
    assert canonical(parse(text)) == text
    assert digest(canonical(json.loads(text))) == digest(text)


@given(st.dictionaries(names, numbers, max_size=6))
def test_the_order_of_names_does_not_matter(value: dict[str, Any]) -> None:
    assert canonical(value) == canonical(dict(reversed(value.items())))


def test_what_json_does_not_have_is_lost_in_one_way_only() -> None:
    assert canonical({"b": 120.0, "a": -0.0}) == '{"a":0,"b":120}'


@given(st.text() | st.binary())
def test_any_text_either_parses_or_is_refused_with_a_sentence(text: str | bytes) -> None:
    try:
        parse(text)
    except Invalid as error:
        assert error.detail.endswith(".")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a":1,"a":1}', "'a' stands twice"),
        ('{"a":{"b":1,"c":2,"b":3}}', "'b' stands twice"),
        ("[NaN]", "NaN"),
        ("[-Infinity]", "Infinity"),
        ("{", "not JSON"),
        (b"\xff", "not UTF-8"),
        ("[" * 100_000, "32 levels|not JSON"),
        ("1" * 5000, r"2\^53"),
    ],
)
def test_json_that_two_parsers_may_read_differently_is_refused(text: str | bytes, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        parse(text)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"a": float("nan")}, r"payload\.a is NaN"),
        ({"a": float("-inf")}, "infinite"),
        ({"a": LARGEST_NUMBER}, r"2\^53"),
        ({"a": 1e16}, r"2\^53"),
        ({"a": [1, "\x00"]}, r"payload\.a\[1\] holds a NUL"),
        ({"\x00": 1}, "NUL"),
        ({"a": "\udc00"}, "surrogate"),
        ({"a": {1, 2}}, "a set"),
        ({"a": b""}, "a bytes"),
        ({5: 1}, "not text"),
    ],
)
def test_what_json_cannot_hold_is_refused_with_its_place(value: Any, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        canonical(value)


def test_depth_is_bounded() -> None:
    def nested(levels: int) -> Any:
        return {"a": nested(levels - 1)} if levels else 1

    assert canonical(nested(MAX_DEPTH))
    with pytest.raises(Invalid, match="32 levels"):
        canonical(nested(MAX_DEPTH + 1))
    with pytest.raises(Invalid, match="32 levels"):
        canonical(parse("[" * 500 + "]" * 500))
