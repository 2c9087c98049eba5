"""What a person typed into a field of a payload, as a JSON value; pure. `reader` finds the fields."""

from __future__ import annotations

import math
import re
import unicodedata
from decimal import Decimal
from typing import Any, TypeGuard

from signoff.errors import Invalid
from signoff.payload import canonical, keyboard, whole
from signoff.payload.problems import one_of, shown
from signoff.payload.reader import types_of

_NUMBER = re.compile(r"[+-]?([0-9]{1,400}(\.[0-9]{0,400})?|\.[0-9]{1,400})([eE][+-]?[0-9]{1,3})?")
_WHOLE = re.compile(rf"[+-]?[0-9]{{1,{whole.MOST_DIGITS}}}")
_TOO_LARGE = "a number that is too large to be kept exactly: it has to stay below 9,007,199,254,740,992"
_WRITE = "Write JSON, with text in double quotes."
_WORDS = {"true": True, "yes": True, "false": False, "no": False, "": False}


def is_number(value: Any) -> TypeGuard[int | float]:
    """True for a JSON number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def coerce(field_schema: dict[str, Any], text: str) -> Any:
    """What a person typed into a form → a JSON value, by a field's schema (`Field.schema`).

    One of an enum is known by its JSON, or by its text. Empty text is null where null is allowed, and false
    for a boolean. Text stays as it is; numbers are exact; a boolean is true, false, yes or no; all else,
    unions among it, is read as JSON. What a phone's keyboard makes of numbers and of JSON is understood where
    that is certain (see `keyboard`). Bounds are `check`'s to look at. Raises Invalid; its `detail` is a
    message for the field.
    """
    options = [field_schema["const"]] if "const" in field_schema else field_schema.get("enum")
    types = types_of(field_schema)
    if isinstance(options, list):
        return _option(options, text, types == {"string"})
    if not text and "null" in types:
        return None
    kinds = types - {"null"}
    if kinds == {"string"}:
        canonical.check(text, "It")
        return text
    if kinds == {"integer", "string"} and field_schema.get("format") == whole.FORMAT:
        return _large(keyboard.number(text))
    if kinds == {"integer"}:
        return _integer(keyboard.number(text))
    if kinds in ({"number"}, {"number", "integer"}):
        return _number(keyboard.number(text))
    if kinds == {"boolean"}:
        return _boolean(unicodedata.normalize("NFKC", text).strip().lower())
    return _json(text)


def _option(options: list[Any], text: str, only_texts: bool) -> Any:
    try:
        written = None if only_texts else canonical.canonical(_read(text))
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
    readable = _NUMBER.fullmatch(text) or keyboard.is_ambiguous(text)
    found = _number(text) if readable else None
    if not isinstance(found, int):
        raise Invalid("Write a whole number, such as 120.")
    return found


def _large(text: str) -> int | str:
    """A whole number of any size: as text where JSON does not carry it."""
    if not _WHOLE.fullmatch(text):
        return _integer(text)
    found: int | str = whole.as_text(int(text))
    return found


def _number(text: str) -> int | float:
    if keyboard.is_ambiguous(text):
        raise Invalid("That can be two numbers: write it without a comma, as 1000 or 1.5.")
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
    """JSON as a person typed it; what is wrong is said to them, who neither send nor annotate anything."""
    try:
        value = _read(text)
    except Invalid as error:
        told = re.sub(r"(is not JSON|of 2\^53 or more): send it as text.*", r"\1.", error.detail)
        raise Invalid(f"{told.replace('a number of 2^53 or more', _TOO_LARGE)} {_WRITE}") from None
    try:
        canonical.check(value, "It")
    except Invalid as error:
        raise Invalid(_fault(value) or error.detail) from None
    return value


def _fault(value: Any) -> str:
    """The first thing in what was typed that no party could keep, and where; empty where there is none."""
    left: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while left:
        path, one = left.pop()
        if is_number(one) and abs(one) >= canonical.LARGEST_NUMBER:
            return f"{_place(path)}holds {_TOO_LARGE}."
        if isinstance(one, str) and (found := _unkept(one)):
            return f"{_place(path)}holds {found}: remove it."
        if isinstance(one, dict | list) and len(path) >= canonical.MAX_DEPTH:
            return f"Lists and objects stand in each other more than {canonical.MAX_DEPTH} deep."
        if isinstance(one, dict):
            if found := next(filter(None, map(_unkept, one)), ""):
                return f"{_place(path)}has a name with {found}: remove it."
            left += [((*path, name), inner) for name, inner in reversed(one.items())]
        elif isinstance(one, list):
            left += [((*path, at), inner) for at, inner in reversed([*enumerate(one, 1)])]
    return ""


def _unkept(text: str) -> str:
    """What of a text is no character that can be kept."""
    if "\0" in text:
        return "a character that is none (\\u0000)"
    return "half of a character (\\ud800 to \\udfff)" if re.search("[\ud800-\udfff]", text) else ""


def _place(path: tuple[str | int, ...]) -> str:
    """Where it is, from the outside in; places in a list are counted from 1."""
    return (
        f"{' › '.join(shown(part) if isinstance(part, str) else str(part) for part in path)} "
        if path
        else "It "
    )


def _read(text: str) -> Any:
    """JSON as it was typed; what only a phone's quotes kept from being JSON is read too."""
    try:
        return canonical.parse(text)
    except Invalid as error:
        straight = keyboard.straightened(text)
        if straight == text:
            raise
        try:
            return canonical.parse(straight)
        except Invalid:
            raise error from None
