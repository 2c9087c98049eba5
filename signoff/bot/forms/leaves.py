"""A payload as the fields of a form: nested objects are opened, and put together again; pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from signoff.bot.text.payload import LEVELS
from signoff.payload.fields import Field, fields

ABSENT: Final = object()
"""What a form gives for a field that is to be left out of the payload."""
Path = tuple[str, ...]


@dataclass(frozen=True)
class Leaf:
    """One field of a form; `group` marks an object whose own fields follow, and that may go as a whole."""

    path: Path
    field: Field
    group: bool = False

    @property
    def block_id(self) -> str:
        """The same for the same place in every version of a payload."""
        return f"field:{hashlib.sha256(json.dumps(self.path).encode()).hexdigest()[:20]}"


def leaves(schema: dict[str, Any] | None, payload: dict[str, Any]) -> Iterator[Leaf]:
    """Every field of a payload and of its schema, in its order; objects are opened down two levels."""
    yield from _leaves(schema or {}, (), fields(schema, payload))


def _leaves(root: dict[str, Any], path: Path, found: list[Field]) -> Iterator[Leaf]:
    for field in found:
        where = (*path, field.name)
        if len(path) >= LEVELS or not _opens(field):
            yield Leaf(where, field)
            continue
        if "null" in types(field.schema) or (root and not field.required):
            yield Leaf(where, field, group=True)
        yield from _leaves(root, where, fields(field.schema, field.value, root))


def _opens(field: Field) -> bool:
    """True for an object that is one by its schema too, without alternatives to it."""
    if not isinstance(field.value, dict) or not field.value or field.schema.keys() & {"enum", "const"}:
        return False
    return types(field.schema) - {"null"} == {"object"}


def types(schema: dict[str, Any]) -> set[str]:
    """What a schema's `type` lists."""
    named = schema.get("type")
    names = named if isinstance(named, list) else [named]
    return {name for name in names if isinstance(name, str)}


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
