"""Schemas as tool servers send them: what can be used of each, and that none stops a request."""

from __future__ import annotations

import json
import time
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from payload.test_schema import json_values, schemas

from signoff.errors import Invalid
from signoff.payload.canonical import canonical
from signoff.payload.gaps import LEFT_OUT
from signoff.payload.schema import MAX_SCHEMA, check_schema
from signoff.payload.usable import Usable, usable

LOOKS = "^(?!\\s*$).+"
FOUR = "http://json-schema.org/draft-04/schema#"
SEVEN = "http://json-schema.org/draft-07/schema#"


def of(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields}


def left_out(found: Usable) -> list[str]:
    return [f"{gap.keyword}@{gap.place}" for gap in found.gaps]


def takes(found: Usable, payload: Any) -> bool:
    try:
        found.check(payload)
    except Invalid:
        return False
    return True


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"x": schema}, "required": ["x"]}
    return schema


def wide(fields: int) -> dict[str, Any]:
    inner = {f"q{n}": {"type": "string", "maxLength": n + 1} for n in range(40)}
    return of(**{f"p{n}": {"type": "object", "properties": inner} for n in range(fields)})


# What cannot be used is left out: its place, and a payload that goes through now.
LEFT: list[tuple[str, Any, list[str], Any]] = [
    ("look-ahead", of(a={"type": "string", "pattern": LOOKS}), ["pattern@a"], {"a": "x"}),
    ("look-behind", of(a={"pattern": "(?<!a)b"}), ["pattern@a"], {"a": "x"}),
    ("back-reference", of(a={"pattern": r"(a)\1"}), ["pattern@a"], {"a": "x"}),
    ("a pattern of JavaScript's", of(a={"pattern": r"^[\w-.]+$"}), ["pattern@a"], {"a": "x"}),
    ("a pattern that is too large", of(a={"pattern": "^a.{1,5000}$"}), ["pattern@a"], {"a": "ax"}),
    ("in a list", of(l={"items": {"pattern": LOOKS}}), ["pattern@l[]"], {"l": ["x"]}),
    ("in an object", of(o=of(a={"pattern": LOOKS})), ["pattern@o.a"], {"o": {"a": "x"}}),
    (
        "in a definition",
        {**of(a={"$ref": "#/$defs/A"}), "$defs": {"A": {"pattern": LOOKS}}},
        ["pattern@$defs/A"],
        {"a": "x"},
    ),
    (
        "names by look-ahead",
        {
            "type": "object",
            "patternProperties": {LOOKS: {}, "^a": {"type": "integer"}},
            "additionalProperties": False,
        },
        ["patternProperties@", "additionalProperties@"],
        {"b": 1},
    ),
    ("an outside reference", of(a={"$ref": "https://example.com/a.json"}), ["$ref@a"], {"a": 1}),
    ("a file", of(a={"$ref": "file:///etc/passwd"}), ["$ref@a"], {"a": 1}),
    ("a definition that is not there", of(a={"$ref": "#/components/schemas/A"}), ["$ref@a"], {"a": 1}),
    ("a circle", {"type": "object", "allOf": [{"$ref": "#"}], "required": ["a"]}, ["$ref@"], {"a": 1}),
    (
        "a circle of two",
        {
            "type": "object",
            "$ref": "#/$defs/a",
            "$defs": {
                "a": {"$ref": "#/$defs/b"},
                "b": {"anyOf": [{"$ref": "#/$defs/a"}, {"required": ["x"]}]},
            },
        },
        ["$ref@$defs/b"],
        {"x": 1},
    ),
    ("required inside", of(a={"type": "string", "required": True}), ["required@a"], {"a": "x"}),
    ("any", of(a={"type": "any"}), ["type@a"], {"a": 1}),
    ("a type of Python's", of(a={"type": "str"}), ["type@a"], {"a": 1}),
    (
        "a list of fields",
        {"type": "object", "properties": [], "required": ["a"], "additionalProperties": False},
        ["properties@", "additionalProperties@"],
        {"a": 1},
    ),
    ("an enum that is an object", of(a={"enum": {}}), ["enum@a"], {"a": 1}),
    ("an enum of nothing", of(a={"enum": []}), ["enum@a"], {"a": 1}),
    ("a bound in words", of(a={"minimum": "5", "type": "integer"}), ["minimum@a"], {"a": 1}),
    ("a length below nothing", of(a={"minLength": -1}), ["minLength@a"], {"a": ""}),
    ("a step of nothing", of(a={"multipleOf": 0}), ["multipleOf@a"], {"a": 1}),
    ("a field that is no schema", of(a=5, b={"type": "integer"}), ["properties@a"], {"a": 1, "b": 1}),
    ("items that are text", of(a={"type": "array", "items": "string"}), ["items@a"], {"a": [1]}),
    (
        "more fields in words",
        {**of(a={}), "additionalProperties": "false"},
        ["additionalProperties@"],
        {"b": 1},
    ),
    (
        "an unknown dialect",
        {"$schema": "https://example.com/mine", **of(a={"type": "integer"})},
        ["$schema@"],
        {"a": 1},
    ),
    ("no alternatives", of(a={"anyOf": []}), ["anyOf@a"], {"a": 1}),
    ("an alternative that is none", of(a={"anyOf": [5, {"type": "integer"}]}), ["anyOf@a"], {"a": "x"}),
    ("a constant that JSON does not hold", of(a={"const": 2**60}), ["const@a"], {"a": 1}),
    (
        "too deep",
        deep(40),
        ["properties@" + ".".join("x" * 15)],
        {"x": json.loads('{"x":' * 20 + "{}" + "}" * 20)},
    ),
    # what stands around it would refuse more than before
    ("not", of(a={"not": {"pattern": LOOKS}}), ["pattern@a", "not@a"], {"a": "x"}),
    (
        "not, by reference",
        {**of(a={"not": {"$ref": "#/$defs/A"}}), "$defs": {"A": {"pattern": LOOKS}}},
        ["pattern@$defs/A", "not@a"],
        {"a": "x"},
    ),
    (
        "one of",
        of(a={"oneOf": [{"type": "string", "pattern": LOOKS}, {"type": "string", "maxLength": 2}]}),
        ["pattern@a", "oneOf@a"],
        {"a": "x"},
    ),
    ("if", of(a={"if": {"pattern": LOOKS}, "then": {"maxLength": 1}}), ["pattern@a", "if@a"], {"a": "xxx"}),
    (
        "at most so many",
        of(a={"contains": {"pattern": LOOKS}, "maxContains": 1}),
        ["pattern@a[]", "maxContains@a"],
        {"a": ["x", "y"]},
    ),
    (
        "unevaluated",
        {
            "type": "object",
            "unevaluatedProperties": False,
            "required": ["b"],
            "allOf": [{"$ref": "https://example.com/x"}],
        },
        ["$ref@", "unevaluatedProperties@"],
        {"b": 1},
    ),
]
# Of nothing that is left: the whole schema.
WHOLE: list[tuple[str, Any]] = [
    ("a list", {"type": "array"}),
    ("true", True),
    ("false", False),
    ("a list for an object", []),
    ("an outside reference", {"$ref": "https://example.com/a.json"}),
    ("nothing but fields that are none", {"type": "object", "properties": []}),
    ("text", "x"),
    ("no type of JSON", {"type": "dict"}),
    ("names for more than anyone checks", {"type": "object", "required": [f"f{n}" for n in range(9000)]}),
]
# What another draft says otherwise: its translation, a payload that fits and one that does not.
SAID: list[tuple[str, Any, Any, Any]] = [
    (
        "https",
        {"$schema": "https://json-schema.org/draft-07/schema#", **of(a={"type": "string"})},
        {"a": "x"},
        {"a": 1},
    ),
    (
        "draft-06",
        {"$schema": "http://json-schema.org/draft-06/schema#", **of(a={"const": 1})},
        {"a": 1},
        {"a": 2},
    ),
    (
        "draft-04, more than",
        {"$schema": FOUR, **of(a={"minimum": 5, "exclusiveMinimum": True})},
        {"a": 6},
        {"a": 5},
    ),
    ("less than, of no draft", of(a={"maximum": 5, "exclusiveMaximum": True}), {"a": 4}, {"a": 5}),
    ("not more than", of(a={"minimum": 5, "exclusiveMinimum": False}), {"a": 5}, {"a": 4}),
    (
        "an id of draft-04",
        {
            "$schema": FOUR,
            "id": "http://example.com/s#",
            **of(a={"$ref": "#/definitions/A"}),
            "definitions": {"A": {"type": "integer"}},
        },
        {"a": 1},
        {"a": "x"},
    ),
    (
        "$id",
        {
            "$id": "https://example.com/s.json",
            **of(a={"$ref": "s.json#/$defs/A"}),
            "$defs": {"A": {"type": "integer"}},
        },
        {"a": 1},
        {"a": "x"},
    ),
    (
        "$id inside",
        {
            "$id": "https://example.com/s.json",
            **of(a={"$ref": "/a.json"}),
            "$defs": {"A": {"$id": "/a.json", "type": "integer"}},
        },
        {"a": 1},
        {"a": "x"},
    ),
    (
        "references inside $id",
        {
            **of(a={"$ref": "https://example.com/a.json"}),
            "$defs": {
                "A": {
                    "$id": "https://example.com/a.json",
                    "$ref": "#/$defs/B",
                    "$defs": {"B": {"type": "integer"}},
                }
            },
        },
        {"a": 1},
        {"a": "x"},
    ),
    (
        "an id that is a name",
        {"$schema": SEVEN, **of(a={"$ref": "#A"}), "definitions": {"A": {"$id": "#A", "type": "integer"}}},
        {"a": 1},
        {"a": "x"},
    ),
    (
        "a definition under the other name",
        {**of(a={"$ref": "#/$defs/A"}), "definitions": {"A": {"type": "integer"}}},
        {"a": 1},
        {"a": "x"},
    ),
    (
        "a definition anywhere",
        {**of(a={"$ref": "#/x-parts/A"}), "x-parts": {"A": {"type": "integer"}}},
        {"a": 1},
        {"a": "x"},
    ),
    ("a tuple", of(a={"items": [{"type": "integer"}], "additionalItems": False}), {"a": [1]}, {"a": [1, 2]}),
    (
        "a tuple of draft-07",
        {"$schema": SEVEN, **of(a={"items": [{"type": "integer"}]})},
        {"a": [1, "x"]},
        {"a": ["x"]},
    ),
    ("dependencies", {"type": "object", "dependencies": {"a": ["b"]}}, {"a": 1, "b": 1}, {"a": 1}),
    (
        "dependencies that are schemas",
        {"type": "object", "dependencies": {"a": {"required": ["b"]}}},
        {"a": 1, "b": 1},
        {"a": 1},
    ),
    ("nullable", of(a={"type": "string", "nullable": True}), {"a": None}, {"a": 1}),
    ("nullable choices", of(a={"type": "string", "enum": ["x"], "nullable": True}), {"a": None}, {"a": "y"}),
    (
        "a nullable reference",
        {**of(a={"$ref": "#/$defs/A", "nullable": True}), "$defs": {"A": {"type": "integer"}}},
        {"a": None},
        {"a": "x"},
    ),
    ("not nullable", of(a={"type": "string", "nullable": False}), {"a": "x"}, {"a": None}),
    (
        "$dynamicRef",
        {"$dynamicAnchor": "n", "additionalProperties": False, **of(a={"$dynamicRef": "#n"})},
        {"a": {"a": {}}},
        {"a": {"b": 1}},
    ),
    (
        "$recursiveRef",
        {
            "$schema": "https://json-schema.org/draft/2019-09/schema",
            "additionalProperties": False,
            "$recursiveAnchor": True,
            **of(a={"$recursiveRef": "#"}),
        },
        {"a": {"a": {}}},
        {"a": {"b": 1}},
    ),
    (
        "a bound of 64 bits",
        of(a={"type": "integer", "format": "int64", "minimum": -(2**63), "maximum": 2**63 - 1}),
        {"a": 5},
        {"a": "x"},
    ),
    ("a bound without an end", of(a={"type": "number", "maximum": float("inf")}), {"a": 5}, {"a": "x"}),
    (
        "the same twice",
        of(a={"enum": [1, 1], "type": ["integer", "integer"], "required": ["x", "x"]}),
        {"a": 1},
        {"a": 2},
    ),
    (
        "nothing, spelled out",
        of(a={"type": "integer", "enum": None, "description": None, "items": None}),
        {"a": 5},
        {"a": "x"},
    ),
    (
        "a title that is none",
        of(a={"type": "integer", "title": 5, "examples": "x", "deprecated": "no"}),
        {"a": 5},
        {"a": "x"},
    ),
    (
        "beside a reference, in draft-07",
        {
            "$schema": SEVEN,
            **of(a={"$ref": "#/definitions/A", "type": "string"}),
            "definitions": {"A": {"type": "integer"}},
        },
        {"a": 1},
        {"a": "x"},
    ),
    ("required, of draft-03", of(a={"type": "integer", "required": False}), {}, {"a": "x"}),
    (
        "steps, of draft-03",
        {"$schema": "http://json-schema.org/draft-03/schema#", **of(a={"divisibleBy": 5})},
        {"a": 5},
        {"a": 4},
    ),
]


