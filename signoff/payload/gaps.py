"""What of a request's schema could not be used, and was left out; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Why = Literal[
    "pattern",
    "outside",
    "missing",
    "circle",
    "wrong",
    "dialect",
    "deep",
    "large",
    "costly",
    "depends",
    "unsaid",
]
"""pattern: no linear-time engine reads it. outside, missing: a reference that leads out of the schema, or
nowhere. circle: one that comes back to itself. wrong: a keyword whose value is none of its kind. dialect: a
`$schema` that nobody here knows. deep, large, costly: past a bound. depends: it would refuse too much without
what was left out in it. unsaid: the client left it out, and could not send what it was.
"""
LEFT_OUT = "urn:signoff:left-out:"
"""A `$ref` of this, and a keyword: how a client says that it left that one out."""
MOST_KEPT = 20
"""Gaps that are kept with a request: the first ones."""
MOST_PLACE = 100
"""Characters of a place."""
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Gap:
    """One thing that was left out: the keyword (empty: all of the schema), and the place it stood at.

    `place` reads as a payload's does: `lines[].sku`; empty at the top.
    """

    keyword: str
    place: str
    why: Why

    @classmethod
    def read(cls, saved: object) -> Gap | None:
        """What `saved` gave; None for anything else."""
        if not isinstance(saved, list) or len(saved) != 3 or not all(isinstance(part, str) for part in saved):
            return None
        return cls(*saved) if saved[2] in get_args(Why) else None

    def saved(self) -> list[str]:
        """As it is kept in a row."""
        return [self.keyword, self.place, self.why]


WHOLE = Gap("", "", "costly")
"""What is said of a schema of which nothing more is known: rows of before kept no more than that."""
NO_SCHEMA = Gap("", "", "wrong")
"""The same of what is no schema at all."""


def place_of(path: Path) -> str:
    """The place of a subschema, as its values stand in a payload; of a definition, its name."""
    found, parts = "", list(path)
    while parts:
        word = parts.pop(0)
        name = str(parts.pop(0)) if parts and word in _NAMED else ""
        if word in ("$defs", "definitions"):
            found = f"{word}/{name}"
        elif word == "properties":
            found += f".{name}" if found else name
        elif word == "prefixItems":
            found += f"[{name}]"
        elif word in ("items", "contains", "unevaluatedItems"):
            found += "[]"
        elif word in ("patternProperties", "additionalProperties", "unevaluatedProperties"):
            found += ".*"
        elif word == "propertyNames":
            found += " (names)"
    return found if len(found) <= MOST_PLACE else found[: MOST_PLACE - 1] + "…"


_NAMED = (
    "properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "prefixItems", "allOf",
    "anyOf", "oneOf",
)  # fmt: skip
