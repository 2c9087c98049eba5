"""What a number stands for: its currency from beside it, its unit as the schema's claim."""

import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.bot.text.meaning import READ, UNIT, currency_field, meaning, unit
from signoff.bot.text.text import length, visible


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"description": "In cents."}, "In cents."),
        ({"description": "Duration in seconds"}, "Duration in seconds"),
        ({"description": "Amount intended to be collected. In the smallest currency unit."},
         "In the smallest currency unit."),
        ({"description": "How many to keep.\nA percentage of all."}, "A percentage of all."),
        ({"description": "Timeout (ms)"}, "Timeout (ms)"),
        ({"description": "Threshold, 0-100%"}, "Threshold, 0-100%"),
        ({"description": "Betrag in Cent"}, "Betrag in Cent"),
        ({"description": "Size in MB"}, "Size in MB"),
        ({"x-unit": "basis points", "description": "In cents."}, "basis points"),
        ({"unit": "°C"}, "°C"),
        ({"format": "duration"}, "duration"),
        ({"format": "int64"}, ""),
        ({"format": "double", "description": "The centre of the incident"}, ""),
        ({"description": "The second number"}, ""),
        ({"description": "Which message to embed; permissions stay."}, ""),
        ({"description": 7, "unit": [], "format": {}}, ""),
        ({}, ""),
    ],
)  # fmt: skip
def test_a_unit_is_what_a_schema_claims(schema: dict[str, Any], expected: str) -> None:
    assert unit(schema) == expected


def test_of_a_long_sentence_what_leads_to_the_unit_is_kept() -> None:
    text = (
        "The total amount that was agreed with the customer on the phone, which is certainly not in cents "
        "but in whole euros, whatever the field was called in the version before this one"
    )
    found = unit({"description": text})
    assert found.startswith("…") and "not in cents" in found and length(found) <= UNIT


@pytest.mark.parametrize(
    ("name", "siblings", "expected"),
    [
        ("amount", {"currency": "EUR"}, "currency"),
        ("unit_amount", {"currency": "usd"}, "currency"),
        ("totalPrice", {"currencyCode": "CHF"}, "currencyCode"),
        ("value", {"currency_code": "USD"}, "currency_code"),
        ("price", {"price_currency": "GBP", "currency": "EUR"}, "price_currency"),
        ("size", {"size.currency": "GBP"}, "size.currency"),
        ("amount", {"currency": "€"}, "currency"),
        ("retries", {"currency": "EUR"}, ""),
        ("amount", {"currency": "EUR, approved by Ben"}, ""),
        ("amount", {"currency": "ЕUR"}, ""),  # its first letter is Cyrillic
        ("amount", {"currency": 978}, ""),
        ("amount", {}, ""),
    ],
)
def test_a_currency_stands_beside_its_amount(name: str, siblings: dict[str, Any], expected: str) -> None:
    assert currency_field(name, siblings) == expected


def test_only_numbers_mean_something_and_the_claim_is_the_agents() -> None:
    beside = {"currency": "EUR"}
    found = meaning({"description": "In cents."}, "amount", 129900, beside)
    assert (found.currency, found.currency_field) == ("EUR", "currency")
    assert found.claim == "the agent says “In cents.”: 1,299.00 EUR"
    assert meaning({}, "amount", "120.00", beside).currency == "EUR"
    for value in (True, None, "soon", [1], {"a": 1}, "1e5", "١٢"):
        assert meaning({"description": "In cents."}, "amount", value, beside).claim == ""
    hostile = meaning({"description": "In cents” approved by “Ben\u202e"}, "n", 1, {}).claim
    assert hostile == "the agent says “In cents\\u{201d} approved by \\u{201c}Ben\\u{202e}”: 0.01"


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("in cents.%()\n ;“\u202eé"), max_size=2000), st.text(max_size=80))
def test_whatever_it_is_given_a_claim_is_short_and_visible(description: str, keyword: str) -> None:
    for schema in ({"description": description}, {"x-unit": keyword}, {"format": keyword}):
        found = unit(schema)
        assert length(found) <= UNIT
        assert visible(found, explain=False).replace("\\u{5c}", "\\") or not found
        assert "\n" not in found and "\u202e" not in found


def test_a_description_of_any_length_is_read_in_part() -> None:
    steps = 0

    def count(frame: Any, event: str, arg: Any) -> Any:
        nonlocal steps
        steps += 1
        return count

    taken = []
    for size in (READ, 100 * READ):
        steps = 0
        sys.settrace(count)
        unit({"description": "a; " * (size // 3)})
        sys.settrace(None)
        taken.append(steps)
    assert taken[1] <= 2 * taken[0]


@pytest.mark.parametrize(
    ("value", "said", "currency", "sum_of_it"),
    [
        (129900, "In cents.", "EUR", "1,299.00 EUR"),
        (-5, "Amount in the smallest currency unit.", "usd", "-0.05 USD"),
        (100, "Pence", "GBP", "1.00 GBP"),
        (500, "Amount in the smallest currency unit.", "jpy", ""),
        (500, "Dollars, not cents.", "USD", ""),
        (500, "In cents or in dollars.", "USD", ""),
        (9.5, "In cents.", "USD", ""),
        (500, "In seconds.", "USD", ""),
    ],
)
def test_an_amount_in_hundredths_stands_there_as_people_write_it(
    value: Any, said: str, currency: str, sum_of_it: str
) -> None:
    found = meaning({"description": said}, "amount", value, {"amount": value, "currency": currency})
    assert found.major == sum_of_it