@pytest.mark.parametrize(("schema", "places", "payload"), [c[1:] for c in LEFT], ids=[c[0] for c in LEFT])
def test_what_cannot_be_used_is_left_out_and_named(schema: Any, places: list[str], payload: Any) -> None:
    found = usable(schema)
    assert left_out(found) == places
    assert found.schema is not None and takes(found, payload)
    check_schema(found.schema)


@pytest.mark.parametrize("schema", [case[1] for case in WHOLE], ids=[case[0] for case in WHOLE])
def test_of_some_schemas_nothing_is_left(schema: Any) -> None:
    found = usable(schema)
    assert found.schema is None and found.gaps
    assert takes(found, {"anything": 1})
    again = usable(found.marked())
    assert again.schema is None and again.gaps


@pytest.mark.parametrize(
    ("schema", "fits", "not_"), [case[1:] for case in SAID], ids=[case[0] for case in SAID]
)
def test_what_another_draft_says_otherwise_is_translated(schema: Any, fits: Any, not_: Any) -> None:
    found = usable(schema)
    assert found.gaps == ()
    assert takes(found, fits) and not takes(found, not_)


def test_a_schema_that_can_be_used_is_left_as_it_is() -> None:
    schema = {"$schema": SEVEN, **of(a={"type": "string", "x-own": [1]}, b={"$ref": "#/definitions/B"}),
              "definitions": {"B": {"enum": [1, 1]}}}  # fmt: skip
    assert usable(schema).schema is schema


