"""What a JSON Schema asks for, counted before anything is validated; pure.

A schema comes from an agent, and so does its payload: together they may ask for more work than anyone
has time for (references that double at every step, thousands of alternatives for thousands of entries).
An Outline follows the references, refuses what leads outside or round in circles, and bounds the work.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from signoff.errors import Invalid

MAX_CHAIN = 32
"""References and combinations inside each other that apply to one value: each takes the validator's stack."""
MAX_AT_ONCE = 2_000
"""Subschemas that apply to one value."""
MAX_STEPS = 2**21
"""Steps of validation for one payload: about 0.3 s."""
MAX_VOLUME = 40_000_000
"""Characters that a list of all faults may have to copy: beyond, they are not told apart (about 0.4 s)."""
FAULT_VOLUME = 2_000
"""What a fault costs beside what it quotes, in characters: measured, 18 µs and 2 KB."""
CHARACTER_STEPS = 8
"""What one character costs that a pattern or a format reads."""
REREADS = 3
"""How often `unevaluated…` has its neighbours evaluated: measured, 2.6 a level."""
VALUE_VOLUME = 50
"""What a copied value costs beside its text, in characters."""

REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
DEFINITIONS = ("$defs", "definitions")
_HERE = ("not", "if", "then", "else", "allOf", "anyOf", "oneOf")
_HERE_BY_NAME = ("dependentSchemas", "dependencies")
_ENTRIES = ("items", "additionalItems", "unevaluatedItems", "contains")
_FIELDS = ("additionalProperties", "unevaluatedProperties")
_BY_NAME = ("properties", "patternProperties")


@dataclass(frozen=True)
class Effort:
    """What checking a payload takes: steps of validation, and characters that its faults may copy."""

    steps: int
    volume: int


