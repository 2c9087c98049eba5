"""What several payloads share, what differs, which of them stand out: each found again, in linear time."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from bot.batch_made import asked
from hypothesis import given
from hypothesis import strategies as st

from signoff.bot.cards.batch_items import gathered, numbered
from signoff.bot.text.common import common, joined
from signoff.bot.text.outliers import outliers
from signoff.payload.canonical import canonical

JSON = dict[str, Any]
_TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4)
_SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-2, 2) | _TEXTS
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)
_PAYLOADS = st.dictionaries(st.sampled_from(["a", "b", "c", "", "1", "x›y"]) | _TEXTS, _VALUES, max_size=5)


@given(st.lists(_PAYLOADS, min_size=1, max_size=6))
def test_what_is_common_and_what_is_its_own_make_up_each_payload(payloads: list[JSON]) -> None:
    found = common([(None, one) for one in payloads])
    same = {path: field.value for path, field in found.same.items()}
    for payload, own in zip(payloads, found.own, strict=True):
        again = joined(same, {path: field.value for path, field in own.items()})
        assert canonical(again) == canonical(payload)
        assert not own.keys() & same.keys() and own.keys() <= set(found.paths)


def test_true_is_not_one_and_shapes_may_be_unequal() -> None:
    found = common(
        [(None, {"a": 1, "b": {"c": 1}}), (None, {"a": True, "b": 2}), (None, {"a": 1.0, "d": []})]
    )
    assert found.paths == (("a",), ("b", "c"), ("b",), ("d",)) and not found.same
    assert common([(None, {"a": 1}), (None, {"a": 1.0})]).paths == ()


def test_fields_stand_in_the_schemas_order() -> None:
    schema = {"properties": {"z": {}, "inner": {"properties": {"y": {}, "x": {}}}, "a": {}}}
    payloads = [{"a": i, "inner": {"x": i, "y": i}, "z": i, "k": 7} for i in range(2)]
    found = common([(schema, one) for one in payloads])
    assert found.paths == (("z",), ("inner", "y"), ("inner", "x"), ("a",)) and list(found.same) == [("k",)]


def _marks(payloads: list[JSON], **of: Any) -> dict[int, str]:
    items = [asked(one, **of) for one in payloads]
    found = outliers(items, common([(None, one.payload) for one in items]))
    return {at: "; ".join(mark.text for mark in marks) for at, marks in found.items()}


@pytest.mark.parametrize(
    ("payloads", "at", "words"),
    [
        ([{"amount": n} for n in (120, 118, 131, 125, 99_000)], 4, "“amount” is far above"),
        ([{"amount": n} for n in (120, 118, 131, 125, 2)], 4, "“amount” is far below"),
        ([{"amount": n} for n in (10, 10, 10, 10, 10, 900)], 5, "“amount” is far above"),
        ([{"env": "staging"}] * 9 + [{"env": "prod"}], 9, "“env” is staging in 9 of 10, not here"),
        ([{"a": 1}] * 9 + [{"a": 1, "force": True}], 9, "has “force”, as few do"),
        ([{"a": 1, "dry": True}] * 9 + [{"a": 1}], 9, "has no “dry”, as the others do"),
        ([{"amount": text} for text in ("120.00", "118.00", "131.00", "99000.00")],
         3, "“amount” is far above"),
        ([{"amount": text} for text in ["120.00"] * 5 + ["99000.00"]], 5, "“amount” is far above"),
        ([{"amount": text} for text in ("€ 120", "118 EUR", "$131.50", "1,299,000.00 USD")],
         3, "“amount” is far"),
        ([{"amount": text} for text in ("120,00 €", "118,50 €", "131,00 €", "99.000,00 €")],
         3, "“amount” is far"),
        ([{"amount": value} for value in (120, "118.00", 131.5, "-99000.00")], 3, "“amount” is far below"),
        ([{"amount": n} for n in (120, 120, 120, 99_000)], 3, "“amount” is 120 in 3 of 4, not here"),
        ([{"to": {"amount": n}} for n in (120, 118, 131, 99_000)], 3, "“to › amount” is far above"),
        ([{"status": text} for text in ["2"] * 9 + ["3"]], 9, "“status” is “2” in 9 of 10, not here"),
        ([{"amounts": [n]} for n in (120, 118, 131, 125, 99_000)], 4, "“amounts › 1” is far above"),
        ([{"amounts": [5, text]} for text in ("12.0", "11.8", "13.1", "990.00")],
         3, "“amounts › 2” is far above"),
        ([{"items": [{"price": n, "id": "x"}]} for n in (9, 8, 11, 4_000)],
         3, "“items › 1 › price” is far above"),
        ([{"to": [f"u{n}@a.example"]} for n in range(5)] + [{"to": ["x@b.example"] * 90}],
         5, "“to” is far longer"),
        ([{"note": f"n{i}" * 5} for i in range(9)] + [{"note": "long " * 100}], 9, "“note” is far longer"),
    ],
)  # fmt: skip
def test_the_one_that_stands_out_is_named_with_why(payloads: list[JSON], at: int, words: str) -> None:
    marks = _marks(payloads)
    assert list(marks) == [at] and words in marks[at]


@pytest.mark.parametrize(
    "payloads",
    [
        [{"id": n} for n in range(1000, 1040)],
        [{"amount": n} for n in (100, 105, 111, 98, 120, 140)],
        [{"amount": 1}, {"amount": 99_999}],
        [{"to": f"u{n}@a.example"} for n in range(30)],
        [{"env": "a"}] * 5 + [{"env": "b"}] * 5,
        [{"n": 0}] * 3,
        [{"amount": "1.00"}, {"amount": "99000.00"}],
        [{"amounts": [1]}, {"amounts": [99_000]}],
        [{"amount": text} for text in ("100", "105.50", "111,00", "98", "120", "140")],
        [{"phone": text} for text in ("0301234567", "00441234567", "+49 171 1234567", "112")],
        [{"code": text} for text in ("10115", "10117", "SW1A 1AA", "99999")],
        [{"tags": ["a", "b"][: n % 2 + 1]} for n in range(6)],
        [{"at": [1, True, None, n]} for n in range(6)],
    ],
)
def test_nothing_stands_out_among_equals(payloads: list[JSON]) -> None:
    assert _marks(payloads) == {}


def test_what_is_harder_to_undo_rated_higher_or_another_action_comes_first() -> None:
    usual = [asked({"n": n}, verdict={"reversibility": "reversible", "risk": "low"}) for n in range(8)]
    odd = [
        asked(
            {"n": 3}, verdict={"reversibility": "irreversible", "reversibility_from": "policy", "risk": "low"}
        ),
        asked({"n": 4}, verdict={"reversibility": "reversible", "risk": "high", "risk_from": "policy"}),
        asked({"n": 5}, verdict={"reversibility": "reversible", "risk": "low"}, action="repo.delete"),
    ]
    items = [*usual, *odd]
    found = gathered(items, range(1, len(items) + 1))
    assert [one.number for one in found.outliers] == [9, 10, 11]
    told = [" ".join(one.marks) for one in found.outliers]
    assert ["cannot be undone" in told[0], "high risk" in told[1], "most are branch.delete" in told[2]] == [
        True
    ] * 3


def test_of_two_another_action_and_what_is_harder_to_undo_or_rated_higher_is_marked() -> None:
    low = {"reversibility": "reversible", "risk": "low"}

    def marked(*two: Any) -> dict[int, str]:
        return {one.number: " ".join(one.marks) for one in gathered(two, range(1, 3)).outliers}

    final = {"reversibility": "irreversible", "reversibility_from": "policy", "risk": "low"}
    high = {"reversibility": "reversible", "risk": "high", "risk_from": "policy"}
    found = marked(asked({"n": 1}, verdict=final), asked({"n": 2}, verdict=low))
    assert list(found) == [1] and "cannot be undone" in found[1]
    found = marked(asked({"n": 1}, verdict=low), asked({"n": 2}, verdict=high))
    assert list(found) == [2] and "high risk" in found[2]
    found = marked(asked({"n": 1}, verdict=low), asked({"n": 2}, verdict=low, action="repo.delete"))
    assert "another action than the other one: repo.delete" in found[1] and "branch.delete" in found[2]
    assert marked(asked({"n": 1}, verdict=low), asked({"n": 99_000}, verdict=low)) == {}


def test_those_that_look_alike_and_are_not_are_told_apart_from_those_that_are_the_same() -> None:
    items = [asked({"to": to}) for to in ("anna", "аnna", "ben", "ben", "carl")]
    warnings = "\n".join(gathered(items, range(1, 6)).warnings)
    assert "1, 2 look alike, and are not the same" in warnings and "3, 4 ask for the very same" in warnings
    assert "Cyrillic" in warnings


def test_numbers_are_told_in_spans() -> None:
    assert numbered([3, 1, 2, 7, 9, 10]) == "1–3, 7, 9, 10"


def test_what_it_costs_is_what_there_is() -> None:
    """Twice as many, and twice as large, cost about twice as many steps."""

    def steps(count: int, size: int) -> int:
        items = [
            asked({"n": n, "text": "line\n" * size, **{f"k{at}": at * n for at in range(size)}})
            for n in range(count)
        ]
        counted = 0

        def count_calls(_frame: Any, event: str, _arg: Any) -> None:
            nonlocal counted
            counted += event in ("call", "c_call")

        sys.setprofile(count_calls)
        try:
            gathered(items, range(1, count + 1))
        finally:
            sys.setprofile(None)
        return counted

    small = steps(40, 10)
    assert steps(160, 10) < 5.5 * small and steps(40, 40) < 5.5 * small