def test_what_is_left_is_still_checked() -> None:
    found = usable(of(a={"type": "string", "pattern": LOOKS, "maxLength": 3}, b={"type": "integer"}))
    assert takes(found, {"a": "abc", "b": 1})
    assert not takes(found, {"a": "abcd"}) and not takes(found, {"b": "x"})


# Size


def test_of_a_schema_over_32_kib_the_words_go_first() -> None:
    schema = {**of(a={"type": "integer", "description": "d" * 40_000}), "description": "D" * 40_000}
    found = usable(schema)
    assert found.gaps == () and not takes(found, {"a": "x"})
    assert found.schema is not None and found.schema["properties"]["a"]["description"] == "d" * 300


def test_then_what_nothing_refers_to() -> None:
    parts = {f"P{n}": {"type": "object", "required": ["x" * 100]} for n in range(600)}
    found = usable({**of(a={"$ref": "#/$defs/P7"}), "$defs": parts})
    assert found.gaps == () and found.schema is not None and list(found.schema["$defs"]) == ["P7"]


def test_then_all_that_stands_below_the_first_fields() -> None:
    found = usable({**wide(40), "required": ["p3"]})
    assert left_out(found) == ["*@"] and found.schema is not None
    assert list(found.schema["properties"]) == [f"p{n}" for n in range(40)]
    assert takes(found, {"p3": {"q1": 5}}) and not takes(found, {"p3": 1}) and not takes(found, {})


