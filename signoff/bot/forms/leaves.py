"""A payload as the fields of a form: objects and lists are opened, and put together again; pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from signoff.bot.forms.shape import shape_of
from signoff.payload.reader import Field, Reader

ABSENT: Final = object()
"""What a form gives for a field that is to be left out of the payload."""
Path = tuple[str | int, ...]
"""Names, and places in lists, counted from 0."""
LIST_FIELDS = 300
"""Fields of one list that a form opens: the items after them stay as they are."""
NEW_LEVELS = 2
"""Objects inside each other that are opened though they are not there."""
FEW = 12
"""Fields that an object inside a list, or one that is not given, may lack and still have inputs for."""

Kind = Literal["value", "whole", "item", "rest"]
"""A value with an input; an object or a list whose own fields follow, and that may go as a whole; the same in
a list; the items of a list that are too many."""


@dataclass(frozen=True)
class Leaf:
    """A field and its place.

    `is_new` marks one of an object that the payload does not have, or of the item that may be added to a
    list: where nothing is entered there, there is none. `beside` is the object that holds the field.
    """

    path: Path
    field: Field
    kind: Kind = "value"
    is_new: bool = False
    beside: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def leaves(
    schema: dict[str, Any] | None,
    payload: dict[str, Any],
    one_input: Callable[[Field], bool],
    is_closed: Callable[[str], bool] = lambda name: False,
) -> Iterator[Leaf]:
    """Every field of a payload and of its schema, in its order.

    Objects and lists are opened, whatever their depth, but for those that `one_input` says have one, and for
    fields of the payload whose names are closed.
    """
    walk = _Walk(schema, one_input)
    for leaf in walk.fields(payload):
        if is_closed(leaf.field.name):
            yield leaf
        else:
            yield from walk.opened(leaf)


class _Walk:
    """Through one payload, by its schema."""

    def __init__(self, schema: dict[str, Any] | None, one_input: Callable[[Field], bool]) -> None:
        self._schema = schema
        self._reader = Reader(schema)
        self._one_input = one_input
        self._shapes: list[dict[str, Any]] = []  # kept, so that what the reader made of them stays theirs

    def fields(self, payload: dict[str, Any]) -> Iterator[Leaf]:
        """The payload's own fields."""
        for one in self._reader.fields(self._schema, payload):
            yield Leaf((one.name,), one, beside=payload)

    def opened(self, leaf: Leaf) -> Iterator[Leaf]:
        """One of them, or all that is in it."""
        yield from self._field(leaf, False, 0)

    def _object(
        self,
        path: Path,
        schema: dict[str, Any] | None,
        value: dict[str, Any],
        in_list: bool = False,
        new: int = 0,
    ) -> Iterator[Leaf]:
        lacking = 0
        for one in self._reader.fields(schema, value):
            lacking += not one.present
            if (in_list or new) and not one.present and lacking > FEW:
                continue
            leaf = Leaf((*path, one.name), one, is_new=bool(new), beside=value)
            yield from self._field(leaf, in_list, new)

    def _field(self, leaf: Leaf, in_list: bool, new: int) -> Iterator[Leaf]:
        one = leaf.field
        if leaf.is_new and one.required:  # what it belongs to need not be there at all
            one = replace(one, required=False)
            leaf = replace(leaf, field=one)
        opens = self._opens(one, new)
        if opens == "absent":
            yield from self._object(leaf.path, one.schema, {}, in_list, new + 1)
        elif opens:
            if one.nullable or (self._reader.root and not one.required):
                yield replace(leaf, kind="whole")
            yield from self._inside(leaf.path, one, in_list)
        elif _lists_objects(one) and not leaf.is_new and one.value is None and not self._one_input(one):
            yield from self._added(leaf.path, one, [])
        else:
            yield leaf

    def _inside(self, path: Path, one: Field, in_list: bool) -> Iterator[Leaf]:
        if isinstance(one.value, dict):
            yield from self._object(path, one.schema, one.value, in_list)
        else:
            yield from self._list(path, one)

    def _opens(self, one: Field, new: int) -> str:
        """How a value is opened: by what is in it, or as an `absent` object of a few fields."""
        if one.schema.keys() & {"enum", "const"} or self._one_input(one):
            return ""
        if isinstance(one.value, dict) and one.value:
            return "object"
        if isinstance(one.value, list):
            return "list" if one.value or _lists_objects(one) else ""
        described = one.schema.get("properties")
        few = isinstance(described, dict) and 0 < len(described) <= FEW
        is_object = one.types - {"null"} == {"object"} and not isinstance(one.value, dict)
        return "absent" if few and one.value is None and new < NEW_LEVELS and is_object else ""

    def _list(self, path: Path, one: Field) -> Iterator[Leaf]:
        """Its items, each with its fields; those too many as one; the item that may be added."""
        found: list[Any] = one.value
        fixed = "prefixItems" in one.schema  # each place has a meaning of its own
        count = 0
        for at, item in enumerate(self._reader.items(one.schema, found)):
            if count >= LIST_FIELDS:
                yield Leaf((*path, at), replace(item, value=found[at:]), "rest")
                break
            for leaf in self._item((*path, at), replace(item, required=fixed)):
                count += 1
                yield leaf
        if not fixed and len(found) < _most(one.schema):
            yield from self._added(path, one, found)

    def _item(self, path: Path, item: Field) -> Iterator[Leaf]:
        leaf = Leaf(path, item)
        if not self._opens(item, 0):
            yield leaf
            return
        if not item.required:
            yield replace(leaf, kind="item")
        yield from self._inside(path, item, True)

    def _added(self, path: Path, one: Field, found: list[Any]) -> Iterator[Leaf]:
        """The fields of one more item: by the list's schema, else in the shape of those that it has."""
        described = self._reader.item(one.schema, None, len(found))
        if not described.types and not described.schema.keys() & {"enum", "const", "properties"}:
            if not found:
                return
            shape = {"properties": {"item": shape_of(found)}}
            self._shapes.append(shape)
            described = next(self._reader.fields(shape, {})).described
        place = (*path, len(found))
        item = Field(str(len(found) + 1), described, None, False, False)
        if isinstance(described.schema.get("properties"), dict) and described.types <= {"object"}:
            yield from self._object(place, described.schema, {}, True, 1)
        else:
            yield Leaf(place, item, is_new=True)


