"""Which request it is, in a line or a few: its first values, each in quotes that it cannot close; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from signoff.bot.text.quotes import quoted, value_of
from signoff.bot.text.row import name_text
from signoff.bot.text.text import cut, length, visible
from signoff.bot.text.words import which as which_words
from signoff.payload import glimpse
from signoff.payload.glimpse import Leaf

LINE = 120
"""Characters of the values in a line: a phone shows about 60 of a notification, and two or three lines."""
VALUE = 40
"""Characters of one value where not all of them fit."""
SHORTEST = 16
"""Characters of the first value, where even it does not fit."""


def value_line(leaf: Leaf, most: int = glimpse.VALUE) -> str:
    """`amount “120”`: a field with its value; what goes on is marked outside the quotes."""
    name = " › ".join(str(name) if isinstance(name, int) else value_of(name_text(name)) for name in leaf.path)
    shown = [cut(visible(value), most, "") for value in leaf.values]
    goes_on = leaf.cut or leaf.long or any(map(_differs, shown, leaf.values))
    values = ", ".join(map(quoted, shown)) + (" …" if goes_on else "")
    return which_words.and_more_entries(f"{name} {values}", leaf.more)


def _differs(shown: str, value: str) -> bool:
    return shown != visible(value)


def value_lines(schema: dict[str, Any] | None, payload: dict[str, Any], room: int) -> str:
    """A payload's fields one a line, in the schema's order, within `room` characters as Slack counts them.

    Where not all fit, sums and recipients are kept before others, and the last line counts what is left out.
    """
    found = glimpse.leaves(schema, payload)
    count = glimpse.count(payload)
    for most in (glimpse.VALUE, VALUE):
        lines = [value_line(leaf, most) for leaf in found]
        if count == len(found) and length("\n".join(lines)) <= room:
            return "\n".join(lines)
    room -= length(which_words.and_more_fields(count)) + 1
    kept: set[int] = set()
    for at in sorted(range(len(lines)), key=lambda at: glimpse.rank(found[at])):
        takes = length(lines[at]) + 1
        if takes <= room:
            kept.add(at)
            room -= takes
    shown = [lines[at] for at in sorted(kept)]
    return "\n".join([*shown, which_words.and_more_fields(count - len(shown))])


def values(leaves: Sequence[Leaf], room: int = LINE, more: int = 0) -> str:
    """The first fields in one line: `amount “120”, customer “cus_42”`, and … where there are `more`."""
    shown: list[str] = []
    for leaf in leaves:
        text = value_line(leaf, VALUE)
        takes = length(text) + 2
        if takes > room and shown:
            break
        shown.append(text if takes <= room else value_line(leaf, SHORTEST))
        room -= takes
    goes_on = more or len(shown) < len(leaves)
    return ", ".join(shown) + (", …" if goes_on and shown else "")
