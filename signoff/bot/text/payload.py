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
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from signoff.bot.text.moments import date_span, seconds
from signoff.bot.text.quotes import isolated, isolated_strings
from signoff.bot.text.text import Block, length, line, literal, visible
from signoff.bot.text.words import card as card_words
from signoff.payload.canonical import canonical
from signoff.payload.reader import Field, Reader

LEVELS = 2
"""Nested objects are shown as `a › b` down so many levels, then as JSON."""
NAME = 100
"""Characters of a name that can head a row; one that is longer is shown as JSON with its value."""
WIDTH = 100
"""Characters that count as one line of a card: about two of a phone's."""
SHORT_BYTES = 200
"""Base64 of at most so many characters is shown as text too: the schema that calls it bytes is a claim."""

Span = tuple[str, str]
"""Text, already visible, and its style."""

_LOOKS_LIKE_JSON = re.compile(r'["\[{]|(?:true|false|null|-?[0-9]++(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+)\Z')


@dataclass(frozen=True)
class Row:
    """One value as it is shown; names and texts are visible already.

    `partial` marks a value that is only described: bytes too long to be shown as text.
    """

    path: tuple[str, ...]
    spans: tuple[Span, ...]
    form: Literal["line", "bullet", "code"] = "line"
    partial: bool = False
    mark: str = ""
    """Our own words about the value, after its name."""
    at: int | None = None
    """The moment that a text names, in seconds since 1970: shown in the reader's own zone beside it."""

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


def rows(schema: dict[str, Any] | None, payload: dict[str, Any], whole: bool = False) -> Iterator[Row]:
    """A payload's values in the schema's order; `whole` gives long bytes as text as well."""
    yield from _object_rows(Reader(schema), schema, payload, (), whole)


def _object_rows(
    reader: Reader, schema: dict[str, Any] | None, value: dict[str, Any], names: tuple[str, ...], whole: bool
) -> Iterator[Row]:
    for field in reader.present(schema, value):
        yield from _rows(reader, (*names, name_text(field.name)), field, whole)


def code_format(schema: dict[str, Any]) -> str:
    """`diff`, `sql`, `markdown` or `code` where a schema says that a text is so; else empty."""
    named = schema.get("format")
    return named if isinstance(named, str) and named in card_words.CODE_FORMATS else ""


def _rows(reader: Reader, names: tuple[str, ...], field: Field, whole: bool) -> Iterator[Row]:
    value = field.value
    if len(names[-1]) > NAME:
        yield Row(names[:-1], ((json_text({field.name: value}), ""),), "code")
    elif field.schema.get("contentEncoding") == "base64" and (content := octets(value)) is not None:
        yield from _bytes_rows(names, value, content, whole)
    elif isinstance(value, dict) and value and len(names) <= LEVELS:
        yield from _object_rows(reader, field.schema, value, names, whole)
    elif isinstance(value, str) and value and (form := code_format(field.schema)):
        yield Row(names, ((visible(value, keep="\n\t"), ""),), "code", mark=card_words.code_mark(form))
    elif isinstance(value, list) and value and (bullets := _bullets(value)):
        for index, spans in enumerate(bullets):
            yield Row(names if index == 0 else (), spans, "bullet")
    elif isinstance(value, list | dict) and value:
        yield Row(names, ((json_text(value), ""),), "code")
    elif isinstance(value, str) and "\n" in value:
        yield Row(names, ((visible(value, keep="\n\t"), ""),), "code")
    else:
        yield Row(names, ((scalar_text(value), ""),), at=seconds(value))


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


def _bytes_rows(names: tuple[str, ...], value: str, content: bytes, whole: bool) -> Iterator[Row]:
    described = describe(content)
    if len(value) <= SHORT_BYTES:
        yield Row(names, ((scalar_text(value) + "  ", ""), (described, "italic")))
    elif whole:
        yield Row(names, ((described, "italic"),))
        yield Row((), ((visible(value), ""),), "code")
    else:
        yield Row(names, ((described, "italic"),), partial=True)


def octets(value: Any) -> bytes | None:
    """The bytes that a base64 text stands for; None where it is no base64."""
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) and value else None
    except (binascii.Error, ValueError):
        return None


def describe(content: bytes) -> str:
    """Type, size and digest of bytes."""
    known = (kind for magic, kind in card_words.FILE_KINDS.items() if content.startswith(magic))
    kind = next(known, card_words.TEXT_FILE if _is_text(content) else card_words.BYTES)
    return card_words.octets(kind, len(content), hashlib.sha256(content).hexdigest())


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
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        return canonical(value)
    quoted = not value or _LOOKS_LIKE_JSON.match(value)
    return visible(json.dumps(value, ensure_ascii=False) if quoted else value)


def json_text(value: Any) -> str:
    """A value as indented JSON, visible."""
    return isolated_strings(visible(json.dumps(value, ensure_ascii=False, indent=2), keep="\n"))


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
        value = [literal(_composed(row, text), style) for text, style in row.spans if text]
        value += [literal("  "), date_span(row.at)] if row.at is not None else []
        spans.extend([literal(f"  {row.mark}", "italic")] if row.path and row.mark else [])
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


def _composed(row: Row, text: str) -> str:
    """A value's text in its line; a text in lines has lines of its own."""
    if row.form == "code" or text.isascii():
        return text
    value = text.strip(" ")
    return text.replace(value, isolated(value), 1) if value else text


def _name_spans(path: tuple[str, ...]) -> Iterator[Block]:
    for index, name in enumerate(path):
        if index:
            yield literal(" › ")
        yield literal(isolated(name), "bold")
