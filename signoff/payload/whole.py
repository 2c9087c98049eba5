"""Whole numbers of 2^53 and more: JSON's readers lose their digits, so they travel as text; pure.

Ids of Discord, of X and of databases are such numbers. A schema says `"format": "bigint"` where a field may
be such a text: a form edits it as a number then.
"""

from __future__ import annotations

import re
from typing import Any

from signoff.payload.canonical import LARGEST_NUMBER

FORMAT = "bigint"
PATTERN = "^-?[1-9][0-9]{15,}$"
"""What such a text looks like, for who checks a payload by its schema."""
MOST_DIGITS = 1000
_TEXT = re.compile(rf"-?[1-9][0-9]{{15,{MOST_DIGITS - 1}}}")
_UPPER = ("maximum", "exclusiveMaximum")
_LOWER = ("minimum", "exclusiveMinimum")
_VALUES = ("const", "enum", "default", "examples")
Schema = dict[str, Any]


def is_large(value: Any) -> bool:
    """True for a whole number that JSON does not carry."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) >= LARGEST_NUMBER


def is_text(value: Any) -> bool:
    """True for the text of one: no more zeros than it needs, and no sign but a minus."""
    return isinstance(value, str) and _TEXT.fullmatch(value) is not None and is_large(int(value))


def as_text(value: Any) -> Any:
    """JSON values with every such number in them as text."""
    if isinstance(value, dict):
        return {name: as_text(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_text(item) for item in value]
    if is_large(value):
        if len(str(abs(value))) > MOST_DIGITS:
            raise ValueError(f"a number of more than {MOST_DIGITS:,} digits")
        return str(int(value))
    return value


def as_number(value: Any) -> Any:
    """JSON values with every such text in them as a number."""
    if isinstance(value, dict):
        return {name: as_number(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_number(item) for item in value]
    return int(value) if is_text(value) else value


def holds_text(value: Any) -> bool:
    """Whether such a text stands anywhere in a JSON value."""
    if isinstance(value, dict):
        return any(map(holds_text, value.values()))
    if isinstance(value, list):
        return any(map(holds_text, value))
    return is_text(value)


def described(schema: Any) -> Any:
    """A schema without numbers that JSON does not carry: constants are text, and bounds that far are none."""
    if isinstance(schema, list):
        return [described(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found: Schema = {}
    for word, value in schema.items():
        if word in _VALUES and not (isinstance(value, dict) and word != "default"):
            found[word] = as_text(value)
        elif not (is_large(value) and (value > 0) == (word in _UPPER) and word in (*_UPPER, *_LOWER)):
            found[word] = described(value)
    options = [found["const"]] if "const" in found else found.get("enum", [])
    if found.get("type") == "integer" and isinstance(options, list) and any(map(is_text, options)):
        found["type"] = ["integer", "string"]
    return found


def widened(schema: Any) -> Any:
    """A schema that takes such a text wherever it takes a whole number."""
    if isinstance(schema, list):
        return [widened(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {word: value if word in _VALUES else widened(value) for word, value in schema.items()}
    kinds: Any = found.get("type")
    named = kinds if isinstance(kinds, list) else [kinds]
    if "integer" in named and "string" not in named and not found.keys() & {"const", "enum", "pattern"}:
        found |= {"type": [*named, "string"], "pattern": PATTERN, "format": FORMAT}
    return found
