"""Texts of messages: what no database keeps, or no peer reads alike, is refused at every door, in one way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from signoff.payload.canonical import check

NOT_UNICODE = "it holds half a surrogate pair: it is not valid Unicode"


def message_of(fault: Mapping[str, Any]) -> str:
    """What a fault of pydantic's says, in words that help where it is a text that is none."""
    return NOT_UNICODE if fault["type"] == "string_unicode" else str(fault["msg"])


def sentence(fault: Mapping[str, Any]) -> str:
    """A fault of pydantic's, with its place, in words; nothing of what was given is in it."""
    message, given = message_of(fault), fault["input"]
    place = ".".join(map(str, fault["loc"]))[:80].encode("unicode_escape").decode() or "The request"
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
