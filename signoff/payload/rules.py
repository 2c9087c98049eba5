"""The rules of JSON Schema that are plain values, each read for what it says; pure.

Each reader takes a keyword's value and the schema that it stands in. It gives the value for 2020-12,
`NOTHING` where that says nothing, or `WRONG` where it cannot be used.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from signoff.errors import Invalid
from signoff.payload import canonical
from signoff.payload.problems import TYPES

NOTHING: Final[Any] = object()
WRONG: Final[Any] = object()
VALUE_LEVELS = 16
"""Levels of a value that an option may have: the schema around it has the others."""

Schema = dict[str, Any]
Reader = Callable[[Any, Schema], Any]


def travels(value: Any, levels: int = VALUE_LEVELS) -> bool:
    """Whether `value` is canonical JSON of at most so many levels."""
    try:
        canonical.check(value, levels=levels)
    except Invalid:
        return False
    return True


def is_number(value: Any) -> bool:
    """True for what may bound a number; an infinity may."""
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def _bound(sign: int, exclusive: str = "") -> Reader:
    """A bound from above (1) or below (-1), that the keyword `exclusive` may make one of draft-04."""

    def read(value: Any, schema: Schema) -> Any:
        if not is_number(value):
            return WRONG
        if abs(value) >= canonical.LARGEST_NUMBER:  # no payload holds such a number
            return NOTHING if value * sign > 0 else WRONG
        return NOTHING if schema.get(exclusive) is True else value

    return read


def _exclusive(sign: int, bound: str) -> Reader:
    """The same without the bound itself; of draft-04 it is true or false, and `bound` stands beside it."""
    plain = _bound(sign)

    def read(value: Any, schema: Schema) -> Any:
        if not isinstance(value, bool):
            return plain(value, schema)
        beside = schema.get(bound)
        return plain(beside, schema) if value and beside is not None else NOTHING

    return read


def _length(most: bool) -> Reader:
    def read(value: Any, schema: Schema) -> Any:
        if not is_number(value) or value < 0:
            return WRONG
        if value >= canonical.LARGEST_NUMBER:
            return NOTHING if most else WRONG
        return value if value == int(value) else WRONG

    return read


def _step(value: Any, schema: Schema) -> Any:
    return value if is_number(value) and 0 < value < canonical.LARGEST_NUMBER else WRONG


def _text(value: Any, schema: Schema) -> Any:
    return value if isinstance(value, str) and travels(value) else WRONG


def _flag(value: Any, schema: Schema) -> Any:
    return value if isinstance(value, bool) else WRONG


def required(value: Any, schema: Schema) -> Any:
    """Names of fields, each once."""
    if value is False:  # of draft-03, in the field itself: it need not be there
        return NOTHING
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        return WRONG
    names = list(dict.fromkeys(value))
    return (names if len(names) < len(value) else value) if travels(names) else WRONG


def dependent(value: Any, schema: Schema) -> Any:
    """Names of fields that others ask for."""
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        return WRONG
    found = {name: required(names, {}) for name, names in value.items()}
    fits = all(isinstance(names, list | tuple) for names in found.values()) and travels(found)
    return found if fits else WRONG


def _options(value: Any, schema: Schema) -> Any:
    """Values to choose from. One that no payload can hold is left out: the rule says the same without."""
    if not isinstance(value, list | tuple):
        return WRONG
    found = [option for option in value if travels(option)]
    return (found if len(found) < len(value) else value) if found else WRONG


def _constant(value: Any, schema: Schema) -> Any:
    return value if travels(value) else WRONG


def _types(value: Any, schema: Schema) -> Any:
    named = [value] if isinstance(value, str) else value
    if not isinstance(named, list | tuple) or not named:
        return WRONG
    if not all(isinstance(name, str) and name in TYPES for name in named):
        return WRONG
    return value if isinstance(value, str) else list(dict.fromkeys(named))


RULES: dict[str, Reader] = {
    "type": _types, "enum": _options, "const": _constant, "required": required, "uniqueItems": _flag,
    "multipleOf": _step, "dependentRequired": dependent,
    "maximum": _bound(1, "exclusiveMaximum"), "minimum": _bound(-1, "exclusiveMinimum"),
    "exclusiveMaximum": _exclusive(1, "maximum"), "exclusiveMinimum": _exclusive(-1, "minimum"),
    **dict.fromkeys(("pattern", "format", "contentEncoding", "contentMediaType"), _text),
    **dict.fromkeys(("maxLength", "maxItems", "maxProperties", "maxContains"), _length(True)),
    **dict.fromkeys(("minLength", "minItems", "minProperties", "minContains"), _length(False)),
}  # fmt: skip
"""Every one, by its keyword."""
