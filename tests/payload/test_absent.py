"""What a payload leaves to its action's defaults."""

import sys
from typing import Any

from signoff.payload.absent import absent

JOB: dict[str, Any] = {
    "type": "object",
    "required": ["force"],
    "properties": {
        "branch": {"type": "string", "default": "main"},
        "dry_run": {"type": "boolean", "default": False},
        "wait": {"anyOf": [{"type": "boolean"}, {"type": "null"}], "default": None},
        "force": {"type": "boolean"},
        "note": {"type": "string"},
        "labels": {"type": "array", "default": []},
        "steps": {"type": "array", "items": {"$ref": "#/$defs/step"}},
        "retry": {"$ref": "#/$defs/retry"},
        "on_failure": {"$ref": "#/$defs/retry"},
    },
    "$defs": {
        "retry": {"type": "object", "properties": {"times": {"type": "integer", "default": 3}}},
        "step": {"type": "object", "properties": {"timeout": {"type": "integer", "default": 30}}},
    },
}


def told(payload: dict[str, Any], schema: dict[str, Any] | None = JOB, **more: int) -> list[Any]:
    return [
        (found.path, found.default if found.has_default else ...) for found in absent(schema, payload, **more)
    ]


def test_defaults_and_booleans_that_are_not_given_are_told_of_in_the_schemas_order() -> None:
    assert told({"force": True}) == [(("branch",), "main"), (("dry_run",), False), (("wait",), None)]
    assert told({"branch": "x", "dry_run": False, "wait": None}) == [(("force",), ...)]


def test_objects_and_lists_that_are_given_are_looked_into() -> None:
    given = {"branch": "x", "dry_run": True, "wait": True, "force": True}
    payload = given | {"retry": {}, "steps": [{"timeout": 1}, {"name": "deploy"}]}
    assert told(payload) == [(("steps", 1, "timeout"), 30), (("retry", "times"), 3)]


def test_without_a_schema_or_properties_nothing_is_known() -> None:
    assert told({"a": 1}, None) == [] and told({"a": [[{}]]}, {}) == []
    assert told({"a": 1}, {"properties": {"b": True, "c": 7, "a": {"default": 2}}}) == []


def test_no_more_are_told_of_than_asked_for_and_a_schema_is_read_once() -> None:
    described = {f"f{n}": {"type": "string"} for n in range(300)} | {"last": {"default": 1}}
    schema = {"properties": {"rows": {"items": {"properties": described}}}}
    taken = []
    for count in (100, 200):
        steps = 0

        def step(frame: Any, event: str, arg: Any) -> Any:
            nonlocal steps
            steps += 1
            return step

        sys.settrace(step)
        found = absent(schema, {"rows": [{"last": 0}] * (count - 1) + [{}]})
        sys.settrace(None)
        assert [one.path for one in found] == [("rows", count - 1, "last")]
        taken.append(steps)
    assert taken[1] < 2 * taken[0], "the schema's 300 fields are not gone through for every row"
    assert len(absent({"properties": {f"b{n}": {"type": "boolean"} for n in range(50)}}, {})) == 8
