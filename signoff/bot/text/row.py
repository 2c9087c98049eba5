"""One value of a payload as a person reads it, and names and values as one line of text; pure.

What could be read as something else is told apart: a text that looks like a number, a list or a quoted text
stands in quotes; the `›` between names cannot come from a name.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from signoff.bot.text.quotes import isolated_strings, value_of
from signoff.bot.text.text import length, visible
from signoff.payload import whole
from signoff.payload.canonical import canonical

WIDTH = 100
"""Characters that count as one line of a card: about two of a phone's."""
ONE_LINE = 300
"""Characters of a value that counts as a one-line field: those stand first, and are never cut short."""

Span = tuple[str, str]
"""Text, already visible, and its style."""

_BULLET = "•"
_LOOKS_LIKE_JSON = re.compile(
    rf'["\[{{{_BULLET}]|(?:true|false|null|-?[0-9]++(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+)\Z'
)


@dataclass(frozen=True)
class Row:
    """One value as it is shown; names and texts are visible already.

    `form`: `line` stands beside its name; `bullet` under it, several of one value going on in rows without a
    name; `code` in a box of its own.
    """

    path: tuple[str, ...]
    spans: tuple[Span, ...]
    form: Literal["line", "bullet", "code"] = "line"
    partial: bool = False
    """True where the value is only described: it is not shown in full."""
    mark: str = ""
    """Our own words about the value, after its name."""
    at: int | None = None
    """The moment that a text names, in seconds since 1970: shown in the reader's own zone beside it."""
    table: tuple[tuple[str, ...], ...] = ()
    """Of a list of like objects: its columns' names, then its rows, all visible. `spans` say it as text."""

    @property
    def text(self) -> str:
        """The value's text, without styles."""
        return self.spans[0][0] if len(self.spans) == 1 else "".join(text for text, _ in self.spans)

    @cached_property
    def size(self) -> int:
        """Characters, as Slack may count them."""
        found = length(self.text) + (24 if self.at else 0)
        names = (*self.path, self.mark) if self.path else ()
        return found + length("".join(names)) + 3 * len(names)

    @cached_property
    def lines(self) -> int:
        """Lines on a card."""
        if self.form != "code":
            return max(-(-self.size // WIDTH), 1)
        own = sum(max(-(-len(text) // WIDTH), 1) for text in self.text.split("\n"))
        return own + bool(self.path)


def name_text(name: str) -> str:
    """A name from the payload, visible; it cannot hold the `›` that stands between names.

    One of digits alone stands in quotes: without, it is the place of an item in a list.
    """
    quoted = not name or name[0] == '"' or (name.isascii() and name.isdigit())
    shown = json.dumps(name, ensure_ascii=False) if quoted else name
    return visible(shown).replace("›", "\\u{203a}")


def scalar_text(value: Any) -> str:
    """A value on one line, visible; a text that could be read as another type stands in quotes."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is None or value is True or value is False:
        return "null" if value is None else "true" if value else "false"
    if not isinstance(value, str):
        return canonical(value) if value or isinstance(value, float) else "{}" if value == {} else "[]"
    quoted = not value or (_LOOKS_LIKE_JSON.match(value) and not whole.is_text(value))
    return visible(json.dumps(value, ensure_ascii=False) if quoted else value)


def list_text(values: list[Any]) -> str:
    """A list of scalars on one line, visible: each after a bullet, in quotes where it is not one word."""
    return " ".join(f"{_BULLET}\u00a0{value_of(scalar_text(value))}" for value in values)


def json_text(value: Any) -> str:
    """A value as indented JSON, visible."""
    return isolated_strings(visible(json.dumps(value, ensure_ascii=False, indent=2), keep="\n"))


def is_short(value: Any) -> bool:
    """True for a scalar on one line."""
    return not isinstance(value, list | dict) and not (isinstance(value, str) and "\n" in value)