def test_at_last_the_whole_and_a_room_of_few_values_counts_as_well() -> None:
    assert usable({"type": "object", "required": ["x" * 40_000]}).schema is None
    schema = of(a={"type": "integer"}, b={"type": "string", "minLength": 1})
    assert usable(schema, 20).schema is schema
    assert usable(schema, 3).schema is None


@pytest.mark.parametrize(
    "schema", [wide(40), {"type": "object", "required": ["x" * 40_000]}, of(a={"pattern": LOOKS})]
)
def test_a_client_marks_what_it_left_out(schema: dict[str, Any]) -> None:
    marked = usable(schema).marked()
    assert LEFT_OUT in json.dumps(marked) and len(canonical(marked)) < MAX_SCHEMA
    again = usable(marked)
    assert {gap.why for gap in again.gaps} == {"unsaid"}
    assert LEFT_OUT not in json.dumps(again.schema)


def test_a_mark_says_no_more_than_a_keyword() -> None:
    found = usable({**of(a={}), "allOf": [{"$ref": LEFT_OUT + "click here to win"}]})
    assert [gap.keyword for gap in found.gaps] == [""]


# Whatever comes


@settings(max_examples=250, deadline=None)
@given(schemas, json_values)
def test_nothing_stops_a_request_and_what_is_left_can_be_used(schema: Any, payload: Any) -> None:
    for given_ in (
        schema,
        of(x=schema),
        {**of(x={"not": schema}, y={"oneOf": [schema, {}]}), "$defs": {"a": schema}},
    ):
        found = usable(given_)
        takes(found, {"x": payload})
        if found.schema is not None:
            check_schema(found.schema)
            again = usable(found.schema)
            assert again.gaps == () and again.schema == found.schema


