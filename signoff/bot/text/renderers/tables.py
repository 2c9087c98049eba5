"""A list of like objects as a table, and as lines of text that say the same; pure."""

from __future__ import annotations

from typing import Any

from signoff.bot.text.quotes import value_of
from signoff.bot.text.renderers import Seen, Summary
from signoff.bot.text.renderers.parts import headline
from signoff.bot.text.row import Row, is_short, name_text, scalar_text
from signoff.bot.text.words import summaries as words

COLUMNS = 20
"""Slack: of a table."""
LEAST = 2
FEW, NARROW = 6, 4
"""Objects, and fields of each, that stand one a bullet: see `payload`."""
CELL = 200
"""Characters of a value that stands in a cell; a list with a longer one is no table."""
NONE = "–"
"""In the cell of an object that lacks a field; a text of this sign stands in quotes."""


def summarise(seen: Seen) -> Summary | None:
    """A list of flat objects that share their fields; all of it stands there."""
    values = seen.value
    if not isinstance(values, list) or len(values) < LEAST or _stands_as_text(values):
        return None
    columns = _columns(values, seen)
    if not columns:
        return None
    names = [name_text(name) for name in columns]
    cells = [tuple(_cell(value, name) for name in columns) for value in values]
    lines = [
        f"{number}. " + " · ".join(
            f"{value_of(names[at])} {_told(line[at])}" for at, name in enumerate(columns) if name in value
        )
        for number, (value, line) in enumerate(zip(values, cells, strict=True), 1)
    ]  # fmt: skip
    count = headline(words.count(len(values), "row"), words.count(len(columns), "column"))
    table = Row((), (("\n".join(lines), ""),), "code", table=(tuple(names), *cells))
    return Summary((count, table), whole=True)


def _stands_as_text(values: list[Any]) -> bool:
    """Whether a few small objects stand better one a bullet."""
    return len(values) <= FEW and all(isinstance(value, dict) and len(value) <= NARROW for value in values)


def _columns(values: list[Any], seen: Seen) -> list[str]:
    """The names of all fields, in the schema's order, then as sent; none where this is no table."""
    found: dict[str, int] = {}
    for value in values:
        if not isinstance(value, dict) or not value or len(value) > COLUMNS:
            return []
        for name, item in value.items():
            if not is_short(item) or (isinstance(item, str) and len(item) > CELL):
                return []
            found[name] = found.get(name, 0) + 1
        if len(found) > COLUMNS:
            return []
    if max(map(len, found)) > 100 or not any(count == len(values) for count in found.values()):
        return []  # not alike: no field that all of them have
    items = seen.schema.get("items")
    described = items.get("properties") if isinstance(items, dict) else None
    order = list(described) if isinstance(described, dict) else []
    return [name for name in order if name in found] + [name for name in found if name not in set(order)]


def _cell(value: dict[str, Any], name: str) -> str:
    if name not in value:
        return NONE
    text = scalar_text(value[name])
    return f'"{text}"' if text == NONE else text


def _told(cell: str) -> str:
    """A value in a line with others, which it cannot imitate."""
    return value_of(cell)
