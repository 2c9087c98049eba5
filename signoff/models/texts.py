"""Texts of messages: what no database keeps, or no peer reads alike, is refused at every door, in one way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from signoff.payload.canonical import check

NOT_UNICODE = "it holds half a surrogate pair: it is not valid Unicode"


_PLAIN = tuple(
    (re.compile(rule, re.DOTALL), says)
    for rule, says in (
        (r"(?:Value error|Assertion failed), (.*)", r"\1"),
        (r"Field required|Missing required argument", "it is missing"),
        (
            r"(?:Extra inputs are|Unexpected keyword argument is) not permitted|Unexpected keyword argument",
            "it is not known here: leave it out",
        ),
        (r"(?:Input|Keys) should be a valid (?:tuple|list|set|iterable|array).*", "it has to be a list"),
        (
            r"(?:Input|Keys) should be (?:a valid dictionary|a valid mapping|an instance of|a valid dict|an "
            r"object).*|Object has no attribute.*",
            "it has to be an object, as {…}",
        ),
        (r"(?:Input|Keys) should be a valid string.*", "it has to be a text"),
        (r"Input should be a valid boolean.*", "it has to be true or false"),
        (r"Input should be a valid integer.*", "it has to be a whole number"),
        (r"Input should be a valid number.*", "it has to be a number"),
        (r"Input should be a valid UUID.*|UUID input should .*", "it has to be an id of 36 characters"),
        (r"Input should be a valid (?:datetime|date)\b.*", "it has to be a date, as 2026-11-28"),
        (r"Input should be None", "it has to be left out"),
        (r"Input should (?:be|have) (.*)", r"it has to be \1"),
        (
            r"(?:String|Data|Value|Bytes) should have at least 1 (?:character|item|byte)s?\b.*",
            "it may not be empty",
        ),
        (
            r"(?:\w+) should have at (most|least) (\d+) (\w+) after validation, not (\d+)",
            r"it has at \1 \2 \3, and not \4",
        ),
        (r"(?:\w+) should have at (most|least) (\d+) (\w+)", r"it has at \1 \2 \3"),
        (r"String should match pattern '(.*)'", r"it is not spelled as it has to be: \1"),
        (r"Invalid JSON: (.*)", r"it is no JSON: \1"),
    )
)
"""What pydantic says of a fault, and what people are told instead: who asks knows nothing of pydantic."""


def message_of(fault: Mapping[str, Any]) -> str:
    """What a fault of pydantic's says, in words that help; nothing of what was given is in it."""
    if fault["type"] == "string_unicode":
        return NOT_UNICODE
    for rule, says in _PLAIN:
        if found := rule.fullmatch(str(fault["msg"])):
            return found.expand(says)
    return str(fault["msg"])


def sentence(fault: Mapping[str, Any]) -> str:
    """A fault of pydantic's, with its place, in words; nothing of what was given is in it."""
    message, given = message_of(fault), fault.get("input")
    parts = [str(part) for part in fault["loc"] if "[" not in str(part)]  # which of several types it might be
    place = ".".join(parts)[:80].encode("unicode_escape").decode() or "The request"
    size = f" (it has {len(given):,})" if isinstance(given, str) and "at most" in message else ""
    return f"{place}: {message[0].lower()}{message[1:]}{size}."


def check_texts(value: Any, where: str = "") -> None:
    """Raise Invalid where a text of a message holds NUL or half a surrogate pair; `where` names the field.

    Objects that a message holds as they came (a payload, a context) are checked where they become canonical.
    """
    if isinstance(value, str):
        check(value, where)
    elif isinstance(value, BaseModel):
        for name, inner in value:
            check_texts(inner, f"{where}.{name}" if where else name)
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            check_texts(inner, f"{where}[{place}]")
