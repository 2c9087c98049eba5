"""What would run of a model's call: with the schema's defaults, and without what the tool does not know."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from signoff.adapters.arguments import added, filled
from signoff.errors import Invalid


def test_defaults_of_the_schema_are_filled_in_where_they_would_run() -> None:
    schema = {
        "properties": {"to": {"$ref": "#/$defs/To"}, "tags": {"default": ["a"]}, "n": {"type": "integer"}},
        "$defs": {"To": {"properties": {"city": {"default": "Bonn"}, "self": {"$ref": "#/$defs/To"}}}},
    }
    assert filled({"to": {"self": {}}}, schema) == {
        "to": {"self": {"city": "Bonn"}, "city": "Bonn"},
        "tags": ["a"],
    }
    for odd in (None, {}, {"properties": 1}, {"$ref": "#/$defs/a"}, {"$ref": "#", "properties": {}}):
        assert filled({"a": 1}, odd) == {"a": 1}


class Line(BaseModel):
    amount: int
    currency: str = "EUR"


class Card(BaseModel):
    kind: Literal["card"] = "card"
    secure: bool = True
    of: Card | None = None


class Wire(BaseModel):
    kind: Literal["wire"]
    iban: str
    note: str | None = "n"


class Order(BaseModel):
    lines: list[Line]
    extra: Line | None = None
    by: dict[str, Line] = {}
    pair: tuple[Line, Card] | None = None
    how: Card | Wire | None = None
    marked: Annotated[Card | Wire, Field(discriminator="kind")] | None = None
    deep: list[dict[str, list[Line] | None]] = []
    free: dict[str, Any] = {"a": [1]}


ORDER = Order.model_json_schema()


@pytest.mark.parametrize(
    "args",
    [
        {"lines": [{"amount": 1}, {"amount": 2, "currency": "USD"}], "extra": {"amount": 3}},
        {"lines": [], "by": {"a": {"amount": 1}, "b": {"amount": 2}}},
        {"lines": [], "pair": [{"amount": 1}, {"of": {"of": {}}}]},
        {"lines": [], "how": {"kind": "wire", "iban": "DE1"}, "marked": {"kind": "card"}},
        {"lines": [], "marked": {"kind": "wire", "iban": "DE1"}, "free": {"x": 1}},
        {"lines": [], "deep": [{"a": [{"amount": 1}], "b": None}]},
    ],
)
def test_what_is_shown_is_what_pydantic_would_run(args: dict[str, Any]) -> None:
    runs = Order.model_validate(args).model_dump(mode="json")
    assert filled(args, ORDER) == runs

    def baited(value: Any) -> Any:
        if isinstance(value, list):
            return [baited(one) for one in value]
        if not isinstance(value, dict):
            return value
        more = {} if "x" in value or value.keys() & {"a", "b"} else {"force": True}
        return {**{name: baited(one) for name, one in value.items()}, **more}

    assert filled(baited(args), ORDER, closed=True) == runs  # what it passes over nobody is shown
    assert filled({**args, "force": 1}, ORDER) == {**runs, "force": 1}


def test_of_two_forms_that_fit_neither_is_taken() -> None:
    a, b = ({"properties": {"x": {}, name: {"default": 1}}, "required": ["x"]} for name in "ab")
    assert filled({"v": {"x": 1, "y": 2}}, {"properties": {"v": {"anyOf": [a, b]}}}, closed=True) == {
        "v": {"x": 1, "y": 2}
    }
    assert filled({"x": 1}, {"allOf": [a, b]}) == {"x": 1, "a": 1, "b": 1}


def test_no_schema_makes_more_of_a_call_than_it_may_hold() -> None:
    """Each size is read in as many steps as it has entries, whatever the schema refers to."""
    loop: dict[str, Any] = {"$defs": {"A": {"allOf": [{"$ref": "#/$defs/A"}] * 9, "default": {}}}}
    loop["$defs"]["A"]["properties"] = {name: {"$ref": "#/$defs/A"} for name in "abc"}
    loop["$ref"] = "#/$defs/A"
    many = {"properties": {"v": {"items": {"properties": {"d": {"default": list(range(99))}}}}}}
    for args, schema in (({}, loop), ({"v": [{}] * 200}, many)):
        with pytest.raises(Invalid):
            filled(args, schema)
    assert len(filled({"v": [{}] * 50}, many)["v"][49]["d"]) == 99


def test_only_what_the_tool_cannot_take_is_counted_as_added() -> None:
    sent = {"lines": [{"amount": 1, "odd": 1}], "extra": {"amount": 1}, "mine": 1}
    edit = {
        "lines": [{"amount": 2}, {"amount": 1, "odd": 2, "force": 1}], "mine": 2,
        "by": {"new": {"amount": 1}}, "extra": {"amount": 1, "force": 1}, "all": 1,
        "free": {"any": {"thing": 1}},
    }  # fmt: skip
    assert added(edit, sent, ORDER) == ["lines.[].force", "extra.force", "all"]
    for more in (
        {"additionalProperties": {}},
        {"patternProperties": {".": {}}},
        {"properties": None},
        {"$ref": "x"},
    ):
        assert added({"all": 1}, {}, {"properties": {"a": {}}, **more}) == []
    assert added({"all": 1}, {}, None) == [] != added({"all": 1}, {}, {"properties": {}})
