"""A payload → rows that a person reads, and rows → rich text; pure.

Every leaf is a row: its name in bold, then its value. What could be read as something else is told apart: a
text that looks like a number, a list or a quoted text stands in quotes; the `›` between names is not bold
and cannot come from a name; our own words are in italics.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from signoff.bot import words
from signoff.bot.text import Block, length, line, literal, pieces, visible
from signoff.canonical import canonical
from signoff.schema import fields

LEVELS = 2
"""Nested objects are shown as `a › b` down so many levels, then as JSON."""
NAME = 100
"""Characters of a name that can head a row; one that is longer is shown as JSON with its value."""
WIDTH = 100
"""Characters that count as one line of a card: about two of a phone's."""
PIECE_LINES = 50
"""Lines of one piece of a long value, so that pages can be cut between them."""
SHORT_BYTES = 200
"""Base64 of at most so many characters is shown as text too: the schema that calls it bytes is a claim."""

Span = tuple[str, str]
"""Text, already visible, and its style."""

_LOOKS_LIKE_JSON = re.compile(r'["\[{]|(?:true|false|null|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)\Z')


@dataclass(frozen=True)
class Row:
    """One value as it is shown; names and texts are visible already.

    `partial` marks a value that is only described: bytes too long to be shown as text.
    """

    path: tuple[str, ...]
    spans: tuple[Span, ...]
    form: Literal["line", "bullet", "code"] = "line"
    partial: bool = False

    @property
    def text(self) -> str:
        """The value's text, without styles."""
        return "".join(text for text, _ in self.spans)

    @property
    def size(self) -> int:
        """Characters, as Slack may count them."""
        return length(self.text) + sum(length(name) + 3 for name in self.path)

    @property
    def lines(self) -> int:
        """Lines on a card."""
        if self.form != "code":
            return max(-(-self.size // WIDTH), 1)
        own = sum(max(-(-len(text) // WIDTH), 1) for text in self.text.split("\n"))
        return own + bool(self.path)


@dataclass(frozen=True)
class Folded:
    """The first rows of a payload; `lines` and `size` (bytes) are what is left out."""

    rows: tuple[Row, ...]
    lines: int = 0
    size: int = 0

    @property
    def whole(self) -> bool:
        """True where the payload stands there in full."""
        return not self.lines and not any(row.partial for row in self.rows)


def rows(schema: dict[str, Any] | None, payload: dict[str, Any], whole: bool = False) -> Iterator[Row]:
    """A payload's values in the schema's order; `whole` gives long bytes as text as well."""
    for field in fields(schema, payload):
        if field.present and field.schema.get("contentEncoding") == "base64":
            yield from _bytes_rows(field.name, field.value, whole)
        elif field.present:
            yield from _rows((field.name,), field.value, 0)


def _rows(path: tuple[str, ...], value: Any, level: int) -> Iterator[Row]:
    names = tuple(name_text(name) for name in path)
    if len(names[-1]) > NAME:
        yield Row(names[:-1], ((json_text({path[-1]: value}), ""),), "code")
    elif isinstance(value, dict) and value and level < LEVELS:
        for name, item in value.items():
            yield from _rows((*path, name), item, level + 1)
    elif isinstance(value, list) and value and (bullets := _bullets(value)):
        for index, spans in enumerate(bullets):
            yield Row(names if index == 0 else (), spans, "bullet")
    elif isinstance(value, list | dict) and value:
        yield Row(names, ((json_text(value), ""),), "code")
    elif isinstance(value, str) and "\n" in value:
        yield Row(names, ((visible(value, keep="\n\t"), ""),), "code")
    else:
        yield Row(names, ((scalar_text(value), ""),))


def _bullets(values: list[Any]) -> list[tuple[Span, ...]]:
    """One bullet an item, where each is a scalar on one line or a flat object of a few; else none."""
    found: list[tuple[Span, ...]] = []
    for value in values:
        if _is_short(value):
            found.append(((scalar_text(value), ""),))
        elif isinstance(value, dict) and 0 < len(value) <= 4 and all(map(_is_short, value.values())):
            spans: list[Span] = []
            for name, item in value.items():
                spans += [(" · ", "")] if spans else []
                spans += [(name_text(name), "bold"), (" " + scalar_text(item), "")]
            found.append(tuple(spans))
        else:
            return []
    return found if all(sum(length(text) for text, _ in spans) <= 500 for spans in found) else []


def _is_short(value: Any) -> bool:
    return not isinstance(value, list | dict) and not (isinstance(value, str) and "\n" in value)


def _bytes_rows(name: str, value: Any, whole: bool) -> Iterator[Row]:
    content = octets(value)
    if content is None or len(name_text(name)) > NAME:
        yield from _rows((name,), value, 0)
        return
    described = describe(content)
    short = len(value) <= SHORT_BYTES
    names = (name_text(name),)
    if short:
        yield Row(names, ((scalar_text(value) + "  ", ""), (described, "italic")))
    elif whole:
        yield Row(names, ((described, "italic"),))
        yield Row((), ((visible(value), ""),), "code")
    else:
        yield Row(names, ((described, "italic"),), partial=True)


def texts(value: Any) -> Iterator[str]:
    """Every name and every text in a value, as it came."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def octets(value: Any) -> bytes | None:
    """The bytes that a base64 text stands for; None where it is no base64."""
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) and value else None
    except (binascii.Error, ValueError):
        return None


def describe(content: bytes) -> str:
    """Type, size and digest of bytes."""
    known = (kind for magic, kind in words.FILE_KINDS.items() if content.startswith(magic))
    kind = next(known, words.TEXT_FILE if _is_text(content) else words.BYTES)
    return words.octets(kind, len(content), hashlib.sha256(content).hexdigest())


def _is_text(content: bytes) -> bool:
    try:
        return all(char.isprintable() or char in "\r\n\t" for char in content.decode())
    except UnicodeDecodeError:
        return False


def name_text(name: str) -> str:
    """A name from the payload, visible; it cannot hold the `›` that stands between names."""
    shown = json.dumps(name, ensure_ascii=False) if not name or name[0] == '"' else name
    return visible(shown).replace("›", "\\u{203a}")


def scalar_text(value: Any) -> str:
    """A value on one line, visible; a text that could be read as another type stands in quotes."""
    if not isinstance(value, str):
        return canonical(value)
    quoted = not value or _LOOKS_LIKE_JSON.match(value)
    return visible(json.dumps(value, ensure_ascii=False) if quoted else value)


def json_text(value: Any) -> str:
    """A value as indented JSON, visible."""
    return visible(json.dumps(value, ensure_ascii=False, indent=2), keep="\n")


def fold(all_rows: Iterable[Row], characters: int, lines: int) -> Folded:
    """All rows where they fit, give or take a fifth; else the first within so many characters and lines.

    The row that passes the limit is cut short.
    """
    kept: list[Row] = []
    left_out = list(all_rows)
    total = sum(row.size for row in left_out), sum(row.lines for row in left_out)
    if total[0] <= characters * 6 // 5 and total[1] <= lines * 6 // 5:
        return Folded(tuple(left_out))
    while left_out and left_out[0].size <= characters and left_out[0].lines <= lines:
        row = left_out.pop(0)
        kept.append(row)
        characters, lines = characters - row.size, lines - row.lines
    if left_out:
        head, left_out[0] = _cut_row(left_out[0], characters, lines)
        kept += [head] if head else []
    size = sum(len(row.text.encode()) for row in left_out)
    return Folded(tuple(kept), sum(row.lines for row in left_out), size)


def _cut_row(row: Row, characters: int, lines: int) -> tuple[Row | None, Row]:
    room = characters - (row.size - length(row.text))
    if row.form == "bullet" or len(row.spans) > 1 or room < WIDTH or lines < 3:
        return None, row
    text = row.text
    first = "\n".join(text.split("\n", lines - 1)[: lines - 1])
    head = next(pieces(first, min(room, (lines - 1) * WIDTH)), "")
    if not head.strip() or head == text:
        return None, row
    shown = replace(row, spans=((head.rstrip("\n"), row.spans[0][1]),))
    return shown, replace(row, path=(), spans=((text[len(head) :], ""),))


def split(all_rows: Iterable[Row], limit: int) -> Iterator[Row]:
    """The same rows, none longer than `limit` characters: a long value goes on in rows without a name."""
    for row in all_rows:
        if (row.size <= limit and row.lines <= PIECE_LINES) or len(row.spans) > 1:
            yield row
            continue
        room = limit - (row.size - length(row.text))
        parts = [piece for lines in _by_lines(row.text) for piece in pieces(lines, room)]
        for index, part in enumerate(parts):
            yield replace(row, path=row.path if index == 0 else (), spans=((part, ""),), form="code")


def _by_lines(text: str) -> Iterator[str]:
    lines = text.splitlines(keepends=True) if "\n" in text else [text]
    for at in range(0, len(lines), PIECE_LINES):
        yield "".join(lines[at : at + PIECE_LINES])


def elements(shown: Iterable[Row]) -> list[Block]:
    """Rows → the elements of a rich_text block."""
    found: list[Block] = []
    spans: list[Block] = []

    def flush() -> None:
        if spans and spans[-1] == literal("\n"):
            spans.pop()
        if spans:
            found.append(line(*spans))
            spans.clear()

    for row in shown:
        spans.extend(_name_spans(row.path))
        value = [literal(text, style) for text, style in row.spans if text]
        if row.form == "line":
            spans.extend([*([literal("  ")] if row.path else []), *value, literal("\n")])
            continue
        spans.extend([literal("\n")] if row.path else [])
        flush()
        if row.form == "code":
            found.append({"type": "rich_text_preformatted", "elements": value})
        elif not row.path and found and found[-1]["type"] == "rich_text_list":
            found[-1]["elements"].append(line(*value))
        else:
            found.append({"type": "rich_text_list", "style": "bullet", "elements": [line(*value)]})
    flush()
    return found


def _name_spans(path: tuple[str, ...]) -> Iterator[Block]:
    for index, name in enumerate(path):
        if index:
            yield literal(" › ")
        yield literal(name, "bold")