def _lists_objects(one: Field) -> bool:
    """True for a list whose schema says what the objects in it have."""
    items = one.schema.get("items")
    named = items.keys() & {"properties", "$ref", "allOf"} if isinstance(items, dict) else ()
    return bool(named) and one.types - {"null"} == {"array"}


def _most(schema: dict[str, Any]) -> float:
    most = schema.get("maxItems")
    return most if isinstance(most, int) else float("inf")


def replaced(payload: dict[str, Any], values: Mapping[Path, Any]) -> dict[str, Any]:
    """A copy of `payload` with these values; `ABSENT` leaves one out. All else keeps its place and bytes.

    What goes as a whole takes its fields along; what is below an object or an item that is not there makes
    one. Places in lists are those of `payload`, whatever is left out before them.
    """
    tree = _Change()
    for path, value in values.items():
        at = tree
        for part in path:
            at = at.below.setdefault(part, _Change())
        at.value, at.is_set = value, True
    changed: dict[str, Any] = _changed(payload, tree)
    return changed


@dataclass
class _Change:
    value: Any = None
    is_set: bool = False
    below: dict[str | int, _Change] = dataclasses.field(default_factory=dict)


def _changed(old: Any, change: _Change) -> Any:
    """A value after what is to become of it."""
    if change.is_set or not change.below:
        return change.value if change.is_set else old
    if isinstance(next(iter(change.below)), int):
        return _changed_list(old, change)
    found = dict(old) if isinstance(old, dict) else {}
    for name, below in change.below.items():
        new = _changed(found.get(str(name), ABSENT), below)
        if new is ABSENT:
            found.pop(str(name), None)
        else:
            found[str(name)] = new
    return found if found or isinstance(old, dict) else old


def _changed_list(old: Any, change: _Change) -> Any:
    items = list(old) if isinstance(old, list) else []
    places = sorted(place for place in change.below if isinstance(place, int))
    for place in places:
        new = _changed(items[place] if place < len(items) else ABSENT, change.below[place])
        items[place : place + 1] = [new]  # one past the end is added
    found = [item for item in items if item is not ABSENT]
    return found if found or isinstance(old, list) else old


def places_left(values: Mapping[Path, Any], path: Path) -> Path:
    """A place in the payload that `replaced` made → the same place in the payload that it was made of."""
    gone: dict[Path, list[int]] = {}
    for removed, value in values.items():
        if value is ABSENT and isinstance(removed[-1], int):
            gone.setdefault(removed[:-1], []).append(removed[-1])
    found: Path = ()
    for part in path:
        if isinstance(part, int):
            for place in sorted(gone.get(found, ())):
                part += place <= part
        found = (*found, part)
    return found
