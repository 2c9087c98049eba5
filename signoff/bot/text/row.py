"""One value of a payload as a person reads it, and a value as one line of text; pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from signoff.bot.text.text import length

WIDTH = 100
"""Characters that count as one line of a card: about two of a phone's."""

Span = tuple[str, str]
"""Text, already visible, and its style."""

_LOOKS_LIKE_JSON = re.compile(r'["\[{]|(?:true|false|null|-?[0-9]++(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+)\Z')


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
    """True where the value is only described or summed up: it is not shown in full."""
    mark: str = ""
    """Our own words about the value, after its name."""
    at: int | None = None
    """The moment that a text names, in seconds since 1970: shown in the reader's own zone beside it."""
    table: tuple[tuple[str, ...], ...] = ()
    """Of a list of like objects: the columns' names, then its rows, all visible. `spans` say the same as text."""
    whole: Callable[[], tuple[Row, ...]] | None = None
    """Of a row that stands for more than it shows: the rows of all of it."""

    @cached_property
    def text(self) -> str:
        """The value's text, without styles."""
        return self.spans[0][0] if len(self.spans) == 1 else "".join(text for text, _ in self.spans)

    @cached_property
    def size(self) -> int:
        """Characters, as Slack may count them."""
        found = length(self.text) + (24 if self.at else 0)
        for name in (*self.path, self.mark) if self.path else ():
            found += length(name) + 3
        return found

    @cached_property
    def lines(self) -> int:
        """Lines on a card."""
        if self.form != "code":
            return max(-(-self.size // WIDTH), 1)
        own = sum(max(-(-len(text) // WIDTH), 1) for text in self.text.split("\n"))
        return own + bool(self.path)
