"""The order in which an agent sent the names of its objects, beside their canonical text; pure.

Canonical text sorts names, and it is what is signed. People read fields in the order in which they were
written, so that order is kept beside it, as numbers only: whatever stands there, no value can change by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Order = list[list[int]]
"""For each object, outermost first: where each of its names, sorted, stood; empty where they were sorted."""


def like(value: Any, model: Any) -> Any:
    """`value`, each object's names in the order of the object at the same place in `model`, new ones last."""
    if isinstance(value, dict):
        known = model if isinstance(model, dict) else {}
        names = [*(name for name in known if name in value), *(name for name in value if name not in known)]
        return {name: like(value[name], known.get(name)) for name in names}
    if isinstance(value, list):
        items = model if isinstance(model, list | tuple) else []
        return [like(item, items[at] if at < len(items) else None) for at, item in enumerate(value)]
    return value


def order_of(value: Any) -> Order:
    """The order of the names in all objects of `value`; empty where all of them are sorted."""
    found = [_places(one) for one in _objects(value)]
    while found and not found[-1]:
        found.pop()
    return found


def ordered(value: Any, order: Order) -> Any:
    """`value`, whose objects are sorted, in this order; an object that it does not fit stays as it is."""
    return _ordered(value, iter(order)) if order else value


def _ordered(value: Any, order: Iterator[list[int]]) -> Any:
    if isinstance(value, list):
        return [_ordered(item, order) for item in value]
    if not isinstance(value, dict):
        return value
    places = next(order, [])
    names = _sorted(value)
    items = {name: _ordered(value[name], order) for name in names}
    if sorted(places) != list(range(len(names))):
        return items
    return {name: items[name] for _, name in sorted(zip(places, names, strict=True))}


def _places(value: dict[str, Any]) -> list[int]:
    names = list(value)
    sent = {name: at for at, name in enumerate(names)}
    places = [sent[name] for name in _sorted(value)]
    return [] if places == list(range(len(names))) else places


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object, each before those inside it, by name."""
    if isinstance(value, dict):
        yield value
        for name in _sorted(value):
            yield from _objects(value[name])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _objects(item)


def _sorted(value: dict[str, Any]) -> list[str]:
    """RFC 8785: names are sorted by their UTF-16 code units."""
    return sorted(value, key=_units)


def _units(name: str) -> bytes:
    return name.encode("utf-16-be")
