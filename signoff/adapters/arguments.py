"""A tool call's arguments as they will run: with the defaults of the tool's schema; pure.

What is looked at is bounded by the arguments themselves: no schema makes them grow without end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from typing import Any, Final

from signoff.adapters.forms import Form, Forms
from signoff.errors import Invalid
from signoff.models.messages import MAX_VALUES

DEPTH: Final = 32
"""Levels of objects and lists that are looked into: canonical JSON has no more."""
EACH: Final = "[]"
"""Stands in a place for any entry of a list."""
Place = tuple[str, ...]


def filled(
    args: Mapping[str, Any], schema: Mapping[str, Any] | None, *, closed: bool = False
) -> dict[str, Any]:
    """The arguments, and for each property that is missing the schema's default, where it has one.

    The framework would fill them in when it runs the tool: people have to see them before. `closed`: names
    that the schema does not know are left out. Raises Invalid where that is more than a request may hold.
    """
    found = _Reading(Forms(schema), fills=True, drops=closed).read(dict(args), schema, ())
    return found if isinstance(found, dict) else dict(args)


def added(payload: Mapping[str, Any], sent: Mapping[str, Any], schema: Mapping[str, Any] | None) -> list[str]:
    """The places at which `payload` has a name that neither `sent` has there nor the schema knows.

    Only where the schema says which names there are, and does not say that there may be others. An edit that
    adds such a one would be passed over by most tools, or refused.
    """
    reading = _Reading(Forms(schema))
    reading.read(payload, schema, ())
    known = set(_places(sent, ())) if reading.unknown else ()
    return [".".join(place) for place in reading.unknown if place not in known]


def _places(value: Any, place: Place) -> Iterator[Place]:
    """Where a value has names."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield (*place, str(name))
            yield from _places(one, (*place, str(name)))
    elif isinstance(value, list):
        for one in value:
            yield from _places(one, (*place, EACH))


class _Reading:
    """One walk through arguments, beside their schema. `unknown` are the places of names it does not know."""

    def __init__(self, forms: Forms, *, fills: bool = False, drops: bool = False) -> None:
        self._forms, self._fills, self._drops = forms, fills, drops
        self._room = MAX_VALUES
        self.unknown: dict[Place, None] = {}

    def read(self, value: Any, schema: Any, place: Place) -> Any:
        """A value as it will run."""
        if not isinstance(value, Mapping | list) or len(place) >= DEPTH:
            return value
        form = self._forms.of(value, schema)
        if isinstance(value, Mapping):
            return self._object(value, form, place)
        made = [self.read(one, form.entry(at), (*place, EACH)) for at, one in enumerate(value)]
        return made if self._fills else value

    def _object(self, value: Mapping[str, Any], form: Form, place: Place) -> dict[str, Any]:
        made = {}
        for name, one in value.items():
            inner = (*place, str(name))
            if not form.knows(name):
                self.unknown[inner] = None
                if self._drops:
                    continue
            made[name] = self.read(one, form.field(name), inner)
        if self._fills:
            for name, default in self._forms.defaults(form).items():
                if name not in made:
                    made[name] = self._default(default, form.field(name), (*place, name))
        return made

    def _default(self, default: Any, schema: Any, place: Place) -> Any:
        """A default, and in it those of what it leaves out."""
        copied = self._copied(default)
        if isinstance(copied, dict) and self._forms.of(copied, schema).lacks(copied):
            return copied
        return self.read(copied, schema, place)

    def _copied(self, value: Any) -> Any:
        self._room -= 1
        if self._room < 0:
            raise Invalid(f"With the defaults of its tool it has more than {MAX_VALUES:,} values.")
        if isinstance(value, Mapping):
            return {name: self._copied(one) for name, one in value.items()}
        return [self._copied(one) for one in value] if isinstance(value, list) else copy(value)
