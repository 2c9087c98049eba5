"""The places of a payload in its form: which there are, what they are called, where a fault stands; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from signoff.bot.forms.fit import has_one_input, input_of
from signoff.bot.forms.inputs import Fixed, Input
from signoff.bot.forms.leaves import Path, leaves
from signoff.bot.text.fold import fold
from signoff.bot.text.payload import elements, values
from signoff.bot.text.place import part_text, place_text
from signoff.bot.text.text import Block, length, line, literal, rich
from signoff.bot.text.words import forms as forms_words
from signoff.models.approval import Approval
from signoff.payload.canonical import canonical

FIELDS = 1_000
"""Fields of a form: a schema may describe many more than the payload has. The others stay as they are."""
LABEL = 150


def places_of(approval: Approval) -> Iterator[Input | Fixed]:
    """The first fields of the payload and of its schema, each with its input."""
    editable = approval.editable
    names = frozenset(editable) if isinstance(editable, tuple) else frozenset()

    def is_closed(name: str) -> bool:
        return editable is not True and name not in names

    opened = leaves(approval.request.json_schema, approval.payload, has_one_input, is_closed)
    return (input_of(leaf, not is_closed(str(leaf.path[0]))) for leaf in islice(opened, FIELDS))


def nearest(path: Path, places: Mapping[Path, str]) -> Path:
    """The place of a fault: that itself, else the one around it, else the first one in it."""
    for n in range(len(path), 0, -1):
        if path[:n] in places:
            return path[:n]
        if inside := next((place for place in places if place[:n] == path[:n]), None):
            return inside
    return ()


def same_item(old: Any, new: Any, path: Path) -> bool:
    """Whether a place in two payloads is in the same items of lists that are as long."""
    for part in path:
        if isinstance(part, int):
            if not isinstance(old, list) or not isinstance(new, list) or len(old) != len(new):
                return False
            if part >= len(old):
                return True
            if canonical(old[part]) != canonical(new[part]):
                return False
        old, new = _part(old, part), _part(new, part)
    return True


def _part(value: Any, part: str | int) -> Any:
    if isinstance(value, list) and isinstance(part, int):
        return value[part]
    return value.get(part) if isinstance(value, dict) else None


def label(path: Path) -> str:
    """A place as an input's label: of a long one the last names."""
    return place_text(path, LABEL)


def as_text(place: Fixed) -> Block:
    """A field without an input: its beginning, and why it stays."""
    name = label(place.path)
    field, parts = place.field, list[Block]()
    if field.present and length(name) < 100 and place.leaf.kind != "rest":
        schema = {"type": "object", "properties": {field.name: field.schema}}
        shown = fold(values(schema, {field.name: field.value}), 600, 8)
        above = tuple(part_text(part) for part in place.path[:-1])
        here = part_text(place.path[-1])
        named = [replace(row, path=(*above, here, *row.path[1:])) if row.path else row for row in shown.rows]
        parts = elements(named)
    if place.leaf.kind == "rest":
        name = f"{name} {forms_words.and_more(len(field.value) - 1)}"
    why = line(literal(f"({place.why})", "italic"))
    return rich(place.block_id, *(parts or [line(literal(name, "bold"))]), why)
