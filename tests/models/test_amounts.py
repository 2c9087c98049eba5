"""What a request counts for in a sum: exact, without a sign, and nothing where it cannot be said."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.models.amounts import LARGEST, Sum, amount_of, entries, shown
from signoff.payload.canonical import canonical

EURO = Sum(place="small", field="payload.amount", by="payload.currency", most="2000")


@pytest.mark.parametrize(
    ("value", "counts"),
    [
        (40, "40"),
        (-40, "40"),
        (0.1, "0.1"),
        (-0.0, "0"),
        ("120.00", "120"),
        ("-120.5", "120.5"),
        ("+7", "7"),
        ("0001", "1"),
        (1e-9, "0.000001"),
        ("0.0000001", "0.000001"),
        (1e300, str(LARGEST)),
        ("9" * 15, str(LARGEST)),
        (2**53 - 1, str(LARGEST)),
    ],
)
def test_a_number_counts_whatever_its_sign_and_never_for_less(value: Any, counts: str) -> None:
    assert amount_of(value) == Decimal(counts)


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, "", " 5", "5 ", "1e3", "1,000", "1.000,00", "0x10", "NaN", "inf", "5 EUR",
        "٥", "５", "1_0", "--5", "5.", ".5", "9" * 16, float("nan"), float("inf"), [], [5], {},
        {"value": 5}, "5\n",
    ],
)  # fmt: skip
def test_all_else_counts_for_nothing_that_could_be_said(value: Any) -> None:
    assert amount_of(value) is None


@given(st.lists(st.decimals(0, 10**6, places=2), max_size=50))
def test_hundredths_come_to_exactly_what_they_are(amounts: list[Decimal]) -> None:
    """As payloads bring them: through JSON's floats, where 0.1 and 0.2 are not 0.3."""
    found = [amount_of(json.loads(canonical({"a": float(one)}))["a"]) for one in amounts]
    assert sum(one for one in found if one is not None) == sum(amounts)


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        ({"currency": "EUR"}, "payload.amount is missing"),
        ({"amount": 5}, "payload.currency is missing"),
        ({"amount": "much", "currency": "EUR"}, "payload.amount is no number"),
        ({"amount": None, "currency": "EUR"}, "payload.amount is no number"),
        ({"amount": 5, "currency": "E\u200bUR"}, "payload.currency is no plain name"),
        ({"amount": 5, "currency": "ЕUR"}, "payload.currency is no plain name"),
        ({"amount": 5, "currency": " EUR"}, "payload.currency is no plain name"),
        ({"amount": 5, "currency": ""}, "payload.currency is no plain name"),
        ({"amount": 5, "currency": ["EUR"]}, "payload.currency is no plain name"),
        ({"amount": 5, "currency": True}, "payload.currency is no plain name"),
        ({"amount": 5, "currency": "E" * 65}, "payload.currency is no plain name"),
    ],
)
def test_what_cannot_be_counted_says_why(payload: dict[str, Any], fault: str) -> None:
    (found,) = entries((EURO,), payload)
    assert (found.amount, found.fault) == (None, fault)
    assert found.over(Decimal(0)) and found.told(Decimal(0), "bot") == f"“small” cannot be summed up: {fault}"


def test_case_makes_no_other_sum() -> None:
    assert {entries((EURO,), {"amount": 1, "currency": one})[0].bucket for one in ("EUR", "eur", "Eur")} == {
        "eur"
    }


def test_a_path_goes_through_objects_alone() -> None:
    deep = Sum(place="", field="payload.order.total", most="10")
    assert entries((deep,), {"order": {"total": "4.50"}})[0].amount == Decimal("4.5")
    for payload in ({"order": [{"total": 4}]}, {"order": "total"}, {"order": {}}):
        assert entries((deep,), payload)[0].amount is None


def test_it_is_told_in_plain_numbers() -> None:
    (found,) = entries((EURO,), {"amount": 40, "currency": "EUR"})
    assert found.told(Decimal(2000), "bot") == "“small” would be 2,040 of 2,000 EUR today"
    assert [shown(Decimal(one)) for one in ("2040.5", "0.1", "1000000", "0.000001")] == [
        "2,040.50", "0.10", "1,000,000", "0.000001",
    ]  # fmt: skip
