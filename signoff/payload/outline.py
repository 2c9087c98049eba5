"""What a JSON Schema asks for, counted before anything is validated; pure.

A schema comes from an agent, and so does its payload: together they may ask for more work than anyone
has time for (references that double at every step, thousands of alternatives for thousands of entries).
An Outline follows the references, refuses what leads outside or round in circles, and bounds the work.
What checking a value costs is in `tariff`; here it is found which rules apply to which value.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from signoff.errors import Invalid
from signoff.payload.keywords import combined, named, of_entry, of_field, prefix_of, references, subschemas
from signoff.payload.tariff import Prices, Tariff, TooCostly, prices

MAX_CHAIN = 32
"""References and combinations inside each other that apply to one value: each takes the validator's stack."""
MAX_AT_ONCE = 2_000
"""Subschemas that apply to one value."""
MAX_BUILT = 100_000
"""Subschemas that are noted in all, each for every place where it applies: about 0.05 s."""
MAX_STEPS = 4_000_000
"""Steps of validation for one payload, of 10 ns at most; a payload at fault is gone through twice: 0.08 s."""
MAX_VOLUME = 8_000_000
"""Characters that a list of all faults may have to copy: beyond, they are not told apart (about 0.05 s)."""
FAULT_VOLUME = 2_000
"""What a fault costs beside what it quotes, in characters: measured, 10 µs and 2 KB."""
REREADS = 3
"""How often `unevaluated…` has its neighbours evaluated: measured, 2.6 a level."""
VALUE_VOLUME = 50
"""What a copied value costs beside its text, in characters."""

Applied = dict[int, int]
"""Subschemas that apply to one value, by their ids, and how often each."""


@dataclass(frozen=True)
class Effort:
    """What checking a payload takes: steps of validation, and characters that its faults may copy.

    `volume` is for a list of all of them, `one` for the first alone.
    """

    steps: int
    volume: int
    one: int


class Outline:
    """A schema with its references followed.

    Raises Invalid for what `check_schema` describes, and TooCostly where it asks for too much.
    """

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._anchors: dict[str, Any] = {}
        self._here: dict[int, Applied] = {}
        self._chains: dict[int, int] = {}
        self._nothing: dict[str, Any] = {}  # stands for `true` and `false`, which are schemas too
        self._known: dict[int, dict[str, Any]] = {id(self._nothing): self._nothing}
        self._text: dict[int, int] = {id(self._nothing): 0}
        self._prices = {id(self._nothing): prices(self._nothing)}
        self._bare: Applied = {id(self._nothing): 1}
        self._built = 0
        self._states: dict[tuple[tuple[int, int], ...], _State] = {}
        self._walk()

    def resolve(self, reference: str) -> Any:
        """What a local reference (`#`, `#/…`, `#name`) points to; raises Invalid."""
        shown = reference[:80]
        if not reference.startswith("#"):
            raise Invalid(f"The schema refers to {shown!r}: only references inside it (#/…) are followed.")
        pointer = unquote(reference[1:])
        if pointer and not pointer.startswith("/"):
            if pointer not in self._anchors:
                raise Invalid(f"The schema refers to {shown!r}, which it does not have.")
            return self._anchors[pointer]
        found: Any = self._root
        for part in pointer.split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            try:
                found = found[int(name)] if isinstance(found, list) else found[name]
            except (KeyError, IndexError, ValueError, TypeError):
                raise Invalid(f"The schema refers to {shown!r}, which it does not have.") from None
        return found

    def effort(self, payload: Any) -> Effort:
        """An upper bound of the work for `payload` (canonical JSON); raises TooCostly when it is too much."""
        self._bill = Tariff(MAX_STEPS)
        self._volume = self._one = 0
        self._visit(payload, self.state(self.flat(self._root)))
        self._bill.settle()
        return Effort(self._bill.steps, self._volume, self._one)

    def _walk(self) -> None:
        """Find every subschema, through keywords and references, and what each one combines."""
        due: list[Any] = [self._root]
        while due:
            schema = due.pop()
            if not isinstance(schema, dict) or id(schema) in self._known:
                continue
            self._note(schema)
            self._note_anchor(schema)
            due += subschemas(schema)
            # Names first: a pointer may be followed at once, a name only once all have been seen.
            due += [self.resolve(ref) for ref in references(schema) if ref.startswith("#/")]
        for schema in list(self._known.values()):
            self.flat(schema)

    def _note(self, schema: dict[str, Any]) -> None:
        if id(schema) not in self._known:
            self._known[id(schema)] = schema
            self._text[id(schema)] = len(json.dumps(schema))
            self._prices[id(schema)] = prices(schema)

    def _note_anchor(self, schema: dict[str, Any]) -> None:
        for keyword in ("$id", "$anchor", "$dynamicAnchor"):
            name = schema.get(keyword)
            if not isinstance(name, str):
                continue
            if keyword == "$id" and not name.startswith("#"):
                raise Invalid(f"The schema has $id {name[:80]!r}: leave it out, references are local.")
            self._anchors[name.removeprefix("#")] = schema

    def flat(self, schema: Any, above: tuple[int, ...] = ()) -> Applied:
        """All subschemas that apply to the same value as `schema`, and how often each."""
        if isinstance(schema, bool):
            return self._bare
        if not isinstance(schema, dict):
            return {}
        key = id(schema)
        if key in above:
            raise Invalid("The schema refers to itself without an end: each round has to go a level deeper.")
        if len(above) + self._chains.get(key, 1) > MAX_CHAIN:
            raise TooCostly(f"The schema's references go through more than {MAX_CHAIN} others: shorten them.")
        if key in self._here:
            return self._here[key]
        self._note(schema)
        again = REREADS if any(name.startswith("unevaluated") for name in schema) else 1
        found, longest, total = {key: 1}, 0, 1
        for part in [*combined(schema), *(self.resolve(ref) for ref in references(schema))]:
            inner = self.flat(part, (*above, key))
            for other, times in inner.items():
                found[other] = found.get(other, 0) + times * again
                total += times * again
            self.build(len(inner))
            longest = max(longest, self._chains.get(id(part), 0))
            if total > MAX_AT_ONCE:
                raise TooCostly(f"The schema has more than {MAX_AT_ONCE:,} rules for one value: simplify it.")
        self._here[key], self._chains[key] = found, longest + 1
        return found

    def build(self, many: int) -> None:
        """Count so many subschemas that are noted somewhere; raises TooCostly."""
        self._built += 1 + many
        if self._built > MAX_BUILT:
            raise TooCostly("The schema combines too many of its parts with each other: simplify it.")

    def state(self, applied: Applied) -> _State:
        """What is known of values that just these subschemas apply to: one for each such set."""
        key = tuple(sorted(applied.items()))
        self.build(len(key))
        if key not in self._states:
            state = self._states[key] = _State(self, [(self._known[one], times) for one, times in key])
            for one, times in key:
                state.text += times * self._text[one]
                state.prices.add(self._prices[one], times)
        return self._states[key]

    def _visit(self, value: Any, state: _State) -> int:
        """Add the work for `value` and all below it; gives its volume in characters."""
        size, asked, faults, before = VALUE_VOLUME, 0, state.prices.faults, self._volume
        if isinstance(value, dict):
            faults += state.prices.missing
            for name, item in value.items():
                size += VALUE_VOLUME + len(name) + self._visit(item, state.field(name))
                if state.asks_names:
                    self._bill.charge(state.names.prices, name)
                    asked += state.names.text
                    faults += state.names.times + state.names.prices.faults
        elif isinstance(value, list):
            for index, item in enumerate(value):
                size += self._visit(item, state.entry(index))
        elif isinstance(value, str):
            size += len(value)
        self._bill.charge(state.prices, value, size)
        self._volume += state.text + asked + faults * (FAULT_VOLUME + size)
        if state.has_alternatives:  # its fault quotes those of each, with all below
            self._one = max(self._one, self._volume - before)
        return size


