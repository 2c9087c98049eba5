"""What is wrong with a payload, in words that a reviewer can act on; pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import jsonschema_rs

MAX_PROBLEMS = 20
MAX_MESSAGE = 160
"""Characters. What a message quotes comes from the agent's schema."""

_Kind = jsonschema_rs.ValidationErrorKind
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One fault: where in the payload, and a message that reads after the field's name."""

    path: Path
    message: str

    def __str__(self) -> str:
        place = ""
        for part in self.path:
            place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else str(part)
        return f"{_cut(place) or 'the payload'} {self.message}"


TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
FORMATS = {
    "date": "a date such as 2026-11-21",
    "time": "a time such as 14:02:00Z",
    "date-time": "a date and time such as 2026-11-21T14:02:00Z",
    "duration": "a duration such as P1DT2H",
    "email": "an e-mail address",
    "uri": "a full URL such as https://example.com/",
    "uuid": "a UUID",
}
_MESSAGES: dict[str, Callable[[Any], str]] = {
    "type": lambda kind: f"must be {_either(TYPES.get(name, name) for name in kind.types)}",
    "minimum": lambda kind: f"must be at least {shown(kind.limit)}",
    "maximum": lambda kind: f"must be at most {shown(kind.limit)}",
    "exclusiveMinimum": lambda kind: f"must be more than {shown(kind.limit)}",
    "exclusiveMaximum": lambda kind: f"must be less than {shown(kind.limit)}",
    "multipleOf": lambda kind: f"must be a multiple of {shown(kind.multiple_of)}",
    "minLength": lambda kind: (
        "must not be empty" if kind.limit == 1 else f"must have at least {kind.limit} characters"
    ),
    "maxLength": lambda kind: f"must have at most {_count(kind.limit, 'character')}",
    "minItems": lambda kind: f"must have at least {_count(kind.limit, 'entry')}",
    "maxItems": lambda kind: f"must have at most {_count(kind.limit, 'entry')}",
    "minProperties": lambda kind: f"must have at least {_count(kind.limit, 'field')}",
    "maxProperties": lambda kind: f"must have at most {_count(kind.limit, 'field')}",
    "uniqueItems": lambda _: "must not hold the same entry twice",
    "contains": lambda _: "lacks an entry that it needs",
    "enum": lambda kind: one_of(kind.options),
    "const": lambda kind: f"must be {shown(kind.expected_value)}",
    "pattern": lambda kind: f"must match the pattern {kind.pattern}",
    "format": lambda kind: f"must be {FORMATS.get(kind.format, f'a valid {kind.format}')}",
    "not": lambda _: "is not allowed",
    "falseSchema": lambda _: "is not allowed",
    "propertyNames": lambda _: "has a field whose name is not allowed",
    "additionalItems": lambda _: "has too many entries",
    "unevaluatedItems": lambda _: "has too many entries",
}


def problems_of(errors: Iterable[jsonschema_rs.ValidationError]) -> list[Problem]:
    """The library's errors → problems, each once, at most 20."""
    found = dict.fromkeys(problem for error in islice(errors, MAX_PROBLEMS) for problem in _translate(error))
    return list(found)[:MAX_PROBLEMS]


def one_of(options: Iterable[Any]) -> str:
    """The message for a value that is none of `options`."""
    first = list(islice(options, 11))
    names = [shown(option) for option in first[:10]]
    return _cut(f"must be one of {', '.join(names)}{', …' if len(first) > 10 else ''}")


def shown(value: Any) -> str:
    """A value as a person reads it: text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _translate(error: jsonschema_rs.ValidationError) -> Iterator[Problem]:
    path, kind = tuple(error.instance_path), error.kind
    if isinstance(kind, _Kind.Required):
        yield Problem((*path, kind.property), "is required")
    elif isinstance(kind, _Kind.AdditionalProperties | _Kind.UnevaluatedProperties):
        for unexpected in kind.unexpected[:MAX_PROBLEMS]:
            yield Problem((*path, unexpected), "is not a known field")
    elif isinstance(kind, _Kind.OneOfMultipleValid):
        yield Problem(path, "fits more than one of the allowed forms")
    elif isinstance(kind, _Kind.AnyOf | _Kind.OneOfNotValid):
        yield from _closest(path, kind.context)
    else:
        words = _MESSAGES.get(kind.name)
        yield Problem(path, _cut(words(kind)) if words else "is not valid")


def _closest(path: Path, forms: list[list[jsonschema_rs.ValidationError]]) -> Iterator[Problem]:
    """What to say when no alternative fits: that of the only one whose type does, or all their types."""
    types: list[str] = []
    close = []
    for errors in forms:
        if len(errors) == 1 and errors[0].kind.name == "type" and tuple(errors[0].instance_path) == path:
            types += errors[0].kind.types  # type: ignore[attr-defined]
        else:
            close.append(errors)
    if len(close) == 1 and close[0]:
        for error in close[0][:MAX_PROBLEMS]:
            yield from _translate(error)
    elif not close and types:
        yield Problem(path, f"must be {_either(TYPES.get(name, name) for name in dict.fromkeys(types))}")
    else:
        yield Problem(path, "fits none of the allowed forms")


def _either(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _count(number: int, noun: str) -> str:
    plural = "entries" if noun == "entry" else noun + "s"
    return f"{number} {noun if number == 1 else plural}"


def _cut(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"
