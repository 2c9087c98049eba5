"""What describes an object of several forms: all that `allOf` says, and the alternative that it is; pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

Schema = dict[str, Any]
MOST = 32
"""Alternatives that are looked at."""
WORDS = ("allOf", "anyOf", "oneOf")


@dataclass(frozen=True)
class Form:
    """One alternative, joined with what stands beside it; `marks` are fields that have one value in it."""

    schema: Schema
    marks: dict[str, Any]
    required: frozenset[str]

    def fits(self, value: dict[str, Any]) -> bool:
        """Whether an object has what this form asks for. What its values are is the validator's to check."""
        return self.required <= value.keys() and all(
            name in value and type(value[name]) is type(mark) and value[name] == mark
            for name, mark in self.marks.items()
        )


@dataclass(frozen=True)
class Forms:
    """All forms of an object; `always` is what holds in each of them."""

    always: Schema
    forms: tuple[Form, ...]

    def of(self, value: dict[str, Any]) -> Schema:
        """What describes this object: the one form that it has, else what always holds."""
        found = [form for form in self.forms if form.fits(value)]
        marked = [form for form in found if form.marks]
        one = marked if len(marked) == 1 else found
        return one[0].schema if len(one) == 1 else self.always


def forms_of(schema: Schema, followed: Callable[[Schema], Schema]) -> Forms:
    """The forms that a schema gives an object; `followed` follows a reference at the top of one."""
    always = {word: value for word, value in schema.items() if word not in WORDS}
    for part in _parts(schema, "allOf", followed):
        always = _joined(always, part)
    parts = [*_parts(schema, "anyOf", followed), *_parts(schema, "oneOf", followed)]
    forms = (_form(always, part) for part in parts if part.get("type", "object") == "object")
    return Forms(always, tuple(forms))


def _parts(schema: Schema, word: str, followed: Callable[[Schema], Schema]) -> list[Schema]:
    named = schema.get(word)
    found = islice(named, MOST) if isinstance(named, list) else ()
    return [followed(part) for part in found if isinstance(part, dict)]


def _form(always: Schema, part: Schema) -> Form:
    schema = _joined(always, part)
    marks = {}
    for name, described in schema["properties"].items():
        if not isinstance(described, dict):
            continue
        options = described.get("enum")
        if "const" in described:
            marks[name] = described["const"]
        elif isinstance(options, list) and len(options) == 1:
            marks[name] = options[0]
    return Form(schema, marks, frozenset(name for name in schema["required"] if isinstance(name, str)))


def _joined(one: Schema, other: Schema) -> Schema:
    """Two schemas of one object as one, as far as its fields go."""
    described = {**_object(one.get("properties")), **_object(other.get("properties"))}
    required = [*_list(one.get("required")), *_list(other.get("required"))]
    return {**one, "type": "object", "properties": described, "required": required}


def _object(value: Any) -> Schema:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
