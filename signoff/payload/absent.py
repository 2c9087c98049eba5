"""What a payload leaves to its action's defaults, by its schema; pure.

A value that is not given is decided by whoever runs the action. Where the schema names a default, that is its
word, and so the agent's: it is told, never filled in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from signoff.payload.reader import Field, Reader

MOST = 8
"""Fields that are told of at most."""


@dataclass(frozen=True)
class Absent:
    """A field that its schema knows and its payload does not have; parts of lists are counted from 0."""

    path: tuple[str | int, ...]
    field: Field

    @property
    def has_default(self) -> bool:
        """True where the schema names one."""
        return "default" in self.field.schema

    @property
    def default(self) -> Any:
        """What the schema names; None also where it names none."""
        return self.field.schema.get("default")


def absent(schema: dict[str, Any] | None, payload: dict[str, Any], most: int = MOST) -> list[Absent]:
    """The first fields that are not given and have a default, or are a yes or no, in the schema's order.

    Objects and lists of the payload are looked into; nothing is told of what is inside an object that is
    itself not given. Never raises. Linear in the payload and the schema together.
    """
    if schema is None:
        return []
    reader = Reader(schema)
    return list(islice(_in_object(reader, (), schema, payload), most))


def _in_object(
    reader: Reader, path: tuple[str | int, ...], schema: dict[str, Any], value: dict[str, Any]
) -> Iterator[Absent]:
    for field in reader.defaulted(schema, value):
        yield Absent((*path, field.name), field)
    for field in reader.present(schema, value):
        yield from _in_value(reader, (*path, field.name), field.schema, field.value)


def _in_value(
    reader: Reader, path: tuple[str | int, ...], schema: dict[str, Any], value: Any
) -> Iterator[Absent]:
    if isinstance(value, dict):
        yield from _in_object(reader, path, schema, value)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            if isinstance(item, list | dict):
                inside = reader.item(schema, item)
                yield from _in_value(reader, (*path, at), inside.schema, item)
