"""JSON Schemas from agents: what is refused, what a reviewer is told, and what they typed as a value."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.errors import Invalid
from signoff.payload.fields import coerce
from signoff.payload.reader import fields
from signoff.payload.schema import MAX_SCHEMA, check, check_payload, check_schema

REFUND: dict[str, Any] = {
    "type": "object",
    "properties": {
        "customer": {"type": "string", "minLength": 1, "title": "Customer", "description": "Whom it goes to"},
        "amount": {"type": "integer", "minimum": 1, "maximum": 500},
        "currency": {"$ref": "#/$defs/Currency", "description": "Of the amount"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    "required": ["customer", "amount"],
    "additionalProperties": False,
    "$defs": {"Currency": {"enum": ["EUR", "USD"], "type": "string"}},
}


def refusal(schema: Any) -> str:
    """Why a schema is refused; it must not take a second."""
    start = time.monotonic()
    with pytest.raises(Invalid) as caught:
        check_schema(schema)
    assert time.monotonic() - start < 1
    return caught.value.detail


def told(schema: dict[str, Any], payload: Any) -> list[str]:
    return [str(problem) for problem in check({"type": "object", **schema}, payload)]


def field(schema: dict[str, Any], value: Any) -> list[str]:
    return told({"properties": {"x": schema}}, {"x": value})


def doubling(levels: int) -> dict[str, Any]:
    definitions: dict[str, Any] = {"a0": {"type": "object"}}
    for level in range(1, levels):
        definitions[f"a{level}"] = {"allOf": [{"$ref": f"#/$defs/a{level - 1}"}] * 2}
    return {"type": "object", "$defs": definitions, "$ref": f"#/$defs/a{levels - 1}"}


def nested(levels: int) -> Any:
    payload: Any = {}
    for _ in range(levels):
        payload = {"x": payload}
    return payload


# What may be sent


def test_an_ordinary_schema_is_taken() -> None:
    check_schema(REFUND)
    check_schema({"type": "object"})
    check_schema({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"})


def test_a_schema_over_32_kib_is_refused() -> None:
    assert f"{MAX_SCHEMA:,}" in refusal({"type": "object", "description": "x" * MAX_SCHEMA})


@pytest.mark.parametrize("schema", [{"type": "array"}, {"type": ["string"]}, True, [], None, "x"])
def test_the_top_level_has_to_be_an_object(schema: Any) -> None:
    assert "object" in refusal(schema)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "intger"},
        {"minimum": "5"},
        {"required": "x"},
        {"properties": []},
        {"enum": 3},
        {"$ref": 5},
    ],
)
def test_what_is_no_json_schema_is_refused_with_its_place(part: dict[str, Any]) -> None:
    assert "properties/amount" in refusal({"type": "object", "properties": {"amount": part}})


def test_an_unknown_dialect_is_refused() -> None:
    assert "$schema" in refusal({"$schema": "https://example.com/mine", "type": "object"})


@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef"])
@pytest.mark.parametrize(
    "reference", ["https://example.com/x", "file:///etc/passwd", "other.json#/a", "#/nope", "#nope", "//x"]
)
def test_references_that_leave_the_schema_or_miss_are_refused(keyword: str, reference: str) -> None:
    assert refusal({"type": "object", "properties": {"a": {keyword: reference}}})


def test_a_reference_hidden_behind_another_is_refused() -> None:
    assert refusal({"type": "object", "x": {"y": {"$ref": "https://example.com/x"}}, "$ref": "#/x/y"})


@pytest.mark.parametrize("place", [{}, {"properties": {"a": {"$id": "https://example.com/x"}}}])
def test_a_base_outside_the_schema_is_refused(place: dict[str, Any]) -> None:
    assert "$id" in refusal({"type": "object", "$id": "https://example.com/x", **place})


def test_local_references_and_names_are_followed() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"$ref": "#/$defs/t~1u"},
            "b": {"$ref": "#named"},
            "c": {"$ref": "#/$defs/t%2Fu"},
        },
        "$defs": {"t/u": {"type": "integer"}, "n": {"$anchor": "named", "type": "string"}},
    }
    with pytest.raises(Invalid):  # %2F is a slash before the pointer is taken apart (RFC 6901, section 6)
        check_schema(schema)
    del schema["properties"]["c"]  # type: ignore[attr-defined]
    assert told(schema, {"a": "x", "b": 1}) == ["a must be a whole number", "b must be text"]


@pytest.mark.parametrize(
    "pattern",
    ["(?=a)b", "(?<!a)b", r"(a)\1", "(a{1000}){1000}", "a{1000000}", "(((a{99}){99}){99}){99}", "("],
)
@pytest.mark.parametrize("keyword", ["pattern", "patternProperties"])
def test_patterns_outside_a_linear_time_engine_are_refused(pattern: str, keyword: str) -> None:
    part: dict[str, Any] = (
        {"pattern": pattern} if keyword == "pattern" else {"patternProperties": {pattern: {}}}
    )
    assert "linear-time" in refusal({"type": "object", "properties": {"a": part}})


# What explodes


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "$ref": "#"},
        {"type": "object", "allOf": [{"$ref": "#"}]},
        {"type": "object", "properties": {"a": {"$ref": "#/properties/a"}}},
        {"type": "object", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"not": {"$ref": "#/$defs/a"}}}},
        {"type": "object", "$anchor": "me", "if": {"$dynamicRef": "#me"}},
    ],
)
def test_references_round_in_circles_are_refused(schema: dict[str, Any]) -> None:
    assert "itself" in refusal(schema)


@pytest.mark.parametrize("levels", [12, 25, 300])
def test_references_that_double_at_every_step_are_refused(levels: int) -> None:
    assert refusal(doubling(levels))


def test_a_long_chain_of_references_is_refused_in_any_order() -> None:
    links = {f"a{n}": {"$ref": f"#/$defs/a{n + 1}"} for n in range(400)} | {"a400": {}}
    for definitions in (links, dict(reversed(links.items()))):
        assert "references" in refusal({"type": "object", "$defs": definitions, "$ref": "#/$defs/a0"})


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"x": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}, {"$ref": "#"}]}}},
        {"properties": {"x": {"$ref": "#"}}, "patternProperties": {"x": {"$ref": "#"}, "^x": {"$ref": "#"}}},
        {"additionalProperties": {"oneOf": [{"$ref": "#"}, {"$ref": "#", "title": "again"}]}},
    ],
)
def test_recursion_that_multiplies_with_the_payloads_depth_is_refused(schema: dict[str, Any]) -> None:
    start = time.monotonic()
    with pytest.raises(Invalid, match="too many checks"):
        check({"type": "object", **schema}, nested(30))
    assert time.monotonic() - start < 2


def test_a_recursive_schema_is_fine() -> None:
    schema = {"type": "object", "properties": {"x": {"$ref": "#"}}, "additionalProperties": False}
    assert check(schema, nested(30)) == []
    assert [str(problem) for problem in check(schema, {"x": {"y": 1}})] == ["x.y is not a known field"]


STRINGS = {"l": ["x"] * 60_000}
ORDERS = {"l": [{"sku": "a", "n": 1, "p": 2} for _ in range(8_000)]}


@pytest.mark.parametrize(
    ("schema", "payload"),
    [
        ({"properties": {"l": {"items": {"anyOf": [{"const": n} for n in range(1000)]}}}}, STRINGS),
        ({"properties": {"l": {"items": {"type": "integer"}}}}, STRINGS),
        ({"properties": {"l": {"items": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}}}, STRINGS),
        ({"allOf": [False] * 1900}, ORDERS),
        ({"anyOf": [{"required": ["q"]}] * 1000}, ORDERS),
        ({"allOf": [{"not": {}}] * 50}, ORDERS),
        ({"properties": {"t": {"pattern": "(?:[ab]{3,40}a){1,8}c"}}}, {"t": "ab" * 100_000}),
        ({"properties": {"t": {"allOf": [{"pattern": "[ab]{1,60}a[ab]{60}c"}] * 90}}}, {"t": "ab" * 100_000}),
        (
            {"patternProperties": {f"(a|b){{{n}}}c": {} for n in range(1, 400)}},
            dict.fromkeys(map(str, range(20_000))),
        ),
    ],
)
def test_no_schema_and_payload_take_long_or_much_memory(schema: dict[str, Any], payload: Any) -> None:
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.monotonic()
    try:
        assert check({"type": "object", **schema}, payload)
    except Invalid as error:
        assert "too many checks" in error.detail
    assert time.monotonic() - start < 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000  # KiB


def test_the_deepest_schema_and_payload_fit_a_small_stack() -> None:
    definitions: dict[str, Any] = {"a0": {"properties": {"x": {"$ref": "#/$defs/a20"}}}}
    for level in range(1, 21):
        definitions[f"a{level}"] = {"$ref": f"#/$defs/a{level - 1}"}
    schema = {"type": "object", "$defs": definitions, "$ref": "#/$defs/a20"}
    found: list[Any] = []
    size = threading.stack_size(512 * 1024)
    try:
        thread = threading.Thread(target=lambda: found.append(check(schema, nested(30))))
        thread.start()
        thread.join(30)
    finally:
        threading.stack_size(size)
    assert found == [[]]


def test_a_large_ordinary_payload_is_checked() -> None:
    line = {
        "type": "object",
        "properties": {
            "sku": {"type": "string"},
            "n": {"type": "integer"},
            "p": {"type": ["number", "null"]},
        },
        "required": ["sku"],
        "additionalProperties": False,
    }
    schema = {"type": "object", "properties": {"l": {"items": {"$ref": "#/$defs/L"}}}, "$defs": {"L": line}}
    assert check(schema, ORDERS) == []


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
keywords = st.sampled_from(
    [
        "type", "properties", "items", "$ref", "$defs", "allOf", "anyOf", "oneOf", "not", "if", "then",
        "enum", "const", "pattern", "required", "format", "prefixItems", "contains", "$anchor", "$schema",
        "unevaluatedProperties", "additionalProperties", "patternProperties", "propertyNames", "minimum",
    ]
)  # fmt: skip
contents = st.sampled_from(
    ["#", "#/$defs/a", "#/properties/x", "object", "string", "date", "(a+)+$", "a", "x"]
)
schemas = st.recursive(
    json_values | contents,
    lambda inner: (
        st.dictionaries(keywords | st.sampled_from(["a", "x"]), inner, max_size=4)
        | st.lists(inner, max_size=3)
    ),
    max_leaves=20,
)


@settings(max_examples=400, deadline=None)
@given(schemas, json_values)
def test_whatever_comes_is_answered_or_refused(schema: Any, payload: Any) -> None:
    whole = {**schema, "type": "object"} if isinstance(schema, dict) else schema
    for root in (whole, {"type": "object", "properties": {"x": schema}, "$defs": {"a": schema}}):
        try:
            check_schema(root)
            check(root, payload)
            check(root, {"x": payload})
        except Invalid as error:
            assert error.detail
        fields(root if isinstance(root, dict) else None, {"x": payload})


# What a reviewer is told


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"maximum": 500}, 501, "must be at most 500"),
        ({"minimum": 0.5}, 0, "must be at least 0.5"),
        ({"exclusiveMinimum": 0}, 0, "must be more than 0"),
        ({"exclusiveMaximum": 9}, 9, "must be less than 9"),
        ({"multipleOf": 0.01}, 0.005, "must be a multiple of 0.01"),
        ({"enum": ["a", "b", 3, None]}, "c", "must be one of a, b, 3, null"),
        ({"const": {"a": 1}}, 2, 'must be {"a": 1}'),
        ({"type": "integer"}, 1.5, "must be a whole number"),
        ({"type": ["string", "null"]}, 1, "must be null or text"),
        ({"type": "boolean"}, "true", "must be true or false"),
        ({"minLength": 1}, "", "must not be empty"),
        ({"minLength": 3}, "ab", "must have at least 3 characters"),
        ({"maxLength": 1}, "ab", "must have at most 1 character"),
        ({"minItems": 2}, [1], "must have at least 2 entries"),
        ({"maxItems": 1}, [1, 2], "must have at most 1 entry"),
        ({"uniqueItems": True}, [1, 1], "must not hold the same entry twice"),
        ({"contains": {"const": 1}}, [2], "lacks an entry that it needs"),
        ({"pattern": "^x"}, "a", "must match the pattern ^x"),
        ({"not": {"const": 1}}, 1, "is not allowed"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "x", "must be a whole number or null"),
        ({"anyOf": [{"type": "integer", "maximum": 5}, {"type": "null"}]}, 6, "must be at most 5"),
        ({"anyOf": [{"const": 1}, {"const": 2}]}, 3, "fits none of the allowed forms"),
        ({"oneOf": [{"minimum": 1}, {"minimum": 2}]}, 3, "fits more than one of the allowed forms"),
        ({"oneOf": [{"type": "integer"}, {"type": "string"}]}, [], "must be a whole number or text"),
        ({"propertyNames": {"maxLength": 1}}, {"ab": 1}, "has a field whose name is not allowed"),
        ({"prefixItems": [{}], "items": False}, [1, 2], None),
        (False, 1, "is not allowed"),
    ],
)
def test_messages_say_what_to_do(schema: Any, value: Any, message: str | None) -> None:
    found = field(schema, value)
    assert len(found) == 1
    assert message is None or found == [f"x {message}"]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("date", "2026-11-21", "21.11.2026"),
        ("date-time", "2026-11-21T14:02:00Z", "2026-11-21 14:02"),
        ("email", "ana@example.com", "ana"),
        ("uri", "https://example.com/x", "example"),
        ("uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2eb8"),
    ],
)
def test_formats_are_checked(name: str, good: str, bad: str) -> None:
    assert field({"format": name}, good) == []
    assert "such as" in field({"format": name}, bad)[0] or "a" in field({"format": name}, bad)[0]
    assert field({"format": name}, bad)


def test_a_problem_has_its_place() -> None:
    schema = {"properties": {"l": {"items": {"type": "object", "required": ["sku"]}}}, "required": ["l", "m"]}
    paths = {problem.path for problem in check({"type": "object", **schema}, {"l": [{"sku": 1}, {}]})}
    assert paths == {("l", 1, "sku"), ("m",)}


def test_whole_numbers_may_have_lost_their_point() -> None:
    assert field({"type": "integer"}, 120.0) == []
    assert field({"type": "number"}, 120) == []


def test_at_most_twenty_problems_are_told_and_messages_are_cut() -> None:
    assert len(told({"required": [f"f{n}" for n in range(50)]}, {})) == 20
    assert len(field({"enum": ["y" * 500] * 20}, "x")[0]) < 200


def test_a_payload_that_contradicts_its_own_schema_is_invalid() -> None:
    check_payload(REFUND, {"customer": "cus_42", "amount": 120})
    with pytest.raises(Invalid, match=r"amount must be at most 500; .*tip is not a known field"):
        check_payload(REFUND, {"customer": "cus_42", "amount": 501, "tip": 1})
    with pytest.raises(Invalid, match="NUL"):
        check_payload(REFUND, {"customer": "\x00", "amount": 1})


# Fields


def test_fields_stand_in_the_schemas_order_and_then_the_rest() -> None:
    found = fields(REFUND, {"extra": [1], "amount": 120, "customer": "cus_42"})
    assert [item.name for item in found] == ["customer", "amount", "currency", "note", "extra"]
    customer, amount, currency, note, extra = found
    assert (customer.title, customer.description, customer.required) == ("Customer", "Whom it goes to", True)
    assert (amount.value, amount.present) == (120, True)
    assert (currency.value, currency.present, currency.required) == (None, False, False)
    assert currency.schema == {"enum": ["EUR", "USD"], "type": "string", "description": "Of the amount"}
    assert note.schema == {"type": ["string", "null"]}
    assert extra.schema == {"type": "array"}


def test_a_schema_that_is_a_reference_is_read_as_what_it_refers_to() -> None:
    whole = {"$ref": "#/definitions/Order%20Line", "definitions": {"Order Line": REFUND}}
    found = fields(whole, {"amount": 120, "customer": "cus_42"})
    assert [item.name for item in found][:2] == ["customer", "amount"] and found[0].required


def test_without_a_schema_a_value_says_its_own_type() -> None:
    payload = {"a": "x", "b": 1, "c": 1.5, "d": True, "e": None, "f": {}, "g": []}
    types = [item.schema.get("type") for item in fields(None, payload)]
    assert types == ["string", "number", "number", "boolean", None, "object", "array"]


@pytest.mark.parametrize(
    "schema",
    [{"properties": 5}, {"required": 5}, {"properties": {"a": 5}}, {"properties": {"a": {"$ref": 7}}}],
)
def test_fields_put_up_with_any_schema(schema: dict[str, Any]) -> None:
    assert [item.value for item in fields(schema, {"a": 1})] == [1]


# What a person typed


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ({"type": "integer"}, " 120 ", 120),
        ({"type": "integer"}, "-5", -5),
        ({"type": "integer"}, "120.0", 120),
        ({"type": "number"}, "99.5", 99.5),
        ({"type": "number"}, "120.00", 120),
        ({"type": "number"}, ".5", 0.5),
        ({"type": "number"}, "1e3", 1000),
        ({"type": "boolean"}, "true", True),
        ({"type": "boolean"}, "No", False),
        ({"type": "boolean"}, "", False),
        ({"type": ["boolean", "null"]}, "", None),
        ({"type": "string"}, " as it is ", " as it is "),
        ({"type": "string"}, "", ""),
        ({"type": ["string", "null"]}, "", None),
        ({"type": ["integer", "null"]}, "", None),
        ({"type": ["integer", "null"]}, "3", 3),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "3", 3),
        ({"enum": ["a", 2, True, None]}, "2", 2),
        ({"enum": ["a", 2, True, None]}, "true", True),
        ({"enum": ["a", None]}, "", None),
        ({"enum": ["2", 2]}, "2", 2),
        ({"enum": ["2", 2]}, '"2"', "2"),
        ({"enum": ["2"]}, "2", "2"),
        ({"type": "string", "enum": ["a", '"a"']}, '"a"', '"a"'),
        ({"enum": [{"k": 1, "l": 2}]}, '{\n"l": 2, "k": 1}', {"k": 1, "l": 2}),
        ({"const": 7}, "7", 7),
        ({"type": "array"}, '["a", 1]', ["a", 1]),
        ({"type": "object"}, '{"a": null}', {"a": None}),
        ({"type": ["string", "integer"]}, '"2"', "2"),
        ({"type": ["string", "integer"]}, "2", 2),
        ({}, "1.5", 1.5),
    ],
)
def test_typed_text_becomes_the_fields_value(schema: dict[str, Any], text: str, value: Any) -> None:
    found = coerce(schema, text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("schema", "text", "message"),
    [
        ({"type": "integer"}, "1.5", "whole number"),
        ({"type": "integer"}, "", "number"),
        ({"type": "integer"}, "1,000", "number"),
        ({"type": "integer"}, "٣", "number"),
        ({"type": "integer"}, "1" * 5000, "number"),
        ({"type": "integer"}, str(2**53), "too large"),
        ({"type": "number"}, "NaN", "number"),
        ({"type": "number"}, "1e400", "too large"),
        ({"type": "number"}, "1e999999999999", "number"),
        ({"type": "number"}, "0.1000000000000000055511151231257827", "more digits"),
        ({"type": "boolean"}, "maybe", "true or false"),
        ({"type": "string"}, "\x00", "NUL"),
        ({"enum": ["a", "b"]}, "c", "one of a, b"),
        ({"type": "array"}, "", "JSON"),
        ({"type": "array"}, '{"a": 1, "a": 2}', "twice"),
        ({"type": "object"}, "[" * 100_000, "nested"),
        ({}, "text", "double quotes"),
    ],
)
def test_what_cannot_be_such_a_value_is_refused_with_a_hint(
    schema: dict[str, Any], text: str, message: str
) -> None:
    with pytest.raises(Invalid) as caught:
        coerce(schema, text)
    assert message in caught.value.detail


@given(st.integers(-(2**53) + 1, 2**53 - 1))
def test_every_whole_number_is_exact(number: int) -> None:
    assert coerce({"type": "integer"}, str(number)) == number


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-9e15, max_value=9e15))
def test_every_number_that_is_shown_comes_back(number: float) -> None:
    assert coerce({"type": "number"}, json.dumps(number)) == number


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": 9007199254740993}', "a holds a number that is too large to be kept exactly"),
        ('{"a": [1, {"b c": 1e400}]}', "a › 2 › b c holds a number that is too large"),
        ("1" * 5_000, "It holds a number that is too large to be kept exactly"),
        ("[NaN]", "NaN is not JSON. Write JSON, with text in double quotes."),
        ('{"a": "\\u0000"}', "a holds a character that is none"),
        ('{"\\ud800": 1}', "It has a name with half of a character"),
        ("[" * 33 + "]" * 33, "Lists and objects stand in each other more than 32 deep."),
        ('{"a": 1, "a": 2}', "The name 'a' stands twice in one object."),
    ],
)
def test_who_types_json_into_a_form_is_told_in_words_of_theirs(text: str, says: str) -> None:
    with pytest.raises(Invalid) as caught:
        coerce({}, text)
    assert says in caught.value.detail
    for word in ("str(", "require_approval", "annotated", "2^53", "send it", "It[", "surrogate", "NUL"):
        assert word not in caught.value.detail
