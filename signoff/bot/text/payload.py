"""A payload → values that a person reads, each in rows; pure.

Every leaf is a row of its own, at any depth: `a › b`, and `items › 2 › name` in a list. What fits one line
stands first, in the schema's order, or as it was sent where there is no schema; what is long comes after,
with a summary of ours where a renderer knows its shape.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from signoff.bot.text.meaning import currency_field, is_amount, meaning
from signoff.bot.text.moments import seconds
from signoff.bot.text.octet_rows import numbered, octet_rows
from signoff.bot.text.octets import blob
from signoff.bot.text.paragraphs import elements as elements
from signoff.bot.text.quotes import value_of
from signoff.bot.text.renderers import ROOM, Seen, Summary
from signoff.bot.text.renderers.registry import summarise
from signoff.bot.text.row import ONE_LINE, Row, Span, is_short, list_text
from signoff.bot.text.row import json_text as json_text
from signoff.bot.text.row import name_text as name_text
from signoff.bot.text.row import scalar_text as scalar_text
from signoff.bot.text.text import cut, length, visible
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words.summaries import WARNS
from signoff.payload.absent import absent
from signoff.payload.reader import Field, Reader

DEPTH = 16
"""Objects and lists inside each other are shown as `a › b` down so many levels, then as JSON."""
NAME = 100
"""Characters of a name that can head a row; one that is longer is shown as JSON with its value."""
SHORT_LINES = 8
"""Lines of a text that stands there without its summary, and with what that warns of."""
DEFAULT = 40
"""Characters of a default that a schema names."""
FEW = 30
"""Values in the lists of what has a summary that stand on a card after it; more are in Review…."""
ITEMS, NARROW = 5, 40
"""A list of a few texts stands on one line of a phone, else one text a line: the second of two recipients at
the end of a line goes unseen."""


@dataclass(frozen=True)
class Value:
    """One value as it is read: `rows`; `rest` is what those only sum up, in full."""

    rows: tuple[Row, ...]
    rest: tuple[Row, ...] = ()
    inside: tuple[Value, ...] = ()
    """One-line fields of what the rows sum up: they stand after them."""

    @cached_property
    def is_line(self) -> bool:
        """True for a one-line field: it is never folded for its length."""
        if self.rest or self.inside or any(row.form == "code" or row.table for row in self.rows):
            return False
        return len(self.rows) <= 5 and sum(row.size for row in self.rows) <= ONE_LINE

    @property
    def all_rows(self) -> tuple[Row, ...]:
        """All of it: what sums it up, then what was summed up."""
        return (*self.rows, *(row for one in self.inside for row in one.rows), *self.rest)


def values(
    schema: dict[str, Any] | None,
    payload: dict[str, Any],
    whole: bool = False,
    in_thread: Collection[str] = (),
) -> list[Value]:
    """A payload's values: one-line fields, then what is long. `whole` gives long bytes as text as well.

    `in_thread` are digests of files that can be looked at in the card's thread.
    """
    walk = _Walk(Reader(schema), whole, numbered(payload, in_thread))
    found = list(walk.payload(schema, payload))
    left = not_given(schema, payload)
    return [*(one for one in found if one.is_line), *left, *(one for one in found if not one.is_line)]


def rows(
    schema: dict[str, Any] | None,
    payload: dict[str, Any],
    whole: bool = False,
    in_thread: Collection[str] = (),
) -> Iterator[Row]:
    """The rows of all of it, in the same order."""
    for value in values(schema, payload, whole, in_thread):
        yield from value.all_rows


def code_format(schema: dict[str, Any]) -> str:
    """`diff`, `sql`, `markdown` or `code` where a schema says that a text is so; else empty."""
    named = schema.get("format")
    return named if isinstance(named, str) and named in card_words.CODE_FORMATS else ""


class _Walk:
    """Through one payload, by its schema."""

    def __init__(self, reader: Reader, whole: bool, seen: Mapping[str, str], summed_up: bool = False) -> None:
        """`summed_up`: what holds these values has a summary already."""
        self._reader = reader
        self._summed_up = summed_up
        self._whole = whole
        self._seen = seen
        self._room = ROOM
        """Characters that renderers may still read word by word."""

    def payload(self, schema: dict[str, Any] | None, payload: dict[str, Any]) -> Iterator[Value]:
        summary = summarise(Seen("", payload, schema or {}, {}))
        yield from self._summed(summary, (), schema, payload)

    def _summary(self, field: Field, beside: Mapping[str, Any]) -> Summary | None:
        if self._summed_up:
            return None
        summary = summarise(Seen(field.name, field.value, field.schema, beside, self._room))
        if summary is not None and isinstance(field.value, str) and len(field.value) <= self._room:
            self._room -= len(field.value)
        return summary

    def _summed(
        self,
        summary: Summary | None,
        names: tuple[str, ...],
        schema: dict[str, Any] | None,
        value: dict[str, Any] | list[Any],
    ) -> Iterator[Value]:
        """An object or a list, with its summary where it has one."""
        if summary is None:
            yield from self._inside(names, schema, value)
            return
        if isinstance(value, dict) and summary.takes:
            left = {name: one for name, one in value.items() if name not in summary.takes}
            value = {name: one for name, one in value.items() if name in summary.takes}
            yield from self._inside(names, schema, left)
        head = _headed(names, summary)
        if summary.whole or summary.alone:
            yield Value(head, () if summary.whole else _in_full(names, value))
            return
        plainly = _Walk(self._reader, self._whole, self._seen, summed_up=True)
        inside = list(plainly._inside(names, schema, value))
        rest: tuple[Row, ...] = ()
        if sum(_is_in_a_list(one, len(names)) for one in inside) > FEW:
            # what stands in its lists is summed up; its own fields are fields like any others
            inside = [one for one in inside if not _is_in_a_list(one, len(names))]
            rest = _in_full(names, value)
        yield Value(head, rest, inside=tuple(one for one in inside if one.is_line))
        yield from (one for one in inside if not one.is_line)

    def _inside(
        self, names: tuple[str, ...], schema: dict[str, Any] | None, value: dict[str, Any] | list[Any]
    ) -> Iterator[Value]:
        if isinstance(value, dict):
            fields = list(self._reader.present(schema, value))
            beside = _currencies(fields, value)
            for field in fields:
                if field.name not in beside:
                    yield from self._field((*names, name_text(field.name)), field, value)
            return
        for at, field in enumerate(self._reader.items(schema, value), 1):
            yield from self._field((*names, str(at)), field, {})

    def _field(self, names: tuple[str, ...], field: Field, beside: dict[str, Any]) -> Iterator[Value]:
        value = field.value
        if len(names[-1]) > NAME:
            yield Value((Row(names[:-1], ((json_text({field.name: value}), ""),), "code"),))
        elif isinstance(value, str):
            yield from self._text(names, field, value, beside)
        elif isinstance(value, list | dict) and value:
            yield from self._many(names, field, value, beside)
        else:
            yield Value((_scalar_row(names, field, beside),))

    def _many(
        self, names: tuple[str, ...], field: Field, value: dict[str, Any] | list[Any], beside: dict[str, Any]
    ) -> Iterator[Value]:
        if len(names) > DEPTH:
            yield Value((Row(names, ((json_text(value), ""),), "code"),))
            return
        summary = self._summary(field, beside)
        if summary is None and isinstance(value, list) and (shown := _list_rows(names, value)):
            yield Value(shown)
            return
        yield from self._summed(summary, names, field.schema, value)

    def _text(
        self, names: tuple[str, ...], field: Field, value: str, beside: dict[str, Any]
    ) -> Iterator[Value]:
        if (found := blob(value, field.schema)) is not None:
            shown = octet_rows(names, value, found, self._seen, self._whole)
            summary = self._summary(field, beside) if found.text else None
            yield Value((*_headed(names, summary), *shown) if summary else shown)
            return
        form = code_format(field.schema) if value else ""
        mark = card_words.code_mark(form) if form else ""
        if form or "\n" in value:
            row = Row(names, ((visible(value, keep="\n\t"), ""),), "code", mark=mark)
        else:
            row = replace(_scalar_row(names, field, beside), at=seconds(value))
        summary = self._summary(field, beside)
        if summary is None:
            yield Value((row,))
        elif summary.whole or summary.readable or row.lines > SHORT_LINES:
            again = row if row.mark else replace(row, mark=card_words.AS_SENT)
            yield Value((*_headed(names, summary), *(() if summary.whole else (again,))))
        else:  # it is read as quickly as a summary would be
            yield Value((row, *(one for one in summary.rows if one.text.startswith(WARNS))))


def _scalar_row(names: tuple[str, ...], field: Field, beside: dict[str, Any]) -> Row:
    """A scalar on one line; a number, or a text of one, with its currency and the unit its schema claims."""
    shown: list[Span] = [(scalar_text(field.value), "")]
    known = meaning(field.schema, field.name, field.value, beside)
    if known.claim:
        shown.append((f"  ({known.claim})", "italic"))
    if not known.currency or known.major:  # `129900 EUR` would be wrong by a hundred
        return Row(names, tuple(shown))
    shown.insert(1, (f" {visible(known.currency)}", ""))
    return Row(names, tuple(shown), mark=card_words.with_currency(name_text(known.currency_field)))


def _currencies(fields: list[Field], value: dict[str, Any]) -> set[str]:
    """The names of currencies that stand beside their amount, on its line."""
    amounts = [field for field in fields if is_amount(field.value) and currency_field(field.name, value)]
    known = [meaning(field.schema, field.name, field.value, value) for field in amounts]
    return {one.currency_field for one in known if not one.major}


def not_given(schema: dict[str, Any] | None, payload: dict[str, Any]) -> list[Value]:
    """One line for what the payload leaves to defaults: those are the schema's, and so the agent's words."""
    without: list[str] = []
    defaults: list[str] = []
    for one in absent(schema, payload):
        path = [str(part + 1) if isinstance(part, int) else name_text(part) for part in one.path]
        name = " › ".join(map(value_of, path))
        default = cut(value_of(scalar_text(one.default)), DEFAULT) if is_short(one.default) else "…"
        if one.has_default:
            defaults.append(f"{name} {default}")
        else:
            without.append(name)
    spans: list[Span] = []
    if without:
        spans += [(card_words.NOT_GIVEN, "italic"), (", ".join(without), "")]
    if defaults:
        spans += [("; ", ""), (card_words.SCHEMA_SAYS, "italic")] if without else []
        spans += [] if without else [(card_words.NOT_GIVEN_BUT, "italic")]
        spans.append((", ".join(defaults), ""))
    return [Value((Row((), tuple(spans)),))] if spans else []


def _in_full(names: tuple[str, ...], value: Any) -> tuple[Row, ...]:
    return (Row(names, ((json_text(value), ""),), "code", mark=card_words.IN_FULL),)


def _is_in_a_list(value: Value, levels: int) -> bool:
    """Whether a place in a list is on the way to it, below so many levels."""
    return any(name.isdigit() for name in value.rows[0].path[levels:])


def _headed(names: tuple[str, ...], summary: Summary) -> tuple[Row, ...]:
    """A summary's rows below its value's name, which stands on the first."""
    first, *others = summary.rows
    head = replace(first, path=(*names, *first.path))
    return head, *(replace(row, path=(*names, *row.path)) if row.path else row for row in others)


def _list_rows(names: tuple[str, ...], items: list[Any]) -> tuple[Row, ...]:
    """A list of scalars on one line, or one bullet an item; none where its items need rows of their own."""
    if len(items) <= ONE_LINE and all(map(is_short, items)):
        text = list_text(items)
        narrow = len(items) == 1 or len(items) > ITEMS or length(text) <= NARROW
        if narrow and length(text) <= ONE_LINE // 2:
            return (Row(names, ((text, ""),)),)
    bullets = _bullets(items)
    return tuple(Row(names if at == 0 else (), spans, "bullet") for at, spans in enumerate(bullets))


def _bullets(items: list[Any]) -> list[tuple[Span, ...]]:
    """One bullet an item, where each is a scalar on one line or a flat object of a few; else none."""
    found: list[tuple[Span, ...]] = []
    for item in items:
        if is_short(item):
            found.append(((scalar_text(item), ""),))
        elif isinstance(item, dict) and 0 < len(item) <= 4 and all(map(is_short, item.values())):
            spans: list[Span] = []
            for name, value in item.items():
                spans += [(" · ", "")] if spans else []
                spans += [(name_text(name), "bold"), (f" {value_of(scalar_text(value))}", "")]
            found.append(tuple(spans))
        else:
            return []
    return found if all(sum(length(text) for text, _ in spans) <= 500 for spans in found) else []
