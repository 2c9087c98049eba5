"""What a model is told of a corrected call."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from signoff.payload.corrections import LONGEST_VALUE, MOST_CHANGES, told

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
PAYLOADS = st.dictionaries(st.text(max_size=3), JSON, max_size=4)


def test_it_says_who_changed_what_and_what_they_noted() -> None:
    sent = {"to": {"name": "Ann", "city": "Bonn"}, "amount": 120, "fast": True, "cc": ["a"]}
    approved = {"to": {"name": "Ann", "city": "Berlin"}, "amount": 80, "cc": ["a", "b"], "memo": "half"}
    assert told(sent, approved, "Ana Lee", " Half is enough. ") == (
        "Ana Lee approved this call with changes: "
        'to.city was "Bonn" and is now "Berlin"; amount was 120 and is now 80; fast was removed; '
        'cc was ["a"] and is now ["a", "b"]; memo was added: "half". '
        "Only the changed call counts: go by it, and do not repeat the original. "
        "Ana Lee says about it: Half is enough."
    )
    assert told(sent, sent, "Ana Lee") == ""
    assert told(sent, sent, note="Fine.") == "A person says about it: Fine."
    assert "1 and is now true" in told({"a": 1}, {"a": True}) and told({"a": 1}, {"a": 1.0}) == ""


def test_many_and_long_changes_are_counted_and_cut() -> None:
    text = told({}, {f"f{n}": "x" * 9999 for n in range(50)})
    assert f"and {50 - MOST_CHANGES} more were changed" in text
    assert len(text) < (LONGEST_VALUE + 60) * MOST_CHANGES + 300


@given(sent=PAYLOADS, payload=PAYLOADS)
def test_whatever_differs_is_told(sent: dict[str, Any], payload: dict[str, Any]) -> None:
    assert told(sent, sent) == ""
    assert told(sent, payload) or sent == payload
