"""What it costs to check one value against the rules that apply to it, in steps of 10 ns; pure.

The figures are upper bounds of what was measured of the validator, keyword by keyword, each with values
that it takes longest for. They are generous: what lies within the budget stays within its time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from signoff.errors import Invalid

FRACTION = 270
"""Two numbers compared of which one is no whole number: it is done in fractions, exactly."""
TINY = 2_000
"""The same where one is tinier than `TINIEST`: its fraction has hundreds of digits."""
TINIEST = 1e-9
WHOLE = 10
"""Two whole numbers compared."""
NODE = 16
"""A value inside a list or an object that is compared with another one, or looked for twice."""
REQUIRED = 3
"""A field that is asked for by its name."""
FORMAT = 10
"""A character that a format or an encoding is read for."""
PATTERN = 400
"""A character that a pattern is tried at, at most: the engine runs through all its states then."""

_COUNTED = re.compile(r"\{([0-9]{1,9})?,?([0-9]{1,9})?\}")
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_READ = ("format", "contentEncoding", "contentMediaType")


class TooCostly(Invalid):
    """A schema that nobody has the time to check by: it is left out, and its card says so."""


@dataclass
class Prices:
    """What each kind of value costs under some rules. `per_…` are of a character or of a field's name."""

    base: int = 0
    options: int = 0
    """Scalars that a scalar is compared with."""
    whole: int = 0
    fractions: int = 0
    tiny: int = 0
    """Numbers that a number is compared with, by what they are."""
    nodes: int = 0
    inside: int = 0
    """Values, and numbers among them, that a list or an object is compared with."""
    per_character: int = 0
    per_name: int = 0
    per_name_character: int = 0
    names: int = 0
    """What an object costs for the names that are asked of it."""
    unique: int = 0
    faults: int = 0
    missing: int = 0
    """What may be wrong at once with any value, and besides with an object: each fault quotes the value."""

    def add(self, other: Prices, times: int) -> None:
        """Add what other rules cost, so many times."""
        for name, value in other.parts:
            setattr(self, name, getattr(self, name) + value * times)

    @cached_property
    def parts(self) -> tuple[tuple[str, int], ...]:
        """Those that are not 0, by name; to be asked for once it is known."""
        return tuple((name, value) for name, value in vars(self).items() if value)


class Tariff:
    """Adds up; raises TooCostly past `most` steps."""

    def __init__(self, most: int) -> None:
        self.steps = 0
        self._most = most
        self._inside = 0
        self._tiny = False

    def charge(self, known: Prices, value: Any, size: int = 0) -> None:
        """One value, without what stands in it; `size` is that of all of it, in characters."""
        steps = known.base
        if isinstance(value, str):
            steps += known.options + known.per_character * (len(value) + 1)
        elif isinstance(value, dict):
            steps += known.nodes * NODE + known.names + known.per_name * len(value)
            if known.per_name_character:
                steps += known.per_name_character * sum(map(len, value))
            self._inside += known.inside
        elif isinstance(value, list):
            # A value has a volume of 50 characters at least.
            steps += known.nodes * NODE + known.unique * NODE * (size // 50)
            self._inside += known.inside
        elif isinstance(value, bool) or value is None:
            steps += known.options
        else:
            steps += known.options + self._number(known, value)
        self.steps += steps
        if self.steps > self._most:
            raise _too_much()

    def settle(self) -> None:
        """Add what depends on all of the payload: how dear the numbers are in what was compared."""
        self.steps += self._inside * (TINY if self._tiny else FRACTION)
        if self.steps > self._most:
            raise _too_much()

    def _number(self, known: Prices, value: int | float) -> int:
        is_tiny = isinstance(value, float) and 0 < abs(value) < TINIEST
        self._tiny = self._tiny or is_tiny
        if is_tiny:
            return TINY * (known.whole + known.fractions + known.tiny)
        whole = FRACTION if isinstance(value, float) else WHOLE
        return whole * known.whole + FRACTION * known.fractions + TINY * known.tiny


def prices(schema: dict[str, Any]) -> Prices:
    """What one subschema costs, without those in it."""
    found = Prices(base=3 + len(schema), faults=1 + len(schema))
    named = schema.get("enum")
    options = named if isinstance(named, list) else []
    if all(isinstance(option, str) for option in options):
        options = []  # the validator looks these up in a table
    for option in (*options, *_constant(schema)):
        if isinstance(option, list | dict):
            nodes, numbers = _inside(option)
            found.nodes += nodes
            found.inside += numbers
        else:
            found.options += 1
            _count_number(found, option)
    for word in _BOUNDS:
        if isinstance(schema.get(word), float):
            _count_number(found, schema[word])
    if "pattern" in schema:
        found.per_character += pattern_price(schema["pattern"])
    found.per_character += FORMAT * sum(word in schema for word in _READ)
    patterns = _named(schema, "patternProperties")
    found.per_name = 5 * len(patterns)
    found.per_name_character = 2 * sum(map(pattern_price, patterns))
    required = schema.get("required")
    found.missing = len(required) if isinstance(required, list) else 0
    for word in ("dependentRequired", "dependentSchemas", "dependencies"):
        for names in _named(schema, word).values():
            found.names += 1
            found.missing += len(names) if isinstance(names, list) else 0
    found.names += REQUIRED * found.missing
    found.unique = int(schema.get("uniqueItems") is True)
    return found


def pattern_price(pattern: Any) -> int:
    """What a pattern costs a character: more the longer it is once its repetitions are written out."""
    if not isinstance(pattern, str):
        return 0
    states = len(pattern)
    for found in _COUNTED.finditer(pattern):
        states *= max(1, int(found[1] or 0), int(found[2] or 0))
        if states >= PATTERN * 2:
            return PATTERN
    return 2 + states // 2


def _constant(schema: dict[str, Any]) -> tuple[Any, ...]:
    return (schema["const"],) if "const" in schema else ()


def _count_number(found: Prices, value: Any) -> None:
    if isinstance(value, float):
        if 0 < abs(value) < TINIEST:
            found.tiny += 1
        else:
            found.fractions += 1
    elif isinstance(value, int) and not isinstance(value, bool):
        found.whole += 1


def _inside(value: Any) -> tuple[int, int]:
    """How many values stand in a list or object, and how many numbers: tiny ones count for more."""
    if isinstance(value, dict):
        parts = [_inside(item) for item in value.values()]
    elif isinstance(value, list):
        parts = [_inside(item) for item in value]
    else:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return 1, 0
        return 1, TINY // FRACTION + 1 if 0 < abs(value) < TINIEST else 1
    return 1 + sum(nodes for nodes, _ in parts), sum(numbers for _, numbers in parts)


def _named(schema: dict[str, Any], keyword: str) -> dict[str, Any]:
    found = schema.get(keyword)
    return found if isinstance(found, dict) else {}


def _too_much() -> TooCostly:
    return TooCostly("The schema asks for too many checks of this payload: make either smaller.")