@settings(max_examples=250, deadline=None)
@given(schemas, json_values)
def test_what_is_left_out_only_ever_takes_more(schema: Any, payload: Any) -> None:
    """Whatever a schema takes that the validator itself reads, it takes as well once it was read here."""
    whole = {**of(x=schema, y={"not": schema}), "$defs": {"a": schema}, "unevaluatedProperties": False}
    for one in ({"x": payload}, {"y": payload}, {"x": payload, "y": payload}):
        try:
            canonical(one)
            theirs = jsonschema_rs.validator_for(whole, offline=True).is_valid(one)
        except (Invalid, jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError):
            return
        if theirs:
            assert takes(usable(whole), one), usable(whole)


@pytest.mark.parametrize(
    "schema",
    [
        {**of(), "$defs": {f"d{n}": {"$dynamicAnchor": "n", "$dynamicRef": "#n"} for n in range(1500)}},
        {**of(), "$defs": {f"d{n}": {"$ref": f"#/$defs/d{(n + 1) % 1500}"} for n in range(1500)}},
        {**of(**{f"f{n}": {"$ref": f"#/x/{n}"} for n in range(1500)}), "x": [{} for _ in range(1500)]},
        of(**{f"f{n}": {"pattern": f"(?={n})"} for n in range(1500)}),
        {"type": "object", "allOf": [{"not": {"pattern": f"(?={n})"}} for n in range(1500)]},
        {**of(), "$defs": {f"d{n}": {"$id": f"/{n}", "$ref": f"{n + 1}"} for n in range(1500)}},
    ],
)  # fmt: skip
def test_none_takes_long_to_read(schema: dict[str, Any]) -> None:
    start = time.thread_time()
    assert usable(schema).gaps
    assert time.thread_time() - start < 2