class _State:
    """The subschemas that apply to a value, each with how often; and those for what stands in it."""

    def __init__(self, outline: Outline, parts: list[tuple[dict[str, Any], int]]) -> None:
        self._outline = outline
        self._parts = parts
        self.times = sum(times for _, times in parts)
        self.text = 0
        self.prices = Prices()
        self._below: dict[str | int | None, _State] = {}

    @cached_property
    def _described(self) -> frozenset[str]:
        described = [named(schema, "properties") for schema, _ in self._parts]
        self._outline.build(sum(map(len, described)))
        return frozenset().union(*described)

    @cached_property
    def _first(self) -> int:
        return max((prefix_of(schema) for schema, _ in self._parts), default=0)

    @cached_property
    def has_alternatives(self) -> bool:
        """Whether a fault quotes the faults of each alternative."""
        return any("anyOf" in schema or "oneOf" in schema for schema, _ in self._parts)

    @cached_property
    def asks_names(self) -> bool:
        """Whether anything is asked of the names in an object."""
        return any("propertyNames" in schema for schema, _ in self._parts)

    @cached_property
    def names(self) -> _State:
        """Those of each name."""
        return self._joined([(schema.get("propertyNames"), times) for schema, times in self._parts])

    def field(self, name: str) -> _State:
        """Those of the field `name`: all that no `properties` describes share theirs."""
        place = name if name in self._described else None
        found = self._below.get(place)
        if found is None:
            parts = [(part, times) for schema, times in self._parts for part in of_field(schema, name)]
            found = self._below[place] = self._joined(parts)
        return found

    def entry(self, index: int) -> _State:
        """Those of a list's entry: all behind the first that have a schema of their own share theirs."""
        place = min(index, self._first)
        found = self._below.get(place)
        if found is None:
            parts = [(part, times) for schema, times in self._parts for part in of_entry(schema, place)]
            found = self._below[place] = self._joined(parts)
        return found

    def _joined(self, parts: list[tuple[Any, int]]) -> _State:
        self._outline.build(len(self._parts))
        found: Applied = {}
        for part, times in parts:
            applied = self._outline.flat(part)
            self._outline.build(len(applied))
            for key, often in applied.items():
                found[key] = found.get(key, 0) + often * times
        return self._outline.state(found)