class Outline:
    """A schema with its references followed. Raises Invalid for what `check_schema` describes."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._anchors: dict[str, Any] = {}
        self._here: dict[int, Counter[int]] = {}
        self._chains: dict[int, int] = {}
        nothing: dict[str, Any] = {}  # stands for `true` and `false`, which are schemas too
        self._known: dict[int, dict[str, Any]] = {id(nothing): nothing}
        self._text: dict[int, int] = {id(nothing): 0}
        self._bare = Counter({id(nothing): 1})
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
        """An upper bound of the work for `payload` (canonical JSON); raises Invalid when it is too much."""
        self._steps = self._volume = 0
        self._visit(payload, self._flat(self._root))
        return Effort(self._steps, self._volume)

    def _walk(self) -> None:
        """Find every subschema, through keywords and references, and what each one combines."""
        due: list[Any] = [self._root]
        while due:
            schema = due.pop()
            if not isinstance(schema, dict) or id(schema) in self._known:
                continue
            self._known[id(schema)] = schema
            self._text[id(schema)] = len(json.dumps(schema))
            self._note_anchor(schema)
            due += _subschemas(schema)
            # Names first: a pointer may be followed at once, a name only once all have been seen.
            due += [self.resolve(ref) for ref in _references(schema) if ref.startswith("#/")]
        for schema in list(self._known.values()):
            self._flat(schema)

    def _note_anchor(self, schema: dict[str, Any]) -> None:
        for keyword in ("$id", "$anchor", "$dynamicAnchor"):
            name = schema.get(keyword)
            if not isinstance(name, str):
                continue
            if keyword == "$id" and not name.startswith("#"):
                raise Invalid(f"The schema has $id {name[:80]!r}: leave it out, references are local.")
            self._anchors[name.removeprefix("#")] = schema

    def _flat(self, schema: Any, above: tuple[int, ...] = ()) -> Counter[int]:
        """All subschemas that apply to the same value as `schema`, and how often each."""
        if isinstance(schema, bool):
            return self._bare
        if not isinstance(schema, dict):
            return Counter()
        key = id(schema)
        if key in above:
            raise Invalid("The schema refers to itself without an end: each round has to go a level deeper.")
        if len(above) + self._chains.get(key, 1) > MAX_CHAIN:
            raise Invalid(f"The schema's references go through more than {MAX_CHAIN} others: shorten them.")
        if key in self._here:
            return self._here[key]
        self._known[key] = schema
        self._text.setdefault(key, len(json.dumps(schema)))
        again = REREADS if any(name.startswith("unevaluated") for name in schema) else 1
        found, longest = Counter({key: 1}), 0
        for part in [*_combined(schema), *(self.resolve(ref) for ref in _references(schema))]:
            for other, times in self._flat(part, (*above, key)).items():
                found[other] += times * again
            longest = max(longest, self._chains.get(id(part), 0))
            if found.total() > MAX_AT_ONCE:
                raise Invalid(f"The schema has more than {MAX_AT_ONCE:,} rules for one value: simplify it.")
        self._here[key], self._chains[key] = found, longest + 1
        return found

    def _visit(self, value: Any, applied: Counter[int]) -> int:
        """Add the work for `value` and all below it; gives its volume in characters."""
        below = self._descend(value, applied)
        size = VALUE_VOLUME + (len(value) if isinstance(value, str) else 0)
        if isinstance(value, dict):
            for name, item in value.items():
                size += VALUE_VOLUME + len(name) + self._visit(item, below(name))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                size += self._visit(item, below(index))
        own = len(value) if isinstance(value, str) else sum(map(len, value)) if isinstance(value, dict) else 0
        for key, times in applied.items():
            reads = _readers(self._known[key], value) * own if own else 0
            self._spend(times * (4 + reads * CHARACTER_STEPS))
            self._volume += times * (FAULT_VOLUME + size + self._text[key])
        return size

    def _descend(self, value: Any, applied: Counter[int]) -> Any:
        if not isinstance(value, dict | list):
            return None
        rules = [(self._known[key], times) for key, times in applied.items()]

        def below(place: str | int) -> Counter[int]:
            found: Counter[int] = Counter()
            for schema, times in rules:
                for part in _applying(schema, place):
                    self._spend(times)
                    for key, often in self._flat(part).items():
                        found[key] += often * times
            return found

        return below

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > MAX_STEPS:
            raise Invalid("The schema asks for too many checks of this payload: make either smaller.")


def _readers(schema: dict[str, Any], value: str | dict[str, Any]) -> int:
    """How many patterns and formats read a text, or the names of an object's fields."""
    if isinstance(value, str):
        return ("pattern" in schema) + ("format" in schema)
    return len(_named(schema, "patternProperties")) + ("propertyNames" in schema)


def _references(schema: dict[str, Any]) -> list[str]:
    return [schema[word] for word in REFERENCES if isinstance(schema.get(word), str)]


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]


def _named(schema: dict[str, Any], keyword: str) -> dict[str, Any]:
    found = schema.get(keyword)
    return found if isinstance(found, dict) else {}


def _combined(schema: dict[str, Any]) -> Iterator[Any]:
    """The subschemas beside it that apply to the same value."""
    for word in _HERE:
        if word in schema:
            yield from _listed(schema[word])
    for word in _HERE_BY_NAME:
        yield from _named(schema, word).values()


def _applying(schema: dict[str, Any], place: str | int) -> Iterator[Any]:
    """The subschemas that may apply to the entry or field at `place`."""
    if isinstance(place, int):
        prefix = _listed(schema.get("prefixItems", []))
        if place < len(prefix):
            yield prefix[place]
        for word in _ENTRIES:
            found = schema.get(word)
            if not isinstance(found, list):
                yield found
            elif place < len(found):
                yield found[place]
        return
    named = _named(schema, "properties")
    if place in named:
        yield named[place]
    else:
        yield schema.get("additionalProperties")
    yield schema.get("unevaluatedProperties")
    yield from _named(schema, "patternProperties").values()


def _subschemas(schema: dict[str, Any]) -> Iterator[Any]:
    yield from _combined(schema)
    for word in (*_ENTRIES, *_FIELDS, "prefixItems", "propertyNames", "contentSchema"):
        yield from _listed(schema.get(word))
    for word in (*_BY_NAME, *DEFINITIONS):
        yield from _named(schema, word).values()
