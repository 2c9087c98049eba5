"""What several payloads have in common, and what differs between them, field by field; pure.

A field is a value at a path of names: objects are gone into, a list is one value, and so is an object whose
names are too long to stand in a line. The fields that all share and those of its own make up each payload
again (`joined`); nothing else is in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from signoff.bot.text.payload import DEPTH, NAME
from signoff.payload.canonical import canonical
from signoff.payload.reader import Field, Reader

Path = tuple[str, ...]


@dataclass(frozen=True)
class Common:
    """`same` stands in every payload; `own` is what else each of them has, in their order.

    `paths` are those of the fields that differ, or that some do not have, in the order of the schema (or as
    sent, without one) of whichever payload has them first.
    """

    same: Mapping[Path, Field]
    own: tuple[Mapping[Path, Field], ...]
    paths: tuple[Path, ...]


def common(asked: Sequence[tuple[Mapping[str, Any] | None, Mapping[str, Any]]]) -> Common:
    """Of payloads, each with its schema (None without). Linear in all of them together; never raises."""
    readers: dict[str, tuple[Reader, dict[str, Any] | None]] = {}
    found = [fields(*_read_by(schema, readers), payload) for schema, payload in asked]
    counts: dict[Path, int] = {}
    texts: dict[Path, str] = {}
    varies: set[Path] = set()
    for one in found:
        for path, field in one.items():
            text = canonical(field.value)
            counts[path] = counts.get(path, 0) + 1
            if texts.setdefault(path, text) != text:
                varies.add(path)
    paths = tuple(path for path, count in counts.items() if count < len(found) or path in varies)
    differs = set(paths)
    same = {path: field for path, field in (found[0] if found else {}).items() if path not in differs}
    own = tuple({path: field for path, field in one.items() if path in differs} for one in found)
    return Common(same, own, paths)


def fields(reader: Reader, schema: Mapping[str, Any] | None, payload: Mapping[str, Any]) -> dict[Path, Field]:
    """A payload's fields by their paths, in the schema's order."""
    return dict(_fields(reader, schema, payload, ()))


def joined(*parts: Mapping[Path, Any]) -> dict[str, Any]:
    """Values by their paths → the payload that they are of."""
    found: dict[str, Any] = {}
    for part in parts:
        for path, value in part.items():
            inside = found
            for name in path[:-1]:
                inside = inside.setdefault(name, {})
            inside[path[-1]] = value
    return found


def _read_by(
    schema: Mapping[str, Any] | None, readers: dict[str, tuple[Reader, dict[str, Any] | None]]
) -> tuple[Reader, dict[str, Any] | None]:
    """One reader for all that have the same schema: what is made of it is made once."""
    key = json.dumps(schema)
    if key not in readers:
        kept = dict(schema) if schema is not None else None
        readers[key] = Reader(kept), kept
    return readers[key]


def _fields(
    reader: Reader, schema: Any, value: Mapping[str, Any], path: Path
) -> Iterator[tuple[Path, Field]]:
    for field in reader.present(schema, dict(value)):
        inside, here = field.value, (*path, field.name)
        if isinstance(inside, dict) and inside and len(here) < DEPTH and max(map(len, inside)) <= NAME:
            yield from _fields(reader, field.schema, inside, here)
        else:
            yield here, field
