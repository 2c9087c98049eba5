"""A field of one payload among others as it is read: on one line, in a cell, or in rows of its own; pure.

What stands here can be read back: a text is one plain word that could be nothing else, or it stands in quotes
that it cannot close; all else is JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from signoff.bot.text.common import Path
from signoff.bot.text.meaning import meaning
from signoff.bot.text.moments import seconds
from signoff.bot.text.octet_rows import octet_rows
from signoff.bot.text.octets import blob
from signoff.bot.text.payload import NAME, code_format
from signoff.bot.text.place import BETWEEN
from signoff.bot.text.quotes import quoted, value_of
from signoff.bot.text.row import Row, Span, is_short, json_text, name_text, scalar_text
from signoff.bot.text.text import length, visible
from signoff.bot.text.words import card as card_words
from signoff.payload.canonical import canonical
from signoff.payload.reader import Field

SHORT = 200
"""Characters of a value that stands on one line with others."""
_WORD = re.compile(r"[A-Za-z_.@+:/#-][A-Za-z0-9_.@+:/#-]*", re.ASCII)
_RESERVED = frozenset({"true", "false", "null"})


def told(value: Any) -> str | None:
    """A value on one line, visible; None for one that needs more."""
    if isinstance(value, str):
        if "\n" in value or length(value) > SHORT:
            return None
        plain = _WORD.fullmatch(value) and value not in _RESERVED and not value.startswith(("-", "+", "."))
        text = value if plain else quoted(visible(value))
    elif isinstance(value, list):
        if not value:
            return "[]"
        if len(value) > SHORT or not all(map(is_short, value)):
            return None
        items = [told(item) for item in value]
        text = f"[{', '.join(item for item in items if item is not None)}]"
        if None in items:
            return None
    elif isinstance(value, dict):
        return None if value else "{}"
    else:
        text = canonical(value)
    return text if length(text) <= SHORT else None


def claim(field: Field) -> str:
    """The unit that a field's schema claims for its number; visible, empty where there is none."""
    return meaning(field.schema, field.name, field.value, {}).claim


def cell(field: Field) -> str | None:
    """A value for a table; None where it does not fit one."""
    if _is_octets(field) or (isinstance(field.value, str) and code_format(field.schema)):
        return None
    return told(field.value)


def path_text(path: Path) -> str:
    """`customer › id`, visible."""
    return BETWEEN.join(map(name_text, path))


def common_rows(fields: Mapping[Path, Field], whole: bool) -> list[tuple[Row, ...]]:
    """The rows of each field on lines of their own, the short ones first. `whole` gives bytes in full."""
    found = [_rows(tuple(map(name_text, path)), field, whole) for path, field in fields.items()]
    return [*filter(_is_line, found), *(rows for rows in found if not _is_line(rows))]


def item_rows(number: str, fields: Mapping[Path, Field], first: Sequence[Span], whole: bool) -> list[Row]:
    """One of several: its number, `first`, its short fields on one line, and then what is long."""
    spans, long = list(first), list[Row]()
    for path, field in fields.items():
        text = cell(field)
        if text is None or any(len(name) > NAME for name in path):
            long += _rows((number, *map(name_text, path)), field, whole)
            continue
        spans += [(" · ", "")] if spans else []
        spans += [(BETWEEN.join(value_of(name_text(name)) for name in path), "bold"), (f" {text}", "")]
        spans += [(f" ({claim(field)})", "italic")] if claim(field) else []
    return [Row((number,), tuple(spans) or (("", ""),)), *long]


def _is_line(rows: tuple[Row, ...]) -> bool:
    return len(rows) == 1 and rows[0].form == "line"


def _is_octets(field: Field) -> bool:
    return isinstance(field.value, str) and blob(field.value, field.schema) is not None


def _rows(names: tuple[str, ...], field: Field, whole: bool) -> tuple[Row, ...]:
    value = field.value
    if len(field.name) > NAME:
        return (Row(names[:-1], ((json_text({field.name: value}), ""),), "code"),)
    if isinstance(value, str):
        if (found := blob(value, field.schema)) is not None:
            return octet_rows(names, value, found, {}, whole)
        form = code_format(field.schema) if value else ""
        if form or "\n" in value:
            mark = card_words.code_mark(form) if form else ""
            return (Row(names, ((visible(value, keep="\n\t"), ""),), "code", mark=mark),)
        return (Row(names, ((scalar_text(value), ""),), at=seconds(value)),)
    if isinstance(value, list | dict):
        short = told(value)
        return (Row(names, ((short, ""),)),) if short else (Row(names, ((json_text(value), ""),), "code"),)
    spans: list[Span] = [(scalar_text(value), "")]
    spans += [(f"  ({claim(field)})", "italic")] if claim(field) else []
    return (Row(names, tuple(spans)),)
