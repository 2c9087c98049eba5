"""What a rule wants of who approves: which of several hold, and how a typed value is compared."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.policy.evaluate import evaluate
from signoff.policy.examples import a_request
from signoff.policy.loader import Loaded, parse
from signoff.policy.typed import is_same, is_typable, value_at


def loaded(text: str) -> Loaded:
    return parse(f"version: 1\n{text}".encode(), "policy.yml", approvers=("U0ANA",), conversation="C0APPROVE")


@pytest.mark.parametrize(
    ("typed", "value"),
    [("cus_42", "cus_42"), (" Cus_42 ", "cus_42"), ("a  b", "a b"), ("４２", "42"), ("42", 42), ("42.0", 42),
     ("1 200", 1200), ("0.10", 0.1), ("-5", -5), ("\u22125", -5), ("true", True), ("e\u0301", "\u00e9"),
     ("a\u00a0b", "a b"), ("1e3", 1000)],
)  # fmt: skip
def test_what_people_type_is_the_same(typed: str, value: Any) -> None:
    assert is_same(typed, value)


@pytest.mark.parametrize(
    ("typed", "value"),
    [("", ""), ("", "a"), (" ", " "), ("cus_43", "cus_42"), ("a", "\u0430"), ("file", "\ufb01le"),
     ("1", "\u2460"),
     ("1,200", 1200), ("NaN", 1), ("inf", 1), ("1", True), ("a", ["a"]), ("a", None), ("ab", "a\u200bb"),
     ("x" * 201, "x" * 201), ("1" * 5000, 1)],
)  # fmt: skip
def test_what_is_another_value_is_not(typed: str, value: Any) -> None:
    assert not is_same(typed, value)


@given(st.text(), st.one_of(st.text(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
def test_hostile_text_never_passes_for_another_value(typed: str, value: Any) -> None:
    assert not is_same(typed, value) or is_typable(value)
    if isinstance(value, str) and is_typable(value):
        assert is_same(value, value)


def test_a_field_is_looked_up_by_its_path() -> None:
    assert value_at({"a": {"b": 1}}, "payload.a.b") == 1
    assert value_at({"a": [1]}, "payload.a.0") is None


def test_a_claim_gets_nobody_past_a_code() -> None:
    policy = loaded(
        """rules:
  - {name: routine, match: {action: "refund.*", tags: [routine]}, verdict: ask}
  - {name: all, match: {action: "refund.*"}, verdict: ask, second_factor: totp, confirm: payload.customer}"""
    ).policy
    agent, request = a_request(
        {"action": "refund.create", "payload": {"customer": "cus_1"}, "tags": ["routine"]}
    )
    verdict = evaluate(request, agent, policy)
    assert verdict.second_factor == "totp" and verdict.confirm == ("payload.customer",)


def test_what_runs_without_a_person_wants_nothing() -> None:
    found = loaded('rules: [{name: all, match: {action: "a"}, verdict: ask, second_factor: totp}]').policy
    agent, request = a_request({"action": "b"})
    assert not evaluate(request, agent, found).asks_proof


def test_a_session_that_may_not_count_is_warned_of() -> None:
    wide = loaded(
        'rules: [{name: all, match: {action: "x.*"}, verdict: ask, second_factor: totp, session: 5m}]'
    )
    assert any("a session never counts" in one for one in wide.warnings)
    mild = loaded(
        """rules: [{name: all, match: {action: "x.*", risk: [low, medium, high], 
  reversibility: [reversible, costly]}, verdict: ask, second_factor: totp, session: 5m}]"""
    )
    assert not any("a session never counts" in one for one in mild.warnings)
