"""Payloads that are nearly the same, and those that only share a shape."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.payload.likeness import MOST_DIFFERING, is_like

REFUND = {"amount": 120, "customer": "cus_42", "note": "Sorry"}


@pytest.mark.parametrize(
    "other",
    [
        {**REFUND, "amount": 100},
        {**REFUND, "amount": 100, "note": "Sorry!"},
        {**REFUND, "amount": "120"},
        {"amount": 120, "customer": "cus_42"},
        {**REFUND, "urgent": True},
    ],
)
def test_a_few_short_fields_may_differ(other: dict[str, Any]) -> None:
    assert is_like(REFUND, other) and is_like(other, REFUND)


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"amount": 80},
        {"amount": 1, "customer": "cus_1", "note": "Hi"},
        {**REFUND, "note": "x" * 200},
        {**REFUND, "note": "two\nlines"},
        {**REFUND, "a": 1, "b": 2, "c": 3, "d": 4},
    ],
)
def test_more_than_that_is_another_request(other: dict[str, Any]) -> None:
    assert not is_like(REFUND, other) and not is_like(other, REFUND)


def test_one_field_alone_is_never_alike_but_the_same_is() -> None:
    assert not is_like({"sql": "SELECT 1"}, {"sql": "SELECT 2"})
    assert is_like({"sql": "SELECT 1"}, {"sql": "SELECT 1"}) and is_like({}, {})


@given(st.dictionaries(st.text(max_size=3), st.integers(-9, 9) | st.text(max_size=5), max_size=8), st.data())
def test_as_many_as_differ_are_counted(payload: dict[str, Any], data: st.DataObject) -> None:
    changed = data.draw(st.lists(st.sampled_from(sorted(payload)), unique=True)) if payload else []
    other = payload | {name: "another" for name in changed}
    same = len(payload) - len(changed)
    wanted = not changed or (len(changed) <= MOST_DIFFERING and len(changed) <= same + 1 and same >= 1)
    assert is_like(payload, other) is wanted
