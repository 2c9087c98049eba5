"""The order in which names were sent comes back, and no value changes by it."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from signoff.models.identity import new_id
from signoff.models.messages import ApprovalRequest
from signoff.payload.canonical import canonical
from signoff.payload.order import like, order_of, ordered

NAMES = st.text(st.sampled_from("abzé\ue000\U0001f600"), max_size=3)
JSON = st.recursive(
    st.none() | st.integers(-9, 9) | st.text("ab\u00e9 ", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)
ORDERS = st.lists(st.lists(st.integers(-2, 5), max_size=5), max_size=8)


def spelled(value: Any) -> str:
    return json.dumps(value)


@given(value=JSON)
def test_the_order_as_sent_comes_back(value: Any) -> None:
    stored = json.loads(canonical(value))
    assert spelled(ordered(stored, order_of(value))) == spelled(value)
    assert spelled(like(stored, value)) == spelled(value)


@given(value=JSON, order=ORDERS)
def test_no_order_changes_a_value(value: Any, order: list[list[int]]) -> None:
    assert ordered(json.loads(canonical(value)), order) == value


@given(value=JSON, model=JSON)
def test_no_model_changes_a_value(value: Any, model: Any) -> None:
    assert like(value, model) == value


def test_what_was_sorted_keeps_nothing() -> None:
    assert order_of({"a": {"b": 1, "c": 2}, "d": [{"e": 1}]}) == []


def test_a_request_comes_back_from_its_rows_in_the_order_sent() -> None:
    sent = {"to": "a@example.org", "bcc": [{"z": 1, "a": 2}], "amount": 3}
    request = ApprovalRequest.model_validate({"id": str(new_id()), "action": "mail.send", "payload": sent})
    again = ApprovalRequest.from_rows(request.claims(), json.loads(request.payload_text))
    assert spelled(again.payload) == spelled(sent)
