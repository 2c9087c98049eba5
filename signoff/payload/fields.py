"""A payload's fields for cards and forms, and what a person typed as a JSON value; pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeGuard

from signoff.errors import Invalid
from signoff.payload import canonical
from signoff.payload.outline import REFERENCES
from signoff.payload.problems import TYPES, one_of, shown

_NUMBER = re.compile(r"[+-]?([0-9]{1,400}(\.[0-9]{0,400})?|\.[0-9]{1,400})([eE][+-]?[0-9]{1,3})?")
_CONSTANT = {"const", "title", "description", "type"}
_WORDS = {"true": True, "yes": True, "false": False, "no": False, "": False}


@dataclass(frozen=True)
class Field:
    """One field of a payload.

    `schema` is ready for a form: a reference at its top is followed, and "this or null" is one schema whose
    `type` lists null; where nothing says what a value is, its own type stands. `title` and `description` are
    the schema's, and so the agent's words. `value` is None where the payload does not have the field.
    """

    name: str
    schema: dict[str, Any]
    value: Any
    present: bool
    required: bool
    title: str
    description: str

    @property
    def types(self) -> set[str]:
        """Every type that its schema names; all of them where an alternative names none."""
        return _types(self.schema)

    @property
    def nullable(self) -> bool:
        """True where null is allowed."""
        return "null" in self.types

    @property
    def scalar(self) -> str:
        """The one type that it has beside null: string, integer, number or boolean; empty for all else."""
        kinds = self.types - {"null"}
        kind = "number" if kinds == {"number", "integer"} else kinds.pop() if len(kinds) == 1 else ""
        return kind if kind in ("string", "integer", "number", "boolean") else ""


def is_number(value: Any) -> TypeGuard[int | float]:
    """True for a JSON number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def fields(
    schema: dict[str, Any] | None, payload: dict[str, Any], root: dict[str, Any] | None = None
) -> list[Field]:
    """The schema's properties in its order, then what else the payload has. Never raises.

    For an object inside a payload, `root` is the whole schema: references begin there.
    """
    here = schema or {}
    root = here if root is None else root
    described = here.get("properties")
    described = described if isinstance(described, dict) else {}
    required = here.get("required")
    required = required if isinstance(required, list) else []
    names = [*described, *(name for name in payload if name not in described)]
    return [_field(root, name, described.get(name), payload, name in required) for name in names]


def coerce(field_schema: dict[str, Any], text: str) -> Any:
    """What a person typed into a form → a JSON value, by a field's schema (`Field.schema`).

    One of an enum is known by its JSON, or by its text. Empty text is null where null is allowed, and false
    for a boolean. Text stays as it is; numbers are exact; a boolean is true, false, yes or no; all else,
    unions among it, is read as JSON. Bounds are `check`'s to look at. Raises Invalid; its `detail` is a
    message for the field.
    """
    options = [field_schema["const"]] if "const" in field_schema else field_schema.get("enum")
    types = _types(field_schema)
    if isinstance(options, list):
        return _option(options, text, types == {"string"})
    if not text and "null" in types:
        return None
    kinds = types - {"null"}
    if kinds == {"string"}:
        canonical.check(text, "It")
        return text
    if kinds == {"integer"}:
        return _integer(text.strip())
    if kinds in ({"number"}, {"number", "integer"}):
        return _number(text.strip())
    if kinds == {"boolean"}:
        return _boolean(text.strip().lower())
    return _json(text)


def _field(root: dict[str, Any], name: str, found: Any, payload: dict[str, Any], required: bool) -> Field:
    value = payload.get(name)
    schema = _ready(root, found if isinstance(found, dict) else {})
    if not schema.keys() & {"type", "enum", "const", "anyOf", "oneOf", "allOf", "not", "if", *REFERENCES}:
        schema = {**schema, **_inferred(value)}
    title, description = schema.get("title"), schema.get("description")
    return Field(
        name=name,
        schema=schema,
        value=value,
        present=name in payload,
        required=required,
        title=title if isinstance(title, str) else "",
        description=description if isinstance(description, str) else "",
    )


def _ready(root: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Follow the reference at the top, and join "this or null", "all of this" and constants into one."""
    schema = _followed(root, schema)
    every = schema.get("allOf")
    if isinstance(every, list) and len(every) == 1 and isinstance(every[0], dict):
        schema = {**_followed(root, every[0]), **_without(schema, "allOf")}
    for word in ("anyOf", "oneOf"):
        forms = schema.get(word)
        if not isinstance(forms, list):
            continue
        if forms and all(isinstance(form, dict) and _CONSTANT >= form.keys() >= {"const"} for form in forms):
            return {**_without(schema, word), "enum": [form["const"] for form in forms]}
        if len(forms) != 2:
            continue
        others = [form for form in forms if isinstance(form, dict) and form.get("type") != "null"]
        if len(others) != 1 or not all(isinstance(form, dict) for form in forms):
            continue
        other = _followed(root, others[0])
        kind = other.get("type")
        if isinstance(kind, str):
            joined = {**other, **_without(schema, word), "type": [kind, "null"]}
            if isinstance(other.get("enum"), list):
                joined["enum"] = [*other["enum"], None]
            if "const" in other:
                joined["enum"] = [joined.pop("const"), None]
            return joined
    return schema


def _followed(root: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return schema
    found: Any = root
    for part in reference[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        return schema
    return {**found, **_without(schema, "$ref")}


def _without(schema: dict[str, Any], word: str) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != word}


def _inferred(value: Any) -> dict[str, Any]:
    kinds = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    kind = kinds.get(type(value))
    return {"type": kind} if kind else {}


def _types(schema: dict[str, Any]) -> set[str]:
    named = schema.get("type")
    if isinstance(named, str):
        return {named}
    if isinstance(named, list):
        return {name for name in named if isinstance(name, str)}
    found: set[str] = set()
    for word in ("anyOf", "oneOf"):
        for form in schema.get(word) or ():
            found |= (_types(form) or set(TYPES)) if isinstance(form, dict) else set(TYPES)
    return found


def _option(options: list[Any], text: str, only_texts: bool) -> Any:
    try:
        written = None if only_texts else canonical.canonical(canonical.parse(text))
    except Invalid:
        written = None
    for option in options:
        if written is not None and canonical.canonical(option) == written:
            return option
    for option in options:
        if shown(option) == text:
            return option
    if not text and None in options:
        return None
    message = one_of(options)
    raise Invalid(message[0].upper() + message[1:] + ".")


def _integer(text: str) -> int:
    found = _number(text) if _NUMBER.fullmatch(text) else None
    if not isinstance(found, int):
        raise Invalid("Write a whole number, such as 120.")
    return found


def _number(text: str) -> int | float:
    if not _NUMBER.fullmatch(text):
        raise Invalid("Write a number, such as 120 or 99.5.")
    near = float(text)
    if not math.isfinite(near) or abs(near) >= canonical.LARGEST_NUMBER:
        raise Invalid("That number is too large: it has to stay below 9,007,199,254,740,992.")
    exact = Decimal(text)
    if exact == exact.to_integral_value():
        return int(exact)
    if Decimal(repr(near)) != exact:
        raise Invalid("That number has more digits than can be kept: round it.")
    return near


def _boolean(text: str) -> bool:
    if text not in _WORDS:
        raise Invalid("Write true or false.")
    return _WORDS[text]


def _json(text: str) -> Any:
    try:
        value = canonical.parse(text)
        canonical.check(value, "It")
    except Invalid as error:
        raise Invalid(f"{error.detail} Write JSON, with text in double quotes.") from None
    return value
