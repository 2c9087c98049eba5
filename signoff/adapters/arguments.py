"""A tool call's arguments as they will run: with the defaults of the tool's schema; pure."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

DEPTH = 16
"""Levels of objects in which defaults are filled in."""


def filled(
    args: Mapping[str, Any], schema: Mapping[str, Any] | None, *, closed: bool = False
) -> dict[str, Any]:
    """The arguments, and for each property that is missing the schema's default, where it has one.

    The framework would fill them in when it runs the tool: people have to see them before.
    """
    properties = (schema or {}).get("properties")
    if closed and isinstance(properties, Mapping) and not (schema or {}).get("additionalProperties"):
        args = {name: value for name, value in args.items() if name in properties}
    found = _filled(dict(args), schema, schema or {}, DEPTH)
    return found if isinstance(found, dict) else dict(args)


def _filled(value: Any, schema: Any, root: Mapping[str, Any], depth: int) -> Any:
    schema = resolved(schema, root)
    if not isinstance(value, Mapping) or not isinstance(schema, Mapping) or not depth:
        return value
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return value
    made = dict(value)
    for name, inner in properties.items():
        if name in made:
            made[name] = _filled(made[name], inner, root, depth - 1)
        elif isinstance(inner, Mapping) and "default" in inner and _is_default(inner):
            made[name] = deepcopy(inner["default"])
    return made


def _is_default(schema: Mapping[str, Any]) -> bool:
    """Whether a default is a value of its own schema: `note: str = None` has one that is not."""
    kinds = schema.get("type")
    return schema["default"] is not None or kinds is None or "null" in kinds


def resolved(schema: Any, root: Mapping[str, Any]) -> Any:
    """A schema that refers to one of its root's definitions → that one."""
    for _ in range(DEPTH):
        reference = schema.get("$ref") if isinstance(schema, Mapping) else None
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return schema
        found: Any = root
        for part in reference[2:].split("/"):
            found = found.get(part) if isinstance(found, Mapping) else None
        schema = found
    return None
