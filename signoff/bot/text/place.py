"""A place in a payload as a person reads it: `items › 2 › name`; pure."""

from __future__ import annotations

from collections.abc import Sequence

from signoff.bot.text.quotes import isolated
from signoff.bot.text.row import name_text
from signoff.bot.text.text import cut, length

BETWEEN = " › "


def part_text(part: str | int) -> str:
    """A name, visible, or the place of an item, counted from 1; items are counted from 0 in `part`."""
    return str(part + 1) if isinstance(part, int) else name_text(part)


def place_text(path: Sequence[str | int], limit: int) -> str:
    """A place in at most `limit` of `length`: of a long one the last names, which tell it from others."""
    return joined([part_text(part) for part in path], limit)


def joined(names: Sequence[str], limit: int) -> str:
    """The same of names that are visible already."""
    shown = [isolated(name) for name in names]
    text = BETWEEN.join(shown)
    while length(text) > limit and len(shown) > 1:
        shown = shown[1:]
        text = BETWEEN.join(["…", *shown])
    return cut(text, limit)
