"""A payload as the fields of a form: nested objects are opened, and put together again; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from signoff.bot.text.payload import LEVELS
from signoff.payload.reader import Field, Reader

ABSENT: Final = object()
"""What a form gives for a field that is to be left out of the payload."""
Path = tuple[str, ...]
Leaf = tuple[Path, Field, bool]
"""A field and its place. True marks an object whose own fields follow, and that may go as a whole."""


def leaves(schema: dict[str, Any] | None, payload: dict[str, Any]) -> Iterator[Leaf]:
    """Every field of a payload and of its schema, in its order; objects are opened down two levels."""
    reader = Reader(schema)
    yield from _leaves(reader, (), reader.fields(schema, payload))


def _leaves(reader: Reader, path: Path, found: Iterator[Field]) -> Iterator[Leaf]:
    for field in found:
        where = (*path, field.name)
        if len(path) >= LEVELS or not _opens(field):
            yield where, field, False
            continue
        if field.nullable or (reader.root and not field.required):
            yield where, field, True
        yield from _leaves(reader, where, reader.fields(field.schema, field.value))


def _opens(field: Field) -> bool:
    """True for an object that is one by its schema too, without alternatives to it."""
    if not isinstance(field.value, dict) or not field.value or field.schema.keys() & {"enum", "const"}:
        return False
    return "type" in field.schema and field.types - {"null"} == {"object"}


def replaced(payload: dict[str, Any], values: Mapping[Path, Any]) -> dict[str, Any]:
    """A copy of `payload` with these values; `ABSENT` leaves one out. All else keeps its place and bytes."""
    for path in sorted(values, key=len, reverse=True):  # an object that goes takes its fields along
        payload = _replaced(payload, path, values[path])
    return payload


def _replaced(payload: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    name, *rest = path
    copy = dict(payload)
    if rest:
        copy[name] = _replaced(copy[name], tuple(rest), value)
    elif value is ABSENT:
        copy.pop(name, None)
    else:
        copy[name] = value
    return copy
