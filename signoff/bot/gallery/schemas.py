"""Schemas as tool servers write them: draft-07, described, defaults and all; pure."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def tool(required: str, **properties: Schema) -> Schema:
    """The input of a tool; `required` names fields, with spaces between."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def part(required: str = "", **properties: Schema) -> Schema:
    """An object inside; closed as well."""
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def text(about: str = "", **more: Any) -> Schema:
    return _field("string", about, more)


def whole(about: str = "", **more: Any) -> Schema:
    return _field("integer", about, more)


def number(about: str = "", **more: Any) -> Schema:
    return _field("number", about, more)


def flag(about: str = "", **more: Any) -> Schema:
    return _field("boolean", about, more)


def free(about: str = "", **more: Any) -> Schema:
    """An object of any fields."""
    return _field("object", about, more)


def many(items: Schema, about: str = "", **more: Any) -> Schema:
    return _field("array", about, {"items": items, **more})


def _field(kind: str, about: str, more: dict[str, Any]) -> Schema:
    return {"type": kind, **({"description": about} if about else {}), **more}
